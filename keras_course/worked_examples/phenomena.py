"""Worked examples of what the course shows by experiment: saddles, and the learning rate's U."""

from __future__ import annotations

from typing import Any

from keras_course.core.backend import compiled
from keras_course.experiments.ill_conditioning import best_rates
from keras_course.experiments.lr_u_curve import loss_and_error, train_at_every_rate
from keras_course.experiments.saddle_escape import descend, saddle_curvature, saddle_gradient, saddle_value

__all__ = ["best_rates_in_valleys", "losses_after_training", "saddle_derivatives", "saddle_descent"]


def saddle_derivatives(points: Any, saddle: str) -> dict[str, Any]:
    """Value, slope and curvature of a function that looks like a saddle. Source: R (Optimization)."""
    return {
        "value": compiled(saddle_value)(points, saddle),
        "gradient": compiled(saddle_gradient)(points, saddle),
        "eigenvalues": compiled(saddle_curvature)(points, saddle),
    }


def saddle_descent(start: Any, saddle: str, learning_rate: float, steps: int) -> dict[str, Any]:
    """Gradient descent past the saddle, position by position. Source: R (Optimization)."""
    return {"path": compiled(descend)(start, saddle, learning_rate, steps)}


def losses_after_training(
    x: Any, labels: Any, hidden: Any, output: Any, batches: Any, learning_rates: Any
) -> dict[str, Any]:
    """A tiny network trained at several learning rates from one start. Source: C 9.1.5."""

    def train_and_measure(x: Any, labels: Any, hidden: Any, output: Any, batches: Any, rates: Any) -> tuple[Any, Any]:
        return loss_and_error(x, labels, *train_at_every_rate(x, labels, hidden, output, batches, rates))

    loss, error = compiled(train_and_measure)(x, labels, hidden, output, batches, learning_rates)
    return {"loss": loss, "error": error}


def best_rates_in_valleys(curvatures: Any) -> dict[str, Any]:
    """The best rate and momentum for given smallest and largest curvatures. Source: C 7.2.1, C 7.3.2."""
    return compiled(best_rates)(curvatures)  # type: ignore[no-any-return]
