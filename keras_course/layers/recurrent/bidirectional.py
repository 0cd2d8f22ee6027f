"""A network that reads from the start beside one that reads from the end."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_rank

__all__ = ["Bidirectional"]


@register("Bidirectional")
class Bidirectional(keras.layers.Layer):
    """Two recurrent layers of one kind, each with weights of its own.

    forward_t  = step(x_t, forward_{t-1}),   backward_t = step(x_t, backward_{t+1})
    o_t        = [forward_t, backward_t]     so that every output may depend on the whole sequence

    With return_sequences=False it is [forward_T, backward_1], what each says at its own end. keras.layers.Bidirectional
    computes the same.

    Args:
        layer: a recurrent layer, of this package or of Keras, or its config; the two start as copies of its settings.
        merge_mode: "concat", "sum", "mul", "ave", or None for a pair.
        **kwargs: as keras.layers.Layer.

    Call arguments:
        sequences: tensor (B, T, F).
        initial_state: list of the forward layer's states and then the backward layer's, or None.
        mask: bool tensor (B, T).
        training: bool.

    Output shape:
        (B, T, 2 H) or (B, 2 H) for "concat", (…, H) otherwise; with return_state followed by both layers' states.

    Raises:
        ValueError: for another merge mode or rank, or a layer that is not recurrent.

    Example:
        >>> from keras_course.layers.recurrent import GRU
        >>> tuple(Bidirectional(GRU(3, return_sequences=True))(ops.ones((2, 5, 4))).shape)
        (2, 5, 6)

    Source: C 10.3.2; Schuster and Paliwal 1997.
    """

    def __init__(self, layer: Any, merge_mode: str | None = "concat", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_one_of("Bidirectional", ("concat", "sum", "mul", "ave", None), merge_mode=merge_mode)
        layer = keras.saving.deserialize_keras_object(layer) if isinstance(layer, dict) else layer
        if not isinstance(layer, keras.layers.RNN):
            raise ValueError(f"Bidirectional needs a recurrent layer. Received: layer={layer!r}")
        self.merge_mode = merge_mode
        self.forward_layer = self._copy(layer, "forward", layer.go_backwards)
        self.backward_layer = self._copy(layer, "backward", not layer.go_backwards)
        self.supports_masking = True

    def _copy(self, layer: Any, name: str, go_backwards: bool) -> Any:
        settings = {**layer.get_config(), "name": name, "go_backwards": go_backwards, "dtype": self.dtype_policy}
        return type(layer).from_config(settings)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        require_rank("Bidirectional", sequences_shape, 3)
        for layer in (self.forward_layer, self.backward_layer):
            layer.build(sequences_shape)
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        states: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            states = list(initial_state[:half]), list(initial_state[half:])
        found = [
            layer(sequences, initial_state=state, mask=mask, training=training)
            for layer, state in zip((self.forward_layer, self.backward_layer), states, strict=True)
        ]
        if self.forward_layer.return_state:
            outputs, last = [each[0] for each in found], [state for each in found for state in each[1:]]
        else:
            outputs, last = found, []
        if self.forward_layer.return_sequences:
            outputs[1] = ops.flip(outputs[1], axis=1)  # it came in the order of reading
        merged = self._merged(*outputs)
        if self.merge_mode is None:
            return (*merged, *last)
        return (merged, *last) if last else merged

    def _merged(self, forward: Any, backward: Any) -> Any:
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "mul":
            return forward * backward
        return (forward + backward) / (2 if self.merge_mode == "ave" else 1)

    def compute_mask(self, sequences: Any, previous_mask: Any = None) -> Any:
        output = previous_mask if self.forward_layer.return_sequences else None
        masks = [output, output] if self.merge_mode is None else [output]
        masks += [None] * (2 * len(self.forward_layer.state_size) if self.forward_layer.return_state else 0)
        return masks if len(masks) > 1 else output

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        require_rank("Bidirectional", sequences_shape, 3)
        one = self.forward_layer.compute_output_shape(sequences_shape)
        output, states = (one[0], list(one[1:])) if self.forward_layer.return_state else (one, [])
        if self.merge_mode is None:
            return (output, output, *states, *states)
        if self.merge_mode == "concat":
            output = (*output[:-1], 2 * output[-1])
        return (output, *states, *states) if states else output

    def get_config(self) -> dict[str, Any]:
        layer = keras.saving.serialize_keras_object(self.forward_layer)
        return {**super().get_config(), "layer": layer, "merge_mode": self.merge_mode}
