"""`keras-course fit SLUG`: trains a system and writes a run folder."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from keras_course.cli.arguments import positive_int, seed
from keras_course.cli.start import start_tensorflow


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
        "--seed", type=seed, default=0, metavar="N", help="decides split, weights and order (default: 0)"
    )
    parser.add_argument(
        "--epochs", type=positive_int, metavar="N", help="passes over the data, instead of the recipe's"
    )
    parser.add_argument("--tiny", action="store_true", help="a run of seconds: few epochs, few examples")
    parser.add_argument(
        "--threads", type=positive_int, metavar="N", help="threads of TensorFlow (changes the last bits)"
    )


def run(args: argparse.Namespace) -> int:
    """Trains, then says how well and where it lies."""
    from keras_course.pipeline.recipe import recipe_reference

    recipe_reference(args.slug)  # a wrong name is told before TensorFlow's seconds
    start_tensorflow()
    from keras_course.pipeline.fit import fit, missed_bounds

    fitted = fit(args.slug, out=args.out, seed=args.seed, epochs=args.epochs, tiny=args.tiny, threads=args.threads)
    if fitted.moved is not None:
        print(f"moved aside   {fitted.moved} (the run that lay in {fitted.run})")
    baseline = dict(fitted.baseline.metrics) if fitted.baseline else {}
    for name, value in fitted.metrics["test"].items():
        beside = f"   ({fitted.baseline.name}: {baseline[name]:.4f})" if fitted.baseline and name in baseline else ""
        print(f"test {name:<20} {value:.4f}{beside}")
    print(f"run folder    {fitted.run}")
    print(f"SavedModel    {fitted.export}")
    missed = missed_bounds(fitted.recipe, fitted.metrics["test"])
    if missed and not args.tiny and args.epochs is None:
        print(f"keras-course: warning: below what the recipe must reach: {'; '.join(missed)}", file=sys.stderr)
    return 0
