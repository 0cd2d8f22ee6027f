"""MeanIoU: sets of pixels counted one by one, Keras's own metric, and what that one does not do."""

import keras
import numpy as np
import pytest

from keras_course.metrics.mean_iou import MeanIoU
from keras_course.ops.detection import f_beta, intersection_over_union

RNG = np.random.default_rng(0)
TRUTH, GUESS = RNG.integers(0, 4, (6, 5, 7)), RNG.integers(0, 4, (6, 5, 7))


def by_sets(truth, guess, classes):
    """|A and B| / |A or B| of the sets of places of each class."""
    found = []
    for k in range(classes):
        a, b = (set(map(tuple, np.argwhere(labels == k))) for labels in (truth, guess))
        found.append(len(a & b) / len(a | b) if a | b else np.nan)
    return np.array(found)


def measured(metric, *arguments):
    metric.update_state(*arguments)
    return float(metric.result())


def test_it_counts_the_pixels_of_intersection_and_union():
    metric = MeanIoU(5)
    wanted = by_sets(TRUTH, GUESS, 5)
    assert measured(metric, TRUTH, GUESS) == pytest.approx(np.nanmean(wanted), abs=1e-6)
    np.testing.assert_allclose(metric.per_class(), wanted, atol=1e-6)
    assert np.isnan(wanted[4])
    assert float(metric.pixel_accuracy()) == pytest.approx(np.mean(TRUTH == GUESS), abs=1e-6)


def test_any_split_into_batches_gives_the_same_and_a_mean_of_batches_does_not():
    whole, streamed = MeanIoU(4), MeanIoU(4)
    whole.update_state(TRUTH, GUESS)
    alone = []
    for rows in (slice(0, 1), slice(1, 5), slice(5, 6)):
        streamed.update_state(TRUTH[rows], GUESS[rows])
        alone.append(measured(MeanIoU(4), TRUTH[rows], GUESS[rows]))
    assert float(streamed.result()) == float(whole.result())
    assert abs(np.mean(alone) - float(whole.result())) > 1e-4


def test_it_is_keras_mean_iou_up_to_the_epsilon_in_its_denominator():
    theirs = keras.metrics.MeanIoU(5, ignore_class=2)
    assert measured(MeanIoU(5, ignored=2), TRUTH, GUESS) == pytest.approx(measured(theirs, TRUTH, GUESS), abs=1e-6)
    scores = RNG.normal(size=(6, 5, 7, 4))
    theirs = keras.metrics.MeanIoU(4, sparse_y_pred=False)
    assert measured(MeanIoU(4), TRUTH, scores) == pytest.approx(measured(theirs, TRUTH, scores), abs=1e-6)
    assert measured(MeanIoU(2), [[0, 1]], [[0, 1]]) == 1.0 > measured(keras.metrics.MeanIoU(2), [[0, 1]], [[0, 1]])


def test_a_last_axis_of_one_is_dropped_from_labels_of_scores_and_kept_in_maps_one_pixel_wide():
    scores = RNG.normal(size=(6, 5, 7, 4))
    assert measured(MeanIoU(4), TRUTH[..., None], scores) == measured(MeanIoU(4), TRUTH, scores)
    assert measured(MeanIoU(4), TRUTH[..., :1], GUESS[..., :1]) == measured(MeanIoU(4), TRUTH[..., 0], GUESS[..., 0])


def test_a_fraction_is_a_weight_and_an_image_may_have_one():
    """Keras casts 0.5 to 0 and cannot spread (B,) over (B, H, W)."""
    image_weights = np.array([0.5, 0.5, 0.5, 1.5, 0.0, 2.0])
    spread = np.broadcast_to(image_weights[:, None, None], TRUTH.shape)
    one = measured(MeanIoU(4), TRUTH, GUESS, image_weights)
    assert one == measured(MeanIoU(4), TRUTH, GUESS, spread)
    doubled = np.concatenate([TRUTH[:3], *[TRUTH[3:4]] * 3, *[TRUTH[5:]] * 4])
    assert one == pytest.approx(
        measured(MeanIoU(4), doubled, np.concatenate([GUESS[:3], *[GUESS[3:4]] * 3, *[GUESS[5:]] * 4])), abs=1e-6
    )


def test_frequency_weighted_iou_is_the_mean_over_true_pixels():
    shares = np.array([np.mean(TRUTH == k) for k in range(4)])
    wanted = float(np.sum(shares * by_sets(TRUTH, GUESS, 4)))
    assert measured(MeanIoU(4, average="weighted"), TRUTH, GUESS) == pytest.approx(wanted, abs=1e-6)
    metric = MeanIoU(4, average=None)
    metric.update_state(TRUTH, GUESS)
    assert tuple(metric.result().shape) == (4,)


@pytest.mark.parametrize(("zero_division", "wanted"), [(0, 1 / 3), (1, 2 / 3), ("nan", 0.5)])
def test_a_class_that_nobody_saw_is_what_zero_division_says(zero_division, wanted):
    # class 0: 1 of 1; class 1: 0 of 1 (missed, said to be ignored class 5); class 2: 0 of 0
    metric = MeanIoU(3, zero_division=zero_division)
    assert measured(metric, [[0, 1]], [[0, 5]]) == pytest.approx(wanted, abs=1e-6)


def test_with_nothing_seen_the_answer_is_stated():
    assert np.isnan(float(MeanIoU(3).result())) and np.isnan(float(MeanIoU(3, ignored=9).pixel_accuracy()))
    assert float(MeanIoU(3, zero_division=0).result()) == 0.0


def test_ignored_pixels_do_not_count_and_other_strange_labels_are_false_alarms():
    truth, guess = np.array([[0, 255, 1]]), np.array([[0, 0, 1]])
    assert measured(MeanIoU(2, ignored=255), truth, guess) == 1.0
    assert measured(MeanIoU(2), truth, guess) == pytest.approx((1 / 2 + 1) / 2)


def test_iou_and_f1_say_the_same_in_two_ways():
    counts = RNG.integers(1, 50, (3, 20)).astype("float64")
    iou = np.asarray(intersection_over_union(*counts))
    np.testing.assert_allclose(np.asarray(f_beta(*counts)), 2 * iou / (1 + iou), rtol=1e-12)


def test_it_works_in_fit():
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 1)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy", MeanIoU(2)])
    x = RNG.normal(size=(5, 4, 6, 1)).astype("float32")
    y = (x[..., 0] > 0).astype("int32")
    model.fit(x, y, batch_size=2, verbose=0)
    found = model.evaluate(x, y, batch_size=3, verbose=0, return_dict=True)
    guess = model.predict(x, verbose=0).argmax(-1)
    assert found["mean_iou"] == pytest.approx(np.nanmean(by_sets(y, guess, 2)), abs=1e-6)
    assert found["accuracy"] == pytest.approx(np.mean(y == guess), abs=1e-6)  # pixel accuracy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 0}, "classes=0"),
        ({"average": "micro"}, "average='micro'"),
        ({"zero_division": 2}, "zero_division=2"),
        ({"ignored": 1.5}, "ignored=1.5"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MeanIoU(**{"classes": 3, **arguments})


def test_predictions_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="3 features"):
        MeanIoU(3).update_state(np.zeros((2, 4, 4), int), np.zeros((2, 4, 4, 5)))
    with pytest.raises(ValueError, match=r"Received: y_true.shape=\(2, 4, 4\), y_pred.shape=\(2, 4\)"):
        MeanIoU(3).update_state(np.zeros((2, 4, 4), int), np.zeros((2, 4), int))
