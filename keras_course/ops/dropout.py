"""Dropout: what a mask does to a unit, and what the ensemble of all masked networks says.

    mu_i = 1 with probability pi = 1 - rate, else 0              dropout_mask
    inverted        training y = mu x / pi    afterwards y = x       E[mu / pi] = 1
    weight-scaling  training y = mu x         afterwards y = pi x    E[mu]      = pi
                                                                 drop_units, expected_units
    sum_mu p(mu) p(y | x, mu)                                    arithmetic_ensemble
    prod_mu p(y | x, mu)**p(mu) / (its sum over y)               geometric_ensemble

The notes give inclusion probabilities pi (0.8 and 0.5), Keras's `rate` is 1 - pi (0.2 and 0.5). With pi = 1/2 every
p(mu) is 2**-d: the geometric mean is the 2**d-th root of the product, not the d-th.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.ops.floating import as_floating

__all__ = [
    "all_masks",
    "arithmetic_ensemble",
    "drop_units",
    "dropout_mask",
    "expected_units",
    "geometric_ensemble",
    "mask_probabilities",
    "require_rate",
]

RULES = ("inverted", "weight-scaling")


def dropout_mask(uniforms: Any, rate: float) -> Any:
    """Which units stay: mu = 1 where u >= rate.

    P(mu = 1) = 1 - rate for u uniform on [0, 1)

    Args:
        uniforms: tensor of any shape, uniform random numbers in [0, 1).
        rate: number in [0, 1), probability of dropping.

    Returns:
        bool tensor like uniforms.

    Raises:
        ValueError: if rate is not in [0, 1).

    Example:
        >>> ops.convert_to_numpy(dropout_mask([0.1, 0.2, 0.9], rate=0.2)).tolist()
        [False, True, True]

    Source: C 6.12.1, S 9.4.
    """
    require_rate("dropout_mask", rate)
    return as_floating(uniforms) >= rate


def drop_units(x: Any, mask: Any, rate: float, rule: str = "inverted") -> Any:
    """Units under a mask, as training sees them.

    inverted:       y = mu x / (1 - rate)     so that E[y] = x and nothing changes afterwards
    weight-scaling: y = mu x                  so that E[y] = (1 - rate) x, made up for by `expected_units`

    A dropped unit is 0 and gets no gradient, whatever it held.

    Args:
        x: tensor of any shape.
        mask: tensor that broadcasts against x, true (or 1) where a unit stays.
        rate: number in [0, 1), the probability with which the mask was drawn false.
        rule: "inverted" (S 9.4, Keras) or "weight-scaling" (C 6.12.1).

    Returns:
        Tensor like x.

    Raises:
        ValueError: for a rate outside [0, 1) or an unknown rule.

    Example:
        >>> ops.convert_to_numpy(drop_units([1.0, 2.0], [True, False], rate=0.5)).tolist()
        [2.0, 0.0]

    Source: C 6.12.1, S 9.4.
    """
    require_rate("drop_units", rate)
    require_one_of("drop_units", RULES, rule=rule)
    x = as_floating(x)
    kept = x / as_floating(1.0 - rate, x.dtype) if rule == "inverted" else x
    return ops.where(ops.cast(mask, "bool"), kept, ops.zeros_like(x))


def expected_units(x: Any, rate: float, rule: str = "inverted") -> Any:
    """Units as they are used after training: the mean of `drop_units` over masks.

    inverted: y = x;   weight-scaling: y = (1 - rate) x, the weights going out of a unit times its inclusion probability

    Args:
        x: tensor of any shape.
        rate: number in [0, 1).
        rule: "inverted" or "weight-scaling".

    Returns:
        Tensor like x.

    Raises:
        ValueError: for a rate outside [0, 1) or an unknown rule.

    Example:
        >>> ops.convert_to_numpy(expected_units([4.0], rate=0.25, rule="weight-scaling")).tolist()
        [3.0]

    Source: C 6.12.1, S 9.4.
    """
    require_rate("expected_units", rate)
    require_one_of("expected_units", RULES, rule=rule)
    x = as_floating(x)
    return x if rule == "inverted" else x * as_floating(1.0 - rate, x.dtype)


def all_masks(units: int) -> np.ndarray:
    """Every mask of a few units, one a row; row m has the binary digits of m.

    Args:
        units: int, 1 <= d <= 20: there are 2**d masks.

    Returns:
        bool array (2**d, d).

    Raises:
        ValueError: if units is out of range.

    Example:
        >>> all_masks(2).astype(int).tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]

    Source: C 6.12.1.
    """
    require_positive_int("all_masks", units=units)
    if units > 20:
        raise ValueError(f"all_masks lists at most 2**20 masks. Received: units={units}")
    numbers = np.arange(2**units)[:, None] >> np.arange(units)[::-1]
    return (numbers & 1).astype(bool)


def mask_probabilities(masks: Any, rate: Any) -> Any:
    """p(mu) = prod_i (1 - rate)**mu_i rate**(1 - mu_i).

    Args:
        masks: tensor or array (M, d) of truth values.
        rate: number in [0, 1), or tensor (d,): one for each unit.

    Returns:
        Tensor (M,); sums to 1 over all 2**d masks.

    Example:
        >>> [round(float(p), 4) for p in mask_probabilities(all_masks(2), 0.25)]
        [0.0625, 0.1875, 0.1875, 0.5625]

    Source: C 6.12.1.
    """
    rate = as_floating(rate)
    return ops.prod(ops.where(ops.cast(masks, "bool"), 1 - rate, rate), axis=-1)


def arithmetic_ensemble(probabilities: Any, weights: Any = None) -> Any:
    """The mean of the members' distributions: what bagging does.

    p(y | x) = sum_mu p(mu) p(y | x, mu)

    Args:
        probabilities: tensor (M, ..., C), one distribution over C classes for each mask.
        weights: tensor (M,) that sums to 1, p(mu); None is the plain mean (masks that were drawn).

    Returns:
        Tensor (..., C), rows sum to 1.

    Example:
        >>> mean = arithmetic_ensemble([[0.5, 0.5], [0.75, 0.25]])
        >>> ops.convert_to_numpy(mean).tolist()
        [0.625, 0.375]

    Source: C 6.12.1.
    """
    probabilities = as_floating(probabilities)
    return _weighted_mean(probabilities, weights)


def geometric_ensemble(log_probabilities: Any, weights: Any = None) -> Any:
    """The renormalized geometric mean of the members' distributions.

    p~(y | x) = prod_mu p(y | x, mu)**p(mu),   p(y | x) = p~(y | x) / sum_y' p~(y' | x)

    Computed as softmax(sum_mu p(mu) log p(y | x, mu)). For softmax regression it is one forward pass with the weights
    times their inclusion probability, exactly: the log-normalisers are the same for every y and drop out.

    Args:
        log_probabilities: tensor (M, ..., C), log p(y | x, mu); unnormalized logits do as well, for the same reason.
        weights: tensor (M,) that sums to 1, p(mu); None is the plain mean: over all 2**d masks the 2**d-th root.

    Returns:
        Tensor (..., C), rows sum to 1.

    Example:
        >>> mean = geometric_ensemble(np.log([[0.5, 0.5], [0.8, 0.2]]))
        >>> [round(float(p), 4) for p in mean]
        [0.6667, 0.3333]

    Source: C 6.12.1.
    """
    return ops.softmax(_weighted_mean(as_floating(log_probabilities), weights), axis=-1)


def require_rate(who: str, rate: Any) -> None:
    """Refuses a probability of dropping that is not a number in [0, 1).

    Args:
        who: name of the caller, for the message.
        rate: what came.

    Raises:
        ValueError: if it is out of range; at 1 every unit is dropped and nothing can be learnt.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise ValueError(f"{who} needs a rate in [0, 1), the probability of dropping. Received: rate={rate!r}")


def _weighted_mean(values: Any, weights: Any) -> Any:
    if weights is None:
        return ops.mean(values, axis=0)
    weights = as_floating(weights, values.dtype)
    return ops.sum(ops.reshape(weights, (-1, *[1] * (len(values.shape) - 1))) * values, axis=0)
