"""The final pass: exact moments over all examples, layer by layer, for ours and for Keras's layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.callbacks import GlobalStatistics, fix_global_statistics
from keras_course.layers import BatchNormalization

X = np.random.default_rng(0).normal(size=(23, 4)).astype("float32") * [1, 5, 0.2, 2] + [0, 30, 1, -1]
X = X.astype("float32")


def two_hidden_layers(normalization=BatchNormalization):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5),
            normalization(epsilon=1e-3),
            keras.layers.Activation("tanh"),
            keras.layers.Dense(3),
            normalization(epsilon=1e-3),
        ]
    )


def by_hand(model):
    """Moments in float64, the second layer's behind the first one fixed."""
    first, norm, _, second, _ = model.layers
    z = X.astype("float64") @ first.kernel.numpy() + first.bias.numpy()
    h = np.tanh(norm.gamma.numpy() * (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-3) + norm.beta.numpy())
    a = h @ second.kernel.numpy() + second.bias.numpy()
    return [z.mean(0), z.var(0), a.mean(0), a.var(0)]


def statistics(model):
    return [variable.numpy() for layer in model.layers for variable in layer.non_trainable_variables]


@pytest.mark.parametrize("normalization", [BatchNormalization, keras.layers.BatchNormalization])
@pytest.mark.parametrize("batch_size", [1, 10, 23])
def test_statistics_are_those_of_all_examples_however_they_are_cut(normalization, batch_size):
    model = two_hidden_layers(normalization)
    for layer in model.layers:  # gamma and beta away from their start
        if hasattr(layer, "gamma"):
            layer.moving_mean.assign(layer.moving_mean + 7)
    fixed = fix_global_statistics(model, X, batch_size)
    assert len(fixed) == 2
    for came, wanted in zip(statistics(model), by_hand(model), strict=True):
        np.testing.assert_allclose(came, wanted, rtol=2e-5, atol=1e-6)


def test_fixing_both_layers_at_once_would_be_wrong():
    """One pass that measures both layers sees the second behind the first one's old statistics."""
    model = two_hidden_layers()
    seen = model.layers[3](np.tanh(model.layers[1](model.layers[0](X)))).numpy()
    fix_global_statistics(model, X)
    assert np.abs(seen.mean(0) - statistics(model)[2]).max() > 0.05


def test_the_pass_runs_at_the_end_of_fit_and_then_outputs_are_standardized():
    model = two_hidden_layers()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :3], batch_size=10, epochs=2, verbose=0, callbacks=[GlobalStatistics(X, batch_size=10)])
    for came, wanted in zip(statistics(model), by_hand(model), strict=True):
        np.testing.assert_allclose(came, wanted, rtol=2e-5, atol=1e-6)
    y = model.predict(X, verbose=0)
    gamma, beta = model.layers[4].gamma.numpy(), model.layers[4].beta.numpy()
    np.testing.assert_allclose(y.mean(0), beta, atol=1e-4)
    np.testing.assert_allclose(y.std(0), gamma, rtol=1e-2)


def test_batches_of_a_data_set_and_of_a_list_give_what_arrays_give():
    arrays, dataset, batches = two_hidden_layers(), two_hidden_layers(), two_hidden_layers()
    for model in (dataset, batches):
        model.set_weights(arrays.get_weights())
    fix_global_statistics(arrays, X)
    fix_global_statistics(dataset, tf.data.Dataset.from_tensor_slices((X, X)).batch(7))
    fix_global_statistics(batches, [(X[:20], None), (X[20:], None)])
    for model in (dataset, batches):
        for came, wanted in zip(statistics(model), statistics(arrays), strict=True):
            np.testing.assert_allclose(came, wanted, rtol=1e-5, atol=1e-6)


def test_masked_steps_frozen_layers_and_layers_called_twice():
    shared, frozen = BatchNormalization(), BatchNormalization(trainable=False)
    steps = keras.Input((3, 2))
    hidden = keras.layers.Masking(0.0)(steps)
    model = keras.Model(steps, keras.layers.add([shared(hidden), frozen(shared(keras.layers.ReLU()(hidden)))]))
    x = np.random.default_rng(1).normal(size=(5, 3, 2)).astype("float32")
    x[2:, 2] = 0.0  # masked
    assert len(fix_global_statistics(model, x, batch_size=2)) == 1
    seen = x[np.any(x != 0, -1)]
    both = np.concatenate([seen, np.maximum(seen, 0)])
    np.testing.assert_allclose(shared.moving_mean.numpy(), both.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(shared.moving_variance.numpy(), both.var(0), rtol=1e-5)
    assert np.all(frozen.moving_mean.numpy() == 0) and np.all(frozen.moving_variance.numpy() == 1)
    assert "call" not in vars(shared)  # nothing of the watching stays


def test_a_model_without_such_layers_is_left_alone():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert fix_global_statistics(model, X) == []


def test_bad_data_and_layers_are_refused_with_what_came():
    model = two_hidden_layers()
    with pytest.raises(ValueError, match="more than once. Received: data=generator"):
        fix_global_statistics(model, (batch for batch in [X]))
    with pytest.raises(ValueError, match="at least one example"):
        fix_global_statistics(model, X[:0])
    with pytest.raises(ValueError, match="batch_size=0"):
        GlobalStatistics(X, batch_size=0)
    renormalizing = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(renorm=True)])
    with pytest.raises(ValueError, match="renormalizes"):
        fix_global_statistics(renormalizing, X)
