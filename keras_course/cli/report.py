"""`keras-course report RUN`: writes report.html, one page with a run's figures, numbers and settings."""

from __future__ import annotations

import argparse
from typing import Any

from keras_course.cli.start import start_tensorflow


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "report",
        help="write the report of a run",
        description="Measure a run again, draw its figures again and write report.html, one page that holds them all. "
        "Of an experiment it holds headline, figure and table as they were written.",
    )
    parser.add_argument("run_folder", metavar="RUN", help="run folder")


def run(args: argparse.Namespace) -> int:
    """Writes and prints where."""
    from keras_course.pipeline.run_folder import open_run_folder

    open_run_folder(args.run_folder)
    start_tensorflow()
    from keras_course.pipeline.report import report

    reported = report(args.run_folder)
    for path in reported.figures:
        print(f"figure        {path}")
    print(f"report        {reported.path}")
    return 0
