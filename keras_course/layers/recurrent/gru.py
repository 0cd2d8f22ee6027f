"""Gated recurrent units: the printed logistic candidate or tanh, reset before or after the product."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.ops.gated_recurrence import gru_sequence
from keras_course.ops.recurrence import WRITTEN_OUT
from keras_course.ops.recurrent import gru_step

__all__ = ["GRU", "GRUCell"]


@register("GRUCell")
class GRUCell(RecurrentCell):
    """One step of a GRU: inputs (B, F), state [h] -> h, [h].

    z, r = sigma(x W + h R + b),  g = act(x W + (r * h) R + b),  h' = z * h + (1 - z) * g

    Args:
        units: int, width H of the state.
        activation: act of the candidate: "sigmoid" as printed, or "tanh" as Cho et al. and Keras have it.
        reset_after: False: (r * h) R, as printed; True: r * (h R + d), as Keras, with a second bias d.
        **kwargs: use_bias, weights, initializers, regularizers, constraints, learn_initial_state and
            initial_state_initializer, as `RecurrentCell`; the rest as keras.layers.Layer.

    Raises:
        ValueError: for a bad argument, or inputs that are not (batch, features).

    Example:
        >>> cell = GRUCell(3)
        >>> h, states = cell(ops.ones((2, 4)), cell.get_initial_state(2))
        >>> tuple(h.shape), len(states)
        ((2, 3), 1)

    Source: C 13.3.
    """

    columns = 3

    def __init__(self, units: int, activation: Any = "sigmoid", reset_after: bool = False, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.reset_after = bool(reset_after)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.recurrent_bias = None
        if self.use_bias and self.reset_after:
            self.recurrent_bias = self.add_weight(
                name="recurrent_bias",
                shape=(3 * self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """[h] after one more step; `noise` (B, H) multiplies what the gates see of h."""
        (h,) = states
        seen = None if noise is None else h * noise
        weights = self.state_kernel, self.recurrent_bias
        return [gru_step(projected, h, *weights, self.activation, self.reset_after, seen)]

    def sequence(
        self, projected: Any, states: list[Any], mask: Any, projection: Any = None
    ) -> tuple[Any, list[Any]] | None:
        """All steps at once, for a candidate in `ops.recurrence.WRITTEN_OUT`."""
        name = keras.activations.serialize(self.activation)
        if name not in WRITTEN_OUT:
            return None
        bias = None if self.recurrent_bias is None else ops.convert_to_tensor(self.recurrent_bias)
        return gru_sequence(projected, *states, self.state_kernel, bias, name, self.reset_after, mask, projection)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "reset_after": self.reset_after,
        }


@register("GRU")
class GRU(RecurrentLayer):
    """Gated recurrent units over a sequence.

    z   = sigma(x_t W_z + h_{t-1} R_z + b_z)      update gate: 1 keeps the OLD state
    r   = sigma(x_t W_r + h_{t-1} R_r + b_r)      reset gate
    g   = sigma(x_t W_g + (r * h_{t-1}) R_g + b_g)      as printed; activation="tanh" as in Keras and Cho et al.
    h_t = z * h_{t-1} + (1 - z) * g

    `from_keras` takes over the weights of a keras.layers.GRU, which is GRU(activation="tanh", reset_after=True).

    Args:
        units: int, width H.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, dropout,
            recurrent_dropout, seed, activity_regularizer, name, trainable, dtype: as `LSTM`, with one state h.
        **cell: activation, reset_after, use_bias, weights, initializers, regularizers, constraints and
            learn_initial_state, as `GRUCell`.

    Call arguments:
        As `LSTM`; initial_state: [h].

    Output shape:
        (B, T, H) or (B, H); with return_state followed by (B, H).

    Raises:
        ValueError: as `LSTM`.

    Example:
        >>> layer = GRU(3, return_state=True, activation="tanh")
        >>> [tuple(each.shape) for each in layer(ops.ones((2, 5, 4)))]
        [(2, 3), (2, 3)]

    Source: C 13.3; Cho et al. 2014.
    """

    cell_class = GRUCell
