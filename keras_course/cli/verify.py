"""`keras-course verify`: re-run every golden case, print the table, exit 1 on any failure."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from keras_course.cli.start import start_tensorflow


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        "verify",
        help="re-run the golden cases",
        description="Re-runs golden cases through the public API, over execution modes and dtypes, TF32 off, and "
        "prints a table. Exit code 1 if any case fails, 2 on wrong arguments.",
    )
    parser.add_argument("--case", metavar="ID", help="one golden's id, or a topic")
    parser.add_argument("--entry", metavar="SLUG", help="the goldens of one system")
    parser.add_argument("--device", default="CPU:0", metavar="NAME", help="CPU:0, GPU:0, … (default: %(default)s)")
    parser.add_argument("--mode", default="all", choices=("eager", "graph", "xla", "all"), help="default: %(default)s")
    parser.add_argument("--dtype", default="all", choices=("float32", "float64", "all"), help="default: %(default)s")
    parser.add_argument(
        "--use", action="append", default=[], metavar="SLUG=MODULE:NAME",
        help="check someone else's class or function in the place of ours; SLUG.MEMBER=… for one part of a system",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as a JSON array")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page")
    return parser


def run(args: argparse.Namespace) -> int:
    start_tensorflow()
    import keras

    from keras_course.core.backend import MODES
    from keras_course.core.errors import RunFolderError
    from keras_course.pipeline import verify, verify_report

    for path in (args.json, args.html):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise RunFolderError(f"Cannot write {path}: no such folder, or it is one")

    use = dict(_substitute(text) for text in args.use)
    goldens = verify.load_cases(args.case, args.entry)
    if use and args.case is None and args.entry is None:
        goldens = [golden for golden in goldens if golden["entry"] in {slug.split(".")[0] for slug in use}]
    modes = MODES if args.mode == "all" else (args.mode,)
    dtypes = verify.DTYPES if args.dtype == "all" else (args.dtype,)

    records = list(
        _with_progress(verify.verify(goldens, modes=modes, dtypes=dtypes, device=args.device, use=use), len(goldens))
    )
    verify_report.print_table(records)
    for record in records:
        if not record.passed:
            print(
                f"{record.case} [{record.mode}, {record.dtype}]: {record.message}\n    {record.command}",
                file=sys.stderr,
            )
    if args.json is not None:
        verify_report.write_json(args.json, records)
    if args.html is not None:
        verify_report.write_html(args.html, records, goldens)
    left_out = len({golden["id"] for golden in goldens} - {record.case for record in records})
    if left_out and keras.backend.backend() != "tensorflow":
        print(f"{left_out} cases left out: what calls models, kernels, optimizers or distributions needs TensorFlow")
    failed = sum(not record.passed for record in records)
    print(f"{len(goldens)} golden cases, {len(records)} runs: {len(records) - failed} passed, {failed} failed")
    return 1 if failed or not records else 0


def _substitute(text: str) -> tuple[str, Any]:
    from keras_course import catalog

    slug, equals, reference = text.partition("=")
    if not equals:
        raise ValueError(f"--use reads SLUG=MODULE:NAME. Received: {text!r}")
    catalog.get(slug.partition(".")[0])
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` would: the user's module lies where the user stands
    return slug, catalog.resolve_member(reference)


def _with_progress(records: Any, cases: int) -> Any:
    if not sys.stderr.isatty():
        return records
    from rich.console import Console
    from rich.progress import track

    def first_of_each() -> Any:
        yield from records

    return track(first_of_each(), description=f"{cases} cases", console=Console(stderr=True), transient=True)
