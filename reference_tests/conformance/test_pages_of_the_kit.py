"""docs/CONFORMANCE.md: its examples run and pass, and it names every check_... of the kit."""

import re

import pytest

from keras_course import testing

PAGE = "docs/CONFORMANCE.md"


@pytest.fixture(scope="module")
def text(checkout):
    return (checkout / PAGE).read_text("utf-8")


def test_every_example_of_the_page_runs_and_passes(text, capsys):
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, PAGE, "exec"), {"__name__": "example"})
    assert " 0 failed" in capsys.readouterr().out


def test_the_page_names_every_check_function(text):
    assert all(f"`{name}`" in text for name in testing.__all__ if name.startswith("check_"))
