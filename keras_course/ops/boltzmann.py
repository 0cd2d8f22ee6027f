"""Energies of Boltzmann machines, restricted or not: free energies, conditionals, exact partition functions.

restricted:    E(v, h) = -b.v - c.h - v.W h                                   v in {0, 1}^D, h in {0, 1}^H
Gaussian v:    E(v, h) = sum_i (v_i - b_i)^2 / (2 s_i^2) - c.h - (v / s).W h     v in R^D
free energy:   F(v) = -log sum_h exp(-E(v, h));  binary: F(v) = -b.v - sum_j softplus(c_j + (v W)_j)
unrestricted:  E(x) = -x.W x / 2 - b.x             W symmetric, zeros on its diagonal
               P = exp(-E) / Z,  Z = sum of exp(-E) over all states

Conventions that bite. Units are 0 and 1, not -1 and +1. The pair (i, j) counts once: hence the half before x.W x, where
both W_ij and W_ji stand. W of a restricted machine has a row a visible unit. Nats. `scale` s is the standard deviation
of Gaussian visible units; W acts on v / s.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.ops.floating import as_floating

__all__ = [
    "MOST_ENUMERATED",
    "binary_states",
    "boltzmann_energy",
    "boltzmann_log_partition",
    "free_energy_of_logits",
    "pseudo_log_likelihood",
    "rbm_energy",
    "rbm_free_energy",
    "rbm_hidden_logits",
    "rbm_log_partition",
    "rbm_visible_parameters",
]

MOST_ENUMERATED = 20  # units: a million states, a second
AT_A_TIME = 12  # units whose states lie side by side in memory


def rbm_hidden_logits(visible: Any, kernel: Any, hidden_bias: Any, scale: Any = None) -> Any:
    """log odds of every hidden unit: P(h_j = 1 | v) = sigmoid(c_j + sum_i v_i W_ij).

    Args:
        visible: tensor (..., D).
        kernel: tensor (D, H).
        hidden_bias: tensor (H,).
        scale: None for binary v; for Gaussian v the deviations, a number or (D,), by which v is divided first.

    Returns:
        Tensor (..., H).

    Example:
        >>> rbm_hidden_logits([[1.0, 0.0]], [[2.0], [3.0]], [0.5]).numpy().tolist()
        [[2.5]]

    Source: C 18.3, R.
    """
    visible = as_floating(visible)
    scaled = visible if scale is None else visible / as_floating(scale, visible.dtype)
    return ops.matmul(scaled, as_floating(kernel, visible.dtype)) + as_floating(hidden_bias, visible.dtype)


def rbm_visible_parameters(hidden: Any, kernel: Any, visible_bias: Any, scale: Any = None) -> Any:
    """Log odds of binary visible units, b_i + sum_j W_ij h_j, or the mean of Gaussian ones, b_i + s_i sum_j W_ij h_j.

    Args:
        hidden: tensor (..., H).
        kernel: tensor (D, H).
        visible_bias: tensor (D,).
        scale: None, or deviations of Gaussian units.

    Returns:
        Tensor (..., D).

    Example:
        >>> rbm_visible_parameters([[1.0]], [[2.0], [3.0]], [0.5, 0.0]).numpy().tolist()
        [[2.5, 3.0]]

    Source: C 18.3, R.
    """
    hidden = as_floating(hidden)
    drive = ops.matmul(hidden, ops.transpose(as_floating(kernel, hidden.dtype)))
    if scale is not None:
        drive = drive * as_floating(scale, hidden.dtype)
    return drive + as_floating(visible_bias, hidden.dtype)


def rbm_energy(visible: Any, hidden: Any, kernel: Any, visible_bias: Any, hidden_bias: Any, scale: Any = None) -> Any:
    """E(v, h) of a restricted Boltzmann machine.

    E = -b.v - c.h - v.W h;  Gaussian v: sum_i (v_i - b_i)^2 / (2 s_i^2) - c.h - (v / s).W h

    Args:
        visible: tensor (..., D).
        hidden: tensor (..., H).
        kernel: tensor (D, H).
        visible_bias: tensor (D,).
        hidden_bias: tensor (H,).
        scale: None, or deviations of Gaussian visible units.

    Returns:
        Tensor (...).

    Example:
        >>> float(rbm_energy([1.0, 1.0], [1.0], [[2.0], [-3.0]], [0.5, 0.25], [1.0]))
        -0.75

    Source: C 18.3, R.
    """
    visible = as_floating(visible)
    logits = rbm_hidden_logits(visible, kernel, hidden_bias, scale)
    return _visible_energy(visible, visible_bias, scale) - ops.sum(logits * as_floating(hidden, visible.dtype), axis=-1)


def rbm_free_energy(visible: Any, kernel: Any, visible_bias: Any, hidden_bias: Any, scale: Any = None) -> Any:
    """F(v) = -log sum_h exp(-E(v, h)): P(v) = exp(-F(v)) / Z, in D H products instead of 2^H terms.

    F = -b.v - sum_j softplus(c_j + (v W)_j);  Gaussian v: sum_i (v_i - b_i)^2 / (2 s_i^2) - sum_j softplus(...)

    Args:
        visible: tensor (..., D).
        kernel: tensor (D, H).
        visible_bias: tensor (D,).
        hidden_bias: tensor (H,).
        scale: None, or deviations of Gaussian visible units.

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(rbm_free_energy([0.0, 0.0], [[1.0], [2.0]], [0.0, 0.0], [0.0])), 6)  # -log 2
        -0.693147

    Source: C 18.3, R.
    """
    visible = as_floating(visible)
    return free_energy_of_logits(visible, rbm_hidden_logits(visible, kernel, hidden_bias, scale), visible_bias, scale)


def free_energy_of_logits(visible: Any, logits: Any, visible_bias: Any, scale: Any = None) -> Any:
    """F(v) where the log odds of the hidden units are known already: no product of matrices.

    F = -b.v - sum_j softplus(logits_j);  Gaussian v: sum_i (v_i - b_i)^2 / (2 s_i^2) - sum_j softplus(logits_j)

    Args:
        visible: tensor (..., D).
        logits: tensor (..., H), as `rbm_hidden_logits` gives them.
        visible_bias: tensor (D,).
        scale: None, or deviations of Gaussian visible units.

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(free_energy_of_logits([1.0], [0.0], [2.0])), 6)  # -2 - log 2
        -2.693147

    Source: C 18.3, R.
    """
    visible = as_floating(visible)
    logits = as_floating(logits, visible.dtype)
    return _visible_energy(visible, visible_bias, scale) - ops.sum(ops.softplus(logits), axis=-1)


def _visible_energy(visible: Any, visible_bias: Any, scale: Any) -> Any:
    bias = as_floating(visible_bias, visible.dtype)
    if scale is None:
        return -ops.sum(visible * bias, axis=-1)
    return ops.sum(ops.square((visible - bias) / as_floating(scale, visible.dtype)), axis=-1) / 2


def pseudo_log_likelihood(visible: Any, kernel: Any, visible_bias: Any, hidden_bias: Any) -> Any:
    """sum_i log P(v_i | all other v) of a restricted machine with binary units: no partition function in it.

    log P(v_i | rest) = log sigmoid(F(v with v_i flipped) - F(v))

    Args:
        visible: tensor (..., D) of 0 and 1.
        kernel: tensor (D, H).
        visible_bias: tensor (D,).
        hidden_bias: tensor (H,).

    Returns:
        Tensor (...), nats. D H numbers an example are in memory at a time.

    Example:
        >>> round(float(pseudo_log_likelihood([1.0, 0.0], [[0.0], [0.0]], [0.0, 0.0], [0.0])), 6)  # -2 log 2
        -1.386294

    Source: C 18.3; Besag 1975.
    """
    visible = as_floating(visible)
    kernel = as_floating(kernel, visible.dtype)
    logits = rbm_hidden_logits(visible, kernel, hidden_bias)
    step = 1 - 2 * visible  # (..., D), what a flip adds to v_i
    flipped = logits[..., None, :] + step[..., None] * kernel  # (..., D, H)
    rise = -step * as_floating(visible_bias, visible.dtype) - ops.sum(
        ops.softplus(flipped) - ops.softplus(logits)[..., None, :], axis=-1
    )
    return -ops.sum(ops.softplus(-rise), axis=-1)


def binary_states(units: int, dtype: str = "float32") -> Any:
    """All states of n binary units, (2^n, n), the first unit changing fastest.

    Args:
        units: int n.
        dtype: of the answer.

    Returns:
        Tensor (2^n, n) of 0 and 1.

    Example:
        >>> binary_states(2).numpy().tolist()
        [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]

    Source: C 18.3.
    """
    return _bits(ops.arange(2**units, dtype="int32"), units, dtype)


def _bits(numbers: Any, units: int, dtype: Any) -> Any:
    powers = ops.convert_to_tensor([2**power for power in range(units)], dtype="int32")
    numbers = ops.expand_dims(ops.convert_to_tensor(numbers, dtype="int32"), -1)
    return ops.cast(ops.mod(ops.floor_divide(numbers, powers), 2), dtype)


def rbm_log_partition(kernel: Any, visible_bias: Any, hidden_bias: Any, scale: Any = None) -> Any:
    """log Z of a restricted machine, exactly: a sum over all states of the smaller layer (Gaussian v: the hidden one).

    Z = sum_h exp(c.h) prod_i (1 + exp(b_i + (W h)_i));   Gaussian v: the product of integrals over v_i instead,
    sqrt(2 pi) s_i exp(b_i r_i / s_i + r_i^2 / 2) with r = W h

    Args:
        kernel: tensor (D, H) of known shape, one side of at most 20 (Gaussian v: H).
        visible_bias: tensor (D,).
        hidden_bias: tensor (H,).
        scale: None, or deviations of Gaussian visible units.

    Returns:
        Scalar tensor, nats. Four thousand states are in memory at a time.

    Raises:
        ValueError: if more than 20 units would have to be enumerated.

    Example:
        >>> round(float(rbm_log_partition([[0.0], [0.0]], [0.0, 0.0], [0.0])), 6)  # 3 log 2
        2.079442

    Source: C 18.3, R.
    """
    kernel = as_floating(kernel)
    dtype = kernel.dtype
    b, c = as_floating(visible_bias, dtype), as_floating(hidden_bias, dtype)
    features, units = kernel.shape
    if scale is None and features <= units:
        kernel, b, c = ops.transpose(kernel), c, b  # the hidden units are summed out, the visible ones enumerated
    weights = ops.transpose(kernel)  # (units enumerated, units summed out)
    deviation = None if scale is None else ops.broadcast_to(as_floating(scale, dtype), b.shape)

    def summed_out(drive: Any) -> Any:
        if deviation is None:
            return ops.sum(ops.softplus(b + drive), axis=-1)
        normaliser = ops.log(deviation) + 0.5 * math.log(2 * math.pi)
        return ops.sum(normaliser + drive * b / deviation + ops.square(drive) / 2, axis=-1)

    def log_weights(states: Any, fixed: Any) -> Any:
        low = states.shape[-1]
        drive = ops.matmul(states, weights[:low]) + ops.matmul(fixed, weights[low:])
        return ops.matmul(states, c[:low]) + ops.sum(fixed * c[low:]) + summed_out(drive)

    return _log_sum_over_states(log_weights, int(weights.shape[0]), dtype, "rbm_log_partition")


def boltzmann_energy(x: Any, kernel: Any, bias: Any) -> Any:
    """E(x) = -x.W x / 2 - b.x of a Boltzmann machine whose units may all be connected.

    Args:
        x: tensor (..., N).
        kernel: tensor (N, N), symmetric, zeros on the diagonal.
        bias: tensor (N,).

    Returns:
        Tensor (...).

    Example:
        >>> float(boltzmann_energy([1.0, 1.0], [[0.0, 2.0], [2.0, 0.0]], [0.5, 0.25]))
        -2.75

    Source: C 17.3, R; Ackley, Hinton and Sejnowski 1985.
    """
    x = as_floating(x)
    drive = ops.matmul(x, as_floating(kernel, x.dtype))
    return -ops.sum(x * (drive / 2 + as_floating(bias, x.dtype)), axis=-1)


def boltzmann_log_partition(kernel: Any, bias: Any) -> Any:
    """log Z of a Boltzmann machine of at most 20 units, exactly: a sum over all its states.

    Args:
        kernel: tensor (N, N) of known shape, symmetric, zeros on the diagonal.
        bias: tensor (N,).

    Returns:
        Scalar tensor, nats.

    Raises:
        ValueError: for more than 20 units.

    Example:
        >>> round(float(boltzmann_log_partition([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0])), 6)  # log(3 + e)
        1.743668

    Source: C 17.3, R.
    """
    kernel = as_floating(kernel)
    bias = as_floating(bias, kernel.dtype)

    def log_weights(states: Any, fixed: Any) -> Any:
        low = states.shape[-1]
        among = boltzmann_energy(states, kernel[:low, :low], bias[:low] + ops.matmul(kernel[:low, low:], fixed))
        return -among - boltzmann_energy(fixed, kernel[low:, low:], bias[low:])

    return _log_sum_over_states(log_weights, int(kernel.shape[0]), kernel.dtype, "boltzmann_log_partition")


def _log_sum_over_states(log_weights: Any, units: int, dtype: Any, who: str) -> Any:
    """log sum over all states of exp(log_weights(states of the first units (S, low), state of the others))."""
    if units > MOST_ENUMERATED:
        raise ValueError(
            f"{who} enumerates at most {MOST_ENUMERATED} units; estimate log Z by annealed importance sampling. "
            f"Received: {units} units"
        )
    low = min(units, AT_A_TIME)
    states = binary_states(low, keras.backend.standardize_dtype(dtype))

    def of_block(number: Any) -> Any:
        return ops.logsumexp(log_weights(states, _bits(number, units - low, dtype)))

    first = of_block(0)
    if units == low:
        return first
    return ops.fori_loop(1, 2 ** (units - low), lambda number, total: ops.logaddexp(total, of_block(number)), first)
