"""Ancestral sampling from a mixture: first the component, then the sample."""

import keras
import tensorflow as tf

from keras_course.core.seeds import uniform_noise


def draw_components(weights, seed, n):
    """z ~ pi by inverting the cumulative weights at uniform numbers: the same in eager code, graphs and XLA.

    Args:
        weights: tensor (M,), sums to 1.
        seed: int32 tensor (2,).
        n: int or int32 scalar tensor.

    Returns:
        int32 tensor (n,), values in [0, M).
    """
    uniform = uniform_noise((n, 1), seed, keras.backend.standardize_dtype(weights.dtype))
    return tf.reduce_sum(tf.cast(uniform >= tf.cumsum(weights)[:-1], "int32"), axis=1)
