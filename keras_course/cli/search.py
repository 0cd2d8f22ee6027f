"""`keras-course search SLUG`: finds hyper-parameters of a system and trains it with the best."""

from __future__ import annotations

import argparse
from typing import Any

from keras_course.cli.arguments import positive_int, seed
from keras_course.cli.start import start_tensorflow


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "search",
        help="search hyper-parameters, train the best",
        description="Try hyper-parameters of a system on its validation split (KerasTuner, extra 'search'), write a "
        "table and a figure, then train and export the best setting. The same command continues a killed search.",
    )
    parser.add_argument("slug", help="name of the system, as `list` prints it")
    parser.add_argument(
        "--dataset", metavar="NAME", help="one of the system's data sets, as `show` prints them (default: the first)"
    )
    parser.add_argument("--tuner", choices=("grid", "random", "bayesian"), default="random", help="default: random")
    parser.add_argument(
        "--trials", type=positive_int, metavar="N", help="settings to try (default: the whole grid, or 10)"
    )
    parser.add_argument(
        "--space", action="append", default=[], metavar="NAME=SPEC",
        help="optimizer.NAME, model.NAME, batch_size or epochs, = a,b,c or low:high[:log][:int][:POINTS]; "
        "once for each hyper-parameter (default: the learning rate)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help="folder of the search (default: runs/SLUG[-NAME]-search)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="draws, split, weights, order (default: 0)")
    parser.add_argument("--epochs", type=positive_int, metavar="N", help="epochs of every trial")
    parser.add_argument("--tiny", action="store_true", help="trials of seconds: few epochs, few examples")
    parser.add_argument("--no-refit", action="store_true", help="do not train the best setting again")


def run(args: argparse.Namespace) -> int:
    """Searches, then says what was best and where it lies."""
    from keras_course.pipeline.recipe import recipe_of, recipe_reference
    from keras_course.pipeline.search_space import parse_space

    recipe_reference(args.slug, args.dataset)  # wrong words are told before TensorFlow's seconds
    space = parse_space(args.space) or None
    start_tensorflow()
    from keras_course.pipeline.search_recipe import search_recipe

    default = f"runs/{'-'.join(filter(None, (args.slug, args.dataset)))}-search"
    found = search_recipe(
        recipe_of(args.slug, args.dataset), space, tuner=args.tuner, trials=args.trials, out=args.out or default,
        seed=args.seed, epochs=args.epochs, tiny=args.tiny, refit=not args.no_refit,
    )  # fmt: skip
    best = found.result.best
    for name, value in best.values.items():
        print(f"best {name:<27} {value:.6g}" if isinstance(value, float) else f"best {name:<27} {value}")
    print(
        f"score                            {best.score:.6g}   (trial {best.number + 1} of {len(found.result.trials)})"
    )
    if found.fitted is not None:
        for name, value in found.fitted.metrics["test"].items():
            print(f"test {name:<27} {value:.4f}")
        print(f"run folder                       {found.fitted.run}")
    print(f"table                            {found.result.folder / 'trials.csv'}")
    print(f"figure                           {found.figure}")
    return 0
