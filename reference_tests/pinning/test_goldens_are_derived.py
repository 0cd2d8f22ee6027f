"""The goldens equal their oracles, and the tool that says so notices every way of breaking that."""

import json
import math
import shutil
from collections import Counter
from fractions import Fraction

import pytest

from reference_tests.pinning.checking import as_printed, check_all, compare, import_faults
from reference_tests.pinning.command import main
from reference_tests.pinning.errata import PAGE, errata_page
from reference_tests.pinning.golden_file import FOLDER, Typed, paths, plain, read, read_manifest, render, write_manifest

FOUNDATIONS_AND_FRIENDS = """
    perceptron calculus linear-regression logistic-regression softmax-regression mlp backprop activations logistic-loss
    softmax-loss half-squared-loss top-k-ranking-loss preference-loss information bayes-optimal distribution-output
    convolution pooling lenet positional-encoding
""".split()


@pytest.fixture
def one_golden(tmp_path):
    """A folder of goldens with one case in it, and the path of that case."""
    name = "foundations/cost-of-theta"
    path = tmp_path / f"{name}.json"
    path.parent.mkdir()
    shutil.copy(FOLDER / f"{name}.json", path)
    write_manifest({name: read_manifest(FOLDER)[name]}, tmp_path)
    return path


def rewrite(path, **changes):
    """The same golden with some fields replaced, and no word to the manifest."""
    path.write_text(render({**read(path), **changes}), encoding="utf-8")


def without_erratum(path):
    golden = read(path)
    golden.pop("erratum")
    path.write_text(render(golden), encoding="utf-8")


def faults_of(path):
    return check_all(path.parent.parent)[1]


def test_every_golden_equals_its_oracle():
    count, faults = check_all()
    assert not faults, "\n".join(faults)
    assert count >= 75


def test_every_system_has_two_goldens():
    counts = Counter(read(path)["entry"] for path in paths())
    assert {slug: counts[slug] for slug in FOUNDATIONS_AND_FRIENDS if counts[slug] < 2} == {}


def test_a_fresh_copy_is_clean(one_golden):
    assert faults_of(one_golden) == []


def test_a_changed_expected_value_is_caught(one_golden):
    rewrite(one_golden, expected={"cost": [0.0, 0.5833333333333334, 2.3333333333333335, 5.250001]})
    assert any("expected.cost[3] is 5.250001, the oracle gives 5.25" in fault for fault in faults_of(one_golden))


def test_an_expected_int_is_not_a_float(one_golden):
    rewrite(one_golden, expected={"cost": [0, 0.5833333333333334, 2.3333333333333335, 5.25]})
    assert any("expected.cost[0] is 0, the oracle gives 0.0" in fault for fault in faults_of(one_golden))


def test_a_printed_number_that_is_not_the_rounded_value_needs_an_erratum(one_golden):
    without_erratum(one_golden)
    assert any("printed cost[1] is 0.67" in fault and "erratum" in fault for fault in faults_of(one_golden))


def test_a_change_without_a_line_of_history_is_caught(one_golden):
    rewrite(one_golden, inputs={**plain(read(one_golden)["inputs"]), "theta": [2.0]}, expected={"cost": [7 / 3]})
    assert any("without a new line in history" in fault for fault in faults_of(one_golden))


@pytest.mark.parametrize("history", [[], ["first pinned"], ["2026-12-01: later", "2026-11-21: first pinned"]])
def test_a_history_that_tells_nothing_is_caught(one_golden, history):
    rewrite(one_golden, history=history)
    assert any("history" in fault for fault in faults_of(one_golden))


def test_an_edited_title_is_caught_by_the_manifest(one_golden):
    rewrite(one_golden, title="Something else")
    assert faults_of(one_golden) == ["foundations/cost-of-theta: the file differs from manifest.json: use --write ID"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "foundations/other"),
        ("kind", "guessed"),
        ("tolerance", "1e-6"),
        ("tolerance", "steps:0"),
        ("source", "Cappi 2.3"),
        ("title", " "),
        ("mood", "good"),
        ("erratum", {"what": "0.67"}),
        ("example", "no_such_function"),
        ("inputs", {"theta": [1.0]}),
    ],
)
def test_a_malformed_field_is_caught(one_golden, field, value):
    rewrite(one_golden, **{field: value})
    assert len(faults_of(one_golden)) > 1


def test_not_a_number_and_doubled_keys_are_refused(one_golden):
    text = one_golden.read_text(encoding="utf-8")
    one_golden.write_text(text.replace("5.25]}", "NaN]}"), encoding="utf-8")
    assert any("finite" in fault for fault in faults_of(one_golden))
    one_golden.write_text(text.replace('"title"', '"id"'), encoding="utf-8")
    assert any("twice" in fault for fault in faults_of(one_golden))


def test_a_lost_file_is_missed(one_golden):
    one_golden.unlink()
    assert faults_of(one_golden) == ["foundations/cost-of-theta: in manifest.json, but the file is gone"]


def test_writing_a_change_needs_a_reason_and_notes_it(one_golden, capsys):
    root, name = str(one_golden.parent.parent), "foundations/cost-of-theta"
    golden = read(one_golden)
    golden["inputs"]["theta"] = [0.25]
    golden.pop("printed"), golden.pop("erratum")
    golden["kind"] = "derived"
    one_golden.write_text(render(golden), encoding="utf-8")
    assert main(["--write", name, "--root", root]) == 1
    assert "--reason" in capsys.readouterr().err
    assert main(["--write", name, "--root", root, "--reason", "another angle"]) == 0
    assert read(one_golden)["expected"] == {"cost": [1.3125]}
    assert read(one_golden)["history"][-1].endswith(": another angle")
    assert main(["--check", "--root", root]) == 0


def test_writing_without_an_id_pins_new_files_only(one_golden, capsys):
    root = one_golden.parent.parent
    rewrite(one_golden, expected={"cost": [9.0]})
    new = read(FOLDER / "foundations" / "theta-of-minimum-cost.json")
    new.pop("expected"), new.pop("history")
    (one_golden.parent / "theta-of-minimum-cost.json").write_text(render(new), encoding="utf-8")
    assert main(["--write", "--root", str(root)]) == 0
    assert capsys.readouterr().out == "foundations/theta-of-minimum-cost: pinned\n"
    assert read(one_golden)["expected"] == {"cost": [9.0]}
    assert main(["--check", "--root", str(root)]) == 1


def test_decimals_stay_as_they_were_typed():
    path = FOLDER / "attention" / "positional-encoding-table.json"
    text = path.read_text(encoding="utf-8")
    assert "0.10" in text
    assert render(read(path)) == text


def test_every_file_is_laid_out_by_the_writer():
    assert [path.name for path in paths() if render(read(path)) != path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("typed", "value", "same"),
    [
        (Typed("0.67"), 7 / 12, False),
        (Typed("2.33"), 7 / 3, True),
        (Typed("0.10"), 0.0998334, True),
        (Typed("0.5"), 0.25, False),
        (Typed("0.2"), 0.25, True),
        (Typed("0.3"), 0.25, True),
        (1, 0.9950042, True),
        (12, 12.0, True),
        (150528, 22658678784, False),
        (None, 3.0, True),
        ("+", "+", True),
        (True, False, False),
    ],
)
def test_printed_means_rounded_to_the_printed_digits(typed, value, same):
    assert as_printed(typed, value) is same


def test_comparison_sees_a_difference_of_one_part_in_a_million_millions():
    assert compare([1.0, 2.0], [1.0, 2.0]) == []
    assert compare([1.0], [1.0 + 1e-12]) and compare([1.0], [1.0, 2.0]) and compare({"a": 1}, {"b": 1})


def test_oracles_import_neither_tensorflow_nor_the_library(tmp_path):
    assert import_faults(FOLDER.parent / "oracles") == []
    (tmp_path / "bad.py").write_text("import tensorflow as tf\nfrom keras_course.ops import regression\n")
    assert len(import_faults(tmp_path)) == 2


def test_the_errata_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == errata_page(), "run python -m reference_tests.goldens --errata"


def printed(name):
    golden = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return golden["inputs"], golden["printed"]


def test_wrong_formulas_of_regression_give_the_values_called_printed():
    given, shown = printed("foundations/cost-square-of-sum")
    total = sum(given["theta"][0] * x - y for x, y in zip(given["x"], given["y"], strict=True))
    assert shown["cost"] == [total**2 / (2 * 3)]
    given, shown = printed("foundations/gradient-of-squared-error")
    rows, targets, weights = given["x"], given["t"], given["w"]
    errors = [t - sum(a * b for a, b in zip(weights, row, strict=True)) for row, t in zip(rows, targets, strict=True)]
    slopes = [sum(e * row[i] for e, row in zip(errors, rows, strict=True)) / 3 for i in range(2)]
    assert shown["gradient"] == pytest.approx(slopes, abs=5e-5)
    given, shown = printed("foundations/ridge-diagonal")
    assert shown["variances"] == [sum(row[i] ** 2 for row in given["X"]) for i in range(2)]
    given, shown = printed("foundations/l1-penalty-step")
    assert shown["change"] == [-math.copysign(given["alpha"], w) for w in given["w"]]
    given, shown = printed("foundations/likelihood-of-a-coin")
    assert shown["theta_ml"] == pytest.approx([math.log(0.7)], abs=5e-6)


def test_wrong_formulas_of_units_and_losses_give_the_values_called_printed():
    given, shown = printed("foundations/softplus")
    assert shown["value"] == pytest.approx([math.log(1 - math.exp(x)) for x in given["x"]], abs=5e-7)
    given, shown = printed("foundations/softmax-loss-sign")
    row = given["z"][0]
    assert shown["loss"] == pytest.approx([row[2] - math.log(sum(map(math.exp, row)))], abs=5e-7)
    given, shown = printed("foundations/square-by-five-knots")
    assert shown["output"] == pytest.approx([x[0] ** 2 for x in given["X"]], abs=5e-5)
    given, shown = printed("foundations/relu-unit")
    for row, values in zip(given["x"], shown["net"], strict=True):
        nets = [sum(x * line[u] for x, line in zip(row, given["W"], strict=True)) + given["b"][u] for u in range(3)]
        assert values == pytest.approx([1 / (1 + math.exp(-z)) for z in nets], abs=5e-7)
    given, shown = printed("foundations/layer-gradients")
    nets = [sum(w * x for w, x in zip(row, given["x"], strict=True)) for row in given["W"]]
    slopes = [math.exp(-z) / (1 + math.exp(-z)) ** 2 for z in nets]
    wrong = [[slopes[i] * given["W"][j][i] for j in range(2)] for i in range(2)]
    for values, expected in zip(shown["jacobian"], wrong, strict=True):
        assert values == pytest.approx(expected, abs=5e-7)


def test_wrong_bound_and_condition_number_give_the_values_called_printed():
    given, shown = printed("foundations/perceptron-mistake-bound-scaled")
    nets = [t * (given["b"] + sum(a * b for a, b in zip(given["w"], x, strict=True)))
            for x, t in zip(given["x"], given["t"], strict=True)]  # fmt: skip
    radius = max(1 + sum(value**2 for value in x) for x in given["x"])
    assert shown["bound"] == [float(Fraction(radius) / Fraction(min(nets)) ** 2)]
    given, shown = printed("foundations/condition-number-indefinite")
    (a, b), (_, d) = given["H"]
    root = math.sqrt((a - d) ** 2 / 4 + b**2)
    assert shown["condition_number"] == [((a + d) / 2 + root) / ((a + d) / 2 - root)]


def test_ridge_as_printed_is_the_value_of_the_printed_form():
    _, shown = printed("foundations/ridge-4x2")
    form = read(FOLDER / "foundations" / "ridge-4x2-printed-form.json")
    assert shown["w"] == pytest.approx(plain(form["expected"])["w"], abs=5e-6)
