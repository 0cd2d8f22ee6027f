"""Every golden is green as it stands, and every golden can turn red."""

import copy

import numpy as np
import pytest

from keras_course.core.backend import is_arithmetic
from keras_course.pipeline.verify import example_of, load_cases, verify

GOLDENS = load_cases()


def case_id(golden):
    return golden["id"]


@pytest.mark.parametrize("golden", GOLDENS, ids=case_id)
def test_a_golden_holds_in_every_mode_and_dtype(golden):
    records = list(verify([golden]))
    failed = [f"{record.mode} {record.dtype}: {record.message}" for record in records if not record.passed]
    assert not failed
    assert len(records) == (2 if is_arithmetic(example_of(golden)) else 6)


@pytest.mark.parametrize("golden", GOLDENS, ids=case_id)
def test_a_golden_turns_red_when_an_input_changes(golden):
    tried = []
    for name, value in golden["inputs"].items():
        for changed in perturbed(value):
            wrong = {**copy.deepcopy(golden), "inputs": {**golden["inputs"], name: changed}}
            record = next(iter(verify([wrong], modes=("eager",), dtypes=("float32",))))
            if not record.passed and (record.error is not None or "shape" in record.message):
                return
            tried.append(f"{name}: {record.verdict} {record.message}")
    pytest.fail(f"no change of an input was noticed: {tried}")


def perturbed(value):
    """Wrong values of the same kind: moved, mirrored, turned round."""
    if isinstance(value, bool) or value is None or isinstance(value, str | dict):
        return
    if isinstance(value, int):
        yield value + 1
    elif isinstance(value, float):
        yield 0.75 * value + 0.125
    elif isinstance(value, list) and value:
        array = np.asarray(value)
        if array.dtype.kind == "f":
            yield (0.75 * array + 0.125).tolist()
            yield (-array).tolist()
            yield (0.75 * array + 0.25 / array.shape[-1]).tolist()  # rows of probabilities stay such rows
        elif array.dtype.kind in "iu":
            yield array[::-1].tolist()
            yield (-array).tolist()
            yield (array + 1).tolist()
        elif array.dtype.kind == "U":
            yield array[::-1].tolist()


def test_the_json_rows_have_exactly_the_published_columns():
    record = next(iter(verify(GOLDENS[:1], modes=("eager",), dtypes=("float64",))))
    assert list(record.row()) == [
        "case", "entry", "source", "kind", "backend", "device", "mode", "dtype", "error", "budget", "ratio", "verdict",
    ]  # fmt: skip


def test_there_are_at_least_60_goldens_and_the_named_ones_are_among_them():
    assert len(GOLDENS) >= 60
    texts = " ".join(f"{golden['id']} {golden['title']}" for golden in GOLDENS).lower()
    for word in ("xor", "theta", "convol", "cross", "positional", "backprop", "entropy", "vote"):
        assert word in texts
