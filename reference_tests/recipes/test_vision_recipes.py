"""LeNet's recipe: its augmentation, its baseline, and a tiny run from end to end."""

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.vision import lenet, lenet_on_mnist, slightly_moved, softmax_regression_on_pixels


def test_numbers_in_the_middle_move_nothing():
    x = np.random.default_rng(0).random((2, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(slightly_moved(x, ops.full((2, 4), 0.5)), x, atol=1e-6)


def test_images_are_turned_zoomed_and_shifted_as_the_formula_says():
    rng = np.random.default_rng(1)
    x, uniforms = rng.random((4, 8, 6, 2)).astype("float32"), rng.random((4, 4)).astype("float32")
    moved = ops.convert_to_numpy(slightly_moved(x, ops.convert_to_tensor(uniforms)))
    centre = np.array([3.5, 2.5])  # row, column
    grid = np.stack(np.meshgrid(np.arange(8), np.arange(6), indexing="ij"), -1) - centre
    for b in range(4):
        angle, zoom, right, down = (2 * uniforms[b] - 1) * [0.15, 0.1, 0.7, 0.7]
        turn = np.exp(-zoom) * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        source = grid @ turn.T + centre + [down, right]
        for c in range(2):
            padded = np.pad(x[b, ..., c], 2)  # black outside, blended at the border
            wanted = ndimage.map_coordinates(padded, np.moveaxis(source, -1, 0) + 2, order=1)
            np.testing.assert_allclose(moved[b, ..., c], wanted, atol=1e-5)


def test_the_baseline_is_a_working_softmax_regression():
    name, metrics = softmax_regression_on_pixels(datasets.load("digits", seed=0), seed=0)
    assert name == "softmax regression"
    assert 0.93 < metrics["accuracy"] < 0.98


def test_the_schedule_ends_with_the_training():
    recipe, spec = lenet(), datasets.load("digits", seed=0).spec
    schedule = recipe.compile(spec)["optimizer"]._learning_rate
    steps = recipe.epochs * -(-len(datasets.load("digits", seed=0).train) // recipe.batch_size)
    assert float(schedule(steps)) == pytest.approx(0.0, abs=1e-9)
    assert recipe.select is None or recipe.select.startswith("val_")


def test_on_mnist_it_has_the_network_s_own_size():
    recipe = lenet_on_mnist()
    model = recipe.model(datasets.Spec("mnist", "classification", (28, 28, 1), classes=10), 0)
    assert model.count_params() == 61_706  # LeCun et al. 1998, all maps of C3 connected
    assert recipe.epochs * -(-54_000 // recipe.batch_size) == model_steps(recipe)


def model_steps(recipe):
    """Steps of the schedule."""
    return recipe.compile(None)["optimizer"]._learning_rate.decay_steps


def test_a_tiny_run_writes_model_metrics_and_figures(tmp_path):
    fitted = fit(lenet(), out=tmp_path / "run", tiny=True, progress=False)
    assert {"model.keras", "metrics.json", "history.csv", "config.json"} <= {p.name for p in fitted.run.iterdir()}
    assert {p.stem for p in fitted.figures} >= {
        "learning_curves", "confusion_matrix", "first_layer_filters", "feature_maps", "saliency_maps",
    }  # fmt: skip
    assert fitted.baseline.metrics["accuracy"] > 0.5
