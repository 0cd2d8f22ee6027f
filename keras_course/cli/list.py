"""`keras-course list`: the systems, a line each. Loads no TensorFlow."""

from __future__ import annotations

import argparse
from typing import Any

from keras_course import catalog


def add_parser(subparsers: Any) -> None:
    """Adds the verb's arguments."""
    parser = subparsers.add_parser(
        "list", help="list the systems", description="List the systems of the course, a line each, topic by topic."
    )
    parser.add_argument("topic", nargs="?", help=f"one topic: {', '.join(catalog.topics())}")
    parser.add_argument("--json", action="store_true", help="print a JSON array of objects")


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    topics = catalog.topics() if args.topic is None else (args.topic,)
    rows = [(topic, entry) for topic in topics for entry in catalog.entries(topic)]
    if args.json:
        import json

        table = [
            {
                "slug": entry.slug,
                "title": entry.title,
                "topic": topic,
                "shape": entry.shape,
                "object": entry.object,
                "recipe": entry.recipe,
                "datasets": list(entry.datasets),
                "sources": list(entry.sources),
            }
            for topic, entry in rows
        ]
        print(json.dumps(table, indent=1))
        return 0
    width = max(len(entry.slug) for _, entry in rows)
    shown = None
    for topic, entry in rows:
        if topic != shown:
            print(f"{'' if shown is None else chr(10)}{topic}")
            shown = topic
        trains = "fit" if entry.recipe else ""
        data = f"  [{', '.join(entry.datasets)}]" if entry.datasets else ""
        print(f"  {entry.slug:<{width}}  {entry.shape:<10}  {trains:<3}  {entry.title}{data}")
    return 0
