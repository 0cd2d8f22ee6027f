"""Dropout, by either rule."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.layers.seed_state import load_with_seed_state, save_seed_state
from keras_course.ops.dropout import RULES, drop_units, dropout_mask, expected_units, require_rate

__all__ = ["Dropout"]


@register("Dropout")
class Dropout(keras.layers.Layer):
    """Drops units at random in training; afterwards all units are there.

    mu = 1 with probability pi = 1 - rate, else 0, drawn anew for each example and step
    inverted:       training y = mu x / pi,   afterwards y = x
    weight-scaling: training y = mu x,        afterwards y = pi x

    The notes give inclusion probabilities (0.8 for inputs, 0.5 for hidden units); `rate` is one minus that (0.2, 0.5),
    as in Keras. Both rules train the same networks up to the scale of the next layer's weights; the weight-scaling
    inference rule is exact for softmax regression (`ops.dropout.geometric_ensemble`), an approximation in deep nets.
    The rule "inverted" with the same seed draws the masks of keras.layers.Dropout.

    Draws repeat: the state of the draws is in .keras and .weights.h5 files (`layers.seed_state`), so a run resumed from
    one goes on with the masks the uninterrupted run would have drawn, if it runs in the same mode: XLA draws others.
    All replicas of a strategy draw the same masks. `models.regularized.DropoutMLP` has neither limit.

    Args:
        rate: float in [0, 1), probability of dropping a unit.
        rule: "inverted" or "weight-scaling".
        noise_shape: None, or a sequence as long as the input's shape: axes of size 1 share one mask (None keeps the
            input's size): (None, 1, None) drops whole features over all steps of a sequence.
        seed: int, root of the draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        Any. A mask of time steps passes through.

    Output shape:
        That of the input.

    Raises:
        ValueError: for a rate outside [0, 1), an unknown rule, or a noise_shape that does not fit the input.

    Example:
        >>> layer = Dropout(0.5, rule="weight-scaling", seed=1)
        >>> ops.convert_to_numpy(layer(ops.ones((1, 4)))).tolist()
        [[0.5, 0.5, 0.5, 0.5]]
        >>> sorted(set(ops.convert_to_numpy(layer(ops.ones((1, 40)), training=True)).ravel().tolist()))
        [0.0, 1.0]

    Source: C 6.12.1, S 9.4; Srivastava et al. 2014.
    """

    def __init__(
        self, rate: float, rule: str = "inverted", noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        require_rate("Dropout", rate)
        require_one_of("Dropout", RULES, rule=rule)
        self.rate = rate
        self.rule = rule
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if self.noise_shape is not None:
            pairs = zip(self.noise_shape, input_shape, strict=False)
            fits = all(size in (None, 1) or axis is None or size == axis for size, axis in pairs)
            if len(self.noise_shape) != len(input_shape) or not fits:
                raise ValueError(
                    "Dropout needs a noise_shape as long as the input's shape, each entry None, 1 or that axis's size. "
                    f"Received: noise_shape={self.noise_shape}, input_shape={tuple(input_shape)}"
                )
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training:
            return expected_units(inputs, self.rate, self.rule)
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            shape = tuple(axis if size is None else size for size, axis in zip(self.noise_shape, shape, strict=True))
        # float32 whatever the policy: in bfloat16 a rate of 0.1 would be one of 0.1016.
        uniforms = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        return drop_units(inputs, dropout_mask(uniforms, self.rate), self.rate, self.rule)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "rule": self.rule,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }
