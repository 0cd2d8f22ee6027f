"""Predicting rotations: the labels are made, by turning each image, and cost nothing.

    x^k = image x turned by k * 90 degrees,  k = 0 1 2 3
    J = 1/N sum_i 1/4 sum_k -log F^k(x_i^k),   F = softmax(W' trunk(x) + b)

Which way up an object is can be told only by knowing something about the object. A trunk that does not see rotations
gives every F^k alike, and J is at least log 4 = 1.386. Classes that turn into each other (6 and 9), or into themselves
(0, 1, 8), leave a part of J that nothing can remove.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.seeds import uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of
from keras_course.layers.sub_networks import told
from keras_course.models.selfsupervised.pretext_task import PretextTask
from keras_course.models.selfsupervised.trunk import require_images, trunk_of
from keras_course.ops.rotations import TURNS, all_quarter_turns, quarter_turns

__all__ = ["RotationPrediction"]


@register("RotationPrediction")
class RotationPrediction(PretextTask):
    """A trunk under a head that says by which of four rotations an image was turned; `call` returns its logits.

    J = 1/N sum_i 1/4 sum_k -log softmax(W' trunk(turn_k x_i) + b)_k

    `fit(x)` needs no labels; a y that comes is not looked at. All four rotations of an image are in one step, as in the
    paper, or one drawn from (seed, step), a quarter of the work; `evaluate` always takes all four. `compile()` takes an
    optimizer, no loss. `accuracy` is the share of rotations found.

    Args:
        shape: (N, N, channels) of one image, square.
        trunk: Keras layer or model (B, N, N, C) -> (B, ...), or stages of convolutions for `image_trunk`.
        rotations: "all" or "one", of each image in a training step.
        units: int >= 0, width of a hidden layer between trunk and logits, which takes the pretext task upon itself; 0
            for none.
        seed: int, root of the initial weights and of the rotations drawn.
        **kwargs: as keras.Model.

    Input shape:
        (B, N, N, C), images as they are.

    Output shape:
        (B, 4), logits of the rotation of each.

    Raises:
        ValueError: for images that are not square, or a loss in `compile`.

    Example:
        >>> model = RotationPrediction((8, 8, 1), ((4,), (6,)))
        >>> x = ops.ones((2, 8, 8, 1))
        >>> tuple(model(x).shape), tuple(model.encode(x).shape)
        ((2, 4), (2, 6))

    Source: R (predicting rotations); C 6.8; Gidaris, Singh, Komodakis 2018.
    """

    def __init__(
        self, shape: Any, trunk: Any, rotations: str = "all", units: int = 0, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.image_shape = normalize_tuple("RotationPrediction", shape, 3, "shape")
        if self.image_shape[0] != self.image_shape[1]:
            raise ValueError(f"RotationPrediction turns square images. Received: shape={self.image_shape}")
        require_one_of("RotationPrediction", ("all", "one"), rotations=rotations)
        if isinstance(units, bool) or not isinstance(units, int) or units < 0:
            raise ValueError(f"RotationPrediction needs an integer units >= 0. Received: units={units!r}")
        self.rotations, self.units = rotations, units
        self.given = told(trunk)
        self.trunk = trunk_of("RotationPrediction", trunk, self.image_shape[2], seed, self.dtype_policy)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.hidden = self._dense(units, "hidden", "relu") if units else None
        self.head = self._dense(TURNS, "head", None)
        self.build((None, *self.image_shape))

    def build(self, input_shape: Any) -> None:
        self.call(keras.KerasTensor((None, *self.image_shape), dtype=self.compute_dtype))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Logits (B, 4); in training those of the turned images and the turns, {"logits", "labels"}, for the loss."""
        return self.pretext(inputs, True) if training else self._judged(self.encode(inputs))

    def _judged(self, features: Any) -> Any:
        return self.head(features if self.hidden is None else self.hidden(features))  # (B, 4)

    def encode(self, images: Any, training: bool | None = False) -> Any:
        """What the trunk makes of images as they are, (B, F): the representation.

        Args:
            images: tensor (B, N, N, C).
        """
        require_images("RotationPrediction", images.shape, self.image_shape)
        return self.flatten(self.trunk(images, training=training))

    def turned(self, images: Any, training: bool | None = False) -> tuple[Any, Any]:
        """The images of the pretext task and their labels: all four rotations, or one drawn for each image.

        Args:
            images: tensor (B, N, N, C).
            training: bool; evaluation takes all four whatever `rotations` says.

        Returns:
            Tuple of tensors (B, R, N, N, C) and int32 (B, R), R = 4 or 1.
        """
        if self.rotations == "all" or not training:
            copies, labels = all_quarter_turns(images)
            return ops.reshape(copies, (-1, TURNS, *self.image_shape)), ops.reshape(labels, (-1, TURNS))
        rows = ops.shape(images)[0]
        first, total = self.share_of_batch(rows)
        drawn = uniform_noise((total,), self.step_seed("rotation"))[first : first + rows]
        labels = ops.cast(TURNS * drawn, "int32")
        return quarter_turns(images, labels)[:, None], labels[:, None]

    def pretext(self, images: Any, training: bool | None = False) -> dict[str, Any]:
        """Logits of the turned images (B, R, 4), and labels (B, R), their turns.

        Args:
            images: tensor (B, N, N, C).
            training: bool, also for the trunk.
        """
        copies, turns = self.turned(images, training)
        logits = self._judged(self.encode(ops.reshape(copies, (-1, *self.image_shape)), training))
        return {"logits": ops.reshape(logits, (-1, turns.shape[1], TURNS)), "labels": turns}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.image_shape),
            "trunk": self.given,
            "rotations": self.rotations,
            "units": self.units,
        }
