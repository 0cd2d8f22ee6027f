"""Worked examples of the optimizers: several steps on an ill-conditioned quadratic and on two wells with a saddle.

    quadratic   f(p) = p' H p / 2
    wells       f(x, y) = x^4/4 - x^2/2 + xy/2 + y^2/2,   not convex: its Hessian at 0 has a negative eigenvalue

One optimizer takes both at once, as two rows of one variable; each function's path starts at the same point.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.backend import compiled
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.ops.descent import past_gradient_weights, standard_error, terminal_speed
from keras_course.optimizers.adagrad import AdaGrad
from keras_course.optimizers.adam import Adam
from keras_course.optimizers.averaged_momentum import AveragedMomentum
from keras_course.optimizers.delta_bar_delta import DeltaBarDelta
from keras_course.optimizers.gradient_descent import GradientDescent
from keras_course.optimizers.momentum import Momentum
from keras_course.optimizers.nesterov import Nesterov
from keras_course.optimizers.rmsprop import RMSProp
from keras_course.optimizers.windowed_adagrad import WindowedAdaGrad

__all__ = [
    "adagrad_change",
    "adagrad_paths",
    "adam_against_keras",
    "adam_paths",
    "averaged_momentum_paths",
    "batch_sizes_in_one_epoch",
    "delta_bar_delta_paths",
    "error_of_gradient_estimates",
    "gradient_descent_paths",
    "gradient_of_negative_log_likelihood",
    "momentum_contributions",
    "momentum_paths",
    "momentum_terminal_speed",
    "momentum_velocities",
    "nesterov_against_keras",
    "nesterov_paths",
    "rmsprop_paths",
    "windowed_adagrad_paths",
]


def _quadratic(p: Any, hessian: Any) -> Any:
    return ops.sum(p * ops.matmul(hessian, p)) / 2


def _wells(p: Any, _: Any) -> Any:
    return p[0] ** 4 / 4 - p[0] ** 2 / 2 + p[0] * p[1] / 2 + p[1] ** 2 / 2


def _walk(optimizer: Any, functions: tuple[Any, ...], hessian: Any, start: Any, steps: int) -> list[Any]:
    """Every function's positions (steps + 1, 2), the start first."""
    points = keras.Variable(ops.stack([start] * len(functions)), dtype=start.dtype, name="points")  # a row a function
    optimizer.build([points])

    def run(hessian: Any) -> list[Any]:
        path = [tf.identity(points.value)]
        for _ in range(steps):
            if hasattr(optimizer, "look_ahead"):
                optimizer.look_ahead([points])
            with tf.GradientTape() as tape:
                place = tf.identity(points.value)
                total = sum(f(place[row], hessian) for row, f in enumerate(functions))
            optimizer.apply([tape.gradient(total, points.value)], [points])
            path.append(tf.identity(points.value))
        return list(ops.unstack(ops.stack(path), len(functions), axis=1))

    return compiled(run)(hessian)  # type: ignore[no-any-return]


def _both(optimizer: Any, hessian: Any, start: Any, steps: int) -> dict[str, Any]:
    quadratic, wells = _walk(optimizer, (_quadratic, _wells), hessian, start, steps)
    return {"quadratic": quadratic, "wells": wells}


def gradient_descent_paths(hessian: Any, start: Any, learning_rate: float, steps: int) -> dict[str, Any]:
    """Gradient descent zigzags in the narrow valley. Source: C 7.3.1, C 7.2.1."""
    return _both(GradientDescent(learning_rate), hessian, start, steps)


def momentum_paths(hessian: Any, start: Any, learning_rate: float, momentum: float, steps: int) -> dict[str, Any]:
    """Momentum. Source: C 7.3.2, N."""
    return _both(Momentum(learning_rate, momentum), hessian, start, steps)


def nesterov_paths(hessian: Any, start: Any, learning_rate: float, momentum: float, steps: int) -> dict[str, Any]:
    """Nesterov momentum with the gradient at theta + alpha v. Source: C 7.3.3, N, S 9.4."""
    return _both(Nesterov(learning_rate, momentum), hessian, start, steps)


def nesterov_against_keras(
    hessian: Any, start: Any, learning_rate: float, momentum: float, steps: int
) -> dict[str, Any]:  # fmt: skip
    """Keras's reformulation keeps theta + alpha v in the weights. Source: C 7.3.3."""
    theirs = keras.optimizers.SGD(learning_rate, momentum=momentum, nesterov=True)
    (path,) = _walk(Nesterov(learning_rate, momentum), (_quadratic,), hessian, start, steps)
    (other,) = _walk(theirs, (_quadratic,), hessian, start, steps)
    return {"weights": path, "weights_of_keras": other}


def averaged_momentum_paths(
    hessian: Any, start: Any, learning_rate: float, average_rate: float, share: float, steps: int
) -> dict[str, Any]:
    """The newest gradient and the average, each with its rate. Source: S 9.4."""
    return _both(AveragedMomentum(learning_rate, average_rate, share), hessian, start, steps)


def adagrad_paths(
    hessian: Any, start: Any, learning_rate: float, delta: float, form: str, steps: int
) -> dict[str, Any]:  # fmt: skip
    """AdaGrad in one of its forms. Source: N, C 7.5.1, S 9.4."""
    return _both(AdaGrad(learning_rate, delta, form), hessian, start, steps)


def adagrad_change(gradient: Any, learning_rate: float, delta: float, form: str) -> dict[str, Any]:
    """The first step of AdaGrad. Source: N, C 7.5.1, S 9.4."""
    theta, optimizer = keras.Variable(ops.zeros_like(gradient)), AdaGrad(learning_rate, delta, form)
    optimizer.build([theta])

    def run(gradient: Any) -> Any:
        optimizer.apply([gradient], [theta])
        return tf.identity(theta.value)

    return {"change": compiled(run)(gradient)}


def windowed_adagrad_paths(
    hessian: Any, start: Any, learning_rate: float, window: int, delta: float, steps: int
) -> dict[str, Any]:
    """AdaGrad over the last tau + 1 gradients. Source: S 9.4."""
    return _both(WindowedAdaGrad(learning_rate, window, delta), hessian, start, steps)


def rmsprop_paths(
    hessian: Any, start: Any, learning_rate: float, decay: float, delta: float, steps: int
) -> dict[str, Any]:  # fmt: skip
    """RMSProp. Source: C 7.5.2, N."""
    return _both(RMSProp(learning_rate, decay, delta), hessian, start, steps)


def adam_paths(
    hessian: Any, start: Any, learning_rate: float, first_decay: float, second_decay: float, delta: float, steps: int
) -> dict[str, Any]:
    """Adam. Source: C 7.5.3."""
    return _both(Adam(learning_rate, first_decay, second_decay, delta), hessian, start, steps)


def adam_against_keras(
    hessian: Any, start: Any, learning_rate: float, first_decay: float, second_decay: float, delta: float, steps: int
) -> dict[str, Any]:
    """The same delta after the correction, and before it as in Keras. Source: C 7.5.3."""
    theirs = keras.optimizers.Adam(learning_rate, first_decay, second_decay, epsilon=delta)
    ours = Adam(learning_rate, first_decay, second_decay, delta)
    (path,), (other,) = (_walk(each, (_quadratic,), hessian, start, steps) for each in (ours, theirs))
    return {"weights": path, "weights_of_keras": other}


def delta_bar_delta_paths(
    hessian: Any,
    start: Any,
    learning_rate: float,
    increase: float,
    decrease: float,
    averaging: float,
    steps: int,
) -> dict[str, Any]:
    """Delta-bar-delta: the paths, and how much each rate has grown. Source: C 7.5."""
    optimizer = DeltaBarDelta(learning_rate, increase, decrease, averaging, full_batch=True)
    paths = _both(optimizer, hessian, start, steps)
    gains = optimizer.gains[0]
    return {**paths, "quadratic_gains": gains[0], "wells_gains": gains[1]}


def batch_sizes_in_one_epoch(
    x: Any, y: Any, theta: float, learning_rate: float, batch_sizes: Any
) -> dict[str, Any]:  # fmt: skip
    """One pass over the data: one update of the whole, several of mini-batches, one an example. Source: C 7.1.2."""

    def epoch(size: int) -> Any:
        slope, optimizer = keras.Variable(ops.full((), theta, dtype=x.dtype)), GradientDescent(learning_rate)
        optimizer.build([slope])

        def run(x: Any, y: Any) -> Any:
            for begin in range(0, x.shape[0], size):
                inputs, targets = x[begin : begin + size], y[begin : begin + size]
                with tf.GradientTape() as tape:
                    loss = ops.mean((slope.value * inputs - targets) ** 2) / 2
                optimizer.apply([tape.gradient(loss, slope.value)], [slope])
            return tf.identity(slope.value)

        return compiled(run)(x, y), optimizer.iterations

    thetas, updates = zip(*(epoch(int(size)) for size in batch_sizes), strict=True)
    return {"theta": ops.stack(thetas), "updates": [int(count) for count in updates]}


def error_of_gradient_estimates(sigma: float, examples: Any) -> dict[str, Any]:
    """A hundred times the examples: a hundred times the work, a tenth of the error. Source: C 7.1.2."""
    error = compiled(standard_error)(sigma, examples)
    return {"error": error, "work": examples[-1] / examples[0], "gain": error[0] / error[-1]}


def gradient_of_negative_log_likelihood(logits: Any, labels: Any, learning_rate: float) -> dict[str, Any]:
    """J = -E log p: its gradient carries the minus sign, and a step against it lowers J. Source: C 7.1.2."""
    z, optimizer = keras.Variable(logits, dtype=logits.dtype), GradientDescent(learning_rate)
    loss = SoftmaxLoss(dtype=str(keras.backend.standardize_dtype(logits.dtype)))
    optimizer.build([z])

    def run(labels: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            before = loss(labels, z.value)
        gradient = tape.gradient(before, z.value)
        optimizer.apply([gradient], [z])
        return gradient, ops.stack([before, loss(labels, z.value)])

    gradient, costs = compiled(run)(labels)
    return {"gradient": gradient, "costs": costs}


def momentum_velocities(gradients: Any, learning_rate: float, momentum: float) -> dict[str, Any]:
    """v(1), v(2), v(3) under given gradients. Source: C 7.3.2."""
    theta, optimizer = keras.Variable(ops.zeros_like(gradients[0])), Momentum(learning_rate, momentum)
    optimizer.build([theta])

    def run(gradients: Any) -> Any:
        velocities = []
        for t in range(gradients.shape[0]):
            optimizer.apply([gradients[t]], [theta])
            velocities.append(tf.identity(optimizer.velocities[0].value))
        return ops.stack(velocities)

    return {"velocities": compiled(run)(gradients)}


def momentum_contributions(momentum: Any, steps: int) -> dict[str, Any]:
    """What the newest, the second, the third gradient contribute to v(3), in percent. Source: C 7.3.2."""
    return {"percent": 100 * compiled(past_gradient_weights)(momentum, steps)}


def momentum_terminal_speed(momentum: Any) -> dict[str, Any]:
    """How many plain steps one step of momentum is worth at last. Source: C 7.3.2."""
    return {"speed": compiled(terminal_speed)(momentum)}
