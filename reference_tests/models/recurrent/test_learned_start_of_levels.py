"""Each level of a stack begins in a state of its own that is learned: gradients, masks, streams, files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.models import DeepRNN

CELLS = ["rnn", "lstm", "gru", "peephole-lstm"]
X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool)


def learner(cell, **how):
    """Two levels whose learned states are far from zero, and different."""
    model = DeepRNN(4, 2, units=(3, 5), cell=cell, learn_initial_state=True, **how)
    for k, level in enumerate(model.levels):
        start = level.cell.initial_state
        start.assign(np.random.default_rng(k).normal(size=start.shape))
    return model


@pytest.mark.parametrize("cell", ["gru", "peephole-lstm"])
def test_the_slope_of_every_level_s_start_is_the_change_that_a_small_step_makes(cell):
    model = learner(cell, dtype="float64", return_sequences=True)
    x, mask = X.astype("float64"), tf.constant(MASK)

    def loss():
        return ops.sum(ops.sin(2.0 * model(x, mask=mask, training=True)))

    starts = [level.cell.initial_state for level in model.levels]
    with tf.GradientTape() as tape:
        value = loss()
    for start, slope in zip(starts, tape.gradient(value, [start.value for start in starts]), strict=True):
        slope, before = np.asarray(slope), np.asarray(start)
        assert np.all(np.abs(slope) > 1e-6)  # every unit of every level counts
        for place in [(0, 0), (before.shape[0] - 1, before.shape[1] - 1)]:
            ends = []
            for change in (1e-5, -1e-5):
                moved = before.copy()
                moved[place] += change
                start.assign(moved)
                ends.append(float(loss()))
            start.assign(before)
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(slope[place], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("cell", CELLS)
def test_a_stream_that_begins_at_the_learned_start_says_what_the_whole_sequence_says(cell):
    model = learner(cell)
    state = model.start(3)
    assert tuple(state.shape) == (3, model.state_width) and np.all(np.asarray(state) == np.asarray(state)[:1])
    for t in range(6):
        found = model.step(X[:, t], state)
        state = found["state"]
        np.testing.assert_allclose(found["outputs"], model(X[:, : t + 1]), atol=1e-6)
    from_zeros = model.step(X[:, 0], np.zeros((3, model.state_width), "float32"))["outputs"]
    assert np.abs(from_zeros - model(X[:, :1])).max() > 1e-2


def test_a_row_without_a_step_that_counts_is_read_out_from_the_learned_start():
    model = learner("gru")
    for training in (False, True):
        outputs = model(X, mask=MASK, training=training)
        np.testing.assert_allclose(outputs[2], model.read_out(model.start(1)[:, 3:])[0], atol=1e-6)
        alone = model(X[1:2, 1:3])[0]
        np.testing.assert_allclose(outputs[1], alone, atol=1e-6)


def test_training_moves_every_level_s_start_and_a_file_keeps_it(tmp_path):
    model = DeepRNN(4, 2, units=(3, 5), cell="lstm", learn_initial_state=True)
    np.testing.assert_array_equal(model.start(2), np.zeros((2, 16)))
    plain = DeepRNN(4, 2, units=(3, 5), cell="lstm")
    np.testing.assert_array_equal(model(X), plain(X))  # before training
    assert len(model.trainable_variables) == len(plain.trainable_variables) + 2
    assert "start" not in plain.endpoints()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((3, 2)), verbose=0)
    assert all(np.all(np.asarray(level.cell.initial_state) != 0) for level in model.levels)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.learn_initial_state
    np.testing.assert_array_equal(again(X), model(X))
