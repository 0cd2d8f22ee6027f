"""Deep Boltzmann machines: layers of binary units, each connected with the next, no direction anywhere.

    E(v, h^1 .. h^L) = -sum_l b^l.h^l - sum_l h^(l-1).W^l h^l,   h^0 = v,   P = exp(-E) / Z
    P(h^l_j = 1 | rest) = sigmoid(b^l_j + (h^(l-1) W^l)_j + (W^(l+1) h^(l+1))_j)
    log P(v) >= -E(v, m) + H(m) - log Z,   m^l_j = sigmoid(b^l_j + (m^(l-1) W^l)_j + (W^(l+1) m^(l+1))_j) at its best

Even layers are independent given the odd ones and the other way round: together the machine is a restricted one whose
kernel has blocks of zeros, so that its log Z, its Gibbs sweeps and its annealing are those of `ops.boltzmann`.
Conventions that bite. `kernels` are (units below, units above); `biases` begin with v's. Sums over units; nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.ops.boltzmann import binary_states, rbm_log_partition
from keras_course.ops.floating import as_floating

__all__ = [
    "MOST_SUMMED", "as_restricted", "deep_energy", "deep_log_partition", "deep_mean_field", "deep_unnormalised",
    "mean_field_bound",
]  # fmt: skip

MOST_SUMMED = 14  # units of the odd layers, whose states lie side by side in memory for every x


def deep_energy(layers: Sequence[Any], kernels: Sequence[Any], biases: Sequence[Any]) -> Any:
    """E of states, or of means of independent units: it is linear in each unit.

    Args:
        layers: tensors (..., D), (..., H_1) .. (..., H_L).
        kernels: tensors (D, H_1) .. (H_(L-1), H_L).
        biases: tensors (D,), (H_1,) .. (H_L,).

    Returns:
        Tensor (...), nats.

    Example:
        >>> float(deep_energy([[1.0], [1.0], [1.0]], [[[2.0]], [[3.0]]], [[0.5], [0.0], [0.25]]))
        -5.75

    Source: R; Salakhutdinov and Hinton 2009.
    """
    layers = [as_floating(each) for each in layers]
    total = -sum(ops.sum(h * as_floating(bias, h.dtype), axis=-1) for h, bias in zip(layers, biases, strict=True))
    for below, above, kernel in zip(layers[:-1], layers[1:], kernels, strict=True):
        total = total - ops.sum(ops.matmul(below, as_floating(kernel, below.dtype)) * above, axis=-1)
    return total


def as_restricted(kernels: Sequence[Any], biases: Sequence[Any]) -> tuple[Any, Any, Any]:
    """The same machine as a restricted one: even layers (v, h^2 ...) against odd ones (h^1, h^3 ...).

    Args:
        kernels: as in `deep_energy`.
        biases: as in `deep_energy`.

    Returns:
        Tuple (kernel (even units, odd units) with blocks of zeros, biases of the even units, of the odd ones).

    Example:
        >>> kernel, even, odd = as_restricted([[[1.0]], [[2.0]]], [[0.1], [0.2], [0.3]])
        >>> kernel.numpy().tolist(), even.shape, odd.shape
        ([[1.0], [2.0]], TensorShape([2]), TensorShape([1]))

    Source: R.
    """
    kernels = [as_floating(kernel) for kernel in kernels]
    dtype = kernels[0].dtype
    biases = [as_floating(bias, dtype) for bias in biases]

    def block(even: int, odd: int) -> Any:
        if odd == even + 1:
            return kernels[even]
        if odd == even - 1:
            return ops.transpose(kernels[odd])
        return ops.zeros((*biases[even].shape, *biases[odd].shape), dtype)

    count = len(biases)
    rows = [ops.concatenate([block(i, j) for j in range(1, count, 2)], axis=1) for i in range(0, count, 2)]
    return ops.concatenate(rows), ops.concatenate(biases[0::2]), ops.concatenate(biases[1::2])


def deep_log_partition(kernels: Sequence[Any], biases: Sequence[Any]) -> Any:
    """log Z, exactly, where the even or the odd layers have at most 20 units together.

    Args:
        kernels: as in `deep_energy`.
        biases: as in `deep_energy`.

    Returns:
        Scalar tensor, nats.

    Raises:
        ValueError: for more units.

    Example:
        >>> round(float(deep_log_partition([[[0.0]], [[0.0]]], [[0.0], [0.0], [0.0]])), 6)  # 3 log 2
        2.079442

    Source: R; Salakhutdinov and Hinton 2009.
    """
    return rbm_log_partition(*as_restricted(kernels, biases))


def deep_unnormalised(x: Any, kernels: Sequence[Any], biases: Sequence[Any]) -> Any:
    """log sum_h exp(-E(x, h)), exactly: log P(x) is this less log Z. The odd layers are enumerated.

    Args:
        x: tensor (B, D).
        kernels: as in `deep_energy`; the odd layers have at most 14 units together.
        biases: as in `deep_energy`.

    Returns:
        Tensor (B,), nats.

    Raises:
        ValueError: for more units.

    Example:
        >>> round(float(deep_unnormalised([[1.0]], [[[0.0]], [[0.0]]], [[2.0], [0.0], [0.0]])[0]), 6)  # 2 + 2 log 2
        3.386294

    Source: R; Salakhutdinov and Hinton 2009.
    """
    x = as_floating(x)
    dtype = x.dtype
    kernel, even, odd = (as_floating(each, dtype) for each in as_restricted(kernels, biases))
    features, units = x.shape[-1], odd.shape[0]
    if units > MOST_SUMMED:
        raise ValueError(
            f"deep_unnormalised enumerates at most {MOST_SUMMED} units in the odd layers. Received: {units} units"
        )
    states = binary_states(units, keras.backend.standardize_dtype(dtype))  # (S, odd)
    hidden = even[features:] + ops.matmul(states, ops.transpose(kernel[features:]))  # (S, even hidden)
    drive = ops.matmul(x, kernel[:features]) + odd  # (B, odd)
    scores = ops.matmul(drive, ops.transpose(states)) + ops.sum(ops.softplus(hidden), axis=-1)
    return ops.matmul(x, even[:features]) + ops.logsumexp(scores, axis=-1)


def deep_mean_field(x: Any, kernels: Sequence[Any], biases: Sequence[Any], sweeps: int) -> list[Any]:
    """The means of independent hidden units that come nearest to P(h | x), by coordinate ascent on the bound.

    It starts from one pass upwards in which every layer but the last counts what lies below twice, because what lies
    above is not known yet. A sweep sets the odd layers, then the even ones; none lowers the bound.

    Args:
        x: tensor (B, D).
        kernels: as in `deep_energy`.
        biases: as in `deep_energy`.
        sweeps: int >= 0.

    Returns:
        Tensors (B, H_1) .. (B, H_L).

    Example:
        >>> means = deep_mean_field([[1.0]], [[[0.0]], [[0.0]]], [[0.0], [0.0], [0.0]], 3)
        >>> [float(mean[0, 0]) for mean in means]
        [0.5, 0.5]

    Source: R; Salakhutdinov and Hinton 2009.
    """
    x = as_floating(x)
    kernels = [as_floating(kernel, x.dtype) for kernel in kernels]
    biases = [as_floating(bias, x.dtype) for bias in biases]
    last = len(kernels)
    layers = [x]
    for layer, kernel in enumerate(kernels, start=1):
        below = ops.matmul(layers[-1], kernel) * (2 if layer < last else 1)
        layers.append(ops.sigmoid(below + biases[layer]))
    told = ops.matmul(x, kernels[0]) + biases[1]  # what v tells h^1, once for all sweeps
    for _ in range(sweeps):
        for layer in (*range(1, last + 1, 2), *range(2, last + 1, 2)):
            drive = told if layer == 1 else ops.matmul(layers[layer - 1], kernels[layer - 1]) + biases[layer]
            if layer < last:
                drive = drive + ops.matmul(layers[layer + 1], ops.transpose(kernels[layer]))
            layers[layer] = ops.sigmoid(drive)
    return layers[1:]


def mean_field_bound(x: Any, means: Sequence[Any], kernels: Sequence[Any], biases: Sequence[Any]) -> Any:
    """-E(x, m) + H(m): less log Z, a lower bound on log P(x), whatever the means m of the hidden units are.

    Args:
        x: tensor (B, D).
        means: tensors (B, H_1) .. (B, H_L) in [0, 1].
        kernels: as in `deep_energy`.
        biases: as in `deep_energy`.

    Returns:
        Tensor (B,), nats.

    Example:
        >>> x, m = [[1.0]], [[[0.5]], [[0.5]]]
        >>> round(float(mean_field_bound(x, m, [[[0.0]], [[0.0]]], [[2.0], [0.0], [0.0]])[0]), 6)  # 2 + 2 log 2
        3.386294

    Source: R; Salakhutdinov and Hinton 2009.
    """
    x = as_floating(x)
    means = [as_floating(mean, x.dtype) for mean in means]
    entropy = sum(ops.sum(_minus_p_log_p(mean) + _minus_p_log_p(1 - mean), axis=-1) for mean in means)
    return entropy - deep_energy([x, *means], kernels, biases)


def _minus_p_log_p(p: Any) -> Any:
    return -p * ops.log(ops.where(p > 0, p, ops.ones_like(p)))
