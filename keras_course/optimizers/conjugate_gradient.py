"""Conjugate gradients: the second order without its matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_course.core.shapes import require_one_of, require_rank
from keras_course.ops.conjugate_directions import CONJUGACY_RULES, conjugacy_coefficient, conjugate_direction
from keras_course.ops.floating import as_floating
from keras_course.optimizers.hyperparameters import require_non_negative

__all__ = ["ConjugateGradientResults", "conjugate_gradient_minimize"]

SUFFICIENT = 1e-4  # share of the promised decrease that a step must bring (Armijo)
HALVINGS = 40


class ConjugateGradientResults(NamedTuple):
    """What a minimisation found; the fields that all of `tfp.optimizer` share.

    Args:
        converged: bool tensor (), whether the gradient is within the tolerance.
        failed: bool tensor (), whether no step along a downhill direction went down, or a number was not finite.
        num_iterations: int32 tensor (), line searches done.
        num_objective_evaluations: int32 tensor (), calls of the function, those for products H d included.
        position: tensor (n,), where it stopped.
        objective_value: tensor (), there.
        objective_gradient: tensor (n,), there.
    """

    converged: Any
    failed: Any
    num_iterations: Any
    num_objective_evaluations: Any
    position: Any
    objective_value: Any
    objective_gradient: Any


def conjugate_gradient_minimize(
    value_and_gradients_function: Callable[[Any], tuple[Any, Any]],
    initial_position: Any,
    tolerance: float = 1e-8,
    max_iterations: int = 50,
    rule: str = "polak-ribiere",
) -> ConjugateGradientResults:
    """Line searches along directions that do not undo one another; the Hessian is never formed.

        d_t = -grad J(theta) + beta_t d_{t-1}
        theta' = theta + a d_t,   a = -(d_t . grad J) / |d_t . H d_t|, halved until J falls enough
        beta_t from two gradients, see `conjugacy_coefficient`

    H d is one more backward pass, the derivative of (grad J . d). On a quadratic of k dimensions a is the exact
    minimum along the line, and k steps are enough. Elsewhere every n-th direction is steepest descent again, as is one
    that would climb. The notes print +grad J, a direction to subtract.

    Args:
        value_and_gradients_function: takes a tensor (n,), returns (value (), gradient (n,)), as tfp.optimizer wants it:
            `lambda x: tfp.math.value_and_gradient(f, x)`. The gradient must be differentiable in turn.
        initial_position: floating tensor (n,).
        tolerance: float >= 0; converged once the largest entry of the gradient is at most this.
        max_iterations: int >= 0.
        rule: "polak-ribiere" or "fletcher-reeves", for beta.

    Returns:
        `ConjugateGradientResults`.

    Raises:
        ValueError: if the position is no vector, for a negative tolerance or number of iterations, or another rule.

    Example:
        >>> import tensorflow_probability as tfp
        >>> f = lambda x: x[0] ** 2 + 50.0 * x[1] ** 2 - x[0]
        >>> found = conjugate_gradient_minimize(lambda x: tfp.math.value_and_gradient(f, x), [3.0, 1.0], 1e-4)
        >>> found.position.numpy().round(4).tolist(), int(found.num_iterations)
        ([0.5, 0.0], 2)

    Source: C 7.6.
    """
    import tensorflow as tf

    start = as_floating(initial_position)
    require_rank("conjugate_gradient_minimize", start.shape, 1)
    require_one_of("conjugate_gradient_minimize", CONJUGACY_RULES, rule=rule)
    require_non_negative("conjugate_gradient_minimize", tolerance=tolerance, max_iterations=max_iterations)
    dimensions = start.shape[0]
    roundoff = float(np.finfo(start.dtype.as_numpy_dtype).eps)

    def line_search(state: ConjugateGradientResults, direction: Any) -> tuple[Any, ...]:
        """(trials, position, value, gradient, whether it went down) along a downhill direction."""
        slope = _dot(state.objective_gradient, direction)
        curvature = tf.abs(_curvature(value_and_gradients_function, state.position, direction))
        curved = curvature > 0
        exact = -slope / tf.where(curved, curvature, tf.ones_like(curvature))
        first = tf.where(curved, exact, tf.math.rsqrt(_dot(direction, direction)))  # no curvature: a step of length 1
        noise = 4 * roundoff * tf.abs(state.objective_value)  # a fall below rounding cannot be asked for

        def tried(trials: Any, step: Any) -> tuple[Any, ...]:
            position = state.position + step * direction
            value, gradient = value_and_gradients_function(position)
            enough = value <= state.objective_value + SUFFICIENT * step * slope + noise
            return trials + 1, step, position, value, gradient, enough & tf.reduce_all(tf.math.is_finite(gradient))

        trials, _, *found = tf.while_loop(
            lambda trials, step, position, value, gradient, enough: ~enough & (trials < HALVINGS),
            lambda trials, step, *_: tried(trials, step / 2),
            tried(tf.constant(0), first),
        )
        return trials, *found

    def step(state: ConjugateGradientResults, direction: Any) -> tuple[Any, Any]:
        trials, position, value, gradient, down = line_search(state, direction)
        iterations = state.num_iterations + 1
        beta = conjugacy_coefficient(gradient, state.objective_gradient, rule)
        beta = tf.where(iterations % dimensions == 0, tf.zeros_like(beta), beta)
        following = conjugate_direction(gradient, direction, beta)
        following = tf.where(_dot(following, gradient) < 0, following, -gradient)
        state = ConjugateGradientResults(
            down & _within(gradient, tolerance), ~down, iterations, state.num_objective_evaluations + trials + 1,
            tf.where(down, position, state.position), tf.where(down, value, state.objective_value),
            tf.where(down, gradient, state.objective_gradient),
        )  # fmt: skip
        return state, following

    value, gradient = value_and_gradients_function(start)
    finite = tf.math.is_finite(value) & tf.reduce_all(tf.math.is_finite(gradient))
    first = ConjugateGradientResults(
        finite & _within(gradient, tolerance), ~finite, tf.constant(0), tf.constant(1), start, value, gradient
    )  # fmt: skip
    last, _ = tf.while_loop(
        lambda state, direction: ~(state.converged | state.failed),
        step,
        (first, conjugate_direction(gradient, tf.zeros_like(start), 0.0)),
        maximum_iterations=int(max_iterations),
    )
    return last  # type: ignore[no-any-return]


def _curvature(function: Callable[[Any], tuple[Any, Any]], position: Any, direction: Any) -> Any:
    """d' H d from one more backward pass."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(position)
        slope = _dot(function(position)[1], tf.stop_gradient(direction))
    return _dot(tape.gradient(slope, position, unconnected_gradients="zero"), direction)


def _within(gradient: Any, tolerance: float) -> Any:
    return ops.max(ops.abs(gradient)) <= tolerance


def _dot(a: Any, b: Any) -> Any:
    return ops.sum(a * b)
