"""Worked examples of the chapters on latent variables that train the models: k-means and Gaussian mixtures.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.latent.gaussian_mixture import GaussianMixture
from keras_course.models.latent.k_means import KMeans
from keras_course.ops.clustering import cluster_cost, one_hot_of_nearest

__all__ = ["best_partition", "mixture_iterations", "one_hot_assignment", "posterior_of_components"]


def one_hot_assignment(x: Any, centres: Any) -> dict[str, Any]:
    """The r step: distances, the one-hot vector of the nearest centre, and E(c, r). Source: B."""
    model = KMeans(*centres.shape, centres=ops.convert_to_numpy(centres))
    r = compiled(one_hot_of_nearest)(x, centres)
    return {
        "distances": compiled(model.squared_distances)(x),
        "r": ops.cast(r, "int32"),
        "cost": ops.reshape(compiled(cluster_cost)(x, centres, r), (1,)),
    }


def best_partition(x: Any, centres: Any, steps: int) -> dict[str, Any]:
    """The model itself, an epoch a step, ends in the best of all partitions from this start. Source: B."""
    model = KMeans(*centres.shape, centres=ops.convert_to_numpy(centres))
    statistics = compiled(model.cluster_sums)
    for _ in range(steps):
        points, sizes, cost = statistics(x, ops.ones_like(x[:, 0]))
        model.accumulate(x.shape[0], points=points, sizes=sizes, cost=cost)
        model.end_epoch()
    cost = statistics(x, ops.ones_like(x[:, 0]))[2]
    return {"cost": ops.reshape(cost, (1,)), "centres": ops.convert_to_tensor(model.centres)}


def posterior_of_components(x: Any, weights: Any, means: Any, covariances: Any) -> dict[str, Any]:
    """Which component is responsible: the prior re-weighted by the likelihood. Source: B."""
    model = GaussianMixture(*means.shape)
    model.start(*(ops.convert_to_numpy(given) for given in (weights, means, covariances)))
    return {"responsibilities": compiled(model.e_step)(x)}


def mixture_iterations(
    x: Any, weights: Any, means: Any, covariances: Any, covariance: str, steps: int
) -> dict[str, Any]:
    """EM as the model does it, an epoch a step; the log-likelihood before each and after the last. Source: B, R."""
    model = GaussianMixture(*means.shape, covariance=covariance, regularisation=0.0)
    model.start(*(ops.convert_to_numpy(given) for given in (weights, means, covariances)))
    statistics = compiled(model.expected_sums)
    totals = []
    for _ in range(steps):
        sizes, shifts, seconds, total = statistics(x, ops.ones_like(x[:, 0]))
        model.accumulate(x.shape[0], sizes=sizes, shifts=shifts, seconds=seconds, log_likelihood=total)
        model.end_epoch()
        totals.append(total)
    totals.append(statistics(x, ops.ones_like(x[:, 0]))[3])
    weights, means, _ = model.parameters
    return {"weights": weights, "means": means, "covariances": model.covariances, "log_likelihood": ops.stack(totals)}
