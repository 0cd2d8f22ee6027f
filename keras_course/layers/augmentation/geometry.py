"""Images shifted, scaled, turned or all of it at random."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.serial import register
from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.ops.augmentation import in_packets, in_range, require_not_negative
from keras_course.ops.augmentation_warps import affine_images, rotate_images, scale_images, shift_images

__all__ = ["RandomAffine", "RandomRotation", "RandomScale", "RandomShift"]


@register("RandomShift")
class RandomShift(Augmentation):
    """Shifts each image by a random number of pixels along each axis.

    out[i, j] = in(i - a, j - b),   a uniform in +-down, b uniform in +-right; bilinear, `fill` outside

    Two uniform numbers an example: a from the first, b from the second. RandomShift(0, 0) leaves examples alone.

    Args:
        down: float >= 0, largest shift along the rows' axis, in pixels; fractions are fine.
        right: float >= 0, largest shift along the columns' axis, in pixels; None takes that of `down`.
        fill: float, the value that appears at the edge.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if a shift is negative or not finite, or the input has not rank 4.

    Example:
        >>> layer = RandomShift(down=0, right=2)
        >>> image = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0]), (1, 1, 3, 1))
        >>> ops.convert_to_numpy(layer(image, ops.convert_to_tensor([[0.5, 0.75]]))).ravel().tolist()
        [0.0, 1.0, 2.0]
        >>> ops.convert_to_numpy(layer(image)).ravel().tolist()
        [1.0, 2.0, 3.0]

    Source: S 9.3, C 6.4.
    """

    ranks = (4,)

    def __init__(
        self, down: float = 1.0, right: float | None = None, fill: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.down = down
        self.right = down if right is None else right
        require_not_negative("RandomShift", down=self.down, right=self.right)
        self.fill = fill

    def draws(self, shape: Any) -> int:
        return 2

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        down = in_range(uniforms[:, 0], -self.down, self.down)
        right = in_range(uniforms[:, 1], -self.right, self.right)
        return shift_images(inputs, down, right, self.fill)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "down": self.down, "right": self.right, "fill": self.fill}


@register("RandomScale")
class RandomScale(Augmentation):
    """Makes what each image shows larger or smaller by a random factor, about the image's centre.

    out[p] = in(c + (p - c) / f),   f = (1 + amount)**(2u - 1): log f uniform in +-log(1 + amount)

    So growing by a factor is as likely as shrinking by it. One uniform number an example.

    Args:
        amount: float >= 0: factors between 1 / (1 + amount) and 1 + amount.
        fill: float, the value that appears around a smaller image.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if amount is negative or not finite, or the input has not rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([0.0, 4.0, 8.0]), (1, 1, 3, 1))
        >>> ops.convert_to_numpy(RandomScale(3.0)(image, ops.convert_to_tensor([[0.75]]))).ravel().tolist()
        [2.0, 4.0, 6.0]

    Source: S 9.3, C 6.4.
    """

    ranks = (4,)

    def __init__(self, amount: float = 0.1, fill: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_not_negative("RandomScale", amount=amount)
        self.amount = amount
        self.fill = fill

    def draws(self, shape: Any) -> int:
        return 1

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        exponent = in_range(uniforms[:, 0], -1.0, 1.0)
        factor = in_packets(lambda power: ops.power(ops.cast(1 + self.amount, power.dtype), power), exponent)
        return scale_images(inputs, factor, self.fill)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amount": self.amount, "fill": self.fill}


@register("RandomRotation")
class RandomRotation(Augmentation):
    """Turns each image about its centre by a random angle.

    out[p] = in(c + R(a) (p - c)),   a uniform in +-angle radians; bilinear, `fill` in the corners

    Positive angles turn anticlockwise as the image is seen. One uniform number an example: below 1/2 clockwise.

    Args:
        angle: float >= 0, largest angle in radians (0.1 are 5.7 degrees).
        fill: float, the value that appears in the corners.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if angle is negative or not finite, or the input has not rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0, 4.0]), (1, 2, 2, 1))
        >>> turned = RandomRotation(3.14159265)(image, ops.convert_to_tensor([[0.75]]))
        >>> ops.convert_to_numpy(turned).round(4).ravel().tolist()
        [2.0, 4.0, 1.0, 3.0]

    Source: S 9.3, C 6.4.
    """

    ranks = (4,)

    def __init__(self, angle: float = 0.1, fill: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_not_negative("RandomRotation", angle=angle)
        self.angle = angle
        self.fill = fill

    def draws(self, shape: Any) -> int:
        return 1

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        return rotate_images(inputs, in_range(uniforms[:, 0], -self.angle, self.angle), self.fill)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "angle": self.angle, "fill": self.fill}


@register("RandomAffine")
class RandomAffine(Augmentation):
    """Shifts, turns, scales and shears each image at random, in one interpolation.

    y = c_y + (cos(a) (p_y - c_y) + (sin(a) + s) (p_x - c_x)) / f - down
    x = c_x + (-sin(a) (p_y - c_y) + cos(a) (p_x - c_x)) / f - right,   out[p] = in(y, x)

    Three layers in a row interpolate three times, and each time blurs: on small images that is much of what they show.
    Five uniform numbers an example: shifts down and right, angle, logarithm of the factor, shear, each uniform in its
    range, as the layers for one of them draw it.

    Args:
        down: float >= 0, largest shift along the rows' axis, in pixels of the input.
        right: float >= 0, along the columns' axis; None takes that of `down`.
        angle: float >= 0, largest angle in radians.
        amount: float >= 0: factors between 1 / (1 + amount) and 1 + amount.
        shear: float >= 0, largest s: rows by which a column one to the right is read further down, or up.
        fill: float, the value that appears outside.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if a range is negative or not finite, or the input has not rank 4.

    Example:
        >>> layer = RandomAffine(down=0, right=2, angle=0, amount=0, shear=0)
        >>> image = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0]), (1, 1, 3, 1))
        >>> uniforms = ops.convert_to_tensor([[0.5, 0.75, 0.5, 0.5, 0.5]])
        >>> ops.convert_to_numpy(layer(image, uniforms)).ravel().tolist()
        [0.0, 1.0, 2.0]

    Source: S 9.3, C 6.4.
    """

    ranks = (4,)

    def __init__(
        self,
        down: float = 1.0,
        right: float | None = None,
        angle: float = 0.1,
        amount: float = 0.1,
        shear: float = 0.1,
        fill: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.down, self.right = down, down if right is None else right
        self.angle, self.amount, self.shear, self.fill = angle, amount, shear, fill
        require_not_negative("RandomAffine", down=self.down, right=self.right, angle=angle, amount=amount, shear=shear)

    def draws(self, shape: Any) -> int:
        return 5

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        ends = (self.down, self.right, self.angle, 1.0, self.shear)
        down, right, angle, exponent, shear = (
            in_range(uniforms[:, place], -end, end) for place, end in enumerate(ends)
        )
        factor = in_packets(lambda power: ops.power(ops.cast(1 + self.amount, power.dtype), power), exponent)
        return affine_images(inputs, down, right, angle, factor, shear, self.fill)

    def get_config(self) -> dict[str, Any]:
        names = ("down", "right", "angle", "amount", "shear", "fill")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
