"""The trunk that a pretext task trains and a probe freezes: a layer or model of yours, or stages of convolutions.

    h_0 = x,   h_s = pool(f(... f(W_s1 * h_{s-1})))   s = 1 ... S - 1      3 x 3, zero padding, 2 x 2 maxima
    features = max over rows and columns of the last stage, which is not pooled

A feature is the strongest answer of one map anywhere in the image: with global maxima the trunk takes images of any
size, and moving an object by a multiple of all poolings changes little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.datasets import epoch_order
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import GlobalMaxPooling, MaxPooling

__all__ = ["image_trunk", "require_images", "train_supervised", "trunk_of"]


def image_trunk(channels: int, stages: Sequence[Sequence[int]], seed: int = 0, dtype: Any = None) -> keras.Sequential:
    """Stages of 3 x 3 convolutions with 2 x 2 poolings between them and a global maximum behind.

    features_f = max_{r, c} h_S[r, c, f]

    Args:
        channels: int, of the images.
        stages: for each stage the maps of its convolutions; ((32, 32), (64,)) pools once.
        seed: int, root of the initial weights (He normal; each layer's own seed is derived from it).
        dtype: policy of the layers, None for the global one.

    Returns:
        keras.Sequential (B, H, W, C) -> (B, F), F the last number of maps, for images of any size.

    Raises:
        ValueError: for no stage, an empty one, or numbers below 1.

    Example:
        >>> tuple(image_trunk(1, ((4,), (6,)))(ops.zeros((2, 8, 8, 1))).shape)
        (2, 6)

    Source: R; C 10.
    """
    if not stages or not all(isinstance(stage, list | tuple) and stage for stage in stages):
        raise ValueError(f"image_trunk needs stages of convolutions, as ((16,), (32, 32)). Received: stages={stages!r}")
    require_positive_int("image_trunk", channels=channels)
    layers: list[Any] = [keras.Input((None, None, channels), dtype=keras.dtype_policies.get(dtype).compute_dtype)]
    for level, stage in enumerate(stages):
        if level:
            layers.append(MaxPooling(2, dtype=dtype, name=f"pool_{level - 1}"))
        for number, maps in enumerate(stage):
            name = f"conv_{level}_{number}"
            require_positive_int("image_trunk", **{f"stages[{level}][{number}]": maps})
            start = keras.initializers.HeNormal(derive_seed(seed, "trunk", name))
            layers.append(
                Convolution2D(
                    maps, 3, padding="zero", activation="relu", kernel_initializer=start, dtype=dtype, name=name
                )
            )
    layers.append(GlobalMaxPooling(dtype=dtype, name="strongest"))
    return keras.Sequential(layers, name="trunk")


def trunk_of(who: str, given: Any, channels: int, seed: int, dtype: Any) -> Any:
    """The trunk itself: a layer or model as it came, stages of convolutions built by `image_trunk`.

    Args:
        who: name of the model, for messages.
        given: Keras layer or model (B, H, W, C) -> (B, ...), or stages.
        channels: int, of the images.
        seed: int.
        dtype: policy.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(given, keras.layers.Layer):
        return given
    if not isinstance(given, list | tuple):
        raise ValueError(
            f"{who} takes a Keras layer or model, or stages of convolutions, as trunk. Received: trunk={given!r}"
        )
    return image_trunk(channels, given, seed, dtype)


def require_images(who: str, shape: Any, wanted: tuple[int, ...]) -> None:
    """Refuses what is no batch of images of the wanted (height, width, channels).

    Raises:
        ValueError: with the shape that came.
    """
    require_rank(who, shape, 4)
    if tuple(shape)[1:] != wanted:
        raise ValueError(f"{who} expects images (B, {', '.join(map(str, wanted))}). Received: shape={tuple(shape)}")


def train_supervised(trunk: Any, x: Any, y: Any, classes: int, epochs: int = 30, seed: int = 0) -> Callable[..., Any]:
    """What labels would have taught the trunk: trained under a dense softmax layer, with the class of every row.

    J = 1/N sum_i -log softmax(W' trunk(x_i) + b)_{y_i}

    The yardstick of a pretext task; the other one is the trunk that was never trained. Adam at 2e-3, batches of 64.

    Args:
        trunk: Keras layer or model (B, H, W, C) -> (B, F); its weights change.
        x: array (N, H, W, C).
        y: int array (N,).
        classes: int.
        epochs: int.
        seed: int, of the dense layer and of the order of rows.

    Returns:
        The trunk, as a function of images.

    Example:
        >>> import numpy as np
        >>> trunk = train_supervised(image_trunk(1, ((2,),)), np.zeros((4, 4, 4, 1)), np.zeros(4), 2, epochs=1)
        >>> tuple(trunk(ops.zeros((3, 4, 4, 1))).shape)
        (3, 2)

    Source: R; C 6.8.
    """
    start = keras.initializers.GlorotUniform(derive_seed(seed, "supervised"))
    network = keras.Sequential([trunk, keras.layers.Flatten(), keras.layers.Dense(classes, kernel_initializer=start)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(2e-3), loss)
    for epoch in range(epochs):
        order = epoch_order(seed, epoch, len(x))
        network.fit(x[order], y[order], batch_size=64, shuffle=False, verbose=0)
    return lambda images: trunk(ops.convert_to_tensor(images), training=False)
