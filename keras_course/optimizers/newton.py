"""Newton's method: jump to the critical point of the second-order Taylor series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from keras_course.core.backend import jacobian
from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating
from keras_course.optimizers.hyperparameters import require_non_negative

__all__ = ["NewtonResults", "newton_minimize"]


class NewtonResults(NamedTuple):
    """What a minimisation found; the fields of `tfp.optimizer.bfgs_minimize`, with the Hessian for its estimate.

    Args:
        converged: bool tensor (), whether the gradient is within the tolerance.
        failed: bool tensor (), whether a Hessian was singular or a number not finite.
        num_iterations: int32 tensor (), Newton steps taken.
        num_objective_evaluations: int32 tensor (), calls of the function, those for a Hessian included.
        position: tensor (n,), where it stopped.
        objective_value: tensor (), there.
        objective_gradient: tensor (n,), there.
        objective_hessian: tensor (n, n), there; negative eigenvalues mean a saddle or a maximum.
    """

    converged: Any
    failed: Any
    num_iterations: Any
    num_objective_evaluations: Any
    position: Any
    objective_value: Any
    objective_gradient: Any
    objective_hessian: Any


def newton_minimize(
    value_and_gradients_function: Callable[[Any], tuple[Any, Any]],
    initial_position: Any,
    tolerance: float = 1e-8,
    max_iterations: int = 50,
) -> NewtonResults:
    """Newton's method without modification: it looks for a critical point, which may be a saddle or a maximum.

        J(theta) ~ J(theta_0) + (theta - theta_0)' grad J + (theta - theta_0)' H (theta - theta_0) / 2
        theta* = theta_0 - H^-1 grad J(theta_0)

    One step on a quadratic. H is n x n and comes from differentiating the gradient, n times the work of a gradient; it
    is solved with, not inverted. Runs eagerly, in a graph and under XLA.

    Args:
        value_and_gradients_function: takes a tensor (n,), returns (value (), gradient (n,)), as tfp.optimizer wants it:
            `lambda x: tfp.math.value_and_gradient(f, x)`.
        initial_position: floating tensor (n,), theta_0.
        tolerance: float >= 0; converged once the largest entry of the gradient is at most this.
        max_iterations: int >= 0.

    Returns:
        `NewtonResults`.

    Raises:
        ValueError: if the position is no vector, or for a negative tolerance or number of iterations.

    Example:
        >>> import tensorflow_probability as tfp
        >>> f = lambda x: x[0] ** 2 + 50.0 * x[1] ** 2 - x[0]
        >>> found = newton_minimize(lambda x: tfp.math.value_and_gradient(f, x), [3.0, 1.0])
        >>> found.position.numpy().tolist(), int(found.num_iterations)
        ([0.5, 0.0], 1)

    Source: C 7.6, C 7.2.3.
    """
    import tensorflow as tf

    start = as_floating(initial_position)
    require_rank("newton_minimize", start.shape, 1)
    require_non_negative("newton_minimize", tolerance=tolerance, max_iterations=max_iterations)

    dimensions, roundoff = start.shape[0], float(np.finfo(start.dtype.as_numpy_dtype).eps)

    def at(position: Any) -> tuple[Any, Any, Any]:
        value, gradient = value_and_gradients_function(position)
        return value, gradient, jacobian(lambda x: value_and_gradients_function(x)[1], position)

    def result(iterations: Any, evaluations: Any, position: Any, failed: Any) -> NewtonResults:
        value, gradient, hessian = at(position)
        failed = failed | ~(tf.math.is_finite(value) & tf.reduce_all(tf.math.is_finite(gradient)))
        converged = ~failed & (tf.reduce_max(tf.abs(gradient)) <= tolerance)
        return NewtonResults(
            converged, failed, iterations, evaluations + 2, position, value, gradient, hessian
        )  # fmt: skip

    def step(state: NewtonResults) -> tuple[NewtonResults]:
        q, r = tf.linalg.qr(state.objective_hessian)
        pivots = tf.abs(tf.linalg.diag_part(r))
        solvable = tf.reduce_all(pivots > dimensions * roundoff * tf.reduce_max(pivots))  # false for NaN, too
        r = tf.where(solvable, r, tf.eye(dimensions, dtype=start.dtype))  # no solver meets a singular matrix
        turned = tf.linalg.matvec(q, state.objective_gradient, transpose_a=True)
        change = tf.linalg.triangular_solve(r, turned[:, None], lower=False)[:, 0]
        position = tf.where(solvable, state.position - change, state.position)
        return (result(state.num_iterations + 1, state.num_objective_evaluations, position, ~solvable),)

    def goes_on(state: NewtonResults) -> Any:
        return ~(state.converged | state.failed)

    first = result(tf.constant(0), tf.constant(0), start, tf.constant(False))
    (last,) = tf.while_loop(goes_on, step, (first,), maximum_iterations=int(max_iterations))
    return last  # type: ignore[no-any-return]
