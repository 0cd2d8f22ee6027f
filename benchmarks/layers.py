"""One layer forwards and backwards, as a graph: the work of the benchmarks of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["forwards_and_backwards"]


def forwards_and_backwards(layer: Any, inputs: Any, weights: Sequence[Any]) -> Callable[[], list[Any]]:
    """A compiled function: the sum of squares of the output, its gradients by the inputs and by every weight.

    Args:
        layer: callable on a tensor (Keras 3's layer or Keras 2's).
        inputs: array, put on the device once.
        weights: Keras or TensorFlow variables.

    Returns:
        Function without arguments that returns [output, gradient by the inputs, gradients by the weights] as arrays.
    """
    import tensorflow as tf

    constant = tf.constant(inputs)
    variables = [weight if isinstance(weight, tf.Variable) else weight.value for weight in weights]

    @tf.function(autograph=False)
    def step() -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(constant)
            outputs = layer(constant)
            target = tf.reduce_sum(tf.square(outputs))
        return [outputs, *tape.gradient(target, [constant, *variables])]

    return lambda: [tensor.numpy() for tensor in step()]
