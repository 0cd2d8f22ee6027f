"""Targets with exact draws for the kernels of the catalogue; a kernel without a line here is a red test."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course import catalog
from keras_course.testing.kernel_case import KernelCase, Target

WEATHER = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0, 0.5, 0.5]]
WEATHER_IN_THE_LONG_RUN = [2 / 13, 8 / 13, 3 / 13]  # by hand: pi WEATHER = pi


def weather(generator: np.random.Generator, chains: int) -> tuple[Any, dict[str, Any]]:
    """States of a Markov chain that has run for ever."""
    return generator.choice(3, size=chains, p=WEATHER_IN_THE_LONG_RUN), {}


def normal_mean(generator: np.random.Generator, chains: int) -> tuple[Any, dict[str, Any]]:
    """theta ~ N(0, 1) and eight x ~ N(theta, 2), data of its own for every chain: Geweke's test in mini-batches."""
    theta = generator.normal(size=chains)
    data = theta + 2.0 * generator.normal(size=(8, chains))

    def log_likelihood(batch: Any, w: Any) -> Any:
        return -0.125 * tf.reduce_sum((tf.cast(batch, w.dtype) - w) ** 2, 0)

    return theta, {"log_prior_fn": lambda w: -0.5 * w**2, "log_likelihood_fn": log_likelihood, "data": data}


def two_parts(generator: np.random.Generator, chains: int) -> tuple[Any, dict[str, Any]]:
    """Independent normals: two of width 1 in one part, one of width 1/8 in another."""

    def log_prob(a: Any, b: Any) -> Any:
        return -0.5 * tf.reduce_sum(a**2, -1) - 32.0 * b**2

    return [generator.normal(size=(chains, 2)), generator.normal(size=chains) / 8], {"target_log_prob_fn": log_prob}


NOT_A_NUMBER = np.array([[np.nan, 0.0]])

EXAMPLES: dict[str, dict[str, Any]] = {
    "MarkovChain": {
        "init": {"transition": WEATHER},
        "targets": [Target("its stationary distribution", weather)],
        "refused": (np.array([0, 3]), np.array([-1]), np.array([0.5])),
    },
    "MetropolisLangevin": {"init": {"step_size": 0.9}, "refused": (NOT_A_NUMBER,)},
    "UnadjustedLangevin": {
        "init": {"step_size": 0.6, "form": "epsilon"},
        "smaller": {"step_size": 0.15},
        "refused": (NOT_A_NUMBER,),
    },
    "StochasticGradientLangevin": {
        "init": {"batch_size": 4, "step_size": 0.6},
        "targets": [Target("the mean of normal data, data drawn from it (Geweke)", normal_mean)],
        "smaller": {"step_size": 0.15},
    },
}

SKIPS: dict[str, dict[str, str]] = {}


def kernel_cases() -> dict[str, KernelCase | None]:
    """{name: case} of every kernel in the catalogue; None for one that has no line in EXAMPLES."""
    cases: dict[str, KernelCase | None] = {}
    for entry in catalog.entries():
        for reference in entry.parts:
            part = catalog.resolve_member(reference)
            if inspect.isclass(part) and issubclass(part, tfp.mcmc.TransitionKernel):
                example = EXAMPLES.get(part.__name__)
                cases[part.__name__] = None if example is None else KernelCase(part, **example)
            elif entry.shape == "kernel" and reference == entry.object:
                cases[entry.slug] = None
    return cases
