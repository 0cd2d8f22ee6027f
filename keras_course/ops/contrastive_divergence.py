"""The objective of a restricted Boltzmann machine's training: free energies of data and of model states.

    sum_n s_n F(v_n),   s_n > 0 for data, s_n < 0 for states of the model, v_n held fixed
    d/dW = -sum_n s_n v_n sigmoid(l_n)^T,   d/db = -sum_n s_n v_n,   d/dc = -sum_n s_n sigmoid(l_n),   l_n = c + v_n W

Convention that bites: the slopes are written out, one product for data and model together, and go to W, b and c alone.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["free_energy_contrast"]


def free_energy_contrast(
    visible: Any, logits: Any, shares: Any, kernel: Any, visible_bias: Any, hidden_bias: Any, scale: Any = None
) -> Any:
    """sum_n s_n F(v_n), where the log odds of the hidden units are known already.

    softplus(l) is max(l, 0) - log max(p, 1 - p) here, with p = sigmoid(l), which the slopes need anyway.

    Args:
        visible: tensor (N, D), data and states of the model; no gradient goes there.
        logits: tensor (N, H), as `rbm_hidden_logits` gives them for `visible`; no gradient goes there.
        shares: tensor (N,), s: what each row counts, negative for states of the model.
        kernel: tensor (D, H).
        visible_bias: tensor (D,).
        hidden_bias: tensor (H,).
        scale: None, or deviations of Gaussian visible units.

    Returns:
        Scalar tensor, nats, with gradients to kernel, visible_bias and hidden_bias.

    Example:
        >>> round(float(free_energy_contrast([[1.0]], [[0.0]], [1.0], [[0.0]], [2.0], [0.0])), 6)  # -2 - log 2
        -2.693147

    Source: C 18.3, R; Hinton 2002.
    """
    visible = as_floating(visible)
    dtype = visible.dtype
    logits, shares = as_floating(logits, dtype), as_floating(shares, dtype)
    # Copies, because a variable among them would want a gradient of its own.
    parameters = [ops.copy(as_floating(each, dtype)) for each in (kernel, visible_bias, hidden_bias)]
    deviation = None if scale is None else as_floating(scale, dtype)

    def contrast(weights: Any, b: Any, c: Any) -> Any:
        p = ops.sigmoid(logits)
        softplus = ops.sum(ops.relu(logits), axis=-1) - ops.sum(ops.log(ops.maximum(p, 1 - p)), axis=-1)  # (N,)
        drawn_to = ops.matmul(shares, visible)  # (D,), sum_n s_n v_n
        if deviation is None:
            alone = -ops.sum(drawn_to * b)
        else:
            alone = ops.sum(shares * ops.sum(ops.square((visible - b) / deviation), axis=-1)) / 2

        def slopes(*upstream: Any, **_: Any) -> Any:
            up = upstream[0]
            told = (-up * shares)[:, None] * p  # (N, H)
            seen = visible if deviation is None else visible / deviation
            to_b = -up * drawn_to
            if deviation is not None:
                to_b = (to_b + up * ops.sum(shares) * b) / ops.square(deviation)
            return ops.matmul(ops.transpose(seen), told), to_b, ops.sum(told, axis=0)

        return alone - ops.sum(shares * softplus), slopes

    return ops.custom_gradient(contrast)(*parameters)
