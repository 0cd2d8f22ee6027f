"""Imports go strictly down; models' topics do not know each other; portable parts know no TensorFlow."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "keras_course"

RANKS = (
    {"cli"},
    {"worked_examples"},  # they may show an experiment
    {"testing", "recipes", "experiments"},
    {"models", "inference", "structured"},
    {"distributions", "layers", "losses", "metrics", "optimizers", "callbacks"},
    {"initializers", "regularizers", "pipeline"},
    {"ops", "datasets", "catalog"},
    {"core"},
)
RANK = {folder: len(RANKS) - level for level, folders in enumerate(RANKS) for folder in folders}
PORTABLE = ("ops", "layers", "losses", "metrics", "initializers", "regularizers")

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imported_modules(path: Path) -> set[str]:
    """Everything a file imports, at its top or inside functions; imports for type checkers alone do not count."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def folder_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "keras_course" and len(parts) > 1 and parts[1] in RANK else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_strictly_down(path):
    own = path.relative_to(PACKAGE).parts[0]
    assert own in RANK, f"keras_course/{own} has no rank: add it to DESIGN's list and to RANKS"
    upward = {
        module
        for module in imported_modules(path)
        if (folder := folder_of(module)) and folder != own and RANK[folder] >= RANK[own]
    }
    assert not upward, f"{path.relative_to(PACKAGE)} imports upward or sideways: {sorted(upward)}"


def test_topics_of_models_do_not_import_each_other():
    topics = {path.name for path in (PACKAGE / "models").iterdir() if path.is_dir()}
    crossings = []
    for path in MODULES:
        parts = path.relative_to(PACKAGE).parts
        if parts[0] != "models" or len(parts) < 3:
            continue
        for module in imported_modules(path):
            other = module.split(".")
            if other[:2] == ["keras_course", "models"] and len(other) > 2 and other[2] in topics - {parts[1]}:
                crossings.append(f"{'/'.join(parts)} imports {module}")
    shared = [path for path in MODULES if path.parent == PACKAGE / "models" and path.name != "__init__.py"]
    crossings += [
        f"{path.name}, which topics share, imports {module}"
        for path in shared
        for module in imported_modules(path)
        if module.startswith("keras_course.models.")
    ]
    assert not crossings


@pytest.mark.parametrize("folder", PORTABLE)
def test_portable_parts_use_keras_ops_alone(folder):
    banned = ("tensorflow", "tensorflow_probability", "tf_keras", "jax", "torch")
    found = [
        f"{path.relative_to(PACKAGE)}: {module}"
        for path in (PACKAGE / folder).rglob("*.py")
        for module in imported_modules(path)
        if module.split(".")[0] in banned
    ]
    assert not found


def test_nothing_uses_the_keras_2_parts_of_tfp():
    banned = ("tfp.layers", "AutoregressiveNetwork", "import tf_keras", "from tf_keras")
    near = [path for path in MODULES if re.search("tfp|AutoregressiveNetwork|tf_keras", path.read_text("utf-8"))]
    found = [f"{path.name}: {word}" for path in near for code in [_code(path)] for word in banned if word in code]
    assert not found


def _code(path: Path) -> str:
    """Source without docstrings and comments, so that a warning against a thing is not the thing."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0] = ast.Pass()
    return ast.unparse(tree)
