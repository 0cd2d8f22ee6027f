"""Worked examples of the chapters on Monte Carlo: Langevin steps and Markov chains."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.inference.mcmc.graph_walk import second_modulus, walk_on
from keras_course.inference.mcmc.langevin import LangevinResults, MetropolisLangevin, UnadjustedLangevin
from keras_course.inference.mcmc.markov_chain import MarkovChain
from keras_course.inference.mcmc.stochastic_gradient_langevin import StochasticGradientLangevin

__all__ = [
    "chain_structure",
    "distribution_over_time",
    "langevin_step",
    "langevin_variance",
    "metropolis_ratio",
    "stationary_distribution",
    "stochastic_gradient_step",
    "total_variation_curve",
    "walk_on_a_graph",
]


def langevin_step(w: Any, noise: Any, precision: Any, target: str, step_size: float, form: str) -> dict[str, Any]:
    """One noisy step uphill in log p, in the printed forms. Source: N (Langevin Monte Carlo), R (Langevin dynamics)."""

    def step(w: Any, noise: Any, precision: Any) -> tuple[Any, Any]:
        kernel = UnadjustedLangevin(_log_density(target, precision), step_size, form)
        start = _start(kernel, w)
        moved, _ = kernel.step_with_noise(w, start, noise, None, start.seed)
        return start.gradient[0], moved

    gradient, proposal = compiled(step)(w, noise, precision)
    return {"gradient": gradient, "proposal": proposal}


def langevin_variance(precision: Any, step_size: float, steps: int, form: str) -> dict[str, Any]:
    """Variance of the walk on J(w) = precision w^2 / 2, begun at w = 0, after some steps. Source: N (Langevin).

    The step is affine there, w' = a w + b p, so v' = a^2 v + b^2; a and b are read off the kernel itself.
    """

    def variance(precision: Any) -> Any:
        kernel = UnadjustedLangevin(lambda w: -0.5 * precision * w**2, step_size, form)

        def respond(w: Any, noise: Any) -> Any:
            start = _start(kernel, w)
            return kernel.step_with_noise(w, start, noise, None, start.seed)[0]

        one, zero = ops.ones_like(precision), ops.zeros_like(precision)
        a, b = respond(one, zero), respond(zero, one)
        v = zero
        for _ in range(steps):
            v = a**2 * v + b**2
        return v

    return {"variance": compiled(variance)(precision)}


def metropolis_ratio(w: Any, proposal: Any, precision: Any, target: str, step_size: float, form: str) -> dict[str, Any]:
    """How likely a Langevin proposal is kept, Hastings term included. Source: N (Langevin Monte Carlo)."""

    def ratio(w: Any, proposal: Any, precision: Any) -> Any:
        return MetropolisLangevin(_log_density(target, precision), step_size, form).log_accept_ratio(w, proposal)

    log_ratio = compiled(ratio)(w, proposal, precision)
    return {"log_accept_ratio": log_ratio, "accept_probability": ops.exp(ops.minimum(log_ratio, 0.0))}


def stochastic_gradient_step(
    theta: Any, noise: Any, x: Any, batch: Any, prior_precision: float, step_size: float, form: str
) -> dict[str, Any]:
    """A Langevin step for the mean of a unit normal from a few of its examples. Source: N, R."""

    def step(theta: Any, noise: Any, batch: Any) -> tuple[Any, Any]:
        kernel = StochasticGradientLangevin(
            lambda theta: -0.5 * prior_precision * theta**2,
            lambda rows, theta: -0.5 * ops.sum((rows[:, None] - theta) ** 2, 0),
            data=x, batch_size=int(batch.shape[0]), step_size=step_size, form=form,
        )  # fmt: skip
        _, gradient = kernel.value_and_gradient(theta, [theta], batch)
        start = kernel.bootstrap_results(theta)
        return gradient[0], kernel.step_with_noise(theta, start, noise, batch, start.seed)[0]

    gradient, proposal = compiled(step)(theta, noise, batch)
    return {"gradient": gradient, "proposal": proposal}


def stationary_distribution(transition: Any, values: Any, convention: str) -> dict[str, Any]:
    """Where the chain is in the long run, and the mean of a function there. Source: C 18.4.3, R."""
    chain = MarkovChain(transition, convention)

    def long_run(values: Any) -> tuple[Any, Any]:
        pi = chain.stationary_distribution()
        return pi, ops.sum(pi * values, keepdims=True)

    pi, mean = compiled(long_run)(values)
    return {"stationary": pi, "mean": mean}


def distribution_over_time(transition: Any, start: Any, steps: int, convention: str) -> dict[str, Any]:
    """The distribution after 0, 1, 2, ... updates. Source: C 18.4.3, R."""
    return {"trajectory": compiled(MarkovChain(transition, convention).trajectory)(start, steps)}


def total_variation_curve(transition: Any, start: Any, steps: int, convention: str) -> dict[str, Any]:
    """The distance from the stationary distribution, update after update. Source: C 18.4.3, R."""
    return {"total_variation": compiled(MarkovChain(transition, convention).total_variation)(start, steps)}


@arithmetic
def chain_structure(counts: Any, convention: str) -> dict[str, Any]:
    """Which states the chain ends in, whether it goes round, whether it settles. Source: C 18.4.3."""
    chain = MarkovChain.from_counts(counts, convention)
    return {
        "closed_class": [
            next((k for k, members in enumerate(chain.closed_classes) if state in members), -1)
            for state in range(chain.states)
        ],
        "periods": chain.periods,
        "irreducible": chain.is_irreducible,
        "converges": chain.converges,
    }


def _log_density(target: str, precision: Any) -> Any:
    """A normal with this precision matrix, or a double well in every coordinate, the first of them tilted."""
    if target == "gaussian":
        return lambda w: -0.5 * ops.sum(w * ops.matmul(w, precision), -1)
    return lambda w: -ops.sum((w**2 - 1.0) ** 2, -1) - 0.25 * w[..., 0]


def _start(kernel: Any, w: Any) -> LangevinResults:
    results: LangevinResults = kernel.bootstrap_results(tf.convert_to_tensor(w))
    return results


@arithmetic
def walk_on_a_graph(links: Any, rest: float) -> dict[str, Any]:
    """Where a walk along a graph's links settles, and how fast. Source: C 18.4.3, R (Sampling via random walks)."""
    links = np.asarray(links, "float64")
    stationary = walk_on(links, rest).stationary_distribution()
    return {"stationary": stationary, "modulus": [second_modulus(links, rest)]}
