"""Recipes of reservoir computing: baselines by another route, and a tiny run of each with all its figures."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.reservoirs import (
    chaos_ahead,
    delays_regression,
    digits_in_spikes,
    echo_state_network,
    liquid_state_machine,
    spikes_without_a_liquid,
)


def test_the_baseline_on_delays_is_scikit_learn_s_and_the_ceiling_half_of_it():
    data = datasets.load("narma-10", seed=0)

    def rows(split):
        seen = [split.x[:, 100 - k : 600 - k, 0].reshape(-1) for k in range(30)]
        return np.stack(seen, axis=1).astype("float64"), split.y[:, 100:].reshape(-1)

    (x, y), (test, true) = rows(data.train), rows(data.test)
    error = true - LinearRegression().fit(x, y).predict(test)
    found = delays_regression(data, 0).metrics["nrmse"]
    assert found == pytest.approx(np.sqrt((error**2).mean() / true.var()), rel=1e-4)
    assert echo_state_network().ceiling["nrmse"] < found / 2


def test_chaos_shall_be_foretold_below_a_third_of_the_error_of_delays():
    recipe, data = chaos_ahead(), datasets.load("mackey-glass", seed=0)
    assert recipe.ceiling["nrmse"] < delays_regression(data, 0).metrics["nrmse"] / 3
    assert recipe.model(data.spec, 0).reservoir.cell.leak == 0.4


def test_digits_become_spikes_row_by_row_and_the_floor_lies_above_the_channels_alone():
    images = datasets.load("digits", seed=0)
    data = digits_in_spikes(images)
    assert data.train.x.shape == (4 * 1258, 80, 8) and data.spec.shape == (80, 8)
    counts = data.test.x.reshape(-1, 8, 10, 8).sum(axis=2)
    expected = 10 * (1 - np.exp(-0.8 * images.test.x[..., 0]))
    assert abs((counts - expected).mean()) < 0.02
    assert liquid_state_machine().floor["accuracy"] > spikes_without_a_liquid(data, 0).metrics["accuracy"] + 0.1


@pytest.mark.parametrize("recipe", [echo_state_network, liquid_state_machine], ids=lambda each: each.__name__)
def test_a_tiny_run_draws_every_figure(recipe, tmp_path):
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])
