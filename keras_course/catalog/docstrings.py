"""Reads docstrings and signatures from source text, importing nothing, so that `show` answers at once.

The formula of a system is the first block of its docstring that is indented below the summary line (or, where a
class states none, of its module's docstring).
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

Node = ast.ClassDef | ast.FunctionDef


def _module(reference: str) -> ast.Module:
    parts = reference.split(":")[0].split(".")[1:]
    path = _ROOT.joinpath(*parts).with_suffix(".py")
    if not path.is_file():
        path = _ROOT.joinpath(*parts, "__init__.py")
    return ast.parse(path.read_text("utf-8"))


def _node(reference: str) -> Node | None:
    name = reference.split(":")[1]
    for node in _module(reference).body:
        if isinstance(node, Node) and node.name == name:
            return node
    return None


def docstring_of(reference: str) -> str:
    """The cleaned docstring of a "module:Name" of this package, or ""."""
    node = _node(reference)
    return inspect.cleandoc(ast.get_docstring(node) or "") if node else ""


def formula_of(reference: str) -> str:
    """The formula of a "module:Name" of this package, or "" where its docstrings state none."""
    module_doc = inspect.cleandoc(ast.get_docstring(_module(reference)) or "")
    return _first_indented_block(docstring_of(reference)) or _first_indented_block(module_doc)


def signature_of(reference: str) -> str:
    """`Name(arguments)` as written in the source; for a class, its `__init__` without self."""
    node = _node(reference)
    if node is None:
        return reference.split(":")[1]
    if isinstance(node, ast.ClassDef):
        inits = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
        if not inits:
            return f"{node.name}()"
        arguments = ast.unparse(inits[0].args)
        return f"{node.name}({arguments.removeprefix('self').removeprefix(', ')})"
    return f"{node.name}({ast.unparse(node.args)})"


def _first_indented_block(text: str) -> str:
    block: list[str] = []
    for line in text.splitlines()[1:]:
        if line.rstrip().endswith(":") and not line.startswith(" ") and line.split(":")[0] in _SECTIONS:
            break
        if line.startswith((" ", "\t")):
            block.append(line)
        elif block and line.strip():
            break
        elif block:
            block.append("")
    return inspect.cleandoc("\n".join(block)) if block else ""


_SECTIONS = frozenset({"Args", "Returns", "Raises", "Example", "Examples", "Input shape", "Output shape", "Source"})
