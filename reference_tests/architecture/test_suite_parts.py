"""The suite runs in parts; none may be forgotten, none run twice."""

import importlib
from collections import Counter


def test_every_folder_of_tests_is_in_one_part_and_the_examples_of_the_package_too(checkout):
    runner = importlib.import_module("reference_tests.__main__")
    named = Counter(path for part in runner.parts() for path in part)
    folders = {
        f"reference_tests/{path.relative_to(checkout / 'reference_tests').parts[0]}"
        for path in (checkout / "reference_tests").rglob("test_*.py")
    }
    assert named == Counter(dict.fromkeys(folders | {"keras_course"}, 1))


def test_a_failure_in_one_part_is_a_failure_of_all(monkeypatch):
    runner = importlib.import_module("reference_tests.__main__")
    codes = iter([0, 1, 0])
    calls = []

    class Done:
        def __init__(self, code):
            self.returncode = code

    def run(command, **_):
        calls.append(command)
        return Done(next(codes))

    monkeypatch.setattr(runner.subprocess, "run", run)
    assert runner.main(["-q"]) == 1 and len(calls) == 3 and all("-q" in command for command in calls)
    codes = iter([0])
    assert runner.main(["-q", "reference_tests/ops"]) == 0 and calls[-1][-1] == "reference_tests/ops"
