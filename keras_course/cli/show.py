"""`keras-course show SLUG`: everything about one system. Loads no TensorFlow."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from keras_course import catalog
from keras_course.core.errors import MissingDataError
from keras_course.core.resources import golden_paths


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "show", help="show one system", description="Show a system: formula, source, signature, example, goldens."
    )
    parser.add_argument("slug", help="name of the system, as `list` prints it")
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints the description."""
    shown = description(args.slug)
    if args.json:
        import json

        print(json.dumps(shown, indent=1))
        return 0
    print(f"{shown['slug']}: {shown['title']}")
    facts = {
        "kind": f"{shown['shape']}, topic {shown['topic']}",
        "object": shown["object"],
        "members": ", ".join(member.split(":")[1] for member in shown["members"]),
        "signature": shown["signature"],
        "recipe": shown["recipe"] and f"{shown['recipe']} (keras-course fit {shown['slug']})",
        "data sets": shown["datasets"] and f"{', '.join(shown['datasets'])} (--dataset NAME; the first by default)",
    }
    for name, value in facts.items():
        if value:
            print(textwrap.fill(f"{name:<10} {value}", 110, subsequent_indent=" " * 11, break_long_words=False))
    for source in shown["sources"]:
        print(f"{'source':<10} {source['description']}")
    for name in ("formula", "example"):
        if shown[name]:
            print(f"\n{name}")
            print(textwrap.indent(textwrap.dedent(shown[name]), "    "))
    if shown["goldens"]:
        print(f"\ngoldens (keras-course verify --entry {shown['slug']})")
        width = max(len(golden["id"]) for golden in shown["goldens"])
        for golden in shown["goldens"]:
            print(f"    {golden['id']:<{width}}  {golden['kind']:<9}  {golden['title']}")
    return 0


def description(slug: str) -> dict[str, Any]:
    """The row of the catalogue, with what source file and goldens add.

    Raises:
        UnknownSlugError: if no system is called so.
    """
    from keras_course.catalog.docstrings import describe

    entry = catalog.get(slug)
    text = describe(entry.object)
    made = f"{entry.name}({', '.join(f'{name}={value!r}' for name, value in entry.init.items())})"
    return {
        "slug": entry.slug,
        "title": entry.title,
        "topic": catalog.topic_of(slug),
        "shape": entry.shape,
        "object": entry.object,
        "members": list(entry.members),
        "signature": text.signature,
        "summary": text.summary,
        "formula": text.formula,
        "example": text.example or made,
        "init": dict(entry.init),
        "inputs": entry.inputs,
        "recipe": entry.recipe,
        "datasets": dict(entry.datasets),
        "sources": [{"reference": source, "description": catalog.sources.describe(source)} for source in entry.sources],
        "goldens": goldens_of(slug),
    }


def goldens_of(slug: str) -> list[dict[str, str]]:
    """id, title, source and kind of every golden of a system; none where the installation holds none."""
    import json

    try:
        paths = golden_paths()
    except MissingDataError:
        return []
    cases = (json.loads(path.read_text("utf-8")) for path in paths)
    return [{key: case[key] for key in ("id", "title", "source", "kind")} for case in cases if case["entry"] == slug]
