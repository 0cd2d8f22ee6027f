"""The verification table for a terminal, as JSON, and as one self-contained page."""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_course import __version__, catalog
from keras_course.catalog.docstrings import formula_of
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
    write_atomically(
        Path(path),
        _PAGE.format(
            version=html.escape(__version__), summary=html.escape(summary), state="fail" if failed else "pass",
            heads=heads, body=body, cases=cases, style=_STYLE, script=_SCRIPT,
        ),
    )  # fmt: skip


def _row(record: Record) -> str:
    cells = []
    for column in COLUMNS:
        value = getattr(record, column)
        key = (value if value is not None else math.inf) if column in ("error", "budget", "ratio") else value
        text = html.escape(_cell(column, value))
        if column == "case":
            text = f"<a href='#{html.escape(record.case)}'>{text}</a>"
        cells.append(f"<td data-key='{html.escape(str(key))}'>{text}</td>")
    note = f"<tr class='note fail'><td colspan='{len(COLUMNS)}'>{html.escape(record.message)}<br><code>{html.escape(record.command)}</code></td></tr>"
    return f"<tr class='{record.verdict}'>{''.join(cells)}</tr>" + ("" if record.passed else note)


def _case(golden: Mapping[str, Any]) -> str:
    formula = formula_of(catalog.get(golden["entry"]).object)
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


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.25rem .5rem;text-align:left;white-space:nowrap}
td:nth-child(n+9):nth-child(-n+11){text-align:right;font-variant-numeric:tabular-nums}
thead th{position:sticky;top:0;background:#f2f2f2}th button{all:unset;cursor:pointer;font-weight:600}
th[aria-sort=ascending] button::after{content:" \\25b2"}th[aria-sort=descending] button::after{content:" \\25bc"}
tbody tr:nth-child(even){background:#fafafa}tr.fail td{background:#fdecea}.note td{white-space:normal}
input{font:inherit;padding:.3rem .6rem;width:24rem;max-width:100%;margin:.5rem 0 1rem}
.pass td:last-child{color:#0a6b2d}.fail td:last-child,p.fail{color:#b3261e;font-weight:600}p.pass{color:#0a6b2d}
pre{background:#f6f6f6;padding:.6rem;overflow:auto}section{border-top:1px solid #ddd;padding:.5rem 0}
.erratum{background:#fff6dd;padding:.5rem}.table{overflow-x:auto}
"""

_SCRIPT = """
const body=document.querySelector('tbody'),heads=[...document.querySelectorAll('th')],box=document.querySelector('input');
const groups=()=>{const out=[];for(const row of [...body.rows]){if(row.classList.contains('note'))out.at(-1).push(row);else out.push([row]);}return out;};
heads.forEach((head,i)=>head.querySelector('button').addEventListener('click',()=>{
 const up=head.getAttribute('aria-sort')!=='ascending';heads.forEach(h=>h.removeAttribute('aria-sort'));
 head.setAttribute('aria-sort',up?'ascending':'descending');
 const key=g=>g[0].cells[i].dataset.key,num=i>=8&&i<=10;
 const sorted=groups().sort((a,b)=>num?parseFloat(key(a))-parseFloat(key(b)):key(a).localeCompare(key(b)));
 if(!up)sorted.reverse();sorted.forEach(g=>g.forEach(r=>body.append(r)));}));
box.addEventListener('input',()=>{const words=box.value.toLowerCase().split(/\\s+/).filter(Boolean);
 for(const g of groups()){const text=g.map(r=>r.textContent).join(' ').toLowerCase();
  const show=words.every(w=>text.includes(w));g.forEach(r=>r.hidden=!show);}});
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>keras_course: verification</title><style>{style}</style></head><body>
<h1>keras_course {version}: verification</h1><p class="{state}">{summary}</p>
<label>Filter rows <input type="search" placeholder="words, e.g. xla float64 fail"></label>
<div class="table"><table><thead><tr>{heads}</tr></thead><tbody>
{body}
</tbody></table></div>
<h2>Cases</h2>
{cases}
<script>{script}</script></body></html>
"""
