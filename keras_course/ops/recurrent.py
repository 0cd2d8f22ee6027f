"""One step of each recurrent cell, from the input's share of its pre-activations.

    RNN    h' = f(Ux + W h + b)
    LSTM   c' = f * c + i * tanh(g),   h' = o * tanh(c')
    GRU    h' = z * h + (1 - z) * candidate

What the input adds, x W + b for all gates side by side, does not depend on the state: `projected` is formed for all
steps in one product, and each step adds one product of the state with `recurrent_kernel`. Vectors are rows, so matrices
are the transposes of the notes'. `*` is elementwise, sigma the logistic function.
"""

from __future__ import annotations

from typing import Any

from keras import activations, ops

from keras_course.core.shapes import require_one_of

__all__ = ["LSTM_VARIANTS", "gru_step", "lstm_gates", "lstm_step", "peephole_lstm_step", "rnn_step"]

LSTM_VARIANTS = (None, "NIG", "NFG", "NOG", "NIAF", "NOAF")


def rnn_step(projected: Any, h: Any, recurrent_kernel: Any, activation: Any = "tanh") -> Any:
    """The state of a simple recurrent network after one more input.

    h' = f(projected + h W),   projected = x U + b

    Args:
        projected: tensor (B, H), the input's share x U + b.
        h: tensor (B, H), state before the step; of an output-recurrent net the last output (B, O).
        recurrent_kernel: tensor (H, H), W; or (O, H).
        activation: name or function f.

    Returns:
        Tensor (B, H), state after the step.

    Example:
        >>> import numpy as np
        >>> float(rnn_step(np.array([[0.5]]), np.array([[2.0]]), np.array([[0.25]]), "linear")[0, 0])
        1.0

    Source: C 10.3, N, R; ERRATA B23: the output distribution is softmax(o), not softmax(y).
    """
    return activations.get(activation)(projected + ops.matmul(h, recurrent_kernel))


def lstm_gates(variant: str | None) -> tuple[str, ...]:
    """The logistic gates that a variant keeps, in the order of the weights: input, forget, output.

    Args:
        variant: None, or one of "NIG", "NFG", "NOG", "NIAF", "NOAF".

    Raises:
        ValueError: for another variant.

    Example:
        >>> lstm_gates("NFG")
        ('i', 'o')

    Source: C 13.2.
    """
    require_one_of("lstm_gates", LSTM_VARIANTS, variant=variant)
    without = {"NIG": "i", "NFG": "f", "NOG": "o"}.get(variant or "")
    return tuple(gate for gate in "ifo" if gate != without)


def lstm_step(
    projected: Any, h: Any, c: Any, recurrent_kernel: Any, variant: str | None = None, activation: Any = "tanh"
) -> tuple[Any, Any]:
    """Hidden and cell state of an LSTM after one more input.

    i, f, o = sigma(their columns of a),   a = projected + h R,   projected = x W + b
    g  = act(its columns of a)
    c' = f * c + i * g
    h' = o * act(c')

    Columns stand in the order i, f, o, g (Keras: i, f, g, o). The variants leave one thing out:

    | variant | left out | so that |
    |---|---|---|
    | NIG | input gate, and its columns | i = 1 |
    | NFG | forget gate, and its columns | f = 1: nothing is ever forgotten |
    | NOG | output gate, and its columns | o = 1 |
    | NIAF | input activation | g = its columns of a |
    | NOAF | output activation | h' = o * c' |

    Args:
        projected: tensor (B, G H), G = 4, or 3 where a gate is left out.
        h: tensor (B, H), hidden state.
        c: tensor (B, H), cell state.
        recurrent_kernel: tensor (H, G H), R.
        variant: None, "NIG", "NFG", "NOG", "NIAF" or "NOAF".
        activation: name or function act.

    Returns:
        Tuple (h', c') of tensors (B, H).

    Raises:
        ValueError: for another variant.

    Example:
        >>> import numpy as np
        >>> zeros, one = np.zeros((1, 4)), np.ones((1, 1))
        >>> h, c = lstm_step(zeros, one, one, np.zeros((1, 4)))
        >>> float(c[0, 0])
        0.5

    Source: C 13.2; N; R; S 9.5; Greff et al. 2015 (the variants).
    """
    gates = lstm_gates(variant)
    act = activations.get(activation)
    a = projected + ops.matmul(h, recurrent_kernel)
    units = h.shape[-1]
    opened = dict(zip(gates, ops.split(ops.sigmoid(a[:, : len(gates) * units]), len(gates), axis=1), strict=True))
    candidate = a[:, len(gates) * units :]
    g = candidate if variant == "NIAF" else act(candidate)
    kept = opened["f"] * c if "f" in opened else c
    written = opened["i"] * g if "i" in opened else g
    c = kept + written
    shown = c if variant == "NOAF" else act(c)
    return (opened["o"] * shown if "o" in opened else shown), c


def peephole_lstm_step(
    projected: Any, h: Any, c: Any, recurrent_kernel: Any, output_peephole: Any, peepholes: Any = None
) -> tuple[Any, Any]:
    """An LSTM step whose gates look at the cell state.

    printed (S 9.5): o = sigma(... + c' P), the output gate sees the NEW cell state through a full matrix P
    full:            i = sigma(... + p_i * c),  f = sigma(... + p_f * c),  o = sigma(... + p_o * c')   vectors p

    The rest is `lstm_step`: c' = f * c + i * tanh(g), h' = o * tanh(c'); columns in the order i, f, o, g.

    Args:
        projected: tensor (B, 4H), x W + b.
        h: tensor (B, H), hidden state.
        c: tensor (B, H), cell state, called z in S.
        recurrent_kernel: tensor (H, 4H).
        output_peephole: tensor (H, H), P, or (H,), p_o.
        peepholes: tensor (2, H), p_i and p_f, or None where the output gate alone looks.

    Returns:
        Tuple (h', c') of tensors (B, H).

    Example:
        >>> import numpy as np
        >>> zeros, one = np.zeros((1, 4)), np.ones((1, 1))
        >>> h, c = peephole_lstm_step(zeros, one, one, np.zeros((1, 4)), np.ones((1,)))
        >>> bool(abs(float(h[0, 0]) - np.tanh(0.5) / (1 + np.exp(-0.5))) < 1e-12)
        True

    Source: S 9.5, C 13.2; Gers and Schmidhuber 2000.
    """
    a_i, a_f, a_o, a_g = ops.split(projected + ops.matmul(h, recurrent_kernel), 4, axis=1)
    if peepholes is not None:
        a_i, a_f = a_i + peepholes[0] * c, a_f + peepholes[1] * c
    c = ops.sigmoid(a_f) * c + ops.sigmoid(a_i) * ops.tanh(a_g)
    seen = ops.matmul(c, output_peephole) if len(output_peephole.shape) == 2 else output_peephole * c
    return ops.sigmoid(a_o + seen) * ops.tanh(c), c


def gru_step(
    projected: Any,
    h: Any,
    recurrent_kernel: Any,
    recurrent_bias: Any = None,
    candidate: Any = "sigmoid",
    reset_after: bool = False,
    seen: Any = None,
) -> Any:
    """The state of a gated recurrent unit after one more input.

    z = sigma(x_z + h R_z),   r = sigma(x_r + h R_r),   x_z, x_r, x_g the columns of projected = x W + b
    reset before: g = act(x_g + (r * h) R_g)
    reset after:  g = act(x_g + r * (h R_g + d))          the form that cuDNN and Keras compute
    h' = z * h + (1 - z) * g                              z = 1 keeps the OLD state

    The notes print act = sigma; Cho et al. and Keras take tanh.

    Args:
        projected: tensor (B, 3H), columns in the order z, r, g.
        h: tensor (B, H).
        recurrent_kernel: tensor (H, 3H), R.
        recurrent_bias: tensor (3H,), d, added to h R; for reset_after alone, or None.
        candidate: name or function act.
        reset_after: which of the two forms.
        seen: tensor (B, H) that stands for h in the products (h under dropout), or None for h itself.

    Returns:
        Tensor (B, H).

    Raises:
        ValueError: for a recurrent bias with reset_after=False, where it would be the same as b.

    Example:
        >>> import numpy as np
        >>> float(gru_step(np.zeros((1, 3)), np.ones((1, 1)), np.zeros((1, 3)), candidate="tanh")[0, 0])
        0.5

    Source: C 13.3; Cho et al. 2014.
    """
    act = activations.get(candidate)
    units = h.shape[-1]
    seen = h if seen is None else seen
    if reset_after:
        product = ops.matmul(seen, recurrent_kernel)
        if recurrent_bias is not None:
            product = product + recurrent_bias
        gates = ops.sigmoid(projected[:, : 2 * units] + product[:, : 2 * units])
        g = act(projected[:, 2 * units :] + gates[:, units:] * product[:, 2 * units :])
    else:
        if recurrent_bias is not None:
            raise ValueError("gru_step takes a recurrent_bias with reset_after=True alone. Received: reset_after=False")
        gates = ops.sigmoid(projected[:, : 2 * units] + ops.matmul(seen, recurrent_kernel[:, : 2 * units]))
        g = act(projected[:, 2 * units :] + ops.matmul(gates[:, units:] * seen, recurrent_kernel[:, 2 * units :]))
    return g + gates[:, :units] * (h - g)  # one product fewer than z h + (1 - z) g
