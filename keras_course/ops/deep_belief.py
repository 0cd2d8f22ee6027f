"""Deep belief networks: a restricted Boltzmann machine on top, directed layers of binary units below it.

    P(v, h^1 .. h^L) = P_top(h^(L-1), h^L) prod_l P(h^(l-1) | h^l),   P(h^(l-1)_i = 1 | h^l) = sigmoid(a_i + (G h^l)_i)
    Q(h^l_j = 1 | h^(l-1)) = sigmoid(r_j + (h^(l-1) R)_j),            l = 1 .. L - 1
    log P(v) >= E_Q [ log P_top(h^(L-1)) + sum_l log P(h^(l-1) | h^l) - log Q(h^l | h^(l-1)) ]

Conventions that bite. Kernels of both directions are (units below, units above). The posterior of a directed layer does
not factorise, Q does: the bound is an equality only at the top. Sums over units; nats. Another top than a restricted
machine is a function of its states, h^(L-1) (S, N) -> log P_top (..., S), normalised: that of K classes gives (K, S),
and the answers have K rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

from keras_course.ops.boltzmann import binary_states, rbm_free_energy, rbm_log_partition
from keras_course.ops.floating import as_floating

__all__ = ["MOST_TABULATED", "belief_bound", "belief_log_prob", "belief_log_weight", "units_log_prob"]

MOST_TABULATED = 12  # units of a directed layer: a table of 4096 states against those of the layer below


def units_log_prob(states: Any, logits: Any) -> Any:
    """log P of binary units that are independent given their log odds: sum_i s_i l_i - softplus(l_i).

    Args:
        states: tensor (..., N) of 0 and 1.
        logits: tensor (..., N).

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(units_log_prob([1.0, 0.0], [0.0, 0.0])), 6)  # -2 log 2
        -1.386294

    Source: R.
    """
    logits = as_floating(logits)
    return ops.sum(as_floating(states, logits.dtype) * logits - ops.softplus(logits), axis=-1)


def belief_log_weight(
    layers: Sequence[Any],
    generative: Sequence[Any],
    recognition: Sequence[Any],
    top: Sequence[Any] | Callable[[Any], Any],
    log_partition: Any = None,
) -> Any:
    """log P(v, h^1 .. h^(L-1)) - log Q(h^1 .. h^(L-1) | v): its mean under Q is the bound, of its exp P(v) itself.

    Args:
        layers: tensors (..., D), (..., H_1) .. (..., H_(L-1)), v first, of 0 and 1.
        generative: pairs (G_l (H_(l-1), H_l), a (H_(l-1),)), l = 1 .. L - 1.
        recognition: pairs (R_l (H_(l-1), H_l), r (H_l,)).
        top: (W (H_(L-1), H_L), b (H_(L-1),), c (H_L,)), or a function of h^(L-1).
        log_partition: scalar, log Z of the top; None is the exact one.

    Returns:
        Tensor (...), nats.

    Example:
        >>> zero = [([[0.0]], [0.0])]
        >>> found = belief_log_weight([[1.0], [0.0]], zero, zero, ([[0.0]], [0.0], [0.0]), 1.386294)
        >>> round(float(found), 4)  # -log 2
        -0.6931

    Source: R; Hinton, Osindero and Teh 2006.
    """
    layers = [as_floating(each) for each in layers]
    total = _log_top(top, log_partition)(layers[-1])
    for below, above, (kernel, bias), (kernel_up, bias_up) in zip(
        layers[:-1], layers[1:], generative, recognition, strict=True
    ):
        total += units_log_prob(below, _down(above, kernel, bias)) - units_log_prob(
            above, _up(below, kernel_up, bias_up)
        )
    return total


def belief_log_prob(x: Any, generative: Sequence[Any], top: Sequence[Any] | Callable[[Any], Any]) -> Any:
    """log P(x), exactly: tables over all states of each directed layer, from the top down.

    log P(h^(l-1)) = log sum_(h^l) P(h^l) P(h^(l-1) | h^l)

    Args:
        x: tensor (B, D) of 0 and 1.
        generative: pairs (G_l, a), as in `belief_log_weight`; at most 12 units in h^1 .. h^(L-1).
        top: (W, b, c), one side of at most 20 units; or a function of the states of h^(L-1).

    Returns:
        Tensor (B,), or (..., B) of such a function, nats.

    Raises:
        ValueError: if a layer is too large.

    Example:
        >>> found = belief_log_prob([[1.0]], [([[0.0]], [0.0])], ([[0.0]], [0.0], [0.0]))
        >>> round(float(found[0]), 6)  # -log 2
        -0.693147

    Source: R; Hinton, Osindero and Teh 2006.
    """
    x = as_floating(x)
    tables = _tables(generative, x.dtype, "belief_log_prob")
    value = _log_top(top)(tables[-1])  # (..., S)
    for below, states, (kernel, bias) in _downwards(x, tables, generative):
        value = ops.logsumexp(_pairs(below, _down(states, kernel, bias)) + value[..., None, :], axis=-1)
    return value


def belief_bound(
    x: Any, generative: Sequence[Any], recognition: Sequence[Any], top: Sequence[Any] | Callable[[Any], Any]
) -> Any:
    """The variational bound on log P(x), exactly: the expectation under Q by tables, as `belief_log_prob`.

    Args:
        x: tensor (B, D) of 0 and 1.
        generative: pairs (G_l, a); at most 12 units in h^1 .. h^(L-1).
        recognition: pairs (R_l, r).
        top: (W, b, c), one side of at most 20 units; or a function of the states of h^(L-1).

    Returns:
        Tensor (B,), or (..., B) of such a function, nats, never above log P(x).

    Raises:
        ValueError: if a layer is too large.

    Example:
        >>> zero = [([[0.0]], [0.0])]
        >>> round(float(belief_bound([[1.0]], zero, zero, ([[0.0]], [0.0], [0.0]))[0]), 6)  # -log 2
        -0.693147

    Source: R; Hinton, Osindero and Teh 2006.
    """
    x = as_floating(x)
    tables = _tables(generative, x.dtype, "belief_bound")
    value = _log_top(top)(tables[-1])
    for (below, states, (kernel, bias)), (kernel_up, bias_up) in zip(
        _downwards(x, tables, generative), reversed(list(recognition)), strict=True
    ):
        logits = _up(below, kernel_up, bias_up)  # (N, H_l)
        log_q = _pairs(states, logits)  # (S, N)
        gain = value[..., None, :] + _pairs(below, _down(states, kernel, bias)) - ops.transpose(log_q)  # (..., N, S)
        value = ops.sum(ops.exp(ops.transpose(log_q)) * gain, axis=-1)
    return value


def _log_top(top: Any, log_partition: Any = None) -> Callable[[Any], Any]:
    """log P_top as a function of h^(L-1)."""
    if callable(top):
        return top

    def log_top(states: Any) -> Any:
        log_z = rbm_log_partition(*top) if log_partition is None else as_floating(log_partition, states.dtype)
        return -rbm_free_energy(states, *top) - log_z

    return log_top


def _down(above: Any, kernel: Any, bias: Any) -> Any:
    return ops.matmul(above, ops.transpose(as_floating(kernel, above.dtype))) + as_floating(bias, above.dtype)


def _up(below: Any, kernel: Any, bias: Any) -> Any:
    return ops.matmul(below, as_floating(kernel, below.dtype)) + as_floating(bias, below.dtype)


def _pairs(states: Any, logits: Any) -> Any:
    """log P of each of n states at each of m log odds, (n, m)."""
    return ops.matmul(states, ops.transpose(logits)) - ops.sum(ops.softplus(logits), axis=-1)


def _tables(generative: Sequence[Any], dtype: Any, who: str) -> list[Any]:
    """All states of h^1 .. h^(L-1)."""
    import keras

    sizes = [int(ops.shape(kernel)[1]) for kernel, _ in generative]
    if max(sizes) > MOST_TABULATED:
        raise ValueError(
            f"{who} tabulates at most {MOST_TABULATED} units of a directed layer; estimate it by samples of Q. "
            f"Received: layers of {sizes}"
        )
    return [binary_states(size, keras.backend.standardize_dtype(dtype)) for size in sizes]


def _downwards(x: Any, tables: list[Any], generative: Sequence[Any]) -> list[Any]:
    """(states below, states of the layer, its generative pair), topmost directed layer first, x at the end."""
    return list(zip([x, *tables[:-1]], tables, generative, strict=True))[::-1]
