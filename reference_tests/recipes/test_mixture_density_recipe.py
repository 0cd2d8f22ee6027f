"""The recipe runs from data to served model, and its figure can be drawn."""

import json

import numpy as np

from keras_course.pipeline.fit import fit
from keras_course.recipes.distributions import gaussian_head, mixture_density


def test_a_tiny_run_leaves_scores_figures_and_a_served_density(tmp_path):
    import tensorflow as tf

    fitted = fit(mixture_density(), out=tmp_path / "run", tiny=True, progress=False)
    scores = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert np.isfinite(scores["test"]["log_likelihood"]) and np.isfinite(scores["baseline"]["log_likelihood"])
    assert {path.name for path in fitted.figures} == {"learning_curves.png", "predictive_density.png"}
    served = tf.saved_model.load(tmp_path / "run" / "export" / "1")
    x = fitted.dataset.test.x[:2]
    median = fitted.model.quantile(x, [0.5])
    np.testing.assert_allclose(served.quantile(x, np.float32([0.5])), median, rtol=1e-4, atol=1e-5)


def test_the_gaussian_baseline_repeats_itself():
    from keras_course import datasets

    data = datasets.load("diabetes", seed=0)
    assert gaussian_head(data, seed=0) == gaussian_head(data, seed=0)
