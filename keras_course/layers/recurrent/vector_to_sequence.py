"""One vector as an extra input of every step: from an image to the words that describe it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.layers.recurrent.rnn import RNNCell

__all__ = ["VectorToSequence"]


@register("VectorToSequence")
class VectorToSequence(keras.layers.Layer):
    """A recurrent network that is told one vector at every step.

    h_t = tanh(v R + y_{t-1} U + h_{t-1} W + b),   o_t = h_t V + c

    v R is the same for all steps and computed once. In training `sequence` holds y_0, y_1, ..., each both target of one
    step and input of the next; afterwards `generate` feeds the outputs back.

    Args:
        units: int, width H.
        output_units: int, width O of the outputs; `generate` needs y of the same width.
        vector_initializer: of R.
        **kwargs: as keras.layers.Layer.

    Call arguments:
        vector: tensor (B, D), v.
        sequence: tensor (B, T, F), y_{t-1} of every step.
        training: bool.

    Output shape:
        (B, T, O).

    Raises:
        ValueError: for a size below 1, or a wrong rank.

    Example:
        >>> layer = VectorToSequence(3, output_units=2)
        >>> tuple(layer(ops.ones((1, 4)), ops.zeros((1, 5, 2))).shape)
        (1, 5, 2)
        >>> tuple(layer.generate(ops.ones((1, 4)), ops.zeros((1, 2)), 7).shape)
        (1, 7, 2)

    Source: C 10.3.3.
    """

    def __init__(
        self, units: int, output_units: int, vector_initializer: Any = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        require_positive_int("VectorToSequence", units=units, output_units=output_units)
        self.units, self.output_units = int(units), int(output_units)
        self.vector_initializer = keras.initializers.get(vector_initializer)
        self.cell = RNNCell(units, output_units=output_units, name="cell", dtype=self.dtype_policy)

    def build(self, vector_shape: Any, sequence_shape: Any) -> None:
        require_rank("VectorToSequence", vector_shape, 2)
        require_rank("VectorToSequence", sequence_shape, 3)
        self.vector_kernel = self.add_weight(
            name="vector_kernel", shape=(vector_shape[-1], self.units), initializer=self.vector_initializer
        )
        self.cell.build((sequence_shape[0], sequence_shape[-1]))
        self.built = True

    def call(self, vector: Any, sequence: Any, training: bool = False) -> Any:
        projected = self.cell.project(ops.transpose(sequence, (1, 0, 2))) + ops.matmul(vector, self.vector_kernel)
        start = ops.zeros((ops.shape(vector)[0], self.units), self.compute_dtype)
        h, _ = self.cell.run(projected, [start], training=training)
        return ops.transpose(self.cell.output(h), (1, 0, 2))  # (B, T, O)

    def generate(self, vector: Any, first: Any, length: int, emit: Any = None) -> Any:
        """Free running: each output, through `emit`, is the next step's input.

        Args:
            vector: tensor (B, D).
            first: tensor (B, O), y_0.
            length: int, how many steps.
            emit: function of o (B, O) that returns y (B, O); None feeds o back as it is.

        Returns:
            Tensor (B, length, O), o of every step.
        """
        context = ops.matmul(ops.cast(vector, self.compute_dtype), ops.convert_to_tensor(self.vector_kernel))
        first = ops.cast(first, self.compute_dtype)

        def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            h, y = states
            (h,) = self.cell.step(self.cell.project(y) + context, [h])
            o = self.cell.output(h)
            return [h, o if emit is None else emit(o)], [o]

        batch = ops.shape(context)[0]
        start = [ops.zeros((batch, self.units), self.compute_dtype), first]
        _, _, (kept,) = scan(step, start, [ops.zeros((length, 1))], [(batch, self.output_units)], length=length)
        return ops.transpose(kept.stack(), (1, 0, 2))

    def compute_output_shape(self, vector_shape: Any, sequence_shape: Any) -> tuple[int | None, ...]:
        return (*sequence_shape[:2], self.output_units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "output_units": self.output_units,
            "vector_initializer": keras.initializers.serialize(self.vector_initializer),
        }
