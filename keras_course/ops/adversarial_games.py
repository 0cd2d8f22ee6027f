"""Two players: a generator makes x = G(z), a discriminator or critic scores x, each at the other's expense.

    V(D, G)   = E_p log D(x) + E_q log(1 - D(x)),   D(x) = sigma(d(x))             p: data, q: generator
    J_D       = -log D(x) - log(1 - D(G(z)))        = softplus(-d(x)) + softplus(d(G(z)))
    J_G       = log(1 - D(G(z)))                    = -softplus(d(G(z)))           minimax
              or -log D(G(z))                       = softplus(-d(G(z)))           non-saturating
    D*        = p / (p + q),   V(D*, G) = 2 JSD(p, q) - 2 log 2

    W(p, q)   = max over 1-Lipschitz f of E_p f - E_q f                            Wasserstein: f is the critic
    penalty   = (|df/dx| - 1)^2 at x = e x_p + (1 - e) x_q,   e ~ U(0, 1)

Scores d are logits; no logarithm of a probability is taken. Where the discriminator is sure of a fake (d very
negative) the slope of the minimax loss is -sigma(d), nearly 0, that of the non-saturating one -1 + sigma(d), nearly -1;
both have the same fixed point. Logarithms are natural: a divergence of log 2 is the greatest there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_course.core.backend import gradient
from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating

__all__ = [
    "GENERATOR_LOSSES",
    "critic_loss",
    "discriminator_loss",
    "game_value",
    "generator_loss",
    "gradient_penalty",
    "jensen_shannon",
    "mixed_rows",
    "optimal_discriminator",
]

GENERATOR_LOSSES = ("minimax", "non_saturating")


def discriminator_loss(real: Any, fake: Any) -> Any:
    """What the discriminator descends on, at scores of data and of fakes.

    J_D = softplus(-d(x)) + softplus(d(G(z)))

    2 log 2 where it knows nothing, 0 where it is always right and sure.

    Args:
        real: tensor, scores d(x) of data, any shape.
        fake: tensor, scores of fakes, of a shape that goes with it.

    Returns:
        Tensor, one loss a pair, nats.

    Example:
        >>> round(float(discriminator_loss(0.0, 0.0)), 6)
        1.386294

    Source: C 19.5; Goodfellow et al. 2014.
    """
    real, fake = as_floating(real), as_floating(fake)
    return ops.softplus(-real) + ops.softplus(fake)


def generator_loss(fake: Any, kind: str = "non_saturating") -> Any:
    """What the generator descends on, at scores of its fakes.

    J_G = -softplus(d) (minimax),   softplus(-d) (non-saturating)

    Args:
        fake: tensor, scores d(G(z)), any shape.
        kind: "minimax" or "non_saturating".

    Returns:
        Tensor of the same shape, nats.

    Raises:
        ValueError: for another kind.

    Example:
        >>> [round(float(generator_loss(0.0, kind)), 6) for kind in GENERATOR_LOSSES]
        [-0.693147, 0.693147]

    Source: C 19.5; Goodfellow et al. 2014.
    """
    require_one_of("generator_loss", GENERATOR_LOSSES, kind=kind)
    fake = as_floating(fake)
    return -ops.softplus(fake) if kind == "minimax" else ops.softplus(-fake)


def optimal_discriminator(p: Any, q: Any) -> Any:
    """The discriminator that no other beats against a fixed generator.

    D*(x) = p(x) / (p(x) + q(x)),   1/2 where neither ever is

    Args:
        p: tensor, probabilities or densities of the data, any shape.
        q: tensor like it, of the generator.

    Returns:
        Tensor like p, in [0, 1].

    Example:
        >>> optimal_discriminator([0.25, 0.5, 0.0], [0.75, 0.0, 0.0]).numpy().tolist()
        [0.25, 1.0, 0.5]

    Source: C 19.5; Goodfellow et al. 2014.
    """
    p = as_floating(p)
    q = as_floating(q, p.dtype)
    total = p + q
    nowhere = total == 0
    return ops.where(nowhere, 0.5 * ops.ones_like(total), p / ops.where(nowhere, ops.ones_like(total), total))


def game_value(p: Any, q: Any, discriminator: Any) -> Any:
    """The value of the game between distributions over finitely many x.

    V = sum_x p(x) log D(x) + q(x) log(1 - D(x)),   0 log 0 = 0

    Args:
        p: tensor (..., N), probabilities of the data.
        q: tensor (..., N), of the generator.
        discriminator: tensor (..., N), D in [0, 1].

    Returns:
        Tensor (...), nats; minus infinity where D rules out what happens.

    Example:
        >>> round(float(game_value([0.5, 0.5], [0.5, 0.5], [0.5, 0.5])), 6)
        -1.386294

    Source: C 19.5; Goodfellow et al. 2014.
    """
    p = as_floating(p)
    q, d = as_floating(q, p.dtype), as_floating(discriminator, p.dtype)
    return ops.sum(_weighted_log(p, d) + _weighted_log(q, 1 - d), axis=-1)


def jensen_shannon(p: Any, q: Any) -> Any:
    """How far two distributions are apart, from 0 (equal) to log 2 (nothing in common).

    JSD(p, q) = KL(p || m)/2 + KL(q || m)/2,   m = (p + q)/2

    Args:
        p: tensor (..., N), probabilities.
        q: tensor (..., N).

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(jensen_shannon([1.0, 0.0], [0.0, 1.0])), 6)
        0.693147

    Source: C 19.5; Lin 1991.
    """
    p = as_floating(p)
    q = as_floating(q, p.dtype)
    middle = (p + q) / 2
    some = ops.where(middle == 0, ops.ones_like(middle), middle)
    return ops.sum(_weighted_log(p, p / some) + _weighted_log(q, q / some), axis=-1) / 2


def _weighted_log(weight: Any, value: Any) -> Any:
    """weight log(value), 0 where the weight is."""
    none = weight == 0
    return ops.where(none, ops.zeros_like(weight), weight * ops.log(ops.where(none, ops.ones_like(value), value)))


def critic_loss(real: Any, fake: Any) -> Any:
    """What the critic descends on; minus its mean over pairs estimates the Wasserstein distance.

    J_f = f(G(z)) - f(x)

    The generator descends on -f(G(z)).

    Args:
        real: tensor, scores f(x) of data, any shape.
        fake: tensor, scores of fakes, of a shape that goes with it.

    Returns:
        Tensor, one loss a pair, in the unit of x if f is 1-Lipschitz.

    Example:
        >>> float(critic_loss(3.0, 1.0))
        -2.0

    Source: R; Arjovsky, Chintala and Bottou 2017.
    """
    real, fake = as_floating(real), as_floating(fake)
    return fake - real


def mixed_rows(real: Any, fake: Any, share: Any) -> Any:
    """Points on the lines from fakes to data, one a row.

    x = e x_p + (1 - e) x_q

    Args:
        real: tensor (B, ...).
        fake: tensor (B, ...).
        share: tensor (B,), e in [0, 1].

    Returns:
        Tensor (B, ...).

    Example:
        >>> mixed_rows([[0.0], [0.0]], [[4.0], [4.0]], [1.0, 0.25]).numpy().tolist()
        [[0.0], [3.0]]

    Source: R; Gulrajani et al. 2017.
    """
    real = as_floating(real)
    fake = as_floating(fake, real.dtype)
    share = ops.reshape(as_floating(share, real.dtype), (-1,) + (1,) * (len(real.shape) - 1))
    return share * real + (1 - share) * fake


def gradient_penalty(critic: Callable[[Any], Any], x: Any, norm: float = 1.0, one_sided: bool = False) -> Any:
    """How far the slope of the critic is from 1, at every row of x.

    penalty_i = (|df(x_i)/dx_i| - norm)^2,   max(0, |df/dx| - norm)^2 if one-sided

    Its own gradient with respect to the critic's weights is a second derivative; where the slope is 0 it is 0, although
    |g| has none there. A critic that mixes the rows of a batch (batch normalization) has no slope of one row.

    Args:
        critic: callable x (B, ...) -> scores with B values.
        x: floating tensor (B, ...).
        norm: float > 0, the slope wanted.
        one_sided: bool, whether smaller slopes are let alone.

    Returns:
        Tensor (B,).

    Example:
        >>> gradient_penalty(lambda x: 3.0 * x, [[1.0], [2.0]]).numpy().tolist()
        [4.0, 4.0]

    Source: R; Gulrajani et al. 2017.
    """
    if not norm > 0:
        raise ValueError(f"gradient_penalty needs norm > 0. Received: norm={norm!r}")
    x = as_floating(x)
    slopes = gradient(lambda each: ops.sum(critic(each)), x)
    squares = ops.sum(ops.square(slopes), axis=tuple(range(1, len(x.shape))))
    flat = squares == 0
    length = ops.where(flat, ops.zeros_like(squares), ops.sqrt(ops.where(flat, ops.ones_like(squares), squares)))
    excess = length - norm
    return ops.square(ops.maximum(excess, 0.0) if one_sided else excess)
