"""Images whose colours are shifted at random."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.serial import register
from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.ops.augmentation import in_range, require_not_negative, require_range
from keras_course.ops.augmentation_pixels import shift_colours

__all__ = ["RandomColourShift"]


@register("RandomColourShift")
class RandomColourShift(Augmentation):
    """Adds a random number to every channel of an image, the same for all its pixels: other light, another camera.

    y[i, j, c] = x[i, j, c] + d[c],   d[c] uniform in +-amount, each channel by itself; then clipped to `value_range`

    One uniform number a channel and example: three for red, green and blue.

    Args:
        amount: float >= 0, largest shift, in the images' own units.
        value_range: None, or (low, high): values beyond are clipped.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if amount is negative or not finite, value_range is no range, or the input has not rank 4.

    Example:
        >>> layer = RandomColourShift(0.5, value_range=(0, 1))
        >>> uniforms = ops.convert_to_tensor([[0.0, 0.5, 0.75]])
        >>> ops.convert_to_numpy(layer(ops.full((1, 1, 1, 3), 0.25), uniforms)).ravel().tolist()
        [0.0, 0.25, 0.5]

    Source: S 9.3.
    """

    ranks = (4,)

    def __init__(self, amount: float = 0.1, value_range: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_not_negative("RandomColourShift", amount=amount)
        if value_range is not None:
            require_range("RandomColourShift", value_range=value_range)
        self.amount = amount
        self.value_range = None if value_range is None else tuple(value_range)

    def draws(self, shape: Any) -> int:
        return int(shape[-1])

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        shifted = shift_colours(inputs, in_range(uniforms, -self.amount, self.amount))
        return shifted if self.value_range is None else ops.clip(shifted, *self.value_range)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amount": self.amount, "value_range": self.value_range}
