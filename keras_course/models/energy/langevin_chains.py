"""Chains that sample from an energy by Langevin dynamics, many at a time, in one loop of a graph.

    x <- x - eta grad E(x) + sqrt(2 eta T) noise       samples exp(-E / T) up to a bias of the order of eta

Any function of x with an energy a row will do: a model's `energy`, or a combination of several by
`ops.energy_models`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_course.core.loops import traced
from keras_course.core.seeds import fold_in, normal_noise, seed_pair
from keras_course.ops.langevin import langevin_proposal

__all__ = ["energy_gradient", "langevin_chain", "langevin_walk", "normal_starts"]


def energy_gradient(energy: Callable[[Any], Any], x: Any) -> Any:
    """grad E at every row of x.

    Args:
        energy: function (N, ...) -> (N,), rows apart.
        x: tensor (N, ...).

    Returns:
        Tensor like x.

    Example:
        >>> energy_gradient(lambda x: x[:, 0] ** 2, tf.constant([[3.0, 1.0]])).numpy().tolist()
        [[6.0, 0.0]]

    Source: C 17.3.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = energy(x)
    return tf.convert_to_tensor(tape.gradient(total, x, unconnected_gradients=tf.UnconnectedGradients.ZERO))


def langevin_walk(energy: Callable[[Any], Any], x: Any, noise: Any, step_size: float, temperature: float = 1.0) -> Any:
    """As many steps as there is noise: a deterministic function of its random numbers.

    x <- x - eta grad E(x) + sqrt(2 eta T) noise_k

    Args:
        energy: function (N, ...) -> (N,), rows apart.
        x: tensor (N, ...), where the chains start.
        noise: tensor (K, N, ...), standard normal.
        step_size: float > 0, eta.
        temperature: float >= 0, T; 0 is gradient descent.

    Returns:
        Tensor like x, after K steps.

    Example:
        >>> float(langevin_walk(lambda x: x[:, 0] ** 2 / 2, tf.ones((1, 1)), tf.zeros((2, 1, 1)), 0.5)[0, 0])
        0.25

    Source: R (Langevin dynamics); Du and Mordatch 2019.
    """
    x, noise = tf.convert_to_tensor(x), tf.convert_to_tensor(noise)
    steps = noise.shape[0] if noise.shape[0] is not None else tf.shape(noise)[0]
    return _loop(energy, x, lambda step, _: noise[step], steps, step_size, temperature)


def langevin_chain(
    energy: Callable[[Any], Any], x: Any, seed: Any, steps: Any, step_size: float, temperature: float = 1.0
) -> Any:
    """Chains from x, whose noise is drawn on the way; the same for the same seed.

    Args:
        energy: function (N, ...) -> (N,), rows apart.
        x: tensor (N, ...), where the chains start.
        seed: int, or integer tensor (2,).
        steps: int, or a scalar integer tensor.
        step_size: float > 0, eta.
        temperature: float >= 0, T.

    Returns:
        Tensor like x.

    Example:
        >>> x = langevin_chain(lambda x: x[:, 0] ** 2 / 2, tf.zeros((500, 1)), 1, 60, 0.1)
        >>> bool(0.8 < tf.math.reduce_std(x) < 1.2)
        True

    Source: R (Langevin dynamics); Du and Mordatch 2019.
    """
    x = tf.convert_to_tensor(x)
    dtype = keras.backend.standardize_dtype(x.dtype)
    seed = seed_pair(seed)

    def noise(step: Any, x: Any) -> Any:
        return tf.reshape(normal_noise((tf.size(x),), fold_in(seed, step), dtype), tf.shape(x))

    return traced(lambda x, steps: _loop(energy, x, noise, steps, step_size, temperature))(x, tf.cast(steps, "int32"))


def normal_starts(n: Any, shape: tuple[int, ...], scale: float, seed: Any, dtype: str) -> Any:
    """Where chains begin: N(0, scale^2 I), (n, *shape)."""
    return scale * normal_noise((n, *shape), seed, dtype)


def _loop(energy: Any, x: Any, noise_of: Any, steps: Any, step_size: float, temperature: float) -> Any:
    warmth = temperature**0.5

    def move(step: Any, x: Any) -> Any:
        noise = warmth * noise_of(step, x)
        return step + 1, langevin_proposal(x, -energy_gradient(energy, x), noise, step_size, form="eta")

    shapes = (tf.TensorShape(()), tf.TensorShape((None, *x.shape[1:])))
    return tf.while_loop(lambda step, _: step < steps, move, (0, x), shape_invariants=shapes, maximum_iterations=steps)[
        1
    ]
