"""Worked examples of the chapters on recurrent networks: one sequence through each cell, and BPTT completed.

Each function takes a golden's inputs and returns its outputs, through the public API. Where a golden names no weights
they come from a formula, so that anyone can repeat it: entry j (C order) of the layer's weight tensor k is
((7 j + 3 k) mod 17 - 8) / 16.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled, gradient, jacobian
from keras_course.layers.recurrent import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    OutputRecurrentRNN,
    PeepholeLSTM,
    VectorToSequence,
)
from keras_course.ops.bptt import backprop_through_time
from keras_course.ops.teacher_forcing import scheduled_mixing, teacher_forced_inputs

__all__ = [
    "bidirectional_outputs",
    "bptt_direct_part",
    "bptt_gradients",
    "gru_states",
    "lstm_input_gradient",
    "lstm_states",
    "mixed_by_chance",
    "output_recurrent_outputs",
    "peephole_lstm_states",
    "rnn_outputs",
    "rnn_skipping",
    "sum_over_copies",
    "taught_inputs",
    "vector_to_sequence_outputs",
]


def _by_formula(layer: Any, *inputs: Any) -> Any:
    """Builds a layer for one row of each input and gives its weights their formula's values."""
    layer.build(*((1, *x.shape) for x in inputs))
    weights = []
    for k, weight in enumerate(layer.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weights.append(((7 * j + 3 * k) % 17 - 8) / 16.0)
    for variable, value in zip(layer.trainable_weights, weights, strict=True):
        variable.assign(value)
    return layer


def _run(layer: Any, x: Any, names: tuple[str, ...] = ("h", "c")) -> dict[str, Any]:
    """h of every step, and the last states."""
    outputs, *states = compiled(layer)(x[None])
    return {"outputs": outputs[0], **{f"last_{n}": state[0] for n, state in zip(names, states, strict=False)}}


def rnn_outputs(x: Any, units: int, outputs: int, activation: str, output_activation: str, form: str) -> dict[str, Any]:
    """IO-transduction: one output a step; softmax gives p(y_t | x_1 ... x_t). Source: C 10.3, N, R."""
    layer = RNN(
        units, return_sequences=True, return_state=True, activation=activation, output_units=outputs,
        output_activation=output_activation, weights=form, use_bias=form == "separate",
    )  # fmt: skip
    return _run(_by_formula(layer, x), x, ("h",))


def rnn_skipping(x: Any, units: int, skip: int) -> dict[str, Any]:
    """Connections that skip steps: h_t also sees h_{t - skip}. Source: N."""
    layer = RNN(units, return_sequences=True, return_state=True, skips=(skip,))
    return _run(_by_formula(layer, x), x, ("h",))


def lstm_states(x: Any, units: int, variant: str, use_bias: bool, form: str) -> dict[str, Any]:
    """Every h, and the last cell state. Source: C 13.2, N, R."""
    layer = LSTM(
        units, return_sequences=True, return_state=True, variant=None if variant == "vanilla" else variant,
        use_bias=use_bias, weights=form,
    )  # fmt: skip
    return _run(_by_formula(layer, x), x)


def lstm_input_gradient(x: Any, units: int, lag: int) -> dict[str, Any]:
    """How the last state, summed, moves with each input: the path through the cell. Source: C 13.2."""
    layer = _by_formula(LSTM(units), x)

    def total(x: Any) -> Any:
        return ops.sum(layer(x[None], training=True))

    found = compiled(lambda x: gradient(total, x))(x)
    return {"gradient": found, "first": found[: x.shape[0] - lag]}


def peephole_lstm_states(x: Any, units: int, peepholes: str) -> dict[str, Any]:
    """Gates that look at the cell. Source: S 9.5, C 13.2."""
    layer = PeepholeLSTM(units, return_sequences=True, return_state=True, peepholes=peepholes)
    return _run(_by_formula(layer, x), x)


def gru_states(x: Any, units: int, candidate: str, reset_after: bool) -> dict[str, Any]:
    """The printed logistic candidate, or tanh; reset before the product, or after. Source: C 13.3."""
    layer = GRU(units, return_sequences=True, return_state=True, activation=candidate, reset_after=reset_after)
    return _run(_by_formula(layer, x), x, ("h",))


def bptt_gradients(x: Any, y: Any, U: Any, W: Any, V: Any, b: Any, c: Any) -> dict[str, Any]:
    """The worked example, completed; matrices as printed, a column of numbers a vector. Source: C 12.1."""

    def run(x: Any, y: Any, U: Any, W: Any, V: Any, b: Any, c: Any) -> Any:
        found = backprop_through_time(
            x[None], y[None, :, None], ops.transpose(U), ops.transpose(W), V[:, None], b, ops.reshape(c, (1,))
        )
        return {
            "loss": found.loss[0],
            "o": found.outputs[0, :, 0],
            "dU": ops.transpose(found.U),
            "dW": ops.transpose(found.W),
            "dV": found.V[:, 0],
            "db": found.b,
            "dc": found.c[0],
            "copies": ops.transpose(found.copies, (0, 2, 1)),
        }

    return dict(compiled(run)(x, y, U, W, V, b, ops.convert_to_tensor(c, dtype=x.dtype)))


def bptt_direct_part(h: Any, W: Any) -> dict[str, Any]:
    """d(W h)/d(w_11, w_12, w_21, w_22) with h held fixed: what one copy W^(t) sees. Source: C 12.1."""

    def run(h: Any, W: Any) -> Any:
        return ops.reshape(jacobian(lambda W: ops.matmul(W, h[:, None])[:, 0], W), (h.shape[0], -1))

    return {"direct": compiled(run)(h, W)}


def sum_over_copies(a: float, start: float, steps: int) -> dict[str, Any]:
    """Y_t = a Y_{t-1}: dY_T/da as a sum over the copies of a, each reached through T - t factors. Source: B."""

    def run(a: Any, start: Any) -> Any:
        ones = ops.ones((1, 1), a.dtype)
        states = [start * a ** (t + 1) for t in range(steps)]
        y = ops.reshape(ops.stack([*states[:-1], states[-1] - 0.5]), (1, steps, 1))  # so that dL/do_T = 1, others 0
        x, zero = ops.zeros((1, steps, 1), a.dtype), ops.zeros((1,), a.dtype)
        weights = ones, ops.reshape(a, (1, 1)), ones, zero, zero
        found = backprop_through_time(x, y, *weights, ones * start, "linear", "linear")
        return {"copies": found.copies[:, 0, 0], "total": found.W[0, 0]}

    from keras import config

    return dict(compiled(run)(*(ops.convert_to_tensor(each, dtype=config.floatx()) for each in (a, start))))


def bidirectional_outputs(x: Any, units: int) -> dict[str, Any]:
    """Each output sees the whole sequence: what was before it, and what comes after. Source: C 10.3.2."""
    layer = Bidirectional(RNN(units, return_sequences=True))
    return {"outputs": compiled(_by_formula(layer, x))(x[None])[0]}


def vector_to_sequence_outputs(vector: Any, sequence: Any, units: int, steps: int) -> dict[str, Any]:
    """v R in every step: outputs on a given sequence, and running free from its first element. Source: C 10.3.3."""
    layer = _by_formula(VectorToSequence(units, sequence.shape[-1]), vector, sequence)
    return {
        "taught": compiled(layer)(vector[None], sequence[None])[0],
        "free": compiled(lambda v, y: layer.generate(v, y, steps))(vector[None], sequence[:1])[0],
    }


def output_recurrent_outputs(x: Any, y: Any, units: int, feedback: str) -> dict[str, Any]:
    """Outputs under a teacher, all steps at once, and running free. Source: C 10.3.1."""
    layer = _by_formula(OutputRecurrentRNN(units, y.shape[-1], feedback=feedback), x)
    return {
        "taught": compiled(lambda x, y: layer(x, teacher=y))(x[None], y[None])[0],
        "free": compiled(layer)(x[None])[0],
    }


def taught_inputs(y: Any, start: Any) -> dict[str, Any]:
    """The true output as the input of the next step. Source: C 10.3.1."""
    return {"fed": compiled(teacher_forced_inputs)(y[None], start)[0]}


def mixed_by_chance(truth: Any, own: Any, probability: float, uniforms: Any) -> dict[str, Any]:
    """Each row is fed the truth where its number is below the probability. Source: C 10.3.1."""
    return {"fed": compiled(scheduled_mixing)(truth, own, probability, uniforms)}
