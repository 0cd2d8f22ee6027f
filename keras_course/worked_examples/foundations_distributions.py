"""Worked examples of the foundations that need a distribution: information on densities, and every output head.

Each function is one example of the notes. A head takes real parameters, so an example that is printed with means and
standard deviations first asks the family which parameters give them.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.backend import compiled
from keras_course.distributions.distribution_output import DistributionOutput
from keras_course.distributions.families import (
    CategoricalLevels,
    DiscretizedLogistic,
    FullCovarianceGaussian,
    Mixture,
    Normal,
)
from keras_course.distributions.information import entropy, kl_divergence
from keras_course.distributions.negative_log_likelihood import NegativeLogLikelihood

__all__ = [
    "bernoulli_head",
    "categorical_head",
    "categorical_levels",
    "diagonal_gaussian_head",
    "discretized_logistic",
    "full_gaussian_head",
    "gaussian_density",
    "gaussian_divergence",
    "gaussian_entropy",
    "mixture_head",
    "normal_head",
    "normal_quantiles",
    "poisson_head",
]

BASES: dict[str, Any] = {"bits": 2, "nats": "e"}


def gaussian_density(x: Any, mean: float, std: float) -> dict[str, Any]:
    """The bell curve G(x) = exp(-(x - mean)^2 / (2 std^2)) / (std sqrt(2 pi)). Source: C 3.1."""
    head = _head("normal", 1, x)
    parameters = _normal_parameters(ops.full_like(x, mean), ops.full_like(x, std))
    return {"density": ops.exp(compiled(head.log_prob)(parameters, x))}


def gaussian_entropy(std: Any, unit: str) -> dict[str, Any]:
    """H = log(std sqrt(2 pi e)): a wider bell tells more, a narrow one less than nothing. Source: C 3.1."""

    def of_scale(scale: Any) -> Any:
        return entropy(_normal(ops.zeros_like(scale), scale), base=BASES[unit])

    return {"entropy": compiled(of_scale)(std)}


def gaussian_divergence(mean_p: Any, std_p: Any, mean_q: Any, std_q: Any, unit: str) -> dict[str, Any]:
    """What is lost when one bell stands in for another. Source: C 3.1."""

    def of_both(mean_p: Any, std_p: Any, mean_q: Any, std_q: Any) -> Any:
        return kl_divergence(_normal(mean_p, std_p), _normal(mean_q, std_q), base=BASES[unit])

    return {"divergence": compiled(of_both)(mean_p, std_p, mean_q, std_q)}


def normal_head(y: Any, mean: Any, std: Any) -> dict[str, Any]:
    """Linear regression as an output distribution: the cost is the squared error and a constant. Source: C 4.3."""
    head = _head("normal", 1, mean)
    parameters = _normal_parameters(mean, std)  # (N, 2)
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "mean": compiled(head.mean)(parameters)[:, 0],
        "mode": compiled(head.mode)(parameters)[:, 0],
    }


def normal_quantiles(levels: Any, mean: float, std: float) -> dict[str, Any]:
    """Where the bell curve has given away 5, 50, 95 % of its mass. Source: C 4.3.1."""
    head = _head("normal", 1, levels)
    parameters = _normal_parameters(ops.full_like(levels[:1], mean), ops.full_like(levels[:1], std))  # (1, 2)
    return {"quantiles": compiled(head.quantile)(parameters, levels)[:, 0, 0]}


def diagonal_gaussian_head(y: Any, mean: Any, std: Any) -> dict[str, Any]:
    """Several outputs, each with its own spread. Source: C 4.3.1."""
    head = _head("diagonal_gaussian", mean.shape[-1], mean)
    parameters = Normal(mean.shape[-1], minimum_scale=0.0).parameters_from(mean, std)  # (N, 2 D)
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "mean": compiled(head.mean)(parameters),
    }


def full_gaussian_head(y: Any, mean: Any, scale_tril: Any) -> dict[str, Any]:
    """Several outputs whose errors go together. Source: C 4.3.1."""
    family = FullCovarianceGaussian(mean.shape[-1], minimum_scale=0.0)
    head = DistributionOutput(family, project=False, dtype=_dtype(mean))
    parameters = family.parameters_from(mean, scale_tril)  # (N, D + D (D + 1) / 2)
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "covariance": compiled(lambda parameters: head.distribution(parameters).covariance())(parameters),
        "mean": compiled(head.mean)(parameters),
    }


def bernoulli_head(y: Any, logits: Any) -> dict[str, Any]:
    """The sigmoid unit: cost softplus((1 - 2 y) z). Source: C 4.3."""
    head = _head("bernoulli", 1, logits)
    parameters = logits[:, None]
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "mean": compiled(head.mean)(parameters)[:, 0],
        "mode": ops.cast(compiled(head.mode)(parameters)[:, 0], "int32"),
    }


def categorical_head(y: Any, logits: Any) -> dict[str, Any]:
    """The softmax unit: cost log sum exp(z) - z_y. Source: C 4.3."""
    head = _head("categorical", logits.shape[-1], logits)
    return {
        "negative_log_likelihood": _costs(head, logits, y),
        "probabilities": compiled(lambda logits: head.distribution(logits).probs_parameter())(logits),
        "mode": ops.cast(compiled(head.mode)(logits), "int32"),
    }


def poisson_head(y: Any, log_rate: Any) -> dict[str, Any]:
    """An output unit for counts: the network gives the logarithm of the rate. Source: C 4.3.1."""
    head = _head("poisson", 1, log_rate)
    parameters = log_rate[:, None]
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "mean": compiled(head.mean)(parameters)[:, 0],
        "mode": compiled(head.mode)(parameters)[:, 0],
    }


def mixture_head(y: Any, logits: Any, means: Any, stds: Any) -> dict[str, Any]:
    """A mixture density output: several bells, weighted by a softmax. Source: C 4.3.1."""
    component = Normal(minimum_scale=0.0)
    family = Mixture(logits.shape[-1], component)
    head = DistributionOutput(family, project=False, dtype=_dtype(logits))
    each = component.parameters_from(means[..., None], stds[..., None])  # (N, M, 2)
    parameters = family.parameters_from(logits, each)  # (N, 3 M)
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "mean": compiled(head.mean)(parameters)[:, 0],
        "variance": ops.square(compiled(head.stddev)(parameters)[:, 0]),
    }


def categorical_levels(y: Any, logits: Any) -> dict[str, Any]:
    """Grey pixels with a free logit for every level. Source: C 19.4."""
    pixels, levels = logits.shape[1:]
    family = CategoricalLevels(pixels, levels)
    head = DistributionOutput(family, project=False, dtype=_dtype(logits))
    parameters = ops.reshape(logits, (-1, pixels * levels))
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "masses": compiled(family.masses)(parameters),
        "mean": compiled(head.mean)(parameters),
    }


def discretized_logistic(y: Any, location: Any, scale: Any, weight: Any, levels: int) -> dict[str, Any]:
    """Grey pixels under bells cut into bins, in the tails too, where a difference of sigmoids is 0. Source: C 19.4."""
    pixels, components = location.shape[1:]
    family = DiscretizedLogistic(pixels, levels, components, minimum_scale=1e-6)
    head = DistributionOutput(family, project=False, dtype=_dtype(location))
    parameters = family.parameters_from(location, scale, ops.log(weight))
    return {
        "negative_log_likelihood": _costs(head, parameters, y),
        "masses": compiled(family.masses)(parameters),
        "mean": compiled(head.mean)(parameters),
    }


def _dtype(tensor: Any) -> str:
    return str(keras.backend.standardize_dtype(tensor.dtype))


def _head(family: str, event_size: int, like: Any) -> DistributionOutput:
    """A head without weights of its own, in the dtype of the example; scales may be as small as they are printed."""
    minimum_scale = 0.0 if family in ("normal", "diagonal_gaussian") else None
    return DistributionOutput(family, event_size, minimum_scale=minimum_scale, project=False, dtype=_dtype(like))


def _normal_parameters(mean: Any, std: Any) -> Any:
    return Normal(minimum_scale=0.0).parameters_from(mean[:, None], std[:, None])  # (N, 2)


def _normal(mean: Any, std: Any) -> Any:
    import tensorflow_probability as tfp

    return tfp.distributions.Normal(mean, std)


def _costs(head: DistributionOutput, parameters: Any, y: Any) -> Any:
    """-log p(y | x) of every sample, through the loss that a model would be compiled with."""
    return compiled(NegativeLogLikelihood(head, reduction=None))(y, parameters)
