"""The verification table for a terminal, as JSON, and as one self-contained page."""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from keras_course import __version__, catalog
from keras_course.catalog.docstrings import describe
from keras_course.core.serial import write_atomically
from keras_course.pipeline.verify import Record

COLUMNS = (
    "case", "entry", "source", "kind", "backend", "device", "mode", "dtype", "error", "budget", "ratio", "verdict",
)  # fmt: skip


def print_table(records: Sequence[Record]) -> None:
    """Prints the twelve columns; as wide as needed when the output is no terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        numeric = column in ("error", "budget", "ratio")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=True, overflow="ignore")
    for record in records:
        style = None if record.passed else "bold red"
        table.add_row(*[_cell(column, getattr(record, column)) for column in COLUMNS], style=style)
    width = max(console.width, 200) if not console.is_terminal else console.width
    Console(width=width).print(table)


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if column == "ratio":
        return f"{value:.3f}"
    return f"{value:.2e}" if isinstance(value, float) else str(value)


def write_json(path: str | os.PathLike[str], records: Iterable[Record]) -> None:
    """An array of objects with exactly the twelve columns as keys; null where there is no number."""
    rows = [record.row() for record in records]
    write_atomically(Path(path), json.dumps(rows, indent=1, allow_nan=False) + "\n")


def write_html(path: str | os.PathLike[str], records: Sequence[Record], goldens: Iterable[Mapping[str, Any]]) -> None:
    """One page without outside references: sortable, filterable, with formulas and errata."""
    by_id = {golden["id"]: golden for golden in goldens}
    failed = sum(not record.passed for record in records)
    body = "\n".join(_row(record) for record in records)
    heads = "".join(f"<th><button type='button'>{column}</button></th>" for column in COLUMNS)
    cases = "\n".join(_case(by_id[case]) for case in dict.fromkeys(record.case for record in records))
    summary = f"{len(by_id)} golden cases, {len(records)} runs: {len(records) - failed} passed, {failed} failed"
    template = Template(Path(__file__).with_name("verify_page.html").read_text("utf-8"))
    page = template.substitute(
        version=html.escape(__version__),
        summary=html.escape(summary),
        state="fail" if failed else "pass",
        heads=heads,
        body=body,
        cases=cases,
    )
    write_atomically(Path(path), page)


def _row(record: Record) -> str:
    cells = []
    for column in COLUMNS:
        value = getattr(record, column)
        key = (value if value is not None else math.inf) if column in ("error", "budget", "ratio") else value
        text = html.escape(_cell(column, value))
        if column == "case":
            text = f"<a href='#{html.escape(record.case)}'>{text}</a>"
        cells.append(f"<td data-key='{html.escape(str(key))}'>{text}</td>")
    reason = f"{html.escape(record.message)}<br><code>{html.escape(record.command)}</code>"
    note = f"<tr class='note fail'><td colspan='{len(COLUMNS)}'>{reason}</td></tr>"
    return f"<tr class='{record.verdict}'>{''.join(cells)}</tr>" + ("" if record.passed else note)


def _case(golden: Mapping[str, Any]) -> str:
    formula = describe(catalog.get(golden["entry"]).object).formula
    parts = [
        f"<section id='{html.escape(golden['id'])}'><h3>{html.escape(golden['title'])}</h3>",
        f"<p>{html.escape(golden['id'])} · {html.escape(catalog.sources.describe(golden['source']))} · "
        f"{html.escape(golden['kind'])} · tolerance {html.escape(golden['tolerance'])}</p>",
    ]
    if formula:
        parts.append(f"<pre>{html.escape(formula)}</pre>")
    for name in ("inputs", "expected", "printed"):
        if golden.get(name):
            shown = html.escape(json.dumps(golden[name], ensure_ascii=False))
            parts.append(f"<details><summary>{name}</summary><pre>{shown}</pre></details>")
    erratum = golden.get("erratum")
    if erratum:
        label = f" {html.escape(str(erratum['id']))}" if erratum.get("id") else ""
        parts.append(
            f"<p class='erratum'><b>Erratum{label}:</b> {html.escape(str(erratum['what']))} "
            f"<i>{html.escape(str(erratum['why']))}</i></p>"
        )
    return "".join(parts) + "</section>"
