"""The window over a text, alone and inside an LSTM: against loops in NumPy, masks, streams and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.layers.recurrent import LSTMCell, PeepholeLSTMCell
from keras_course.layers.soft_window import SoftWindow
from keras_course.layers.windowed_lstm import WindowedLSTM
from keras_course.ops.handwriting import soft_window


def example(rows=2, steps=5, seed=0, dtype="float32"):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, steps, 3)).astype(dtype), generator.normal(size=(rows, 4, 6)).astype(dtype)


def test_weights_and_window_equal_a_loop_over_gaussians_and_characters():
    generator = np.random.default_rng(1)
    alpha, beta, kappa = generator.uniform(0.1, 2, (3, 2, 3, 2))
    c = generator.normal(size=(2, 4, 5))
    seen, phi = soft_window(alpha, beta, kappa, c)
    for b in range(2):
        for t in range(3):
            parts = list(zip(alpha[b, t], beta[b, t], kappa[b, t], strict=True))
            weights = [sum(a * np.exp(-s * (place - u) ** 2) for a, s, place in parts) for u in range(4)]
            np.testing.assert_allclose(phi[b, t], weights, rtol=1e-6)
            np.testing.assert_allclose(seen[b, t], np.array(weights) @ c[b], rtol=1e-6, atol=1e-7)
    with pytest.raises(ValueError, match="rank 3"):
        soft_window(alpha[0], beta[0], kappa[0], c)


def test_the_window_only_moves_on():
    hidden, characters = example(steps=9)
    layer = SoftWindow(3)
    layer(hidden, characters)
    layer.kernel.assign(np.random.default_rng(2).normal(size=layer.kernel.shape))
    place, far = np.zeros((2, 3), "float32"), []
    for h in hidden.transpose(1, 0, 2):
        seen, weights, place = layer.look(h, place, characters)
        far.append(place)
    assert (np.diff(far, axis=0) > 0).all()
    whole = layer(hidden, characters)
    np.testing.assert_allclose(whole[0][:, -1], seen, rtol=1e-5)
    np.testing.assert_allclose(whole[1][:, -1], weights, rtol=1e-5)


def test_it_starts_as_one_bump_of_height_one_at_the_first_step():
    layer = SoftWindow(4, first_step=0.25)
    _, weights = layer(np.zeros((1, 4, 3), "float32"), np.ones((1, 3, 2), "float32"))
    wanted = [[np.exp(-((0.25 * (t + 1) - u) ** 2)) for u in range(3)] for t in range(4)]
    np.testing.assert_allclose(weights[0], wanted, rtol=1e-5)


def test_masked_steps_move_no_window():
    hidden, characters = example()
    mask = np.array([[True, True, False, False, True]] * 2)
    layer = SoftWindow(2)
    seen, weights = layer(hidden, characters, hidden_mask=mask)
    short, _ = layer(hidden[:, mask[0]], characters)
    np.testing.assert_allclose(seen[:, -1], short[:, -1], rtol=1e-5)


@pytest.mark.parametrize("size", [1e3, -1e3])
def test_wild_states_give_finite_windows_and_gradients(size):
    hidden, characters = example(steps=400)
    layer = SoftWindow(2)
    layer.build((None, None, 3), (None, None, 6))
    hidden = tf.constant(size * np.abs(hidden))
    with tf.GradientTape() as tape:
        tape.watch(hidden)
        seen, _ = layer(hidden, characters)
        total = tf.reduce_sum(seen)
    assert np.isfinite(seen).all() and np.isfinite(tape.gradient(total, hidden)).all()


@pytest.mark.parametrize(("cell", "kind"), [("lstm", LSTMCell), ("peephole-lstm", PeepholeLSTMCell)])
def test_the_loop_is_the_cell_on_inputs_and_what_the_window_showed_before(cell, kind):
    inputs, characters = example()
    layer = WindowedLSTM(4, window=2, cell=cell)
    h, seen, weights, *last = layer(inputs, characters)
    assert isinstance(layer.cell, kind)
    states, shown, place = layer.cell.get_initial_state(2), np.zeros((2, 6), "float32"), np.zeros((2, 2), "float32")
    for t in range(inputs.shape[1]):
        out, states = layer.cell(np.concatenate([inputs[:, t], shown], axis=1), states)
        shown, phi, place = layer.window.look(out, place, characters)
        np.testing.assert_allclose(h[:, t], out, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(seen[:, t], shown, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(weights[:, t], phi, rtol=1e-5, atol=1e-6)
    for came, wanted in zip(last, [*states, shown, place], strict=True):
        np.testing.assert_allclose(came, wanted, rtol=1e-5, atol=1e-6)


def test_a_stream_and_two_halves_equal_the_whole_sequence():
    inputs, characters = example(steps=6)
    layer = WindowedLSTM(4, window=2)
    h, seen, weights, *last = layer(inputs, characters)
    *_, middle = None, layer(inputs[:, :3], characters)
    rest = layer(inputs[:, 3:], characters, initial_state=list(middle[3:]))
    np.testing.assert_allclose(rest[0], h[:, 3:], rtol=1e-5, atol=1e-6)
    states = [np.zeros((2, size), "float32") for size in layer.state_sizes]
    for t in range(6):
        states, phi = layer.step(inputs[:, t], characters, states)
        np.testing.assert_allclose(states[0], h[:, t], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(phi, weights[:, t], rtol=1e-5, atol=1e-6)


def test_masked_steps_change_no_state_and_an_empty_sequence_keeps_the_first():
    inputs, characters = example()
    layer = WindowedLSTM(4, window=2)
    mask = np.array([[True, True, True, False, False]] * 2)
    full, short = layer(inputs, characters, sequences_mask=mask), layer(inputs[:, :3], characters)
    for came, wanted in zip(full[3:], short[3:], strict=True):
        np.testing.assert_allclose(came, wanted, rtol=1e-6)
    assert tuple(layer(inputs[:, :0], characters)[0].shape) == (2, 0, 4)


def test_gradient_of_the_loop_equals_finite_differences_in_float64():
    inputs, characters = example(dtype="float64")
    layer = WindowedLSTM(3, window=2, dtype="float64")
    layer.build(inputs.shape, characters.shape)

    def total():
        h, seen, weights, *_ = layer(inputs, characters)
        return tf.reduce_sum(h**2) + tf.reduce_sum(seen) + tf.reduce_sum(weights**2)

    with tf.GradientTape() as tape:
        value = total()
    generator = np.random.default_rng(3)
    for weight, gradient in zip(layer.trainable_weights, tape.gradient(value, layer.trainable_weights), strict=True):
        direction, start, ends = generator.normal(size=weight.shape), weight.numpy(), []
        for sign in (1, -1):
            weight.assign(start + sign * 1e-5 * direction)
            ends.append(float(total()))
        weight.assign(start)
        slope = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(np.sum(np.asarray(gradient) * direction), slope, rtol=1e-6, atol=1e-8)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="Received: components=0"):
        SoftWindow(0)
    with pytest.raises(ValueError, match="first_step=-1"):
        SoftWindow(2, first_step=-1)
    with pytest.raises(ValueError, match="Received: cell='gru'"):
        WindowedLSTM(3, cell="gru")
    with pytest.raises(ValueError, match="rank 3"):
        WindowedLSTM(3)(np.zeros((2, 3), "float32"), np.zeros((2, 3, 4), "float32"))
