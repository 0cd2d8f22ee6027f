"""`keras-course fit SLUG`: trains a system, anew or further (`--resume`), or runs an experiment, into a run folder."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
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
        help="train a system or run an experiment",
        description="Train a system on its data. Writes a run folder: config.json, history.csv, logs for TensorBoard, "
        "metrics.json, figures, model.keras, and a SavedModel under export/1. An experiment writes config.json, "
        "table.csv, metrics.json and its figure.",
    )
    parser.add_argument("slug", help="name of the system, as `list` prints it")
    parser.add_argument(
        "--dataset", metavar="NAME", help="one of the system's data sets, as `show` prints them (default: the first)"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="run folder (default: runs/SLUG-DATE-TIME); an ended run is moved aside"
    )
    parser.add_argument(
        "--resume",
        metavar="RUN",
        help="go on with a run that was killed, with its own settings; it ends with the bits it would have had",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        metavar="N",
        help="decides split, weights and order (default: 0); of an experiment, every draw",
    )
    parser.add_argument(
        "--epochs", type=positive_int, metavar="N", help="passes over the data, instead of the recipe's"
    )
    parser.add_argument("--tiny", action="store_true", help="a run of seconds: few epochs, few examples, few settings")
    parser.add_argument(
        "--threads", type=positive_int, metavar="N", help="threads of TensorFlow (changes the last bits)"
    )
    parser.add_argument(
        "--checkpoint-steps", type=positive_int, metavar="N", help="also a checkpoint every N steps (default: none)"
    )
    parser.add_argument(
        "--checkpoint-seconds", type=positive_number, metavar="S",
        help="a checkpoint every S seconds (default: 30)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Trains or runs, then says how well and where it lies."""
    from keras_course.pipeline.recipe import is_experiment, recipe_reference

    if is_experiment(args.slug):  # a wrong name is told before TensorFlow's seconds
        return _experiment(args)
    recipe_reference(args.slug, args.dataset)
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
    missed = missed_bounds(fitted.recipe, fitted.metrics["test"], fitted.baseline)
    if missed and not config["tiny"] and config["epochs"] >= fitted.recipe.epochs:
        print(f"keras-course: warning: below what the recipe must reach: {'; '.join(missed)}", file=sys.stderr)
    return 0


def _started(args: argparse.Namespace) -> Fitted:
    """A new run."""
    start_tensorflow()
    from keras_course.pipeline.fit import fit
    from keras_course.pipeline.recipe import recipe_of

    return fit(
        recipe_of(args.slug, args.dataset), out=args.out, seed=args.seed or 0, epochs=args.epochs, tiny=args.tiny,
        threads=args.threads, checkpoint_steps=args.checkpoint_steps,
        checkpoint_seconds=args.checkpoint_seconds or 30.0,
    )  # fmt: skip


def _experiment(args: argparse.Namespace) -> int:
    """Runs an experiment, then prints its headline."""
    from keras_course import catalog
    from keras_course.pipeline.recipe import recipe_reference

    unused = ("epochs", "resume", "checkpoint_steps", "checkpoint_seconds")
    given = _given(args, unused if catalog.get(args.slug).datasets else ("dataset", *unused))
    if given:
        raise KerasCourseError(f"{args.slug!r} is an experiment, which trains no model; leave out {', '.join(given)}.")
    recipe_reference(args.slug, args.dataset)
    start_tensorflow()
    from keras_course.pipeline.experiment import run_experiment

    done = run_experiment(
        args.slug, out=args.out, seed=args.seed, tiny=args.tiny, dataset=args.dataset, threads=args.threads
    )
    if done.moved is not None:
        print(f"moved aside   {done.moved} (the run that lay in {done.run})")
    width = max(map(len, done.table.headline), default=0)
    for name, value in done.table.headline.items():
        print(f"{name:<{width}}  {value:.6g}")
    print(f"run folder    {done.run}")
    for path in done.figures:
        print(f"figure        {path}")
    return 0


def _resumed(args: argparse.Namespace) -> Fitted:
    """The run of --resume, trained to its end; its settings are its own."""
    own = ("dataset", "out", "seed", "epochs", "tiny", "threads", "checkpoint_steps", "checkpoint_seconds")
    given = _given(args, own)
    if given:
        raise KerasCourseError(f"--resume goes on with the run's own settings; leave out {', '.join(given)}.")
    from keras_course.pipeline.run_folder import recorded_switches

    for name, value in recorded_switches(args.resume).items():
        os.environ.setdefault(name, value)
    start_tensorflow()
    from keras_course.pipeline.resume import resume

    return resume(args.resume, recipe=args.slug)


def _given(args: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Which of some options were given, as they are typed."""
    values = {name: getattr(args, name) for name in names}
    return [f"--{name.replace('_', '-')}" for name, value in values.items() if value is not None and value is not False]


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
