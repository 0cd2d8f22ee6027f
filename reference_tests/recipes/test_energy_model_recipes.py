"""The recipes of deep energy models on tiny runs: other images, areas under curves, likelihoods on a grid, figures."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from keras_course import datasets
from keras_course.models.energy.energy_model import EnergyModel
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.fit import fit
from keras_course.recipes.energy_model import (
    area_under_roc,
    density_of_rings,
    energy_model,
    gaussian_and_network,
    gaussian_in_the_plane,
    gaussian_of_pixels,
    noisy,
    other_images,
    rings,
    told_apart,
    two_rings,
    with_its_gaussian,
)


def test_a_tiny_run_draws_every_figure_and_measures_what_it_is_judged_by(tmp_path):
    fitted = fit(energy_model(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert set(fitted.recipe.floor) <= set(fitted.metrics["test"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_rings_have_a_likelihood_and_a_picture_before_training():
    recipe, data = rings(), two_rings(0)
    model = recipe.model(data.spec, 0)
    measured = recipe.judge(model, data, 0)
    assert set(measured) == set(recipe.floor) and -6 < measured["log_likelihood"] < -2
    model.sampling_steps = 10
    figure = density_of_rings(FigureContext(recipe, model, data, {}, measured))
    assert len(figure.axes) == 4


def test_chimeras_are_halves_of_two_classes():
    x = np.repeat(np.arange(6.0), 64).reshape(6, 64)
    y = np.array([0, 0, 1, 1, 2, 2])
    made = other_images(x, y, seed=0)
    upper, lower = made["chimeras"].reshape(6, 8, 8)[:, :4], made["chimeras"].reshape(6, 8, 8)[:, 4:]
    np.testing.assert_array_equal(upper, np.broadcast_to(np.arange(6.0)[:, None, None], upper.shape))
    assert (y[lower[:, 0, 0].astype(int)] != y).all() and (lower == lower[:, :1, :1]).all()
    image = np.tile(np.arange(64.0), (2, 1))
    np.testing.assert_array_equal(other_images(image, [0, 1], 0)["mirrored"][0, :9], [7, 6, 5, 4, 3, 2, 1, 0, 15])


def test_the_area_is_that_of_scikit_learn():
    low, high = np.array([0.0, 1.0, 1.0, 3.0]), np.array([1.0, 2.0, 5.0])
    wanted = roc_auc_score([0] * 4 + [1] * 3, np.concatenate([low, high]))
    assert area_under_roc(low, high) == pytest.approx(wanted, abs=1e-12)


def test_the_noise_has_its_deviation():
    u = (np.arange(1000, dtype="float32") / 1000).reshape(1000, 1)
    assert float(np.std(noisy(np.zeros((1000, 1), "float32"), u))) == pytest.approx(0.2, abs=0.005)


def test_an_energy_on_its_gaussian_begins_at_the_baseline_and_comes_back_from_the_config():
    data = energy_model().prepare(datasets.load("digits-flat", 0))
    model = EnergyModel(64, units=gaussian_and_network(64, (5,), 10, 0), classes=10)
    with_its_gaussian(model, data, 0)
    own = model.network.get_layer("energies")
    own.set_weights([0 * weight for weight in own.get_weights()])
    assert told_apart(model, data, 0) == pytest.approx(gaussian_of_pixels(data, 0).metrics, abs=1e-4)
    again = EnergyModel.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again(data.test.x[:3]), model(data.test.x[:3]), rtol=1e-6)
    assert [weight.shape for weight in again.network.trainable_weights] == [(64, 5), (5,), (5, 10), (10,)]


def test_the_floors_lie_above_the_baselines():
    for recipe, baseline in ((energy_model(), gaussian_of_pixels), (rings(), gaussian_in_the_plane)):
        load = recipe.dataset if callable(recipe.dataset) else lambda seed: datasets.load("digits-flat", seed)
        data = load(0) if recipe.prepare is None else recipe.prepare(load(0))
        for name, value in baseline(data, 0).metrics.items():
            assert recipe.floor[name] > value + 0.02
