"""`keras-course diagnose RUN`: what keeps a run from being better."""

from __future__ import annotations

import argparse
from typing import Any

from keras_course.cli.arguments import positive_int
from keras_course.cli.start import start_tensorflow


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "diagnose",
        help="find out why a run is not better",
        description="Look at data, units, gradients and some steps of training of a fresh model of the run's recipe, "
        "and at the run's own model. Writes diagnosis.json and figures/diagnosis.png into the run folder.",
    )
    parser.add_argument("run_folder", metavar="RUN", help="run folder")
    parser.add_argument(
        "--steps", type=positive_int, default=40, metavar="N", help="steps of the short training (default: 40)"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the faults, the worst mistakes and the advice."""
    from keras_course.pipeline.run_folder import open_model_run

    open_model_run(args.run_folder)  # a wrong folder is told before TensorFlow's seconds
    start_tensorflow()
    from keras_course.pipeline.diagnose_run import ADVICE, DIAGNOSIS, diagnose_run

    found = diagnose_run(args.run_folder, steps=args.steps)
    for finding in found.start.findings:
        print(finding)
    if not found.start.findings:
        print("no fault found at the start")
    for layer in found.activity[:-1]:
        for share in ("dead", "saturated", "copies"):
            if getattr(layer, share) > 0.1:
                print(f"trained model, {layer.layer}: {getattr(layer, share):.0%} {share}")
    for split, error in found.errors.items():
        print(f"{split + ' error':<24} {error:.4f}")
    if found.advice is not None:
        print(f"advice                   {ADVICE[found.advice]}")
    print(f"worst validation rows    {', '.join(str(worst.row) for worst in found.worst[:8])}")
    for row, words in list(found.words.items())[:3]:
        for what, text in words.items():
            print(f"  row {row}, {what + ':':<12} {text}")
    for path in (found.run / DIAGNOSIS, *found.figures):
        print(path)
    return 0
