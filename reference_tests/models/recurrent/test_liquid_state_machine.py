"""A liquid: its read-out is a ridge regression of its state, and streams end where sequences end."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Ridge

from keras_course.datasets import poisson_spikes
from keras_course.losses import SoftmaxLoss
from keras_course.models import LiquidStateMachine

RNG = np.random.default_rng(0)
RATES = RNG.uniform(0, 0.6, (40, 3, 3))
SPIKES = poisson_spikes(RATES, 10, seed=0)
LABELS = (RATES[:, 1, 0] > RATES[:, 1, 1]).astype("int32")
LIQUID = {"input_strength": 12.0, "strength": 4.0, "read_out": 30.0}


def made(**settings):
    return LiquidStateMachine(3, 2, **{"grid": (3, 3, 3), "liquid": LIQUID, **settings})


def test_a_ridge_read_out_of_classes_is_scikit_learn_s_on_one_hot_targets():
    model = made(ridge=1e-2)
    model.compile(metrics=["accuracy"])
    model.fit(SPIKES, LABELS, batch_size=16, verbose=0)
    state = np.asarray(model.features(SPIKES), "float64")
    theirs = Ridge(alpha=1e-2 * 40).fit(state, np.eye(2)[LABELS])
    np.testing.assert_allclose(model(SPIKES), theirs.predict(state), atol=1e-4)
    measured = model.evaluate(SPIKES, LABELS, verbose=0, return_dict=True)
    right = np.mean(np.argmax(theirs.predict(state), axis=1) == LABELS)
    assert measured["accuracy"] == pytest.approx(right) and right > 0.8


def test_a_logistic_read_out_learns_by_gradients_and_leaves_the_liquid_alone():
    model = made(read_out="logistic")
    with pytest.raises(ValueError, match="needs an optimizer and a loss"):
        model.compile()
    model.compile(keras.optimizers.Adam(0.02), SoftmaxLoss(), metrics=["accuracy"])
    before = [np.asarray(weight) for weight in model.liquid.weights]
    history = model.fit(SPIKES, LABELS, batch_size=40, epochs=40, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0] and "mean_squared_error" not in history
    for old, new in zip(before, model.liquid.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("every", [False, True])
def test_parts_of_a_train_end_where_the_whole_ends(every):
    model = made(return_sequences=every)
    model.read_out_kernel.assign(RNG.normal(size=model.read_out_kernel.shape))
    state = np.zeros((40, model.state_width), "float32")
    for first in (0, 1, 13):
        found = model.run(SPIKES[:, first : {0: 1, 1: 13, 13: 30}[first]], state)
        state = found["state"]
    whole = np.asarray(model(SPIKES))
    last = np.asarray(found["outputs"])
    np.testing.assert_allclose(last[:, -1] if every else last, whole[:, -1] if every else whole, atol=1e-5)


def test_an_export_serves_any_length_of_train(tmp_path):
    model = made()
    model.compile()
    model.fit(SPIKES, LABELS, verbose=0)
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    for rows, length in ((1, 1), (5, 30)):
        part = SPIKES[:rows, :length]
        np.testing.assert_allclose(served.serving_default(part), model(part), atol=1e-5)


def test_the_raster_is_what_the_read_out_saw_filtered():
    model = made()
    spikes = np.asarray(model.spikes(SPIKES))
    assert set(np.unique(spikes)) == {0.0, 1.0} and spikes.shape == (40, 30, 27)
    fade = np.exp(-(29 - np.arange(30)) / 30.0)
    np.testing.assert_allclose(model.features(SPIKES), np.einsum("ntf,t->nf", spikes, fade), atol=1e-4)


def test_bad_arguments_are_refused_with_what_came():
    for settings, words in (
        ({"read_out": "svm"}, "read_out='svm'"), ({"washout": 3}, "washout=3"), ({"grid": (3, 3)}, "grid="),
        ({"liquid": {"output": "spikes"}}, "reads traces"), ({"ridge": -1.0}, "ridge=-1.0"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            made(**settings)
    with pytest.raises(ValueError, match="to have value 3"):
        made()(SPIKES[:, :, :2])
