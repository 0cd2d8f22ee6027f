"""A network whose only memory is its own last output, trained in parallel by teacher forcing."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan, sizes_of, unstacked
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.layers.seed_state import load_with_seed_state, save_seed_state
from keras_course.ops.recurrent import rnn_step
from keras_course.ops.teacher_forcing import scheduled_mixing, teacher_forced_inputs

__all__ = ["OutputRecurrentRNN"]

FEEDBACKS = ("softmax", "linear", "tanh", "sigmoid", "one_hot")


@register("OutputRecurrentRNN")
class OutputRecurrentRNN(keras.layers.Layer):
    """Recurrent connections from the output at one step to the hidden units at the next, and no others.

    h_t = tanh(x_t U + fed_t W + b),   o_t = h_t V + c

    teacher given:       fed_t = y_{t-1}             no step waits for another: all are computed at once
    no teacher:          fed_t = phi(o_{t-1})        free running, step by step
    truth_probability:   each row of each step takes y_{t-1} with this probability, else phi(o_{t-1})

    The output must carry all that is needed of the past, which hidden-to-hidden connections would spare it.

    Args:
        units: int, width H.
        output_units: int, width O of the output, and of what is fed back.
        feedback: phi, "softmax" (o are logits), "one_hot" (of the largest), "linear", "tanh" or "sigmoid".
        truth_probability: float p in [0, 1], used in training when a teacher is given; 1 is teacher forcing. Outside
            training a given teacher is always followed.
        kernel_initializer: of U and V.
        recurrent_initializer: of W.
        bias_initializer: of b and c.
        seed: int, of the draws of mixing.
        **kwargs: as keras.layers.Layer.

    Call arguments:
        sequences: tensor (B, T, F).
        teacher: tensor (B, T, O), y; or None to run free.
        training: bool.

    Output shape:
        (B, T, O), o of every step.

    Raises:
        ValueError: for a bad argument or a wrong rank.

    Example:
        >>> layer = OutputRecurrentRNN(3, output_units=2)
        >>> x, y = ops.ones((2, 5, 4)), ops.one_hot(ops.zeros((2, 5), "int32"), 2)
        >>> tuple(layer(x).shape), tuple(layer(x, teacher=y).shape)
        ((2, 5, 2), (2, 5, 2))

    Source: C 10.3.1.
    """

    def __init__(
        self,
        units: int,
        output_units: int,
        feedback: str = "softmax",
        truth_probability: float = 1.0,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive_int("OutputRecurrentRNN", units=units, output_units=output_units)
        require_one_of("OutputRecurrentRNN", FEEDBACKS, feedback=feedback)
        if not 0 <= truth_probability <= 1:
            raise ValueError(f"OutputRecurrentRNN needs truth_probability in [0, 1]. Received: {truth_probability=}")
        self.units, self.output_units = int(units), int(output_units)
        self.feedback = feedback
        self.truth_probability = truth_probability
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, sequences_shape: Any, teacher_shape: Any = None) -> None:
        require_rank("OutputRecurrentRNN", sequences_shape, 3)
        if not sequences_shape[-1]:
            raise ValueError(f"OutputRecurrentRNN needs known features. Received: shape={tuple(sequences_shape)}")
        if teacher_shape is not None:
            require_features("OutputRecurrentRNN", teacher_shape, self.output_units)
        sizes = {
            "kernel": ((sequences_shape[-1], self.units), self.kernel_initializer),
            "recurrent_kernel": ((self.output_units, self.units), self.recurrent_initializer),
            "bias": ((self.units,), self.bias_initializer),
            "output_kernel": ((self.units, self.output_units), self.kernel_initializer),
            "output_bias": ((self.output_units,), self.bias_initializer),
        }
        for name, (shape, initializer) in sizes.items():
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer=initializer))
        self.built = True

    def call(self, sequences: Any, teacher: Any = None, training: bool = False) -> Any:
        projected = ops.matmul(sequences, self.kernel) + self.bias  # (B, T, H)
        if teacher is None:
            return self._step_by_step(projected, None)
        teacher = ops.cast(teacher, self.compute_dtype)
        if training and self.truth_probability < 1:
            return self._step_by_step(projected, teacher_forced_inputs(teacher))
        return self.outputs(ops.tanh(projected + ops.matmul(teacher_forced_inputs(teacher), self.recurrent_kernel)))

    def outputs(self, h: Any) -> Any:
        """o = h V + c, tensor (..., O)."""
        return ops.matmul(h, self.output_kernel) + self.output_bias

    def fed_back(self, o: Any) -> Any:
        """phi(o), tensor (..., O)."""
        if self.feedback == "one_hot":
            return ops.one_hot(ops.argmax(o, axis=-1), self.output_units, dtype=o.dtype)
        return keras.activations.get(self.feedback)(o)

    def step(self, projected: Any, fed: Any) -> Any:
        """o of one step, tensor (B, O), from x_t U + b (B, H) and what is fed back (B, O)."""
        return self.outputs(rnn_step(projected, fed, ops.convert_to_tensor(self.recurrent_kernel)))

    def _step_by_step(self, projected: Any, truth: Any) -> Any:
        batch, length, _ = sizes_of(projected)
        sequences = [projected]
        if truth is not None:
            shape = (batch, length, 1)
            uniforms = keras.random.uniform(shape, dtype=self.compute_dtype, seed=self.seed_generator)
            sequences += [truth, uniforms]

        def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            fed = states[0]
            if truth is not None:
                fed = scheduled_mixing(now[1], fed, self.truth_probability, now[2][:, 0])
            o = self.step(now[0], fed)
            return [self.fed_back(o)], [o]

        start = ops.zeros((batch, self.output_units), projected.dtype)
        steps = [unstacked(ops.transpose(each, (1, 0, 2))) for each in sequences]
        _, _, (kept,) = scan(step, [start], steps, [(batch, self.output_units)], length=length)
        return ops.transpose(kept.stack(), (1, 0, 2))  # (B, T, O)

    def compute_output_shape(self, sequences_shape: Any, teacher_shape: Any = None) -> tuple[int | None, ...]:
        return (*sequences_shape[:2], self.output_units)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "output_units": self.output_units,
            "feedback": self.feedback,
            "truth_probability": self.truth_probability,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "seed": self.seed,
        }
