"""docs/ERRATA.md: the slips of the course documents that a golden pins, generated so that it cannot go stale."""

import re

from reference_tests.pinning.checking import printed_differences
from reference_tests.pinning.golden_file import FOLDER, Typed, paths, plain, read

PAGE = FOLDER.parent.parent / "docs" / "ERRATA.md"
SHOWN = 6  # differing cells shown in full

HEADER = """# Errata of the course documents

Each row is a place where the notes print something that is false, loose, or true under one reading only, with the
number that shows it. Letters: N = Northeastern CS 7140, B = Bruna, R = Risteski, S = Smola, C = Cappi.
The page is written by `python -m reference_tests.goldens --errata` from the golden cases that carry an erratum; a test
keeps it current. The right values are derived by `reference_tests/oracles`, never by the library itself.

| label | source | the notes print | printed value, or what the printed formula gives | right value | why | golden |
|---|---|---|---|---|---|---|
"""


def _number(value):
    if isinstance(value, Typed):
        return value.text
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _shown(value):
    if isinstance(value, dict):
        return "; ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return _number(value)


def _cells(golden):
    """Printed and right value at the places that differ, or dashes where the slip is in words."""
    if "printed" not in golden:
        return "–", "–"
    differences = printed_differences(golden["printed"], plain(golden["expected"]))
    if not differences:
        return _shown(golden["printed"]), "the same, under the right reading"
    rest = "; …" if len(differences) > SHOWN else ""
    kept = differences[:SHOWN]
    printed = "; ".join(f"{place} = {_shown(typed)}" for place, typed, _ in kept) + rest
    return printed, "; ".join(f"{place} = {_shown(value)}" for place, _, value in kept) + rest


def _order(golden):
    label = golden["erratum"]["id"]
    parts = re.fullmatch(r"([A-Za-z]+)-?(\d*)", label)
    group, number = (parts[1], int(parts[2] or 0)) if parts else (label, 0)
    return (group == "new", group, number, golden["id"])


def _escaped(text):
    return text.replace("|", "\\|").replace("\n", " ")


def errata_page(root=FOLDER):
    """The whole page as text."""
    goldens = sorted((golden for golden in map(read, paths(root)) if "erratum" in golden), key=_order)
    rows = []
    for golden in goldens:
        erratum = golden["erratum"]
        cells = (erratum["id"], golden["source"], erratum["what"], *_cells(golden), erratum["why"], f"`{golden['id']}`")
        rows.append("| " + " | ".join(_escaped(cell) for cell in cells) + " |")
    return HEADER + "\n".join(rows) + "\n"


def write_errata(root=FOLDER, page=PAGE):
    """Write the page; returns its path."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(errata_page(root), encoding="utf-8")
    return page
