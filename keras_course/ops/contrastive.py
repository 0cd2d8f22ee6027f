"""Losses of telling which two belong together, all others of the batch being the wrong answers.

    s(a, b)  = a . b / (|a| |b|)                                                  cosine similarity
    l(i, j)  = -s(z_i, z_j) / tau + log sum_{k != i} exp(s(z_i, z_k) / tau)       NT-Xent, over 2N views
    l_i      = -f_ii + log sum_j exp(f_ij)                                        InfoNCE, over N keys

Conventions that bite. 2N counts views, two an example, and the sum has 2N - 1 terms: a view is never held against
itself, its partner is among the terms, and both views of the 2 (N - 1) other examples. A pair's loss is the mean of
l(i, j) and l(j, i), so that the mean over N pairs is the paper's 1/(2N) sum over all views. tau divides. Equal
embeddings cost log(2N - 1), not log(2N), and no model that knows nothing does better on average. Logarithms are
natural. All similarities are one matrix product, and exp is only taken inside a log-sum-exp.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating

__all__ = ["cosine_similarities", "info_nce", "nt_xent", "require_temperature", "unit_vectors"]


def unit_vectors(z: Any) -> Any:
    """Rows of length 1, in the same direction.

    u = z / |z|,   u = 0 where z = 0, with a gradient of 0

    Args:
        z: tensor (..., D).

    Returns:
        Tensor like z.

    Example:
        >>> [round(float(u), 2) for u in unit_vectors([[3.0, -4.0]])[0]]
        [0.6, -0.8]

    Source: R; Chen et al. 2020.
    """
    z = as_floating(z)
    largest = ops.stop_gradient(ops.max(ops.abs(z), axis=-1, keepdims=True, initial=0.0))
    z = z / ops.where(largest > 0, largest, ops.ones_like(largest))  # squares neither overflow nor vanish
    square = ops.sum(ops.square(z), axis=-1, keepdims=True)
    return z * ops.rsqrt(ops.where(square > 0, square, ops.ones_like(square)))


def cosine_similarities(a: Any, b: Any) -> Any:
    """How alike the directions of every a and every b are.

    s[i, j] = a_i . b_j / (|a_i| |b_j|),   0 where one of them is 0

    Args:
        a: tensor (N, D).
        b: tensor (M, D).

    Returns:
        Tensor (N, M), values in [-1, 1].

    Raises:
        ValueError: unless both have rank 2.

    Example:
        >>> ops.convert_to_numpy(cosine_similarities([[2.0, 0.0]], [[1.0, 0.0], [0.0, 5.0]])).tolist()
        [[1.0, 0.0]]

    Source: R; Chen et al. 2020.
    """
    a, b = unit_vectors(a), unit_vectors(b)
    for each in (a, b):
        require_rank("cosine_similarities", each.shape, 2)
    return a @ ops.transpose(b)


def nt_xent(first: Any, second: Any, temperature: float = 0.5, among: Any = None, start: Any = 0) -> Any:
    """Normalised temperature-scaled cross-entropy of N pairs: the partner against everything else in the batch.

    l_n = (l(n, N + n) + l(N + n, n)) / 2,   l(i, j) = -s_ij / tau + log sum_{k != i} exp(s_ik / tau)

    A share of a batch: with `among` = (first, second) of the whole batch, and `start`, where the share begins in it,
    the N losses are those of these rows in the loss of the whole. So replicas compute one loss together, each a strip
    of the matrix, once they have gathered the embeddings.

    Args:
        first, second: tensors (N, D), embeddings of two views of N examples, of any length.
        temperature: float > 0, called tau.
        among: None, or a pair of tensors (M, D), M >= N.
        start: int or integer tensor, the row of `among` that is row 0 here.

    Returns:
        Tensor (N,), each in [0, 2 / tau + log(2M - 1)]; its mean is the loss of the batch. A batch of one pair costs 0.

    Raises:
        ValueError: for a temperature that is not positive, or shapes that do not fit.

    Example:
        >>> alike, apart = [[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]]
        >>> [[round(float(l), 4) for l in nt_xent(z, z, 0.5)] for z in (alike, apart)]
        [[1.0986, 1.0986], [0.036, 0.036]]

    Source: R; Chen et al. 2020, equation 1.
    """
    require_temperature("nt_xent", temperature)
    first, second = unit_vectors(first), unit_vectors(second)  # (N, D)
    all_first, all_second = (first, second) if among is None else map(unit_vectors, among)  # (M, D)
    _require_pairs(first, second, all_first, all_second)
    many, total = ops.shape(first)[0], ops.shape(all_first)[0]

    similarity = ops.concatenate([first, second]) @ ops.transpose(ops.concatenate([all_first, all_second]))
    scores = similarity / temperature  # (2N, 2M)
    rows = ops.cast(start, "int32") + ops.arange(many, dtype="int32")
    itself = ops.concatenate([rows, total + rows])  # the column that holds the view of this row
    columns = ops.arange(2 * total, dtype="int32")
    scores = ops.where(columns[None, :] == itself[:, None], -float("inf"), scores)
    partner = ops.sum(first * second, axis=-1) / temperature  # (N,)
    against = ops.logsumexp(scores, axis=-1)  # (2N,)
    return (against[:many] + against[many:]) / 2 - partner


def info_nce(scores: Any) -> Any:
    """Cross-entropy of finding each query's own key among the keys of all.

    l_i = -f_ii + log sum_j exp(f_ij)

    E[log N - l] <= I(query; key), whatever f is; with f = log p(key | query) / p(key) it gets there as N grows.

    Args:
        scores: tensor (N, N), f_ij of query i and key j; the right keys are on the diagonal.

    Returns:
        Tensor (N,).

    Raises:
        ValueError: unless scores is a square matrix.

    Example:
        >>> [round(float(l), 4) for l in info_nce([[0.0, 0.0], [0.0, 2.0]])]
        [0.6931, 0.1269]

    Source: R; van den Oord et al. 2018, equation 4.
    """
    scores = as_floating(scores)
    require_rank("info_nce", scores.shape, 2)
    if scores.shape[0] != scores.shape[1]:
        raise ValueError(f"info_nce needs one key for each query. Received: shape={tuple(scores.shape)}")
    return ops.logsumexp(scores, axis=-1) - ops.diagonal(scores)


def require_temperature(who: str, temperature: Any) -> None:
    """Refuses anything but a finite positive number.

    Raises:
        ValueError: with the value that came.
    """
    number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not number or not 0 < temperature < float("inf"):
        raise ValueError(f"{who} needs a finite temperature above 0. Received: temperature={temperature!r}")


def _require_pairs(first: Any, second: Any, all_first: Any, all_second: Any) -> None:
    for name, one, other in (("second", first, second), ("among", all_first, all_second)):
        if len(one.shape) != 2 or one.shape != other.shape or one.shape[1] != first.shape[1]:
            raise ValueError(
                f"nt_xent needs two views of each example, (N, D) both. Received: first.shape={tuple(first.shape)}, "
                f"{name} of shapes {tuple(one.shape)} and {tuple(other.shape)}"
            )
