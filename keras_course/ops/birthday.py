"""How many different things can a generator make? Asked of the duplicates among its samples.

    P(N, s)  = 1 - prod_{i < s} (1 - i/N)                 chance of a duplicate among s draws from N equally likely
    E[pairs] = s(s - 1)/2 sum_x p(x)^2                    of duplicates, for any distribution p
    N_hat    = s(s - 1)/2 / pairs                         what N would give as many: estimates 1 / sum p^2

For equally likely things N_hat is the size of the support; for others it counts those that come often, and the support
is larger: 1 / sum p^2 <= number of x with p(x) > 0. The test of Arora and Zhang says: a duplicate with a chance of 1/2
or more in samples of s, so about s^2 things. P(N, sqrt N) is about 1 - e^(-1/2) = 0.39; the chance passes 1/2 at
s = 1.18 sqrt(N), so s^2 is 1.39 times too large where the chance is just 1/2. A collapsed generator is found out, a
diverse one is not vouched for: "no duplicates" says only that N is large against s^2.

What counts as a duplicate of an image is for you to say: a distance, or a function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.ops.clustering import squared_distances
from keras_course.ops.floating import as_floating, concrete

__all__ = ["Birthday", "birthday_paradox", "birthday_size", "closest_pairs", "collision_probability"]


class Birthday(NamedTuple):
    """What duplicates say.

    share: scalar tensor, share of the batches that hold a duplicate.
    pairs: scalar tensor, mean number of duplicate pairs in a batch.
    support: scalar tensor, N_hat; infinite where there is no duplicate.
    bound: scalar tensor, s^2 where share >= 1/2 (at most about so many things), else infinite.
    """

    share: Any
    pairs: Any
    support: Any
    bound: Any


def birthday_paradox(samples: Any, duplicates: Callable[[Any], Any] | None = None, threshold: float = 0.0) -> Birthday:
    """The size of a generator's support, estimated from duplicates in batches of samples.

    support = s(s - 1)/2 / pairs,   pairs = mean over batches of the number of duplicate pairs among s samples

    Args:
        samples: tensor (T, s, ...), T batches of s >= 2 samples each; several batches, or the estimate is rough: its
            relative error is about 1 / sqrt(T pairs).
        duplicates: callable that is given one batch (s, ...) and returns (s, s), true where two samples are the same
            thing; the diagonal and what lies below it are not looked at. None compares distances.
        threshold: float >= 0, Euclidean distance up to which two samples are the same, for duplicates=None; 0 for
            samples that repeat exactly.

    Returns:
        `Birthday`.

    Raises:
        ValueError: for samples without two of a batch, a negative threshold, or duplicates of another shape.

    Example:
        >>> found = birthday_paradox([[[1.0], [2.0], [1.0]], [[3.0], [3.0], [3.0]]])
        >>> [float(value) for value in found]
        [1.0, 2.0, 1.5, 9.0]

    Source: R; Arora and Zhang 2017; Arora, Risteski and Zhang 2018.
    """
    samples = as_floating(samples)
    if len(samples.shape) < 2 or samples.shape[0] < 1 or samples.shape[1] < 2:
        raise ValueError(
            "birthday_paradox needs samples (T, s, ...), batches of two or more. "
            f"Received: samples.shape={tuple(samples.shape)}"
        )
    if duplicates is None and not threshold >= 0:
        raise ValueError(f"birthday_paradox needs threshold >= 0. Received: threshold={threshold!r}")
    size = samples.shape[1]
    above = ops.triu(ops.ones((size, size), dtype=samples.dtype), k=1)
    pairs = []
    for index in range(samples.shape[0]):
        same = _within(samples[index], threshold) if duplicates is None else duplicates(samples[index])
        if tuple(same.shape) != (size, size):
            raise ValueError(
                f"birthday_paradox needs duplicates ({size}, {size}) of {size} samples. Received: {tuple(same.shape)}"
            )
        pairs.append(ops.sum(ops.cast(same, samples.dtype) * above))
    counts = ops.stack(pairs)  # (T,)
    share, mean = ops.mean(ops.cast(counts > 0, samples.dtype)), ops.mean(counts)
    never = mean == 0
    infinite = float("inf") * ops.ones_like(mean)
    support = ops.where(never, infinite, size * (size - 1) / 2 / ops.where(never, ops.ones_like(mean), mean))
    bound = ops.where(share >= 0.5, float(size**2) * ops.ones_like(share), infinite)
    return Birthday(share, mean, support, bound)


def _within(batch: Any, threshold: float) -> Any:
    """Which samples lie within a distance; differences are taken one by one, so that equal ones are at exactly 0."""
    flat = ops.reshape(batch, (batch.shape[0], -1))
    squares = ops.zeros((flat.shape[0], flat.shape[0]), dtype=flat.dtype)
    for column in range(flat.shape[1]):
        squares = squares + ops.square(flat[:, None, column] - flat[None, :, column])
    return ops.sqrt(squares) <= threshold


def closest_pairs(samples: Any, count: int = 1) -> tuple[Any, Any, Any]:
    """The pairs of one batch that lie closest: what somebody has to look at.

    Args:
        samples: tensor (s, ...).
        count: int >= 1, at most s(s - 1)/2, how many pairs.

    Returns:
        Tuple (first, second, distance), (count,) each: row numbers, first < second, and Euclidean distances, ascending.

    Raises:
        ValueError: for more pairs than there are.

    Example:
        >>> [part.numpy().tolist() for part in closest_pairs([[0.0], [5.0], [1.0]], 2)]
        [[0, 1], [2, 2], [1.0, 4.0]]

    Source: R; Arora and Zhang 2017.
    """
    require_positive_int("closest_pairs", count=count)
    samples = as_floating(samples)
    size = samples.shape[0]
    if count > size * (size - 1) // 2:
        raise ValueError(f"closest_pairs has {size * (size - 1) // 2} pairs of {size} samples. Received: count={count}")
    flat = ops.reshape(samples, (size, -1))
    above = ops.triu(ops.ones((size, size), dtype=flat.dtype), k=1) > 0
    squares = ops.where(above, squared_distances(flat, flat), float("inf"))
    order = ops.argsort(ops.reshape(squares, (-1,)))[:count]
    first, second = ops.cast(order // size, "int32"), ops.cast(order % size, "int32")
    apart = ops.take(flat, first, axis=0) - ops.take(flat, second, axis=0)
    return first, second, ops.sqrt(ops.sum(ops.square(apart), axis=-1))


def collision_probability(support: Any, size: int) -> Any:
    """The chance that a sample holds a duplicate.

    P(N, s) = 1 - prod_{i=0}^{s-1} (1 - i/N)

    Args:
        support: tensor, number N >= 1 of equally likely things, any shape.
        size: int >= 1, s draws with replacement.

    Returns:
        Tensor of the shape of support; 1 for s > N.

    Raises:
        ValueError: for a size below 1, or a support below 1.

    Example:
        >>> round(float(collision_probability(365.0, 23)), 4)
        0.5073

    Source: R.
    """
    require_positive_int("collision_probability", size=size)
    support = as_floating(support)
    values = concrete(support)
    if values is not None and not (values >= 1).all():
        raise ValueError(f"collision_probability needs a support of 1 or more. Received: support={values.tolist()}")
    left = 1 - ops.arange(size, dtype=support.dtype) / support[..., None]
    some = ops.where(left > 0, left, ops.ones_like(left))
    chance = -ops.expm1(ops.sum(ops.log(some), axis=-1))
    return ops.where(ops.all(left > 0, axis=-1), chance, ops.ones_like(chance))


def birthday_size(support: int) -> Any:
    """The smallest sample in which a duplicate is at least as likely as not.

    min {s : P(N, s) >= 1/2},   about sqrt(2 N log 2) = 1.177 sqrt(N)

    Args:
        support: int N >= 1.

    Returns:
        Scalar int32 tensor.

    Raises:
        ValueError: for a support below 1.

    Example:
        >>> int(birthday_size(365))
        23

    Source: R.
    """
    require_positive_int("birthday_size", support=support)
    most = int(1.18 * support**0.5) + 3
    unlike = np.cumprod(np.maximum(1 - np.arange(most) / support, 0.0))  # no duplicate among the first s = 1, 2 ...
    return ops.convert_to_tensor(1 + int(np.sum(unlike > 0.5)), dtype="int32")
