"""Long short-term memory, with a bias or none, and the variants that leave one thing out."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.ops.gated_recurrence import lstm_sequence
from keras_course.ops.recurrent import LSTM_VARIANTS, lstm_gates, lstm_step

__all__ = ["LSTM", "LSTMCell"]


@register("LSTMCell")
class LSTMCell(RecurrentCell):
    """One step of an LSTM: inputs (B, F), states [h, c] -> h, [h, c].

    i, f, o = sigma(x W + h R + b),  g = act(x W + h R + b),  c' = f * c + i * g,  h' = o * act(c')

    Columns of the weights stand in the order i, f, o, g; a variant that has no such gate has no such columns.

    Args:
        units: int, width H of both states.
        variant: None, "NIG", "NFG", "NOG", "NIAF" or "NOAF" (`ops.recurrent.lstm_step` says what each leaves out).
        activation: act, name or function.
        unit_forget_bias: whether the forget gate's bias starts at 1, so that the cell at first remembers.
        **kwargs: use_bias, weights ("separate" or "concatenated"), kernel_initializer, recurrent_initializer,
            bias_initializer and their regularizers and constraints, learn_initial_state (h_0 and c_0 are weights, as C
            10.3 allows, not zeros) and initial_state_initializer, as `RecurrentCell`; the rest as keras.layers.Layer.

    Raises:
        ValueError: for a bad argument, or inputs that are not (batch, features).

    Example:
        >>> cell = LSTMCell(3)
        >>> h, states = cell(ops.ones((2, 4)), cell.get_initial_state(2))
        >>> tuple(h.shape), len(states)
        ((2, 3), 2)

    Source: C 13.2, N, R, S 9.5.
    """

    state_count = 2

    def __init__(
        self, units: int, variant: str | None = None, activation: Any = "tanh", unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(units, **kwargs)
        require_one_of("LSTM", LSTM_VARIANTS, variant=variant)
        self.variant = variant
        self.activation = keras.activations.get(activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    @property
    def columns(self) -> int:  # type: ignore[override]
        """Gates that the variant keeps, and the candidate."""
        return len(lstm_gates(self.variant)) + 1

    def start_of_bias(self, shape: Any, dtype: Any = None) -> Any:
        """The bias initializer's, with ones for the forget gate."""
        start = self.bias_initializer(shape, dtype=dtype)
        gates = lstm_gates(self.variant)
        if not self.unit_forget_bias or "f" not in gates:
            return start
        first = gates.index("f") * self.units
        return ops.concatenate([start[:first], ops.ones((self.units,), dtype=dtype), start[first + self.units :]])

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """[h, c] after one more step; `noise` (B, H) multiplies what the gates see of h."""
        h, c = states
        seen = h if noise is None else h * noise
        return list(lstm_step(projected, seen, c, self.state_kernel, self.variant, self.activation))

    def sequence(
        self, projected: Any, states: list[Any], mask: Any, projection: Any = None
    ) -> tuple[Any, list[Any]] | None:
        """All steps at once, for act = tanh."""
        if keras.activations.serialize(self.activation) != "tanh":
            return None
        return lstm_sequence(projected, *states, self.state_kernel, self.variant, mask, projection)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "variant": self.variant,
            "activation": keras.activations.serialize(self.activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


@register("LSTM")
class LSTM(RecurrentLayer):
    """Long short-term memory over a sequence.

    i, f, o = sigma(x_t W + h_{t-1} R + b)      input, forget and output gate
    g       = tanh (x_t W + h_{t-1} R + b)      candidate
    c_t     = f * c_{t-1} + i * g               what is kept, and what is written
    h_t     = o * tanh(c_t)

    The gates are logistic functions. Equal to keras.layers.LSTM, whose weights `from_keras` takes over; columns
    stand in the order i, f, o, g, there i, f, g, o.

    Args:
        units: int, width H.
        return_sequences: whether to return h of every step, or of the last.
        return_state: whether to return [h, c] of the last step too.
        go_backwards: whether to read from the end; outputs come in the order of reading.
        stateful: whether the last states of a batch are the first of the next; needs a fixed batch size.
        unroll: whether to lay the steps out in the graph.
        zero_output_for_mask: whether masked steps give zeros, and not the output before them.
        dropout: share of the input's features left out in training, the same for all steps.
        recurrent_dropout: share of h that the gates do not see in training, the same for all steps.
        seed: int, of both dropouts.
        activity_regularizer, name, trainable, dtype: as keras.layers.Layer.
        **cell: variant, use_bias, weights, activation, unit_forget_bias, initializers, regularizers, constraints and
            learn_initial_state, as `LSTMCell`.

    Call arguments:
        sequences: tensor (B, T, F); T may be unknown, and 0.
        initial_state: list [h, c] of tensors (B, H), or None for zeros, or for what was learned. A stateful layer takes
            that up at `reset_state()` and does not move it, for its states are carried as values.
        mask: bool tensor (B, T), true where a step counts.
        training: bool.

    Output shape:
        (B, T, H) or (B, H); with return_state followed by two (B, H).

    Raises:
        ValueError: for a bad argument, a wrong rank, or a batch that does not fit a stateful layer.

    Example:
        >>> layer = LSTM(3, return_sequences=True, use_bias=False, variant="NIAF")
        >>> tuple(layer(ops.ones((2, 5, 4))).shape)
        (2, 5, 3)

    Source: C 13.2, N, R, S 9.5; Hochreiter and Schmidhuber 1997.
    """

    cell_class = LSTMCell
