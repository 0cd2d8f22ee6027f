"""Keras's whole contract of a recurrent layer, around any of the cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.seed_state import load_with_seed_state, save_seed_state

__all__ = ["RecurrentLayer"]

CELL_KEYS = ("name", "trainable", "dtype")


class RecurrentLayer(keras.layers.RNN):
    """Base of the recurrent layers; a subclass names its `cell_class`.

    The input's share of all steps is one product before the loop. Training runs the cell's written-out gradient
    (`ops.recurrence`), everything else a plain loop: inference, which keeps no intermediate result, and whatever has no
    gradient written out (recurrent dropout, unusual activations, unroll).
    """

    cell_class: ClassVar[type[RecurrentCell]]

    def __init__(
        self,
        units: int,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        activity_regularizer: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        **cell: Any,
    ) -> None:
        who = type(self).__name__
        for key, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"{who} needs {key} in [0, 1). Received: {key}={rate}")
        super().__init__(
            self.cell_class(units, name="cell", trainable=trainable, dtype=dtype, **cell),
            return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask,
            activity_regularizer=activity_regularizer, name=name, trainable=trainable, dtype=dtype,
        )  # fmt: skip
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    @property
    def units(self) -> int:
        """Width H of the state."""
        return self.cell.units

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        require_rank(type(self).__name__, sequences_shape, 3)
        super().build(sequences_shape, initial_state_shape)
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        require_rank(type(self).__name__, sequences.shape, 3)
        states = self._first_states(sequences, initial_state)

        if training and self.dropout:
            sequences = sequences * self._noise(ops.ones_like(sequences[:, :1]), self.dropout)  # the same for all steps
        mask = keras.tree.flatten(mask)[0] if mask is not None else None
        if mask is not None:
            self._require_mask(mask.shape, sequences.shape)
            mask = ops.transpose(ops.cast(mask, "bool"))  # (T, B)
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=0)

        noise = self._noise(ops.ones_like(states[0]), self.recurrent_dropout) if training else None
        how = noise, training, self.return_sequences, self.unroll
        h, states = self.cell.run(sequences, states, mask, *how, project=True)
        if self.stateful:
            for variable, state in zip(keras.tree.flatten(self.states), states, strict=True):
                variable.assign(state)
        output = self._output(h, states[0], mask)
        return (output, *states) if self.return_state else output

    def _require_mask(self, shape: Any, sequences: Any) -> None:
        """One bool a step: more steps than there are would be left out without a word."""
        wanted = tuple(sequences)[:2]
        if len(shape) != 2 or any(None not in pair and pair[0] != pair[1] for pair in zip(shape, wanted, strict=True)):
            raise ValueError(
                f"{type(self).__name__} takes a mask of one bool a step, {wanted}. Received: shape={tuple(shape)}"
            )

    def _first_states(self, sequences: Any, initial_state: Any) -> list[Any]:
        if initial_state is None:
            batch = ops.shape(sequences)[0]
            initial_state = self.states if self.stateful else self.get_initial_state(batch_size=batch)
        states = [ops.cast(ops.copy(state), self.compute_dtype) for state in keras.tree.flatten(initial_state)]
        count = len(self.state_size)
        if len(states) != count:
            raise ValueError(f"{type(self).__name__} has {count} states. Received: {len(states)} in initial_state")
        expected = self._expected_batch_size if self.stateful else None
        if expected is not None and sequences.shape[0] not in (None, expected):
            raise ValueError(
                f"A stateful {type(self).__name__} keeps one state a row, so every batch needs {expected} rows. "
                f"Received: sequences of shape {tuple(sequences.shape)}"
            )
        return states

    def reset_state(self) -> None:
        """The states of a stateful layer back to where a sequence begins: zeros, or what was learned."""
        if not (self.stateful and self.states and self.cell.learn_initial_state):
            super().reset_state()
            return
        kept = keras.tree.flatten(self.states)
        for variable, state in zip(kept, self.get_initial_state(batch_size=kept[0].shape[0]), strict=True):
            variable.assign(ops.cast(state, variable.dtype))

    def _noise(self, ones: Any, rate: float) -> Any:
        """Inverted dropout's factors, 0 or 1 / (1 - rate); None without dropout."""
        return keras.random.dropout(ones, rate, seed=self.seed_generator) if rate else None

    def _output(self, h: Any, last: Any, mask: Any) -> Any:
        """Outputs of all steps (B, T, O) or of the last (B, O); zeros before the first that counts, as in Keras."""
        if not self.return_sequences:
            output = self.cell.output(last)
            if mask is None:
                return output
            counts = mask[-1] if self.zero_output_for_mask else ops.any(mask, axis=0)
            return ops.where(counts[:, None], output, ops.zeros_like(output))
        output = self.cell.output(h)
        if mask is None:
            return output
        begun = ops.cumsum(ops.cast(mask, "int32"), axis=0) > 0
        counts = ops.transpose(mask if self.zero_output_for_mask else begun)
        return ops.where(counts[:, :, None], output, ops.zeros_like(output))

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        cell = {key: value for key, value in self.cell.get_config().items() if key not in CELL_KEYS}
        return {
            **config,
            **cell,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> RecurrentLayer:
        return cls(**config)
