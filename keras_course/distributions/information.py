"""How much an event tells, for vectors of probabilities and for any TFP distribution.

    I(x)        = -log P(x)
    H(P)        = E_{x ~ P}[-log P(x)]
    H(P, Q)     = E_{x ~ P}[-log Q(x)] = H(P) + D_KL(P || Q)
    D_KL(P||Q)  = E_{x ~ P}[log P(x) - log Q(x)]

Arrays go to `ops.information`. For TFP distributions the expectation is the closed form where TFP registers one; where
it does not (mixtures, most pairs of different families), it is the mean over `samples` draws from P, an estimate with
a standard error. The logarithm is base 2 (bits) unless told otherwise, as in the course; base="e" gives nats. On
densities these are differential: an entropy can be negative, and it changes with the unit of x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from keras_course.core.seeds import seed_pair
from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import tfp_distributions
from keras_course.ops import information as formulas

__all__ = ["Estimate", "cross_entropy", "entropy", "kl_divergence", "self_information"]


class Estimate(NamedTuple):
    """A value and how far it may be off.

    value: tensor, shape of the distribution's batch.
    standard_error: tensor like it, standard deviation of the estimate over seeds; 0 where the value is exact.
    """

    value: Any
    standard_error: Any


def self_information(p: Any, event: Any = None, base: float | str = 2) -> Any:
    """How surprising an event is.

    I(x) = -log P(x)

    Args:
        p: tensor of probabilities of the events themselves; or a TFP distribution, then `event` says what happened.
        event: tensor (..., *event_shape), for a distribution alone.
        base: 2 for bits, "e" for nats, or any number > 1.

    Returns:
        Tensor: shape of p, or of the distribution's batch. Infinite for impossible events; a density above 1 makes it
        negative.

    Raises:
        ValueError: if `event` is missing for a distribution, or given for probabilities.

    Example:
        >>> float(self_information(0.125))
        3.0
        >>> import tensorflow_probability as tfp
        >>> round(float(self_information(tfp.distributions.Bernoulli(probs=0.25), 1)), 4)
        2.0

    Source: C 3.1.
    """
    if not _is_distribution(p):
        if event is not None:
            raise ValueError(f"self_information takes an event with a distribution alone. Received: event={event!r}")
        return formulas.self_information(p, base=base)
    if event is None:
        raise ValueError(f"self_information of a distribution needs the event. Received: p={p!r}, event=None")
    return -p.log_prob(event) / _log_of(base)


def entropy(
    p: Any, base: float | str = 2, samples: int = 10_000, seed: Any = 0, return_standard_error: bool = False
) -> Any:
    """Expected self-information of a draw from P.

    H(P) = E_{x ~ P}[-log P(x)]

    Args:
        p: tensor (..., K) of distributions over K outcomes, or a TFP distribution of any kind.
        base: 2 for bits, "e" for nats, or any number > 1.
        samples: int >= 2, draws of the Monte Carlo estimate where TFP has no closed form.
        seed: int, or integer tensor (2,), of those draws: the same seed gives the same estimate.
        return_standard_error: True returns `Estimate(value, standard_error)`.

    Returns:
        Tensor (...), or `Estimate`.

    Raises:
        ValueError: as `ops.information.entropy`, or if samples < 2.

    Example:
        >>> float(entropy([0.5, 0.5]))
        1.0
        >>> import tensorflow_probability as tfp
        >>> coin_sum = tfp.distributions.Poisson(rate=2.0)  # no closed form
        >>> value, error = entropy(coin_sum, samples=4000, return_standard_error=True)
        >>> bool(abs(value - 2.4603) < 5 * error)
        True

    Source: C 3.1.
    """
    if not _is_distribution(p):
        return _exact(formulas.entropy(p, base=base), return_standard_error)
    return _expectation(p.entropy, p, lambda x: -p.log_prob(x), base, samples, seed, return_standard_error)


def cross_entropy(
    p: Any, q: Any, base: float | str = 2, samples: int = 10_000, seed: Any = 0, return_standard_error: bool = False
) -> Any:
    """What a draw from P costs under the code that is best for Q.

    H(P, Q) = E_{x ~ P}[-log Q(x)] = H(P) + D_KL(P || Q)

    Args:
        p, q: two tensors (..., K), or two TFP distributions over the same events.
        base, samples, seed, return_standard_error: as `entropy`.

    Returns:
        Tensor (...), or `Estimate`; infinite where Q calls impossible what P does not.

    Raises:
        ValueError: if one is a distribution and the other is not.

    Example:
        >>> round(float(cross_entropy([0.5, 0.5], [0.25, 0.75])), 4)
        1.2075

    Source: C 3.1.
    """
    if not _both_distributions("cross_entropy", p, q):
        return _exact(formulas.cross_entropy(p, q, base=base), return_standard_error)
    return _expectation(
        lambda: p.cross_entropy(q), p, lambda x: -q.log_prob(x), base, samples, seed, return_standard_error
    )


def kl_divergence(
    p: Any, q: Any, base: float | str = 2, samples: int = 10_000, seed: Any = 0, return_standard_error: bool = False
) -> Any:
    """Kullback-Leibler divergence: information lost when Q stands in for P. Not symmetric.

    D_KL(P || Q) = E_{x ~ P}[log P(x) - log Q(x)]

    Args:
        p, q: two tensors (..., K), or two TFP distributions over the same events.
        base, samples, seed, return_standard_error: as `entropy`.

    Returns:
        Tensor (...), or `Estimate`. Never negative where exact; a Monte Carlo estimate near 0 may be, by its error.

    Raises:
        ValueError: if one is a distribution and the other is not.

    Example:
        >>> import tensorflow_probability as tfp
        >>> tfd = tfp.distributions
        >>> round(float(kl_divergence(tfd.Normal(1.0, 1.0), tfd.Normal(0.0, 1.0), base="e")), 4)
        0.5

    Source: C 3.1.
    """
    if not _both_distributions("kl_divergence", p, q):
        return _exact(formulas.kl_divergence(p, q, base=base), return_standard_error)
    return _expectation(
        lambda: p.kl_divergence(q),
        p,
        lambda x: p.log_prob(x) - q.log_prob(x),
        base,
        samples,
        seed,
        return_standard_error,
    )


def _expectation(
    closed_form: Callable[[], Any],
    p: Any,
    integrand: Callable[[Any], Any],
    base: float | str,
    samples: int,
    seed: Any,
    return_standard_error: bool,
) -> Any:
    unit = _log_of(base)
    require_positive_int("samples of a Monte Carlo estimate", samples=samples)
    if samples < 2:
        raise ValueError(f"A Monte Carlo estimate with its error needs at least 2 samples. Received: samples={samples}")
    try:
        exact = closed_form()
    except NotImplementedError:  # TFP's way to say that it knows no closed form
        exact = None
    if exact is not None:
        return _exact(exact / unit, return_standard_error)
    pair = seed_pair(seed)
    terms = integrand(p.sample(samples, seed=pair)) / unit  # (samples, ...)
    value = ops.mean(terms, axis=0)
    if not return_standard_error:
        return value
    return Estimate(value, ops.std(terms, axis=0) / math.sqrt(samples - 1))


def _exact(value: Any, return_standard_error: bool) -> Any:
    return Estimate(value, ops.zeros_like(value)) if return_standard_error else value


def _is_distribution(p: Any) -> bool:
    # By method first: arrays must not pay for the import of TFP.
    return hasattr(p, "log_prob") and isinstance(p, tfp_distributions().Distribution)


def _both_distributions(who: str, p: Any, q: Any) -> bool:
    first, second = _is_distribution(p), _is_distribution(q)
    if first != second:
        raise ValueError(f"{who} compares two distributions or two arrays, not one of each. Received: p={p!r}, q={q!r}")
    return first


def _log_of(base: float | str) -> float:
    if base == "e":
        return 1.0
    if isinstance(base, str) or not base > 1:
        raise ValueError(f'The base of a logarithm of information is "e" or a number > 1. Received: base={base!r}')
    return math.log(base)
