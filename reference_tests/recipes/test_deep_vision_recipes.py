"""Recipes of ResNet and DenseNet: schedules that end with the training, and tiny runs from end to end."""

import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.deep_vision import densenet, resnet


@pytest.mark.parametrize("recipe", [resnet, densenet], ids=["resnet", "densenet"])
def test_the_schedule_ends_with_the_training(recipe):
    made, data = recipe(), datasets.load("digits", seed=0)
    schedule = made.compile(data.spec)["optimizer"]._learning_rate
    steps = made.epochs * -(-len(data.train) // made.batch_size)
    assert float(schedule(steps)) == pytest.approx(0.0, abs=1e-9)


def test_a_tiny_run_of_the_residual_network_writes_model_metrics_and_figures(tmp_path):
    fitted = fit(resnet(), out=tmp_path / "run", tiny=True, progress=False)
    assert {"model.keras", "metrics.json", "history.csv", "config.json"} <= {p.name for p in fitted.run.iterdir()}
    assert {"learning_curves", "feature_maps", "saliency_maps"} <= {p.stem for p in fitted.figures}
    assert fitted.baseline.metrics["accuracy"] > 0.5


def test_the_dense_network_of_the_recipe_is_the_smaller_one():
    spec = datasets.load("digits", seed=0).spec
    one, other = (recipe().model(spec, 0) for recipe in (densenet, resnet))
    assert one.count_params() < 0.2 * other.count_params()
    assert one.stage_shapes()["block2"] == (4, 4, 56) and other.stage_shapes()["conv4"] == (2, 2, 64)
