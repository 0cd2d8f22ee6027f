"""One self-contained page about a run: what was trained, on what, how well, with its figures drawn again."""

from __future__ import annotations

import base64
import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from keras_course.core.errors import CorruptArtifact, RunFolderError
from keras_course.core.serial import check_manifest, write_atomically
from keras_course.pipeline.evaluate import Evaluated, evaluate
from keras_course.pipeline.figures import FigureContext, draw_figures
from keras_course.pipeline.recipe import Recipe, recipe_of_run
from keras_course.pipeline.run_folder import (
    FIGURES,
    HISTORY,
    METRICS,
    TABLE,
    RunFolder,
    open_run_folder,
    read_json,
)

REPORT = "report.html"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse }
th, td { text-align: left; padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid #ddd }
td.number { text-align: right; font-variant-numeric: tabular-nums } img { max-width: 100% }
"""


@dataclass(frozen=True)
class Reported:
    """A report on disk.

    Args:
        run: the run's folder.
        path: the page.
        figures: paths of the PNG files, drawn again.
        metrics: the metrics it shows.
    """

    run: Path
    path: Path
    figures: tuple[Path, ...]
    metrics: Mapping[str, Mapping[str, float]]


def report(run: str | os.PathLike[str], *, recipe: Recipe | None = None, allow: Iterable[type] = ()) -> Reported:
    """Measures a run again, draws its figures again and writes report.html into its folder.

    Of an experiment it shows headline, figure and table as they were written.

    Args:
        run: folder of a run that ended.
        recipe: `Recipe`; None finds it by slug and data set in config.json.
        allow: your own classes that the model file may name.

    Returns:
        `Reported`.

    Raises:
        RunFolderError, CorruptArtifact, CorruptDataError: as `evaluate`; an experiment must have finished.
    """
    folder = open_run_folder(run)
    if folder.is_experiment:
        return _experiment_page(folder)
    recipe = recipe or recipe_of_run(folder.config)
    evaluated = evaluate(run, recipe=recipe, allow=allow)
    history = read_history(folder.path / HISTORY)
    context = FigureContext(
        recipe, evaluated.model, evaluated.dataset, history, evaluated.metrics["test"], int(folder.config["seed"])
    )
    figures = draw_figures(context, folder.path / FIGURES)
    path = folder.path / REPORT
    write_atomically(path, _page(folder, evaluated, figures, len(next(iter(history.values()), ()))))
    return Reported(folder.path, path, tuple(figures), evaluated.metrics)


def read_history(path: Path) -> dict[str, list[float]]:
    """Columns of history.csv without the epoch; empty where there is no such file.

    Raises:
        CorruptArtifact: if it is not as it was written, or not a table of numbers.
    """
    if not path.exists():
        return {}
    check_manifest(path)
    try:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        names = [name for name in (rows[0] if rows else {}) if name != "epoch"]
        return {name: [float(row[name] or "nan") for row in rows] for name in names}
    except (ValueError, TypeError, KeyError, OSError, csv.Error) as error:
        raise CorruptArtifact(path, f"not a table of numbers ({error})") from None


def _experiment_page(folder: RunFolder) -> Reported:
    """The page of an experiment's run, from its table and figures as they lie: nothing is run again."""
    if folder.status != "finished":
        reason = f" ({folder.config['error']})" if folder.config.get("error") else ""
        raise RunFolderError(f"The experiment in {folder.path} has no table to report: it {folder.status}{reason}.")
    recorded = read_json(folder.path / METRICS)
    figures = tuple(sorted((folder.path / FIGURES).glob("*.png")))
    for written in (folder.path / TABLE, *figures):
        check_manifest(written)
    settings = folder.config["experiment"]
    facts = {**{name: _short(value) for name, value in settings.items()}, **_circumstances(folder.config)}
    facts["time"] = f"{recorded['seconds']:.1f} s"
    with (folder.path / TABLE).open(encoding="utf-8", newline="") as file:
        head, *rows = ([_short(cell) for cell in row] for row in csv.reader(file))
    headline = [(name, _short(value)) for name, value in recorded["headline"].items()]
    path = folder.path / REPORT
    sections = {
        "Headline": _table(("what", "value"), headline), "Figures": _pictures(figures), "Table": _table(head, rows),
        "How it was made": _facts(facts),
    }  # fmt: skip
    write_atomically(path, _document(folder, sections))
    return Reported(folder.path, path, figures, {"headline": recorded["headline"]})


def _page(folder: RunFolder, evaluated: Evaluated, figures: Sequence[Path], epochs: int) -> str:
    config, recorded = folder.config, evaluated.recorded
    spec = evaluated.dataset.spec
    sizes = ", ".join(f"{size} {name}" for name, size in config["data"]["examples"].items())
    facts = {
        "data": f"{spec.name}: {sizes} examples",
        "seed": config["seed"],
        "epochs": f"{epochs} of {config['epochs']}, batches of {config['batch_size']}",
        "status": config["status"] + (f" ({config['error']})" if config.get("error") else ""),
        "training time": f"{recorded['training_seconds']:.1f} s" if "training_seconds" in recorded else "unknown",
        "mode": config.get("mode", "unknown"),
        **_circumstances(config),
    }
    baseline = recorded.get("baseline") or {}
    columns = {"test": evaluated.metrics["test"], "validation": evaluated.metrics["validation"]}
    if baseline:
        columns[f"baseline: {recorded.get('baseline_name')}"] = baseline
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [[name, *(_number(column.get(name)) for column in columns.values())] for name in names]
    sections = {
        "Metrics": _table(("metric", *columns), rows), "Figures": _pictures(figures), "How it was made": _facts(facts),
    }  # fmt: skip
    return _document(folder, sections)


def _circumstances(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "threads": f"{config.get('threads')}, oneDNN {config.get('oneDNN')}",
        "versions": ", ".join(f"{name} {version}" for name, version in (config.get("versions") or {}).items()),
        "CPU": config.get("cpu"),
    }


def _document(folder: RunFolder, sections: Mapping[str, str]) -> str:
    title = escape(f"{folder.config['slug']}, run {folder.path.name}")
    body = "".join(f"<h2>{escape(name)}</h2>{section}" for name, section in sections.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    )


def _table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table; cells that read as numbers stand to the right."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _cell(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return f"<td>{escape(text)}</td>"
    return f'<td class="number">{escape(text)}</td>'


def _facts(facts: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items())
    return f"<table>{rows}</table>"


def _number(value: Any) -> str:
    return "" if value is None else f"{float(value):.4f}"


def _short(value: Any) -> str:
    """A fraction with six digits that count, null as a dash, all else as it is."""
    if isinstance(value, list):
        return ", ".join(_short(each) for each in value)
    try:
        return "–" if value is None else f"{float(value):.6g}" if "." in str(value) else str(value)
    except ValueError:
        return str(value)


def _pictures(paths: Iterable[Path]) -> str:
    return "".join(_picture(path) for path in paths) or "<p>none</p>"


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    name = escape(path.stem.replace("_", " "))
    kind = "svg+xml" if path.suffix == ".svg" else "png"
    return f'<figure><img alt="{name}" src="data:image/{kind};base64,{data}"></figure>'
