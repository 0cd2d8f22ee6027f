"""An experiment in, a finished run out: its settings noted, its table and figure written, its headline printed.

    run_experiment(slug, seed) -> Experimented
    on disk: config.json, table.csv, metrics.json (the headline), figures/<slug>.png

An experiment is a catalogue row whose recipe names a `Config` class ("module:Config"): frozen settings, `tiny()` for
a run of seconds, and beside it in the module `run(config)`, which returns a table: named columns, `to_csv()`,
`figure()` and a headline {what: number}. Everything random in it follows from `Config.seed` or `Config.seeds`. There is
no model, so there is nothing to evaluate, export or resume.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from keras_course import catalog
from keras_course.core.errors import KerasCourseError
from keras_course.core.serial import write_with_manifest
from keras_course.pipeline.figures import DOTS_PER_INCH
from keras_course.pipeline.recipe import is_experiment, recipe_reference
from keras_course.pipeline.record import environment, set_threads
from keras_course.pipeline.run_folder import FIGURES, METRICS, TABLE, RunFolder, claim_run_folder, now, write_json

__all__ = ["Experimented", "configured", "run_experiment"]


@dataclass(frozen=True)
class Experimented:
    """A finished run of an experiment.

    Args:
        run: its folder.
        config: the settings it ran with.
        table: what it returned.
        figures: paths of the PNG files.
        seconds: how long it took.
        moved: where an earlier run of this folder was moved to, or None.
    """

    run: Path
    config: Any
    table: Any
    figures: tuple[Path, ...]
    seconds: float
    moved: Path | None = None


def run_experiment(
    slug: str,
    *,
    out: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    tiny: bool = False,
    dataset: str | None = None,
    threads: int | None = None,
) -> Experimented:
    """Runs an experiment of the catalogue and writes a run folder.

    Args:
        slug: a system whose recipe is an experiment.
        out: run folder; None takes runs/<slug>-<date>-<time>. An ended run that lies there is moved aside.
        seed: int in [0, 2**31), in place of the settings' own; None leaves those.
        tiny: the experiment's settings for a run of seconds.
        dataset: one of the experiment's data sets, or None for the first, where its row names some.
        threads: int, pins TensorFlow's thread pools; only before TensorFlow has run anything.

    Returns:
        `Experimented`.

    Raises:
        UnknownSlugError, KerasCourseError: if no experiment is called so, or it draws nothing a seed could change.
        ValueError: for a seed or threads out of range.
        RunFolderError: if the folder cannot be taken; nothing was touched.
    """
    config = configured(slug, seed, tiny, dataset)
    set_threads(threads)
    folder = claim_run_folder(out, slug)
    settings = dataclasses.asdict(config)
    first = settings.get("seed", next(iter(settings.get("seeds", ())), None))
    folder.write_config(
        "running", slug=slug, seed=first, tiny=tiny, experiment=settings, started=now(), **environment()
    )
    try:
        return _run(slug, config, folder)
    except KeyboardInterrupt:
        folder.write_config("interrupted")
        raise
    except Exception as error:
        folder.write_config("failed", error=f"{type(error).__name__}: {error}")
        raise
    finally:
        folder.unlock()


def configured(slug: str, seed: int | None = None, tiny: bool = False, dataset: str | None = None) -> Any:
    """The settings of an experiment.

    A seed takes the place of `Config.seed`; of several `Config.seeds` there are as many as before, counted from it.

    Args:
        slug: a system whose recipe is an experiment.
        seed: int in [0, 2**31), or None for the settings' own.
        tiny: whether to take `Config.tiny()`.
        dataset: one of the experiment's data sets, which takes the place of `Config.data`; None leaves that.

    Raises:
        UnknownSlugError: if no system is called so.
        KerasCourseError: if it is no experiment, has no such data set, or no seed to replace.
        ValueError: for a seed out of range.
    """
    reference = recipe_reference(slug, dataset)
    if not is_experiment(slug):
        raise KerasCourseError(f"{slug!r} is no experiment: its recipe trains a model (pipeline.fit).")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31):
        raise ValueError(f"An experiment needs an integer seed in [0, 2**31). Received: seed={seed!r}")
    kind = catalog.resolve_member(reference)
    config = kind.tiny() if tiny else kind()
    if dataset is not None:
        config = dataclasses.replace(config, data=dataset)
    if seed is None:
        return config
    if hasattr(config, "seed"):
        return dataclasses.replace(config, seed=seed)
    if hasattr(config, "seeds"):
        return dataclasses.replace(config, seeds=tuple(range(seed, seed + len(config.seeds))))
    raise KerasCourseError(f"{slug!r} draws nothing at random; leave out the seed. Received: seed={seed}")


def _run(slug: str, config: Any, folder: RunFolder) -> Experimented:
    module = recipe_reference(slug).partition(":")[0]
    run = catalog.resolve_member(f"{module}:run")
    started = time.monotonic()
    table = run(config)
    seconds = time.monotonic() - started
    write_with_manifest(folder.path / TABLE, table.to_csv())
    headline: Mapping[str, float] = table.headline
    write_json(folder.path / METRICS, {"headline": dict(headline), "seconds": round(seconds, 3)})
    figures = folder.path / FIGURES
    figures.mkdir(exist_ok=True)
    drawn = figures / f"{slug}.png"
    write_with_manifest(drawn, partial(table.figure().savefig, dpi=DOTS_PER_INCH))
    folder.write_config("finished", finished=now())
    return Experimented(folder.path, config, table, (drawn,), seconds, folder.moved)
