"""Ensembles: bootstrap samples, votes and averages, and what averaging does to the error.

    sample m          N draws with replacement from N examples; only how often each was drawn matters: its count
    vote              share of the members that answer class c
    average           1/k sum_m f_m(x),  or of distributions  1/k sum_m p_m(y | x)
    out of bag        the same over the members whose count of this example is 0
    E[(mean error)^2] = v/k + (k-1)/k c      members' errors of variance v, any two of covariance c

Members' answers stand along the first axis: k members, B examples. A single column is a sign or a logit: the classes
are value < 0 and value >= 0. Several columns are scores of that many classes; the first of equal scores counts.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of, require_positive_int, require_rank
from keras_course.ops.floating import as_floating, concrete

__all__ = [
    "COMBINATIONS",
    "bootstrap_counts",
    "ensemble_output",
    "ensemble_squared_errors",
    "expected_squared_error",
    "mistakes",
    "out_of_bag_output",
    "predicted_class",
]

COMBINATIONS = ("vote", "average", "distribution")


def bootstrap_counts(uniforms: Any) -> Any:
    """How often each example stands in each bootstrap sample.

    counts[m, i] = #{j : floor(N u[m, j]) = i},  sum_i counts[m, i] = N

    Multinomial with N draws and equal chances; a count is 0 with probability (1 - 1/N)^N, about 0.37.

    Args:
        uniforms: tensor or array (k, N) in [0, 1), one row a sample.

    Returns:
        int32 tensor (k, N).

    Raises:
        ValueError: for another rank.

    Example:
        >>> bootstrap_counts([[0.1, 0.9, 0.95], [0.0, 0.4, 0.7]]).numpy().tolist()
        [[1, 0, 2], [1, 1, 1]]

    Source: C 6.12; Efron 1979.
    """
    uniforms = as_floating(uniforms)
    require_rank("bootstrap_counts", uniforms.shape, 2)
    rows = uniforms.shape[1]
    drawn = ops.cast(ops.floor(uniforms * rows), "int32")  # (k, N)
    drawn = ops.minimum(drawn, rows - 1)  # N u can round up to N
    sample = ops.broadcast_to(ops.arange(uniforms.shape[0], dtype="int32")[:, None], ops.shape(drawn))
    places = ops.reshape(ops.stack([sample, drawn], axis=-1), (-1, 2))
    return ops.scatter(places, ops.ones_like(places[:, 0]), (uniforms.shape[0], rows))  # adds up


def predicted_class(outputs: Any) -> Any:
    """The class that each answer stands for.

    Args:
        outputs: tensor (..., B, C) of scores, or (..., B, 1) or (B,) of signs or logits.

    Returns:
        int32 tensor (..., B) (the shape of `outputs` itself if it has rank 1): 0 ... C - 1, or 0 and 1.

    Example:
        >>> predicted_class(ops.array([[0.1, 0.7, 0.2]])).numpy().tolist()
        [1]
        >>> predicted_class(ops.array([-1.0, 0.0, 2.5])).numpy().tolist()
        [0, 1, 1]

    Source: C 6.12.
    """
    outputs = ops.convert_to_tensor(outputs)
    if len(outputs.shape) == 1:
        return ops.cast(outputs >= 0, "int32")
    if outputs.shape[-1] == 1:
        return ops.cast(outputs[..., 0] >= 0, "int32")
    return ops.cast(ops.argmax(outputs, axis=-1), "int32")


def mistakes(y: Any, outputs: Any) -> Any:
    """1 where the answer is of the wrong class, else 0.

    Args:
        y: labels: class numbers (B,) or (B, 1), or for single-column answers 0 and 1, or -1 and +1.
        outputs: tensor (B, C), (B, 1) or (B,), or for several members at once (k, B, C) or (k, B, 1).

    Returns:
        Tensor (B,), or (k, B) for several members, of the dtype of `outputs`.

    Example:
        >>> mistakes([1, -1, -1], ops.array([0.3, 0.2, -4.0])).numpy().tolist()
        [0.0, 1.0, 0.0]

    Source: C 6.12.
    """
    outputs = as_floating(outputs)
    y = ops.reshape(ops.convert_to_tensor(y), (-1,))
    several = len(outputs.shape) > 1 and outputs.shape[-1] > 1
    true = ops.cast(y, "int32") if several else ops.cast(y > 0, "int32")
    return ops.cast(ops.not_equal(predicted_class(outputs), true), outputs.dtype)


def ensemble_output(outputs: Any, combination: str, weights: Any = None) -> Any:
    """The answer of an ensemble, from its members' answers.

    vote          several columns: S_c = sum_m a_m [argmax f_m = c];   one column: sum_m a_m sign(f_m), sign(0) = +1
    average       sum_m a_m f_m
    distribution  log sum_m a_m p_m,  p_m = softmax(f_m), or for one column the logit of sum_m a_m logistic(f_m)

    a_m = weights_m / sum of weights, 1/k without weights. So a vote lies in [0, 1], of one column in [-1, 1], and its
    largest entry (its sign) is the majority; and softmax(distribution) is the arithmetic mean of the members'
    distributions, computed by log-sum-exp.

    Args:
        outputs: tensor (k, B, C) or (k, B, 1); for "average" and single-column votes also (k, B) or any (k, B, ...).
        combination: "vote", "average" or "distribution".
        weights: tensor (k,) or (k, B) of numbers >= 0, or None; if all are 0, so is a vote.

    Returns:
        Tensor: `outputs` without its first axis.

    Raises:
        ValueError: for another combination.

    Example:
        >>> answers = ops.array([[[2.0, 1.0]], [[0.0, 1.0]], [[0.0, 3.0]]])
        >>> [round(float(share), 3) for share in ensemble_output(answers, "vote")[0]]
        [0.333, 0.667]

    Source: C 6.12 (majority voting / average), 6.12.1 (arithmetic mean of the distributions).
    """
    require_one_of("ensemble_output", COMBINATIONS, combination=combination)
    outputs = as_floating(outputs)
    share = _shares(outputs, weights)
    if combination == "average":
        return ops.sum(share * outputs, axis=0)
    single = len(outputs.shape) == 2 or outputs.shape[-1] == 1
    if combination == "vote":
        if single:
            return ops.sum(share * ops.where(outputs >= 0, ops.ones_like(outputs), -ops.ones_like(outputs)), axis=0)
        votes = ops.one_hot(ops.argmax(outputs, axis=-1), outputs.shape[-1], dtype=outputs.dtype)
        return ops.sum(share * votes, axis=0)
    log_share = ops.log(share)
    if single:
        yes = ops.logsumexp(log_share - ops.softplus(-outputs), axis=0)
        no = ops.logsumexp(log_share - ops.softplus(outputs), axis=0)
        return yes - no
    return ops.logsumexp(log_share + ops.log_softmax(outputs, axis=-1), axis=0)


def _shares(outputs: Any, weights: Any) -> Any:
    """a_m with as many axes as the outputs have, broadcast over those it does not depend on."""
    ones = ops.ones_like(outputs[:, :1]) if len(outputs.shape) == 2 else ops.ones_like(outputs[:, :1, ..., :1])
    if weights is None:
        return ones / outputs.shape[0]
    weights = ops.cast(ops.convert_to_tensor(weights), outputs.dtype)
    total = ops.sum(weights, axis=0, keepdims=True)
    share = weights / ops.where(total > 0, total, ops.ones_like(total))
    return ops.reshape(share, (*ops.shape(share), *[1] * (len(outputs.shape) - len(share.shape))))


def out_of_bag_output(outputs: Any, counts: Any, combination: str) -> tuple[Any, Any]:
    """The answer of those members that did not see the example: an honest estimate without a held-out set.

    Args:
        outputs: tensor (k, B, ...), members' answers.
        counts: tensor (B, k), how often each example stands in each member's bootstrap sample.
        combination: as `ensemble_output`.

    Returns:
        Tuple of a tensor (B, ...) and a bool tensor (B,): whether any member had not seen the example. Where none had
        not, the answer is that of all members, and is no estimate.

    Example:
        >>> answer, left_out = out_of_bag_output(ops.array([[1.0, 5.0], [3.0, 7.0]]), [[0, 2], [1, 1]], "average")
        >>> answer.numpy().tolist(), left_out.numpy().tolist()
        ([1.0, 6.0], [True, False])

    Source: C 6.12; Breiman 1996.
    """
    outputs = as_floating(outputs)
    absent = ops.transpose(ops.equal(ops.convert_to_tensor(counts), 0))  # (k, B)
    left_out = ops.any(absent, axis=0)
    weights = ops.cast(ops.logical_or(absent, ops.logical_not(left_out)), outputs.dtype)
    return ensemble_output(outputs, combination, weights), left_out


def expected_squared_error(variance: Any, covariance: Any, members: int) -> Any:
    """Of an average of k members whose errors have zero mean, variance v and pairwise covariance c.

    E[(1/k sum_m e_m)^2] = v/k + (k-1)/k c

    Independent members (c = 0) divide the error by k; members that err alike (c = v) gain nothing: "bagging fails when
    models are very similar".

    Args:
        variance: number or tensor, v.
        covariance: number or tensor, c, in [-v/(k-1), v].
        members: int, k.

    Returns:
        Tensor, the broadcast shape.

    Raises:
        ValueError: for k < 1, or a covariance that no k errors of this variance can have (checked in eager code).

    Example:
        >>> float(expected_squared_error(1.0, 0.0, 4)), float(expected_squared_error(1.0, 1.0, 4))
        (0.25, 1.0)

    Source: C 6.12 (when bagging fails); the formula: Goodfellow, Bengio and Courville 2016, 7.11.
    """
    require_positive_int("expected_squared_error", members=members)
    v, c = as_floating(variance), as_floating(covariance)
    values = concrete(v), concrete(c)
    if values[0] is not None and values[1] is not None:
        lowest = -values[0] / (members - 1) if members > 1 else -values[0]
        slack = 1e-6 * abs(values[0])
        if not ((values[0] >= 0) & (values[1] <= values[0] + slack) & (values[1] >= lowest - slack)).all():
            raise ValueError(
                f"expected_squared_error needs variance >= 0 and covariance in [-variance/(members-1), variance]. "
                f"Received: variance={variance}, covariance={covariance}, members={members}"
            )
    return v / members + c * (members - 1) / members


def ensemble_squared_errors(outputs: Any, targets: Any) -> tuple[Any, Any, Any]:
    """The squared error of the average, the members' mean squared error, and their disagreement.

    (f - t)^2 = 1/k sum_m (f_m - t)^2 - 1/k sum_m (f_m - f)^2,   f = 1/k sum_m f_m

    The average is never worse than its members are on average, and better by exactly as much as they disagree.

    Args:
        outputs: tensor (k, ...).
        targets: tensor (...).

    Returns:
        Tuple of three tensors (...): error of the average, mean error, disagreement.

    Example:
        >>> [float(value) for value in ensemble_squared_errors(ops.array([1.0, 3.0]), 1.5)]
        [0.25, 1.25, 1.0]

    Source: C 6.12; Krogh and Vedelsby 1995.
    """
    outputs = as_floating(outputs)
    targets = as_floating(targets, outputs.dtype)
    mean = ops.mean(outputs, axis=0)
    return (
        (mean - targets) ** 2,
        ops.mean((outputs - targets) ** 2, axis=0),
        ops.mean((outputs - mean) ** 2, axis=0),
    )
