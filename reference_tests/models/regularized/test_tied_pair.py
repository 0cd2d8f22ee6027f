"""TiedPair: two models that become one as the penalty grows."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.losses import SoftmaxLoss
from keras_course.models.regularized import TiedPair

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 2)).astype("float32")
WHOSE = (np.arange(60) % 2).astype("float32")
X = np.c_[POINTS, WHOSE].astype("float32")
Y = np.where(WHOSE == 0, POINTS[:, 0] > 0, POINTS[:, 0] + 0.7 * POINTS[:, 1] > 0).astype("int32")


@functools.cache
def trained(strength, steps=60):
    pair = TiedPair(2, (2,), strength, seed=1)
    pair.compile(keras.optimizers.SGD(0.02 if strength > 1 else 0.1), SoftmaxLoss())
    pair.fit(np.tile(X, (steps, 1)), np.tile(Y, steps), batch_size=60, verbose=0, shuffle=False)
    return pair


def weights(chain):
    return [variable.numpy() for layer in chain for variable in layer.trainable_variables]


def test_each_example_is_answered_by_its_own_model():
    pair = TiedPair(2, (4, 3), seed=3)
    pair.second[1].bias.assign([1.0, 2.0, 3.0])
    logits = ops.convert_to_numpy(pair(X))
    for chain, rows in ((pair.first, WHOSE == 0), (pair.second, WHOSE == 1)):
        hidden = np.maximum(POINTS[rows] @ chain[0].kernel.numpy() + chain[0].bias.numpy(), 0)
        wanted = hidden @ chain[1].kernel.numpy() + chain[1].bias.numpy()
        np.testing.assert_allclose(logits[rows], wanted, rtol=1e-4, atol=1e-5)


def test_both_start_from_the_same_weights_and_the_seed_decides_which():
    pair, other = TiedPair(2, (4, 3), seed=3), TiedPair(2, (4, 3), seed=4)
    assert all(np.array_equal(a, b) for a, b in zip(weights(pair.first), weights(pair.second), strict=True))
    assert not np.array_equal(weights(pair.first)[0], weights(other.first)[0])


def test_the_reported_loss_is_the_cost_plus_the_penalty():
    pair = TiedPair(2, (2,), strength=0.25)
    pair.second[0].bias.assign([1.0, -1.0])
    pair.compile("sgd", SoftmaxLoss())
    plain = float(SoftmaxLoss()(Y, pair(X)))
    reported = pair.evaluate(X, Y, batch_size=60, verbose=0)
    np.testing.assert_allclose(reported, plain + 0.25 * 2.0, rtol=1e-5)


def test_the_models_come_closer_as_the_strength_grows_and_become_one():
    distances = [float(trained(strength).distance()) for strength in (0.0, 0.1, 10.0)]
    assert distances[0] > 3 * distances[1] > 3 * distances[2] and distances[2] < 1e-3


def test_strength_zero_trains_each_model_as_if_it_were_alone():
    """One half of the batch at half the rate: its examples were half of the mean."""
    pair, alone = trained(0.0), TiedPair(2, (2,), 0.0, seed=1)
    alone.compile(keras.optimizers.SGD(0.05), SoftmaxLoss())
    x, y = X[WHOSE == 1], Y[WHOSE == 1]
    alone.fit(np.tile(x, (60, 1)), np.tile(y, 60), batch_size=30, verbose=0, shuffle=False)
    for one, other in zip(weights(pair.second), weights(alone.second), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_bad_arguments_are_refused_with_what_came():
    for arguments, message in (
        ((2, (3,), -1), "strength=-1"),
        ((2, 3), "units=3"),
        ((0, (3,)), "features=0"),
    ):
        with pytest.raises(ValueError, match=message):
            TiedPair(*arguments)
    with pytest.raises(ValueError, match="3 features"):
        TiedPair(2, (3,))(POINTS)
