"""Back-propagation through time, written out over the copies W^(t) of the recurrent weights.

    a_t = x_t U + h_{t-1} W + b,   h_t = f(a_t),   o_t = g(h_t V + c),   L = sum_t |y_t - o_t|^2

    delta_o_t = -2 (y_t - o_t) * g'                                         error at the output
    delta_t   = (delta_o_t V^T + delta_{t+1} W^T) * f'(a_t)                 at the hidden units, last step first
    dL/dW^(t) = h_{t-1}^T delta_t,    dL/dW = sum_t dL/dW^(t)               one copy a step, then all copies are one W

No 1/2 and no mean stand before L. Vectors are rows, so every matrix is the transpose of the notes'.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from keras_course.core.loops import scan, sizes_of
from keras_course.core.shapes import require_one_of, require_rank
from keras_course.ops.recurrence import WRITTEN_OUT

__all__ = ["TimeGradients", "backprop_through_time"]


class TimeGradients(NamedTuple):
    """What `backprop_through_time` returns.

    Args:
        loss: tensor (B,), L of each sequence.
        outputs: tensor (B, T, O), o.
        U, W, V, b, c: gradients, summed over the batch, shaped as the weights.
        copies: tensor (T, H, H), dL/dW^(t) of each step's own copy of W; their sum is W's gradient.
        deltas: tensor (B, T, H), dL/da_t: how much of the error reaches each step.
    """

    loss: Any
    outputs: Any
    U: Any
    W: Any
    V: Any
    b: Any
    c: Any
    copies: Any
    deltas: Any


def backprop_through_time(
    x: Any, y: Any, U: Any, W: Any, V: Any, b: Any, c: Any, h: Any = None,
    activation: str = "tanh", output_activation: str = "tanh", sample_weight: Any = None,
) -> TimeGradients:  # fmt: skip
    """All gradients of a simple recurrent network, by the recursion of the notes and without automatic differentiation.

    delta_t = (-2 (y_t - o_t) g' V^T + delta_{t+1} W^T) f'(a_t),   dL/dW = sum_t h_{t-1}^T delta_t

    The notes' handwritten page forgets the prime in diag(tanh'(a)) twice and drops terms of dh/dW (errata B10, B11).

    Args:
        x: tensor (B, T, F), inputs.
        y: tensor (B, T, O), targets.
        U: tensor (F, H).
        W: tensor (H, H).
        V: tensor (H, O).
        b: tensor (H,).
        c: tensor (O,).
        h: tensor (B, H), state before the first step, or None for zeros.
        activation: f, a name in `ops.recurrence.WRITTEN_OUT`.
        output_activation: g, likewise.
        sample_weight: tensor (B,) that multiplies each sequence's L, or None.

    Returns:
        `TimeGradients`.

    Raises:
        ValueError: for a wrong rank, or an activation without a written-out derivative.

    Example:
        A linear unit: o_3 = w^3, and each of the three copies of w gets w^2 of the gradient 3 w^2.

        >>> import numpy as np
        >>> one, x = np.ones((1, 1)), np.zeros((1, 3, 1))
        >>> y = np.array([[[0.5], [0.25], [0.125 - 0.5]]])
        >>> found = backprop_through_time(x, y, one, one / 2, one, one[0] * 0, one[0] * 0, one, "linear", "linear")
        >>> [float(each) for each in ops.reshape(found.copies, (-1,))], float(found.W[0, 0])
        ([0.25, 0.25, 0.25], 0.75)

    Source: C 12.1, N Backpropagation, B; Werbos 1990.
    """
    for name, given in (("activation", activation), ("output_activation", output_activation)):
        require_one_of("backprop_through_time", WRITTEN_OUT, **{name: given})
    x, y, U, W, V, b, c = (ops.convert_to_tensor(each) for each in (x, y, U, W, V, b, c))
    require_rank("backprop_through_time", x.shape, 3)
    require_rank("backprop_through_time", y.shape, 3)
    f, f_prime = WRITTEN_OUT[activation]
    g, g_prime = WRITTEN_OUT[output_activation]
    batch, length, _ = sizes_of(x)
    units = W.shape[0]
    start = ops.zeros((batch, units), U.dtype) if h is None else ops.convert_to_tensor(h)

    def forward(states: Any, now: Any) -> Any:
        return [f(now[0] + ops.matmul(states[0], W))], []

    def product(rows: Any, matrix: Any) -> Any:  # (..., n) times (n, m)
        flat = ops.matmul(ops.reshape(rows, (-1, matrix.shape[0])), matrix)
        return ops.reshape(flat, (*sizes_of(rows)[:-1], matrix.shape[1]))

    projected = product(ops.transpose(x, (1, 0, 2)), U) + b  # (T, B, H)
    _, (history,), _ = scan(forward, [start], [projected], [], length=length, history=(0,))
    states = history.stack()  # (T + 1, B, H): h_0 ... h_T
    o = g(product(states[1:], V) + c)  # (T, B, O)
    error = ops.transpose(y, (1, 0, 2)) - o
    weighted = error if sample_weight is None else error * ops.cast(sample_weight, error.dtype)[:, None]
    delta_o = g_prime(o, -2 * weighted)
    from_output = product(delta_o, ops.transpose(V))

    def backward(carried: Any, now: Any) -> Any:
        delta = f_prime(now[1], now[0] + carried[0])
        return [ops.matmul(delta, ops.transpose(W))], [delta]

    shapes = [(batch, units)]
    _, _, (kept,) = scan(
        backward, [ops.zeros_like(start)], [from_output, history.after(1)], shapes, length=length, reverse=True
    )
    deltas = kept.stack()  # (T, B, H)
    copies = ops.matmul(ops.transpose(states[:-1], (0, 2, 1)), deltas)  # (T, H, H)

    def rows(tensor: Any) -> Any:
        return ops.reshape(tensor, (-1, tensor.shape[-1]))  # (T B, width)

    return TimeGradients(
        loss=ops.sum(weighted * error, axis=(0, 2)),
        outputs=ops.transpose(o, (1, 0, 2)),
        U=ops.matmul(ops.transpose(rows(ops.transpose(x, (1, 0, 2)))), rows(deltas)),
        W=ops.sum(copies, axis=0),
        V=ops.matmul(ops.transpose(rows(states[1:])), rows(delta_o)),
        b=ops.sum(rows(deltas), axis=0),
        c=ops.sum(rows(delta_o), axis=0),
        copies=copies,
        deltas=ops.transpose(deltas, (1, 0, 2)),
    )
