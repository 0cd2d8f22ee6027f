"""What a unit does to its net input z = W'x + b, with derivatives as functions of z.

    relu(z) = max(0, z)                           relu'(z)     = 1[z > 0]
    leaky   = max(0, z) + alpha min(0, z)         leaky'(z)    = 1 if z > 0 else alpha
    maxout  = max_j z_j                           maxout'(z)_j = 1[z_j is the largest]
    softplus(z) = log(1 + e**z)                   softplus'(z) = logistic(z)
    logistic(z) = 1 / (1 + e**-z)                 logistic'(z) = logistic(z) logistic(-z)
    tanh(z) = 2 logistic(2z) - 1                  tanh'(z)     = 4 logistic(2z) logistic(-2z)

At a kink the derivative is that of the left piece (0 for relu, alpha for leaky_relu and prelu), here as in automatic
differentiation. The derivatives of logistic and tanh are products, not s(1 - s) and 1 - t**2, which lose every digit
where 1 - s rounds to 0.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = [
    "leaky_relu",
    "leaky_relu_derivative",
    "logistic",
    "logistic_derivative",
    "maxout",
    "maxout_derivative",
    "prelu",
    "prelu_derivative",
    "relu",
    "relu_derivative",
    "softplus",
    "softplus_derivative",
    "tanh",
    "tanh_derivative",
]


def relu(z: Any) -> Any:
    """Rectified linear unit.

    relu(z) = max(0, z)

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values >= 0. NaN stays NaN.

    Example:
        >>> ops.convert_to_numpy(relu([-2.0, 0.0, 3.0])).tolist()
        [0.0, 0.0, 3.0]

    Source: C 4.4, C 9.1, S 9.2.
    """
    return ops.relu(as_floating(z))


def relu_derivative(z: Any) -> Any:
    """Slope of relu: in {0; 1}, and 0 at z = 0.

    relu'(z) = 1[z > 0]

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z.

    Example:
        >>> ops.convert_to_numpy(relu_derivative([-2.0, 0.0, 3.0])).tolist()
        [0.0, 0.0, 1.0]

    Source: C 4.4, S 9.2.
    """
    return leaky_relu_derivative(z, 0.0)


def leaky_relu(z: Any, alpha: float = 0.01) -> Any:
    """Rectified linear unit that leaks a little on the negative side, so that a silent unit still learns.

    leaky_relu(z) = max(0, z) + alpha min(0, z)

    Args:
        z: tensor of any shape.
        alpha: number, slope for z < 0.

    Returns:
        Tensor like z.

    Example:
        >>> ops.convert_to_numpy(leaky_relu([-2.0, 3.0], alpha=0.5)).tolist()
        [-1.0, 3.0]

    Source: C 4.4.
    """
    return prelu(z, alpha)


def leaky_relu_derivative(z: Any, alpha: float = 0.01) -> Any:
    """Slope of leaky_relu, alpha at z = 0.

    leaky_relu'(z) = 1 if z > 0 else alpha

    Args:
        z: tensor of any shape.
        alpha: number, slope for z < 0.

    Returns:
        Tensor like z. NaN where z is NaN.

    Example:
        >>> ops.convert_to_numpy(leaky_relu_derivative([-2.0, 0.0, 3.0], alpha=0.5)).tolist()
        [0.5, 0.5, 1.0]

    Source: C 4.4.
    """
    return prelu_derivative(z, alpha)


def prelu(z: Any, alpha: Any) -> Any:
    """Parametric rectified linear unit: leaky, with one learned slope a channel.

    prelu(z)_i = max(0, z_i) + alpha_i min(0, z_i)

    Args:
        z: tensor (..., C).
        alpha: tensor that broadcasts against z, usually (C,): one slope a channel.

    Returns:
        Tensor like z. Its derivative by alpha is min(0, z).

    Example:
        >>> ops.convert_to_numpy(prelu([[-2.0, -2.0, 3.0]], alpha=[0.5, 0.25, 0.0])).tolist()
        [[-1.0, -0.5, 3.0]]

    Source: C 4.4; He et al. 2015.
    """
    z = as_floating(z)
    # One `where` rather than relu + alpha * min: at z = 0 automatic differentiation then gives alpha on every backend,
    # where max and min would split the tie in backend-dependent shares.
    return ops.where(z > 0, z, as_floating(alpha, z.dtype) * z)


def prelu_derivative(z: Any, alpha: Any) -> Any:
    """Slope of prelu by z, alpha at z = 0.

    prelu'(z)_i = 1 if z_i > 0 else alpha_i

    Args:
        z: tensor (..., C).
        alpha: tensor that broadcasts against z.

    Returns:
        Tensor of the broadcast shape. NaN where z is NaN.

    Example:
        >>> ops.convert_to_numpy(prelu_derivative([[-2.0, 3.0]], alpha=[0.5, 0.25])).tolist()
        [[0.5, 1.0]]

    Source: C 4.4; He et al. 2015.
    """
    z = as_floating(z)
    slope = ops.where(z > 0, ops.ones_like(z), as_floating(alpha, z.dtype))
    return ops.where(ops.isnan(z), z, slope)  # a NaN pre-activation must not look like a dead unit


def maxout(z: Any) -> Any:
    """The largest of k affine pieces: a unit that learns its own convex activation.

    maxout(z)_i = max_j z_ij

    Args:
        z: tensor (..., units, pieces), the pre-activations of all pieces.

    Returns:
        Tensor (..., units).

    Raises:
        ValueError: for a scalar, which has no pieces.

    Example:
        >>> ops.convert_to_numpy(maxout([[1.0, 3.0], [-1.0, -2.0]])).tolist()
        [3.0, -1.0]

    Source: C 9.1; Goodfellow et al. 2013.
    """
    return ops.max(_with_pieces(z), axis=-1, initial=float("-inf"))  # without it Keras refuses an empty batch


def maxout_derivative(z: Any) -> Any:
    """Which piece the gradient goes to: 1 for the largest; pieces that tie share equally.

    maxout'(z)_ij = 1[z_ij = max z_i] / (number of pieces that are the largest)

    Args:
        z: tensor (..., units, pieces).

    Returns:
        Tensor like z; sums to 1 over the pieces.

    Raises:
        ValueError: for a scalar, which has no pieces.

    Example:
        >>> ops.convert_to_numpy(maxout_derivative([[1.0, 3.0], [2.0, 2.0]])).tolist()
        [[0.0, 1.0], [0.5, 0.5]]

    Source: C 9.1; Goodfellow et al. 2013.
    """
    z = _with_pieces(z)
    largest = ops.cast(z == ops.max(z, axis=-1, keepdims=True, initial=float("-inf")), z.dtype)
    return largest / ops.sum(largest, axis=-1, keepdims=True)


def _with_pieces(z: Any) -> Any:
    z = as_floating(z)
    if len(z.shape) == 0:
        raise ValueError(f"maxout needs the pieces on the last axis of z. Received: z.shape={tuple(z.shape)}")
    return z


def softplus(z: Any) -> Any:
    """Smooth rectifier, and the negative log-likelihood of a Bernoulli output unit.

    softplus(z) = log(1 + e**z)

    The notes print log(1 - e**z), which is minus infinity at 0 and undefined beyond. The naive log(1 + exp(z))
    overflows for large z; this one is z there.

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values >= 0.

    Example:
        >>> [round(float(v), 6) for v in softplus([0.0, 1000.0])]
        [0.693147, 1000.0]

    Source: C 4.3.
    """
    return ops.softplus(as_floating(z))


def softplus_derivative(z: Any) -> Any:
    """Slope of softplus.

    softplus'(z) = logistic(z)

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values in [0, 1].

    Example:
        >>> ops.convert_to_numpy(softplus_derivative([0.0])).tolist()
        [0.5]

    Source: C 4.3.
    """
    return logistic(z)


def logistic(z: Any) -> Any:
    """Logistic sigmoid.

    logistic(z) = 1 / (1 + e**-z)

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values in [0, 1].

    Example:
        >>> ops.convert_to_numpy(logistic([-1000.0, 0.0, 1000.0])).tolist()
        [0.0, 0.5, 1.0]

    Source: C 4.3, C 4.4.
    """
    return ops.sigmoid(as_floating(z))


def logistic_derivative(z: Any) -> Any:
    """Slope of the logistic sigmoid, at most 1/4.

    logistic'(z) = logistic(z) logistic(-z)

    The naive s (1 - s) is 0 from z = 17 (float32) on; the product keeps full relative precision.

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values in [0, 1/4].

    Example:
        >>> ops.convert_to_numpy(logistic_derivative([0.0])).tolist()
        [0.25]

    Source: C 4.4, C 5.1.
    """
    z = as_floating(z)
    return ops.sigmoid(z) * ops.sigmoid(-z)


def tanh(z: Any) -> Any:
    """Hyperbolic tangent: the logistic sigmoid stretched to (-1, 1).

    tanh(z) = (e**z - e**-z) / (e**z + e**-z) = 2 logistic(2z) - 1

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values in [-1, 1].

    Example:
        >>> ops.convert_to_numpy(tanh([-1000.0, 0.0, 1000.0])).tolist()
        [-1.0, 0.0, 1.0]

    Source: C 4.4.
    """
    return ops.tanh(as_floating(z))


def tanh_derivative(z: Any) -> Any:
    """Slope of the hyperbolic tangent, at most 1.

    tanh'(z) = 1 - tanh(z)**2 = 4 logistic(2z) logistic(-2z)

    The naive 1 - t**2 is 0 from z = 9 (float32) on; the product keeps full relative precision.

    Args:
        z: tensor of any shape.

    Returns:
        Tensor like z, values in [0, 1].

    Example:
        >>> ops.convert_to_numpy(tanh_derivative([0.0])).tolist()
        [1.0]

    Source: C 4.4.
    """
    z = as_floating(z)
    return 4 * ops.sigmoid(2 * z) * ops.sigmoid(-2 * z)
