"""Langevin steps whose gradient comes from a few examples at a time.

    w' = w + drift(t) g(w) + scale(t) p
    g(w) = grad log p(w) + (N / n) sum_{i in batch} grad log p(x_i | w)

The factor N / n makes g right on average over the batches; without it the prior would weigh N / n times too much.
There is no acceptance: the gradient's own noise vanishes beside scale(t) p only as the step goes to zero, so give a
falling schedule, or a small constant step and live with a bias.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.inference.mcmc.draws import draw_indices, draw_indices_ahead, draw_normal, split_seed
from keras_course.inference.mcmc.langevin import FORMS, langevin_proposal
from keras_course.inference.mcmc.state_parts import as_dtype, choose, inner_axes, require_positive_steps, steps_of
from keras_course.inference.mcmc.whole_chain import whole_chain

__all__ = ["StochasticGradientLangevin", "StochasticGradientLangevinResults"]


class StochasticGradientLangevinResults(NamedTuple):
    """What the kernel carries from step to step.

    Args:
        step: int32 scalar, steps done, from which the schedule is read.
        step_size: eps or eta of the last step.
        estimated_log_prob: log prior plus N / n times the batch's log-likelihood, one number a chain, before the step.
        is_accepted: False in chains whose step was not finite and therefore not taken.
        seed: seed of the last step.
    """

    step: Any
    step_size: Any
    estimated_log_prob: Any
    is_accepted: Any
    seed: Any


class StochasticGradientLangevin(tfp.mcmc.TransitionKernel):
    """Langevin steps from mini-batches (SGLD), every one taken.

        w' = w + eps_t^2 g(w) / 2 + eps_t p,    g = grad [log p(w) + (N / n) sum_{i in batch} log p(x_i | w)]

    All chains see the same batch of a step; batches are drawn with replacement, as a function of the seed.

    Args:
        log_prior_fn: function of a state (of its parts, if the state is a list or tuple), log p(w) up to a constant,
            one number a chain.
        log_likelihood_fn: function of (batch, state) (or of (batch, *parts)), the SUM of log p(x_i | w) over the
            batch's rows, one number a chain.
        data: tensor or structure of tensors with N rows each; `batch` is structured alike.
        batch_size: n, rows a step.
        step_size: positive eps (or eta), or a function of the step count (an int32 tensor) that returns it: any Keras
            learning-rate schedule will do.
        form: "epsilon" (N) or "eta" (R).
        name: for debugging.

    Raises:
        ValueError: for an unknown form, a batch size below 1, or a step size that is not positive and finite.
        InvalidDataError: if the data have no rows, different numbers of rows, or values that are not finite.

    Example:
        >>> x = tf.constant([0.9, 1.1, 1.0, 1.2, 0.8, 1.0])
        >>> kernel = StochasticGradientLangevin(
        ...     lambda w: -0.5 * w**2,
        ...     lambda batch, w: -0.5 * tf.reduce_sum((batch[:, None] - w) ** 2, 0),
        ...     data=x, batch_size=2, step_size=0.1)
        >>> chain = dict(kernel=kernel, trace_fn=None, seed=[0, 1])
        >>> draws = tf.function(lambda: tfp.mcmc.sample_chain(1000, tf.zeros([100]), **chain))()
        >>> bool(abs(tf.reduce_mean(draws[200:]) - 6 / 7) < 0.02)
        True

    Source: N (Langevin Monte Carlo), R (Langevin dynamics); Welling and Teh 2011.
    """

    def __init__(
        self,
        log_prior_fn: Callable[..., Any],
        log_likelihood_fn: Callable[..., Any],
        data: Any,
        batch_size: int,
        step_size: Any,
        form: str = "epsilon",
        name: str | None = None,
    ) -> None:
        who = "StochasticGradientLangevin"
        for argument, value in (("log_prior_fn", log_prior_fn), ("log_likelihood_fn", log_likelihood_fn)):
            if not callable(value):
                raise ValueError(f"{who} needs a function. Received: {argument}={value!r}")
        require_one_of(who, FORMS, form=form)
        require_positive_int(who, batch_size=batch_size)
        if not callable(step_size):
            require_positive_steps(who, step_size)
        self._data = tf.nest.map_structure(tf.convert_to_tensor, data)
        self._rows = _rows_of(who, tf.nest.flatten(self._data))
        self._parameters = {
            "log_prior_fn": log_prior_fn, "log_likelihood_fn": log_likelihood_fn, "data": data,
            "batch_size": batch_size, "step_size": step_size, "form": form, "name": name,
        }  # fmt: skip

    @property
    def parameters(self) -> dict[str, Any]:
        """Constructor arguments, from which `copy` makes the kernel again."""
        return self._parameters

    @property
    def is_calibrated(self) -> bool:
        """False: the posterior is reached only as the steps go to zero."""
        return False

    def bootstrap_results(self, init_state: Any) -> StochasticGradientLangevinResults:
        """Step 0, the estimate made from the first rows."""
        parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(init_state)]
        rows = tf.range(self._parameters["batch_size"]) % self._rows
        value, _ = self.value_and_gradient(init_state, parts, rows)
        step = tf.zeros([], tf.int32)
        return StochasticGradientLangevinResults(
            step, self._step_size(step, parts), value, tf.ones_like(value, tf.bool), tf.zeros([2], tf.int32)
        )

    def one_step(
        self, current_state: Any, previous_kernel_results: StochasticGradientLangevinResults, seed: Any = None
    ) -> tuple[Any, StochasticGradientLangevinResults]:
        """Draws rows and noise, and moves.

        Args:
            current_state: tensor, or structure of tensors; leading axes are chains.
            previous_kernel_results: `StochasticGradientLangevinResults`.
            seed: int, int32 tensor (2,) or None (a fresh one, eagerly drawn).

        Returns:
            (next state, `StochasticGradientLangevinResults`).
        """
        parts = [tf.convert_to_tensor(part) for part in tf.nest.flatten(current_state)]
        row_seed, *noise_seeds = split_seed(seed, len(parts) + 1)
        rows = draw_indices(row_seed, self._parameters["batch_size"], self._rows)
        noise = [draw_normal(noise_seed, part) for noise_seed, part in zip(noise_seeds, parts, strict=True)]
        return self.step_with_noise(current_state, previous_kernel_results, noise, rows, row_seed)

    def step_with_noise(
        self, current_state: Any, previous: StochasticGradientLangevinResults, noise: Any, rows: Any, seed: Any
    ) -> tuple[Any, StochasticGradientLangevinResults]:
        """The step as a deterministic function of its noise and of the rows in the batch, int32 (n,).

        A chain whose next state would not be finite stays where it is, and `is_accepted` says so.
        """
        parts, noise = [tf.convert_to_tensor(part) for part in tf.nest.flatten(current_state)], tf.nest.flatten(noise)
        value, gradient = self.value_and_gradient(current_state, parts, rows)
        size, form = self._step_size(previous.step, parts), self._parameters["form"]
        moved = [
            langevin_proposal(w, g, p, step, form)
            for w, g, p, step in zip(parts, gradient, noise, steps_of(size, parts), strict=True)
        ]
        fine = tf.ones_like(value, tf.bool)
        for end in moved:
            fine &= tf.reduce_all(tf.math.is_finite(end), inner_axes(end, value))
        chosen = [choose(fine, new, old) for new, old in zip(moved, parts, strict=True)]
        return tf.nest.pack_sequence_as(current_state, chosen), StochasticGradientLangevinResults(
            previous.step + 1, size, value, fine, seed
        )

    def sample(
        self, steps: int, start: Any, seed: Any, burn_in: int = 0, trace_fn: Callable[[Any, Any], Any] | None = None
    ) -> Any:
        """A whole chain, in less time than `tfp.mcmc.sample_chain` takes where a batch is cheap.

        The noise and the rows of all batches are drawn before the first step: as much memory as the states that are
        returned (and thrown away), and batch_size integers a step. They are the same eagerly, in a graph and under
        XLA, so the chain is too, up to rounding; a longer chain begins like a shorter one of the same seed. The
        schedule is read at the count of steps, burn-in included. Compile it: tf.function(..., jit_compile=True).

        Args:
            steps: int >= 1, states to return; the start is not among them.
            start: tensor, or structure of tensors, as `one_step` takes.
            seed: int, or int32 tensor (2,). The draws are others than `tfp.mcmc.sample_chain` makes of it.
            burn_in: int >= 0, steps before the first that is returned.
            trace_fn: function of (state, `StochasticGradientLangevinResults`), what else to keep of each returned step;
                None: nothing.

        Returns:
            States, structured like `start`, each (steps, ...). With a trace_fn: (states, what it returned, stacked).

        Raises:
            ValueError: if `steps` or `burn_in` is no such integer.

        Example:
            >>> kernel = StochasticGradientLangevin(
            ...     lambda w: -0.5 * w**2,
            ...     lambda batch, w: -0.5 * tf.reduce_sum((batch[:, None] - w) ** 2, 0),
            ...     data=tf.constant([0.9, 1.1, 1.0, 1.2, 0.8, 1.0]), batch_size=2, step_size=0.1)
            >>> draws = tf.function(lambda: kernel.sample(800, tf.zeros([100]), 1, burn_in=200), jit_compile=True)()
            >>> draws.shape.as_list(), bool(abs(tf.reduce_mean(draws) - 6 / 7) < 0.02)
            ([800, 100], True)
        """
        batch, rows = self._parameters["batch_size"], self._rows
        return whole_chain(
            self, steps, start, seed, burn_in, trace_fn, carried=("step",),
            choices=lambda own, _, total: draw_indices_ahead(own, batch, rows, total),
        )  # fmt: skip

    def value_and_gradient(self, structure: Any, parts: list[Any], rows: Any) -> tuple[Any, list[Any]]:
        """The estimate of log p(w, data) from some rows, and its gradient; both right on average over the rows."""
        batch = tf.nest.map_structure(lambda table: tf.gather(table, rows), self._data)
        share = self._rows / rows.shape[0]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parts)
            packed = tf.nest.pack_sequence_as(structure, parts)
            arguments = packed if isinstance(packed, list | tuple) else (packed,)
            likelihood = self._parameters["log_likelihood_fn"](batch, *arguments)
            value = self._parameters["log_prior_fn"](*arguments) + share * likelihood
        gradient = tape.gradient(value, parts, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return value, [tf.convert_to_tensor(slope) for slope in gradient]

    def _step_size(self, step: Any, parts: list[Any]) -> Any:
        size = self._parameters["step_size"]
        size = size(step) if callable(size) else size
        return tf.nest.map_structure(lambda one: as_dtype(one, parts[0].dtype), size)


def _rows_of(who: str, tables: list[Any]) -> int:
    counts = {table.shape[0] if table.shape.rank else None for table in tables}
    if len(counts) != 1 or None in counts or 0 in counts:
        shapes = [tuple(table.shape) for table in tables]
        raise InvalidDataError(f"{who} needs data with one number of rows, at least 1. Received: shapes={shapes}")
    for table in tables:
        if table.dtype.is_floating and tf.executing_eagerly() and not bool(tf.reduce_all(tf.math.is_finite(table))):
            raise InvalidDataError(f"{who} needs finite data. Received: NaN or infinity in shape={tuple(table.shape)}")
    return int(counts.pop())
