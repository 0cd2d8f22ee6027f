"""Images blurred or sharpened at random."""

from __future__ import annotations

from typing import Any

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.ops.augmentation import in_range, require_not_negative
from keras_course.ops.augmentation_pixels import blur_images, sharpen_images

__all__ = ["RandomBlur", "RandomSharpen"]


@register("RandomBlur")
class RandomBlur(Augmentation):
    """Blurs each image with a Gaussian of random width.

    y = G(s) x along rows and columns,   s uniform in [0, sigma) pixels; mirrored at the edge, so the mean stays

    One uniform number an example.

    Args:
        sigma: float >= 0, largest width in pixels.
        radius: int >= 1, where the Gaussian is cut off, in pixels.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels), sides of at least radius.

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if sigma is negative or not finite, radius is no positive integer, or the input does not fit.

    Example:
        >>> from keras import ops
        >>> edge = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]), (1, 1, 4, 1))
        >>> blurred = RandomBlur(2.0, radius=1)(edge, ops.convert_to_tensor([[0.5]]))
        >>> ops.convert_to_numpy(blurred).astype("float64").round(3).ravel().tolist()
        [0.0, 0.274, 0.726, 1.0]

    Source: S 9.3.
    """

    ranks = (4,)

    def __init__(self, sigma: float = 1.0, radius: int = 2, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_not_negative("RandomBlur", sigma=sigma)
        require_positive_int("RandomBlur", radius=radius)
        self.sigma = sigma
        self.radius = radius

    def draws(self, shape: Any) -> int:
        return 1

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        return blur_images(inputs, in_range(uniforms[:, 0], 0.0, self.sigma), self.radius)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sigma": self.sigma, "radius": self.radius}


@register("RandomSharpen")
class RandomSharpen(Augmentation):
    """Strengthens the edges of each image by a random amount.

    y = x + a (x - G(sigma) x),   a uniform in [0, amount)

    One uniform number an example. Edges overshoot: clip afterwards where values beyond the range do harm.

    Args:
        amount: float >= 0, largest strength.
        sigma: float >= 0, width in pixels of the blur that finds the edges.
        radius: int >= 1, where its Gaussian is cut off, in pixels.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels), sides of at least radius.

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if amount or sigma is negative or not finite, radius is no positive integer, or the input does not
            fit.

    Example:
        >>> from keras import ops
        >>> edge = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]), (1, 1, 4, 1))
        >>> sharpened = RandomSharpen(2.0, radius=1)(edge, ops.convert_to_tensor([[0.5]]))
        >>> ops.convert_to_numpy(sharpened).astype("float64").round(3).ravel().tolist()
        [0.0, -0.274, 1.274, 1.0]

    Source: S 9.3.
    """

    ranks = (4,)

    def __init__(
        self, amount: float = 1.0, sigma: float = 1.0, radius: int = 2, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_not_negative("RandomSharpen", amount=amount, sigma=sigma)
        require_positive_int("RandomSharpen", radius=radius)
        self.amount = amount
        self.sigma = sigma
        self.radius = radius

    def draws(self, shape: Any) -> int:
        return 1

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        return sharpen_images(inputs, in_range(uniforms[:, 0], 0.0, self.amount), self.sigma, self.radius)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amount": self.amount, "sigma": self.sigma, "radius": self.radius}
