"""States before the first step that are learned with the other weights, and not zeros."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers import GRU, LSTM, RNN, Bidirectional, PeepholeLSTM, from_keras, to_keras

X = np.random.default_rng(3).normal(size=(4, 6, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 0, 0]], bool)
MAKERS = {
    "rnn with skips": lambda **how: RNN(4, skips=(3,), output_units=2, **how),
    "lstm": lambda **how: LSTM(4, **how),
    "peephole": lambda **how: PeepholeLSTM(4, peepholes="full", **how),
    "gru": lambda **how: GRU(4, **how),
}
RANDOM = keras.initializers.RandomNormal(seed=1)


def learner(name, **how):
    layer = MAKERS[name](learn_initial_state=True, initial_state_initializer=RANDOM, **how)
    layer.build((4, None, 3))
    layer.cell.initial_state.assign(20 * layer.cell.initial_state)
    return layer


def rows(layer):
    return [np.tile(state, (4, 1)) for state in np.asarray(layer.cell.initial_state)]


def leaves(outputs):
    return [np.asarray(each) for each in keras.tree.flatten(outputs)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", MAKERS)
def test_a_learned_start_is_that_state_given(name, training):
    layer = learner(name, return_sequences=True, return_state=True)
    plain = MAKERS[name](return_sequences=True, return_state=True)
    plain.build((4, None, 3))
    plain.set_weights([w for v, w in zip(layer.weights, layer.get_weights(), strict=True) if v.name != "initial_state"])
    for mask in (None, MASK):
        given = leaves(plain(X, initial_state=rows(layer), mask=mask, training=training))
        for one, other in zip(given, leaves(layer(X, mask=mask, training=training)), strict=True):
            np.testing.assert_array_equal(one, other)
    zeros = [np.zeros((4, 4), "float32")] * len(rows(layer))
    for one, other in zip(leaves(plain(X)), leaves(layer(X, initial_state=zeros)), strict=True):
        np.testing.assert_array_equal(one, other)  # what is given comes before what was learned
    assert not np.allclose(leaves(plain(X))[0], leaves(layer(X))[0], atol=1e-2)


@pytest.mark.parametrize("name", MAKERS)
def test_its_gradient_is_the_change_that_a_small_step_makes(name):
    layer = learner(name, return_sequences=True, dtype="float64")
    start, x, mask = layer.cell.initial_state, X.astype("float64"), tf.constant(MASK)

    def loss(training=True):
        return ops.sum(ops.sin(3.0 * layer(x, mask=mask, training=training)))

    with tf.GradientTape() as tape:
        value = loss()
    gradient = np.asarray(tape.gradient(value, start.value))
    before = np.asarray(start)
    assert np.all(np.abs(gradient) > 1e-6)  # every state of every unit counts
    for place in np.ndindex(before.shape):
        change = []
        for step in (1e-5, -1e-5):
            moved = before.copy()
            moved[place] += step
            start.assign(moved)
            change.append(float(loss(training=False)))
        assert (change[0] - change[1]) / 2e-5 == pytest.approx(gradient[place], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", MAKERS)
def test_a_stream_begins_at_the_learned_start_and_returns_there(name):
    layer = learner(name, return_sequences=True)
    whole, states = np.asarray(layer(X)), layer.get_initial_state(batch_size=4)
    for t in range(6):
        output, states = layer.cell(X[:, t], states)
        np.testing.assert_allclose(output, whole[:, t], atol=1e-6)
    stateful = learner(name, return_sequences=True, stateful=True)
    for variable, value in zip(stateful.trainable_variables, layer.trainable_variables, strict=True):
        variable.assign(value)
    for _ in range(2):
        stateful.reset_state()
        pieces = [stateful(X[:, :2]), stateful(X[:, 2:3]), stateful(X[:, 3:])]
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-6)


def test_rows_masked_throughout_and_sequences_of_no_step_end_where_they_began():
    for name in MAKERS:
        layer = learner(name, return_sequences=True, return_state=True)
        for training in (False, True):
            _, *states = layer(X, mask=np.zeros((4, 6), bool), training=training)
            _, *none = layer(X[:, :0], training=training)
            for start, state, other in zip(rows(layer), states, none, strict=True):
                np.testing.assert_array_equal(state, start)
                np.testing.assert_array_equal(other, start)
        assert tuple(layer(X[:0])[0].shape)[:2] == (0, 6)


def test_both_directions_learn_a_start_of_their_own_and_a_file_keeps_them(tmp_path):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, Bidirectional(LSTM(2, learn_initial_state=True))(inputs))
    starts = [v for v in model.trainable_variables if v.name == "initial_state"]
    assert [tuple(start.shape) for start in starts] == [(2, 2), (2, 2)]
    model.compile("sgd", "mse")
    model.fit(X, np.ones((4, 4)), epochs=2, verbose=0)
    assert all(np.all(np.asarray(start) != 0) for start in starts)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(X), model(X))


def test_keras_has_no_such_layer():
    with pytest.raises(ValueError, match="learn_initial_state=True"):
        to_keras(learner("gru"))
    theirs = keras.layers.GRU(4)
    theirs(X)
    assert not from_keras(theirs).cell.learn_initial_state
    with pytest.raises(ValueError, match="once it is built"):
        LSTM(4, learn_initial_state=True).get_initial_state(batch_size=2)
