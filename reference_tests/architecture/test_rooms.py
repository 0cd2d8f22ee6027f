"""Files are short, names say something, the closed list is closed, the package list is complete."""

import ast
import configparser
import re
import subprocess

import pytest

CORE = {
    "__init__", "array_batches", "backend", "errors", "loops", "model", "registered_names", "resources", "seeds",
    "serial", "shapes", "tracking",
}  # fmt: skip
EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)(_|$)")


def tracked(checkout, *patterns):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=checkout, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout: the list of files is git's")
    files = [checkout / name for name in listed.stdout.splitlines() if (checkout / name).is_file()]
    environments = {path.parent for path in checkout.glob("*/pyvenv.cfg")}  # not ours, and git need not ignore them
    return [path for path in files if environments.isdisjoint(path.parents)]


def test_a_virtual_environment_in_the_checkout_is_not_read(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("ours/a.py", "environment/pyvenv.cfg", "environment/lib/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    assert tracked(tmp_path, "*.py") == [tmp_path / "ours/a.py"]


def test_no_python_file_is_longer_than_400_lines(checkout):
    long = {
        str(path.relative_to(checkout)): count for path in tracked(checkout, "*.py") if (count := _lines(path)) > 400
    }
    assert not long


def _lines(path):
    return len(path.read_text("utf-8").splitlines())


def test_no_module_has_a_name_that_says_nothing(checkout):
    found = [str(path) for path in tracked(checkout, "*.py") if EMPTY_NAMES.search(path.stem)]
    assert not found


def test_core_is_a_closed_list(checkout):
    assert {path.stem for path in (checkout / "keras_course/core").glob("*.py")} == CORE


def test_setup_cfg_lists_every_package(checkout):
    config = configparser.ConfigParser()
    config.read(checkout / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(checkout).parts) for path in (checkout / "keras_course").rglob("__init__.py")
    }
    assert listed == found | {"keras_course.data", "keras_course.goldens"}


def test_the_package_never_asserts_evaluates_text_or_loads_unsafely(checkout):
    banned_calls = {"eval", "exec"}
    found = []
    for path in (checkout / "keras_course").rglob("*.py"):
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Assert):
                found.append(f"{path.name}:{node.lineno} assert")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in banned_calls:
                found.append(f"{path.name}:{node.lineno} {node.func.id}")
            if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
                if (node.arg, node.value.value) in {("allow_pickle", True), ("safe_mode", False), ("shell", True)}:
                    found.append(f"{path.name}:{node.value.lineno} {node.arg}={node.value.value}")
        found += [f"{path.name}: {word}" for word in ("TODO", "FIXME", "raise NotImplementedError") if word in source]
    assert not found


def test_nothing_names_a_path_of_somebodys_machine(checkout):
    pattern = re.compile(r"/(home|root|Users)/\w|[.]pyenv")
    here = "reference_tests/architecture/test_rooms.py"
    found = [
        str(path.relative_to(checkout))
        for path in tracked(checkout, "*.py", "*.md", "*.cfg", "*.ini", "*.toml", "*.yaml", "*.json")
        if pattern.search(path.read_text("utf-8")) and str(path.relative_to(checkout)) != here
    ]
    assert not found


def test_test_names_are_sentences(checkout):
    short = []
    for path in (checkout / "reference_tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:  # a model's test_step is no test
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.name.count("_") < 3:
                short.append(f"{path.name}: {node.name}")
    assert not short, "a test's name says what holds, in at least three words"
