"""Recipes of self-supervised learning: the judge sees the frozen features, the floor is a gain over no training."""

import pytest

from keras_course import pipeline
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.fit import fit
from keras_course.recipes import selfsupervised


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    recipe = selfsupervised.rotation()
    return fit(recipe, out=tmp_path_factory.mktemp("runs") / "rotation", tiny=True, progress=False)


def test_probe_metrics_stand_beside_the_models_own_and_the_untrained_trunk_is_the_baseline(tiny):
    found = tiny.metrics["test"]
    assert {"accuracy", "probe_accuracy_1", "probe_accuracy_5", "probe_accuracy_10", "clusterability"} <= set(found)
    assert tiny.baseline.name == "random trunk"
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
