"""One of several augmentations for each example, the more relevant ones more often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.ops.augmentation import choose, require_relevance, select_by_example

__all__ = ["WeightedChoice"]


@register("WeightedChoice")
class WeightedChoice(Augmentation):
    """Changes each example by one of several transforms, drawn with probability proportional to its relevance.

    y_b = transform_i(x_b),   P(i) = relevance_i / sum_j relevance_j, each example by itself

    Uniform numbers an example: one for the choice, and as many as the neediest transform takes; the others use the
    first of the same numbers, since one transform alone counts. Every transform is computed for the whole batch, so the
    cost is that of all of them. To leave some examples alone, put RandomShift(0) among the transforms.

    Args:
        transforms: sequence of `Augmentation` layers for the same kind of input; their own seeds are not used.
        relevance: as many finite numbers >= 0, not all 0; None makes all equally relevant.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        What every transform takes.

    Output shape:
        That of the input.

    Raises:
        ValueError: if transforms are none or no augmentations, or relevance does not fit.

    Example:
        >>> from keras import ops
        >>> from keras_course.layers import RandomColourShift, RandomShift
        >>> layer = WeightedChoice([RandomShift(0), RandomColourShift(0.5)], relevance=[3.0, 1.0])
        >>> uniforms = ops.convert_to_tensor([[0.7, 0.75, 0.0], [0.8, 0.75, 0.0]])
        >>> ops.convert_to_numpy(layer(ops.ones((2, 1, 1, 1)), uniforms)).ravel().tolist()
        [1.0, 1.25]

    Source: S 9.3, C 6.4.
    """

    def __init__(
        self,
        transforms: Sequence[Any],
        relevance: Sequence[float] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        transforms = [
            keras.saving.deserialize_keras_object(each) if isinstance(each, dict) else each for each in transforms
        ]
        if not transforms or not all(isinstance(each, Augmentation) for each in transforms):
            raise ValueError(
                f"WeightedChoice needs augmentation layers, at least one. Received: transforms={transforms}"
            )
        if len({each.integers for each in transforms}) > 1:
            raise ValueError(f"WeightedChoice takes transforms of one kind of input. Received: transforms={transforms}")
        relevance = [1.0] * len(transforms) if relevance is None else list(relevance)
        require_relevance("WeightedChoice", relevance)
        if len(relevance) != len(transforms):
            raise ValueError(
                f"WeightedChoice needs a relevance a transform. "
                f"Received: {len(transforms)} transforms, relevance={relevance}"
            )
        self.transforms = transforms
        self.relevance = relevance
        self.integers = transforms[0].integers
        common = set.intersection(*({*each.ranks} for each in transforms))
        if not common:
            raise ValueError(f"WeightedChoice takes transforms of one kind of input. Received: transforms={transforms}")
        self.ranks = tuple(sorted(common))

    def build(self, input_shape: Any) -> None:
        for each in self.transforms:
            if not each.built:
                each.build(input_shape)
        super().build(input_shape)

    def draws(self, shape: Any) -> int:
        return 1 + max(int(each.draws(shape)) for each in self.transforms)

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        choice = choose(uniforms[:, 0], self.relevance)  # (B,)
        changed = [each.transform(inputs, uniforms[:, 1 : 1 + each.draws(inputs.shape)]) for each in self.transforms]
        return select_by_example(changed, choice)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "transforms": [keras.saving.serialize_keras_object(each) for each in self.transforms],
            "relevance": list(self.relevance),
        }
