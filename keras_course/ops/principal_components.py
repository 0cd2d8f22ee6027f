"""Principal components: the directions in which data vary most, and angles between subspaces.

    C = 1/n sum_i (x_i - m)(x_i - m)^T = sum_k v_k u_k u_k^T,    v_1 >= v_2 >= ...,  u_k orthonormal
    z = U (x - m),   x' = U^T z + m                              U: the first K of the u_k as rows

No affine map to K numbers and back has a smaller mean squared error than this one, sum_(k > K) v_k.
The divisor is n, not n - 1. A component's sign is free; here its entry of largest magnitude is positive.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating

__all__ = ["from_components", "principal_angles", "principal_components", "to_components"]


def principal_components(covariance: Any, count: int) -> tuple[Any, Any]:
    """The eigenvectors of the greatest eigenvalues of a covariance matrix.

    C u_k = v_k u_k

    Args:
        covariance: tensor (D, D), symmetric.
        count: int, K, from 1 to D.

    Returns:
        Tuple of U (K, D), orthonormal rows, and all variances (D,), falling; what rounding makes negative is 0.

    Raises:
        ValueError: for another rank, or a count that is out of range.

    Example:
        >>> u, v = principal_components(ops.array([[2.0, 0.0], [0.0, 5.0]]), 1)
        >>> u.numpy().tolist(), v.numpy().tolist()
        ([[0.0, 1.0]], [5.0, 2.0])

    Source: C 16.2.1, S 9.3.
    """
    covariance = as_floating(covariance)
    require_rank("principal_components", covariance.shape, 2)
    if isinstance(count, bool) or not 1 <= count <= covariance.shape[0]:
        raise ValueError(
            f"principal_components needs a count from 1 to {covariance.shape[0]}. Received: count={count!r}"
        )
    values, vectors = ops.linalg.eigh(covariance)  # rising
    rows = ops.flip(ops.transpose(vectors), axis=0)[:count]
    largest = ops.take_along_axis(rows, ops.argmax(ops.abs(rows), axis=1)[:, None], axis=1)
    rows = rows * ops.where(largest < 0, -ops.ones_like(largest), ops.ones_like(largest))
    return rows, ops.flip(ops.maximum(values, ops.zeros_like(values)), axis=0)


def to_components(x: Any, mean: Any, components: Any) -> Any:
    """z = U (x - m), the coordinates of x along the components.

    Args:
        x: tensor (B, D).
        mean: tensor (D,), m.
        components: tensor (K, D), U.

    Returns:
        Tensor (B, K).

    Example:
        >>> to_components(ops.array([[3.0, 4.0]]), ops.array([1.0, 1.0]), ops.array([[0.0, 1.0]])).numpy().tolist()
        [[3.0]]

    Source: C 16.2.1, S 9.3.
    """
    return ops.matmul(x - mean, ops.transpose(components))


def from_components(z: Any, mean: Any, components: Any) -> Any:
    """x' = U^T z + m, the point of the components' subspace with these coordinates.

    Args:
        z: tensor (B, K).
        mean: tensor (D,), m.
        components: tensor (K, D), U.

    Returns:
        Tensor (B, D).

    Example:
        >>> from_components(ops.array([[3.0]]), ops.array([1.0, 1.0]), ops.array([[0.0, 1.0]])).numpy().tolist()
        [[1.0, 4.0]]

    Source: C 16.2.1, S 9.3.
    """
    return ops.matmul(z, components) + mean


def principal_angles(one: Any, other: Any) -> Any:
    """The angles between two subspaces, greatest first: all 0 where one lies in the other.

    cos(angle_k) = singular values of Q_1^T Q_2,   Q: orthonormal bases

    Small angles are taken from their sines: the cosine of 1e-4 rounds to 1 in float32.

    Args:
        one: tensor (D, K), whose columns span the first subspace; of full rank.
        other: tensor (D, L), the second.

    Returns:
        Tensor (min(K, L),), radians from 0 to pi / 2.

    Raises:
        ValueError: if the subspaces lie in spaces of different dimension, or have more columns than rows.

    Example:
        >>> plane, line = ops.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]]), ops.array([[0.0], [1.0], [1.0]])
        >>> [round(float(angle), 6) for angle in principal_angles(plane, line)]
        [0.785398]

    Source: S 9.3; Bjorck and Golub 1973.
    """
    one, other = as_floating(one), as_floating(other)
    if one.shape[0] != other.shape[0] or max(one.shape[1], other.shape[1]) > one.shape[0]:
        raise ValueError(
            "principal_angles needs bases (D, K) and (D, L), K and L at most D. "
            f"Received: {tuple(one.shape)} and {tuple(other.shape)}"
        )
    if one.shape[1] < other.shape[1]:
        one, other = other, one
    first, second = ops.linalg.qr(one)[0], ops.linalg.qr(other)[0]
    shared = ops.matmul(ops.transpose(first), second)  # (K, L)
    cosines = ops.linalg.svd(shared, compute_uv=False)  # falling: angles rise
    sines = ops.flip(ops.linalg.svd(second - ops.matmul(first, shared), compute_uv=False)[: other.shape[1]], axis=0)
    angles = ops.where(
        cosines * cosines > 0.5, ops.arcsin(ops.clip(sines, 0.0, 1.0)), ops.arccos(ops.clip(cosines, 0.0, 1.0))
    )
    return ops.flip(angles, axis=0)
