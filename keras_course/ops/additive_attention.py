"""Additive attention: a small network scores every place, and the answer is their weighted mean.

    e_j     = v . tanh(W s + U h_j)          how well place j fits what is looked for
    alpha   = softmax(e)                     over the places that count
    context = sum_j alpha_j h_j

W s and U h_j come in ready: U h_j does not depend on the step, so it is formed once for all steps. Vectors are rows. A
row in which no place counts gets weights 0 and context 0, where a plain softmax over -inf gives NaN.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating

__all__ = ["additive_attention", "additive_scores", "masked_softmax"]


def additive_scores(query: Any, keys: Any, v: Any) -> Any:
    """How well each place fits each query.

    e[b, t, j] = sum_a v[a] tanh(query[b, t, a] + keys[b, j, a])

    Args:
        query: tensor (B, A) of one step, or (B, T, A) of many, W s.
        keys: tensor (B, S, A), U h.
        v: tensor (A,).

    Returns:
        Tensor (B, S) or (B, T, S).

    Raises:
        ValueError: for another rank.

    Example:
        >>> e = additive_scores([[0.0, 1.0]], [[[0.0, -1.0], [5.0, 9.0]]], [1.0, 2.0])
        >>> ops.convert_to_numpy(e).round(2).tolist()
        [[0.0, 3.0]]

    Source: B; Bahdanau, Cho and Bengio 2015.
    """
    query, keys = as_floating(query), as_floating(keys)
    require_rank("additive_scores", query.shape, 2, 3)
    require_rank("additive_scores", keys.shape, 3)
    v = as_floating(v, keys.dtype)
    if len(query.shape) == 3:
        query, keys = query[:, :, None], keys[:, None]  # (B, T, 1, A), (B, 1, S, A)
    else:
        query = query[:, None]  # (B, 1, A)
    seen = ops.tanh(query + keys)
    flat = ops.matmul(ops.reshape(seen, (-1, v.shape[0])), v[:, None])  # two axes: XLA differentiates it at any size
    return ops.reshape(flat, ops.shape(seen)[:-1])


def masked_softmax(scores: Any, mask: Any = None) -> Any:
    """Softmax over the last axis, over the places that count.

    alpha_j = m_j exp(e_j) / sum_k m_k exp(e_k),   and 0 where no m_k is 1

    Args:
        scores: tensor (..., S).
        mask: bool tensor that broadcasts against it, True where a place counts; None for all.

    Returns:
        Tensor (..., S), rows sum to 1, or to 0 where nothing counts; the gradient is finite there, too.

    Example:
        >>> rows = masked_softmax([[0.0, 0.0, 9.0], [1.0, 2.0, 3.0]], [[True, True, False], [False, False, False]])
        >>> ops.convert_to_numpy(rows).tolist()
        [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]

    Source: B.
    """
    scores = as_floating(scores)
    if mask is None:
        return ops.softmax(scores, axis=-1)
    mask = ops.broadcast_to(ops.cast(mask, "bool"), ops.shape(scores))
    zero = ops.zeros_like(scores)
    lowest = ops.min(scores, axis=-1, keepdims=True)
    peak = ops.stop_gradient(ops.max(ops.where(mask, scores, lowest), axis=-1, keepdims=True))
    raised = ops.where(mask, ops.exp(ops.where(mask, scores - peak, zero)), zero)
    total = ops.sum(raised, axis=-1, keepdims=True)
    return raised / ops.where(total > 0, total, ops.ones_like(total))


def additive_attention(query: Any, keys: Any, values: Any, v: Any, mask: Any = None) -> tuple[Any, Any]:
    """The mean of the values that the query looks for.

    alpha = softmax_j v . tanh(query + keys_j),   context = sum_j alpha_j values_j

    Args:
        query: tensor (B, A) or (B, T, A), W s.
        keys: tensor (B, S, A), U h.
        values: tensor (B, S, D), h.
        v: tensor (A,).
        mask: bool tensor (B, S), True where a place counts; None for all.

    Returns:
        Tuple of context (B, D) or (B, T, D), and weights (B, S) or (B, T, S).

    Raises:
        ValueError: for another rank.

    Example:
        >>> query, keys, values = [[0.0]], [[[2.0], [2.0]]], [[[1.0], [3.0]]]
        >>> context, weights = additive_attention(query, keys, values, [1.0])
        >>> ops.convert_to_numpy(context).tolist(), ops.convert_to_numpy(weights).tolist()
        ([[2.0]], [[0.5, 0.5]])

    Source: B; Bahdanau, Cho and Bengio 2015.
    """
    scores = additive_scores(query, keys, v)
    if mask is not None and len(scores.shape) == 3:
        mask = ops.convert_to_tensor(mask)[:, None]
    weights = masked_softmax(scores, mask)
    values = as_floating(values, weights.dtype)
    if len(weights.shape) == 3:
        return ops.matmul(weights, values), weights
    return ops.matmul(weights[:, None], values)[:, 0], weights
