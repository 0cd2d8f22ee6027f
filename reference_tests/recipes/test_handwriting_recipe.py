"""The handwriting recipe, small: it runs, draws all its figures, and its SVG holds the strokes."""

import dataclasses
from xml.etree import ElementTree

import keras
import numpy as np
import pytest

from keras_course.datasets.hershey_words import ALPHABET
from keras_course.models.recurrent import HandwritingSynthesis
from keras_course.pipeline.fit import fit
from keras_course.pipeline.recipe import Baseline, recipe_of
from keras_course.pipeline.stroke_plots import strokes_of, svg_of_lines
from keras_course.recipes import handwriting


def small(seed):
    return HandwritingSynthesis(
        ALPHABET, 6, levels=2, components=3, window=2, text_length=6, first_step=0.3, most_points=3, seed=seed
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    recipe = dataclasses.replace(
        recipe_of("handwriting"),
        model=lambda spec, seed: small(seed),
        compile=lambda spec: {"optimizer": keras.optimizers.Adam(0.01)},
        batch_size=16,
        baseline=lambda data, seed: Baseline("mixture", {"nats_per_point": handwriting.one_mixture(data, seed)}),
    )
    return fit(recipe, out=tmp_path_factory.mktemp("runs") / "run", tiny=True, progress=False)


def test_a_tiny_run_draws_every_figure_and_judges_with_another_text(run):
    assert [path.name for path in run.figures] == [
        "learning_curves.png", "written_lines.png", "written_words.svg", "primed_lines.png", "window_over_a_word.png",
    ]  # fmt: skip
    assert np.isfinite(run.metrics["test"]["nats_with_another_text"])
    root = ElementTree.parse(run.run / "figures" / "written_words.svg").getroot()
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) > 10


def test_one_mixture_is_the_mean_density_that_scikit_learn_finds_too(run):
    mixture = pytest.importorskip("sklearn.mixture", reason="scikit-learn is the peer of this comparison")
    train, test = (part.x[part.x[:, :, 2] > -0.5][:, :3] for part in (run.dataset.train, run.dataset.test))
    peer = mixture.GaussianMixture(handwriting.COMPONENTS, random_state=0, reg_covar=1e-4).fit(train[:, :2])
    share = train[:, 2].mean()
    pen = np.where(test[:, 2] > 0, np.log(share), np.log(1 - share)).mean()
    wanted = -(peer.score(test[:, :2]) + pen)
    assert handwriting.one_mixture(run.dataset, 0) == pytest.approx(wanted, abs=0.2)  # another local optimum


def test_the_network_without_text_sees_none(monkeypatch, run):
    seen = []
    monkeypatch.setattr(handwriting, "network", small)
    monkeypatch.setattr(handwriting, "training", lambda steps: {"optimizer": "sgd", "run_eagerly": True})
    step = HandwritingSynthesis.train_on_batch
    monkeypatch.setattr(HandwritingSynthesis, "train_on_batch", lambda model, x: seen.append(x) or step(model, x))
    name, metrics = handwriting.without_text(run.dataset, 0)
    assert all((x[:, :, 3] == 0).all() for x in seen) and len(seen) == -(-handwriting.EPOCHS * 32 // 1792)
    assert set(metrics) == {"nats_per_point", "nats_of_one_mixture"} and "without text" in name


def test_strokes_and_svg_hold_every_point():
    points = [[1, 0, 0], [1, 1, 1], [0, 1, 1], [2, 0, 0], [0, 0, -1]]
    assert [len(stroke) for stroke in strokes_of(points)] == [2, 1, 1]
    text = svg_of_lines([points, []], ["a & b"])
    root = ElementTree.fromstring(text)
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 3 and "a &amp; b" in text
