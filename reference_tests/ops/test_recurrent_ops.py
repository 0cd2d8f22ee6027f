"""Steps of recurrent cells, whole sequences of them, and back-propagation through time against the tape."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.loops import scan, unstacked
from keras_course.ops import (
    TimeGradients,
    backprop_through_time,
    fuses,
    gru_sequence,
    gru_step,
    lstm_gates,
    lstm_sequence,
    lstm_step,
    peephole_lstm_sequence,
    peephole_lstm_step,
    recurrence,
    rnn_sequence,
    rnn_step,
    scheduled_mixing,
    teacher_forced_inputs,
)

RNG = np.random.default_rng(1)
T, B, H = 5, 3, 2


def drawn(*shape):
    return RNG.normal(size=shape)


@pytest.mark.parametrize(
    ("whole", "step", "width", "count", "weights"),
    [
        (rnn_sequence, rnn_step, 1, 1, [(H, H)]),
        (lstm_sequence, lstm_step, 4, 2, [(H, 4 * H)]),
        (peephole_lstm_sequence, peephole_lstm_step, 4, 2, [(H, 4 * H), (H, H)]),
        (peephole_lstm_sequence, peephole_lstm_step, 4, 2, [(H, 4 * H), (H,), (2, H)]),
        (gru_sequence, gru_step, 3, 1, [(H, 3 * H)]),
    ],
)
def test_a_sequence_is_its_steps_one_after_the_other(whole, step, width, count, weights):
    projected, states = drawn(T, B, width * H), [drawn(B, H) for _ in range(count)]
    weights = [drawn(*shape) for shape in weights]
    outputs, last = whole(projected, *states, *weights)
    for t in range(T):
        found = step(projected[t], *states, *weights)
        states = list(found) if isinstance(found, tuple) else [found]
        np.testing.assert_allclose(outputs[t], states[0], rtol=1e-12)
    for one, other in zip(last, states, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_an_open_update_gate_keeps_the_old_state_and_a_closed_one_takes_the_candidate():
    h, zeros = drawn(B, H), np.zeros((H, 3 * H))
    for gate, wanted in ((60.0, h), (-60.0, np.full((B, H), 0.5))):
        projected = np.concatenate([np.full((B, H), gate), np.zeros((B, 2 * H))], axis=1)
        np.testing.assert_allclose(gru_step(projected, h, zeros), wanted, rtol=1e-12)


def test_a_cell_that_neither_forgets_nor_writes_keeps_its_state_for_ever():
    a = np.concatenate([np.full((B, H), -80.0), np.full((B, H), 80.0), np.zeros((B, 2 * H))], axis=1)
    c = drawn(B, H)
    _, (_, last) = lstm_sequence(np.tile(a, (200, 1, 1)), np.zeros((B, H)), c, np.zeros((H, 4 * H)))
    np.testing.assert_allclose(last, c, rtol=1e-12)


def test_gates_of_the_variants_are_those_not_left_out():
    assert [lstm_gates(v) for v in (None, "NIG", "NOG")] == [("i", "f", "o"), ("f", "o"), ("i", "f")]
    with pytest.raises(ValueError, match="variant='XX'"):
        lstm_gates("XX")


def test_only_measured_sizes_on_known_lengths_are_fused():
    assert fuses(64, 50) and not fuses(64, 4) and not fuses(1024, 50) and not fuses(64, None)


CUT = [
    (lstm_sequence, 4, 2, {}),
    (gru_sequence, 3, 1, {"reset_after": True, "candidate": "tanh"}),
    (rnn_sequence, 1, 1, {}),
]


@pytest.mark.parametrize(("whole", "width", "count", "how"), CUT, ids=["lstm", "gru", "rnn"])
def test_shares_of_the_batch_and_segments_of_the_sequence_change_no_result_and_no_gradient(
    monkeypatch, whole, width, count, how
):
    steps, rows, features = 22, 5, 3
    x, w, b = drawn(rows, steps, features), drawn(features, width * H), drawn(width * H)
    states, weights = [drawn(rows, H) for _ in range(count)], [drawn(H, width * H)]
    mask = np.arange(steps)[:, None] < np.array([20, 13, 7, 1, 18])
    inputs = [tf.constant(each) for each in (x, w, b, *states, *weights)]

    def run(x, w, b, *rest):
        with tf.GradientTape() as tape:
            tape.watch((x, w, b, *rest))
            outputs, last = whole(x, *rest, **how, mask=mask, projection=(w, b))
            loss = sum(tf.reduce_sum(each**2 * (1 + i)) for i, each in enumerate((outputs, *last)))
        return outputs, last, tape.gradient(loss, (x, w, b, *rest))

    for name, value in (("WORK_OF_A_SHARE", 1), ("ROWS_OF_A_SHARE", 1), ("LONGEST_SEGMENT", 6)):
        monkeypatch.setattr(recurrence, name, value)
    monkeypatch.setattr(recurrence, "threads_side_by_side", lambda: 2)
    rows_of, steps_of = recurrence.cuts(steps, rows, 1)
    assert rows_of == [(0, 3), (3, 5)] and steps_of == [(0, 6), (6, 12), (12, 18), (18, 22)]
    assert len(steps_of) >= recurrence.RUN_AGAIN  # so one of them is run again
    cut = tf.function(run, autograph=False)(*inputs)
    for one, other in zip(tf.nest.flatten(cut), tf.nest.flatten(run(*inputs)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_a_loop_is_cut_by_work_rows_threads_and_length(monkeypatch):
    monkeypatch.setattr(recurrence, "threads_side_by_side", lambda: 4)
    of_lstm = 128 * 512
    assert len(recurrence.cuts(128, 64, of_lstm)[0]) == 4
    assert recurrence.cuts(50, 32, 64 * 256) == ([(0, 32)], [(0, 50)])  # too little work
    assert recurrence.cuts(4096, 20, of_lstm)[0] == [(0, 20)]  # too few rows
    assert recurrence.cuts(128, None, of_lstm)[0] == [(0, None)]
    assert {last - first for first, last in recurrence.cuts(1024, 8, 1)[1]} == {recurrence.LONGEST_SEGMENT}
    monkeypatch.setattr(recurrence, "threads_side_by_side", lambda: 1)
    assert recurrence.cuts(128, 64, of_lstm)[0] == [(0, 64)]


def weights_of_the_example(outputs=1):
    return [drawn(2, 3), drawn(3, 3), drawn(3, outputs), drawn(3), drawn(outputs)]


@pytest.mark.parametrize("names", [("tanh", "tanh"), ("sigmoid", "linear"), ("relu", "sigmoid")])
def test_bptt_equals_the_tape_to_1e_10(names):
    f, g = (getattr(tf.nn, name, None) or getattr(tf.math, name, tf.identity) for name in names)
    x, y, h = drawn(4, 7, 2), drawn(4, 7, 2), drawn(4, 3)
    weights = [tf.constant(w) for w in weights_of_the_example(2)]
    with tf.GradientTape() as tape:
        tape.watch(weights)
        U, W, V, b, c = weights
        state, loss = tf.constant(h), 0.0
        for t in range(7):
            state = f(x[:, t] @ U + state @ W + b)
            loss += tf.reduce_sum((y[:, t] - g(state @ V + c)) ** 2)
    found = backprop_through_time(x, y, *weights, h, *names)
    assert isinstance(found, TimeGradients)
    np.testing.assert_allclose(ops.sum(found.loss), loss, rtol=1e-12)
    for name, slope in zip("UWVbc", tape.gradient(loss, weights), strict=True):
        np.testing.assert_allclose(getattr(found, name), slope, rtol=1e-10, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(ops.sum(found.copies, axis=0), found.W, rtol=1e-12)


def test_the_printed_recursion_without_its_primes_is_another_gradient():
    x, y = drawn(1, 3, 2), drawn(1, 3, 1)
    U, W, V, b, c = weights_of_the_example()
    found = backprop_through_time(x, y, U, W, V, b, c)
    states = [np.zeros((1, 3))]
    for t in range(3):
        states.append(np.tanh(x[:, t] @ U + states[-1] @ W + b))
    for prime in (lambda h: 1 - h**2, lambda h: h):  # right, and as printed
        delta, total = np.zeros((1, 3)), np.zeros((3, 3))
        for t in (3, 2, 1):
            o = np.tanh(states[t] @ V + c)
            delta = (-2 * (y[:, t - 1] - o) * (1 - o**2) @ V.T + delta @ W.T) * prime(states[t])
            total += states[t - 1].T @ delta
        assert np.allclose(total, found.W, rtol=1e-10) == (prime(0.5) == 0.75)


def test_the_error_that_reaches_a_step_falls_geometrically_in_a_contracting_net():
    x, y = np.zeros((1, 30, 2)), np.zeros((1, 30, 1))
    y[0, -1] = 1.0
    U, _, V, b, c = weights_of_the_example()
    found = backprop_through_time(x, y, U, 0.5 * np.eye(3), V, 0 * b, 0 * c)
    norms = np.linalg.norm(found.deltas[0], axis=1)
    np.testing.assert_allclose(norms[1:] / norms[:-1], 2.0, rtol=1e-9)


def test_teacher_forcing_feeds_every_target_but_the_last_one_step_later():
    y = drawn(2, 4, 3)
    fed = np.asarray(teacher_forced_inputs(y, start=y[:, 0] * 0 + 9))
    np.testing.assert_array_equal(fed[:, 1:], y[:, :-1])
    assert np.all(fed[:, 0] == 9)
    with pytest.raises(ValueError, match="rank 3"):
        teacher_forced_inputs(y[0])


def test_mixing_takes_the_truth_as_often_as_its_probability_says():
    uniforms = np.linspace(0, 1, 1000, endpoint=False)
    truth, own = np.ones((1000, 1)), np.zeros((1000, 1))
    for p in (0.0, 0.25, 1.0):
        assert float(ops.mean(scheduled_mixing(truth, own, p, uniforms))) == pytest.approx(p)


def test_a_loop_keeps_history_in_either_direction_and_in_every_mode():
    x = ops.convert_to_tensor(drawn(4, 2, 1))

    def run(x, reverse=False):
        def step(states, now):
            return [states[0] + now[0]], [states[0] * now[0]]

        last, (history,), (kept,) = scan(
            step, [ops.zeros_like(x[0])], [unstacked(x)], [(2, 1)], length=4, history=(0,), reverse=reverse
        )
        return last[0], history.stack(), kept.stack()

    for reverse in (False, True):
        eager = run(x, reverse)
        graph = tf.function(lambda x, reverse=reverse: run(x, reverse), autograph=False)(x)
        np.testing.assert_allclose(eager[0], ops.sum(x, axis=0))
        np.testing.assert_array_equal(eager[2], graph[2])
        if not reverse:
            np.testing.assert_allclose(eager[1][1:], ops.cumsum(x, axis=0))
            np.testing.assert_array_equal(eager[1], graph[1])


def test_what_a_loop_keeps_may_take_the_place_of_what_it_read():
    x = ops.convert_to_tensor(drawn(4, 2, 1))

    def run(x, **how):
        def step(states, now):
            return [states[0] + now[1]], [states[0] * now[0], now[1] - states[0]]

        shapes = [(2, 1), (2, 1)]
        last, _, kept = scan(step, [ops.zeros_like(x[0])], [2 * x, x], shapes, length=4, **how)
        return last[0], *(each.stack() for each in kept)

    plain = run(x)
    for how in ({"overwritten": {1: 1}}, {"overwritten": {0: 1, 1: 0}}, {"overwritten": {0: 0}, "reverse": True}):
        expected = run(x, reverse=True) if "reverse" in how else plain
        for compile in (False, True):
            graph = tf.function(lambda x, how=how: run(x, **how), autograph=False, jit_compile=compile)
            for one, other in zip(expected, graph(x), strict=True):
                np.testing.assert_allclose(other, one, rtol=1e-14)
