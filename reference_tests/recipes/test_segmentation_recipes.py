"""The recipe of the fully convolutional network: weights, baseline, and a tiny run from end to end, looked at again."""

import json

import numpy as np
import pytest

from keras_course import datasets
from keras_course.datasets import Dataset, Spec, Split
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.vision.fcn import FCN
from keras_course.pipeline.diagnose import diagnose
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.fit import fit
from keras_course.pipeline.plots import confusion_matrix
from keras_course.pipeline.segmentation_plots import iou_of_classes, overlaps, segmented_images
from keras_course.recipes import segmentation
from keras_course.recipes.segmentation import fully_convolutional, pixel_weights, softmax_regression_on_patches


@pytest.fixture(autouse=True)
def quick_baseline(monkeypatch):
    """A fifth of the baseline's steps."""
    monkeypatch.setattr(segmentation, "BASELINE_STEPS", 40)


@pytest.fixture(scope="module")
def scenes():
    """A small part of the data set."""
    data = datasets.load("digit-canvas", seed=0)
    parts = (Split(part.x[:60], part.y[:60]) for part in (data.train, data.validation, data.test))
    return Dataset(*parts, data.spec)


def test_pixel_weights_favour_rare_classes_and_leave_the_mean_alone(scenes):
    weights, y = pixel_weights(scenes, seed=0), scenes.train.y
    assert weights.shape == y.shape and weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1.0, abs=1e-5)
    counts, found = np.bincount(y.reshape(-1), minlength=11), [weights[y == k] for k in range(11)]
    assert all(np.ptp(each) == 0 for each in found)
    ratio = np.array([each[0] for each in found]) / found[0][0]
    np.testing.assert_allclose(ratio, np.sqrt(counts[0] / counts), rtol=1e-5)


def test_a_class_that_never_occurs_has_no_weight():
    part = Split(np.zeros((1, 2, 2, 1), "float32"), np.array([[[0, 0], [2, 2]]], "int32"))
    spec = Spec("tiny", "classification", (2, 2, 1), classes=3, label_shape=(2, 2))
    weights = pixel_weights(Dataset(part, part, part, spec), seed=0)
    np.testing.assert_allclose(weights, 1.0)


def test_the_baseline_finds_ink_and_tells_no_digits_apart(scenes):
    name, metrics = softmax_regression_on_patches(scenes, seed=0)
    assert name == "softmax regression on 9 x 9 pixels"
    assert 0.9 < metrics["accuracy"] and 0.09 < metrics["mean_iou"] < 0.3


def test_the_schedule_ends_with_the_training():
    recipe, data = fully_convolutional(), datasets.load("digit-canvas", seed=0)
    schedule = recipe.compile(data.spec)["optimizer"]._learning_rate
    steps = recipe.epochs * -(-len(data.train) // recipe.batch_size)
    assert float(schedule(steps)) == pytest.approx(0.0, abs=1e-9)


def test_a_tiny_run_writes_everything_and_is_measured_again_alike(tmp_path):
    fitted = fit(fully_convolutional(), out=tmp_path / "run", tiny=True, progress=False)
    names = {"learning_curves", "segmented_images", "iou_of_classes", "larger_canvas"}
    assert {path.stem for path in fitted.figures} == names
    assert json.loads((fitted.run / "metrics.json").read_text())["test"] == pytest.approx(fitted.metrics["test"])
    again = evaluate(fitted.run)
    assert again.metrics["test"] == fitted.metrics["test"] and "mean_iou" in again.metrics["test"]


def test_label_maps_of_neighbours_need_not_be_alike(scenes):
    model = FCN((None, None, 1), 11, (3,))
    model.compile("sgd", SoftmaxLoss(), run_eagerly=True)
    few = Split(scenes.train.x[:8, :12, :12], scenes.train.y[:8, :12, :12])
    assert "labels unrelated" not in diagnose(model, few, steps=1).faults


class Oracle:
    """Answers each scene as it was told."""

    def __init__(self, answers):
        self.answers = answers

    def predict(self, *_, **__):
        return self.answers


def test_figures_of_label_maps_say_what_the_maps_say(scenes):
    truth = scenes.test.y
    guess = np.where(np.arange(60)[:, None, None] == 7, 0, truth)  # one scene answered with background alone
    scores = 9.0 * np.eye(11)[guess]
    context = FigureContext(fully_convolutional(), Oracle(scores), scenes, {}, {}, 0)
    assert context.labels.shape == context.predicted.shape == (60, 40, 40)
    figure = segmented_images(context, count=2, worst=True)
    share = 100 * np.mean(truth[7] > 0)
    assert figure.axes[0].get_title() == f"{share:.1f} % wrong" and figure.axes[1].get_title() == "0.0 % wrong"
    wanted = overlaps(truth, guess, 11)
    assert [text.get_text() for text in iou_of_classes(context).axes[0].texts] == [f"{value:.2f}" for value in wanted]
    assert (
        confusion_matrix(context).axes[0].get_title().endswith(f"{np.sum(truth == guess)} of 96000 test pixels right")
    )


def test_overlaps_are_scikit_learns_jaccard_scores(scenes):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the peer of this comparison")
    truth, guess = scenes.test.y, np.roll(scenes.test.y, 1, axis=1)
    wanted = metrics.jaccard_score(truth.reshape(-1), guess.reshape(-1), average=None)
    np.testing.assert_allclose(overlaps(truth, guess, 11), wanted)
    assert np.isnan(overlaps(truth, guess, 12)[11])
