"""Worked examples of the second order, of falling rates, of clipping and of initial weights."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.core.loops import scan
from keras_course.initializers.normalized_initialization import NormalizedInitialization
from keras_course.initializers.uniform_fan_in import UniformFanIn
from keras_course.ops.clipping import clip_by_global_norm, clip_by_norm
from keras_course.ops.conjugate_directions import conjugacy_coefficient, conjugate_direction
from keras_course.ops.initial_scale import fans
from keras_course.optimizers.conjugate_gradient import conjugate_gradient_minimize
from keras_course.optimizers.newton import newton_minimize
from keras_course.optimizers.schedules.exponential import ExponentialDecay
from keras_course.optimizers.schedules.linear import LinearDecay
from keras_course.optimizers.schedules.polynomial import PolynomialDecay
from keras_course.optimizers.weight_clip import WeightClip

__all__ = [
    "clipped_gradients",
    "clipped_parameters",
    "conjugate_directions",
    "conjugate_gradient_on_quadratic",
    "conjugate_gradient_on_wells",
    "exponential_decay_rates",
    "linear_decay_rates",
    "newton_on_quadratic",
    "newton_on_wells",
    "normalized_limits",
    "polynomial_decay_rates",
    "uniform_fan_in_limits",
]


def _quadratic(matrix: Any, linear: Any) -> Any:
    """x'Ax/2 - b'x with its gradient."""

    def function(x: Any) -> tuple[Any, Any]:
        bent = ops.matmul(matrix, x)
        return ops.sum(x * bent) / 2 - ops.sum(linear * x), bent - linear

    return function


def _wells(p: Any) -> tuple[Any, Any]:
    """x^4/4 - x^2/2 + xy/2 + y^2/2 with its gradient."""
    x, y = p[0], p[1]
    return x**4 / 4 - x**2 / 2 + x * y / 2 + y**2 / 2, ops.stack([x**3 - x + y / 2, x / 2 + y])


def newton_on_quadratic(matrix: Any, linear: Any, start: Any) -> dict[str, Any]:
    """Newton's method finds the minimum of a quadratic directly. Source: C 7.6."""

    def run(matrix: Any, linear: Any, start: Any) -> Any:
        return newton_minimize(_quadratic(matrix, linear), start, tolerance=1e-3)

    found = compiled(run)(matrix, linear, start)
    return {
        "position": found.position, "value": found.objective_value, "iterations": found.num_iterations,
        "converged": found.converged,
    }  # fmt: skip


def newton_on_wells(start: Any, steps: int) -> dict[str, Any]:
    """Step by step where the function is not convex: to a critical point, saddle or not. Source: C 7.2.3, C 7.6."""

    def run(start: Any) -> tuple[Any, Any]:
        def step(state: Any, _: Any) -> Any:
            found = newton_minimize(_wells, state[0], tolerance=0.0, max_iterations=1)
            return [found.position], [found.objective_hessian]

        sizes = start.shape[0], start.shape[0]
        _, (path,), (hessians,) = scan(step, [start], [ops.arange(steps)], [sizes], length=steps, history=(0,))
        return path.stack(), ops.eigh(hessians.stack()[-1])[0]

    path, eigenvalues = compiled(run)(start)
    return {"path": path, "eigenvalues": eigenvalues}


def conjugate_gradient_on_quadratic(
    matrix: Any, linear: Any, start: Any, tolerance: float, rule: str
) -> dict[str, Any]:  # fmt: skip
    """A quadratic of k dimensions in at most k line searches. Source: C 7.6."""

    def run(matrix: Any, linear: Any, start: Any) -> Any:
        return conjugate_gradient_minimize(_quadratic(matrix, linear), start, tolerance, rule=rule)

    found = compiled(run)(matrix, linear, start)
    return {
        "position": found.position, "value": found.objective_value, "iterations": found.num_iterations,
        "converged": found.converged,
    }  # fmt: skip


def conjugate_gradient_on_wells(start: Any, steps: int, rule: str) -> dict[str, Any]:
    """A few line searches on a function that is not convex. Source: C 7.6."""

    def run(start: Any) -> Any:
        return conjugate_gradient_minimize(_wells, start, tolerance=0.0, max_iterations=steps, rule=rule)

    found = compiled(run)(start)
    return {"position": found.position, "value": found.objective_value, "gradient": found.objective_gradient}


def conjugate_directions(matrix: Any, linear: Any, start: Any) -> dict[str, Any]:
    """The directions in a plane, the slope along each, and where the line searches end. Source: C 7.6."""

    def run(matrix: Any, linear: Any, start: Any) -> tuple[Any, Any, Any]:
        points, directions, slopes = [start], [], []
        direction, beta, old = ops.zeros_like(start), 0.0, None
        for _ in range(start.shape[0]):
            gradient = _quadratic(matrix, linear)(points[-1])[1]
            if old is not None:
                beta = conjugacy_coefficient(gradient, old, "fletcher-reeves")
            direction, old = conjugate_direction(gradient, direction, beta), gradient
            slopes.append(ops.sum(gradient * direction))
            step = -slopes[-1] / ops.sum(direction * ops.matmul(matrix, direction))
            directions.append(direction)
            points.append(points[-1] + step * direction)
        return ops.stack(directions), ops.stack(slopes), ops.stack(points)

    directions, slopes, points = compiled(run)(matrix, linear, start)
    return {"directions": directions, "slopes": slopes, "points": points}


def linear_decay_rates(steps: Any, initial_rate: float, final_rate: float, tau: int) -> dict[str, Any]:
    """Down to iteration tau, then constant. Source: C 7.3.1."""
    return {"rates": compiled(LinearDecay(initial_rate, final_rate, tau))(steps)}


def polynomial_decay_rates(steps: Any, scale: float, offset: float, power: float) -> dict[str, Any]:
    """A power of time. Source: S 9.4."""
    return {"rates": compiled(PolynomialDecay(scale, offset, power))(steps)}


def exponential_decay_rates(steps: Any, scale: float, rate: float) -> dict[str, Any]:
    """The same factor every step. Source: S 9.4."""
    return {"rates": compiled(ExponentialDecay(scale, rate))(steps)}


def clipped_gradients(kernel: Any, bias: Any, threshold: float) -> dict[str, Any]:
    """Two gradients clipped each by its norm, and both by their common norm. Source: C 7.2.4."""

    def run(kernel: Any, bias: Any) -> tuple[Any, Any, list[Any]]:
        together = clip_by_global_norm([kernel, bias], threshold)
        return clip_by_norm(kernel, threshold), clip_by_norm(bias, threshold), together

    own_kernel, own_bias, (both_kernel, both_bias) = compiled(run)(kernel, bias)
    return {"kernel": own_kernel, "bias": own_bias, "kernel_together": both_kernel, "bias_together": both_bias}


def clipped_parameters(weights: Any, limit: float) -> dict[str, Any]:
    """Weights back in their box. Source: S 9.4."""
    return {"weights": compiled(WeightClip(limit))(weights)}


def _shapes(dense: Any, kernel: Any) -> list[tuple[int, ...]]:
    return [tuple(int(size) for size in shape) for shape in (dense, kernel)]


@arithmetic
def uniform_fan_in_limits(dense: Any, kernel: Any) -> dict[str, Any]:
    """Bounds for a dense layer and for a convolution kernel, from the inputs alone. Source: C 7.4."""
    shapes = _shapes(dense, kernel)
    return {"limits": [UniformFanIn().limit(shape) for shape in shapes], "fan_in": [fans(shape)[0] for shape in shapes]}


@arithmetic
def normalized_limits(dense: Any, kernel: Any) -> dict[str, Any]:
    """Bounds from inputs and outputs. Source: C 7.4."""
    shapes = _shapes(dense, kernel)
    limits = [NormalizedInitialization().limit(shape) for shape in shapes]
    return {"limits": limits, "fans": [list(fans(shape)) for shape in shapes]}
