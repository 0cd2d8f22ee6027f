"""The neural Turing machine as a model: a sequence in, logits at every step out, and its addressing shown.

    [h_t, r_t] = NTM(x_1 ... x_t),   o_t = V [h_t, r_t] + c

What is read at a step can thus be put out at that step.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.layers.recurrent import NTM

__all__ = ["NeuralTuringMachine"]


@register("NeuralTuringMachine")
class NeuralTuringMachine(Model):
    """A controller, a memory, and an affine read-out at every step; `call` returns logits.

    o_t = V [h_t, r_t] + c,   h and r as `layers.recurrent.NTM`

    `call` takes a mask (B, T): masked steps leave the memory alone and repeat the output before them, so that a batch
    of unequal lengths gives what its rows give one by one.

    Args:
        features: int, width F of an input.
        outputs: int, width O of the read-out.
        units: int, width H of the controller.
        slots: int, N, slots of the memory. Another number needs other weights only for where the heads begin.
        width: int, numbers M in a slot.
        read_heads, write_heads: ints.
        controller: "lstm" or "feedforward".
        shifts: odd int, how many moves a head chooses among.
        learn_memory: whether the memory's first contents are learned; else all are 1e-6.
        seed: int, root of initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, T, features), T may be unknown.

    Output shape:
        (B, T, outputs).

    Raises:
        ValueError: for a bad argument, or inputs of another rank or width.

    Example:
        >>> model = NeuralTuringMachine(3, 2, units=5, slots=8, width=4)
        >>> tuple(model(ops.zeros((2, 7, 3))).shape)
        (2, 7, 2)
        >>> {name: tuple(w.shape) for name, w in model.addressing(ops.zeros((2, 7, 3))).items()}["write_weights"]
        (2, 7, 1, 8)

    Source: S 9.5; Graves et al. 2014.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        units: int = 64,
        slots: int = 32,
        width: int = 16,
        read_heads: int = 1,
        write_heads: int = 1,
        controller: str = "lstm",
        shifts: int = 3,
        learn_memory: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("NeuralTuringMachine", features=features, outputs=outputs)
        self.features, self.output_units = int(features), int(outputs)

        def start(kind: Any, *path: Any) -> Any:
            return kind(seed=derive_seed(seed, *path))

        self.machine = NTM(
            units, return_sequences=True, slots=slots, width=width, read_heads=read_heads, write_heads=write_heads,
            controller=controller, shifts=shifts, learn_memory=learn_memory,
            kernel_initializer=start(keras.initializers.GlorotUniform, "machine", "kernel"),
            recurrent_initializer=start(keras.initializers.GlorotUniform, "machine", "recurrent"),
            head_initializer=start(keras.initializers.GlorotUniform, "machine", "heads"),
            seed=derive_seed(seed, "machine", "dropout"), name="machine", dtype=self.dtype_policy,
        )  # fmt: skip
        self.read_out = keras.layers.Dense(
            outputs, kernel_initializer=start(keras.initializers.GlorotUniform, "read_out"), name="read_out",
            dtype=self.dtype_policy,
        )  # fmt: skip
        self.supports_masking = True
        self.build((None, None, features))

    def build(self, input_shape: Any = None) -> None:
        self.machine.build((None, None, self.features))
        self.read_out.build((None, None, self.machine.cell.output_size))
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: self.features})
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        require_rank("NeuralTuringMachine", inputs.shape, 3)
        require_features("NeuralTuringMachine", inputs.shape, self.features)
        return self.read_out(self.machine(inputs, mask=mask, training=training))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask

    @property
    def state_width(self) -> int:
        """Numbers in all states together, the memory among them."""
        return sum(self.machine.cell.state_size)

    def initial_state(self, n: Any) -> Any:
        """The learned state before the first input, for n sequences: tensor (n, state_width)."""
        return ops.concatenate(self.machine.cell.get_initial_state(n), axis=-1)

    def step(self, inputs: Any, state: Any) -> dict[str, Any]:
        """One more input: what the whole sequence so far would give.

        Args:
            inputs: tensor (B, features).
            state: tensor (B, state_width), from `initial_state` or the step before.

        Returns:
            {"outputs": logits (B, outputs), "state": tensor (B, state_width)}.
        """
        cell = self.machine.cell
        inputs, state = (ops.cast(each, self.compute_dtype) for each in (inputs, state))
        require_features("The state of NeuralTuringMachine", state.shape, self.state_width)
        states, first = [], 0
        for size in cell.state_size:
            states.append(state[:, first : first + size])
            first += size
        states = cell.step(cell.project(inputs), states)
        return {"outputs": self.read_out(states[0]), "state": ops.concatenate(states, axis=-1)}

    def addressing(self, inputs: Any, mask: Any = None) -> dict[str, Any]:
        """Where the heads pointed at every step.

        Args:
            inputs: tensor (B, T, features).
            mask: bool tensor (B, T), or None.

        Returns:
            {"outputs": logits (B, T, outputs), "read_weights": (B, T, R, N), "write_weights": (B, T, W, N)}.
        """
        cell = self.machine.cell
        inputs = ops.cast(inputs, self.compute_dtype)
        require_features("NeuralTuringMachine", inputs.shape, self.features)
        mask = None if mask is None else ops.transpose(ops.cast(mask, "bool"))
        start = cell.get_initial_state(ops.shape(inputs)[0])
        found = cell.weights_over_time(cell.project(ops.transpose(inputs, (1, 0, 2))), start, mask)
        seen, reading, writing = (ops.transpose(each, (1, 0, 2)) for each in found)

        def by_head(weights: Any, heads: int) -> Any:
            return ops.reshape(weights, (*ops.shape(weights)[:2], heads, cell.slots))

        return {
            "outputs": self.read_out(seen),
            "read_weights": by_head(reading, cell.read_heads),
            "write_weights": by_head(writing, cell.write_heads),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.output_units)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` logits for sequences of any length; `step` and the `initial_state` it begins with;
        `addressing` logits and where the heads pointed."""
        sequences = keras.InputSpec(shape=(None, None, self.features), dtype=self.input_dtype, name="inputs")
        one = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="inputs")
        state = keras.InputSpec(shape=(None, self.state_width), dtype=self.compute_dtype, name="state")
        return {
            "serving_default": (lambda inputs: self(inputs, training=False), [sequences]),
            "step": (lambda inputs, state: self.step(inputs, state), [one, state]),
            "initial_state": (lambda n: self.initial_state(n), [tf.TensorSpec((), "int32", name="n")]),
            "addressing": (lambda inputs: self.addressing(inputs), [sequences]),
        }

    def get_config(self) -> dict[str, Any]:
        cell = self.machine.cell
        names = ("units", "slots", "width", "read_heads", "write_heads", "controller", "shifts", "learn_memory")
        return {
            **super().get_config(),
            "features": self.features,
            "outputs": self.output_units,
            **{name: getattr(cell, name) for name in names},
        }
