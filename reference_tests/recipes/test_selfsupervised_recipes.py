"""Recipes of self-supervised learning: the judge sees the frozen features, the floor is a gain over no training."""

import numpy as np
import pytest

from keras_course import pipeline
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.fit import fit
from keras_course.recipes import pretext_figures, selfsupervised


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    recipe = selfsupervised.rotation()
    return fit(recipe, out=tmp_path_factory.mktemp("runs") / "rotation", tiny=True, progress=False)


def test_probe_metrics_stand_beside_the_models_own_and_the_untrained_trunk_is_the_baseline(tiny):
    found = tiny.metrics["test"]
    assert {"accuracy", "probe_accuracy_1", "probe_accuracy_5", "probe_accuracy_10", "clusterability"} <= set(found)
    assert tiny.baseline.name == "random trunks"
    gain = found["probe_accuracy_5"] - tiny.baseline.metrics["probe_accuracy_5"]
    assert found["probe_gain_5"] == pytest.approx(gain)
    assert "probe_accuracy_5" not in tiny.metrics["validation"]
    assert {path.stem for path in tiny.figures} == {"learning_curves", "accuracy_of_probes"}


def test_a_saved_run_is_judged_again_to_the_same_numbers(tiny):
    again = evaluate(tiny.run, recipe=tiny.recipe)
    for name, value in tiny.metrics["test"].items():
        assert again.metrics["test"][name] == pytest.approx(value, abs=2e-3)


def test_a_judge_may_not_take_the_name_of_a_metric(tiny, tmp_path):
    recipe = pipeline.Recipe(
        slug="rotation", dataset="digits", model=tiny.recipe.model, compile=tiny.recipe.compile,
        judge=lambda model, dataset, seed: {"accuracy": 1.0},
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"needs names of its own. Received: \['accuracy'\]"):
        fit(recipe, out=tmp_path / "run", tiny=True, progress=False)


@pytest.fixture(scope="module")
def tiny_inpainting(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "inpainting"
    return fit(selfsupervised.inpainting(), out=out, tiny=True, progress=False)


def test_fillings_leave_what_is_seen_and_the_nearest_image_is_found_by_going_through_all(tiny_inpainting):
    model, dataset = tiny_inpainting.model, tiny_inpainting.dataset
    x, mask, filled = pretext_figures.fillings(model, dataset, 0, rows=6)
    seen = np.broadcast_to(mask == 0, x.shape)
    for images in filled.values():
        assert np.array_equal(images[seen], x[seen])
    for image, hole, found in zip(x, mask, filled["nearest training image"], strict=True):
        distances = [np.sum((1 - hole) * (image - known) ** 2) for known in dataset.train.x]
        assert np.allclose(found, (1 - hole) * image + hole * dataset.train.x[np.argmin(distances)])


def test_hole_errors_are_means_over_missing_pixels_and_stand_among_the_test_metrics(tiny_inpainting):
    model, dataset = tiny_inpainting.model, tiny_inpainting.dataset
    errors = pretext_figures.hole_errors(model, dataset, 0)
    x, mask, filled = pretext_figures.fillings(model, dataset, 0)
    missing = np.broadcast_to(mask > 0, x.shape)
    assert errors["hole_error"] == pytest.approx(np.mean((filled["context encoder"] - x)[missing] ** 2), rel=1e-5)
    assert errors["hole_error_mean"] == pytest.approx(np.mean((filled["mean image"] - x)[missing] ** 2), rel=1e-5)
    assert errors["hole_error_ratio"] == pytest.approx(errors["hole_error"] / errors["hole_error_mean"])
    assert set(errors) < set(tiny_inpainting.metrics["test"])
    assert {path.stem for path in tiny_inpainting.figures} == {"learning_curves", "filled_holes", "accuracy_of_probes"}


def test_contrastive_draws_its_views_and_the_classes_it_found(tmp_path):
    found = fit(selfsupervised.contrastive(), out=tmp_path / "run", tiny=True, progress=False)
    names = {"learning_curves", "two_views", "classes_of_embeddings", "accuracy_of_probes"}
    assert {path.stem for path in found.figures} == names
    assert {"alignment", "probe_gain_5"} <= set(found.metrics["test"])
