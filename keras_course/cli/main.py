"""The command `keras-course`: finds the verb, runs it, and turns every error into one line.

Exit codes: 0 done, 1 something was found wrong (`verify`), 2 error (one line on stderr, `--debug` adds the traceback),
130 interrupted. A verb's module is imported only when it is called, so `list`, `show` and `--help` load no TensorFlow.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from types import ModuleType
from typing import NoReturn

import keras_course

PROG = "keras-course"

VERBS = {
    "list": "list the systems, of one topic or all",
    "show": "show one system: formula, source, signature, example, goldens",
    "fit": "train a system on its data, or run an experiment, and write a run folder",
    "evaluate": "measure the model of a run again",
    "diagnose": "find out why a run is not better",
    "export": "write the model of a run as a SavedModel",
    "search": "search hyper-parameters and train the best",
    "report": "write the report.html of a run: its figures, numbers and settings",
    "verify": "compute every golden number again and compare",
}


class OneLineParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line and leaves the usage to --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROG}: error: {one_line(message)}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        Exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        parser, verb = build_parser(next((word for word in arguments if not word.startswith("-")), None))
        args = parser.parse_args(arguments)
        if verb is None:
            parser.print_help()
            return 0
        code = int(verb.run(args))
        sys.stdout.flush()
        return code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2 if stop.code else 0
    except KeyboardInterrupt:
        print(f"{PROG}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader (`head`, `less`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
        print(f"{PROG}: error: {described(error)}", file=sys.stderr)
        return 2


def build_parser(word: str | None) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    """The parser, complete for one verb and with a line of help for the others.

    Args:
        word: the first argument that is no option, or None.

    Returns:
        (parser, module of the verb or None).
    """
    parser = OneLineParser(
        prog=PROG,
        description="Every system of a deep-learning course: list, show, train, verify and export it.",
        epilog=f"{PROG} VERB --help explains a verb.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {keras_course.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    if word is not None and word not in VERBS:
        near = get_close_matches(word, VERBS, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        parser.error(f"there is no verb {word!r}.{hint} Verbs: {', '.join(VERBS)}.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    module = None
    for name, summary in VERBS.items():
        if name == word:
            module = importlib.import_module(f"keras_course.cli.{name}")
            module.add_parser(verbs)
            if "--debug" not in verbs.choices[name].format_help():
                verbs.choices[name].add_argument(
                    "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
                )
        else:
            verbs.add_parser(name, help=summary)
    return parser, module


def described(error: Exception) -> str:
    """What happened, in one line; errors that this package did not foresee are named by their class too."""
    from keras_course.core.errors import KerasCourseError

    text = one_line(str(error))
    if isinstance(error, KerasCourseError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(text: str, limit: int = 400) -> str:
    """Text without line breaks, shortened."""
    joined = " ".join(text.split())
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


if __name__ == "__main__":
    sys.exit(main())
