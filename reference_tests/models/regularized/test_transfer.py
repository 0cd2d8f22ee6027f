"""Transfer: a trunk that learned elsewhere, frozen or fine-tuned."""

import keras
import numpy as np
import pytest

from keras_course.core.serial import load, save_model
from keras_course.losses import SoftmaxLoss
from keras_course.models.regularized import Transfer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 3)).astype("float32")
Y = RNG.integers(0, 4, 16).astype("int32")


@pytest.fixture
def source():
    """A network with batch statistics and dropout that has been trained a little."""
    layers = [keras.layers.Dense(5, "relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=3)]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.1), SoftmaxLoss(), run_eagerly=True)
    model.fit(X, Y % 2, batch_size=8, epochs=2, verbose=0)
    return model


def made(source, how=False, optimizer=None, **more):
    model = Transfer(3, keras.Sequential(source.layers[:-1]), 4, how, seed=2, **more)
    model.compile(optimizer or keras.optimizers.SGD(0.25, momentum=0.5), SoftmaxLoss(), run_eagerly=True)
    return model


def bits(layer):
    return [variable.numpy() for variable in layer.variables]


def same(ones, others):
    return all(np.array_equal(one, other) for one, other in zip(ones, others, strict=True))


def test_a_frozen_trunk_is_bit_equal_after_fit_weights_and_batch_statistics(source):
    model = made(source)
    before, head = bits(model.trunk), bits(model.head)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert len(before) >= 6 and same(before, bits(model.trunk)) and not same(head, bits(model.head))


def test_frozen_training_is_that_of_the_head_on_the_features_of_the_trunk(source):
    model = made(source, optimizer=keras.optimizers.SGD(0.25))
    alone = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4)])
    alone.set_weights(model.head.get_weights())
    alone.compile(keras.optimizers.SGD(0.25), SoftmaxLoss(), run_eagerly=True)
    alone.fit(model.features(X), Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(model.head.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_the_trunk_makes_its_share_of_whatever_step_the_optimizer_makes(source, optimizer):
    whole = made(source, "fine-tune", optimizer(0.01), trunk_rate=1.0)
    part = made(source, "fine-tune", optimizer(0.01), trunk_rate=0.125)
    start = [variable.numpy() for variable in part.trunk.trainable_variables]
    for model in (whole, part):
        model.trunk.layers[-1].rate = 0.0
        model.train_on_batch(X, Y)
    moved = zip(start, whole.trunk.trainable_variables, part.trunk.trainable_variables, strict=True)
    for first, full, shared in moved:
        np.testing.assert_allclose(shared.numpy() - first, 0.125 * (full.numpy() - first), rtol=1e-3, atol=1e-7)
    assert same(bits(whole.head), bits(part.head))


def test_fine_tuning_moves_weights_and_batch_statistics(source):
    model = made(source, "fine-tune")
    before = bits(model.trunk)
    model.fit(X, Y, batch_size=8, verbose=0)
    moved = [not np.array_equal(one, other) for one, other in zip(before, bits(model.trunk), strict=True)]
    assert all(moved[:6])  # kernel, bias, scale, offset, moving mean and variance


def test_the_source_gives_its_weights_and_is_left_alone(source):
    before, answers = source.get_weights(), source(X).numpy()
    for how in (False, "fine-tune"):
        model = made(source, how)
        assert same(model.trunk.get_weights()[:6], source.get_weights()[:6])
        model.fit(X, Y, batch_size=8, verbose=0)
    assert same(before, source.get_weights()) and np.array_equal(answers, source(X).numpy())
    assert all(layer.trainable for layer in source.layers)


@pytest.mark.parametrize("how", [False, "fine-tune"])
def test_a_saved_model_needs_no_source(source, how, tmp_path):
    model = made(source, how)
    model.fit(X, Y, batch_size=8, verbose=0)
    save_model(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))
    assert len(loaded.trainable_variables) == len(model.trainable_variables)


def test_bad_arguments_are_refused_with_what_came(source):
    for arguments, message in (
        ((3, source, 2, True), "trainable_trunk=True"),
        ((3, source, 2, "fine-tune", 0.0), "trunk_rate=0.0"),
        ((3, source, 0), "head=0"),
        ((3, "first", 2), "trunk='first'"),
    ):
        with pytest.raises(ValueError, match=message):
            Transfer(*arguments)
    with pytest.raises(ValueError, match="expects x of shape"):
        made(source)(X[:, :2])
