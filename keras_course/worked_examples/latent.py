"""Worked examples of the chapters on latent variables: Lloyd's algorithm, Gaussian mixtures, EM, the two coins.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled, jacobian
from keras_course.core.loops import scan
from keras_course.ops.binomial_mixture import binomial_log_joint, binomial_m_step
from keras_course.ops.clustering import (
    cluster_cost,
    k_means_plus_plus,
    lloyd_step,
    seeding_probabilities,
)
from keras_course.ops.expectation_maximization import (
    divergence_from_posterior,
    expectation_maximization,
    free_energy,
    log_evidence,
    responsibilities,
)
from keras_course.ops.mixtures import gaussian_log_joint, scale_of

__all__ = [
    "bound_and_gap",
    "coin_half_steps",
    "coin_iterations",
    "likelihood_slopes",
    "lloyd_iterations",
    "mixture_densities",
    "seeded_start",
    "seeding_odds",
]


def lloyd_iterations(x: Any, centres: Any, steps: int) -> dict[str, Any]:
    """Each half-step lowers the cost; an empty cluster stays. Source: B."""
    step, cost = compiled(lloyd_step), compiled(cluster_cost)
    costs, assignments = [], []
    for _ in range(steps):
        moved, r = step(x, centres)
        costs += [cost(x, centres, r), cost(x, moved, r)]
        assignments.append(ops.cast(ops.argmax(r, axis=1), "int32"))
        centres = moved
    return {"assignments": ops.stack(assignments), "centres": centres, "costs": ops.stack(costs)}


def seeding_odds(x: Any, centres: Any) -> dict[str, Any]:
    """Whom k-means++ would take next. Source: B."""
    return {"odds": compiled(seeding_probabilities)(x, centres)}


def seeded_start(x: Any, uniforms: Any) -> dict[str, Any]:
    """k-means++ with its uniform numbers given. Source: B."""
    centres, chosen = compiled(k_means_plus_plus)(x, uniforms)
    return {"chosen": chosen, "centres": centres}


def _log_joint(x: Any, weights: Any, means: Any, covariances: Any) -> Any:
    return gaussian_log_joint(x, weights, means, scale_of(covariances, "full"))


def mixture_densities(x: Any, weights: Any, means: Any, covariances: Any) -> dict[str, Any]:
    """p(x) = sum_k pi_k N(x; mu_k, Sigma_k). Source: B, R."""
    log_density = compiled(lambda *given: log_evidence(_log_joint(*given)))(x, weights, means, covariances)
    return {"density": ops.exp(log_density), "log_density": log_density}


def likelihood_slopes(x: Any, weights: Any, means: Any, covariances: Any) -> dict[str, Any]:
    """The gradient by the means, as automatic differentiation finds it. Source: B."""

    def slope(x: Any, weights: Any, means: Any, covariances: Any) -> Any:
        return jacobian(lambda means: ops.sum(log_evidence(_log_joint(x, weights, means, covariances))), means)

    return {"gradient_means": compiled(slope)(x, weights, means, covariances)}


def bound_and_gap(x: Any, weights: Any, means: Any, covariances: Any, q: Any) -> dict[str, Any]:
    """F(q, theta) + KL(q || p(z | x)) = log p(x). Source: R."""
    log_joint = compiled(_log_joint)(x, weights, means, covariances)
    return {
        "free_energy": compiled(free_energy)(log_joint, q),
        "divergence": compiled(divergence_from_posterior)(log_joint, q),
        "log_evidence": compiled(log_evidence)(log_joint),
    }


def _coins(trials: int, weights: Any, learn_weights: bool) -> tuple[Any, Any]:
    """log joint and M-step of coins, for the EM driver; parameters (pi (M,), p (M, 1))."""

    def log_joint(heads: Any, parameters: Any) -> Any:
        return binomial_log_joint(heads, *parameters, trials)

    def m_step(heads: Any, q: Any) -> Any:
        learned, probabilities = binomial_m_step(heads, q, trials)
        return (learned if learn_weights else weights), probabilities

    return log_joint, m_step


def coin_iterations(
    heads: Any, trials: int, weights: Any, probabilities: Any, learn_weights: bool, steps: int
) -> dict[str, Any]:
    """Which coin was tossed is hidden; ten rounds of EM nearly settle it. Source: B; Do and Batzoglou 2008."""

    def rounds(heads: Any, weights: Any, probabilities: Any) -> Any:
        log_joint, m_step = _coins(trials, weights, learn_weights)
        parameters = weights, probabilities[:, None]
        first = responsibilities(log_joint(heads, parameters))

        def step(parameters: Any, _: Any) -> Any:
            return list(expectation_maximization(log_joint, m_step, heads, tuple(parameters), 1)[0]), []

        last, (guesses,), _ = scan(step, list(parameters), [ops.arange(steps)], [], length=steps, history=(1,))
        return first, last[0], guesses.stack()[..., 0]

    first, weights, guesses = compiled(rounds)(heads[:, None], weights, probabilities)
    return {"first_responsibilities": first, "weights": weights, "probabilities": guesses}


def coin_half_steps(
    heads: Any, trials: int, weights: Any, probabilities: Any, learn_weights: bool, steps: int
) -> dict[str, Any]:
    """F after every half-step of EM: it never falls. Source: R."""

    def objective(heads: Any, weights: Any, probabilities: Any) -> Any:
        log_joint, m_step = _coins(trials, weights, learn_weights)
        start = weights, probabilities[:, None]
        return expectation_maximization(log_joint, m_step, heads, start, steps)[1]

    values = compiled(objective)(heads[:, None], weights, probabilities)
    return {"free_energy": values, "log_likelihood": values[::2]}
