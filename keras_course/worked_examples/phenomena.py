"""Worked examples of what the course shows by experiment: saddles, valleys, noise, capacity, curvature."""

from __future__ import annotations

from typing import Any

from keras_course.core.backend import arithmetic, compiled
from keras_course.experiments.bias_variance import (
    legendre_features,
    linear_smoother,
    split_of_the_error,
    training_error,
)
from keras_course.experiments.deep_gradients import (
    NETWORKS,
    chain_derivatives,
    gradient_by_depth,
    wide_factors,
)
from keras_course.experiments.ill_conditioning import best_rates
from keras_course.experiments.loss_landscape import (
    cross_entropy,
    hessian_vector_product,
    loss_along,
    rescaled,
    sharpness,
    unit_scaled,
)
from keras_course.experiments.lr_u_curve import loss_and_error, train_at_every_rate
from keras_course.experiments.noisy_descent import descend_on_batches, expected_excess, stationary_excess
from keras_course.experiments.saddle_escape import descend, saddle_curvature, saddle_gradient, saddle_value

__all__ = [
    "best_rates_in_valleys",
    "curvature_of_a_network",
    "error_of_a_polynomial",
    "excess_of_noisy_descent",
    "factors_of_wide_networks",
    "floor_of_a_constant_rate",
    "gradient_of_a_chain",
    "gradients_of_a_deep_network",
    "loss_around_a_network",
    "losses_after_training",
    "saddle_derivatives",
    "saddle_descent",
    "walks_on_batches",
]


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


def walks_on_batches(x: Any, y: Any, start: Any, batches: Any, rates: Any) -> dict[str, Any]:
    """Two walks of mini-batch descent at two series of rates. Source: C 7.1.2, C 7.3.1."""
    return {"loss": compiled(descend_on_batches)(x, y, start, batches, rates)}


def excess_of_noisy_descent(x: Any, y: Any, start: Any, batch_size: int, rates: Any) -> dict[str, Any]:
    """Mean excess loss over all mini-batches that could be drawn. Source: C 7.1.2, C 7.3.1."""
    return {"excess": compiled(expected_excess)(x, y, start, batch_size, rates)}


def floor_of_a_constant_rate(x: Any, y: Any, batch_size: int, rate: float) -> dict[str, Any]:
    """Where descent with a constant rate ends. Source: C 7.3.1."""
    return {"floor": compiled(stationary_excess)(x, y, batch_size, rate)}


def error_of_a_polynomial(
    x: Any, clean: Any, x_test: Any, clean_test: Any, degree: int, strength: float, noise: float
) -> dict[str, Any]:
    """Bias, variance and noise of a polynomial, penalised or not. Source: C 1.1, R (Generalization)."""

    def split(x: Any, clean: Any, x_test: Any, clean_test: Any) -> dict[str, Any]:
        features = legendre_features(x, degree)
        at_test = linear_smoother(features, legendre_features(x_test, degree), strength)
        on_training = training_error(linear_smoother(features, features, strength), clean, noise)
        return {**split_of_the_error(at_test, clean, clean_test, noise), "training_error": on_training}

    return compiled(split)(x, clean, x_test, clean_test)  # type: ignore[no-any-return]


def curvature_of_a_network(
    x: Any, labels: Any, hidden: Any, output: Any, along_hidden: Any, along_output: Any, factor: float, steps: int
) -> dict[str, Any]:
    """Hessian times a direction, and the largest eigenvalue before and after rescaling. Source: R (Flat vs sharp)."""

    def measure(x: Any, labels: Any, hidden: Any, output: Any, along_hidden: Any, along_output: Any) -> tuple[Any, ...]:
        def loss(v: Any, w: Any) -> Any:
            return cross_entropy(x, labels, v, w)

        start = (along_hidden, along_output)
        product = hessian_vector_product(loss, (hidden, output), start)
        return (*product, sharpness(loss, (hidden, output), start, steps)[0])

    look, along = compiled(measure), (along_hidden, along_output)
    first, second, value = look(x, labels, hidden, output, *along)
    _, _, other = look(x, labels, *rescaled(hidden, output, factor), *along)
    return {"hidden_product": first, "output_product": second, "sharpness": value, "rescaled_sharpness": other}


def loss_around_a_network(
    x: Any, labels: Any, hidden: Any, output: Any, along_hidden: Any, along_output: Any, alphas: Any
) -> dict[str, Any]:
    """Loss along a direction scaled unit by unit. Source: R (Flat vs sharp minima)."""

    def look(x: Any, labels: Any, hidden: Any, output: Any, along_hidden: Any, along_output: Any, alphas: Any) -> Any:
        scaled = (unit_scaled(along_hidden, hidden), unit_scaled(along_output, output))
        return loss_along(lambda v, w: cross_entropy(x, labels, v, w), (hidden, output), scaled, alphas)

    return {"loss": compiled(look)(x, labels, hidden, output, along_hidden, along_output, alphas)}


def gradient_of_a_chain(x: float, weights: Any, activation: str) -> dict[str, Any]:
    """What a chain of units knows of each of them, and the most that it could. Source: C 7.2.5."""

    def measure(x: Any, weights: Any) -> tuple[Any, Any]:
        found = chain_derivatives(x, weights, activation)
        return found["derivative"], found["bound"]

    derivative, bound = compiled(measure)(x, weights)
    return {"derivative": derivative, "bound": bound}


def gradients_of_a_deep_network(
    x: Any, labels: Any, weights: Any, output: Any, activation: str, network: str
) -> dict[str, Any]:
    """Norms of the gradient at every layer and of every matrix. Source: C 7.2.5, C 7.7, R (Residual Networks)."""
    return compiled(gradient_by_depth)(x, labels, weights, output, activation, network)  # type: ignore[no-any-return]


@arithmetic
def factors_of_wide_networks(
    activation: str, gain: float, depth: int, square: float, variance: float
) -> dict[str, Any]:  # fmt: skip
    """What a layer does to the mean square of the gradient, the width infinite. Source: C 7.2.5, C 7.4."""
    return {
        network.replace(" ", "_"): wide_factors(activation, network, gain, depth, square, variance)
        for network in NETWORKS
    }
