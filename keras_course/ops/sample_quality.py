"""How good are a generator's samples? Three answers that need no likelihood, each blind in one eye.

    inception score   exp(mean_i KL(p(y|x_i) || p(y))),  p(y) = mean_i p(y|x_i)     1 (nothing) to K (all classes, sure)
    precision         share of fakes that lie within the k-neighbourhood of some real one      are they like the data?
    recall            share of real ones that lie within the k-neighbourhood of some fake      is all of the data there?
    Frechet distance  |m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2))                        of two Gaussians

The inception score sees the labeller's classes alone: one good image a class gets the greatest score. Precision and
recall see the space that distances are taken in; a k-neighbourhood of x is the ball that reaches its k-th nearest
neighbour of the same set, itself not counted. The Frechet distance sees means and covariances, and is biased upwards
for few samples: compare like numbers of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.clustering import squared_distances
from keras_course.ops.floating import as_floating, concrete

__all__ = ["Coverage", "frechet_distance", "inception_score", "moments_of_samples", "precision_and_recall"]


class Coverage(NamedTuple):
    """Precision and recall of samples, scalar tensors in [0, 1]."""

    precision: Any
    recall: Any


def inception_score(probabilities: Any, splits: int = 1) -> Any:
    """Are samples sure of their class, and all classes there? Judged by any labeller.

    IS = exp(mean_i KL(p(y|x_i) || p(y))) = exp(H(y) - mean_i H(y|x_i)),   p(y) = mean_i p(y|x_i)

    With several splits, the mean of the scores of as many parts (rows s, s + splits, ...), as papers report it. Few
    samples a part make the score too small.

    Args:
        probabilities: tensor (N, K), what the labeller gives each class of each sample; rows sum to 1.
        splits: int in [1, N].

    Returns:
        Scalar tensor in [1, K].

    Raises:
        ValueError: if probabilities are no matrix, negative or do not sum to 1, or for more splits than samples.

    Example:
        >>> float(inception_score([[1.0, 0.0], [0.0, 1.0]])), float(inception_score([[0.5, 0.5], [0.5, 0.5]]))
        (2.0, 1.0)

    Source: R; Salimans et al. 2016.
    """
    probabilities = as_floating(probabilities)
    require_rank("inception_score", probabilities.shape, 2)
    require_positive_int("inception_score", splits=splits)
    if probabilities.shape[0] is not None and splits > probabilities.shape[0]:
        raise ValueError(
            f"inception_score needs a sample a split. Received: splits={splits} of {probabilities.shape[0]} samples"
        )
    values = concrete(probabilities)
    if values is not None and not ((values >= 0).all() and (abs(values.sum(axis=1) - 1) < 1e-3).all()):
        raise ValueError(
            "inception_score needs rows of probabilities that sum to 1. "
            f"Received: least {values.min()}, sums from {values.sum(axis=1).min()} to {values.sum(axis=1).max()}"
        )
    scores = []
    for start in range(splits):
        part = probabilities[start::splits]
        together = ops.mean(part, axis=0)
        gain = _entropy(together) - ops.mean(_entropy(part))
        scores.append(ops.exp(ops.maximum(gain, 0.0)))  # rounding may make it slightly negative
    return ops.mean(ops.stack(scores))


def _entropy(p: Any) -> Any:
    none = p == 0
    return -ops.sum(ops.where(none, ops.zeros_like(p), p * ops.log(ops.where(none, ops.ones_like(p), p))), axis=-1)


def precision_and_recall(real: Any, fake: Any, neighbours: int = 3) -> Coverage:
    """Whether fakes lie where data are, and whether fakes lie wherever data are.

    precision = mean_j [exists i: |fake_j - real_i| <= r_i],   r_i: distance of real_i to its k-th nearest real other
    recall    = mean_i [exists j: |real_i - fake_j| <= r_j],   r_j: distance of fake_j to its k-th nearest fake other

    Of two samples of one distribution both are well below 1 in few rows, and alike: compare with such a pair.

    Args:
        real: tensor (N, D), data, as features in which distances mean something.
        fake: tensor (M, D), samples.
        neighbours: int k >= 1, less than N and M.

    Returns:
        `Coverage`.

    Raises:
        ValueError: if they are no matrices of one width, or have too few rows.

    Example:
        >>> found = precision_and_recall([[0.0], [1.0], [9.0], [10.0]], [[0.1], [0.9], [0.5]], 1)
        >>> float(found.precision), float(found.recall)
        (1.0, 0.5)

    Source: R; Kynkäänniemi et al. 2019.
    """
    real = as_floating(real)
    fake = as_floating(fake, real.dtype)
    require_positive_int("precision_and_recall", neighbours=neighbours)
    for each in (real, fake):
        require_rank("precision_and_recall", each.shape, 2)
        if neighbours >= each.shape[0]:
            raise ValueError(
                f"precision_and_recall needs more than neighbours={neighbours} rows. Received: {each.shape[0]} rows"
            )
    between = squared_distances(real, fake)  # (N, M)
    in_real = between <= _reach(real, neighbours)[:, None]
    in_fake = between <= _reach(fake, neighbours)[None, :]
    return Coverage(
        ops.mean(ops.cast(ops.any(in_real, axis=0), real.dtype)),
        ops.mean(ops.cast(ops.any(in_fake, axis=1), real.dtype)),
    )


def _reach(points: Any, neighbours: int) -> Any:
    """Squared distance to the k-th nearest other."""
    itself = ops.eye(points.shape[0], dtype=points.dtype) > 0
    squares = ops.where(itself, float("inf"), squared_distances(points, points))
    return ops.sort(squares, axis=1)[:, neighbours - 1]


def moments_of_samples(samples: Any) -> tuple[Any, Any]:
    """Mean and covariance, as `frechet_distance` takes them.

    m = mean_i x_i,   S = 1/(N - 1) sum_i (x_i - m)(x_i - m)^T

    Args:
        samples: tensor (N, D), N >= 2.

    Returns:
        Tuple (mean (D,), covariance (D, D)).

    Raises:
        ValueError: if samples are no matrix of two rows or more.

    Example:
        >>> mean, covariance = moments_of_samples([[0.0], [2.0]])
        >>> mean.numpy().tolist(), covariance.numpy().tolist()
        ([1.0], [[2.0]])

    Source: R.
    """
    samples = as_floating(samples)
    require_rank("moments_of_samples", samples.shape, 2)
    if samples.shape[0] is not None and samples.shape[0] < 2:
        raise ValueError(f"moments_of_samples needs two rows or more. Received: shape={tuple(samples.shape)}")
    mean = ops.mean(samples, axis=0)
    apart = samples - mean
    count = ops.cast(ops.shape(samples)[0] - 1, samples.dtype)
    return mean, ops.matmul(ops.transpose(apart), apart) / count


def frechet_distance(mean: Any, covariance: Any, other_mean: Any, other_covariance: Any) -> Any:
    """The squared Wasserstein-2 distance between two Gaussians; of features of samples, the "FID".

    d^2 = |m_1 - m_2|^2 + tr S_1 + tr S_2 - 2 tr (S_1^(1/2) S_2 S_1^(1/2))^(1/2)

    The inner matrix is symmetric, so that its root comes from eigenvalues, of which rounding may make those near 0
    slightly negative; they are taken for 0. In float32 the root of a rank-deficient covariance is good to about 1e-3 of
    its size.

    Args:
        mean: tensor (D,), m_1.
        covariance: tensor (D, D), S_1, symmetric and positive semidefinite.
        other_mean: tensor (D,), m_2.
        other_covariance: tensor (D, D), S_2.

    Returns:
        Scalar tensor >= 0.

    Raises:
        ValueError: if shapes do not fit.

    Example:
        >>> float(frechet_distance([0.0], [[1.0]], [3.0], [[4.0]]))
        10.0

    Source: R; Heusel et al. 2017; Dowson and Landau 1982.
    """
    mean = as_floating(mean)
    covariance, other_mean, other_covariance = (
        as_floating(each, mean.dtype) for each in (covariance, other_mean, other_covariance)
    )
    size = mean.shape[0]
    shapes = [tuple(each.shape) for each in (mean, other_mean, covariance, other_covariance)]
    if shapes != [(size,), (size,), (size, size), (size, size)]:
        raise ValueError(f"frechet_distance needs means (D,) and covariances (D, D). Received: shapes={shapes}")
    values, vectors = ops.linalg.eigh(covariance)
    root = vectors * ops.sqrt(ops.maximum(values, 0.0)) @ ops.transpose(vectors)
    inner = root @ other_covariance @ root
    inner_values = ops.linalg.eigh((inner + ops.transpose(inner)) / 2)[0]
    overlap = ops.sum(ops.sqrt(ops.maximum(inner_values, 0.0)))
    distance = (
        ops.sum(ops.square(mean - other_mean)) + ops.trace(covariance) + ops.trace(other_covariance) - 2 * overlap
    )
    return ops.maximum(distance, 0.0)
