"""The simple recurrent network: hidden to hidden, with outputs and with connections that skip steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.ops.recurrence import WRITTEN_OUT, rnn_sequence
from keras_course.ops.recurrent import rnn_step

__all__ = ["RNN", "RNNCell"]


@register("RNNCell")
class RNNCell(RecurrentCell):
    """One step of a simple recurrent network: inputs (B, F), states [h_{t-1}, h_{t-2}, ...] -> o, states.

    h_t = f(x_t U + h_{t-1} W + sum_k h_{t-k} W_k + b),   o_t = g(h_t V + c)

    Args:
        units: int, width H of the state.
        activation: f, name or function.
        output_units: int, width O of the output, or None for o = h without V and c.
        output_activation: g, name, function or None for logits.
        skips: ints k >= 2, how far back further connections W_k reach: the longest is the number of states.
        **kwargs: use_bias (b and c), weights, initializers, regularizers and constraints, as `RecurrentCell`; those of
            kernels hold for V, the recurrent ones for W_k. The rest as keras.layers.Layer.

    Raises:
        ValueError: for a bad argument, or inputs that are not (batch, features).

    Example:
        >>> cell = RNNCell(3, output_units=2, skips=(2,))
        >>> o, states = cell(ops.ones((2, 4)), cell.get_initial_state(2))
        >>> tuple(o.shape), len(states)
        ((2, 2), 2)

    Source: C 10.3, N, R.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        output_units: int | None = None,
        output_activation: Any = None,
        skips: Iterable[int] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        if output_units is not None:
            require_positive_int("RNN", output_units=output_units)
        self.output_units = output_units
        self.output_activation = keras.activations.get(output_activation)
        self.skips = tuple(skips)
        if any(isinstance(k, bool) or not isinstance(k, int) or k < 2 for k in self.skips):
            raise ValueError(f"RNN needs skips of at least 2 steps; W is the one of 1. Received: skips={skips!r}")
        if len(set(self.skips)) < len(self.skips):
            raise ValueError(f"RNN takes each skip once. Received: skips={skips!r}")

    @property
    def state_count(self) -> int:  # type: ignore[override]
        """How many past states the next one needs."""
        return max((1, *self.skips))

    @property
    def output_size(self) -> int:
        return self.output_units or self.units

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        recurrent = {
            "initializer": self.recurrent_initializer,
            "regularizer": self.recurrent_regularizer,
            "constraint": self.recurrent_constraint,
        }
        shape = (self.units, self.units)
        self.skip_kernels = [self.add_weight(name=f"skip_kernel_{k}", shape=shape, **recurrent) for k in self.skips]
        self.output_kernel = self.output_bias = None
        if self.output_units is not None:
            self.output_kernel = self.add_weight(
                name="output_kernel",
                shape=(self.units, self.output_units),
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
            )
            if self.use_bias:
                self.output_bias = self.add_weight(
                    name="output_bias",
                    shape=(self.output_units,),
                    initializer=self.bias_initializer,
                    regularizer=self.bias_regularizer,
                    constraint=self.bias_constraint,
                )

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """The states after one more step, newest first; `noise` (B, H) multiplies what is seen of each."""
        seen = states if noise is None else [state * noise for state in states]
        for k, kernel in zip(self.skips, self.skip_kernels, strict=True):
            projected = projected + ops.matmul(seen[k - 1], ops.convert_to_tensor(kernel))
        return [rnn_step(projected, seen[0], self.state_kernel, self.activation), *states[:-1]]

    def sequence(
        self, projected: Any, states: list[Any], mask: Any, projection: Any = None
    ) -> tuple[Any, list[Any]] | None:
        """All steps at once, without skips and for f in `ops.recurrence.WRITTEN_OUT`."""
        name = keras.activations.serialize(self.activation)
        if self.skips or name not in WRITTEN_OUT:
            return None
        return rnn_sequence(projected, *states, self.state_kernel, name, mask, projection)

    def output(self, h: Any) -> Any:
        """o = g(h V + c) of one step or of many: tensor (..., H) -> (..., O)."""
        if self.output_kernel is None:
            return h
        o = ops.matmul(ops.reshape(h, (-1, self.units)), ops.convert_to_tensor(self.output_kernel))
        if self.output_bias is not None:
            o = o + self.output_bias
        return self.output_activation(ops.reshape(o, (*ops.shape(h)[:-1], self.output_units)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "output_units": self.output_units,
            "output_activation": keras.activations.serialize(self.output_activation),
            "skips": list(self.skips),
        }


@register("RNN")
class RNN(RecurrentLayer):
    """A simple recurrent network over a sequence.

    h_t = f(x_t U + h_{t-1} W + b)                       hidden to hidden
    o_t = g(h_t V + c)                                   with output_units: one output a step, or of the last
    skips=(2, 5) adds h_{t-2} W_2 + h_{t-5} W_5          connections that skip steps; states before the first are zeros

    Without outputs and skips it is keras.layers.SimpleRNN. N writes the concatenated form without biases,
    h_t = sigma([h_{t-1}, x_t] W), y_t = sigma(h_t V): RNN(H, activation="sigmoid", output_units=O,
    output_activation="sigmoid", use_bias=False, weights="concatenated").

    Args:
        units: int, width H.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, dropout,
            recurrent_dropout, seed, activity_regularizer, name, trainable, dtype: as `LSTM`. The states are h of the
            last step, and as many before it as the longest skip needs.
        **cell: activation, output_units, output_activation, skips, use_bias, weights, initializers, regularizers and
            constraints, as `RNNCell`.

    Call arguments:
        As `LSTM`.

    Output shape:
        (B, T, O) or (B, O), O = H without output_units; with return_state followed by the states (B, H).

    Raises:
        ValueError: as `LSTM`.

    Example:
        >>> layer = RNN(3, return_sequences=True, output_units=2, output_activation="softmax")
        >>> tuple(layer(ops.ones((2, 5, 4))).shape)
        (2, 5, 2)

    Source: C 10.3, N, R.
    """

    cell_class = RNNCell
