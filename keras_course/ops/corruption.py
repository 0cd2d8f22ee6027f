"""Corruptions that a denoising autoencoder has to undo, and the vector field that it learns by undoing them.

gaussian          x~ = x + amount n,            n standard normal
masking           x~_j = 0 with probability amount, else x_j
salt-and-pepper   x~_j = 0 or 1, each with probability amount / 2, else x_j

(r(x) - x) / sigma^2  ~  grad log p_sigma(x)         r: the best reconstruction under gaussian noise of deviation
                                                     sigma; p_sigma: the density of the corrupted data
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating

__all__ = ["CORRUPTIONS", "corrupted", "require_amount", "score_of_reconstruction"]

CORRUPTIONS = ("gaussian", "masking", "salt-and-pepper")


def require_amount(who: str, kind: str, amount: Any) -> None:
    """Refuses what is no amount of this kind of corruption.

    Raises:
        ValueError: for an unknown kind, a deviation below 0, a probability outside [0, 1).
    """
    require_one_of(who, CORRUPTIONS, corruption=kind)
    if not (0 <= amount < float("inf") if kind == "gaussian" else 0 <= amount < 1):
        wanted = "a finite deviation >= 0" if kind == "gaussian" else "a probability in [0, 1)"
        raise ValueError(f"{who} with {kind} corruption needs {wanted}. Received: amount={amount!r}")


def corrupted(x: Any, noise: Any, kind: str, amount: float) -> Any:
    """x under noise.

    gaussian: x + amount n;   masking: 0 where u < amount;   salt-and-pepper: 0 where u < amount / 2, 1 where
    u >= 1 - amount / 2

    Args:
        x: tensor (B, ...).
        noise: tensor that broadcasts against x: standard normal for "gaussian", else uniform in (0, 1).
        kind: "gaussian", "masking" or "salt-and-pepper".
        amount: float, standard deviation or probability.

    Returns:
        Tensor like x.

    Raises:
        ValueError: for an unknown kind or an amount out of range.

    Example:
        >>> corrupted(ops.array([0.5, 0.5, 0.5]), ops.array([0.1, 0.5, 0.95]), "salt-and-pepper", 0.4).numpy().tolist()
        [0.0, 0.5, 1.0]

    Source: C 16.5; Vincent et al. 2008.
    """
    require_amount("corrupted", kind, amount)
    x = as_floating(x)
    noise = ops.cast(noise, x.dtype)
    if kind == "gaussian":
        return x + amount * noise
    if kind == "masking":
        return ops.where(noise < amount, ops.zeros_like(x), x)
    return ops.where(noise < amount / 2, ops.zeros_like(x), ops.where(noise >= 1 - amount / 2, ops.ones_like(x), x))


def score_of_reconstruction(x: Any, r: Any, stddev: float) -> Any:
    """The estimate of the score at x that a reconstruction of x gives.

    s(x) = (r(x) - x) / sigma^2

    Exact for the best of all reconstructions, E[clean | x]: then it is grad log p_sigma(x), of the data's density
    smoothed by the noise; for p = N(0, S) it is -(S + sigma^2 I)^-1 x.

    Args:
        x: tensor (B, ...), points as a decoder of gaussian noise sees them.
        r: tensor like x, the reconstructions.
        stddev: float > 0, sigma, the noise of training.

    Returns:
        Tensor like x.

    Raises:
        ValueError: for a deviation that is not positive.

    Example:
        >>> score_of_reconstruction(ops.array([[1.0]]), ops.array([[0.5]]), 0.5).numpy().tolist()
        [[-2.0]]

    Source: C 16.5; Alain and Bengio 2014.
    """
    if not 0 < stddev < float("inf"):
        raise ValueError(f"score_of_reconstruction needs a positive stddev. Received: stddev={stddev!r}")
    return (as_floating(r) - as_floating(x)) / stddev**2
