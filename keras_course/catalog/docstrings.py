"""Reads formula, example and signature of a system out of its source file, without importing it (and TensorFlow)."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import keras_course

_SECTION = re.compile(
    r"^(Args|Arguments|Returns|Yields|Raises|Example|Examples|Input shape|Output shape|Call arguments|Attributes|"
    r"References?|Source|Sources|Note|Notes):",
)


@dataclass(frozen=True)
class Described:
    """What a docstring says: first line, the text and equations below it, its example; and how the object is called."""

    summary: str = ""
    formula: str = ""
    example: str = ""
    signature: str = ""


def describe(reference: str) -> Described:
    """Describes the class or function that "module:Name" names.

    Args:
        reference: as in the catalogue.

    Returns:
        `Described`, empty where there is no such file or name. A docstring without an equation borrows the module's.
    """
    module, _, name = reference.partition(":")
    path = source_file(module)
    if path is None:
        return Described()
    tree = ast.parse(path.read_text("utf-8"))
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and n.name == name), None)
    if node is None:
        return Described()
    summary, body, sections = split_docstring(ast.get_docstring(node) or "")
    if "=" not in body:
        _, module_body, _ = split_docstring(ast.get_docstring(tree) or "")
        body = module_body if "=" in module_body else body or module_body
    example = sections.get("Example") or sections.get("Examples") or ""
    return Described(summary, body, example, signature_of(node, tree))


def source_file(module: str) -> Path | None:
    """The file of a module of this package, found by its name alone; importing it would load TensorFlow."""
    package = keras_course.__name__
    if module != package and not module.startswith(f"{package}."):
        return None
    stem = Path(keras_course.__file__).parent.joinpath(*module.split(".")[1:])
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


def split_docstring(text: str) -> tuple[str, str, dict[str, str]]:
    """A Google-style docstring's first line, the text up to the first section, and its sections.

    Example:
        >>> split_docstring("Adds.\\n\\n    c = a + b\\n\\nArgs:\\n    a: number.")
        ('Adds.', '    c = a + b', {'Args': 'a: number.'})
    """
    first, _, rest = text.partition("\n")
    body: list[str] = []
    sections: dict[str, list[str]] = {}
    lines = body
    for line in rest.splitlines():
        found = _SECTION.match(line)
        if found:
            lines = sections.setdefault(found[1], [])
            line = line[found.end() :].strip()
        lines.append(line)
    trimmed = "\n".join(body).strip("\n").rstrip()
    return first.strip(), trimmed, {name: _trim(entry) for name, entry in sections.items()}


def _trim(lines: list[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n").rstrip()


def signature_of(node: ast.ClassDef | ast.FunctionDef, module: ast.Module) -> str:
    """How a function, or a class through its own or an inherited `__init__` (of the same module), is called."""
    function = node if isinstance(node, ast.FunctionDef) else _constructor(node, module)
    if function is None:
        return f"{node.name}(...)"
    # Unparsed and parsed again: a copy, so that taking the annotations off leaves the module's tree alone.
    copy = ast.parse(f"def f({ast.unparse(function.args)}): ...").body[0]
    arguments = copy.args if isinstance(copy, ast.FunctionDef) else function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    for argument in named:
        if argument is not None:
            argument.annotation = None
    if isinstance(node, ast.ClassDef) and arguments.args:
        arguments.args.pop(0)  # self
    return f"{node.name}({ast.unparse(arguments)})"


def _constructor(node: ast.ClassDef, module: ast.Module) -> ast.FunctionDef | None:
    own = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    if own is not None:
        return own
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    inherited = (n for n in module.body if isinstance(n, ast.ClassDef) and n.name in bases and n is not node)
    return next((found for base in inherited if (found := _constructor(base, module)) is not None), None)
