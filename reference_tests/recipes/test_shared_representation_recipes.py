"""The recipes that share a representation run, and their data and twins are what they say."""

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.datasets.few_labels import labelled_rows, partly_labelled_rows
from keras_course.pipeline.fit import fit
from keras_course.recipes import shared_representations as recipes


@pytest.mark.parametrize("name", ["semi_supervised", "multi_task", "transfer"])
def test_a_tiny_run_writes_figures_export_and_metrics(name, tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "_measured", lambda *args: {"loss": 1.0})
    if name == "transfer":
        monkeypatch.setattr(recipes, "trunk_of_known_digits", lambda seed: (8,))
    fitted = fit(getattr(recipes, name)(), out=tmp_path / "run", tiny=True, progress=False)
    assert all(np.isfinite(value) for value in fitted.metrics["test"].values())
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert set(fitted.recipe.floor) <= set(fitted.metrics["test"])
    assert (fitted.export / "saved_model.pb").is_file()


def test_the_first_rows_of_each_class_keep_their_labels():
    y = load("digits-flat", seed=1).train.y
    kept = labelled_rows(y, 50)
    assert np.all(np.bincount(y[kept]) == 5) and kept.sum() == 50
    assert all(np.flatnonzero(y == k)[4] == np.flatnonzero(kept & (y == k))[-1] for k in range(10))
    for labels in (0, 15):
        with pytest.raises(ValueError, match=f"labels={labels}"):
            labelled_rows(y, labels)


def test_no_row_is_labelled_and_unlabelled_and_a_third_is_labelled():
    digits = load("digits-flat", seed=1).train
    for labels in (10, 100):
        x, y = partly_labelled_rows(digits.x, digits.y, labels)
        assert abs(np.mean(y >= 0) - 1 / 3) < 0.05
        assert len(np.unique(x[y >= 0], axis=0)) == labels and np.sum(y < 0) == len(digits) - labels


def test_the_twins_have_the_weights_of_the_models_and_no_use_for_what_is_left_out(monkeypatch):
    seen = {}
    monkeypatch.setattr(recipes, "_measured", lambda recipe, model, *rest: seen.update({recipe.slug: model}) or {})
    data = recipes.three_tasks(0)
    recipes.supervised_alone(recipes.partly_labelled(0), 3)
    recipes.single_task(data, 3)
    ours = recipes.shared_encoder(64, 3), recipes.one_trunk(64, 3)
    for model, slug in zip(ours, ("semi-supervised", "multi-task"), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), seen[slug].get_weights(), strict=True))
    assert seen["semi-supervised"].weight == 0 and seen["multi-task"].weight_of["loop"] == 0


def test_three_tasks_are_what_the_digits_look_like():
    tasks, digits = recipes.three_tasks(1), load("digits-flat", seed=1)
    assert np.array_equal(tasks.test.y[:, 1], digits.test.y % 2)
    assert set(digits.test.y[tasks.test.y[:, 2] == 1]) == {0, 6, 8, 9}
    assert np.sum(tasks.train.y[:, 0] >= 0) == 50 and np.all(tasks.train.y[:, 1:] >= 0)


def test_the_new_scanner_shares_no_digit_with_the_old_one():
    new, digits = recipes.few_of_a_new_scanner(1), load("digits-flat", seed=1)
    assert np.all(np.bincount(new.train.y) == 2)
    images = digits.train.x[recipes.SOURCE :].reshape(-1, 8, 8)
    seen = (0.35 * (images + np.roll(images, 1, axis=2))).reshape(-1, 64)
    assert all(np.any(np.all(row == seen, axis=1)) for row in new.train.x)
