"""A recurrent cell that reads and writes a memory of its own, and the layer around it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan, unstacked
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int, require_rank
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.ops.external_memory import (
    content_weights,
    interpolated_weights,
    read_memory,
    sharpened_weights,
    shifted_weights,
    write_memory,
)

__all__ = ["NTM", "NTMCell"]

CONTROLLERS = ("lstm", "feedforward")


@register("NTMCell")
class NTMCell(RecurrentCell):
    """One step of a neural Turing machine.

    h_t      = controller(x_t, [h_{t-1}, r_{t-1}])      an LSTM; a feedforward controller sees r_{t-1} alone
    heads    = h_t W_heads + b                          key k, strength beta, gate g, shifts s, power gamma; e and v
    w_t      = sharpen(shift(interpolate(content)))     of every head, in the memory before the step
    M_t      = write(M_{t-1}, w_t, e, v)                then
    r_t      = read(M_t, w_t)                           reading heads see what was just written
    output_t = [h_t, r_t]

    k and v pass through tanh, g and e through the logistic function, s through softmax; beta = softplus, and
    gamma = 1 + softplus. Where the heads begin and what they have read then is learned; the memory begins at
    `memory_initializer` in every slot, and is learned too with `learn_memory`.

    States: [h, r] (B, H + R M), c (B, H) of an LSTM, weights of the reading heads (B, R N), of the writing heads
    (B, W N), memory (B, N M).

    Args:
        units: int, width H of the controller.
        slots: int, N.
        width: int, numbers M in a slot.
        read_heads: int, R.
        write_heads: int, W.
        controller: "lstm" or "feedforward" (tanh), whose only memory is the memory.
        shifts: odd int S <= N, how many moves a head chooses among: one back, none, one on for 3.
        memory_initializer: of the memory at the start.
        learn_memory: whether the memory at the start is learned.
        focus_initializer: of the logits of the heads' first weights (A, N), A = R + W. None puts 4 on slot 0 and 0
            elsewhere: heads that begin everywhere at once cannot be shifted.
        **kwargs: of `RecurrentCell`; a feedforward controller's recurrent kernel has R M rows.

    Source: S 9.5; Graves et al. 2014; Collier and Beel 2018 (tanh, the constant start of the memory).
    """

    def __init__(
        self,
        units: int,
        slots: int,
        width: int,
        read_heads: int = 1,
        write_heads: int = 1,
        controller: str = "lstm",
        shifts: int = 3,
        memory_initializer: Any = None,
        learn_memory: bool = False,
        focus_initializer: Any = None,
        head_initializer: Any = "glorot_uniform",
        read_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        require_positive_int(
            "NTMCell", slots=slots, width=width, read_heads=read_heads, write_heads=write_heads, shifts=shifts
        )
        require_one_of("NTMCell", CONTROLLERS, controller=controller)
        require_one_of("NTMCell", ("separate",), weights=self.weights_form)
        if shifts % 2 == 0 or shifts > slots:
            raise ValueError(f"NTMCell needs an odd number of shifts, at most slots={slots}. Received: shifts={shifts}")
        self.slots, self.width, self.shifts = int(slots), int(width), int(shifts)
        self.read_heads, self.write_heads = int(read_heads), int(write_heads)
        self.controller, self.learn_memory = controller, bool(learn_memory)
        start = keras.initializers.Constant(1e-6) if memory_initializer is None else memory_initializer
        self.memory_initializer = keras.initializers.get(start)
        self.focus_initializer = keras.initializers.get(focus_initializer)
        self.head_initializer = keras.initializers.get(head_initializer)
        self.read_initializer = keras.initializers.get(read_initializer)
        self.columns = 4 if controller == "lstm" else 1

    @property
    def heads(self) -> int:
        """R + W, reading heads first."""
        return self.read_heads + self.write_heads

    @property
    def output_size(self) -> int:
        """H + R M."""
        return self.units + self.read_heads * self.width

    @property
    def state_size(self) -> list[int]:
        """Widths of the states."""
        cell = [self.units] if self.controller == "lstm" else []
        return [
            self.output_size,
            *cell,
            self.read_heads * self.slots,
            self.write_heads * self.slots,
            self.slots * self.width,
        ]

    def build(self, input_shape: Any) -> None:
        require_rank("NTMCell", input_shape, 2)
        self.features = input_shape[-1]
        if not self.features:
            raise ValueError(f"NTMCell needs a known number of features. Received: input_shape={tuple(input_shape)}")
        columns = self.columns * self.units
        seen = self.read_heads * self.width + (self.units if self.controller == "lstm" else 0)
        outputs = self.heads * (self.width + 3 + self.shifts) + self.write_heads * 2 * self.width

        def add(name: str, shape: Any, initializer: Any, role: str = "", trainable: bool = True) -> Any:
            more = {key: getattr(self, f"{role}_{key}") for key in ("regularizer", "constraint") if role}
            return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=trainable, **more)

        self.kernel = add("kernel", (self.features, columns), self.kernel_initializer, "kernel")
        self.recurrent_kernel = add("recurrent_kernel", (seen, columns), self.recurrent_initializer, "recurrent")
        self.bias = self.head_bias = None
        if self.use_bias:
            self.bias = add("bias", (columns,), self.start_of_bias, "bias")
            self.head_bias = add("head_bias", (outputs,), self.bias_initializer, "bias")
        self.head_kernel = add("head_kernel", (self.units, outputs), self.head_initializer)
        focus = self.focus_initializer or _on_the_first_slot
        self.first_focus = add("first_focus", (self.heads, self.slots), focus)
        self.first_read = add("first_read", (self.read_heads * self.width,), self.read_initializer)
        memory = (self.slots, self.width)
        self.first_memory = add("first_memory", memory, self.memory_initializer, trainable=self.learn_memory)
        self.built = True

    def start_of_bias(self, shape: Any, dtype: Any = None) -> Any:
        """The bias initializer's, with ones for an LSTM's forget gate."""
        start = self.bias_initializer(shape, dtype=dtype)
        if self.controller == "feedforward":
            return start
        return ops.concatenate([start[: self.units], ops.ones((self.units,), dtype=dtype), start[2 * self.units :]])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Learned: where the heads point and what they have read; the memory; h = c = 0."""
        if not self.built:
            raise ValueError("NTMCell has its first states once it is built. Received: a cell without weights")

        def rows(values: Any) -> Any:
            flat = ops.reshape(ops.cast(values, self.compute_dtype), (1, -1))
            return ops.broadcast_to(flat, (batch_size, flat.shape[-1]))

        h = ops.zeros((batch_size, self.units), self.compute_dtype)
        focus = ops.softmax(ops.convert_to_tensor(self.first_focus), axis=-1)
        return [
            ops.concatenate([h, rows(self.first_read)], axis=-1),
            *([h] if self.controller == "lstm" else []),
            rows(focus[: self.read_heads]),
            rows(focus[self.read_heads :]),
            rows(self.first_memory),
        ]

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """The states after one more step; `noise` (B, H + R M) multiplies what the controller sees of [h, r]."""
        seen, *cell, reading, writing, memory = states
        seen = seen if noise is None else seen * noise
        kernel = ops.convert_to_tensor(self.recurrent_kernel)
        if self.controller == "lstm":
            a = projected + ops.matmul(seen, kernel)
            i, f, o = ops.split(ops.sigmoid(a[:, : 3 * self.units]), 3, axis=1)
            cell = [f * cell[0] + i * ops.tanh(a[:, 3 * self.units :])]
            h = o * ops.tanh(cell[0])
        else:
            h = ops.tanh(projected + ops.matmul(seen[:, self.units :], kernel))

        memory = ops.reshape(memory, (-1, self.slots, self.width))
        before = ops.reshape(ops.concatenate([reading, writing], axis=-1), (-1, self.heads, self.slots))
        weights, erase, add = self.addressed(h, before, memory)
        memory = write_memory(memory, weights[:, self.read_heads :], erase, add)
        read = read_memory(memory, weights[:, : self.read_heads])

        def flat(x: Any, size: int) -> Any:
            return ops.reshape(x, (-1, size))

        return [
            ops.concatenate([h, flat(read, self.read_heads * self.width)], axis=-1),
            *cell,
            flat(weights[:, : self.read_heads], self.read_heads * self.slots),
            flat(weights[:, self.read_heads :], self.write_heads * self.slots),
            flat(memory, self.slots * self.width),
        ]

    def addressed(self, h: Any, before: Any, memory: Any) -> tuple[Any, Any, Any]:
        """Where all heads point now, and what the writing ones do.

        Args:
            h: tensor (B, H).
            before: tensor (B, A, N), weights of the step before, reading heads first.
            memory: tensor (B, N, M).

        Returns:
            Weights (B, A, N), erase (B, W, M) and add (B, W, M).
        """
        said = ops.matmul(h, self.head_kernel)
        said = said if self.head_bias is None else said + self.head_bias
        asked = self.heads * (self.width + 3 + self.shifts)
        where = ops.reshape(said[:, :asked], (-1, self.heads, self.width + 3 + self.shifts))
        what = ops.reshape(said[:, asked:], (-1, 2, self.write_heads, self.width))
        key, beta, gate, power = (where[:, :, : self.width], *(where[:, :, self.width + k] for k in range(3)))

        weights = content_weights(memory, ops.tanh(key), ops.softplus(beta))
        weights = interpolated_weights(weights, before, ops.sigmoid(gate))
        weights = shifted_weights(weights, ops.softmax(where[:, :, self.width + 3 :], axis=-1))
        weights = sharpened_weights(weights, 1 + ops.softplus(power))
        return ops.cast(weights, h.dtype), ops.sigmoid(what[:, 0]), ops.tanh(what[:, 1])

    def weights_over_time(self, projected: Any, states: list[Any], mask: Any = None) -> tuple[Any, Any, Any]:
        """What heads looked at: [h, r] (T, B, H + R M), weights (T, B, R N) and (T, B, W N) of all steps."""
        sequences = [unstacked(projected)] + ([] if mask is None else [mask[:, :, None]])

        def step(old: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            new = self.step(now[0], old)
            return ([ops.where(now[1], a, b) for a, b in zip(new, old, strict=True)] if len(now) == 2 else new), []

        count = len(states)
        kept = scan(step, states, sequences, [], length=ops.shape(projected)[0], history=(0, count - 3, count - 2))[1]
        seen, reading, writing = (one.after(1).stack() for one in kept)
        return seen, reading, writing

    def get_config(self) -> dict[str, Any]:
        initializers = ("memory_initializer", "focus_initializer", "head_initializer", "read_initializer")
        names = ("slots", "width", "read_heads", "write_heads", "controller", "shifts", "learn_memory")
        kept = {name: getattr(self, name) for name in initializers}
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            **{name: None if one is None else keras.initializers.serialize(one) for name, one in kept.items()},
        }


def _on_the_first_slot(shape: Any, dtype: Any = None) -> Any:
    return 4.0 * ops.one_hot(ops.zeros((shape[0],), "int32"), shape[1], dtype=dtype)


@register("NTM")
class NTM(RecurrentLayer):
    """A neural Turing machine over a sequence: a controller with a memory that it addresses by content and by place.

    w_t = sharpen(shift(g softmax(beta K(k, M_{t-1})) + (1 - g) w_{t-1}))       every head
    M_t = M_{t-1} (1 - w_t e) + w_t v,   r_t = w_t M_t,   output_t = [h_t, r_t]

    `NTMCell` says the whole of it. The number of weights does not depend on the number of slots but for where the heads
    begin, and the length of a sequence is free.

    Args:
        units: int, width H of the controller.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, dropout,
        recurrent_dropout, seed, activity_regularizer, name, trainable, dtype: as `LSTM`; recurrent dropout takes from
            what the controller sees of [h, r].
        **cell: slots, width, read_heads, write_heads, controller, shifts, learn_memory, initializers, as `NTMCell`.

    Call arguments:
        sequences: tensor (B, T, F); T may be unknown, and 0.
        initial_state: list of states as `NTMCell` has them, or None for the learned ones.
        mask: bool tensor (B, T), true where a step counts; others leave memory and heads alone.
        training: bool.

    Output shape:
        (B, T, H + R M) or (B, H + R M); with return_state followed by the states.

    Raises:
        ValueError: for a bad argument, a wrong rank, or a batch that does not fit a stateful layer.

    Example:
        >>> layer = NTM(5, slots=8, width=4, return_sequences=True)
        >>> tuple(layer(ops.ones((2, 7, 3))).shape)
        (2, 7, 9)

    Source: S 9.5; Graves et al. 2014.
    """

    cell_class = NTMCell

    def reset_state(self) -> None:
        """Back to the learned first states, of a stateful layer."""
        if self.states is not None:
            first = self.get_initial_state(self._expected_batch_size)
            for variable, value in zip(keras.tree.flatten(self.states), first, strict=True):
                variable.assign(ops.cast(value, variable.dtype))
