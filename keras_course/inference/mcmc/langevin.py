"""Langevin Monte Carlo: gradient ascent on log p with just enough noise to sample from p.

    w' = w + drift g(w) + scale p,    g = grad log p,  p ~ N(0, I)

    form        drift       scale         printed as
    "epsilon"   eps^2 / 2   eps           N: dw = eps^2 g / 2 + eps p
    "eta"       eta         sqrt(2 eta)   R: x' = x - eta grad f + sqrt(2 eta) xi,  f = -log p

Both are one step with eps^2 = 2 eta. The g of N is the gradient of log p = -J, never of the cost J itself: with the
other sign the walk runs away from the data. One noisy step alone has a bias of the order of the step; accepting it by

    log a(w -> y) = log p(y) + log q(w | y) - log p(w) - log q(y | w),    q(y | w) = N(y; w + drift g(w), scale^2 I)

(Metropolis and Hastings) removes the bias: `MetropolisLangevin` samples from p exactly, `UnadjustedLangevin` does not.
Both are kernels for `tfp.mcmc.sample_chain`; their own `sample` runs a whole chain faster.
`StochasticGradientLangevin`, whose gradient comes from a part of the data, lies in `stochastic_gradient_langevin`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.core.shapes import require_one_of
from keras_course.inference.mcmc.draws import draw_normal, draw_uniform, draw_uniform_ahead, split_seed
from keras_course.inference.mcmc.state_parts import (
    choose,
    inner_axes,
    require_finite_start,
    require_positive_steps,
    steps_of,
)
from keras_course.inference.mcmc.whole_chain import whole_chain
from keras_course.ops.langevin import FORMS, langevin_coefficients, langevin_proposal

__all__ = [
    "FORMS",
    "LangevinResults",
    "MetropolisLangevin",
    "UnadjustedLangevin",
    "hastings_log_ratio",
    "langevin_coefficients",
    "langevin_proposal",
]


def hastings_log_ratio(noise: Any, gradient: Any, proposed_gradient: Any, step_size: Any, form: str = "epsilon") -> Any:
    """How much likelier the way back is than the way there, coordinate by coordinate.

        log q(w | y) - log q(y | w) = (|p|^2 - |p + r s|^2) / 2 = -(r s) (p + r s / 2),
        s = g(w) + g(y),  r = drift / scale

    Written with the noise p that made y, so that nothing large cancels. The naive form subtracts two normal
    log-densities, each of the size of the dimension.

    Args:
        noise: tensor, the p that led from w to y.
        gradient: tensor like noise, g(w).
        proposed_gradient: tensor like noise, g(y).
        step_size: eps or eta.
        form: "epsilon" or "eta".

    Returns:
        Tensor like noise; sum it over the coordinates of a state.

    Example:
        >>> round(float(hastings_log_ratio(tf.constant(0.3), tf.constant(1.0), tf.constant(0.5), 0.5)), 6)
        -0.182813

    Source: N (Langevin Monte Carlo).
    """
    drift, scale = langevin_coefficients(step_size, form)
    bent = (drift / scale) * (gradient + proposed_gradient)
    return -bent * (noise + 0.5 * bent)


class LangevinResults(NamedTuple):
    """What a Langevin kernel carries from step to step, one value a chain (gradients: one a coordinate).

    Args:
        target_log_prob: log p at the state the chain is in.
        gradient: list, grad log p there, a tensor for each part of the state.
        is_accepted: whether the last proposal became the state.
        log_accept_ratio: log a of the last proposal, not cut at 0; 0 for the unadjusted kernel.
        proposed_state: where the last proposal led, structured like the state.
        seed: seed of the last step.
    """

    target_log_prob: Any
    gradient: Any
    is_accepted: Any
    log_accept_ratio: Any
    proposed_state: Any
    seed: Any


class _Langevin(tfp.mcmc.TransitionKernel):
    """What both kernels on a full target share; `_log_accept_ratio` and `_accept` tell them apart."""

    def __init__(
        self, target_log_prob_fn: Callable[..., Any], step_size: Any, form: str = "epsilon", name: str | None = None
    ) -> None:
        who = type(self).__name__
        if not callable(target_log_prob_fn):
            raise ValueError(f"{who} needs a function. Received: target_log_prob_fn={target_log_prob_fn!r}")
        require_one_of(who, FORMS, form=form)
        require_positive_steps(who, step_size)
        self._parameters = {
            "target_log_prob_fn": target_log_prob_fn, "step_size": step_size, "form": form, "name": name,
        }  # fmt: skip

    @property
    def parameters(self) -> dict[str, Any]:
        """Constructor arguments, from which `copy` makes the kernel again."""
        return self._parameters

    @property
    def step_size(self) -> Any:
        """The step as it was given."""
        return self._parameters["step_size"]

    @property
    def form(self) -> str:
        """ "epsilon" or "eta"."""
        return str(self._parameters["form"])

    def bootstrap_results(self, init_state: Any) -> LangevinResults:
        """Value and gradient at the start.

        Raises:
            InvalidDataError: if the log-density or its gradient is not finite there (checked when run eagerly; a
                compiled chain that starts there never moves).
        """
        parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(init_state)]
        value, gradient = self.value_and_gradient(init_state, parts)
        require_finite_start(type(self).__name__, value, gradient)
        return LangevinResults(
            target_log_prob=value,
            gradient=gradient,
            is_accepted=tf.ones_like(value, tf.bool),
            log_accept_ratio=tf.zeros_like(value),
            proposed_state=tf.nest.pack_sequence_as(init_state, parts),
            seed=tf.zeros([2], tf.int32),
        )

    def one_step(
        self, current_state: Any, previous_kernel_results: LangevinResults, seed: Any = None
    ) -> tuple[Any, LangevinResults]:
        """Draws the noise, proposes, decides.

        Args:
            current_state: tensor, or structure of tensors; leading axes are chains, as many as the target's output has.
            previous_kernel_results: `LangevinResults` at that state.
            seed: int, int32 tensor (2,) or None (a fresh one, eagerly drawn).

        Returns:
            (next state, `LangevinResults`).
        """
        parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(current_state)]
        *noise_seeds, decision_seed = split_seed(seed, len(parts) + 1)
        noise = [draw_normal(noise_seed, part) for noise_seed, part in zip(noise_seeds, parts, strict=True)]
        uniform = draw_uniform(decision_seed, previous_kernel_results.target_log_prob)
        return self.step_with_noise(current_state, previous_kernel_results, noise, uniform, decision_seed)

    def step_with_noise(
        self, current_state: Any, previous: LangevinResults, noise: Any, uniform: Any, seed: Any
    ) -> tuple[Any, LangevinResults]:
        """The step as a deterministic function of its random numbers: noise like the state, uniform in [0, 1) a chain.

        A proposal whose log-density, gradient or acceptance ratio is not a number (or where the density is zero) is
        never taken: the chain stays where it is and `is_accepted` says so.
        """
        parts, noise = tf.nest.flatten(current_state), tf.nest.flatten(noise)
        steps = steps_of(self.step_size, parts)
        proposal = [
            langevin_proposal(w, g, p, step, self.form)
            for w, g, p, step in zip(parts, previous.gradient, noise, steps, strict=True)
        ]
        value, gradient = self.value_and_gradient(current_state, proposal)
        ratio = self._log_accept_ratio(previous, value, gradient, noise, steps)
        accepted = self._is_fine(value, gradient, ratio) & self._accept(ratio, uniform)
        chosen = [choose(accepted, new, old) for new, old in zip(proposal, parts, strict=True)]
        return tf.nest.pack_sequence_as(current_state, chosen), LangevinResults(
            target_log_prob=tf.where(accepted, value, previous.target_log_prob),
            gradient=[choose(accepted, new, old) for new, old in zip(gradient, previous.gradient, strict=True)],
            is_accepted=accepted,
            log_accept_ratio=ratio,
            proposed_state=tf.nest.pack_sequence_as(current_state, proposal),
            seed=seed,
        )

    def value_and_gradient(self, structure: Any, parts: list[Any]) -> tuple[Any, list[Any]]:
        """log p and its gradient at `parts`, which are packed like `structure` for the target function."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parts)
            packed = tf.nest.pack_sequence_as(structure, parts)
            function = self._parameters["target_log_prob_fn"]
            value = function(*packed) if isinstance(packed, list | tuple) else function(packed)
        gradient = tape.gradient(value, parts, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return value, [tf.convert_to_tensor(slope) for slope in gradient]

    def sample(
        self, steps: int, start: Any, seed: Any, burn_in: int = 0, trace_fn: Callable[[Any, Any], Any] | None = None
    ) -> Any:
        """A whole chain, in less than half the time of `tfp.mcmc.sample_chain` where the target is cheap.

        All random numbers are drawn before the first step and take as much memory as the states that are returned
        (and thrown away). They are the same eagerly, in a graph and under XLA, so the chain is too, up to rounding; a
        longer chain begins like a shorter one of the same seed. Compile it: tf.function(..., jit_compile=True).

        Args:
            steps: int >= 1, states to return; the start is not among them.
            start: tensor, or structure of tensors, as `one_step` takes.
            seed: int, or int32 tensor (2,). The draws are others than `tfp.mcmc.sample_chain` makes of it.
            burn_in: int >= 0, steps before the first that is returned.
            trace_fn: function of (state, `LangevinResults`), what else to keep of each returned step; None: nothing.

        Returns:
            States, structured like `start`, each (steps, ...). With a trace_fn: (states, what it returned, stacked).

        Raises:
            ValueError: if `steps` or `burn_in` is no such integer.
            InvalidDataError: as `bootstrap_results`.

        Example:
            >>> kernel = MetropolisLangevin(lambda w: -0.5 * tf.reduce_sum(w**2, -1), step_size=1.2)
            >>> chain = tf.function(lambda w: kernel.sample(100, w, 1, trace_fn=lambda _, r: r.is_accepted))
            >>> states, accepted = chain(tf.zeros([50, 2]))
            >>> states.shape.as_list(), accepted.shape.as_list()
            ([100, 50, 2], [100, 50])
        """
        return whole_chain(
            self, steps, start, seed, burn_in, trace_fn, carried=("target_log_prob", "gradient"),
            choices=lambda own, first, total: draw_uniform_ahead(own, first.target_log_prob, total),
        )  # fmt: skip

    def _is_fine(self, value: Any, gradient: list[Any], ratio: Any) -> Any:
        """Which proposals a chain can be left on."""
        fine = tf.math.is_finite(value) & tf.math.is_finite(ratio)
        for slope in gradient:
            fine &= tf.reduce_all(tf.math.is_finite(slope), inner_axes(slope, value))
        return fine

    @abstractmethod
    def _log_accept_ratio(
        self, previous: LangevinResults, value: Any, gradient: list[Any], noise: list[Any], steps: list[Any]
    ) -> Any:
        """log a(w -> y), one number a chain."""

    @abstractmethod
    def _accept(self, ratio: Any, uniform: Any) -> Any:
        """Which chains take the step."""


class UnadjustedLangevin(_Langevin):
    """Langevin steps, every one taken.

        w' = w + eps^2 g(w) / 2 + eps p,    g = grad log p

    Samples from a neighbour of p, wider by the order of eps^2: on a normal with precision a, the variance
    1 / (a (1 - a eps^2 / 4)) instead of 1 / a; for a eps^2 >= 4 the walk diverges.

    Args:
        target_log_prob_fn: function of a state (of its parts, if the state is a list or tuple) that returns log p up to
            a constant, one number a chain.
        step_size: eps (or eta): a positive number, a tensor that broadcasts with the state, or a list of them, one for
            each part.
        form: "epsilon" (N) or "eta" (R).
        name: for debugging.

    Raises:
        ValueError: for an unknown form, or a step size that is not positive and finite.

    Example:
        >>> kernel = UnadjustedLangevin(lambda w: -0.5 * w**2, step_size=0.5)
        >>> draws = tfp.mcmc.sample_chain(200, tf.zeros([500]), kernel=kernel, trace_fn=None, seed=[0, 1])
        >>> bool(abs(tf.math.reduce_variance(draws[100:]) - 1.0667) < 0.02)
        True

    Source: N (Langevin Monte Carlo), R (Langevin dynamics).
    """

    @property
    def is_calibrated(self) -> bool:
        """False: its stationary distribution is not quite p."""
        return False

    def _log_accept_ratio(
        self, previous: LangevinResults, value: Any, gradient: list[Any], noise: list[Any], steps: list[Any]
    ) -> Any:
        return tf.zeros_like(value)

    def _accept(self, ratio: Any, uniform: Any) -> Any:
        return tf.ones_like(ratio, tf.bool)


class MetropolisLangevin(_Langevin):
    """Langevin steps, each kept with the probability that makes p exactly stationary (MALA).

        y = w + eps^2 g(w) / 2 + eps p
        keep y with probability min(1, p(y) q(w | y) / (p(w) q(y | w))),  else stay at w

    The factor q(w | y) / q(y | w), which Hastings added, matters: drifts pull one way. In high dimension the best
    step keeps about 57 % of the proposals; eps falls as dimension^(-1/6).

    Args:
        target_log_prob_fn: function of a state (of its parts, if the state is a list or tuple) that returns log p up to
            a constant, one number a chain.
        step_size: eps (or eta): a positive number, a tensor that broadcasts with the state, or a list of them, one for
            each part.
        form: "epsilon" (N) or "eta" (R).
        name: for debugging.

    Raises:
        ValueError: for an unknown form, or a step size that is not positive and finite.

    Example:
        >>> kernel = MetropolisLangevin(lambda w: -0.5 * w**2, step_size=1.2)
        >>> draws = tfp.mcmc.sample_chain(200, tf.zeros([500]), kernel=kernel, trace_fn=None, seed=[0, 1])
        >>> bool(abs(tf.math.reduce_variance(draws[100:]) - 1.0) < 0.02)
        True

    Source: N (Langevin Monte Carlo).
    """

    @property
    def is_calibrated(self) -> bool:
        """True: p is stationary."""
        return True

    def log_accept_ratio(self, state: Any, proposal: Any) -> Any:
        """log a(state -> proposal), not cut at 0, for any pair of states; one number a chain.

        Example:
            >>> kernel = MetropolisLangevin(lambda w: -0.5 * w**2, step_size=0.5)
            >>> float(kernel.log_accept_ratio(tf.constant(1.0), tf.constant(1.0)))
            0.0
        """
        start = self.bootstrap_results(state)
        parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(state)]
        ends = [tf.convert_to_tensor(part) for part in tf.nest.flatten(proposal)]
        value, gradient = self.value_and_gradient(state, ends)
        steps, noise = steps_of(self.step_size, parts), []
        for w, y, g, step in zip(parts, ends, start.gradient, steps, strict=True):
            drift, scale = langevin_coefficients(step, self.form)
            noise.append((y - w - drift * g) / scale)
        return self._log_accept_ratio(start, value, gradient, noise, steps)

    def _log_accept_ratio(
        self, previous: LangevinResults, value: Any, gradient: list[Any], noise: list[Any], steps: list[Any]
    ) -> Any:
        ratio = value - previous.target_log_prob
        for p, here, there, step in zip(noise, previous.gradient, gradient, steps, strict=True):
            term = hastings_log_ratio(p, here, there, step, self.form)
            ratio += tf.reduce_sum(term, inner_axes(term, value))
        return ratio

    def _is_fine(self, value: Any, gradient: list[Any], ratio: Any) -> Any:
        return tf.math.is_finite(ratio)  # value and gradient went into it: it is finite only if they are

    def _accept(self, ratio: Any, uniform: Any) -> Any:
        return tf.math.log(uniform) < ratio
