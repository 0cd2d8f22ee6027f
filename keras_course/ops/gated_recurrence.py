"""Gated cells over whole sequences, with their gradients written out (`ops.recurrence` says how, and why)."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.loops import sigmoid_gradient, tanh_gradient
from keras_course.ops.recurrence import WRITTEN_OUT, Transition, from_all_steps, through
from keras_course.ops.recurrent import lstm_gates

__all__ = ["gru_sequence", "lstm_sequence", "peephole_lstm_sequence"]


def lstm_sequence(
    projected: Any,
    h: Any,
    c: Any,
    recurrent_kernel: Any,
    variant: str | None = None,
    mask: Any = None,
    projection: Any = None,
) -> tuple[Any, list[Any]]:
    """An LSTM layer over all steps; the step is `ops.recurrent.lstm_step` with tanh.

    backward: do = dh * tanh(c'),  dc' += dh * o * (1 - tanh^2(c')),
              di = dc' * g,  df = dc' * c,  dg = dc' * i,  dc = dc' * f;  each times its activation's derivative
    kept:     f,  o (1 - tanh^2(c'))  and what dc' and dh are multiplied by, so that a step back is four products

    Args:
        projected: tensor (T, B, G H), x W + b of all steps, columns i, f, o, g.
        h: tensor (B, H).
        c: tensor (B, H).
        recurrent_kernel: tensor (H, G H).
        variant: as `lstm_step`.
        mask: bool tensor (T, B), or None.
        projection: None, or W (F, G H) and b (G H,) or None; `projected` is then x (B, T, F), and h (B, T, H) comes.

    Returns:
        Tuple of h of all steps (T, B, H) and [last h, last c].

    Example:
        >>> from keras import ops
        >>> zeros = ops.zeros((3, 2, 4)), ops.zeros((2, 1)), ops.ones((2, 1)), ops.zeros((1, 4))
        >>> outputs, (h, c) = lstm_sequence(*zeros)
        >>> float(c[0, 0])
        0.125

    Source: C 13.2, N, R.
    """
    gates = lstm_gates(variant)
    units = h.shape[-1]
    wide, forgets = len(gates) * units, "f" in gates

    def forward(projected: Any, states: list[Any], weights: list[Any]) -> Any:
        a, c_old = projected + ops.matmul(states[0], weights[0]), states[1]
        s = ops.sigmoid(a[:, :wide])
        g = a[:, wide:] if variant == "NIAF" else ops.tanh(a[:, wide:])
        opened = dict(zip(gates, ops.split(s, len(gates), axis=1), strict=True))
        kept = opened["f"] * c_old if forgets else c_old
        c = kept + (opened["i"] * g if "i" in opened else g)
        shown = c if variant == "NOAF" else ops.tanh(c)
        h = opened["o"] * shown if "o" in opened else shown

        i, o = (opened.get(gate, ops.ones_like(c)) for gate in ("i", "o"))
        of_c = o if variant == "NOAF" else tanh_gradient(shown, o)
        of_gates = sigmoid_gradient(s, ops.concatenate([{"i": g, "f": c_old, "o": shown}[k] for k in gates], axis=1))
        of_all = ops.concatenate([of_gates, i if variant == "NIAF" else tanh_gradient(g, i)], axis=1)
        return [h, c], [opened["f"], of_c, of_all] if forgets else [of_c, of_all]

    def backward(kept: Any, old: Any, new: Any, d_new: Any, weights: Any) -> Any:
        (*f, of_c, of_all), (dh, dc) = kept, d_new
        dc = dc + dh * of_c
        d = ops.concatenate([dh if gate == "o" else dc for gate in (*gates, "g")], axis=1) * of_all
        return [ops.matmul(d, weights[0]), dc * f[0] if forgets else dc], [d]

    def weight_gradients(h_old: Any, new: Any, old: Any, kept: Any, written: Any) -> Any:
        return [from_all_steps(h_old, written[0])]

    widths = (*([units] if forgets else []), units, wide + units)
    cell = Transition(forward, backward, weight_gradients, widths, (wide + units,))
    return through(cell, projected, [h, c], [recurrent_kernel], mask, projection)


def peephole_lstm_sequence(
    projected: Any,
    h: Any,
    c: Any,
    recurrent_kernel: Any,
    output_peephole: Any,
    peepholes: Any = None,
    mask: Any = None,
    projection: Any = None,
) -> tuple[Any, list[Any]]:
    """A peephole LSTM over all steps; the step is `ops.recurrent.peephole_lstm_step`.

    Args:
        projected: tensor (T, B, 4H), columns i, f, o, g.
        h: tensor (B, H).
        c: tensor (B, H).
        recurrent_kernel: tensor (H, 4H).
        output_peephole: tensor (H, H) or (H,).
        peepholes: tensor (2, H), or None.
        mask: bool tensor (T, B), or None.
        projection: None, or W (F, G H) and b (G H,) or None; `projected` is then x (B, T, F), and h (B, T, H) comes.

    Returns:
        Tuple of h of all steps (T, B, H) and [last h, last c].

    Example:
        >>> from keras import ops
        >>> zeros = ops.zeros((3, 2, 4)), ops.zeros((2, 1)), ops.ones((2, 1)), ops.zeros((1, 4))
        >>> float(peephole_lstm_sequence(*zeros, ops.zeros((1,)))[1][1][0, 0])
        0.125

    Source: S 9.5, C 13.2.
    """
    units = h.shape[-1]
    matrix = len(output_peephole.shape) == 2

    def forward(projected: Any, states: list[Any], weights: list[Any]) -> Any:
        h, c = states
        a = projected + ops.matmul(h, weights[0])
        seen = ops.concatenate([weights[2][0] * c, weights[2][1] * c], axis=1) if peepholes is not None else 0
        s = ops.sigmoid(a[:, : 2 * units] + seen)  # i, f
        g = ops.tanh(a[:, 3 * units :])
        c = s[:, units:] * c + s[:, :units] * g
        o = ops.sigmoid(a[:, 2 * units : 3 * units] + (ops.matmul(c, weights[1]) if matrix else weights[1] * c))
        return [o * ops.tanh(c), c], [s, o, g]

    def backward(kept: Any, old: Any, new: Any, d_new: Any, weights: Any) -> Any:
        (s, o, g), (_, c_old), (_, c), (dh, dc) = kept, old, new, d_new
        shown = ops.tanh(c)
        do = sigmoid_gradient(o, dh * shown)
        dc = dc + tanh_gradient(shown, dh * o)
        dc = dc + (ops.matmul(do, weights[1]) if matrix else do * weights[1])
        ds = sigmoid_gradient(s, ops.concatenate([dc * g, dc * c_old], axis=1))
        d = ops.concatenate([ds, do, tanh_gradient(g, dc * s[:, :units])], axis=1)
        dc = dc * s[:, units:]
        if peepholes is not None:
            dc = dc + ds[:, :units] * weights[2][0] + ds[:, units:] * weights[2][1]
        return [ops.matmul(d, weights[0]), dc], [d]

    def weight_gradients(h_old: Any, new: Any, old: Any, kept: Any, written: Any) -> Any:
        d = written[0]
        do = d[:, 2 * units : 3 * units]
        gradients = [from_all_steps(h_old, d), from_all_steps(new(1), do) if matrix else ops.sum(new(1) * do, axis=0)]
        if peepholes is not None:
            c_old = old(1)
            gradients.append(ops.stack([ops.sum(c_old * d[:, k * units : (k + 1) * units], axis=0) for k in (0, 1)]))
        return gradients

    widths = 2 * units, units, units
    turned = (0, 1) if matrix else (0,)
    cell = Transition(forward, backward, weight_gradients, widths, (4 * units,), (0, 1), turned)
    weights = [recurrent_kernel, output_peephole] + ([] if peepholes is None else [peepholes])
    return through(cell, projected, [h, c], weights, mask, projection)


def gru_sequence(
    projected: Any,
    h: Any,
    recurrent_kernel: Any,
    recurrent_bias: Any = None,
    candidate: str = "sigmoid",
    reset_after: bool = False,
    mask: Any = None,
    projection: Any = None,
) -> tuple[Any, list[Any]]:
    """A GRU layer over all steps; the step is `ops.recurrent.gru_step`.

    Args:
        projected: tensor (T, B, 3H), columns z, r, g.
        h: tensor (B, H).
        recurrent_kernel: tensor (H, 3H).
        recurrent_bias: tensor (3H,) with reset_after, or None.
        candidate: a name in WRITTEN_OUT.
        reset_after: as `gru_step`.
        mask: bool tensor (T, B), or None.
        projection: None, or W (F, G H) and b (G H,) or None; `projected` is then x (B, T, F), and h (B, T, H) comes.

    Returns:
        Tuple of h of all steps (T, B, H) and [last h].

    Example:
        >>> from keras import ops
        >>> outputs, (h,) = gru_sequence(ops.zeros((3, 2, 3)), ops.ones((2, 1)), ops.zeros((1, 3)), candidate="tanh")
        >>> float(h[0, 0])
        0.125

    Source: C 13.3.
    """
    function, derivative = WRITTEN_OUT[candidate]
    units = h.shape[-1]
    two = 2 * units
    biased = recurrent_bias is not None

    def forward(projected: Any, states: list[Any], weights: list[Any]) -> Any:
        h, kernel = states[0], weights[0]
        if reset_after:
            product = ops.matmul(h, kernel)
            product = product + weights[1] if biased else product
            inner = product[:, two:]
            s = ops.sigmoid(projected[:, :two] + product[:, :two])
            g = function(projected[:, two:] + s[:, units:] * inner)
        else:
            s = ops.sigmoid(projected[:, :two] + ops.matmul(h, kernel[:, :two]))
            g = function(projected[:, two:] + ops.matmul(s[:, units:] * h, kernel[:, two:]))
        gates = ops.concatenate([s, g], axis=1)  # as wide as what came of the inputs, whose memory it takes
        return [g + s[:, :units] * (h - g)], [inner, gates] if reset_after else [gates]

    def backward(kept: Any, old: Any, new: Any, d_new: Any, weights: Any) -> Any:
        *inner, gates = kept
        h, dh, turned = old[0], d_new[0], weights[0]
        s, z, r, g = gates[:, :two], gates[:, :units], gates[:, units:two], gates[:, two:]
        kept_dh = dh * z
        dg = derivative(g, dh - kept_dh)
        if reset_after:
            ds = sigmoid_gradient(s, ops.concatenate([dh * (h - g), dg * inner[0]], axis=1))
            through = ops.concatenate([ds, dg * r], axis=1)
            d_old = kept_dh + ops.matmul(through, turned)
            return [d_old], [ops.concatenate([ds, dg], axis=1), through]
        d_reset = ops.matmul(dg, turned[two:])
        ds = sigmoid_gradient(s, ops.concatenate([dh * (h - g), d_reset * h], axis=1))
        d_old = kept_dh + d_reset * r + ops.matmul(ds, turned[:two])
        return [d_old], [ops.concatenate([ds, dg], axis=1)]

    def weight_gradients(h_old: Any, new: Any, old: Any, kept: Any, written: Any) -> Any:
        if reset_after:
            gradients = [from_all_steps(h_old, written[1])]
            return [*gradients, ops.sum(written[1], axis=0)] if biased else gradients
        d = written[0]
        reset = kept(0)[:, units:two] * h_old
        return [ops.concatenate([from_all_steps(h_old, d[:, :two]), from_all_steps(reset, d[:, two:])], axis=1)]

    kept = (units, 3 * units) if reset_after else (3 * units,)
    written = (3 * units, 3 * units) if reset_after else (3 * units,)
    cell = Transition(forward, backward, weight_gradients, kept, written)
    return through(cell, projected, [h], [recurrent_kernel, *([recurrent_bias] if biased else [])], mask, projection)
