"""Addressing against its definitions, slot by slot; what an empty memory does; what sharpening and shifting keep."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.ops.bit_sequences import asked_bits_loss, wrong_and_asked_bits
from keras_course.ops.external_memory import (
    content_weights,
    interpolated_weights,
    read_memory,
    sharpened_weights,
    shifted_weights,
    write_memory,
)

GENERATOR = np.random.default_rng(0)
MEMORY = GENERATOR.normal(size=(2, 5, 3))
WEIGHTS = GENERATOR.dirichlet(np.ones(5), size=(2, 2))


def test_content_weights_are_the_softmax_of_cosines_and_do_not_see_the_length_of_a_key():
    keys, strengths = GENERATOR.normal(size=(2, 2, 3)), np.array([[0.5, 3.0], [20.0, 1.0]])
    cosine = np.einsum("bam,bnm->ban", keys, MEMORY) / (
        np.linalg.norm(keys, axis=-1)[:, :, None] * np.linalg.norm(MEMORY, axis=-1)[:, None]
    )
    powers = np.exp(strengths[:, :, None] * cosine)
    found = content_weights(MEMORY, keys, strengths)
    np.testing.assert_allclose(found, powers / powers.sum(-1, keepdims=True), atol=2e-4)
    np.testing.assert_allclose(content_weights(MEMORY, 100 * keys, strengths), found, atol=2e-4)
    assert np.argmax(content_weights(MEMORY, -keys, strengths)[1, 0]) == np.argmin(found[1, 0])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_empty_memory_is_pointed_at_evenly_whatever_the_key(dtype):
    zeros, keys = np.zeros((1, 4, 3), dtype), np.zeros((1, 2, 3), dtype)
    keys[0, 0] = 1000
    np.testing.assert_allclose(content_weights(zeros, keys, np.full((1, 2), 50, dtype)), 0.25)


def test_a_shift_is_a_roll_and_a_mixture_of_shifts_a_mixture_of_rolls():
    for k, offset in enumerate((-2, -1, 0, 1, 2)):
        shifts = np.broadcast_to(np.eye(5)[k], (2, 2, 5))
        np.testing.assert_array_equal(shifted_weights(WEIGHTS, shifts), np.roll(WEIGHTS, offset, axis=-1))
    shifts = GENERATOR.dirichlet(np.ones(3), size=(2, 2))
    by_fourier = np.zeros_like(WEIGHTS)
    for b in range(2):
        for a in range(2):
            kernel = np.zeros(5)
            kernel[[-1, 0, 1]] = shifts[b, a]
            by_fourier[b, a] = np.real(np.fft.ifft(np.fft.fft(WEIGHTS[b, a]) * np.fft.fft(kernel)))
    np.testing.assert_allclose(shifted_weights(WEIGHTS, shifts), by_fourier, atol=1e-12)
    with pytest.raises(ValueError, match="odd number of shifts"):
        shifted_weights(WEIGHTS, shifts[:, :, :2])


def test_sharpening_by_one_changes_nothing_and_more_makes_the_largest_larger():
    np.testing.assert_allclose(sharpened_weights(WEIGHTS, np.ones((2, 2))), WEIGHTS, atol=1e-12)
    sharp = np.asarray(sharpened_weights(WEIGHTS, np.full((2, 2), 3.0)))
    np.testing.assert_allclose(sharp, WEIGHTS**3 / np.sum(WEIGHTS**3, -1, keepdims=True), atol=1e-12)
    assert np.all(sharp.max(-1) > WEIGHTS.max(-1))


def test_a_weight_of_zero_stays_zero_and_its_gradient_is_finite():
    weights = tf.constant([[[0.0, 0.0, 1.0]]])
    powers = tf.constant([[20.0]])
    with tf.GradientTape() as tape:
        tape.watch([weights, powers])
        found = sharpened_weights(weights, powers)
        last = found[..., 2]
    np.testing.assert_array_equal(found[0, 0], [0, 0, 1])
    assert all(np.all(np.isfinite(slope)) for slope in tape.gradient(last, [weights, powers]))


def test_writing_erases_by_all_heads_before_any_adds_and_their_order_does_not_matter():
    erase, add = GENERATOR.uniform(size=(2, 2, 3)), GENERATOR.normal(size=(2, 2, 3))
    wanted = MEMORY.copy()
    for b in range(2):
        for i in range(5):
            for m in range(3):
                for a in range(2):
                    wanted[b, i, m] *= 1 - WEIGHTS[b, a, i] * erase[b, a, m]
                wanted[b, i, m] += sum(WEIGHTS[b, a, i] * add[b, a, m] for a in range(2))
    np.testing.assert_allclose(write_memory(MEMORY, WEIGHTS, erase, add), wanted, atol=1e-12)
    turned = [each[:, ::-1] for each in (WEIGHTS, erase, add)]
    np.testing.assert_allclose(write_memory(MEMORY, *turned), wanted, atol=1e-12)


def test_what_is_written_to_one_slot_is_read_from_it():
    on = np.zeros((1, 1, 5))
    on[0, 0, 3] = 1
    value = GENERATOR.normal(size=(1, 1, 3))
    memory = write_memory(MEMORY[:1], on, np.ones((1, 1, 3)), value)
    np.testing.assert_allclose(read_memory(memory, on), value, atol=1e-12)
    kept = [0, 1, 2, 4]
    np.testing.assert_array_equal(np.asarray(memory)[0, kept], MEMORY[0, kept])


def test_interpolation_goes_from_the_step_before_to_the_content():
    other = WEIGHTS[:, ::-1]
    for gate, wanted in ((0.0, other), (1.0, WEIGHTS), (0.25, 0.25 * WEIGHTS + 0.75 * other)):
        np.testing.assert_allclose(interpolated_weights(WEIGHTS, other, np.full((2, 2), gate)), wanted, atol=1e-12)


def test_bits_that_are_not_asked_for_count_nowhere():
    labels = GENERATOR.integers(0, 3, size=(4, 6, 2))
    labels[3] = 2
    logits = GENERATOR.normal(size=(4, 6, 2))
    loss, (wrong, asked) = asked_bits_loss(labels, logits), wrong_and_asked_bits(labels, logits)
    for row in range(3):
        there = labels[row] < 2
        y, o = labels[row][there], logits[row][there]
        p = 1 / (1 + np.exp(-o))
        np.testing.assert_allclose(loss[row], -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), atol=1e-12)
        assert (wrong[row], asked[row]) == (np.sum(y != (o > 0)), there.sum())
    assert (loss[3], wrong[3], asked[3]) == (0, 0, 0)
    with pytest.raises(ValueError, match="one shape"):
        asked_bits_loss(labels, logits[..., 0])
