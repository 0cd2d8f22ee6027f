"""The halves of a context encoder that nobody brought: what makes an image of features, and what judges a filling.

    decoder        features (F,)      -> dense, (h, w, m) ->               up-convolutions -> H W C
                   features (h, w, m) -> channel-wise dense -> 1 x 1 ->    up-convolutions -> H W C
    discriminator  H W C -> convolutions of stride 2 -> one score, positive for "real"

An up-convolution (transposed, kernel 4, stride 2) doubles the grid. No batch normalization: replicas with uneven
shares of a batch, one of them perhaps empty, train as one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_course.core.seeds import derive_seed
from keras_course.layers.channelwise_dense import ChannelwiseDense
from keras_course.layers.convolution import Convolution2D

__all__ = ["filling_decoder", "region_discriminator"]


def filling_decoder(
    features: Sequence[int | None], shape: tuple[int, int, int], maps: int = 32, seed: int = 0, dtype: Any = None
) -> keras.Sequential:
    """From features to an image, without activation at the end.

    Args:
        features: shape of one example's features, (F,) or (h, w, m) with H / h = W / w a power of 2.
        shape: (H, W, C) of the image.
        maps: int >= 1, of the first grid; half as many after each doubling.
        seed: int, root of the initial weights.
        dtype: policy of the layers.

    Returns:
        keras.Sequential, not built.

    Raises:
        ValueError: for features of another rank, or a grid that does not double up to the image's.

    Example:
        >>> decoder = filling_decoder((6,), (8, 8, 1), maps=4)
        >>> tuple(decoder(keras.ops.zeros((2, 6))).shape)
        (2, 8, 8, 1)

    Source: R; Pathak et al. 2016.
    """
    height, width, channels = shape
    layers: list[Any] = []

    def start(name: str) -> Any:
        return keras.initializers.GlorotUniform(derive_seed(seed, "decoder", name))

    if len(features) == 1:
        grid = (height, width)
        for _ in range(2):
            if grid[0] % 2 == grid[1] % 2 == 0:
                grid = (grid[0] // 2, grid[1] // 2)
        layers.append(
            keras.layers.Dense(
                grid[0] * grid[1] * maps, "relu", kernel_initializer=start("dense"), dtype=dtype, name="dense"
            )
        )
        layers.append(keras.layers.Reshape((*grid, maps), dtype=dtype, name="grid"))
    elif len(features) == 3 and None not in features:
        grid = (int(features[0] or 0), int(features[1] or 0))
        across = derive_seed(seed, "decoder", "across")
        layers.append(ChannelwiseDense("relu", seed=across, dtype=dtype, name="across"))
        layers.append(
            Convolution2D(maps, 1, activation="relu", kernel_initializer=start("between"), dtype=dtype, name="between")
        )
    else:
        raise ValueError(
            "filling_decoder needs features (F,) or (h, w, m) of known size. "
            f"Received: features={tuple(features)}; give a decoder of your own"
        )
    while grid[0] < height and grid[1] < width:
        grid, maps = (2 * grid[0], 2 * grid[1]), max(maps // 2, 4)
        name = f"up_{grid[0]}"
        layers.append(
            keras.layers.Conv2DTranspose(
                maps, 4, 2, "same", activation="relu", kernel_initializer=start(name), dtype=dtype, name=name
            )
        )
    if grid != (height, width):
        raise ValueError(
            f"filling_decoder doubles a grid until it is the image's, {height} x {width}. Received: "
            f"features={tuple(features)}; give a decoder of your own"
        )
    layers.append(
        Convolution2D(channels, 3, padding="same", kernel_initializer=start("image"), dtype=dtype, name="image")
    )
    return keras.Sequential(layers, name="decoder")


def region_discriminator(maps: int = 16, seed: int = 0, dtype: Any = None) -> keras.Sequential:
    """From an image to the score that it is real, two convolutions of stride 2 deep.

    Args:
        maps: int >= 1, of the first convolution; twice as many in the second.
        seed: int, root of the initial weights.
        dtype: policy of the layers.

    Returns:
        keras.Sequential (B, H, W, C) -> (B, 1), not built.

    Example:
        >>> tuple(region_discriminator(2)(keras.ops.zeros((3, 8, 8, 1))).shape)
        (3, 1)

    Source: R; Pathak et al. 2016.
    """
    layers: list[Any] = []
    for level, width in enumerate((maps, 2 * maps)):
        initializer = keras.initializers.HeNormal(derive_seed(seed, "discriminator", level))
        layers.append(
            Convolution2D(width, 3, 2, "same", kernel_initializer=initializer, dtype=dtype, name=f"judge_{level}")
        )
        layers.append(keras.layers.LeakyReLU(0.2, dtype=dtype, name=f"leaky_{level}"))
    layers.append(keras.layers.Flatten(dtype=dtype, name="flat"))
    initializer = keras.initializers.GlorotUniform(derive_seed(seed, "discriminator", "score"))
    layers.append(keras.layers.Dense(1, kernel_initializer=initializer, dtype=dtype, name="score"))
    return keras.Sequential(layers, name="discriminator")
