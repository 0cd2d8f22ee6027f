"""Deep convolutional GAN: the two networks for images that made adversarial training work, in small.

    generator      z -> dense -> (h, w, m) -> [batch norm, ReLU, up-convolution of stride 2] ... -> H W C, no activation
    discriminator  H W C -> [convolution of stride 2, batch norm, leaky ReLU 0.2] ... -> dense -> one score

An up-convolution (transposed, kernel 4, stride 2) doubles the grid, the maps halve. The generator's last layer and the
discriminator's first have no normalization. All weights start from N(0, 0.02^2).

Batch normalization makes a score depend on the other images of its batch: under two replicas the networks train as on
half the batch, and a gradient penalty has no meaning. `normalization=None` for WGAN and for several replicas.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int

__all__ = ["dcgan_networks"]

SPREAD = 0.02


def dcgan_networks(
    shape: Any,
    latent: int,
    maps: int = 32,
    levels: int = 2,
    normalization: str | None = "batch",
    spread: float = SPREAD,
    seed: int = 0,
    dtype: Any = None,
) -> dict[str, keras.Sequential]:
    """Generator and discriminator of a convolutional GAN, as arguments of `GAN` and `WGAN`.

    Args:
        shape: (H, W, C) of the image, H and W multiples of 2**levels.
        latent: int Z >= 1; with classes the number of classes more.
        maps: int >= 1, of the layer next to the image; twice as many a level further in.
        levels: int >= 1, doublings.
        normalization: "batch", or None for none.
        spread: float > 0, standard deviation of the initial kernels; 0.02 is for wide layers, small networks without
            normalization need about 0.1.
        seed: int, root of the initial weights.
        dtype: policy of the layers.

    Returns:
        {"generator": (B, Z) -> (B, H, W, C), "discriminator": (B, H, W, any) -> (B, 1)}, not built.

    Raises:
        ValueError: for a shape that does not halve so often, or arguments out of range.

    Example:
        >>> networks = dcgan_networks((8, 8, 1), latent=5, maps=2)
        >>> made = networks["generator"](keras.ops.zeros((3, 5)))
        >>> tuple(made.shape), tuple(networks["discriminator"](made).shape)
        ((3, 8, 8, 1), (3, 1))

    Source: C 19.5, R; Radford, Metz and Chintala 2016.
    """
    height, width, channels = normalize_tuple("dcgan_networks", shape, 3, "shape")
    require_positive_int("dcgan_networks", latent=latent, maps=maps, levels=levels)
    require_one_of("dcgan_networks", ("batch", None), normalization=normalization)
    if not spread > 0:
        raise ValueError(f"dcgan_networks needs spread > 0. Received: spread={spread!r}")
    if height % 2**levels or width % 2**levels:
        raise ValueError(
            f"dcgan_networks needs a height and width that halve {levels} times. Received: shape={tuple(shape)}"
        )

    def start(*path: object) -> Any:
        return keras.initializers.RandomNormal(stddev=spread, seed=derive_seed(seed, "dcgan", *path))

    def normalized(name: str) -> list[Any]:
        if normalization is None:
            return []
        return [keras.layers.BatchNormalization(momentum=0.9, dtype=dtype, name=f"norm_{name}")]

    grid, most = (height // 2**levels, width // 2**levels), maps * 2 ** (levels - 1)
    making: list[Any] = [
        keras.Input((latent,), dtype=None if dtype is None else keras.dtype_policies.get(dtype).compute_dtype),
        keras.layers.Dense(grid[0] * grid[1] * most, kernel_initializer=start("dense"), dtype=dtype, name="dense"),
        keras.layers.Reshape((*grid, most), dtype=dtype, name="grid"),
    ]
    judging: list[Any] = []
    for level in range(levels):
        out = most // 2 ** (level + 1) if level < levels - 1 else channels
        making += [*normalized(f"up_{level}"), keras.layers.ReLU(dtype=dtype, name=f"relu_{level}")]
        making.append(
            keras.layers.Conv2DTranspose(
                out, 4, 2, "same", kernel_initializer=start("up", level), dtype=dtype, name=f"up_{level}"
            )
        )
        judging.append(
            keras.layers.Conv2D(
                maps * 2**level, 4, 2, "same", kernel_initializer=start("judge", level), dtype=dtype,
                name=f"judge_{level}",
            )
        )  # fmt: skip
        judging += normalized(f"judge_{level}") if level else []
        judging.append(keras.layers.LeakyReLU(0.2, dtype=dtype, name=f"leaky_{level}"))
    judging.append(keras.layers.Flatten(dtype=dtype, name="flat"))
    judging.append(keras.layers.Dense(1, kernel_initializer=start("score"), dtype=dtype, name="score"))
    return {
        "generator": keras.Sequential(making, name="generator"),
        "discriminator": keras.Sequential(judging, name="discriminator"),
    }
