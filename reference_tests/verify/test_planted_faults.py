"""A classic mistake turns a golden red, by its number, and the right implementation stays green in its place."""

import json
from functools import lru_cache

import pytest

from keras_course import catalog
from keras_course.cli.main import main
from keras_course.core import resources
from keras_course.pipeline.verify import load_cases, verify
from reference_tests.verify.planted_faults import FAULTS


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_turns_a_golden_red_by_its_number(name):
    slug, faulty = FAULTS[name]
    calls = 0
    for golden in _small_first(slug.split(".")[0]):
        for record in verify([golden], modes=("eager",), dtypes=("float64",), use={slug: faulty}):
            if "does not call" in record.message:
                continue
            calls += 1
            if not record.passed and (record.error is not None or "NaN" in record.message or "shape" in record.message):
                return
    assert calls, f"no worked example of {slug} calls the part that the fault replaces"
    pytest.fail(f"{name}: {calls} cases ran, none turned red")


@lru_cache
def _small_first(entry):
    """The cases of one entry: a single red is enough, and whole networks, with images of this height, take longest."""

    def height(golden):
        found = golden["inputs"].get("height")
        return found if isinstance(found, int) else 0

    return sorted(load_cases(entry=entry), key=height)


def test_our_own_part_in_its_own_place_changes_nothing():
    for slug in ("convolution", "mlp", "information.entropy"):
        ours = catalog.resolve(slug.split(".")[0])
        for golden in load_cases(entry=slug.split(".")[0]):
            for record in verify([golden], modes=("eager",), dtypes=("float64",), use={slug: ours}):
                assert record.passed or "does not call" in record.message


MINE = """
from keras import layers, ops
from keras_course.layers.positional_encoding import PositionalEncoding

class Good(PositionalEncoding):
    pass

class Bad(layers.Layer):
    def __init__(self, base=10000.0, **kwargs):
        super().__init__(**kwargs)

    def call(self, inputs):
        return inputs + 1.0
"""


def test_the_command_checks_somebody_elses_class_and_exits_1_on_failure(tmp_path, monkeypatch, capsys):
    (tmp_path / "mycode_for_verify.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    arguments = ["verify", "--mode", "graph", "--dtype", "float64", "--json", "rows.json", "--html", "page.html"]
    assert main([*arguments, "--use", "positional-encoding=mycode_for_verify:Good"]) == 0
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["entry"] for row in rows} == {"positional-encoding"}
    assert all(row["verdict"] == "pass" for row in rows)
    capsys.readouterr()

    assert main([*arguments, "--use", "positional-encoding=mycode_for_verify:Bad"]) == 1
    captured = capsys.readouterr()
    assert "worst element" in captured.err
    assert "keras-course verify --case attention/positional-encoding-table --mode graph" in captured.err
    page = (tmp_path / "page.html").read_text()
    assert "1 failed" in page or "failed" in page
    assert "http://" not in page and "https://" not in page and "src=" not in page


def test_entries_and_cases_may_be_repeated(tmp_path):
    rows = tmp_path / "rows.json"
    words = ["verify", "--mode", "eager", "--dtype", "float64", "--json", str(rows)]
    assert main([*words, "--entry", "positional-encoding", "--entry", "vector-to-sequence"]) == 0
    found = {row["entry"] for row in json.loads(rows.read_text())}
    assert found == {"positional-encoding", "vector-to-sequence"}
    one, other = (load_cases(entry=slug)[0]["id"] for slug in sorted(found))
    assert [golden["id"] for golden in load_cases([one, other])] == [one, other]
    assert load_cases([one, other], ["positional-encoding"]) == load_cases(one)
    with pytest.raises(ValueError, match="answers to both"):
        load_cases(one, "vector-to-sequence")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--case", "attention/positional-encodin-table"], "Did you mean 'attention/positional-encoding-table'?"),
        (["--entry", "positional-encodin"], "Did you mean 'positional-encoding'?"),
        (["--use", "positional-encoding"], "SLUG=MODULE:NAME"),
        (["--use", "positional-encoding=nothing_here:X"], "nothing_here"),
        (["--device", "GPU:7", "--case", "attention"], "No such device"),
        (["--mode", "fast"], "invalid choice"),
        (["--json", "/nonexistent/rows.json", "--case", "attention"], "Cannot write"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(arguments, message, capsys):
    assert main(["verify", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_damaged_golden_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(resources, "golden_folder", lambda: tmp_path)
    (tmp_path / "attention").mkdir()
    (tmp_path / "attention/broken.json").write_text('{"id": "attention/broken"')
    assert main(["verify"]) == 2
    assert "broken.json cannot be trusted" in capsys.readouterr().err
