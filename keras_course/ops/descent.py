"""First-order steps with one rate for all parameters: gradient descent, momentum, averaged momentum.

    gradient descent    theta' = theta - eps g
    momentum            v' = alpha v - eps g,               theta' = theta + v'
    averaged momentum   m' = (1 - lambda) m + lambda g,     theta' = theta - eta g - eta~ m'

v is a decaying SUM of past gradients (weights alpha^i, which add up to 1 / (1 - alpha)), m a decaying AVERAGE (weights
lambda (1 - lambda)^i, which add up to 1). A large momentum is alpha near 1, but lambda near 0. Nesterov's form is the
momentum step with g taken at theta + alpha v.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = [
    "average_gradient",
    "averaged_momentum_step",
    "gradient_step",
    "momentum_step",
    "past_gradient_weights",
    "standard_error",
    "terminal_speed",
]


def gradient_step(gradient: Any, rate: Any) -> Any:
    """The change of the parameters in gradient descent.

    step = -eps g

    Args:
        gradient: tensor g, any shape.
        rate: number or scalar tensor, eps.

    Returns:
        Tensor like g, to be added to the parameters.

    Example:
        >>> print(gradient_step([2.0, -4.0], 0.5).numpy())
        [-1.  2.]

    Source: C 7.3.1, N, S 9.4.
    """
    return -rate * as_floating(gradient)


def momentum_step(velocity: Any, gradient: Any, rate: Any, momentum: Any) -> Any:
    """The velocity after one more gradient; it is also the change of the parameters.

    v' = alpha v - eps g

    The learning rate is inside: with a falling rate, old gradients keep the rate of their own time.

    Args:
        velocity: tensor v, any shape.
        gradient: tensor g like v; for Nesterov's form, taken at theta + alpha v.
        rate: number or scalar tensor, eps.
        momentum: number in [0, 1), alpha.

    Returns:
        Tensor like v.

    Example:
        >>> print(momentum_step([1.0], [2.0], rate=0.25, momentum=0.5).numpy())
        [0.]

    Source: C 7.3.2, N.
    """
    return momentum * as_floating(velocity) - rate * as_floating(gradient)


def averaged_momentum_step(average: Any, gradient: Any, rate: Any, average_rate: Any, share: Any) -> tuple[Any, Any]:
    """The average gradient after one more, and the change of the parameters, which has a rate for each of the two.

    m' = (1 - lambda) m + lambda g
    step = -eta g - eta~ m'

    With eta = 0 and eta~ lambda = eps it is the momentum step with alpha = 1 - lambda.

    Args:
        average: tensor m, any shape.
        gradient: tensor g like m.
        rate: number or scalar tensor, eta, of the newest gradient.
        average_rate: number or scalar tensor, eta~, of the average.
        share: number in (0, 1], lambda, the newest gradient's share of the average.

    Returns:
        Tuple of m' and the step, tensors like g.

    Example:
        >>> average, step = averaged_momentum_step([0.0], [4.0], rate=0.5, average_rate=1.0, share=0.25)
        >>> print(average.numpy(), step.numpy())
        [1.] [-3.]

    Source: S 9.4.
    """
    gradient = as_floating(gradient)
    average = average_gradient(average, gradient, share)
    return average, -rate * gradient - average_rate * average


def average_gradient(average: Any, gradient: Any, share: Any) -> Any:
    """The decaying average of past gradients after one more.

    m' = (1 - lambda) m + lambda g

    Args:
        average: tensor m, any shape.
        gradient: tensor g like m.
        share: number in (0, 1], lambda, the newest gradient's share.

    Returns:
        Tensor like m.

    Example:
        >>> print(average_gradient([8.0], [4.0], share=0.25).numpy())
        [7.]

    Source: S 9.4.
    """
    return (1 - share) * as_floating(average) + share * as_floating(gradient)


def past_gradient_weights(momentum: Any, steps: int) -> Any:
    """How much each of the last gradients counts in the velocity, the newest first.

    weight_i = alpha^i,   v(t) = -eps sum_i alpha^i g(t - i)

    Args:
        momentum: tensor of any shape, alpha.
        steps: int >= 1, how many gradients back.

    Returns:
        Tensor (..., steps).

    Raises:
        ValueError: if steps < 1.

    Example:
        >>> print(past_gradient_weights(0.5, 3).numpy())
        [1.   0.5  0.25]

    Source: C 7.3.2.
    """
    if steps < 1:
        raise ValueError(f"past_gradient_weights needs steps >= 1. Received: steps={steps}")
    momentum = as_floating(momentum)
    weights = [ops.ones_like(momentum)]
    for _ in range(steps - 1):
        weights.append(weights[-1] * momentum)
    return ops.stack(weights, axis=-1)


def terminal_speed(momentum: Any) -> Any:
    """How many times faster than gradient descent momentum runs at last, while the gradient stays the same.

    |v| / (eps |g|) -> sum_i alpha^i = 1 / (1 - alpha)

    Args:
        momentum: tensor of any shape, alpha in [0, 1).

    Returns:
        Tensor like alpha.

    Example:
        >>> print(terminal_speed([0.0, 0.5]).numpy())
        [1. 2.]

    Source: C 7.3.2.
    """
    momentum = as_floating(momentum)
    return 1 / (1 - momentum)


def standard_error(sigma: Any, examples: Any) -> Any:
    """How far the mean gradient of a mini-batch typically is from the one of all data.

    standard error = sigma / sqrt(m)

    A hundred times the work makes it ten times smaller.

    Args:
        sigma: tensor, standard deviation of one example's gradient.
        examples: tensor, m >= 1.

    Returns:
        Tensor of the broadcast shape.

    Example:
        >>> print(standard_error(3.0, [1.0, 9.0]).numpy())
        [3. 1.]

    Source: C 7.1.2.
    """
    examples = as_floating(examples)
    return as_floating(sigma, examples.dtype) / ops.sqrt(examples)
