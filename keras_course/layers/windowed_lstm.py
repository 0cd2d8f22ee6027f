"""An LSTM that reads a text while it runs: each step sees what its window showed one step before.

[h_t, c_t] = cell([x_t, w_{t-1}], [h_{t-1}, c_{t-1}]),   w_t, kappa_t = window(h_t, kappa_{t-1}, text)
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan, sizes_of, unstacked
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int, require_rank
from keras_course.layers.recurrent import LSTMCell, PeepholeLSTMCell
from keras_course.layers.soft_window import SoftWindow

__all__ = ["WindowedLSTM"]

CELLS = {"lstm": LSTMCell, "peephole-lstm": PeepholeLSTMCell}


@register("WindowedLSTM")
class WindowedLSTM(keras.layers.Layer):
    """An LSTM over a sequence, with a soft window over a text in its loop.

    h_t = LSTM([x_t, w_{t-1}], h_{t-1}),   w_t = sum_u phi(t, u) c_u

    The share of x in the gates is one product before the loop.

    Args:
        units: int, width H.
        window: int, Gaussians K of the window.
        cell: "lstm", or "peephole-lstm", whose gates look at the cell state through vectors.
        first_step: float > 0, as `SoftWindow`.
        kernel_initializer, recurrent_initializer, peephole_initializer, window_initializer: of the weights.
        **kwargs: as keras.layers.Layer.

    Call arguments:
        sequences: tensor (B, T, F).
        characters: tensor (B, U, V), zeros beyond a text's end.
        initial_state: list [h (B, H), c (B, H), w (B, V), kappa (B, K)], or None for zeros.
        sequences_mask: bool tensor (B, T), true where a step counts, or None; the others change no state.

    Returns:
        Tuple: h (B, T, H), w (B, T, V), phi (B, T, U), then the last states h, c, w and kappa.

    Raises:
        ValueError: for a bad argument, or tensors of another rank.

    Example:
        >>> layer = WindowedLSTM(4, window=2)
        >>> h, seen, weights, *states = layer(ops.ones((1, 5, 3)), ops.ones((1, 7, 6)))
        >>> tuple(h.shape), tuple(seen.shape), tuple(weights.shape), len(states)
        ((1, 5, 4), (1, 5, 6), (1, 5, 7), 4)

    Source: B; Graves 2013.
    """

    def __init__(
        self,
        units: int,
        window: int = 10,
        cell: str = "peephole-lstm",
        first_step: float = 0.1,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        peephole_initializer: Any = "glorot_uniform",
        window_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive_int("WindowedLSTM", units=units, window=window)
        require_one_of("WindowedLSTM", CELLS, cell=cell)
        self.units, self.window_components, self.cell_kind = int(units), int(window), cell
        self.first_step = float(first_step)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)
        full = {"peepholes": "full", "peephole_initializer": self.peephole_initializer}
        self.cell = CELLS[cell](
            units, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, name="cell",
            dtype=self.dtype_policy, **(full if cell == "peephole-lstm" else {}),
        )  # fmt: skip
        self.window = SoftWindow(window, first_step, window_initializer, name="window", dtype=self.dtype_policy)
        self.supports_masking = True

    def build(self, sequences_shape: Any, characters_shape: Any) -> None:
        require_rank("WindowedLSTM", sequences_shape, 3)
        require_rank("WindowedLSTM", characters_shape, 3)
        if sequences_shape[-1] is None or characters_shape[-1] is None:
            raise ValueError(
                f"WindowedLSTM needs known widths. Received: shapes {tuple(sequences_shape)}, {tuple(characters_shape)}"
            )
        self.features, self.letters = int(sequences_shape[-1]), int(characters_shape[-1])
        self.cell.build((None, self.features + self.letters))
        self.window.build((None, None, self.units), characters_shape)
        self.built = True

    @property
    def state_sizes(self) -> tuple[int, int, int, int]:
        """Widths of h, c, w and kappa."""
        return self.units, self.units, self.letters, self.window_components

    def call(
        self, sequences: Any, characters: Any, initial_state: Any = None, sequences_mask: Any = None
    ) -> tuple[Any, ...]:
        require_rank("WindowedLSTM", sequences.shape, 3)
        characters = ops.cast(characters, self.compute_dtype)
        batch, length, _ = sizes_of(sequences)
        if initial_state is None:
            initial_state = [ops.zeros((batch, size), self.compute_dtype) for size in self.state_sizes]
        states = [ops.cast(state, self.compute_dtype) for state in initial_state]
        kernel = ops.convert_to_tensor(self.cell.kernel)
        flat = ops.matmul(ops.reshape(sequences, (-1, self.features)), kernel[: self.features]) + self.cell.bias
        projected = ops.transpose(ops.reshape(flat, (batch, length, kernel.shape[1])), (1, 0, 2))  # (T, B, 4 H)
        inputs = [unstacked(projected)]
        if sequences_mask is not None:
            inputs.append(ops.transpose(ops.cast(sequences_mask, "bool"))[:, :, None])  # (T, B, 1)

        def step(old: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            new, phi = self._advance(now[0], kernel[self.features :], characters, old)
            if sequences_mask is not None:
                new = [ops.where(now[1], a, b) for a, b in zip(new, old, strict=True)]
            return new, [phi]

        text = sizes_of(characters)[1]
        states, kept, (weights,) = scan(step, states, inputs, [(batch, text)], length=length, history=(0, 2))
        h, seen = (ops.transpose(each.after(1).stack(), (1, 0, 2)) for each in kept)
        return h, seen, ops.transpose(weights.stack(), (1, 0, 2)), *states

    def step(self, inputs: Any, characters: Any, states: list[Any]) -> tuple[list[Any], Any]:
        """One step of a stream.

        Args:
            inputs: tensor (B, F).
            characters: tensor (B, U, V).
            states: [h, c, w, kappa].

        Returns:
            Tuple: new [h, c, w, kappa], and weights phi (B, U).
        """
        kernel = ops.convert_to_tensor(self.cell.kernel)
        projected = ops.matmul(inputs, kernel[: self.features]) + self.cell.bias
        return self._advance(projected, kernel[self.features :], characters, states)

    def _advance(self, projected: Any, kernel: Any, characters: Any, states: list[Any]) -> tuple[list[Any], Any]:
        h, c, seen, place = states
        h, c = self.cell.step(projected + ops.matmul(seen, kernel), [h, c])
        seen, weights, place = self.window.look(h, place, characters)
        return [h, c, seen, place], weights

    def compute_output_shape(self, sequences_shape: Any, characters_shape: Any) -> Any:
        batch, length = sequences_shape[:2]
        sizes = (self.units, characters_shape[2], characters_shape[1])
        states = (self.units, self.units, characters_shape[2], self.window_components)
        return (*((batch, length, size) for size in sizes), *((batch, size) for size in states))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = keras.tree.flatten(previous_mask)[0] if previous_mask is not None else None
        return mask, mask, mask, None, None, None, None

    def get_config(self) -> dict[str, Any]:
        serialize = keras.initializers.serialize
        return {
            **super().get_config(),
            "units": self.units,
            "window": self.window_components,
            "cell": self.cell_kind,
            "first_step": self.first_step,
            "kernel_initializer": serialize(self.cell.kernel_initializer),
            "recurrent_initializer": serialize(self.cell.recurrent_initializer),
            "peephole_initializer": serialize(self.peephole_initializer),
            "window_initializer": serialize(self.window.kernel_initializer),
        }
