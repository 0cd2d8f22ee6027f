"""DecoupledWeightDecay: both printed forms, Keras's own argument where they coincide, and another method than L2."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.optimizers import DecoupledWeightDecay
from keras_course.regularizers import WeightDecay

C, START = np.array([1.0, 8.0]), np.array([1.0, -2.0])


def path(optimizer, steps=5, slope=lambda w: C * w, name="kernel"):
    """Weights after each step on sum c w^2 / 2."""
    w = keras.Variable(START, dtype="float64", name=name)
    found = []
    for _ in range(steps):
        optimizer.apply([ops.convert_to_tensor(slope(w.numpy()))], [w])
        found.append(w.numpy().copy())
    return np.array(found)


def test_for_plain_gradient_descent_decay_and_penalty_are_one():
    decayed = path(DecoupledWeightDecay(keras.optimizers.SGD(0.0625), decay=0.25))
    penalized = path(keras.optimizers.SGD(0.0625), slope=lambda w: C * w + 0.25 * w)
    np.testing.assert_allclose(decayed, penalized, rtol=1e-14)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, keras.optimizers.RMSprop])
def test_for_adaptive_steps_decay_and_penalty_are_two_methods(optimizer):
    decayed = path(DecoupledWeightDecay(optimizer(0.0625), decay=0.25))
    penalized = path(optimizer(0.0625), slope=lambda w: C * w + 0.25 * w)
    assert np.abs(decayed - penalized).max() > 1e-2


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_the_decoupled_form_is_kerass_weight_decay(name):
    optimizer = getattr(keras.optimizers, name)
    ours = path(DecoupledWeightDecay(optimizer(0.125), decay=0.25))
    np.testing.assert_allclose(ours, path(optimizer(0.125, weight_decay=0.25)), rtol=1e-14)
    if name == "Adam":
        np.testing.assert_allclose(ours, path(keras.optimizers.AdamW(0.125, weight_decay=0.25)), rtol=1e-14)


def test_the_fixed_form_does_not_follow_the_rate():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.125, 0.0625])
    still = path(DecoupledWeightDecay(keras.optimizers.SGD(schedule), decay=0.25, form="fixed"), slope=lambda w: 0 * w)
    np.testing.assert_allclose(still, START * 0.75 ** np.arange(1, 6)[:, None], rtol=1e-12)
    following = path(DecoupledWeightDecay(keras.optimizers.SGD(schedule), decay=0.25), slope=lambda w: 0 * w)
    factors = np.cumprod([1 - 0.125 * 0.25] * 2 + [1 - 0.0625 * 0.25] * 3)
    np.testing.assert_allclose(following, START * factors[:, None], rtol=1e-12)


def test_the_gradient_is_that_of_the_weights_before_they_shrink():
    one = path(DecoupledWeightDecay(keras.optimizers.SGD(0.0625), decay=0.25, form="fixed"), steps=1)
    np.testing.assert_allclose(one[0], 0.75 * START - 0.0625 * C * START, rtol=1e-14)


def test_biases_and_normalization_are_left_alone_unless_asked():
    for name, exclude, decays in (
        ("bias", ("bias", "beta", "gamma"), False),
        ("bias", (), True),
        ("w", ("bias",), True),
    ):
        optimizer = DecoupledWeightDecay(keras.optimizers.SGD(0.5), decay=0.5, exclude=exclude)
        end = path(optimizer, steps=1, slope=lambda w: 0 * w, name=name)[0]
        np.testing.assert_allclose(end, START * (0.75 if decays else 1.0))


def test_accumulated_gradients_decay_once_an_update():
    inner = keras.optimizers.SGD(0.5, gradient_accumulation_steps=2)
    ends = path(DecoupledWeightDecay(inner, decay=0.5), steps=4, slope=lambda w: 0 * w)
    np.testing.assert_allclose(ends[:, 0], [1, 0.75, 0.75, 0.75**2])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_decays_kernels_and_not_biases(jit_compile):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, bias_initializer="ones")])
    kernel = model.layers[0].kernel.numpy()
    optimizer = DecoupledWeightDecay(keras.optimizers.SGD(0.5), decay=0.5)
    model.compile(optimizer, loss=lambda y, p: 0.0 * p, jit_compile=jit_compile)
    model.fit(np.ones((8, 2)), np.ones((8, 1)), batch_size=4, verbose=0)
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), 0.75**2 * kernel, rtol=1e-6)
    assert model.layers[0].bias.numpy() == 1 and int(optimizer.iterations) == 2


def test_callbacks_that_change_the_rate_reach_the_inner_optimizer():
    optimizer = DecoupledWeightDecay("sgd")
    optimizer.learning_rate = 0.25
    assert float(optimizer.optimizer.learning_rate) == 0.25 == float(optimizer.learning_rate)


def test_training_with_it_is_training_with_the_penalty_for_sgd():
    """The same end through Keras's two doors: kernel_regularizer, and the optimizer."""
    x = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
    ends = []
    for penalty, optimizer in (
        (WeightDecay(0.5), keras.optimizers.SGD(0.1)),
        (None, DecoupledWeightDecay(keras.optimizers.SGD(0.1), decay=0.5)),
    ):
        dense = keras.layers.Dense(2, kernel_initializer="ones", kernel_regularizer=penalty)
        model = keras.Sequential([keras.Input((3,)), dense])
        model.compile(optimizer, "mse")
        model.fit(x, x[:, :2], batch_size=4, epochs=3, shuffle=False, verbose=0)
        ends.append(model.get_weights())
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_bad_arguments_are_refused_with_what_came():
    for make, message in (
        (lambda: DecoupledWeightDecay("sgd", decay=-1), "decay=-1"),
        (lambda: DecoupledWeightDecay("sgd", form="penalty"), "form='penalty'"),
        (lambda: DecoupledWeightDecay(keras.optimizers.AdamW()), "weight_decay=0.004"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
