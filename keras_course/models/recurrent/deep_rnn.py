"""A stack of recurrent layers: the state of the network, split over several levels.

    h^(1)_t = step_1(x_t,        h^(1)_{t-1})
    h^(l)_t = step_l(h^(l-1)_t,  h^(l)_{t-1})          lower levels prepare what higher ones read
    o_t     = V h^(L)_t + c                            of every step, or of the last
    h^(l)_0 = 0, or a row of weights of its own level

One more input can be taken at a time (`step`): the states of all levels travel along as one vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.layers.recurrent import GRU, LSTM, RNN, PeepholeLSTM

__all__ = ["DeepRNN"]

CELLS = {"rnn": RNN, "lstm": LSTM, "peephole-lstm": PeepholeLSTM, "gru": GRU}


@register("DeepRNN")
class DeepRNN(Model):
    """Recurrent levels on top of each other, and an affine read-out; `call` returns logits.

    h^(l)_t = step_l(h^(l-1)_t, h^(l)_{t-1}),   o = V h^(L) + c

    Args:
        features: int, width F of an input.
        outputs: int, width O of the read-out.
        units: sequence of ints, width of each level, lowest first.
        cell: "rnn", "lstm", "peephole-lstm" or "gru".
        return_sequences: whether to read out at every step, or at the last.
        dropout: float in [0, 1), share of each level's inputs left out in training, the same for all steps.
        mask_value: float, or None. A step whose features all have this value does not count: sequences of unequal
            length are padded with it. The read-out of the last step is then that of the last one that counts.
        learn_initial_state: whether each level's states before the first step (h_0, and c_0 where it has one) are
            weights, the same for every row, zeros before training; else they are zeros.
        seed: int, root of initial weights and dropout; each level's own seed is derived from it.
        **kwargs: as keras.Model.

    Call arguments:
        inputs: tensor (B, T, features), T may be unknown.
        training: bool.
        mask: bool tensor (B, T), true where a step counts; it comes before `mask_value`.

    Input shape:
        (B, T, features), T may be unknown.

    Output shape:
        (B, outputs), or (B, T, outputs) with return_sequences.

    Raises:
        ValueError: for a bad argument, or inputs of another rank or width.

    Example:
        >>> model = DeepRNN(8, 10, units=(4, 4))
        >>> tuple(model(ops.zeros((2, 5, 8))).shape), tuple(model(ops.zeros((2, 9, 8))).shape)
        ((2, 10), (2, 10))

    Source: C 13.5, 10.3; S 9.5 (LSTM cells grouped into layers).
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        units: Sequence[int] = (32, 32),
        cell: str = "lstm",
        return_sequences: bool = False,
        dropout: float = 0.0,
        mask_value: float | None = None,
        learn_initial_state: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        if isinstance(units, int | str) or len(tuple(units)) == 0:
            raise ValueError(f"DeepRNN needs a sequence of widths, lowest level first. Received: units={units!r}")
        for width in units:
            require_positive_int("DeepRNN", units=width)
        require_positive_int("DeepRNN", features=features, outputs=outputs)
        require_one_of("DeepRNN", CELLS, cell=cell)
        self.features, self.output_units, self.units = int(features), int(outputs), tuple(int(u) for u in units)
        self.cell, self.return_sequences, self.dropout = cell, bool(return_sequences), dropout
        self.mask_value = None if mask_value is None else float(mask_value)
        self.learn_initial_state = bool(learn_initial_state)
        self.supports_masking = True
        self.levels = [
            CELLS[cell](
                width,
                return_sequences=True,
                return_state=True,
                dropout=dropout,
                learn_initial_state=self.learn_initial_state,
                kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "level", level, "kernel")),
                recurrent_initializer=keras.initializers.Orthogonal(
                    seed=derive_seed(seed, "level", level, "recurrent")
                ),
                seed=derive_seed(seed, "level", level, "dropout"),
                name=f"level_{level}",
                dtype=self.dtype_policy,
                **self._peepholes(level),
            )
            for level, width in enumerate(self.units)
        ]
        self.read_out = keras.layers.Dense(
            outputs,
            kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "read_out")),
            name="read_out",
            dtype=self.dtype_policy,
        )
        self.build((None, None, features))

    def _peepholes(self, level: int) -> dict[str, Any]:
        if self.cell != "peephole-lstm":
            return {}
        return {"peephole_initializer": keras.initializers.GlorotUniform(seed=self._seed_of(level, "peephole"))}

    def _seed_of(self, level: int, part: str) -> int:
        return derive_seed(self.seed, "level", level, part)

    def build(self, input_shape: Any = None) -> None:
        shape = (None, None, self.features)
        for level in self.levels:
            level.build(shape)
            shape = (None, None, level.units)
        self.read_out.build(shape)
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: self.features})
        self.built = True

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        require_rank("DeepRNN", inputs.shape, 3)
        require_features("DeepRNN", inputs.shape, self.features)
        mask = self._counted(inputs) if mask is None else mask
        last = inputs
        for level in self.levels:
            inputs, last, *_ = level(inputs, mask=mask, training=training)  # (B, T, H), (B, H)
        return self.read_out(inputs if self.return_sequences else last)

    def carry(self, inputs: Any, state: Any, training: bool = False) -> tuple[Any, Any]:
        """Reads on where an earlier part of the sequences ended.

        Args:
            inputs: tensor (B, T, features).
            state: tensor (B, state_width), at the start `start(B)`.
            training: bool.

        Returns:
            Tuple: read-outs of every step (B, T, outputs), and the state after the last (B, state_width).

        Raises:
            ValueError: for a state of another width.
        """
        require_features("The state of DeepRNN", state.shape, self.state_width)
        kept = []
        for level, states in zip(self.levels, self._by_level(ops.cast(state, self.compute_dtype)), strict=True):
            inputs, *states = level(inputs, initial_state=states, training=training)
            kept += states
        return self.read_out(inputs), ops.concatenate(kept, axis=-1)

    def _by_level(self, state: Any) -> list[list[Any]]:
        """The states of each level, from all of them side by side."""
        found, first = [], 0
        for level in self.levels:
            last = first + level.units * len(level.state_size)
            found.append([state[:, begin : begin + level.units] for begin in range(first, last, level.units)])
            first = last
        return found

    def _counted(self, inputs: Any) -> Any:
        """Steps that are no padding: bool tensor (B, T), or None without a `mask_value`."""
        return None if self.mask_value is None else ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if not self.return_sequences:
            return None
        return self._counted(inputs) if previous_mask is None else previous_mask

    @property
    def state_width(self) -> int:
        """Numbers in the states of all levels together."""
        return sum(level.units * len(level.state_size) for level in self.levels)

    def start(self, rows: Any) -> Any:
        """The states of all levels before the first step: tensor (rows, state_width)."""
        states = [state for level in self.levels for state in level.cell.get_initial_state(batch_size=rows)]
        return ops.concatenate(states, axis=-1)

    def step(self, inputs: Any, state: Any) -> dict[str, Any]:
        """One more input: what the whole sequence so far would give.

        Args:
            inputs: tensor (B, features).
            state: tensor (B, state_width), at the start `start(B)`: zeros, unless the start is learned.

        Returns:
            {"outputs": logits (B, outputs), "state": tensor (B, state_width)}.

        Raises:
            ValueError: for a state of another width.
        """
        inputs, state = (ops.cast(each, self.compute_dtype) for each in (inputs, state))
        require_features("The state of DeepRNN", state.shape, self.state_width)
        kept = []
        for level, states in zip(self.levels, self._by_level(state), strict=True):
            inputs, states = level.cell(inputs, states)
            kept += states
        return {"outputs": self.read_out(inputs), "state": ops.concatenate(kept, axis=-1)}

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[: 2 if self.return_sequences else 1], self.output_units)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` logits for any length; `step` one more input, with the state before it; `start` that state.

        `start` (rows -> state) is there where the start is learned; else a stream begins with zeros.
        """
        sequences = keras.InputSpec(shape=(None, None, self.features), dtype=self.input_dtype, name="inputs")
        one = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="inputs")
        state = keras.InputSpec(shape=(None, self.state_width), dtype=self.compute_dtype, name="state")
        rows = keras.InputSpec(shape=(), dtype="int32", name="rows")
        started: dict[str, Endpoint] = {"start": (lambda rows: self.start(rows), [rows])}
        return {
            "serving_default": (lambda inputs: self(inputs, training=False), [sequences]),
            "step": (lambda inputs, state: self.step(inputs, state), [one, state]),
            **(started if self.learn_initial_state else {}),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "outputs": self.output_units,
            "units": list(self.units),
            "cell": self.cell,
            "return_sequences": self.return_sequences,
            "dropout": self.dropout,
            "mask_value": self.mask_value,
            "learn_initial_state": self.learn_initial_state,
        }
