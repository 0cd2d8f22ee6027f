"""Command line of the goldens: --check, --write, --errata. Exit code 1 on any failure."""

import argparse
import datetime
import sys
from pathlib import Path

from reference_tests.pinning.checking import check_all, compare, derive, schema_faults
from reference_tests.pinning.errata import write_errata
from reference_tests.pinning.golden_file import (
    FOLDER,
    identity,
    in_order,
    paths,
    pin,
    plain,
    read,
    read_manifest,
    render,
    write_manifest,
)


def _write_one(path, root, manifest, reason):
    """Derive, lay out and pin one file; returns a line that says what happened. ValueError if it may not change."""
    golden, name = read(path), identity(path, root)
    pinned, derived = golden.get("expected"), derive(golden)
    today = datetime.date.today().isoformat()
    changed = pinned is not None and bool(compare(plain(pinned), derived))
    if name in manifest and (pinned is None or changed):
        if not reason:
            raise ValueError(f'its expected value changes, so say why: --write {name} --reason "..."')
        golden["history"] = [*golden.get("history", []), f"{today}: {reason}"]
    golden.setdefault("history", [f"{today}: first pinned"])
    if pinned is None or changed:
        golden["expected"] = derived
    golden = in_order(golden)
    faults = schema_faults(golden, name)
    if faults:
        raise ValueError("; ".join(faults))
    path.write_text(render(golden), encoding="utf-8")
    manifest[name] = pin(path)
    return f"{name}: {'changed' if changed else 'pinned'}"


def write(root, name, reason):
    """Pin one golden by id, or (name empty) all that the manifest does not know yet."""
    manifest = read_manifest(root)
    chosen = [
        path for path in paths(root) if (identity(path, root) == name if name else identity(path, root) not in manifest)
    ]
    if name and not chosen:
        raise ValueError(f"no golden {name} below {root}")
    lines = []
    try:
        for path in chosen:
            try:
                lines.append(_write_one(path, root, manifest, reason))
            except (ValueError, TypeError, ArithmeticError) as error:
                raise ValueError(f"{identity(path, root)}: {error}") from error
    finally:
        write_manifest(manifest, root)
    return lines


def main(arguments=None):
    """Parse, run, print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reference_tests.goldens", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="recompute every expected value and compare")
    action.add_argument("--write", nargs="?", const="", metavar="ID", help="pin new goldens, or this one")
    action.add_argument("--errata", action="store_true", help="write docs/ERRATA.md")
    parser.add_argument("--reason", default="", help="why a pinned value changes (with --write ID)")
    parser.add_argument("--root", type=Path, default=FOLDER, help="folder of goldens (default: this one)")
    chosen = parser.parse_args(arguments)
    if chosen.errata:
        print(f"wrote {write_errata(chosen.root).name}")
        return 0
    try:
        if chosen.write is not None:
            print("\n".join(write(chosen.root, chosen.write, chosen.reason)) or "nothing new")
            return 0
    except (ValueError, TypeError, ArithmeticError) as error:
        print(error, file=sys.stderr)
        return 1
    count, faults = check_all(chosen.root)
    print("\n".join(faults) if faults else f"{count} goldens, each equal to its oracle")
    return 1 if faults else 0
