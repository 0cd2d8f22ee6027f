"""LSTMs whose gates look at the cell state: the printed output gate, and all three."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.ops.gated_recurrence import peephole_lstm_sequence
from keras_course.ops.recurrent import peephole_lstm_step

__all__ = ["PeepholeLSTM", "PeepholeLSTMCell"]


@register("PeepholeLSTMCell")
class PeepholeLSTMCell(RecurrentCell):
    """One step of a peephole LSTM: inputs (B, F), states [h, c] -> h, [h, c].

    peepholes="output":  o = sigma(x W + h R + c' P + b), P a full matrix: S's W_o (x_t, h_{t-1}, z_t)
    peepholes="full":    i, f see p_i * c, p_f * c; o sees p_o * c', p vectors: the cell of TensorFlow Addons

    Args:
        units: int, width H of both states.
        peepholes: "output" or "full".
        unit_forget_bias: whether the forget gate's bias starts at 1.
        peephole_initializer: of P, or of p_i, p_f, p_o.
        **kwargs: use_bias, weights, initializers, regularizers, constraints, learn_initial_state and
            initial_state_initializer, as `RecurrentCell`; the rest as keras.layers.Layer.

    Raises:
        ValueError: for a bad argument, or inputs that are not (batch, features).

    Example:
        >>> cell = PeepholeLSTMCell(3, peepholes="full")
        >>> cell.build((None, 2))
        >>> [tuple(weight.shape) for weight in cell.trainable_weights]
        [(2, 12), (3, 12), (12,), (3,), (2, 3)]

    Source: S 9.5, C 13.2; Gers and Schmidhuber 2000.
    """

    state_count = 2
    columns = 4

    def __init__(
        self, units: int, peepholes: str = "output", unit_forget_bias: bool = True,
        peephole_initializer: Any = "glorot_uniform", **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(units, **kwargs)
        require_one_of("PeepholeLSTM", ("output", "full"), peepholes=peepholes)
        self.peepholes = peepholes
        self.unit_forget_bias = bool(unit_forget_bias)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        full = self.peepholes == "full"
        shared = {"initializer": self.peephole_initializer, "regularizer": self.recurrent_regularizer}
        shape = (self.units,) if full else (self.units, self.units)
        self.output_peephole = self.add_weight(name="output_peephole", shape=shape, **shared)
        self.gate_peepholes = None
        if full:
            self.gate_peepholes = self.add_weight(name="gate_peepholes", shape=(2, self.units), **shared)

    def start_of_bias(self, shape: Any, dtype: Any = None) -> Any:
        """The bias initializer's, with ones for the forget gate."""
        start = self.bias_initializer(shape, dtype=dtype)
        if not self.unit_forget_bias:
            return start
        return ops.concatenate([start[: self.units], ops.ones((self.units,), dtype=dtype), start[2 * self.units :]])

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """[h, c] after one more step; `noise` (B, H) multiplies what the gates see of h."""
        h, c = states
        return list(peephole_lstm_step(projected, h if noise is None else h * noise, c, *self._weights()))

    def sequence(
        self, projected: Any, states: list[Any], mask: Any, projection: Any = None
    ) -> tuple[Any, list[Any]] | None:
        """All steps at once."""
        return peephole_lstm_sequence(projected, *states, *self._weights(), mask, projection)

    def _weights(self) -> tuple[Any, Any, Any]:
        peepholes = None if self.gate_peepholes is None else ops.convert_to_tensor(self.gate_peepholes)
        return self.state_kernel, ops.convert_to_tensor(self.output_peephole), peepholes

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "peepholes": self.peepholes,
            "unit_forget_bias": self.unit_forget_bias,
            "peephole_initializer": keras.initializers.serialize(self.peephole_initializer),
        }


@register("PeepholeLSTM")
class PeepholeLSTM(RecurrentLayer):
    """An LSTM over a sequence whose gates look at the cell state.

    output:  i, f = sigma(x_t W + h_{t-1} R + b)               o = sigma(x_t W + h_{t-1} R + c_t P + b)
    full:    i, f = sigma(x_t W + h_{t-1} R + p * c_{t-1} + b) o = sigma(x_t W + h_{t-1} R + p_o * c_t + b)
    c_t = f * c_{t-1} + i * tanh(x_t W + h_{t-1} R + b),   h_t = o * tanh(c_t)

    S prints the first, with z for c; TensorFlow Addons took the second with it.

    Args:
        units: int, width H.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, dropout,
            recurrent_dropout, seed, activity_regularizer, name, trainable, dtype: as `LSTM`.
        **cell: peepholes, unit_forget_bias, peephole_initializer, use_bias, weights, initializers, regularizers and
            constraints, as `PeepholeLSTMCell`.

    Call arguments:
        As `LSTM`.

    Output shape:
        (B, T, H) or (B, H); with return_state followed by two (B, H).

    Raises:
        ValueError: as `LSTM`.

    Example:
        >>> tuple(PeepholeLSTM(3, peepholes="full")(ops.ones((2, 5, 4))).shape)
        (2, 3)

    Source: S 9.5, C 13.2.
    """

    cell_class = PeepholeLSTMCell
