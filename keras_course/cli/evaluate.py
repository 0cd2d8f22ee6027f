"""`keras-course evaluate RUN`: measures the model of a run again."""

from __future__ import annotations

import argparse
from typing import Any

from keras_course.cli.start import start_tensorflow


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a run again",
        description="Load the model of a run and measure it on the run's own split, beside what was recorded.",
    )
    parser.add_argument("run_folder", metavar="RUN", help="run folder")
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints the metrics."""
    from keras_course.pipeline.run_folder import open_model_run

    open_model_run(args.run_folder)  # a wrong folder is told before TensorFlow's seconds
    start_tensorflow()
    from keras_course.pipeline.evaluate import evaluate

    evaluated = evaluate(args.run_folder)
    if args.json:
        import json

        print(json.dumps({name: dict(metrics) for name, metrics in evaluated.metrics.items()}, indent=1))
        return 0
    for split, metrics in evaluated.metrics.items():
        for name, value in metrics.items():
            recorded = (evaluated.recorded.get(split) or {}).get(name)
            beside = "" if recorded is None else f"   (recorded: {recorded:.4f})"
            print(f"{split + ' ' + name:<24} {value:.4f}{beside}")
    return 0
