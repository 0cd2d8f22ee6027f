"""Linear regression in closed form: least squares, weight decay, minimum norm, and L1 by proximal gradient.

    J(w)       = 1/(2n) |Xw - y|**2                  regression_cost (C 2.3, half mean)
    w          = (X'X)^-1 X'y                        ordinary_least_squares
    J(w) penal = 1/n |Xw - y|**2 + alpha/2 |w|**2    ridge_cost (C 6.2, mean: no half)
    w          = (X'X + n alpha/2 I)^-1 X'y          ridge, its minimiser
    w          = X+ y                                minimum_norm_solution
    min 1/n |Xw - y|**2 + alpha |w|_1                lasso

The factor before the squares bites: it decides what alpha means, so it is an argument called `convention`. No function
adds a bias; append a column of ones to X for one. Nothing forms X'X, which would square the condition number.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.ops.design_matrix import examples, least_squares, roundoff, working_examples
from keras_course.ops.floating import as_floating

__all__ = [
    "lasso",
    "lasso_cost",
    "lasso_step",
    "minimum_norm_solution",
    "ordinary_least_squares",
    "regression_cost",
    "regression_cost_gradient",
    "ridge",
    "ridge_cost",
    "ridge_cost_gradient",
    "soft_threshold",
]

_SQUARES = {"mean": 1.0, "half-mean": 0.5}  # times 1/n: the factor before |Xw - y|**2


def regression_cost(weights: Any, x: Any, y: Any) -> Any:
    """Half the mean squared error of a linear model.

    J(w) = 1/(2n) sum_i (w.x_i - y_i)**2

    Args:
        weights: tensor (d,), or (d, k) for k outputs.
        x: tensor (n, d), one example a row.
        y: tensor (n,), or (n, k).

    Returns:
        Scalar tensor; outputs are summed, examples averaged.

    Raises:
        ValueError: if the shapes do not fit or there is no example.

    Example:
        >>> x, y = [[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]
        >>> [round(float(regression_cost([theta], x, y)), 4) for theta in (1.0, 0.5, 0.0)]
        [0.0, 0.5833, 2.3333]

    Source: C 2.3.
    """
    return _mean_squares(weights, x, y) / 2


def regression_cost_gradient(weights: Any, x: Any, y: Any) -> Any:
    """Gradient of `regression_cost`.

    dJ/dw_j = -1/n sum_i (y_i - w.x_i) x_ij = 1/n (X'(Xw - y))_j

    Args:
        weights: tensor (d,), or (d, k) for k outputs.
        x: tensor (n, d).
        y: tensor (n,), or (n, k).

    Returns:
        Tensor like weights.

    Raises:
        ValueError: as `regression_cost`.

    Example:
        >>> ops.convert_to_numpy(regression_cost_gradient([0.0], [[1.0], [3.0]], [1.0, 3.0])).tolist()
        [-5.0]

    Source: C 2.3.
    """
    weights, x, residual = _residual(weights, x, y)
    return ops.matmul(ops.transpose(x), residual) / x.shape[0]


def ordinary_least_squares(x: Any, y: Any) -> Any:
    """The weights that fit best, if they are unique.

    w = argmin |Xw - y|**2 = (X'X)^-1 X'y,   computed as R^-1 Q'y with X = QR

    Args:
        x: tensor (n, d), columns linearly independent.
        y: tensor (n,), or (n, k).

    Returns:
        Tensor (d,), or (d, k). In compiled code all NaN if the columns are linearly dependent.

    Raises:
        ValueError: if n < d, the shapes do not fit, or (in eager code) columns are dependent: X'X is not invertible
            then; take `minimum_norm_solution` or `ridge`.

    Example:
        >>> x, y = [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0]
        >>> [round(float(v), 5) for v in ordinary_least_squares(x, y)]
        [1.0, 2.0]

    Source: C 6.2.1.
    """
    x, y = examples("ordinary_least_squares", x, y)
    if x.shape[0] < x.shape[1]:
        raise ValueError(
            "ordinary_least_squares needs at least as many examples as features; minimum_norm_solution does not. "
            f"Received: x.shape={tuple(x.shape)}"
        )
    return least_squares("ordinary_least_squares", x, y)


def ridge(x: Any, y: Any, alpha: float, convention: str = "mean") -> Any:
    """Least squares with weight decay; unique and defined for any X.

    convention "mean":      minimises 1/n    |Xw - y|**2 + alpha/2 |w|**2;  w = (X'X + n alpha/2 I)^-1 X'y
    convention "half-mean": minimises 1/(2n) |Xw - y|**2 + alpha/2 |w|**2;  w = (X'X + n alpha   I)^-1 X'y
    convention "printed":   minimises        |Xw - y|**2 + alpha   |w|**2;  w = (X'X +   alpha   I)^-1 X'y

    The notes define the cost of "mean" and print the formula of "printed", which does not minimise it: the gradient
    left there is alpha (1 - 2/n) w.

    Args:
        x: tensor (n, d).
        y: tensor (n,), or (n, k).
        alpha: number > 0, strength of the penalty.
        convention: "mean", "half-mean" (the cost of C 2.3) or "printed" (also scikit-learn's Ridge).

    Returns:
        Tensor (d,), or (d, k).

    Raises:
        ValueError: if alpha is not positive, the convention is unknown, or the shapes do not fit.

    Example:
        >>> [round(float(v), 5) for v in ridge([[1.0], [1.0]], [2.0, 2.0], alpha=2.0)]
        [1.0]

    Source: C 6.2, C 6.2.1.
    """
    require_one_of("ridge", ("mean", "half-mean", "printed"), convention=convention)
    x, y = examples("ridge", x, y)
    if not alpha > 0:
        raise ValueError(f"ridge needs alpha > 0; ordinary_least_squares is alpha = 0. Received: alpha={alpha}")
    count, features = x.shape
    added = {"mean": count * alpha / 2, "half-mean": count * alpha, "printed": alpha}[convention]
    # Least squares on d more examples, sqrt(added) e_j with target 0, has the same normal equations.
    more_x = float(added) ** 0.5 * ops.eye(features, dtype=x.dtype)  # (d, d)
    more_y = ops.zeros((features, *y.shape[1:]), dtype=y.dtype)
    return least_squares("ridge", ops.concatenate([x, more_x]), ops.concatenate([y, more_y]))


def ridge_cost(weights: Any, x: Any, y: Any, alpha: float) -> Any:
    """Mean squared error with weight decay; the cost whose minimiser is `ridge` by the convention "mean".

    J(w) = 1/n |Xw - y|**2 + alpha/2 |w|**2

    Args:
        weights: tensor (d,), or (d, k).
        x: tensor (n, d).
        y: tensor (n,), or (n, k).
        alpha: number >= 0.

    Returns:
        Scalar tensor.

    Raises:
        ValueError: if the shapes do not fit or there is no example.

    Example:
        >>> float(ridge_cost([1.0], [[1.0], [1.0]], [2.0, 2.0], alpha=2.0))
        2.0

    Source: C 6.2, C 6.2.1.
    """
    cost = _mean_squares(weights, x, y)
    return cost + alpha / 2 * ops.sum(ops.square(as_floating(weights, cost.dtype)))


def ridge_cost_gradient(weights: Any, x: Any, y: Any, alpha: float) -> Any:
    """Gradient of `ridge_cost`.

    dJ/dw = 2/n X'(Xw - y) + alpha w

    Args:
        weights: tensor (d,), or (d, k).
        x: tensor (n, d).
        y: tensor (n,), or (n, k).
        alpha: number >= 0.

    Returns:
        Tensor like weights.

    Raises:
        ValueError: as `ridge_cost`.

    Example:
        >>> ops.convert_to_numpy(ridge_cost_gradient([1.0], [[1.0], [1.0]], [2.0, 2.0], alpha=2.0)).tolist()
        [0.0]

    Source: C 6.2, C 6.2.1.
    """
    gradient = 2 * regression_cost_gradient(weights, x, y)
    return gradient + alpha * as_floating(weights, gradient.dtype)


def minimum_norm_solution(x: Any, y: Any) -> Any:
    """The shortest of all weights that fit best: least squares for any X, by the pseudo-inverse.

    w = X+ y,   X = U S V',   X+ = V S+ U',   1/s for s > max(n, d) u s_max, else 0   (u: rounding unit)

    Args:
        x: tensor (n, d), of any rank.
        y: tensor (n,), or (n, k).

    Returns:
        Tensor (d,), or (d, k).

    Raises:
        ValueError: if the shapes do not fit or there is no example.

    Example:
        Of all solutions of 10 w1 + w2 = 5 the one on the line through 0 and (10, 1).

        >>> [round(float(v), 4) for v in minimum_norm_solution([[10.0, 1.0]], [5.0])]
        [0.495, 0.0495]

    Source: C 6.2.1, C 6.3.1.
    """
    x, y, dtype = working_examples("minimum_norm_solution", x, y)
    columns = ops.reshape(y, (x.shape[0], -1))  # (n, k)
    left, singular, right = ops.svd(x, full_matrices=False)  # (n, r), (r,), (r, d)
    keep = singular > max(x.shape) * roundoff(x) * singular[0]
    inverse = ops.where(keep, 1 / ops.where(keep, singular, 1), 0)
    pseudo_inverse = ops.matmul(ops.transpose(right) * inverse, ops.transpose(left))  # (d, n)

    # XLA's SVD stops at 1e-9 or worse even in float64. A last factor X' keeps w in the row space exactly, and two steps
    # of refinement make the residual orthogonal to the columns of X: each multiplies the error by that of the SVD.
    transposed, inverse_transposed = ops.transpose(x), ops.transpose(pseudo_inverse)
    w = ops.matmul(transposed, ops.matmul(inverse_transposed, ops.matmul(pseudo_inverse, columns)))  # (d, k)
    for _ in range(2):
        slope = ops.matmul(transposed, columns - ops.matmul(x, w))
        change = ops.matmul(pseudo_inverse, ops.matmul(inverse_transposed, slope))
        w = w + ops.matmul(transposed, ops.matmul(inverse_transposed, change))
    return ops.cast(ops.reshape(w, (x.shape[1], *y.shape[1:])), dtype)


def soft_threshold(z: Any, threshold: Any) -> Any:
    """Shrinks towards zero and stops there: the proximal operator of the absolute value.

    S(z, t) = sign(z) max(|z| - t, 0) = argmin_w 1/2 (w - z)**2 + t |w|

    Args:
        z: tensor of any shape.
        threshold: number or tensor t >= 0 that broadcasts against z.

    Returns:
        Tensor like z, exact zeros where |z| <= t.

    Example:
        >>> ops.convert_to_numpy(soft_threshold([-3.0, 0.5, 2.0], 1.0)).tolist()
        [-2.0, 0.0, 1.0]

    Source: C 6.3.
    """
    z = as_floating(z)
    return ops.sign(z) * ops.relu(ops.abs(z) - as_floating(threshold, z.dtype))


def lasso_cost(weights: Any, x: Any, y: Any, alpha: float, convention: str = "mean") -> Any:
    """Squared error with an L1 penalty.

    J(w) = 1/n |Xw - y|**2 + alpha |w|_1        convention "mean"
    J(w) = 1/(2n) |Xw - y|**2 + alpha |w|_1     convention "half-mean"

    Args:
        weights: tensor (d,), or (d, k).
        x: tensor (n, d).
        y: tensor (n,), or (n, k).
        alpha: number >= 0.
        convention: "mean", or "half-mean" (the cost of C 2.3; also scikit-learn's Lasso).

    Returns:
        Scalar tensor.

    Raises:
        ValueError: if the convention is unknown or the shapes do not fit.

    Example:
        >>> float(lasso_cost([1.0], [[1.0], [1.0]], [2.0, 2.0], alpha=2.0))
        3.0

    Source: C 6.3.
    """
    require_one_of("lasso_cost", _SQUARES, convention=convention)
    cost = _SQUARES[convention] * _mean_squares(weights, x, y)
    return cost + alpha * ops.sum(ops.abs(as_floating(weights, cost.dtype)))


def lasso_step(weights: Any, x: Any, y: Any, alpha: float, rate: Any, convention: str = "mean") -> Any:
    """One step of proximal gradient descent on `lasso_cost`: down the squares, then towards zero.

    w <- S(w - rate * gradient of the squares, rate * alpha)

    Args:
        weights: tensor (d,), or (d, k).
        x: tensor (n, d).
        y: tensor (n,), or (n, k).
        alpha: number >= 0.
        rate: number or scalar tensor > 0, step size; the cost never rises if it is at most 1/L, L the largest
            curvature of the squares.
        convention: "mean" or "half-mean".

    Returns:
        Tensor like weights.

    Raises:
        ValueError: as `lasso_cost`.

    Example:
        >>> ops.convert_to_numpy(lasso_step([0.0], [[1.0], [1.0]], [2.0, 2.0], alpha=2.0, rate=0.5)).tolist()
        [1.0]

    Source: C 6.3.
    """
    require_one_of("lasso_step", _SQUARES, convention=convention)
    slope = 2 * _SQUARES[convention] * regression_cost_gradient(weights, x, y)
    rate = as_floating(rate, slope.dtype)
    return soft_threshold(as_floating(weights, slope.dtype) - rate * slope, rate * alpha)


def lasso(x: Any, y: Any, alpha: float, convention: str = "mean", steps: int = 1000) -> Any:
    """Sparse least squares by proximal gradient (ISTA) from zero.

    argmin_w 1/n |Xw - y|**2 + alpha |w|_1      convention "mean"
    argmin_w 1/(2n) |Xw - y|**2 + alpha |w|_1   convention "half-mean"

    Steps of `lasso_step` with rate 1/L, L = 2/n s_max(X)**2 (half of it for "half-mean"). The error falls as
    (1 - 1/kappa)**steps, kappa the condition number of X'X on the support: standardise the features.

    Args:
        x: tensor (n, d).
        y: tensor (n,), or (n, k).
        alpha: number >= 0, strength of the penalty.
        convention: "mean", or "half-mean" (also scikit-learn's Lasso without intercept).
        steps: int >= 1, number of steps; there is no stopping rule, so compiled code is the same code.

    Returns:
        Tensor (d,), or (d, k), with exact zeros.

    Raises:
        ValueError: if alpha is negative, steps < 1, the convention is unknown, or the shapes do not fit.

    Example:
        >>> x, y = [[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5]
        >>> [round(float(v), 5) for v in lasso(x, y, alpha=1.0)]
        [2.0, 0.0]

    Source: C 6.3.
    """
    require_one_of("lasso", _SQUARES, convention=convention)
    require_positive_int("lasso", steps=steps)
    if not alpha >= 0:
        raise ValueError(f"lasso needs alpha >= 0. Received: alpha={alpha}")
    x, y, dtype = working_examples("lasso", x, y)
    curvature = 2 * _SQUARES[convention] / x.shape[0] * ops.square(ops.svd(x, compute_uv=False)[0])
    rate = ops.where(curvature > 0, 1 / ops.where(curvature > 0, curvature, 1), 1)  # X = 0: any rate stays at w = 0
    start = ops.zeros((x.shape[1], *y.shape[1:]), dtype=x.dtype)
    w = ops.fori_loop(0, steps, lambda _, w: lasso_step(w, x, y, alpha, rate, convention), start)
    return ops.cast(w, dtype)


def _residual(weights: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Weights, examples, and Xw - y."""
    x, y = examples("regression", x, y)
    weights = as_floating(weights, x.dtype)
    if tuple(weights.shape) != (x.shape[1], *y.shape[1:]):
        raise ValueError(
            f"The weights of this regression have shape {(x.shape[1], *y.shape[1:])}. Received: "
            f"weights.shape={tuple(weights.shape)}, x.shape={tuple(x.shape)}, y.shape={tuple(y.shape)}"
        )
    return weights, x, ops.matmul(x, weights) - y


def _mean_squares(weights: Any, x: Any, y: Any) -> Any:
    _, x, residual = _residual(weights, x, y)
    return ops.sum(ops.square(residual)) / x.shape[0]
