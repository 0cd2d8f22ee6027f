"""A machine with a memory: one by one as in a batch, step by step as at once, and a memory that starts empty."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.datasets.bit_sequences import bit_sequences
from keras_course.losses import AskedBitsLoss
from keras_course.metrics import BitError
from keras_course.models import NeuralTuringMachine

X = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")


def machine(**how):
    how = {"units": 5, "slots": 6, "width": 3, "read_heads": 2, "write_heads": 2, "learn_memory": True, **how}
    return NeuralTuringMachine(4, 2, **how)


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_a_stream_of_single_steps_ends_where_the_whole_sequence_ends(controller):
    model = machine(controller=controller)
    whole, state = model(X), model.initial_state(3)
    for t in range(6):
        found = model.step(X[:, t], state)
        state = found["state"]
        np.testing.assert_allclose(found["outputs"], whole[:, t], atol=1e-6)


def test_rows_of_unequal_length_in_one_batch_are_what_they_are_alone():
    model, lengths = machine(), (2, 6, 4)
    mask = np.arange(6)[None] < np.array(lengths)[:, None]
    together = model(X, mask=ops.convert_to_tensor(mask))
    weights = model.addressing(X, mask=mask)["write_weights"]
    for row, length in enumerate(lengths):
        alone = model(X[row : row + 1, :length])
        np.testing.assert_allclose(together[row, :length], alone[0], atol=1e-6)
        np.testing.assert_array_equal(
            weights[row, length:], np.broadcast_to(weights[row, length - 1], weights[row, length:].shape)
        )
    filled = np.where(mask[:, :, None], X, np.nan)  # what stands behind a row's end is never looked at
    np.testing.assert_array_equal(
        model(ops.convert_to_tensor(np.nan_to_num(filled)), mask=ops.convert_to_tensor(mask)), together
    )


def test_addressing_shows_the_weights_of_the_very_run():
    model = machine()
    found = model.addressing(X)
    np.testing.assert_allclose(found["outputs"], model(X), atol=1e-6)
    for what in ("read_weights", "write_weights"):
        assert found[what].shape == (3, 6, 2, 6)
        np.testing.assert_allclose(np.sum(found[what], -1), 1, atol=1e-6)
    state, last = model.initial_state(3), model.machine.cell.state_size
    for t in range(6):
        state = model.step(X[:, t], state)["state"]
    reading = np.asarray(state)[:, last[0] + last[1] :][:, :12].reshape(3, 2, 6)
    np.testing.assert_allclose(found["read_weights"][:, -1], reading, atol=1e-6)


def test_one_export_serves_any_length_streams_and_shows_its_addressing(tmp_path):
    model = machine(controller="feedforward")
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    for rows, length in ((1, 1), (3, 6), (2, 4)):
        np.testing.assert_allclose(served.serving_default(X[:rows, :length]), model(X[:rows, :length]), atol=1e-6)
    state = served.initial_state(3)
    for t in range(6):
        found = served.step(X[:, t], state)
        state = found["state"]
    np.testing.assert_allclose(found["outputs"], model(X)[:, -1], atol=1e-6)
    np.testing.assert_allclose(served.addressing(X)["read_weights"], model.addressing(X)["read_weights"], atol=1e-6)


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_gradients_are_those_of_finite_differences_in_float64(controller):
    model = machine(controller=controller, dtype="float64")
    for k, weight in enumerate(model.trainable_variables):  # away from the symmetric start
        weight.assign_add(0.3 * np.random.default_rng(k).normal(size=weight.shape))
    x = tf.constant(X[:2, :4].astype("float64"))
    weights = [w.value for w in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(x, training=True)))
    slopes = tape.gradient(loss, weights)
    assert all(np.any(np.asarray(slope) != 0) for slope in slopes)
    for weight, slope in zip(model.trainable_variables, slopes, strict=True):
        direction = np.random.default_rng(7).normal(size=weight.shape)
        start, values = np.asarray(weight.value), []
        for sign in (1, -1):
            weight.assign(start + sign * 1e-6 * direction)
            values.append(float(tf.reduce_sum(tf.sin(model(x)))))
        weight.assign(start)
        assert np.sum(np.asarray(slope) * direction) == pytest.approx(
            (values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7
        )


def test_an_empty_memory_and_empty_keys_give_finite_outputs_and_gradients():
    model = machine()
    cell = model.machine.cell
    cell.first_memory.assign(ops.zeros_like(cell.first_memory))
    cell.head_kernel.assign(ops.zeros_like(cell.head_kernel))  # every key is 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(X, training=True) ** 2)
    slopes = tape.gradient(loss, [w.value for w in model.trainable_variables])
    assert np.isfinite(loss) and all(np.all(np.isfinite(slope)) for slope in slopes)


def test_copies_of_one_bit_are_learned_within_seconds_and_told_from_wrong_bits():
    x, y = bit_sequences(0, "train", 256, bits=1, lengths=(1, 2))
    model = NeuralTuringMachine(3, 1, units=16, slots=4, width=4, controller="feedforward")
    model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), AskedBitsLoss(), metrics=[BitError()], jit_compile=False)
    model.fit(x, y, batch_size=32, epochs=12, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] < 0.02
    assert model.evaluate(x, np.where(y == 2, 2, 1 - y), verbose=0)[1] > 0.98


def test_what_cannot_be_a_machine_is_refused():
    with pytest.raises(ValueError, match="shifts=4"):
        machine(shifts=4)
    with pytest.raises(ValueError, match="shifts=7"):
        machine(shifts=7)
    with pytest.raises(ValueError, match="controller='gru'"):
        machine(controller="gru")
    with pytest.raises(ValueError, match="slots=0"):
        machine(slots=0)
    with pytest.raises(ValueError, match="value 4"):
        machine()(ops.zeros((2, 3, 5)))
    with pytest.raises(ValueError, match="state of NeuralTuringMachine expects"):
        machine().step(ops.zeros((2, machine().features)), ops.zeros((2, 999)))
