"""Layers over recurrent ones: both directions, one vector into every step, and memory in the output alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers import GRU, LSTM, RNN, Bidirectional, OutputRecurrentRNN, VectorToSequence, from_keras
from keras_course.ops import teacher_forced_inputs

RNG = np.random.default_rng(2)
X = RNG.normal(size=(3, 5, 4)).astype("float32")
Y = RNG.normal(size=(3, 5, 2)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], bool)


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_two_directions_are_keras_s_bidirectional(mode):
    theirs = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True, return_state=True), merge_mode=mode)
    theirs(X)
    ours = Bidirectional(from_keras(theirs.forward_layer), merge_mode=mode)
    ours.build(X.shape)
    weights = [from_keras(theirs.forward_layer).get_weights(), from_keras(theirs.backward_layer).get_weights()]
    ours.forward_layer.set_weights(weights[0])
    ours.backward_layer.set_weights(weights[1])
    for mask in (None, MASK):
        for one, other in zip(theirs(X, mask=mask), ours(X, mask=mask), strict=True):
            np.testing.assert_allclose(other, one, atol=2e-6)


def test_the_first_output_of_two_directions_moves_with_the_last_input_and_a_single_direction_s_does_not():
    x = tf.constant(X)
    for layer, wanted in (
        (Bidirectional(LSTM(3, return_sequences=True)), True),
        (LSTM(3, return_sequences=True), False),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            first = ops.sum(layer(x)[:, 0])
        assert bool(np.any(tape.gradient(first, x)[:, -1])) == wanted


def test_a_batch_of_unequal_lengths_goes_both_ways_as_each_sequence_alone():
    layer = Bidirectional(GRU(3, return_sequences=True))
    outputs = layer(X, mask=MASK)
    for row, length in enumerate((5, 2, 4)):
        np.testing.assert_allclose(outputs[row, :length], layer(X[row : row + 1, :length])[0], atol=1e-6)


def test_states_of_both_directions_can_be_given_and_come_back():
    layer = Bidirectional(RNN(3, return_state=True))
    outputs, forward, backward = layer(X, initial_state=[np.ones((3, 3)), -np.ones((3, 3))])
    np.testing.assert_array_equal(outputs, np.concatenate([forward, backward], axis=1))
    assert not np.allclose(forward, layer(X)[1])
    with pytest.raises(ValueError, match="recurrent layer"):
        Bidirectional(keras.layers.Dense(2))


def test_the_vector_reaches_every_step_with_one_matrix():
    layer = VectorToSequence(3, output_units=2)
    vector = tf.constant(RNG.normal(size=(3, 6)).astype("float32"))
    with tf.GradientTape() as tape:
        outputs = layer(vector, Y)
        loss = ops.sum(outputs**2)
    assert np.any(tape.gradient(loss, layer.vector_kernel.value))
    joined = RNN(3, return_sequences=True, output_units=2)
    joined.build((None, None, 8))
    own = layer.get_weights()
    joined.cell.set_weights([np.concatenate([own[1], own[0]]), *own[2:]])
    repeated = np.concatenate([Y, np.repeat(np.asarray(vector)[:, None], 5, axis=1)], axis=-1)
    np.testing.assert_allclose(outputs, joined(repeated), atol=1e-6)


def test_running_free_is_what_teaching_with_the_own_outputs_gives():
    layer = VectorToSequence(3, output_units=2)
    vector = RNG.normal(size=(3, 6)).astype("float32")
    layer(vector, Y)
    free = layer.generate(vector, Y[:, 0], 7)
    taught = layer(vector, np.concatenate([Y[:, :1], free[:, :-1]], axis=1))
    np.testing.assert_allclose(free, taught, atol=1e-6)
    doubled = layer.generate(vector, Y[:, 0], 7, emit=lambda o: 2 * o)
    assert not np.allclose(doubled[:, 1:], free[:, 1:])


@pytest.mark.parametrize("feedback", ["softmax", "one_hot", "linear", "tanh", "sigmoid"])
def test_a_teacher_who_repeats_the_network_s_own_words_changes_nothing(feedback):
    layer = OutputRecurrentRNN(4, output_units=2, feedback=feedback)
    free = layer(X)
    np.testing.assert_allclose(layer(X, teacher=layer.fed_back(free)), free, atol=1e-6)
    assert not np.allclose(layer(X, teacher=Y), free)


def test_under_a_teacher_no_step_waits_for_another():
    layer = OutputRecurrentRNN(4, output_units=2)
    y = tf.constant(Y)
    with tf.GradientTape() as tape:
        tape.watch(y)
        last = ops.sum(layer(X, teacher=y)[:, -1])
    moved = np.any(np.asarray(tape.gradient(last, y)), axis=(0, 2))
    np.testing.assert_array_equal(moved, [False, False, False, True, False])
    graph = tf.function(lambda x, y: layer(x, teacher=y), autograph=False).get_concrete_function(X, Y)
    assert not [op.name for op in graph.graph.get_operations() if "While" in op.type]


def test_mixing_lies_between_the_teacher_and_running_free():
    taught = OutputRecurrentRNN(4, output_units=2, feedback="linear")
    taught.build(X.shape)
    for probability, wanted in ((1.0, taught(X, teacher=Y)), (0.0, taught(X))):
        layer = OutputRecurrentRNN(4, output_units=2, feedback="linear", truth_probability=probability, seed=1)
        layer.build(X.shape)
        for variable, value in zip(layer.trainable_variables, taught.trainable_variables, strict=True):
            variable.assign(value)
        np.testing.assert_allclose(layer(X, teacher=Y, training=True), wanted, atol=1e-6)
        np.testing.assert_allclose(layer(X, teacher=Y), taught(X, teacher=Y), atol=1e-6)
    layer.truth_probability = 0.5
    one, other = layer(X, teacher=Y, training=True), layer(X, teacher=Y, training=True)
    assert not np.allclose(one, other)


def test_a_taught_net_learns_to_count_by_its_own_output():
    """Parity of the bits so far: the output carries the state, so output-to-hidden connections suffice."""
    keras.utils.set_random_seed(0)
    bits = np.random.default_rng(0).integers(0, 2, size=(64, 12))
    parity = np.cumsum(bits, axis=1) % 2
    x, y = bits[:, :, None].astype("float32"), np.eye(2, dtype="float32")[parity]
    layer = OutputRecurrentRNN(8, output_units=2, feedback="one_hot")
    layer.build(x.shape)
    optimizer = keras.optimizers.Adam(0.05)
    weights = layer.trainable_variables

    @tf.function(jit_compile=True)
    def step():
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.categorical_crossentropy(y, layer(x, teacher=y), from_logits=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w.value for w in weights]), weights, strict=True))

    for _ in range(150):
        step()
    longer = np.random.default_rng(1).integers(0, 2, size=(32, 40))
    found = ops.argmax(layer(longer[:, :, None].astype("float32")), axis=-1)
    assert np.mean(np.asarray(found) == np.cumsum(longer, axis=1) % 2) > 0.99
    assert np.asarray(teacher_forced_inputs(y)).shape == y.shape
