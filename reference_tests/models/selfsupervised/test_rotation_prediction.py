"""RotationPrediction: labels that cost nothing, chance for a trunk that cannot see a rotation, no use of y."""

import math

import keras
import numpy as np
import pytest

from keras_course.models.selfsupervised import RotationPrediction
from keras_course.ops.rotations import quarter_turn

X = np.random.default_rng(0).uniform(size=(12, 6, 6, 1)).astype("float32")


def made(rotations="all", trunk=((4,), (5,)), **how):
    model = RotationPrediction((6, 6, 1), trunk, rotations, seed=1, **how)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


def test_a_trunk_that_sees_no_rotation_costs_log_four_at_best():
    """Its four answers to an image are one, so the mean of the four costs is least at equal odds."""
    blind = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.GlobalAveragePooling2D()])
    model = made(trunk=blind)
    model.fit(X, epochs=5, verbose=0)
    found = model.evaluate(X, verbose=0, return_dict=True)
    assert found["accuracy"] == pytest.approx(0.25) and found["loss"] >= math.log(4) - 1e-6
    model.head.kernel.assign(np.zeros((1, 4)))
    model.head.bias.assign(np.zeros(4))
    assert model.evaluate(X, verbose=0, return_dict=True)["loss"] == pytest.approx(math.log(4), abs=1e-6)


def test_an_image_that_looks_alike_from_all_sides_costs_log_four_too():
    symmetric = sum(np.asarray(quarter_turn(X, k)) for k in range(4))
    model = made()
    assert np.allclose(model(symmetric), model(np.asarray(quarter_turn(symmetric, 1))), atol=1e-5)
    answers = model.pretext(symmetric)
    costs = np.asarray(model.question_costs(answers["labels"], answers["logits"]))
    assert np.all(costs >= math.log(4) - 1e-5)


def test_cost_is_the_mean_over_four_turned_copies_of_stock_cross_entropy():
    model = made()
    copies = np.concatenate([np.asarray(quarter_turn(X, k)) for k in range(4)])
    turns = np.repeat(np.arange(4), len(X))
    logits = model(copies)
    wanted = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(turns, logits)
    found = model.evaluate(X, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(float(wanted), rel=1e-6)
    assert found["accuracy"] == pytest.approx(np.mean(np.argmax(logits, 1) == turns))


def test_a_hidden_layer_lies_between_the_features_and_the_logits():
    model = made(units=7)
    features = np.asarray(model.encode(X))
    hidden = np.maximum(features @ np.asarray(model.hidden.kernel) + np.asarray(model.hidden.bias), 0)
    assert np.allclose(model(X), hidden @ np.asarray(model.head.kernel) + np.asarray(model.head.bias), atol=1e-5)


def test_drawn_rotations_are_uniform_repeat_with_the_step_and_change_with_it():
    model = made("one")
    many = np.zeros((4000, 6, 6, 1), "float32")
    turns = np.asarray(model.turned(many, True)[1])
    assert turns.shape == (4000, 1)
    assert np.all(np.abs(np.bincount(turns[:, 0], minlength=4) - 1000) < 5 * math.sqrt(4000 * 0.25 * 0.75))
    assert np.array_equal(turns, model.turned(many, True)[1])
    model.optimizer.iterations.assign(1)
    assert not np.array_equal(turns, model.turned(many, True)[1])


def test_the_drawn_copy_is_the_image_turned_as_its_label_says():
    copies, turns = made("one").turned(X, True)
    for image, copy, turn in zip(X, np.asarray(copies)[:, 0], np.asarray(turns)[:, 0], strict=True):
        assert np.array_equal(np.rot90(image, turn), copy)


def test_labels_that_come_with_the_images_change_nothing():
    with_labels, without = made(), made()
    with_labels.fit(X, np.arange(12), batch_size=4, shuffle=False, verbose=0)
    without.fit(X, batch_size=4, shuffle=False, verbose=0)
    for one, other in zip(with_labels.get_weights(), without.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_row_of_weight_zero_leaves_no_trace():
    """With a y, of which nothing is read: Keras drops the weights of a fit without one."""
    weights = np.r_[np.ones(6), np.zeros(6)].astype("float32")
    changed = np.concatenate([X[:6], 1 - X[6:]])
    models = made(), made()
    for model, x in zip(models, (X, changed), strict=True):
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        model.fit(x, np.zeros(12), sample_weight=weights, batch_size=12, shuffle=False, verbose=0)
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        assert np.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((6, 5, 1), ((4,),)), r"square images. Received: shape=\(6, 5, 1\)"),
        (((6, 6, 1), ((4,),), "some"), "rotations='some'"),
        (((6, 6, 1), 7), "trunk=7"),
        (((6, 6, 1), ((4,),), "all", -1), "units=-1"),
    ],
)
def test_what_cannot_be_turned_is_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        RotationPrediction(*arguments)


def test_a_loss_of_yours_and_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="brings its own loss. Received: loss='mse'"):
        made().compile("adam", loss="mse")
    with pytest.raises(ValueError, match=r"expects images \(B, 6, 6, 1\)"):
        made().encode(np.zeros((2, 5, 5, 1)))
