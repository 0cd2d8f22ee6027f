"""Recipes of AlexNet, VGG and GoogLeNet: enlarged digits, a tiny run of each from end to end."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.classifiers import alexnet, enlarged, googlenet, vgg


def test_enlarging_keeps_labels_range_and_a_constant_image():
    digits = datasets.load("digits", seed=0)
    large = enlarged(digits, 21)
    assert large.spec.shape == (21, 21, 1) and large.test.x.shape[1:] == (21, 21, 1)
    assert large.train.x.dtype == np.float32 and 0 <= large.train.x.min() and large.train.x.max() <= 1
    np.testing.assert_array_equal(large.train.y, digits.train.y)
    np.testing.assert_allclose(large.train.x.mean(), digits.train.x.mean(), atol=0.02)


@pytest.mark.parametrize("recipe", [alexnet, vgg, googlenet], ids=lambda recipe: recipe.__name__)
def test_the_schedule_ends_with_the_training(recipe):
    made, spec = recipe(), datasets.load("digits", seed=0).spec
    steps = made.epochs * -(-len(datasets.load("digits", seed=0).train) // made.batch_size)
    assert float(made.compile(spec)["optimizer"]._learning_rate(steps)) == pytest.approx(0.0, abs=1e-9)


def test_a_tiny_run_writes_model_metrics_and_figures(tmp_path):
    fitted = fit(vgg(), out=tmp_path / "run", tiny=True, progress=False)
    assert {"model.keras", "metrics.json", "history.csv", "config.json"} <= {p.name for p in fitted.run.iterdir()}
    assert {"learning_curves", "confusion_matrix", "first_layer_filters"} <= {p.stem for p in fitted.figures}
    assert fitted.baseline.metrics["accuracy"] > 0.5
