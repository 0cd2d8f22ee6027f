"""Delta-bar-delta: rates follow signs; mini-batches are refused, wherever it can be known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.optimizers import DeltaBarDelta
from reference_tests.optimizers.small_net import X, Y, compiled_net


def test_a_rate_grows_by_sums_while_the_sign_stays_and_shrinks_by_factors_when_it_turns():
    theta = keras.Variable([0.0, 0.0])
    optimizer = DeltaBarDelta(0.1, increase=0.5, decrease=0.25, averaging=0.0, full_batch=True)
    for signs in ((1.0, 1.0), (1.0, -1.0), (1.0, 1.0), (1.0, 1.0)):
        optimizer.apply([keras.ops.convert_to_tensor(signs)], [theta])
    gains = keras.ops.convert_to_numpy(optimizer.gains[0])
    assert gains == pytest.approx([1 + 3 * 0.5, 0.75 * 0.75 + 0.5])


def test_a_gradient_of_zero_changes_no_rate():
    theta, optimizer = keras.Variable([1.0]), DeltaBarDelta(0.1, full_batch=True)
    for slope in (1.0, 0.0, 0.0):
        optimizer.apply([keras.ops.convert_to_tensor([slope])], [theta])
    assert float(optimizer.gains[0][0]) == 1.0
    assert float(theta[0]) == pytest.approx(0.9)


def test_tiny_gradients_of_one_sign_count_as_one_sign():
    theta, optimizer = keras.Variable([1.0]), DeltaBarDelta(0.1, increase=1.0, full_batch=True)
    for _ in range(2):
        optimizer.apply([keras.ops.convert_to_tensor([1e-30])], [theta])  # their product is 0 in float32
    assert float(optimizer.gains[0][0]) == 2.0


def test_fit_with_all_data_in_one_batch_trains_faster_than_its_fixed_rate():
    adaptive = compiled_net(DeltaBarDelta(0.02, increase=0.5))
    fixed = compiled_net(keras.optimizers.SGD(0.02))
    losses = [net.fit(X, Y, batch_size=len(X), epochs=30, verbose=0).history["loss"][-1] for net in (adaptive, fixed)]
    assert losses[0] < 0.6 * losses[1]


def test_fit_with_mini_batches_is_refused_before_the_first_step():
    net = compiled_net(DeltaBarDelta(0.02))
    with pytest.raises(ValueError, match="whole training set.*Received: 2 batches an epoch"):
        net.fit(X, Y, batch_size=24, verbose=0)
    assert int(net.optimizer.iterations) == 0


def test_the_promise_of_full_batches_does_not_open_fit_to_mini_batches():
    net = compiled_net(DeltaBarDelta(0.02, full_batch=True))
    with pytest.raises(ValueError, match="Received: 3 batches an epoch"):
        net.fit(X, Y, batch_size=16, verbose=0)


def test_a_fit_that_was_fine_does_not_vouch_for_the_next():
    net = compiled_net(DeltaBarDelta(0.02))
    net.fit(X, Y, batch_size=len(X), verbose=0)
    with pytest.raises(ValueError, match="Received: 2 batches an epoch"):
        net.fit(X, Y, batch_size=24, verbose=0)


def stream(parts):
    spec = (tf.TensorSpec((None, 3)), tf.TensorSpec((None, 2)))
    pieces = list(zip(np.split(X, parts), np.split(Y, parts), strict=True))
    return tf.data.Dataset.from_generator(lambda: iter(pieces), output_signature=spec)


def test_a_stream_of_unknown_length_is_refused_once_there_is_a_second_batch():
    net = compiled_net(DeltaBarDelta(0.02))
    net.fit(stream(1), epochs=2, verbose=0)
    with pytest.raises(ValueError, match="Received: a batch number 2 in one epoch"):
        net.fit(stream(2), verbose=0)
    hasty = compiled_net(DeltaBarDelta(0.02), steps_per_execution=2)
    with pytest.raises(ValueError, match="unknown number of batches"):
        hasty.fit(stream(2), verbose=0)


def test_a_list_of_callbacks_made_by_hand_is_watched_as_well():
    net = compiled_net(DeltaBarDelta(0.02))
    callbacks = keras.callbacks.CallbackList([], model=net)
    with pytest.raises(ValueError, match="Received: a batch number 2"):
        net.fit(X, Y, batch_size=24, verbose=0, callbacks=callbacks)


def test_mini_batches_put_together_again_are_one_full_batch():
    whole, parts = compiled_net(DeltaBarDelta(0.02)), compiled_net(DeltaBarDelta(0.02, gradient_accumulation_steps=2))
    whole.fit(X, Y, batch_size=48, epochs=5, verbose=0)
    parts.fit(X, Y, batch_size=24, epochs=5, shuffle=False, verbose=0)
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        assert np.abs(one - other).max() < 1e-5


def test_where_nobody_counts_the_promise_must_be_given():
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    net.compile(DeltaBarDelta(0.02), loss="mse")
    with pytest.raises(ValueError, match="full_batch=True"):
        net.fit(X, Y, batch_size=len(X), verbose=0)
    net.compile(DeltaBarDelta(0.02, full_batch=True), loss="mse")
    net.fit(X, Y, batch_size=len(X), verbose=0)
