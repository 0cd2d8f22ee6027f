"""Where a flow ends: densities of codes that are known, and drawn from by a seed.

normal     log p(z) = sum -z**2 / 2 - log(2 pi) / 2
logistic   log p(z) = sum -softplus(z) - softplus(-z)
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.seeds import normal_noise, uniform_noise
from keras_course.ops.elbo import diagonal_gaussian_log_density

__all__ = ["BASES", "base_distribution", "base_draws", "base_log_prob", "checked_base"]

BASES = ("normal", "logistic")


def checked_base(who: str, base: Any) -> Any:
    """A name in `BASES`, or something that makes a tfp distribution.

    Raises:
        ValueError: for another name, or a tfp distribution itself.
    """
    if isinstance(base, str) and base in BASES:
        return base
    if isinstance(base, str) or hasattr(base, "event_shape_tensor") or not _makes(base):
        raise ValueError(
            f"{who} takes {' or '.join(map(repr, BASES))}, a function that makes a tfp distribution over vectors, or a "
            f"layer with distribution(), as base; a tfp distribution that is built once keeps its first parameters. "
            f"Received: base={base!r}"
        )
    return base


def _makes(base: Any) -> bool:
    return hasattr(base, "distribution") or callable(base)


def base_distribution(base: Any, size: int, dtype: Any) -> Any:
    """The tfp distribution over vectors (D,), built anew on every call.

    Args:
        base: as `checked_base` returns it.
        size: int D.
        dtype: floating dtype of the two named ones.
    """
    if not isinstance(base, str):
        return base.distribution() if hasattr(base, "distribution") else base()
    import tensorflow_probability as tfp

    kind = tfp.distributions.Normal if base == "normal" else tfp.distributions.Logistic
    return tfp.distributions.Independent(kind(tf.zeros(size, dtype), tf.ones((), dtype)), 1)


def base_log_prob(base: Any, z: Any) -> Any:
    """log p(z), (B,), of codes (B, D)."""
    if base == "normal":
        return diagonal_gaussian_log_density(z)
    if base == "logistic":
        return -ops.sum(ops.softplus(z) + ops.softplus(-z), axis=-1)
    return base_distribution(base, z.shape[-1], z.dtype).log_prob(z)


def base_draws(base: Any, size: int, seed: Any, n: Any, dtype: Any) -> Any:
    """Codes (n, D), the same for the same seed.

    Args:
        base: as `checked_base` returns it.
        size: int D.
        seed: integer tensor (2,).
        n: int, or a scalar integer tensor.
        dtype: "float32" or "float64".
    """
    if base == "normal":
        return tf.reshape(normal_noise((n, size), seed, dtype), (-1, size))
    if base == "logistic":
        u = uniform_noise((n, size), seed, dtype)
        return ops.log(u) - ops.log1p(-u)
    return tf.reshape(base_distribution(base, size, dtype).sample(n, seed=seed), (-1, size))
