"""Penalties on codes: few units at work, or codes that hardly move when the input does.

    Omega(h) = sum_j |h_j|                                                       absolute_codes
    Omega    = sum_j rho log(rho / m_j) + (1 - rho) log((1 - rho) / (1 - m_j))   activity_divergence, m_j = mean h_j
    Omega(x) = |df/dx|_F^2                                                       squared_jacobian_norm

For h = phi(W^T x + b), df_j/dx_i = phi'(a_j) W_ij: the last is sum_j phi'(a_j)^2 |W_j|^2, and no Jacobian is formed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["absolute_codes", "activity_divergence", "squared_jacobian_norm"]


def absolute_codes(codes: Any) -> Any:
    """Sum of absolute values of each code.

    Omega(h) = sum_j |h_j|

    Args:
        codes: tensor (B, K).

    Returns:
        Tensor (B,).

    Example:
        >>> absolute_codes(ops.array([[1.0, -2.0, 0.0]])).numpy().tolist()
        [3.0]

    Source: C 16.4.
    """
    return ops.sum(ops.abs(as_floating(codes)), axis=-1)


def activity_divergence(means: Any, target: float) -> Any:
    """How far each unit's mean activity is from the one that is wanted, as coins.

    Omega = sum_j KL(Bernoulli(rho) || Bernoulli(m_j)),   slope (m_j - rho) / (m_j (1 - m_j))

    Means of 0 and 1 cost infinitely much: a logistic code never reaches them, a rectified one does.

    Args:
        means: tensor (..., K), mean activities m_j, in (0, 1).
        target: float in (0, 1), rho.

    Returns:
        Tensor (...).

    Raises:
        ValueError: for a target outside (0, 1).

    Example:
        >>> [round(float(v), 6) for v in activity_divergence(ops.array([[0.1, 0.1], [0.5, 0.1]]), 0.1)]
        [0.0, 0.368064]

    Source: C 16.4; Ng 2011.
    """
    if not 0 < target < 1:
        raise ValueError(f"activity_divergence needs a target in (0, 1). Received: target={target!r}")
    means = as_floating(means)
    return ops.sum(
        target * (math.log(target) - ops.log(means)) + (1 - target) * (math.log1p(-target) - ops.log1p(-means)), axis=-1
    )


def squared_jacobian_norm(kernels: Sequence[Any], slopes: Sequence[Any]) -> Any:
    """|df/dx|_F^2 of a stack of dense layers, exactly.

    J = D_L W_L^T ... D_1 W_1^T,   D_l = diag(phi'(a_l))
    one layer:   sum_j phi'(a_j)^2 sum_i W_ij^2
    more:        |M W_1^T|_F^2 = trace(M (W_1^T W_1) M^T),   M = D_L W_L^T ... D_1

    J itself, K x D numbers an example, is never formed.

    Args:
        kernels: tensors W_l (n_(l-1), n_l), first layer first.
        slopes: tensors phi'(a_l) (B, n_l).

    Returns:
        Tensor (B,).

    Raises:
        ValueError: if there are not as many slopes as kernels, or none.

    Example:
        >>> squared_jacobian_norm([ops.array([[3.0], [4.0]])], [ops.array([[0.5]])]).numpy().tolist()
        [6.25]

    Source: C 16.6; Rifai et al. 2011.
    """
    if len(kernels) != len(slopes) or not kernels:
        raise ValueError(
            "squared_jacobian_norm needs slopes for every kernel. "
            f"Received: {len(kernels)} kernels, {len(slopes)} slopes"
        )
    kernels, slopes = [as_floating(each) for each in kernels], [as_floating(each) for each in slopes]
    first = kernels[0]
    if len(kernels) == 1:
        return ops.sum(ops.square(slopes[0]) * ops.sum(ops.square(first), axis=0), axis=-1)
    product = None
    for kernel, slope, below in zip(kernels[:0:-1], slopes[:0:-1], slopes[-2::-1], strict=True):
        if product is None:
            product = slope[:, :, None] * ops.transpose(kernel)  # (B, K, n)
        else:
            product = ops.matmul(product, ops.transpose(kernel))
        product = product * below[:, None, :]
    gram = ops.matmul(ops.transpose(first), first)  # (n_1, n_1)
    return ops.sum(ops.matmul(product, gram) * product, axis=(1, 2))
