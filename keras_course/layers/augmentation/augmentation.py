"""What every augmentation layer shares: where its random numbers come from, and that inference does without them.

    training:    y_b = transform(x_b, u_b),   u_b = `draws(shape)` uniform numbers of example b
    afterwards:  y = x, without an operation: an exported model holds none of this

The transform is a pure function, and there are three ways to its uniform numbers:

    Recipe(augment=layer, augment_draws=layer.draws(shape))       from (seed, epoch, index), by the pipeline
    pipeline.augment.augmented(dataset, layer, seed, epoch)       the same for any tf.data.Dataset
    layer(x, training=True), so model.fit too                     counted by the layer's seed, saved with the weights
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.layers.seed_state import load_with_seed_state, save_seed_state

__all__ = ["Augmentation"]


class Augmentation(keras.layers.Layer):
    """Base of the augmentation layers. A subclass writes `draws`, `transform` and `get_config`.

        layer(x, uniforms)            transform(x, uniforms), also inside tf.data
        layer(x, training=True)       the same with uniforms of the layer's own
        layer(x), model.predict, ...  x

    With uniforms the result is a function of each example and its own numbers alone: batch size, order and the number
    of workers change no bit of it. `training=False` wins over uniforms.

    Draws of the layer's own repeat as those of `layers.Dropout` do: their count is in .keras and .weights.h5 files.

    Args:
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Source: C 6.4, S 9.3.
    """

    ranks: tuple[int, ...] = ()
    integers: bool = False

    def __init__(self, *, seed: int | None = None, **kwargs: Any) -> None:
        # Uniform numbers keep their 24 bits whatever the policy; examples are cast in `call`.
        super().__init__(autocast=False, **kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def draws(self, shape: Any) -> int:
        """How many uniform numbers an example needs.

        Args:
            shape: shape of the input, batch axis first; that axis may be None.
        """
        raise TypeError(f"{type(self).__name__} does not define draws, which an Augmentation needs")

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        """The changed examples, a pure function.

        Args:
            inputs: tensor (B, ...).
            uniforms: float tensor (B, draws) in [0, 1).
        """
        raise TypeError(f"{type(self).__name__} does not define transform, which an Augmentation needs")

    def build(self, input_shape: Any) -> None:
        require_rank(type(self).__name__, input_shape, *self.ranks)
        if None in tuple(input_shape)[1:]:
            raise ValueError(
                f"{type(self).__name__} needs to know every axis but the batch. Received: shape={tuple(input_shape)}"
            )
        self.draws(input_shape)
        self.built = True

    def call(self, inputs: Any, uniforms: Any = None, training: bool | None = None) -> Any:
        inputs = self._checked(inputs)
        if training is False or (uniforms is None and not training):
            return inputs
        draws = self.draws(inputs.shape)
        if uniforms is None:
            size = (ops.shape(inputs)[0], draws)
            # float32 whatever the policy: bfloat16 knows 256 uniform numbers.
            uniforms = keras.random.uniform(size, dtype="float32", seed=self.seed_generator)
        elif len(uniforms.shape) != 2 or uniforms.shape[1] != draws:
            raise ValueError(
                f"{type(self).__name__} needs uniforms of shape (batch, {draws}) for inputs of shape "
                f"{tuple(inputs.shape)}. Received: shape={tuple(uniforms.shape)}"
            )
        return self.transform(inputs, uniforms)

    def _checked(self, inputs: Any) -> Any:
        """The inputs in the layer's dtype: integers for tokens, `compute_dtype` for anything else."""
        if not self.integers:
            return ops.cast(inputs, self.compute_dtype)
        if not keras.backend.is_int_dtype(inputs.dtype):
            raise ValueError(f"{type(self).__name__} needs integer ids. Received: dtype={inputs.dtype}")
        return inputs

    def compute_output_spec(self, inputs: Any, uniforms: Any = None, training: bool | None = None) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, dtype=inputs.dtype if self.integers else self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
