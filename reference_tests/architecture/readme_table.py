"""Writes README.md's table of systems: `python -m reference_tests.architecture.readme_table --write`."""

from __future__ import annotations

import sys
from pathlib import Path

from keras_course import catalog

README = Path(__file__).resolve().parents[2] / "README.md"
START = "<!-- systems: written by `python -m reference_tests.architecture.readme_table --write` -->\n"
END = "<!-- /systems -->\n"


def table() -> str:
    """One row a system, in the catalogue's order."""
    lines = ["| slug | what | where | trains on | source |", "|---|---|---|---|---|"]
    for entry in catalog.entries():
        module, name = entry.object.split(":")
        trains = f"`fit {entry.slug}`" if entry.recipe else ""
        lines.append(f"| {entry.slug} | {entry.title} | `{module}.{name}` | {trains} | {', '.join(entry.sources)} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """README text with the table between its marks made anew."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return before + START + table() + END + after


if __name__ == "__main__":
    current = README.read_text("utf-8")
    if "--write" in sys.argv:
        README.write_text(with_table(current), "utf-8")
    elif current != with_table(current):
        sys.exit("README.md: the table of systems is stale; run this with --write")
