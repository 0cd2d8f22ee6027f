"""The BatchNormalization layer: equal to Keras's, safe on empty batches, global under a strategy where asked."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers import BatchNormalization

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5, 3)).astype("float32") * 2 + 1


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def pair(shape, **kwargs):
    """Ours and Keras's with equal weights."""
    ours, theirs = BatchNormalization(**kwargs), keras.layers.BatchNormalization(**kwargs)
    for layer in (ours, theirs):
        layer.build(shape)
    weights = [RNG.uniform(0.5, 2, variable.shape).astype("float32") for variable in theirs.variables]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


@pytest.mark.parametrize(
    "kwargs",
    [{}, {"momentum": 0.5, "epsilon": 0.1}, {"axis": 1}, {"center": False}, {"scale": False}, {"axis": -2}],
    ids=str,
)
def test_it_is_kerass_layer_under_weight_conversion(kwargs):
    ours, theirs = pair(X.shape, **kwargs)
    for training in (True, False, True):
        for x in (X, X[:2]):
            outputs = [array(layer(x, training=training)) for layer in (ours, theirs)]
            np.testing.assert_allclose(*outputs, rtol=2e-5, atol=2e-6)
    for mine, keras_own in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-5, atol=1e-6)


def test_masked_batches_are_kerass_too():
    ours, theirs = pair(X.shape)
    mask = ops.convert_to_tensor(RNG.uniform(size=X.shape[:2]) < 0.6)
    outputs = [array(layer(X, training=True, mask=mask)) for layer in (ours, theirs)]
    np.testing.assert_allclose(*outputs, rtol=2e-5, atol=2e-6)
    for mine, keras_own in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-5, atol=1e-6)


def test_both_train_to_the_same_weights():
    models = []
    for layer in pair((None, 3)):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, kernel_initializer="identity"), layer])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        x = X.reshape(-1, 3)
        model.fit(x, x[:, ::-1], batch_size=7, epochs=2, shuffle=False, verbose=0)
        models.append(model)
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_a_batch_without_examples_leaves_the_moving_averages_finite_and_unmoved(mode):
    layer = BatchNormalization()
    layer.build((None, 3))
    call = layer if mode == "eager" else tf.function(layer, autograph=False)
    call(tf.constant(X[:, 0]), training=True)
    before = layer.get_weights()
    assert call(tf.zeros((0, 3)), training=True).shape == (0, 3)
    for now, then in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-6)
    theirs = keras.layers.BatchNormalization()
    theirs(tf.zeros((0, 3)), training=True)
    assert np.isnan(theirs.get_weights()[2]).all()  # why this test is here


def test_a_wholly_masked_batch_uses_the_global_statistics():
    layer = BatchNormalization()
    layer.build(X.shape)
    before = layer.get_weights()
    hidden = ops.zeros(X.shape[:2], "bool")
    came = layer(X, training=True, mask=hidden)
    np.testing.assert_allclose(array(came), array(layer(X, training=False)), rtol=1e-6)
    for now, then in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-6)


def test_a_frozen_layer_uses_and_keeps_its_global_statistics():
    layer = BatchNormalization(trainable=False)
    layer.build((None, 3))
    before = layer.get_weights()
    np.testing.assert_array_equal(array(layer(X[:, 0], training=True)), array(layer(X[:, 0], training=False)))
    assert all(np.array_equal(now, then) for now, then in zip(layer.get_weights(), before, strict=True))


def test_two_replicas_share_the_statistics_of_the_global_batch_where_asked(checkout, tmp_path):
    script, out = "reference_tests.layers.regularize_on_replicas", tmp_path / "found.npz"
    result = subprocess.run([sys.executable, "-m", script, str(out)], cwd=checkout, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    found = dict(np.load(out))
    x, mask = found["x"], found["mask"].astype(bool)
    seen = x[mask]
    assert mask[:4].sum() != mask[4:].sum()  # the replicas hold unequal numbers of examples
    np.testing.assert_allclose(found["synchronized_mean"], seen.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["synchronized_variance"], seen.var(0), rtol=1e-5)
    halves = [x[:4][mask[:4]], x[4:][mask[4:]]]
    np.testing.assert_allclose(found["local_mean"], np.mean([half.mean(0) for half in halves], 0), rtol=1e-5, atol=1e-6)
    # The same run: weights decay once a step on both replicas, and masks differ between replicas.
    np.testing.assert_allclose(found["decayed"], 0.9**3 * np.ones(2), rtol=1e-6)
    assert found["masks"].shape[0] == 2 and not np.array_equal(*found["masks"])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"momentum": 1.0}, r"momentum in \[0, 1\). Received: momentum=1.0"),
        ({"epsilon": -1e-3}, "epsilon >= 0. Received: epsilon=-0.001"),
        ({"axis": (1, 2)}, "one integer axis"),
    ],
)
def test_bad_arguments_are_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchNormalization(**arguments)


@pytest.mark.parametrize("axis, shape", [(-1, (4,)), (3, (2, 3)), (0, (2, 3)), (-1, (2, None))])
def test_bad_shapes_are_refused_with_what_came(axis, shape):
    with pytest.raises(ValueError, match="BatchNormalization expects"):
        BatchNormalization(axis=axis).build(shape)
