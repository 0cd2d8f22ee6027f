"""Regularizers, the soft threshold and the activity penalty inside Keras: equal to stock, serialisable, exact zeros."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.serial import load, save_model
from keras_course.layers import ActivityPenalty
from keras_course.ops.regression import lasso
from keras_course.regularizers import L1, SoftThreshold, WeightDecay

W = np.random.default_rng(0).normal(size=(4, 3))


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_penalties_are_kerass_own():
    np.testing.assert_allclose(float(WeightDecay(0.3)(W)), float(keras.regularizers.L2(0.15)(W)), rtol=1e-6)
    np.testing.assert_allclose(float(L1(0.3)(W)), float(keras.regularizers.L1(0.3)(W)), rtol=1e-6)
    np.testing.assert_allclose(float(WeightDecay(0.3)(W)), 0.15 * np.sum(W**2), rtol=1e-12)


def test_a_saved_model_keeps_its_penalties_and_threshold(tmp_path):
    dense = keras.layers.Dense(
        3, kernel_regularizer=WeightDecay(0.25), bias_regularizer=L1(0.5), kernel_constraint=SoftThreshold(0.1, 0.01)
    )
    model = keras.Sequential([keras.Input((4,)), dense, ActivityPenalty(0.125)])
    save_model(model, tmp_path / "model.keras")
    layer, penalty = load(tmp_path / "model.keras").layers
    assert (layer.kernel_regularizer.alpha, layer.bias_regularizer.alpha, penalty.alpha) == (0.25, 0.5, 0.125)
    assert layer.kernel_constraint.get_config() == {"alpha": 0.1, "learning_rate": 0.01}


def test_gradient_descent_with_a_soft_threshold_ends_at_the_lasso():
    """Zeros are exact, and the same ones; with L1 in the cost instead no weight is exactly zero."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 6)).astype("float32")
    y = (x @ np.array([2.0, 0, 0, -1.0, 0, 0.05]) + 0.1 * rng.normal(size=60)).astype("float32")[:, None]
    ends = {}
    for name, kwargs in (
        ("threshold", {"kernel_constraint": SoftThreshold(0.3, learning_rate=0.1)}),
        ("penalty", {"kernel_regularizer": L1(0.3)}),
    ):
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, use_bias=False, **kwargs)])
        model.compile(keras.optimizers.SGD(0.1), "mse", steps_per_execution=50)
        model.fit(np.tile(x, (100, 1)), np.tile(y, (100, 1)), batch_size=60, shuffle=False, verbose=0)
        ends[name] = model.layers[0].kernel.numpy()[:, 0]
    best = array(lasso(x.astype("float64"), y[:, 0].astype("float64"), alpha=0.3))
    np.testing.assert_allclose(ends["threshold"], best, atol=1e-4)
    assert ((ends["threshold"] == 0) == (best == 0)).all() and 3 <= (best == 0).sum() <= 4
    assert np.all(ends["penalty"] != 0)


def test_the_activity_penalty_is_kerass_activity_regularizer_without_a_mask():
    x = np.random.default_rng(2).normal(size=(5, 7, 3)).astype("float32")
    ours, theirs = ActivityPenalty(0.3), keras.layers.ActivityRegularization(l1=0.3)
    assert np.array_equal(array(ours(x)), x)
    theirs(x)
    np.testing.assert_allclose(float(ours.losses[0]), float(theirs.losses[0]), rtol=1e-6)


def test_masked_steps_cost_nothing_and_an_empty_batch_costs_zero():
    x, mask = np.ones((2, 4, 3), "float32"), np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)
    layer = ActivityPenalty(0.5)
    layer(x, mask=ops.convert_to_tensor(mask))
    assert float(layer.losses[0]) == 0.5 * 4 * 3 / 2
    empty = ActivityPenalty(0.5)
    empty(np.zeros((0, 3), "float32"))
    assert float(empty.losses[0]) == 0.0


def test_the_penalty_makes_the_representation_sparse():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(64, 8)).astype("float32")
    active = {}
    for alpha in (0.0, 0.1):
        keras.utils.set_random_seed(0)
        hidden = keras.layers.Dense(16, "relu")
        model = keras.Sequential([keras.Input((8,)), hidden, ActivityPenalty(alpha), keras.layers.Dense(8)])
        model.compile(keras.optimizers.Adam(0.01), "mse", steps_per_execution=50)
        model.fit(np.tile(x, (150, 1)), np.tile(x, (150, 1)), batch_size=64, shuffle=False, verbose=0)
        active[alpha] = np.mean(array(hidden(x)) > 0)
    assert active[0.1] < 0.75 * active[0.0]


@pytest.mark.parametrize("make", [WeightDecay, L1, ActivityPenalty])
@pytest.mark.parametrize("alpha", [-0.1, float("inf"), True, "0.1"])
def test_a_bad_strength_is_refused_with_what_came(make, alpha):
    with pytest.raises(ValueError, match=f"Received: alpha={alpha!r}"):
        make(alpha)


def test_a_bad_threshold_is_refused_with_what_came():
    with pytest.raises(ValueError, match="learning_rate=-1"):
        SoftThreshold(0.1, -1)
