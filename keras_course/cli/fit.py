"""`keras-course fit SLUG`: trains a system and writes a run folder, or goes on with one (`--resume`)."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keras_course.cli.arguments import positive_int, positive_number, seed
from keras_course.cli.start import start_tensorflow
from keras_course.core.errors import KerasCourseError

if TYPE_CHECKING:
    from keras_course.pipeline.fit import Fitted


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "fit",
        help="train a system",
        description="Train a system on its data. Writes a run folder: config.json, history.csv, logs for TensorBoard, "
        "metrics.json, figures, model.keras, and a SavedModel under export/1.",
    )
    parser.add_argument("slug", help="name of the system, as `list` prints it")
    parser.add_argument(
        "--out", metavar="DIR", help="run folder (default: runs/SLUG-DATE-TIME); an ended run is moved aside"
    )
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run that was killed, with its own settings; it ends with the bits it would have had",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="decides split, weights and order (default: 0)"
    )
    parser.add_argument(
        "--epochs", type=positive_int, metavar="N", help="passes over the data, instead of the recipe's"
    )
    parser.add_argument("--tiny", action="store_true", help="a run of seconds: few epochs, few examples")
    parser.add_argument(
        "--threads", type=positive_int, metavar="N", help="threads of TensorFlow (changes the last bits)"
    )
    parser.add_argument(
        "--checkpoint-steps", type=positive_int, metavar="N", help="also a checkpoint every N steps (default: none)"
    )
    parser.add_argument(
        "--checkpoint-seconds", type=positive_number, default=30.0, metavar="S",
        help="a checkpoint every S seconds (default: 30)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Trains, then says how well and where it lies."""
    from keras_course.pipeline.recipe import recipe_reference

    recipe_reference(args.slug)  # a wrong name is told before TensorFlow's seconds
    with _warnings_in_one_line():
        fitted = _started(args) if args.resume is None else _resumed(args)
    from keras_course.pipeline.fit import missed_bounds
    from keras_course.pipeline.run_folder import CONFIG, read_json

    if fitted.moved is not None:
        print(f"moved aside   {fitted.moved} (the run that lay in {fitted.run})")
    baseline = dict(fitted.baseline.metrics) if fitted.baseline else {}
    for name, value in fitted.metrics["test"].items():
        beside = f"   ({fitted.baseline.name}: {baseline[name]:.4f})" if fitted.baseline and name in baseline else ""
        print(f"test {name:<20} {value:.4f}{beside}")
    print(f"run folder    {fitted.run}")
    print(f"SavedModel    {fitted.export}")
    config = read_json(fitted.run / CONFIG)
    if config.get("resumed"):
        print(f"resumed       {_proof(config['resumed'][-1])}")
    missed = missed_bounds(fitted.recipe, fitted.metrics["test"])
    if missed and not config["tiny"] and config["epochs"] >= fitted.recipe.epochs:
        print(f"keras-course: warning: below what the recipe must reach: {'; '.join(missed)}", file=sys.stderr)
    return 0


def _started(args: argparse.Namespace) -> Fitted:
    """A new run."""
    start_tensorflow()
    from keras_course.pipeline.fit import fit

    return fit(
        args.slug, out=args.out, seed=args.seed, epochs=args.epochs, tiny=args.tiny, threads=args.threads,
        checkpoint_steps=args.checkpoint_steps, checkpoint_seconds=args.checkpoint_seconds,
    )  # fmt: skip


def _resumed(args: argparse.Namespace) -> Fitted:
    """The run of --resume, trained to its end; its settings are its own."""
    usual = {
        "out": None, "seed": 0, "epochs": None, "tiny": False, "threads": None, "checkpoint_steps": None,
        "checkpoint_seconds": 30.0,
    }  # fmt: skip
    given = [f"--{name.replace('_', '-')}" for name, value in usual.items() if getattr(args, name) != value]
    if given:
        raise KerasCourseError(f"--resume goes on with the run's own settings; leave out {', '.join(given)}.")
    from keras_course.pipeline.run_folder import recorded_switches

    for name, value in recorded_switches(args.resume).items():
        os.environ.setdefault(name, value)
    start_tensorflow()
    from keras_course.pipeline.resume import resume

    return resume(args.resume, recipe=args.slug)


def _proof(entry: Mapping[str, Any]) -> str:
    if entry.get("from") is None:
        return "from the beginning: there was no checkpoint"
    epoch, steps = entry["from"]
    proved = {True: "the next checkpoint was met bit for bit", False: "the next checkpoint was NOT met bit for bit"}
    return f"from epoch {epoch + 1}, step {steps}; {proved.get(entry['repeats_bit_for_bit'], 'it was the only one')}"


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """This package's warnings without file names and source lines."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if category is RuntimeWarning:
                print(f"keras-course: warning: {message}", file=sys.stderr)
            else:
                usual(message, category, *place, **more)

        warnings.showwarning = show
        yield
