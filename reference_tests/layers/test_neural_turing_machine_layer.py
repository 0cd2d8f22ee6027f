"""The layer keeps the contract of recurrent layers: states handed on, masks, wrappers, stateful, unrolled."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.layers.recurrent import NTM, NTMCell
from keras_course.losses.asked_bits import AskedBitsLoss
from keras_course.metrics.bit_error import BitError

X = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
SIZES = {"slots": 5, "width": 2, "read_heads": 2}


def layer(**how):
    keras.utils.set_random_seed(0)
    made = NTM(4, **SIZES, **{"return_sequences": True, **how})
    made.build((2, 6, 3))
    return made


def test_states_handed_on_continue_the_sequence():
    first = layer(return_state=True)
    whole, *last = first(X)
    begun, *states = first(X[:, :2])
    rest, *ended = first(X[:, 2:], initial_state=states)
    np.testing.assert_allclose(ops.concatenate([begun, rest], axis=1), whole, atol=1e-6)
    for one, other in zip(ended, last, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert [state.shape[1] for state in last] == first.cell.state_size


def test_unrolled_trained_and_inside_keras_rnn_it_computes_the_same():
    made = layer()
    wanted = made(X)
    for how in ({"unroll": True}, {"return_state": True}):
        other = layer(**how)
        found = other(X)
        np.testing.assert_allclose(found[0] if how.get("return_state") else found, wanted, atol=1e-6)
    np.testing.assert_allclose(made(X, training=True), wanted, atol=1e-6)
    cell = NTMCell(4, **SIZES)
    cell.build((2, 3))
    cell.set_weights(made.get_weights())
    np.testing.assert_allclose(keras.layers.RNN(cell, return_sequences=True)(X), wanted, atol=1e-6)


def test_masked_steps_leave_memory_and_heads_alone():
    made = layer(return_state=True)
    mask = np.array([[True] * 6, [True, False, True, False, True, False]])
    _, *states = made(X, mask=ops.convert_to_tensor(mask))
    _, *alone = made(X[1:, ::2])
    for one, other in zip(states, alone, strict=True):
        np.testing.assert_allclose(one[1], other[0], atol=1e-6)


def test_backwards_is_the_turned_sequence_and_both_directions_fit_together():
    np.testing.assert_allclose(layer(go_backwards=True)(X), layer()(X[:, ::-1]), atol=1e-6)
    both = keras.layers.Bidirectional(layer())(X)
    assert both.shape == (2, 6, 16)


def test_a_stateful_layer_goes_on_and_returns_to_its_learned_start():
    made = layer(stateful=True)
    parts = [made(X[:, :4]), made(X[:, 4:])]
    np.testing.assert_allclose(ops.concatenate(parts, axis=1), layer()(X), atol=1e-6)
    made.reset_state()
    np.testing.assert_allclose(made(X), layer()(X), atol=1e-6)


def test_where_the_heads_begin_is_on_the_first_slot_and_learned():
    made = layer(learn_memory=True)
    _, _, reading, writing, memory = made.cell.get_initial_state(1)
    np.testing.assert_allclose(np.asarray(reading).reshape(2, 5)[:, 0], np.exp(4) / (np.exp(4) + 4), rtol=1e-6)
    assert writing.shape == (1, 5) and np.all(np.asarray(memory) == np.float32(1e-6))
    names = {weight.name for weight in made.trainable_weights}
    assert {"first_focus", "first_read", "first_memory"} <= names
    assert "first_memory" not in {weight.name for weight in layer().trainable_weights}
    with pytest.raises(ValueError, match="once it is built"):
        NTMCell(4, **SIZES).get_initial_state(1)


def test_loss_and_metric_of_asked_bits_are_those_of_keras_where_all_are_asked_for():
    labels, logits = np.random.default_rng(1).integers(0, 2, (3, 4, 2)), np.random.default_rng(2).normal(size=(3, 4, 2))
    binary = keras.losses.BinaryCrossentropy(from_logits=True)
    np.testing.assert_allclose(AskedBitsLoss()(labels, logits), binary(labels, logits), rtol=1e-6)
    error = BitError()
    error.update_state(labels[:1], logits[:1])
    error.update_state(labels[1:], logits[1:])
    assert float(error.result()) == pytest.approx(np.mean(labels != (logits > 0)))
    error.reset_state()
    assert float(error.result()) == 0
