"""Learning rates that fall with time.

    linear         eps_k = (1 - alpha) eps_0 + alpha eps_tau,  alpha = k / tau;  eps_tau from k = tau on
    polynomial     eta(t) = alpha / (beta + t)^gamma
    exponential    eta(t) = alpha e^(-beta t)

k and t count update steps from 0, so that the first step has eps_0, alpha / beta^gamma, alpha. The polynomial rates add
up to infinity for gamma <= 1 and their squares do not for gamma > 1/2: then descent reaches every point and still
settles. The exponential ones add up to alpha / (1 - e^-beta): they may stop before they arrive.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["exponential_decay", "linear_decay", "polynomial_decay"]


def linear_decay(step: Any, initial: float, final: float, steps: int) -> Any:
    """Straight down to the final rate, which then stays.

    eps_k = (1 - alpha) eps_0 + alpha eps_tau,   alpha = min(k / tau, 1)

    Args:
        step: tensor of any shape, k >= 0.
        initial: number, eps_0.
        final: number, eps_tau.
        steps: int >= 1, tau.

    Returns:
        Tensor like k.

    Raises:
        ValueError: if steps < 1.

    Example:
        >>> print(linear_decay([0.0, 5.0, 10.0, 99.0], 1.0, 0.5, 10).numpy())
        [1.   0.75 0.5  0.5 ]

    Source: C 7.3.1.
    """
    if steps < 1:
        raise ValueError(f"linear_decay needs steps >= 1. Received: steps={steps}")
    share = ops.minimum(as_floating(step) / steps, 1.0)
    return (1 - share) * initial + share * final


def polynomial_decay(step: Any, scale: float, offset: float, power: float) -> Any:
    """A power of time.

    eta(t) = alpha / (beta + t)^gamma

    gamma = 1/2 is the exponent of conventional SGD, 1 that of strongly convex functions; Bottou takes 3/4.

    Args:
        step: tensor of any shape, t >= 0.
        scale: number, alpha.
        offset: number > 0, beta.
        power: number >= 0, gamma.

    Returns:
        Tensor like t.

    Raises:
        ValueError: if offset <= 0, where the first rate would be infinite.

    Example:
        >>> print(polynomial_decay([0.0, 3.0], 1.0, 1.0, 0.5).numpy())
        [1.  0.5]

    Source: S 9.4.
    """
    if offset <= 0:
        raise ValueError(f"polynomial_decay needs offset > 0. Received: offset={offset}")
    return scale / (offset + as_floating(step)) ** power


def exponential_decay(step: Any, scale: float, rate: float) -> Any:
    """The same factor e^-beta every step; risky, since it could be too aggressive.

    eta(t) = alpha e^(-beta t)

    Args:
        step: tensor of any shape, t >= 0.
        scale: number, alpha.
        rate: number >= 0, beta.

    Returns:
        Tensor like t.

    Example:
        >>> import math
        >>> print(exponential_decay([0.0, 2.0], 1.0, math.log(2.0)).numpy().round(6))
        [1.   0.25]

    Source: S 9.4.
    """
    return scale * ops.exp(-rate * as_floating(step))
