"""What the loss looks like around weights: curvature by power iteration, and the loss along directions.

    H v        = d/dw (dloss/dw . v)                         no Hessian is ever formed
    sharpness  = largest eigenvalue of H, by v' = H v / |H v|
    along a direction: loss(w + alpha d), d as long in every row as the weights are

The network is the smallest that shows it, W relu(V x~), x~ = x with a 1 appended; (c V, W / c) is the same function.
Derivatives pass over the kinks of relu: H is that of the piece around the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.ops.floating import as_floating

__all__ = ["cross_entropy", "hessian_vector_product", "loss_along", "rescaled", "scores", "sharpness", "unit_scaled"]


def scores(x: Any, hidden: Any, output: Any) -> Any:
    """The network: W relu(V x~).

    Args:
        x: tensor (N, D); a 1 is appended to every example.
        hidden: tensor V (H, D + 1), the last column the bias.
        output: tensor W (K, H).

    Returns:
        Tensor (N, K).

    Example:
        >>> scores([[2.0]], [[1.0, -0.5], [-1.0, 0.0]], [[1.0, 5.0], [2.0, 5.0]]).numpy().tolist()
        [[1.5, 3.0]]

    Source: R (Flat vs sharp minima).
    """
    x = as_floating(x)
    hidden, output = as_floating(hidden, x.dtype), as_floating(output, x.dtype)
    units = ops.relu(x @ ops.transpose(hidden[:, :-1]) + hidden[:, -1])
    return units @ ops.transpose(output)


def cross_entropy(x: Any, labels: Any, hidden: Any, output: Any) -> Any:
    """Mean of -log softmax(W relu(V x~))[y].

    Args:
        x: tensor (N, D).
        labels: int tensor (N,).
        hidden: tensor V (H, D + 1).
        output: tensor W (K, H).

    Returns:
        Scalar tensor.

    Example:
        >>> round(float(cross_entropy([[2.0]], [0], [[1.0, 0.0]], [[0.0], [0.0]])), 6)
        0.693147

    Source: R (Flat vs sharp minima).
    """
    z = scores(x, hidden, output)
    chosen = ops.sum(z * ops.one_hot(ops.cast(labels, "int32"), z.shape[-1], dtype=z.dtype), -1)
    return ops.mean(ops.logsumexp(z, -1) - chosen)


def rescaled(hidden: Any, output: Any, factor: float) -> tuple[Any, Any]:
    """Other weights of the same function: (c V, W / c).

    Args:
        hidden: tensor V (H, D + 1).
        output: tensor W (K, H).
        factor: number c > 0.

    Returns:
        (c V, W / c).

    Raises:
        ValueError: if the factor is not positive: relu(c z) = c relu(z) holds for no other.

    Example:
        >>> hidden, output = rescaled([[1.0, 2.0]], [[4.0]], 2.0)
        >>> hidden.numpy().tolist(), output.numpy().tolist()
        ([[2.0, 4.0]], [[2.0]])

    Source: R (Flat vs sharp minima).
    """
    if not factor > 0:
        raise ValueError(f"rescaled needs a positive factor. Received: factor={factor!r}")
    return as_floating(hidden) * factor, as_floating(output) / factor


def hessian_vector_product(loss: Callable[..., Any], weights: tuple[Any, ...], direction: tuple[Any, ...]) -> Any:
    """Second derivatives times a direction, without the matrix.

        H v = d/dw (dloss/dw . v)

    Args:
        loss: callable(*weights) that returns a scalar tensor.
        weights: tensors, the point.
        direction: tensors of the same shapes, v.

    Returns:
        Tuple of tensors of the same shapes.

    Example:
        >>> point = (tf.constant([3.0]), tf.constant([1.0]))
        >>> found = hessian_vector_product(lambda a, b: a[0] ** 2 * b[0], point, (tf.ones([1]), tf.zeros([1])))
        >>> [float(part[0]) for part in found]
        [2.0, 6.0]

    Source: C 7.5, R (Flat vs sharp minima).
    """
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(weights)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(weights)
            value = loss(*weights)
        slopes = inner.gradient(value, weights, unconnected_gradients="zero")
        along = _inner(slopes, direction)
    return outer.gradient(along, weights, unconnected_gradients="zero")


def sharpness(loss: Callable[..., Any], weights: Any, start: Any, steps: int) -> tuple[Any, Any]:
    """The largest eigenvalue of the Hessian, by power iteration.

        v' = (H + s I) v / |(H + s I) v|,   lambda = v . H v

    With s = 0 the iteration finds the eigenvalue of largest modulus. Where that is negative, a second one with s = its
    modulus finds the largest: s never changes an eigenvector.

    Args:
        loss: callable(*weights) that returns a scalar tensor.
        weights: tensors, the point.
        start: tensors of the same shapes, any first v that is not 0.
        steps: int >= 1, products of each iteration.

    Returns:
        (lambda, |H v - lambda v|): scalar tensors; an eigenvalue lies no farther from lambda than the second.

    Example:
        >>> bowl = lambda w: (3.0 * w[0] ** 2 - 10.0 * w[1] ** 2) / 2
        >>> found, residual = sharpness(bowl, (tf.zeros([2]),), (tf.ones([2]),), 60)
        >>> round(float(found), 4), bool(residual < 1e-3)
        (3.0, True)

    Source: C 7.2.1, R (Flat vs sharp minima).
    """
    require_positive_int("sharpness", steps=steps)
    weights = tuple(as_floating(weight) for weight in weights)
    start = _unit(tuple(as_floating(part, weights[0].dtype) for part in start))

    def iterate(v: Any, shift: Any, limit: Any) -> tuple[Any, ...]:
        def step(count: Any, *v: Any) -> tuple[Any, ...]:
            turned = hessian_vector_product(loss, weights, v)
            return count + 1, *_unit(tuple(h + shift * part for h, part in zip(turned, v, strict=True)))

        state = (tf.constant(0), *v)
        return tf.while_loop(lambda count, *_: count < limit, step, state, maximum_iterations=steps)[1:]

    v = iterate(start, ops.zeros((), weights[0].dtype), tf.constant(steps))
    modulus = _inner(v, hessian_vector_product(loss, weights, v))
    negative = modulus < 0  # else v is what a second iteration would find again
    first = tuple(tf.where(negative, old, new) for old, new in zip(start, v, strict=True))
    v = iterate(first, ops.maximum(-modulus, 0), tf.where(negative, steps, 0))
    turned = hessian_vector_product(loss, weights, v)
    value = _inner(v, turned)
    rest = tuple(h - value * part for h, part in zip(turned, v, strict=True))
    return value, ops.sqrt(_inner(rest, rest))


def unit_scaled(direction: Any, weights: Any) -> Any:
    """A direction whose every row is as long as that row of the weights (filter normalisation).

        d_j' = d_j |w_j| / |d_j|

    Args:
        direction: tensor (R, C), rows other than 0.
        weights: tensor (R, C), one row a unit.

    Returns:
        Tensor (R, C).

    Example:
        >>> unit_scaled([[1.0, 0.0], [0.0, 2.0]], [[3.0, 4.0], [0.0, 0.5]]).numpy().tolist()
        [[5.0, 0.0], [0.0, 0.5]]

    Source: R (Flat vs sharp minima).
    """
    direction = as_floating(direction)
    weights = as_floating(weights, direction.dtype)
    return direction * ops.norm(weights, axis=-1, keepdims=True) / ops.norm(direction, axis=-1, keepdims=True)


def loss_along(loss: Callable[..., Any], weights: Any, direction: Any, alphas: Any) -> Any:
    """Loss on a straight line through the weights: loss(w + alpha d).

    Args:
        loss: callable(*weights) that returns a scalar tensor.
        weights: tensors, the point.
        direction: tensors of the same shapes.
        alphas: tensor (A,).

    Returns:
        Tensor (A,).

    Example:
        >>> loss_along(lambda w: w[0] ** 2, ([1.0],), ([2.0],), [-0.5, 0.0, 1.0]).numpy().tolist()
        [0.0, 1.0, 9.0]

    Source: R (Flat vs sharp minima).
    """
    weights = tuple(as_floating(weight) for weight in weights)
    direction = tuple(as_floating(part, weights[0].dtype) for part in direction)
    alphas = as_floating(alphas, weights[0].dtype)
    return tf.map_fn(lambda alpha: loss(*(w + alpha * d for w, d in zip(weights, direction, strict=True))), alphas)


def _inner(a: Any, b: Any) -> Any:
    return sum(ops.sum(left * right) for left, right in zip(a, b, strict=True))


def _unit(v: tuple[Any, ...]) -> tuple[Any, ...]:
    length = ops.sqrt(_inner(v, v))
    return tuple(part / ops.where(length > 0, length, 1) for part in v)
