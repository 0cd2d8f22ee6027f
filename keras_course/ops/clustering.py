"""Lloyd's algorithm (k-means) and its seeding, as pure functions.

    E(c, r) = sum_i sum_k r_i(k) |x_i - c_k|^2,     r_i one-hot
    r step    r_i(k) = 1 for the nearest centre, the first of equals
    c step    c_k = sum_i r_i(k) x_i / sum_i r_i(k);  an empty cluster stays

Neither step can raise E. The notes print "Floyd" and r_i <- argmin_k, which is an index: r_i is its one-hot vector.
Distances are expanded about the mean of the centres, so that data far from the origin lose no digits.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_features, require_rank
from keras_course.ops.floating import as_floating

__all__ = [
    "cluster_cost",
    "k_means_plus_plus",
    "lloyd_step",
    "mean_of_clusters",
    "nearest_centre",
    "one_hot_of_nearest",
    "seeding_probabilities",
    "squared_distances",
]


def _points_and_centres(who: str, x: Any, centres: Any) -> tuple[Any, Any]:
    x = as_floating(x)
    centres = ops.cast(ops.convert_to_tensor(centres), x.dtype)
    require_rank(who, x.shape, 2)
    require_rank(who, centres.shape, 2)
    require_features(who, x.shape, centres.shape[-1])
    return x, centres


def squared_distances(x: Any, centres: Any) -> Any:
    """|x_i - c_k|^2 = |z_i|^2 - 2 z_i . u_k + |u_k|^2,  z = x - m,  u = c - m,  m the mean of the centres.

    The differences x_i - c_k themselves, a tensor (B, M, D), are never formed. Rounding may make a zero slightly
    negative; it is cut off at 0.

    Args:
        x: tensor (B, D).
        centres: tensor (M, D).

    Returns:
        Tensor (B, M), each >= 0.

    Raises:
        ValueError: if a rank is not 2 or the numbers of features differ.

    Example:
        >>> squared_distances([[0.0, 0.0], [3.0, 0.0]], [[0.0, 4.0], [3.0, 0.0]]).numpy().tolist()
        [[16.0, 9.0], [25.0, 0.0]]

    Source: B.
    """
    x, centres = _points_and_centres("squared_distances", x, centres)
    middle = ops.mean(centres, axis=0)
    z, u = x - middle, centres - middle
    products = ops.matmul(z, ops.transpose(u))  # (B, M)
    squares = ops.sum(z * z, axis=1, keepdims=True) + ops.sum(u * u, axis=1)
    return ops.maximum(squares - 2 * products, ops.zeros_like(products))


def nearest_centre(x: Any, centres: Any) -> Any:
    """argmin_k |x_i - c_k|, the first of equals.

    Args:
        x: tensor (B, D).
        centres: tensor (M, D).

    Returns:
        int32 tensor (B,).

    Raises:
        ValueError: as `squared_distances`.

    Example:
        >>> nearest_centre([[0.0], [1.0], [9.0]], [[0.0], [10.0]]).numpy().tolist()
        [0, 0, 1]

    Source: B.
    """
    return ops.cast(ops.argmin(squared_distances(x, centres), axis=1), "int32")


def one_hot_of_nearest(x: Any, centres: Any) -> Any:
    """r_i: 1 at the nearest centre, 0 elsewhere.

    Args:
        x: tensor (B, D).
        centres: tensor (M, D).

    Returns:
        Tensor (B, M) of the dtype of x.

    Raises:
        ValueError: as `squared_distances`.

    Example:
        >>> one_hot_of_nearest([[0.0], [9.0]], [[0.0], [10.0]]).numpy().tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: B.
    """
    x = as_floating(x)
    return ops.one_hot(nearest_centre(x, centres), ops.shape(centres)[0], dtype=x.dtype)


def cluster_cost(x: Any, centres: Any, r: Any) -> Any:
    """E(c, r) = sum_i sum_k r_i(k) |x_i - c_k|^2, what both half-steps lower.

    Args:
        x: tensor (B, D).
        centres: tensor (M, D).
        r: tensor (B, M), one-hot rows (any weights will do).

    Returns:
        Scalar tensor; a sum, not a mean.

    Raises:
        ValueError: as `squared_distances`.

    Example:
        >>> float(cluster_cost([[0.0], [9.0]], [[0.0], [10.0]], [[1.0, 0.0], [0.0, 1.0]]))
        1.0

    Source: B.
    """
    distances = squared_distances(x, centres)
    return ops.sum(ops.cast(r, distances.dtype) * distances)


def mean_of_clusters(sums: Any, sizes: Any, centres: Any) -> Any:
    """c_k = (sum of the points of cluster k) / (their number); an empty cluster keeps its centre.

    Args:
        sums: tensor (M, D), sum_i r_i(k) x_i.
        sizes: tensor (M,), sum_i r_i(k).
        centres: tensor (M, D), the centres before.

    Returns:
        Tensor (M, D).

    Example:
        >>> mean_of_clusters([[6.0], [0.0]], [3.0, 0.0], [[1.0], [5.0]]).numpy().tolist()
        [[2.0], [5.0]]

    Source: B.
    """
    sums = as_floating(sums)
    sizes, centres = ops.cast(sizes, sums.dtype)[:, None], ops.cast(centres, sums.dtype)
    filled = sizes > 0
    return ops.where(filled, sums / ops.where(filled, sizes, ops.ones_like(sizes)), centres)


def lloyd_step(x: Any, centres: Any) -> tuple[Any, Any]:
    """Both half-steps on all points at once.

    r_i = one-hot of argmin_k |x_i - c_k|,   c_k = sum_i r_i(k) x_i / sum_i r_i(k)

    Args:
        x: tensor (B, D).
        centres: tensor (M, D).

    Returns:
        Tuple of the new centres (M, D) and r (B, M), the one-hot assignment to the OLD centres.

    Raises:
        ValueError: as `squared_distances`.

    Example:
        >>> centres, r = lloyd_step([[0.0], [1.0], [9.0]], [[0.0], [10.0]])
        >>> centres.numpy().tolist()
        [[0.5], [9.0]]

    Source: B.
    """
    x, centres = _points_and_centres("lloyd_step", x, centres)
    r = one_hot_of_nearest(x, centres)  # (B, M)
    middle = ops.mean(centres, axis=0)
    sums = ops.matmul(ops.transpose(r), x - middle)  # (M, D), about the middle
    return middle + mean_of_clusters(sums, ops.sum(r, axis=0), centres - middle), r


def seeding_probabilities(x: Any, centres: Any) -> Any:
    """k-means++: the odds of each point to be the next centre.

    P(x_i) = D(x_i)^2 / sum_j D(x_j)^2,   D(x) = distance to the nearest centre so far

    Args:
        x: tensor (B, D).
        centres: tensor (M, D), M >= 1, the centres chosen so far.

    Returns:
        Tensor (B,) that sums to 1; equal odds if every point is a centre already.

    Raises:
        ValueError: as `squared_distances`.

    Example:
        >>> print(seeding_probabilities([[0.0], [1.0], [3.0]], [[0.0]]).numpy().round(3))
        [0.  0.1 0.9]

    Source: B (its centres' start); Arthur and Vassilvitskii 2007.
    """
    least = ops.min(squared_distances(x, centres), axis=1)  # (B,)
    total = ops.sum(least)
    equal = ops.ones_like(least) / ops.cast(ops.shape(least)[0], least.dtype)
    return ops.where(total > 0, least / ops.where(total > 0, total, ops.ones_like(total)), equal)


def k_means_plus_plus(x: Any, uniforms: Any) -> tuple[Any, Any]:
    """Chooses points as first centres, each by the odds that the earlier ones leave it.

    i_1 = floor(u_1 B);   i_j = first i whose cumulative odds exceed u_j

    A pure function of the uniforms, so a seed repeats it on any machine.

    Args:
        x: tensor (B, D).
        uniforms: tensor (M,) in [0, 1), one a centre; M is known when the graph is built.

    Returns:
        Tuple of the centres (M, D) and int32 tensor (M,), the rows of x they are.

    Raises:
        ValueError: if x is no matrix or uniforms no vector.

    Example:
        >>> centres, rows = k_means_plus_plus([[0.0], [1.0], [10.0]], [0.0, 0.5])
        >>> rows.numpy().tolist()
        [0, 2]

    Source: B (its centres' start); Arthur and Vassilvitskii 2007.
    """
    x = as_floating(x)
    uniforms = ops.cast(uniforms, x.dtype)
    require_rank("k_means_plus_plus", x.shape, 2)
    require_rank("k_means_plus_plus", uniforms.shape, 1)
    last = ops.cast(ops.shape(x)[0], "int32") - 1
    places = ops.arange(ops.shape(x)[0], dtype="int32")
    least = ops.ones_like(x[:, 0])  # the first centre: equal odds
    rows = []
    for j in range(uniforms.shape[0]):
        cumulative = ops.cumsum(least)
        passed = ops.sum(ops.cast(cumulative <= uniforms[j] * cumulative[-1], "int32"))
        row = ops.minimum(passed, last)
        rows.append(row)
        distance = squared_distances(x, ops.take(x, row[None], axis=0))[:, 0]
        distance = ops.where(places == row, ops.zeros_like(distance), distance)
        least = distance if j == 0 else ops.minimum(least, distance)
    rows = ops.stack(rows)
    return ops.take(x, rows, axis=0), rows
