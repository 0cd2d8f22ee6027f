"""The kernel under test, and distributions of which exact draws are known.

    Target.draw(generator, chains) -> (states, arguments)

`states` are exact draws, one a chain; `arguments` tell the kernel's constructor what it should sample. Where they
depend on data simulated from the states themselves (theta from its prior, y given theta, a kernel on p(theta | y)),
the states must still follow the prior after any number of steps: Geweke's test, exact.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from keras_course.testing.agreement import require
from keras_course.testing.example_inputs import philox

__all__ = ["DENSITIES", "KernelCase", "Target", "as_state", "columns"]

SEED, OTHER_SEED = (3, 14), (15, 92)
CHAINS = 32


@dataclass(frozen=True)
class Target:
    """A distribution that a kernel must leave unchanged.

    Args:
        name: what a report calls it.
        draw: function of (numpy Generator, number of chains) that returns exact draws, an array (chains, ...), and a
            dict of constructor arguments. A state of several parts is a list or dict of such arrays. Functions among
            the arguments take states of any float dtype and answer in that dtype.
        smooth: whether the log-density has a gradient everywhere; kernels without acceptance are held to smooth ones.
    """

    name: str
    draw: Callable[[np.random.Generator, int], tuple[Any, Mapping[str, Any]]]
    smooth: bool = True


def _normal(generator: np.random.Generator, chains: int) -> tuple[Any, Mapping[str, Any]]:
    precision = np.array([[2.0, -2.0], [-2.0, 4.0]])

    def log_prob(w: Any) -> Any:
        centred = w - 1.0
        return -0.5 * tf.reduce_sum(centred * tf.linalg.matvec(tf.constant(precision, w.dtype), centred), -1)

    states = generator.multivariate_normal([1.0, 1.0], np.linalg.inv(precision), chains)
    return states, {"target_log_prob_fn": log_prob}


def _posterior(generator: np.random.Generator, chains: int) -> tuple[Any, Mapping[str, Any]]:
    theta = generator.gumbel(size=chains)
    data = theta + 2.0 * generator.normal(size=chains)

    def log_prob(w: Any) -> Any:
        return -w - tf.exp(-w) - 0.5 * ((tf.constant(data, w.dtype) - w) / 2.0) ** 2

    return theta, {"target_log_prob_fn": log_prob}


def _half_line(generator: np.random.Generator, chains: int) -> tuple[Any, Mapping[str, Any]]:
    def log_prob(w: Any) -> Any:
        return tf.where(w > 0.0, -w, tf.constant(-np.inf, w.dtype))

    return generator.exponential(size=chains), {"target_log_prob_fn": log_prob}


DENSITIES = (
    Target("a correlated normal", _normal),
    Target("theta of a Gumbel prior given normal data (Geweke)", _posterior),
    Target("the exponential on the half line", _half_line, smooth=False),
)


class KernelCase:
    """What the checks of a kernel look at.

    Args:
        cls: subclass of tfp.mcmc.TransitionKernel.
        init: constructor arguments besides those that state the target.
        targets: distributions with exact draws; the first one makes the example of most checks.
        smaller: constructor arguments that replace some of `init` by a much smaller step.
        refused: states that bootstrap_results promises to refuse.
    """

    def __init__(
        self,
        cls: type,
        init: Mapping[str, Any] | None = None,
        targets: Iterable[Target] | None = None,
        smaller: Mapping[str, Any] | None = None,
        refused: Iterable[Any] = (),
    ) -> None:
        self.cls = cls
        self.init = dict(init or {})
        self.targets = DENSITIES if targets is None else tuple(targets)
        self.smaller = dict(smaller or {})
        self.refused = tuple(refused)
        self.label = cls.__name__
        takes = inspect.signature(cls).parameters
        if not self.targets or (targets is None and "target_log_prob_fn" not in takes):
            raise ValueError(
                f"check_kernel needs targets for a kernel that takes no target_log_prob_fn: {cls.__name__} takes "
                f"{', '.join(takes)}. Received: targets={targets!r}"
            )

    def states(self, target: Target, chains: int = CHAINS, *path: object) -> tuple[Any, Mapping[str, Any]]:
        """Exact draws and constructor arguments, the same in every run."""
        return target.draw(philox("kernel", target.name, *path), chains)

    def kernel(self, arguments: Mapping[str, Any], **overrides: Any) -> Any:
        """A new kernel."""
        return self.cls(**{**arguments, **self.init, **overrides})

    def example(self, dtype: str = "float32", chains: int = CHAINS) -> tuple[Any, Any]:
        """A kernel on the first target, and where its chains start: floats in this dtype, integers as they are."""
        states, arguments = self.states(self.targets[0], chains)
        return self.kernel(arguments), as_state(states, dtype)

    def far_state(self) -> Any:
        """Of many draws of the first target, the one farthest out: a place where a chain may be, but seldom is."""
        draws, _ = self.states(self.targets[0], 4096, "far")
        flat = columns(draws)
        far = int(np.argmax(np.sum(np.abs(flat - np.median(flat, 0)), 1)))
        return tf.nest.map_structure(lambda part: np.asarray(part)[far], draws)

    def step(self, kernel: Any, state: Any, seed: Any = SEED, results: Any = None) -> tuple[Any, Any]:
        """(next state, results) from a state; from fresh results unless some are given."""
        results = kernel.bootstrap_results(state) if results is None else results
        moved, results = kernel.one_step(state, results, seed=tf.convert_to_tensor(seed, tf.int32))
        return moved, results

    def compiled_step(self, kernel: Any, jit_compile: bool = False) -> Callable[[Any, Any], Any]:
        """(state, seed) -> next state, as a graph or under XLA."""
        return tf.function(  # type: ignore[no-any-return]
            lambda state, seed: self.step(kernel, state, seed)[0], jit_compile=jit_compile, autograph=False
        )

    def walk(self, kernel: Any, state: Any, steps: int, seed: Any = SEED) -> Any:
        """The states `steps` steps on, by tfp.mcmc.sample_chain."""
        import tensorflow_probability as tfp

        def run(start: Any, seed: Any) -> Any:
            draws = tfp.mcmc.sample_chain(1, start, kernel=kernel, num_burnin_steps=steps - 1, trace_fn=None, seed=seed)
            return tf.nest.map_structure(lambda part: part[0], draws)

        return tf.function(run, autograph=False)(state, tf.constant(seed, tf.int32))


def as_state(states: Any, dtype: str = "float32") -> Any:
    """Arrays of states as tensors: floats in `dtype`, integers as int32."""

    def tensor(part: Any) -> Any:
        array = np.asarray(part)
        require(array.ndim >= 1, f"a target draws one state a chain, (chains, ...), not an array of {array.shape}")
        return tf.constant(array, dtype if array.dtype.kind == "f" else "int32")

    return tf.nest.map_structure(tensor, states)


def columns(states: Any) -> Any:
    """All coordinates of all parts, float64 (chains, coordinates)."""
    parts = [np.asarray(part, "float64") for part in tf.nest.flatten(states)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], 1)
