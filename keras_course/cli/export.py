"""`keras-course export RUN DIR`: writes the model of a run as the next version below a directory."""

from __future__ import annotations

import argparse
from typing import Any

from keras_course.cli.start import start_tensorflow


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "export",
        help="write a SavedModel",
        description="Write the model of a run as DIR/1, DIR/2 …, the next free number; earlier versions stay.",
    )
    parser.add_argument("run_folder", metavar="RUN", help="run folder")
    parser.add_argument("directory", metavar="DIR", help="where the versions lie, made if missing")


def run(args: argparse.Namespace) -> int:
    """Exports and prints where."""
    from keras_course.pipeline.run_folder import open_model_run

    open_model_run(args.run_folder)
    start_tensorflow()
    from keras_course.pipeline.export import export

    print(f"SavedModel    {export(args.run_folder, args.directory).path}")
    return 0
