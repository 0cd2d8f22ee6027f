"""The recipes on ensembles and adversarial training run, and show what they claim."""

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.pipeline.batches import TrainingBatches
from keras_course.pipeline.fit import fit
from keras_course.recipes import adversarial, ensembles


@pytest.mark.parametrize("recipe", [ensembles.boosting, adversarial.adversarial_training])
def test_a_tiny_run_writes_figures_export_and_metrics(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "STUMPS", 4)
    monkeypatch.setattr(adversarial.plain_twin, "__defaults__", (2,))  # epochs of the baseline
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert all(np.isfinite(value) for value in fitted.metrics["test"].values())
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])
    assert (fitted.export / "saved_model.pb").is_file()


def test_bagging_trains_on_the_counts_its_model_would_draw(tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "NETWORKS", 2)
    monkeypatch.setattr(ensembles, "EPOCHS", 1)
    fitted = fit(ensembles.bagging(), out=tmp_path / "run", tiny=True, progress=False)
    counts = fitted.recipe.sample_weight(fitted.dataset, 0)
    assert np.array_equal(counts, fitted.model.bootstrap(len(fitted.dataset.train)))
    assert len(fitted.figures) == 4
    assert 0 <= fitted.model.out_of_bag_error(fitted.dataset.train.x, fitted.dataset.train.y) <= 1


def test_one_training_label_in_five_is_wrong_and_no_other():
    digits = load("digits-flat")
    changed = ensembles.mislabelled(digits)
    share = np.mean(changed.train.y != digits.train.y)
    assert share == pytest.approx(0.2, abs=0.04)
    assert set(np.unique(changed.train.y)) == set(range(10))
    assert np.array_equal(changed.test.y, digits.test.y) and np.array_equal(changed.train.x, digits.train.x)


@pytest.mark.parametrize("seed", [0, 1])
def test_digits_trained_on_the_mixture_withstand_more_than_the_plain_twin(seed):
    data, recipe = load("digits-flat", seed=seed), adversarial.adversarial_training()
    mixed = recipe.model(data.spec, seed)
    mixed.compile(**recipe.compile(data.spec))
    mixed.fit(data.train.x, data.train.y, batch_size=adversarial.BATCH, epochs=8, verbose=0)
    plain = adversarial.plain_twin(data, seed, epochs=8)
    x, y = data.validation.x, data.validation.y
    (clean, robust), (twin_clean, twin_robust) = (
        model.accuracy_under_attack(x, y, [0.0, adversarial.EPSILON]) for model in (mixed, plain)
    )
    assert robust > twin_robust + 0.1
    assert clean > twin_clean - 0.06


def test_weights_follow_their_examples_into_every_batch():
    digits = load("digits-flat")
    weights = np.stack([np.arange(len(digits.train)), digits.train.y], axis=1)
    batches = TrainingBatches(digits.train, 100, 0, weights=weights)
    for x, y, weight in batches.dataset():
        rows = weight.numpy()[:, 0]
        assert np.array_equal(weight.numpy()[:, 1], y) and np.array_equal(x, digits.train.x[rows])
    with pytest.raises(ValueError, match="Received: 3 weights"):
        TrainingBatches(digits.train, 100, 0, weights=weights[:3])
