"""What must hold of every golden: its shape as data, its value by the oracle, its printed numbers, its pin."""

import ast
import importlib
import inspect
import math
import re
import sys
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

from reference_tests.pinning.golden_file import FIELDS, FOLDER, Typed, identity, paths, pin, plain, read, read_manifest

KINDS = ("printed", "derived", "published", "law")
REQUIRED = ("id", "entry", "title", "source", "kind", "inputs", "expected", "tolerance", "history")
TOLERANCE = re.compile(r"exact|pointwise|normalisation|contraction|statistical|(recurrence|steps):[1-9]\d*")
SOURCE = re.compile(r"(N|[BRSC]( \d+(\.\d+)*)?)(, (N|[BRSC]( \d+(\.\d+)*)?))*")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DATED = re.compile(r"\d{4}-\d{2}-\d{2}: \S.*")
ORACLE_IMPORTS = {"mpmath", "numpy", "scipy", "reference_tests", *sys.stdlib_module_names}
RELATIVE = 1e-15  # two roundings to float64 of one fifty-digit number differ by at most 2.2e-16


def oracle(golden):
    """The function of reference_tests/oracles that derives this golden."""
    topic, case = golden["id"].split("/")
    module = importlib.import_module(f"reference_tests.oracles.{topic}")
    name = golden.get("example", case.replace("-", "_"))
    if name.startswith("_") or not callable(getattr(module, name, None)):
        raise ValueError(f"reference_tests/oracles/{topic}.py has no function {name}")
    return getattr(module, name)


def derive(golden):
    """Expected values by the oracle, as plain JSON data."""
    return oracle(golden)(**plain(golden["inputs"]))


def schema_faults(golden, name):
    """Lines that say which rule of the format is broken."""
    faults = [f"field {key} is missing" for key in REQUIRED if key not in golden]
    faults += [f"field {key} is unknown" for key in golden if key not in FIELDS]
    if list(golden) != [key for key in FIELDS if key in golden]:
        faults.append(f"fields stand in another order than {', '.join(FIELDS)}")
    if faults:
        return faults
    if golden["id"] != name:
        faults.append(f"id is {golden['id']!r}, the file lies at {name!r}")
    faults += [
        f"{field} is not well formed. Received: {golden[field]!r}"
        for field, pattern in (("entry", SLUG), ("source", SOURCE), ("tolerance", TOLERANCE))
        if not isinstance(golden[field], str) or not pattern.fullmatch(golden[field])
    ]
    if not isinstance(golden["title"], str) or not golden["title"].strip():
        faults.append("title is empty")
    if golden["kind"] not in KINDS:
        faults.append(f"kind is none of {', '.join(KINDS)}. Received: {golden['kind']!r}")
    if golden["kind"] == "printed" and "printed" not in golden:
        faults.append("kind is printed, but no printed value is given")
    if not isinstance(golden["expected"], dict) or not golden["expected"]:
        faults.append("expected is not an object of named outputs")
    return faults + _history_faults(golden["history"]) + _erratum_faults(golden)


def _history_faults(history):
    if not isinstance(history, list) or not history:
        return ["history is empty: the first line says when the golden was pinned"]
    faults = [
        f"history line is not 'YYYY-MM-DD: reason'. Received: {line!r}" for line in history if not DATED.match(line)
    ]
    if history != sorted(history, key=lambda line: line[:10]):
        faults.append("history is not in order of date")
    return faults


def _erratum_faults(golden):
    if "erratum" not in golden:
        return []
    erratum = golden["erratum"]
    if not isinstance(erratum, dict) or list(erratum) != ["id", "what", "why"]:
        return ["erratum holds id, what and why, in this order"]
    return [f"erratum.{key} is empty" for key, text in erratum.items() if not isinstance(text, str) or not text.strip()]


def compare(pinned, derived, place="expected"):
    """Lines that say where two nested values differ: ints, bools and strings exactly, floats to RELATIVE."""
    if isinstance(pinned, dict) and isinstance(derived, dict):
        if set(pinned) != set(derived):
            return [f"{place} has outputs {sorted(pinned)}, the oracle gives {sorted(derived)}"]
        return [line for key in pinned for line in compare(pinned[key], derived[key], f"{place}.{key}")]
    if isinstance(pinned, list) and isinstance(derived, list):
        if len(pinned) != len(derived):
            return [f"{place} has length {len(pinned)}, the oracle gives {len(derived)}"]
        pairs = enumerate(zip(pinned, derived, strict=True))
        return [line for index, pair in pairs for line in compare(*pair, f"{place}[{index}]")]
    if isinstance(pinned, float) and isinstance(derived, float):
        same = math.isclose(pinned, derived, rel_tol=RELATIVE, abs_tol=0.0)
    else:
        same = type(pinned) is type(derived) and pinned == derived
    return [] if same else [f"{place} is {pinned!r}, the oracle gives {derived!r}"]


def as_printed(typed, value):
    """Is `typed` what a person writes for `value` at that many digits?"""
    if typed is None:
        return True
    if isinstance(typed, bool | str) or isinstance(value, bool | str):
        return type(typed) is type(value) and typed == value
    text = Decimal(typed.text if isinstance(typed, Typed) else typed)
    unit = Decimal(1).scaleb(min(text.as_tuple().exponent, 0))
    exact = Decimal(value)
    return any(exact.quantize(unit, rounding) == text for rounding in (ROUND_HALF_EVEN, ROUND_HALF_UP))


def printed_differences(printed, expected, place=""):
    """[(place, printed, expected)] where the notes do not print the rounded value; null is a cell they leave out."""
    if isinstance(printed, dict):
        if not isinstance(expected, dict) or not set(printed) <= set(expected):
            return [(place, printed, expected)]
        return [item for key in printed for item in printed_differences(printed[key], expected[key], f"{place}{key}")]
    if isinstance(printed, list):
        if not isinstance(expected, list) or len(printed) != len(expected):
            return [(place, printed, expected)]
        pairs = enumerate(zip(printed, expected, strict=True))
        return [item for index, pair in pairs for item in printed_differences(*pair, f"{place}[{index}]")]
    if isinstance(expected, dict | list):
        return [(place, printed, expected)]
    return [] if as_printed(printed, expected) else [(place, printed, expected)]


def printed_faults(golden):
    """A printed number is the expected one rounded, or an erratum says why not."""
    if "printed" not in golden or "erratum" in golden:
        return []
    differences = printed_differences(golden["printed"], plain(golden["expected"]))
    return [
        f"printed {place} is {typed}, expected {value}: this needs an erratum" for place, typed, value in differences
    ]


def value_faults(golden):
    """The oracle runs on these inputs and gives the pinned values."""
    try:
        function = oracle(golden)
        inspect.signature(function).bind(**golden["inputs"])
        derived = derive(golden)
    except (ValueError, TypeError, ArithmeticError, ImportError) as error:
        return [f"the oracle does not run: {error}"]
    return compare(plain(golden["expected"]), derived)


def pin_faults(path, name, manifest):
    """The file is the one that was pinned, with a reason for every change."""
    if name not in manifest:
        return ["not in manifest.json: pin it with --write"]
    now, then = pin(path), manifest[name]
    if now["expected"] != then["expected"] and now["history"] <= then["history"]:
        return ["expected changed without a new line in history: use --write ID --reason"]
    if now["history"] < then["history"]:
        return ["a line of history is gone"]
    return [] if now["sha256"] == then["sha256"] else ["the file differs from manifest.json: use --write ID"]


def import_faults(folder):
    """Oracles share nothing with the library: one line for each foreign import."""
    faults = []
    for path in sorted(Path(folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            faults += [
                f"{path.name}: an oracle must not import {name}"
                for name in names
                if name.split(".")[0] not in ORACLE_IMPORTS
            ]
    return faults


def check_file(path, root, manifest):
    """All faults of one golden, each a line that begins with its id."""
    name = identity(path, root)
    try:
        golden = read(path)
    except ValueError as error:
        return [f"{name}: not a golden: {error}"]
    faults = schema_faults(golden, name)
    if not faults:
        faults = value_faults(golden) + printed_faults(golden)
    return [f"{name}: {fault}" for fault in faults + pin_faults(path, name, manifest)]


def check_all(root=FOLDER):
    """(number of goldens, all faults) of a folder of goldens and of the oracles."""
    manifest, files = read_manifest(root), paths(root)
    faults = import_faults(FOLDER.parent / "oracles")
    for path in files:
        faults += check_file(path, root, manifest)
    present = {identity(path, root) for path in files}
    faults += [f"{name}: in manifest.json, but the file is gone" for name in sorted(set(manifest) - present)]
    return len(files), faults
