"""One golden on disk: read it with its decimals as typed, lay it out so that people can read it, hash it."""

import hashlib
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "goldens"
MANIFEST = "manifest.json"
FIELDS = tuple("id entry example title source kind inputs expected printed erratum tolerance history".split())
WIDTH = 110


class Typed(float):
    """A float that remembers how it was written: 0.10 stays 0.10."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number


def _refuse(constant):
    raise ValueError(f"a golden holds finite numbers. Received: {constant}")


def _pairs(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a key stands twice. Received: {keys}")
    return dict(pairs)


def read(path):
    """The golden as a dict; floats are Typed, ints stay ints."""
    text = Path(path).read_text(encoding="utf-8")
    return json.loads(text, parse_float=Typed, parse_constant=_refuse, object_pairs_hook=_pairs)


def plain(value):
    """Typed floats as Python floats, for the oracles."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, float) else value


def _scalar(value):
    if isinstance(value, Typed):
        return value.text
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _inline(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return _scalar(value)


def _layout(value, indent, room):
    """On one line where it fits, else one item a line; lists of scalars are filled."""
    line = _inline(value)
    if len(line) <= room or not isinstance(value, dict | list):
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        items = [
            f"{_scalar(key)}: " + _layout(item, indent + 1, WIDTH - indent - len(key) - 5)
            for key, item in value.items()
        ]
        return "{\n" + ",\n".join(inner + item for item in items) + "\n" + " " * indent + "}"
    if any(isinstance(item, dict | list) for item in value):
        items = [_layout(item, indent + 1, WIDTH - indent - 2) for item in value]
        return "[\n" + ",\n".join(inner + item for item in items) + "\n" + " " * indent + "]"
    lines, row = [], ""
    for item in value:
        piece = _scalar(item) + ", "
        if row and len(row) + len(piece) > WIDTH - indent:
            lines.append(row.rstrip())
            row = ""
        row += piece
    lines.append(row.rstrip(", "))
    return "[\n" + "\n".join(inner + row for row in lines) + "\n" + " " * indent + "]"


def in_order(golden):
    """The same golden with its fields in the order of FIELDS, unknown ones last."""
    fields = [key for key in FIELDS if key in golden] + [key for key in golden if key not in FIELDS]
    return {key: golden[key] for key in fields}


def render(golden):
    """The file's text: fields in their order, a field a line."""
    lines = [f"{_scalar(key)}: " + _layout(item, 1, WIDTH - len(key) - 6) for key, item in in_order(golden).items()]
    return "{\n" + ",\n".join(" " + line for line in lines) + "\n}\n"


def paths(root=FOLDER):
    """All golden files below root, sorted: <topic>/<case>.json."""
    return sorted(Path(root).glob("*/*.json"))


def identity(path, root=FOLDER):
    """topic/case, from where the file lies."""
    return Path(path).relative_to(root).with_suffix("").as_posix()


def pin(path):
    """What the manifest keeps of a file: its hash, the hash of its expected values, and how many reasons it lists."""
    golden = read(path)
    expected = json.dumps(plain(golden.get("expected")), sort_keys=True)
    return {
        "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "expected": hashlib.sha256(expected.encode()).hexdigest(),
        "history": len(golden.get("history", [])),
    }


def read_manifest(root=FOLDER):
    """{id: pin}; empty when there is none yet."""
    path = Path(root) / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_manifest(manifest, root=FOLDER):
    """One id a line, sorted, so that two changes rarely conflict."""
    lines = [f" {json.dumps(key)}: {json.dumps(manifest[key])}" for key in sorted(manifest)]
    (Path(root) / MANIFEST).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
