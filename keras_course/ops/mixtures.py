"""Gaussian mixtures: log p(x, z = k), and the M-step.

    p(x, z = k) = pi_k N(x; mu_k, Sigma_k),   Sigma_k = L_k L_k^T
    y_ik        = L_k^-1 (x_i - mu_k)                                    whitened residuals
    log p(x_i, z = k) = log pi_k - |y_ik|^2 / 2 - log det L_k - D log(2 pi) / 2

    N_k = sum_i q_ik,  s_k = sum_i q_ik y_ik / N_k,  A_k = sum_i q_ik y_ik y_ik^T / N_k - s_k s_k^T
    pi_k <- N_k / n,   mu_k <- mu_k + L_k s_k,   Sigma_k <- L_k A_k L_k^T

The last line is the notes' M-step (weighted mean, weighted covariance about the new mean), written in the coordinates
of the old component: sums over samples, so batches and replicas add up, and no digits are lost to means far from 0.

`scale` is L: "full" (M, D, D) lower triangular, "tied" (D, D) for all components, "diagonal" (M, D) and "spherical"
(M,) standard deviations.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_course.core.shapes import require_features, require_one_of, require_rank
from keras_course.ops.floating import as_floating

__all__ = [
    "COVARIANCES",
    "covariances_of",
    "gaussian_log_joint",
    "gaussian_m_step",
    "log_joint_of_whitened",
    "moments_of_whitened",
    "scale_of",
    "updated_gaussians",
    "whitened",
]

COVARIANCES = ("full", "tied", "diagonal", "spherical")


def whitened(x: Any, means: Any, scale: Any, covariance: str) -> Any:
    """y_ik = L_k^-1 (x_i - mu_k), components first and samples last, where vector units run along.

    Args:
        x: tensor (B, D).
        means: tensor (M, D).
        scale: tensor, L as the module says.
        covariance: "full", "tied", "diagonal" or "spherical".

    Returns:
        Tensor (M, D, B).

    Raises:
        ValueError: for another covariance, or an x that is not (B, D).

    Example:
        >>> whitened([[3.0, 4.0]], [[1.0, 0.0]], [2.0], "spherical").numpy().tolist()
        [[[1.0], [2.0]]]

    Source: B.
    """
    require_one_of("whitened", COVARIANCES, covariance=covariance)
    x = as_floating(x)
    means, scale = ops.cast(means, x.dtype), ops.cast(scale, x.dtype)
    require_rank("whitened", x.shape, 2)
    require_features("whitened", x.shape, means.shape[-1])
    middle = ops.mean(means, axis=0)
    z, u = ops.transpose(x - middle), means - middle  # (D, B), (M, D)
    count, width = means.shape
    if covariance in ("full", "tied"):
        inverse = ops.solve_triangular(scale, ops.broadcast_to(ops.eye(width, dtype=x.dtype), scale.shape), lower=True)
        shift = ops.einsum("...de,me->md" if covariance == "tied" else "mde,me->md", inverse, u)
        turned = ops.matmul(ops.reshape(inverse, (-1, width)), z)  # one product for all components
        return ops.reshape(turned, (count if covariance == "full" else 1, width, -1)) - shift[:, :, None]
    deviation = scale[:, :, None] if covariance == "diagonal" else scale[:, None, None]
    return (z[None] - u[:, :, None]) / deviation


def _log_determinant(scale: Any, covariance: str, width: int) -> Any:
    """log det L_k, (M,) or, tied, ()."""
    if covariance in ("full", "tied"):
        return ops.sum(ops.log(ops.diagonal(scale, axis1=-2, axis2=-1)), axis=-1)
    return ops.sum(ops.log(scale), axis=-1) if covariance == "diagonal" else width * ops.log(scale)


def log_joint_of_whitened(y: Any, weights: Any, scale: Any, covariance: str) -> Any:
    """log pi_k - |y_ik|^2 / 2 - log det L_k - D log(2 pi) / 2.

    Args:
        y: tensor (M, D, B), from `whitened`.
        weights: tensor (M,), pi; 0 gives -inf.
        scale: tensor, L.
        covariance: as `whitened`.

    Returns:
        Tensor (M, B).

    Example:
        >>> print(log_joint_of_whitened([[[0.0]]], [1.0], [1.0], "spherical").numpy().round(4))
        [[-0.9189]]

    Source: B.
    """
    y = as_floating(y)
    width = y.shape[1]
    weights, scale = ops.cast(weights, y.dtype), ops.cast(scale, y.dtype)
    constant = ops.log(weights) - _log_determinant(scale, covariance, width) - 0.5 * width * math.log(2 * math.pi)
    return constant[:, None] - 0.5 * ops.sum(y * y, axis=1)


def gaussian_log_joint(x: Any, weights: Any, means: Any, scale: Any, covariance: str = "full") -> Any:
    """log pi_k N(x_i; mu_k, Sigma_k), a row a sample.

    Args:
        x: tensor (B, D).
        weights: tensor (M,), pi, sums to 1.
        means: tensor (M, D), mu.
        scale: tensor, L as the module says.
        covariance: "full", "tied", "diagonal" or "spherical".

    Returns:
        Tensor (B, M); `responsibilities` and `log_evidence` take it.

    Raises:
        ValueError: as `whitened`.

    Example:
        >>> log_joint = gaussian_log_joint([[0.0]], [0.5, 0.5], [[0.0], [1.0]], [1.0, 1.0], "spherical")
        >>> print(log_joint.numpy().round(3))
        [[-1.612 -2.112]]

    Source: B, R.
    """
    y = whitened(x, means, scale, covariance)
    return ops.transpose(log_joint_of_whitened(y, weights, scale, covariance))


def moments_of_whitened(y: Any, q: Any, covariance: str) -> tuple[Any, Any, Any]:
    """The sums an M-step needs: N_k, sum_i q_ik y_ik, sum_i q_ik y_ik y_ik^T.

    Args:
        y: tensor (M, D, B), from `whitened`.
        q: tensor (M, B), responsibilities (times sample weights).
        covariance: as `whitened`.

    Returns:
        Tuple of tensors (M,), (M, D) and (M, D, D); the last is (D, D), summed over k, if "tied", and holds the
        squares y_ikd^2 alone, (M, D), if "diagonal" or "spherical".

    Example:
        >>> [sums.numpy().tolist() for sums in moments_of_whitened([[[1.0, 3.0]]], [[1.0, 0.5]], "diagonal")]
        [[1.5], [[2.5]], [[5.5]]]

    Source: B.
    """
    y = as_floating(y)
    q = ops.cast(q, y.dtype)
    weighted = q[:, None, :] * y  # (M, D, B)
    sizes, shifts = ops.sum(q, axis=-1), ops.sum(weighted, axis=-1)
    if covariance == "full":
        return sizes, shifts, ops.matmul(weighted, ops.transpose(y, (0, 2, 1)))
    if covariance == "tied":
        return sizes, shifts, ops.einsum("mdb,meb->de", weighted, y)
    return sizes, shifts, ops.sum(weighted * y, axis=-1)


def updated_gaussians(
    moments: tuple[Any, Any, Any], means: Any, scale: Any, covariance: str, regularisation: float = 0.0
) -> tuple[Any, Any, Any, Any]:
    """The M-step from `moments_of_whitened`: new pi, mu, Sigma, and how much Sigma can be trusted.

    A component that nobody is responsible for (N_k = 0) keeps mean and covariance and gets weight 0.

    Args:
        moments: the three sums over all samples.
        means, scale: the parameters at which the residuals were whitened.
        covariance: as `whitened`.
        regularisation: float >= 0, added to the diagonal of every covariance (scikit-learn's reg_covar).

    Returns:
        Tuple of weights (M,), means (M, D), Sigma, and the second moments about the OLD means that Sigma's diagonal was
        computed from: a variance below their rounding error is noise. Sigma is (M, D, D) if "full", (D, D) if "tied",
        and the variances alone, (M, D) or (M,), if "diagonal" or "spherical"; the second moments have the shape of its
        diagonal.

    Example:
        >>> y = whitened([[0.0], [2.0]], [[0.0]], [1.0], "spherical")
        >>> moments = moments_of_whitened(y, [[1.0, 1.0]], "spherical")
        >>> weights, means, variances, about = updated_gaussians(moments, [[0.0]], [1.0], "spherical")
        >>> means.numpy().tolist(), variances.numpy().tolist(), about.numpy().tolist()
        ([[1.0]], [1.0], [2.0])

    Source: B.
    """
    sizes, shifts, seconds = (as_floating(sums) for sums in moments)
    means, scale = ops.cast(means, sizes.dtype), ops.cast(scale, sizes.dtype)
    filled, total = sizes > 0, ops.sum(sizes)
    count = ops.where(filled, sizes, ops.ones_like(sizes))  # (M,)
    s = shifts / count[:, None]  # (M, D)
    if covariance in ("diagonal", "spherical"):
        deviation = scale if covariance == "diagonal" else scale[:, None]
        about = deviation**2 * seconds / count[:, None]
        sigma = about - (deviation * s) ** 2
        if covariance == "spherical":
            about, sigma = ops.mean(about, axis=-1), ops.mean(sigma, axis=-1)
        filled = filled[:, None] if covariance == "diagonal" else filled
        sigma = ops.where(filled, sigma + regularisation, scale**2)
        return sizes / total, means + deviation * s, sigma, ops.where(filled, about + regularisation, scale**2)

    floor = regularisation * ops.eye(means.shape[-1], dtype=sizes.dtype)
    if covariance == "full":
        moved = ops.einsum("mde,me->md", scale, s)
        second, outer = seconds / count[:, None, None], s[:, :, None] * s[:, None, :]
    else:
        moved = ops.einsum("de,me->md", scale, s)
        second, outer = seconds / total, ops.einsum("m,md,me->de", sizes / total, s, s)
    turned = ops.swapaxes(scale, -1, -2)  # L^T
    about = ops.matmul(ops.matmul(scale, second), turned) + floor
    sigma = ops.matmul(ops.matmul(scale, second - outer), turned) + floor
    if covariance == "full":
        old = ops.matmul(scale, turned)
        sigma, about = (ops.where(filled[:, None, None], each, old) for each in (sigma, about))
    return sizes / total, means + moved, sigma, ops.diagonal(about, axis1=-2, axis2=-1)


def gaussian_m_step(x: Any, q: Any, covariance: str = "full", regularisation: float = 0.0) -> tuple[Any, Any, Any]:
    """The M-step as the notes print it, from responsibilities alone.

    N_k = sum_i q_ik,  pi_k = N_k / n,  mu_k = 1/N_k sum_i q_ik x_i
    Sigma_k = 1/N_k sum_i q_ik (x_i - mu_k)(x_i - mu_k)^T

    Args:
        x: tensor (B, D).
        q: tensor (B, M), every column with a positive sum.
        covariance: "full", "tied" (mean of the Sigma_k, weighted by N_k), "diagonal" or "spherical" (mean variance).
        regularisation: float >= 0, added to the diagonals.

    Returns:
        Tuple of weights (M,), means (M, D) and scale.

    Example:
        >>> weights, means, scale = gaussian_m_step([[0.0], [2.0]], [[1.0], [1.0]])
        >>> means.numpy().tolist(), scale.numpy().tolist()
        ([[1.0]], [[[1.0]]])

    Source: B.
    """
    require_one_of("gaussian_m_step", COVARIANCES, covariance=covariance)
    x = as_floating(x)
    q = ops.cast(q, x.dtype)
    sizes = ops.sum(q, axis=0)  # (M,)
    means = ops.matmul(ops.transpose(q), x) / sizes[:, None]
    z = ops.transpose(x)[None] - means[:, :, None]  # (M, D, B)
    moments = ops.matmul(ops.transpose(q)[:, None, :] * z, ops.transpose(z, (0, 2, 1))) / sizes[:, None, None]
    moments = moments + regularisation * ops.eye(means.shape[-1], dtype=x.dtype)
    if covariance == "tied":
        moments = ops.einsum("m,mde->de", sizes / ops.sum(sizes), moments)
    return sizes / ops.sum(sizes), means, scale_of(moments, covariance)


def scale_of(covariances: Any, covariance: str) -> Any:
    """L of covariance matrices (M, D, D); off-diagonal entries are left out where the kind has none.

    Args:
        covariances: tensor (M, D, D), or (D, D) if "tied".
        covariance: as `whitened`.

    Returns:
        Tensor, L as the module says.

    Example:
        >>> scale_of([[[4.0, 0.0], [0.0, 9.0]]], "diagonal").numpy().tolist()
        [[2.0, 3.0]]

    Source: B.
    """
    covariances = as_floating(covariances)
    if covariance in ("full", "tied"):
        return ops.cholesky(covariances)
    variances = ops.diagonal(covariances, axis1=-2, axis2=-1)
    return ops.sqrt(variances if covariance == "diagonal" else ops.mean(variances, axis=-1))


def covariances_of(scale: Any, covariance: str, components: int, features: int) -> Any:
    """Sigma_k = L_k L_k^T, always (M, D, D).

    Args:
        scale: tensor, L as the module says.
        covariance: as `whitened`.
        components: int, M.
        features: int, D.

    Returns:
        Tensor (M, D, D).

    Example:
        >>> covariances_of([2.0], "spherical", 1, 2).numpy().tolist()
        [[[4.0, 0.0], [0.0, 4.0]]]

    Source: B.
    """
    scale = as_floating(scale)
    if covariance in ("full", "tied"):
        sigma = ops.matmul(scale, ops.swapaxes(scale, -1, -2))
        return ops.broadcast_to(sigma, (components, features, features))
    deviation = scale if covariance == "diagonal" else scale[:, None]
    return ops.square(deviation)[:, :, None] * ops.eye(features, dtype=scale.dtype)
