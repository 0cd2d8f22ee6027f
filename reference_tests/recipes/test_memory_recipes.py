"""Recipes of networks with a memory: judged on longer sequences and task by task, beside a network without."""

import dataclasses

import numpy as np
import pytest

from keras_course.datasets.question_tasks import TASKS
from keras_course.pipeline.fit import fit
from keras_course.recipes import bit_sequences, question_tasks


def without_xla(recipe):
    """The same recipe, compiled sooner."""
    return dataclasses.replace(recipe, compile=lambda spec: {**recipe.compile(spec), "jit_compile": False})


def test_the_machine_is_judged_on_lengths_it_never_saw_and_shows_where_it_points(tmp_path):
    recipe = without_xla(bit_sequences.neural_turing_machine())
    found = fit(recipe, out=tmp_path / "run", tiny=True, progress=False)
    assert {"bit_error", "bit_error_longer"} <= set(found.metrics["test"])
    assert set(found.baseline.metrics) == {"bit_error", "bit_error_longer"}
    assert found.baseline.name == "LSTM of 64 units"
    assert {path.stem for path in found.figures} == {"learning_curves", "addressing_over_time", "error_against_length"}
    longest = found.dataset.train.x.shape[1]
    x, y = bit_sequences.bit_sequences(0, "longer", 3, **bit_sequences.LONGER_COPY)
    assert x.shape[1] > 2 * longest and np.all((y != 2).any(-1).sum(1) >= 16)


@pytest.mark.parametrize("make", [bit_sequences.repeat_copy, bit_sequences.long_copy])
def test_other_settings_of_the_machine_are_recipes_too(make):
    recipe = make()
    assert recipe.slug == "neural-turing-machine" and set(recipe.ceiling) == {"bit_error", "bit_error_longer"}


def test_the_memory_network_is_judged_task_by_task_and_shows_what_it_listened_to(tmp_path, monkeypatch):
    monkeypatch.setattr(question_tasks, "STORIES", 20)
    monkeypatch.setattr(question_tasks, "MEASURED", 12)
    monkeypatch.setattr(question_tasks, "LSTM_EPOCHS", 1)
    found = fit(without_xla(question_tasks.memory_network()), out=tmp_path / "run", tiny=True, progress=False)
    names = {f"error of {task}" for task in TASKS}
    assert names <= set(found.metrics["test"]) and names | {"accuracy"} == set(found.baseline.metrics)
    mean = np.mean([found.metrics["test"][name] for name in names])
    assert mean == pytest.approx(1 - found.metrics["test"]["accuracy"], abs=1e-6)  # as many stories of each task
    assert {path.stem for path in found.figures} == {"learning_curves", "error_of_tasks", "attention_of_hops"}
