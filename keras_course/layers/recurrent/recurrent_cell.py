"""What the recurrent cells share: weights, separate or concatenated, and the input's share of all steps at once."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.loops import Steps, scan, sizes_of, unstacked
from keras_course.core.shapes import require_one_of, require_positive_int, require_rank

__all__ = ["RecurrentCell"]


class RecurrentCell(keras.layers.Layer):
    """Base of the cells; a subclass gives `columns`, `step` and, where its gradient is written out, `sequence`.

    weights="separate":      a = x W + h R + b      kernel (F, G H) and recurrent_kernel (H, G H)
    weights="concatenated":  a = [h, x] W + b       one kernel (H + F, G H), state first, as N prints it

    learn_initial_state:     h_0 (and c_0, ...) are weights, one row (H,) for every sequence, and not zeros
    """

    state_count = 1
    columns = 1  # G: how many blocks of H columns the weights have

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        weights: str = "separate",
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        learn_initial_state: bool = False,
        initial_state_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        who = type(self).__name__
        require_positive_int(who, units=units)
        require_one_of(who, ("separate", "concatenated"), weights=weights)
        self.units = int(units)
        self.use_bias = bool(use_bias)
        self.weights_form = weights
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.learn_initial_state = bool(learn_initial_state)
        self.initial_state_initializer = keras.initializers.get(initial_state_initializer)

    @property
    def state_size(self) -> Any:
        """Width of each state tensor."""
        return self.units if self.state_count == 1 else [self.units] * self.state_count

    @property
    def output_size(self) -> int:
        """Width of an output."""
        return self.units

    def build(self, input_shape: Any) -> None:
        who = type(self).__name__
        require_rank(who, input_shape, 2)
        features = input_shape[-1]
        if not features:
            raise ValueError(f"{who} needs a known number of features. Received: input_shape={tuple(input_shape)}")
        width = self.columns * self.units
        kernel = {
            "initializer": self.kernel_initializer,
            "regularizer": self.kernel_regularizer,
            "constraint": self.kernel_constraint,
        }
        self.features = features
        if self.weights_form == "separate":
            self.kernel = self.add_weight(name="kernel", shape=(features, width), **kernel)
            self.recurrent_kernel = self.add_weight(
                name="recurrent_kernel",
                shape=(self.units, width),
                initializer=self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            )
        else:
            self.kernel = self.add_weight(name="kernel", shape=(self.units + features, width), **kernel)
            self.recurrent_kernel = None
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(width,),
                initializer=self.start_of_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.initial_state = None
        if self.learn_initial_state:
            self.initial_state = self.add_weight(
                name="initial_state",
                shape=(self.state_count, self.units),
                initializer=self.initial_state_initializer,
            )
        self.built = True

    def start_of_bias(self, shape: Any, dtype: Any = None) -> Any:
        """Initial value of the bias."""
        return self.bias_initializer(shape, dtype=dtype)

    @property
    def state_kernel(self) -> Any:
        """R, the rows that multiply the state: tensor (H, G H)."""
        if self.recurrent_kernel is not None:
            return ops.convert_to_tensor(self.recurrent_kernel)
        return ops.convert_to_tensor(self.kernel)[: self.units]

    @property
    def projection(self) -> tuple[Any, Any]:
        """W, the rows that multiply the input, tensor (F, G H), and b (G H,) or None."""
        kernel = ops.convert_to_tensor(self.kernel)
        if self.recurrent_kernel is None:
            kernel = kernel[self.units :]
        return kernel, None if self.bias is None else ops.convert_to_tensor(self.bias)

    def project(self, inputs: Any) -> Any:
        """x W + b of any number of steps, in one product: tensor (..., F) -> (..., G H)."""
        kernel, bias = self.projection
        flat = ops.matmul(ops.reshape(inputs, (-1, self.features)), kernel)
        if bias is not None:
            flat = flat + bias
        return ops.reshape(flat, (*ops.shape(inputs)[:-1], kernel.shape[-1]))

    def sequence(
        self, projected: Any, states: list[Any], mask: Any, projection: Any = None
    ) -> tuple[Any, list[Any]] | None:
        """All steps with the written-out gradient: (h (T, B, H), last states); None where there is none.

        With a `projection` the first argument is the inputs, (B, T, F), and h is (B, T, H).
        """
        return None

    def run(
        self,
        projected: Any,
        states: list[Any],
        mask: Any = None,
        noise: Any = None,
        training: bool = False,
        all_steps: bool = True,
        unroll: bool = False,
        project: bool = False,
    ) -> tuple[Any, list[Any]]:
        """All steps: with the written-out gradient in training where there is one, else as a plain loop.

        A plain loop keeps no intermediate result, and a SavedModel holds it: gradients of one's own it cannot hold.

        Args:
            projected: tensor (T, B, G H) from `project`.
            states: list of tensors (B, H).
            mask: bool tensor (T, B), or None.
            noise: tensor (B, H) that multiplies what the gates see of h, or None.
            training: whether gradients will be wanted.
            all_steps: whether h of every step is wanted.
            unroll: whether to lay the steps out in the graph.
            project: whether the first argument is the inputs (B, T, F), still to be projected; h is then (B, T, H).

        Returns:
            Tuple of h (T, B, H), or None if not all_steps, and the last states.
        """
        if training and noise is None and not unroll:
            ran = self.sequence(projected, states, mask, self.projection if project else None)
            if ran is not None:
                return ran
        projected = self.project(ops.transpose(projected, (1, 0, 2))) if project else projected
        length = sizes_of(projected)[0]
        if unroll and not isinstance(length, int):
            raise ValueError(f"{type(self).__name__} unrolls a known number of steps. Received: an unknown length")

        def step(old: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            new = self.step(now[0], old, noise)
            if mask is not None:
                new = [ops.where(now[1], a, b) for a, b in zip(new, old, strict=True)]
            return new, []

        sequences = [Steps(ops.unstack(projected, length)) if unroll else unstacked(projected)]
        if mask is not None:
            sequences.append(mask[:, :, None])
        history = (0,) if all_steps else ()
        states, kept, _ = scan(step, states, sequences, [], length=length, history=history, unroll=unroll)
        if not all_steps:
            return None, states
        h = kept[0].after(1).stack()
        return (ops.transpose(h, (1, 0, 2)) if project else h), states

    def output(self, h: Any) -> Any:
        """What the cell says of its state: tensor (..., H) -> (..., output_size)."""
        return h

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        states = list(states) if isinstance(states, list | tuple) else [states]
        states = self.step(self.project(inputs), states)
        return self.output(states[0]), states

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros, or the learned states, the same for every row: list of tensors (batch_size, H), h first."""
        zeros = ops.zeros((batch_size, self.units), self.compute_dtype)
        if not self.learn_initial_state:
            return [zeros] * self.state_count
        if not self.built:
            raise ValueError(f"{type(self).__name__} learns its initial state, which exists once it is built.")
        start = ops.cast(ops.convert_to_tensor(self.initial_state), self.compute_dtype)
        return [zeros + start[k] for k in range(self.state_count)]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "weights": self.weights_form,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": keras.constraints.serialize(self.recurrent_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "learn_initial_state": self.learn_initial_state,
            "initial_state_initializer": keras.initializers.serialize(self.initial_state_initializer),
        }
