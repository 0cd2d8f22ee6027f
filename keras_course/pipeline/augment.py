"""Augmentation of any tf.data.Dataset, repeatable: what changes an example is a pure function of (seed, epoch, index).

    uniforms of example i in epoch e = stateless_uniform([salt(seed) + 2**31 e, i]),   i = place in the data set

tf.random inside a parallel map does not repeat, seed or not; this does, with any number of workers, any batch size and
any order afterwards. Recipes have the same through `Recipe(augment=layer, augment_draws=layer.draws(shape))`, whose
numbers are those of `pipeline.batches`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_course.core.seeds import derive_seed

__all__ = ["augmented", "uniforms_of_example"]


def augmented(dataset: tf.data.Dataset, layer: Any, seed: int, epoch: Any = 0, workers: int = 1) -> tf.data.Dataset:
    """The data set with the first part of each example changed by an augmentation layer.

    Shuffle and batch afterwards: an example's index is its place in `dataset`.

    Args:
        dataset: single examples, without a batch axis: x, or (x, y, ...) of which x alone is changed.
        layer: `layers.Augmentation`, or any callable layer(x, uniforms) with a method draws(shape).
        seed: int, the run's seed.
        epoch: int, or an integer tf.Variable to set between epochs.
        workers: int, how many examples are changed at once; changes no bit of them.

    Returns:
        tf.data.Dataset of the same elements in the same order.

    Raises:
        ValueError: if the examples' shape is not known, or the layer refuses it.

    Example:
        >>> from keras_course.layers import RandomColourShift
        >>> grey = tf.data.Dataset.from_tensor_slices(tf.zeros((4, 1, 1, 1)))
        >>> layer = RandomColourShift(0.5)
        >>> first, again, other = (
        ...     [float(x[0, 0, 0]) for x in augmented(grey, layer, seed=3, epoch=epoch)] for epoch in (0, 0, 1)
        ... )
        >>> first == again, first == other
        (True, False)

    Source: C 6.4, S 9.3.
    """
    spec = dataset.element_spec
    shape = (spec[0] if isinstance(spec, tuple) else spec).shape
    if not shape.is_fully_defined():
        raise ValueError(f"augmented needs examples of known shape. Received: shape={shape}")
    draws = layer.draws((None, *shape))

    def change(index: tf.Tensor, example: Any) -> Any:
        x, *others = example if isinstance(example, tuple) else (example,)
        changed = layer(x[None], uniforms_of_example(seed, epoch, index, draws)[None])[0]
        return (changed, *others) if isinstance(example, tuple) else changed

    # Nothing here for autograph to convert, and tracing is faster without it.
    change = tf.autograph.experimental.do_not_convert(change)
    return dataset.enumerate().map(change, num_parallel_calls=workers, deterministic=True)


def uniforms_of_example(seed: int, epoch: Any, index: Any, draws: int) -> tf.Tensor:
    """The uniform numbers of one example in one epoch.

    Args:
        seed: int, the run's seed.
        epoch: int or integer tensor, >= 0 and below 2**31.
        index: int or integer tensor, the example's place in the data.
        draws: int, how many.

    Returns:
        float32 tensor (draws,), in [0, 1).
    """
    salt = tf.constant(derive_seed(seed, "augment"), tf.int64)
    key = tf.stack([salt + tf.cast(epoch, tf.int64) * 2**31, tf.cast(index, tf.int64)])
    return tf.random.stateless_uniform((draws,), key, alg="philox")
