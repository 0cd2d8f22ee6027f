"""Sparse coding: each x as a sum of few atoms of a dictionary, by proximal steps; and the dictionary itself.

    min_h  1/2 |x - h D|^2 + lambda |h|_1                         D: atoms as rows (K, features)
    h <- S(h - t (h D - x) D^T, t lambda),   t = 1 / |D D^T|      ISTA; S the soft threshold
    the same at h + (s - 1) / s' (h - h_before)                   FISTA, s' = (1 + sqrt(1 + 4 s^2)) / 2

After k steps ISTA is within |D D^T| |h* - h_0|^2 / (2 k) of the least cost, FISTA within four times that over k + 1.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.ops.floating import as_floating
from keras_course.ops.regression import soft_threshold

__all__ = ["dictionary_update", "ista_step", "sparse_codes", "sparse_coding_cost", "threshold_code"]


def sparse_coding_cost(x: Any, codes: Any, atoms: Any, penalty: Any) -> Any:
    """What sparse coding minimises, row by row.

    E(h) = 1/2 |x - h D|^2 + lambda |h|_1

    Args:
        x: tensor (B, features).
        codes: tensor (B, K), h.
        atoms: tensor (K, features), D.
        penalty: float >= 0, lambda.

    Returns:
        Tensor (B,).

    Example:
        >>> sparse_coding_cost(ops.array([[3.0]]), ops.array([[1.0]]), ops.array([[1.0]]), 0.5).numpy().tolist()
        [2.5]

    Source: R; Olshausen and Field 1996.
    """
    x, codes = as_floating(x), as_floating(codes)
    residual = x - ops.matmul(codes, atoms)
    return ops.sum(ops.square(residual), axis=-1) / 2 + penalty * ops.sum(ops.abs(codes), axis=-1)


def ista_step(codes: Any, x: Any, atoms: Any, penalty: Any, rate: Any) -> Any:
    """One proximal gradient step: down the squared error, then towards 0 by the threshold.

    h' = S(h - t (h D - x) D^T, t lambda)

    The cost never rises for t <= 1 / |D D^T|.

    Args:
        codes: tensor (B, K), h.
        x: tensor (B, features).
        atoms: tensor (K, features), D.
        penalty: float >= 0, lambda.
        rate: float or scalar tensor > 0, t.

    Returns:
        Tensor (B, K).

    Example:
        >>> ista_step(ops.array([[0.0]]), ops.array([[3.0]]), ops.array([[1.0]]), 0.5, 1.0).numpy().tolist()
        [[2.5]]

    Source: R; Daubechies, Defrise and De Mol 2004.
    """
    slope = ops.matmul(ops.matmul(codes, atoms) - x, ops.transpose(atoms))
    return soft_threshold(codes - rate * slope, rate * penalty)


def sparse_codes(x: Any, atoms: Any, penalty: Any, steps: int, method: str = "fista") -> Any:
    """Codes of every row, from 0 by a fixed number of steps.

    min_h 1/2 |x - h D|^2 + lambda |h|_1

    Args:
        x: tensor (B, features).
        atoms: tensor (K, features), D.
        penalty: float >= 0, lambda.
        steps: int >= 1.
        method: "ista" or "fista".

    Returns:
        Tensor (B, K), with exact zeros.

    Raises:
        ValueError: for another method or steps below 1.

    Example:
        >>> sparse_codes(ops.array([[3.0, 0.2]]), ops.eye(2), 0.5, steps=3).numpy().tolist()
        [[2.5, 0.0]]

    Source: R; Beck and Teboulle 2009.
    """
    require_positive_int("sparse_codes", steps=steps)
    require_one_of("sparse_codes", ("ista", "fista"), method=method)
    x, atoms = as_floating(x), as_floating(atoms)
    rate = 1 / _largest_eigenvalue(ops.matmul(atoms, ops.transpose(atoms)))
    start = ops.zeros((ops.shape(x)[0], atoms.shape[0]), x.dtype)

    def step(_: Any, state: Any) -> Any:
        codes, ahead, s = state
        new = ista_step(ahead, x, atoms, penalty, rate)
        if method == "ista":
            return new, new, s
        later = (1 + ops.sqrt(1 + 4 * s * s)) / 2
        return new, new + (s - 1) / later * (new - codes), later

    return ops.fori_loop(0, steps, step, (start, start, ops.ones((), x.dtype)))[0]


def _largest_eigenvalue(gram: Any) -> Any:
    """|D D^T|; 1 for a dictionary of zeros, whose codes are 0 at any rate."""
    value = ops.linalg.eigh(gram)[0][-1]
    return ops.where(value > 0, value, ops.ones_like(value))


def threshold_code(x: Any, kernel: Any, tau: Any) -> Any:
    """The code of an encoder with tied weights that knows its values are 0 or +-tau: one ISTA step, rounded.

    thr(v) = tau sign(v) where |v| > tau / 2, else 0,   h = thr(W^T x)

    For W with orthonormal columns, z in {0, +-tau}^K and |e| <= tau / 4, the code of x = W z + e is z itself, so that
    W h misses x by |e| and no more: every (W^T e)_k is at most |e|. The same holds up to |e| < tau / 2.

    Args:
        x: tensor (B, features).
        kernel: tensor (features, K), W.
        tau: float > 0.

    Returns:
        Tensor (B, K) of 0 and +-tau.

    Example:
        >>> threshold_code(ops.array([[2.2, 0.3]]), ops.eye(2), 2.0).numpy().tolist()
        [[2.0, 0.0]]

    Source: R (intuitions for weight tying).
    """
    scores = ops.matmul(as_floating(x), kernel)
    return ops.where(ops.abs(scores) > tau / 2, tau * ops.sign(scores), ops.zeros_like(scores))


def dictionary_update(atoms: Any, products: Any, sums: Any) -> Any:
    """One pass over the atoms, each set to its best value with the others held, within the unit ball.

    A = sum_i h_i^T h_i,   B = sum_i h_i^T x_i
    u = (B_k - sum_j A_kj d_j) / A_kk + d_k,   d_k <- u / max(1, |u|)

    Least of 1/2 sum_i |x_i - h_i D|^2 in d_k with |d_k| <= 1; so a pass never raises it. An atom that no code used
    (A_kk = 0) stays.

    Args:
        atoms: tensor (K, features), D.
        products: tensor (K, K), A.
        sums: tensor (K, features), B.

    Returns:
        Tensor (K, features).

    Example:
        >>> dictionary_update(ops.array([[1.0, 0.0]]), ops.array([[4.0]]), ops.array([[2.0, 2.0]])).numpy().tolist()
        [[0.5, 0.5]]

    Source: R; Mairal, Bach, Ponce and Sapiro 2010.
    """
    atoms, products, sums = as_floating(atoms), as_floating(products), as_floating(sums)
    count = atoms.shape[0]

    def one(k: Any, atoms: Any) -> Any:
        chosen = ops.cast(ops.cast(ops.arange(count), "int32") == ops.cast(k, "int32"), atoms.dtype)[:, None]  # (K, 1)
        row = ops.sum(chosen * products, axis=0)  # A_k
        own = ops.sum(chosen[:, 0] * row)
        old = ops.sum(chosen * atoms, axis=0)
        used = own > 0
        step = (ops.sum(chosen * sums, axis=0) - ops.matmul(row[None], atoms)[0]) / ops.where(used, own, 1.0)
        new = old + step
        new = new / ops.maximum(1.0, ops.sqrt(ops.sum(ops.square(new))))
        return ops.where(ops.logical_and(chosen > 0, used), new, atoms)

    return ops.fori_loop(0, count, one, atoms)
