"""Worked examples of the foundations that are formulas: calculus, regression, information, Bayes.

Each function is one example of the notes. What it demonstrates runs through `compiled`, so that `keras-course verify`
can check it eagerly, as a graph and under XLA; names are imported one by one, so that `verify --use` can put somebody
else's implementation in their place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.distributions.information import cross_entropy, entropy, kl_divergence, self_information
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.ops.bayes import (
    bayes_optimal_class,
    class_probabilities,
    log_likelihood,
    maximum_a_posteriori,
    maximum_likelihood,
    posterior_probabilities,
)
from keras_course.ops.calculus import condition_number, hessian, jacobian
from keras_course.ops.regression import (
    lasso,
    lasso_cost,
    minimum_norm_solution,
    ordinary_least_squares,
    regression_cost,
    regression_cost_gradient,
    ridge,
    ridge_cost_gradient,
    soft_threshold,
)

__all__ = [
    "bayes_vote",
    "chain_rule_one_variable",
    "chain_rule_two_variables",
    "cost_of_theta",
    "cross_entropy_identity",
    "entropy_of_rows",
    "gradient_of_scalar_function",
    "growth_exponents",
    "hessian_condition_number",
    "hessian_of_composition",
    "hessian_of_quadratic",
    "kl_in_both_directions",
    "l1_penalty_step",
    "lasso_weights",
    "least_squares_weights",
    "likelihood_and_squared_error",
    "likelihood_of_a_coin",
    "linear_regression_gradient",
    "map_and_ml",
    "minimum_norm_weights",
    "ridge_diagonal",
    "ridge_weights",
    "ridge_weights_as_printed",
    "self_information_of_events",
    "soft_thresholded",
    "weight_decay_step",
]


BASES = {"bits": 2, "nats": "e"}


# Calculus: f(x1, x2) = x1**2 + 2 x2 along curves and surfaces.


def _f(x: Any) -> Any:
    return x[0] ** 2 + 2 * x[1]


def _g(point: Any) -> Any:
    s, t = point[0], point[1]
    return ops.stack([s * ops.sin(t), s * ops.cos(t)])


def chain_rule_one_variable(t: Any) -> dict[str, Any]:
    """df/dt = 2 sin t cos t - 2 sin t, as the product of gradient and velocity. Source: C 2.1.1."""

    def along_the_circle(moment: Any) -> Any:
        return ops.stack([ops.sin(moment), ops.cos(moment)])

    def derivatives(moment: Any) -> tuple[Any, Any, Any]:
        gradient = jacobian(_f, along_the_circle(moment))  # (2,)
        velocity = jacobian(along_the_circle, moment)  # (2,)
        return gradient, velocity, jacobian(lambda time: _f(along_the_circle(time)), moment)

    gradients, velocities, totals = zip(*[compiled(derivatives)(t[k]) for k in range(t.shape[0])], strict=True)
    return {"gradient": ops.stack(gradients), "velocity": ops.stack(velocities), "df_dt": ops.stack(totals)}


def chain_rule_two_variables(point: Any) -> dict[str, Any]:
    """dh/d(s, t) of h = f(g(s, t)): gradient of f times Jacobian of g. Source: C 2.1.1."""
    return {
        "gradient_f": compiled(lambda p: jacobian(_f, _g(p)))(point),
        "jacobian_g": compiled(lambda p: jacobian(_g, p))(point),
        "gradient_h": compiled(lambda p: jacobian(lambda q: _f(_g(q)), p))(point),
    }


def hessian_of_composition(point: Any) -> dict[str, Any]:
    """Second derivatives of h = f(g(s, t)). Source: C 2.1.2."""
    return {"hessian": compiled(lambda p: hessian(lambda q: _f(_g(q)), p))(point)}


def _quadratic(A: Any, b: Any, x: Any) -> Any:  # noqa: N803 (the notes' name)
    return ops.sum(x * ops.matmul(A, x)) / 2 - ops.sum(b * x)


def hessian_of_quadratic(A: Any, b: Any, x: Any) -> dict[str, Any]:  # noqa: N803
    """x'Ax/2 - b'x has gradient Ax - b and Hessian A. Source: C 2.1.2."""
    return {
        "value": compiled(_quadratic)(A, b, x)[None],
        "gradient": compiled(lambda A, b, x: jacobian(lambda v: _quadratic(A, b, v), x))(A, b, x),  # noqa: N803
        "hessian": compiled(lambda A, b, x: hessian(lambda v: _quadratic(A, b, v), x))(A, b, x),  # noqa: N803
    }


def gradient_of_scalar_function(A: Any, b: Any, x: Any) -> dict[str, Any]:  # noqa: N803
    """A scalar-valued function of a vector has a vector of partial derivatives. Source: C 2.2."""
    value = compiled(_quadratic)(A, b, x)
    gradient = compiled(lambda A, b, x: jacobian(lambda v: _quadratic(A, b, v), x))(A, b, x)  # noqa: N803
    return {"value_rank": len(value.shape), "gradient_rank": len(gradient.shape), "gradient": gradient}


def hessian_condition_number(H: Any) -> dict[str, Any]:  # noqa: N803
    """Steepest against flattest curvature, by absolute value, flat directions left out. Source: C 2.1.2, C 7.2.1."""
    return {"condition_number": compiled(condition_number)(H)[None]}


# Linear regression in closed form.


def cost_of_theta(theta: Any, x: Any, y: Any) -> dict[str, Any]:
    """J(theta) = 1/(2m) sum (theta x - y)**2 on three points. Source: C 2.3."""
    costs = [compiled(regression_cost)(theta[k : k + 1], x[:, None], y) for k in range(theta.shape[0])]
    return {"cost": ops.stack(costs)}


def linear_regression_gradient(x: Any, t: Any, w: Any) -> dict[str, Any]:
    """dJ/dw_i = -1/N sum (t - o) x_i. Source: C 2.3."""
    return {"gradient": compiled(regression_cost_gradient)(w, x, t)}


def weight_decay_step(X: Any, y: Any, w: Any, alpha: float, learning_rate: float) -> dict[str, Any]:  # noqa: N803
    """w <- (1 - eps alpha) w - eps grad J: the weights shrink, then follow the data. Source: C 6.2."""

    def step(X: Any, y: Any, w: Any) -> tuple[Any, Any]:  # noqa: N803
        gradient = ridge_cost_gradient(w, X, y, alpha)
        return gradient, (1 - learning_rate * alpha) * w - learning_rate * (gradient - alpha * w)

    gradient, w = compiled(step)(X, y, w)
    return {"gradient": gradient, "w": w}


def least_squares_weights(X: Any, y: Any) -> dict[str, Any]:  # noqa: N803
    """(X'X)^-1 X'y. Source: C 6.2.1."""
    return {"w": compiled(ordinary_least_squares)(X, y)}


def ridge_weights(X: Any, y: Any, alpha: float) -> dict[str, Any]:  # noqa: N803
    """The minimiser of the notes' own cost, 1/n |Xw - y|**2 + alpha/2 |w|**2. Source: C 6.2.1."""
    return {"w": compiled(ridge)(X, y, alpha, convention="mean")}


def ridge_weights_as_printed(X: Any, y: Any, alpha: float) -> dict[str, Any]:  # noqa: N803
    """The printed closed form, and the gradient of the notes' own cost that it leaves. Source: C 6.2.1."""
    w = compiled(ridge)(X, y, alpha, convention="printed")
    return {"w": w, "gradient": compiled(ridge_cost_gradient)(w, X, y, alpha)}


def ridge_diagonal(X: Any) -> dict[str, Any]:  # noqa: N803
    """The diagonal of X'X is the features' variances only if X is centred, and divided by n. Source: C 6.2.1."""

    def both(X: Any) -> tuple[Any, Any]:  # noqa: N803
        return ops.diagonal(ops.matmul(ops.transpose(X), X)), ops.mean(ops.square(X - ops.mean(X, axis=0)), axis=0)

    diagonal, variances = compiled(both)(X)
    return {"diagonal": diagonal, "variances": variances}


def minimum_norm_weights(X: Any, y: Any) -> dict[str, Any]:  # noqa: N803
    """Of all weights that fit best the shortest: 10 w1 + w2 = 5 by the pseudo-inverse. Source: C 6.2.1, C 6.3.1."""
    return {"w": compiled(minimum_norm_solution)(X, y)}


def lasso_weights(X: Any, y: Any, alpha: float) -> dict[str, Any]:  # noqa: N803
    """L1 selects features: weights that are exactly zero. Source: C 6.3, C 6.3.1."""
    w = compiled(lasso)(X, y, alpha, steps=400)  # 360 bring the slowest case to the rounding of float64
    return {"w": w, "support": [index for index, weight in enumerate(ops.convert_to_numpy(w)) if weight != 0]}


def soft_thresholded(z: Any, threshold: float) -> dict[str, Any]:
    """Every number moves towards zero by the threshold and stops there. Source: C 6.3."""
    return {"shrunk": compiled(soft_threshold)(z, threshold)}


def l1_penalty_step(w: Any, alpha: float, learning_rate: float) -> dict[str, Any]:
    """The penalty alone moves a weight by eps alpha, not by alpha. Source: C 6.3."""

    def change(w: Any) -> Any:
        nothing = ops.zeros((1, w.shape[0]), dtype=w.dtype)  # an example that says nothing: the cost is the penalty
        return -learning_rate * jacobian(lambda v: lasso_cost(v, nothing, nothing[:, 0], alpha), w)

    return {"change": compiled(change)(w)}


def likelihood_and_squared_error(X: Any, y: Any, w: Any) -> dict[str, Any]:  # noqa: N803
    """Under Gaussian noise of variance 1 the negative log-likelihood is the half squared error plus a constant.

    Source: C 3.2.2.
    """
    half_squared = HalfSquaredLoss(reduction=None)

    def negative_log_likelihood(X: Any, y: Any, w: Any) -> Any:  # noqa: N803
        density = ops.exp(-((y - ops.matmul(X, w)) ** 2) / 2) / math.sqrt(2 * math.pi)
        return -ops.log(density)

    return {
        "negative_log_likelihood": compiled(negative_log_likelihood)(X, y, w),
        "half_squared_error": compiled(lambda X, y, w: half_squared(y, ops.matmul(X, w)))(X, y, w),  # noqa: N803
        "constant": [math.log(2 * math.pi) / 2],
        "gradient": compiled(
            lambda X, y, w: jacobian(lambda v: ops.sum(negative_log_likelihood(X, y, v)), w)  # noqa: N803
        )(X, y, w),
    }


def growth_exponents(decades: Any, exponents: Any) -> dict[str, Any]:
    """Powers of ten a decade by which data, memory and compute grew. Source: S 9.1."""

    def fit(decades: Any, exponents: Any) -> tuple[Any, Any]:
        x = ops.stack([ops.ones_like(decades), decades], axis=1)  # (T, 2)
        coefficients = ordinary_least_squares(x, ops.transpose(exponents))  # (2, K)
        return coefficients[1], exponents[:, -1] - exponents[:, 0]

    slope, growth = compiled(fit)(decades, exponents)
    return {"slope": slope, "growth": growth}


# Information, `unit` "bits" or "nats".


def self_information_of_events(probabilities: Any, unit: str) -> dict[str, Any]:
    """A half is 1 bit, an eighth 3 bits. Source: C 3.1."""
    return {"information": compiled(self_information)(probabilities, base=BASES[unit])}


def entropy_of_rows(p: Any, unit: str) -> dict[str, Any]:
    """Sure things have low entropy, uniform ones high. Source: C 3.1."""
    return {"entropy": compiled(entropy)(p, base=BASES[unit])}


def kl_in_both_directions(p: Any, q: Any, unit: str) -> dict[str, Any]:
    """The divergence is not symmetric. Source: C 3.1."""
    base = BASES[unit]
    return {"forward": compiled(kl_divergence)(p, q, base=base), "backward": compiled(kl_divergence)(q, p, base=base)}


def cross_entropy_identity(p: Any, q: Any, unit: str) -> dict[str, Any]:
    """H(P, Q) = H(P) + D_KL(P || Q). Source: C 3.1."""
    base = BASES[unit]
    return {
        "cross_entropy": compiled(cross_entropy)(p, q, base=base),
        "entropy": compiled(entropy)(p, base=base),
        "divergence": compiled(kl_divergence)(p, q, base=base),
    }


# Bayes.


def bayes_vote(posterior: Any, predictions: Any, labels: Sequence[str]) -> dict[str, Any]:
    """The most probable hypothesis says +, the vote of all says -. Source: C 3.2."""
    # Without data the posterior is the prior: every hypothesis explains nothing equally well.
    best = compiled(maximum_a_posteriori)(ops.ones_like(posterior), posterior)
    its_class = compiled(bayes_optimal_class)(predictions, ops.one_hot(best, posterior.shape[0], dtype=posterior.dtype))
    return {
        "class_probabilities": compiled(class_probabilities)(predictions, posterior),
        "map_hypothesis": best,
        "map_label": labels[int(its_class)],
        "bayes_label": labels[int(compiled(bayes_optimal_class)(predictions, posterior))],
    }


def map_and_ml(prior: Any, likelihood: Any) -> dict[str, Any]:
    """A positive test for a rare disease: maximum likelihood says ill, maximum a posteriori healthy. Source: C 3.2."""
    return {
        "posterior": compiled(posterior_probabilities)(likelihood, prior),
        "evidence": compiled(lambda likelihood, prior: ops.sum(likelihood * prior, keepdims=True))(likelihood, prior),
        "map_hypothesis": compiled(maximum_a_posteriori)(likelihood, prior),
        "ml_hypothesis": compiled(maximum_likelihood)(likelihood),
    }


def likelihood_of_a_coin(theta: Any, heads: int, tails: int) -> dict[str, Any]:
    """Seven heads and three tails are most probable under theta = 0.7: the argmax of a logarithm. Source: C 3.2.1."""
    throws = ops.stack([theta] * heads + [1 - theta] * tails)  # (N, G)
    best = compiled(maximum_likelihood)(throws)
    return {"log_likelihood": compiled(log_likelihood)(throws), "best": best, "theta_ml": ops.take(theta, [int(best)])}
