"""A reservoir: a recurrent layer whose random weights stay as they are; only its read-out learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.loops import scan, traced
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.initializers.sparse_reservoir import SparseReservoir
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.ops.reservoir import LEAK_FORMS, intrinsic_plasticity_step, leaky_step

__all__ = ["Reservoir", "ReservoirCell"]

WRITTEN_BY_THE_BASE = (
    "use_bias", "weights", "kernel_initializer", "recurrent_initializer", "bias_initializer", "kernel_regularizer",
    "recurrent_regularizer", "bias_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint",
)  # fmt: skip


@register("ReservoirCell")
class ReservoirCell(RecurrentCell):
    """One step of a reservoir: inputs (B, F), state [h] -> h, [h].

    h' = (1 - a) h + a f(g * (x U + h W) + b)        g = 1 and b as drawn, until intrinsic plasticity moves them

    No weight is trainable. U and b are uniform, W is sparse and scaled to a spectral radius.

    Args:
        units: int, width H.
        leak: float in (0, 1], a.
        leak_form: "averaged", or "printed" for (1 - a) h + f(...), as the notes have it.
        activation: f, name or function.
        spectral_radius: float >= 0, of W.
        density: float in (0, 1], share of connections in W.
        input_scaling: float, or one a feature: U_ij ~ U(-scaling_i, scaling_i).
        bias_scaling: float, b_j ~ U(-bias_scaling, bias_scaling).
        matrix_seed: int, of U, W and b.
        **kwargs: as keras.layers.Layer.

    Raises:
        ValueError: for a bad argument, or inputs that are not (batch, features).

    Example:
        >>> cell = ReservoirCell(8, density=0.5)
        >>> h, states = cell(ops.ones((2, 4)), cell.get_initial_state(2))
        >>> tuple(h.shape), len(cell.trainable_weights)
        ((2, 8), 0)

    Source: C 13.4; Jaeger 2001.
    """

    def __init__(
        self,
        units: int,
        leak: float = 1.0,
        leak_form: str = "averaged",
        activation: Any = "tanh",
        spectral_radius: float = 0.9,
        density: float = 0.1,
        input_scaling: float | Sequence[float] = 1.0,
        bias_scaling: float = 0.0,
        matrix_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        if not 0 < leak <= 1:
            raise ValueError(f"Reservoir needs a leak in (0, 1]. Received: leak={leak}")
        require_one_of("Reservoir", LEAK_FORMS, leak_form=leak_form)
        SparseReservoir(spectral_radius, density, matrix_seed)  # its checks, before anything is built
        self.leak, self.leak_form = float(leak), leak_form
        self.activation = keras.activations.get(activation)
        self.spectral_radius, self.density = float(spectral_radius), float(density)
        one = isinstance(input_scaling, int | float)
        self.input_scaling = float(input_scaling) if one else [float(s) for s in input_scaling]  # type: ignore[arg-type, union-attr]
        self.bias_scaling = float(bias_scaling)
        self.matrix_seed = matrix_seed

    def build(self, input_shape: Any) -> None:
        require_rank("Reservoir", input_shape, 2)
        features = input_shape[-1]
        if not features:
            raise ValueError(f"Reservoir needs a known number of features. Received: input_shape={tuple(input_shape)}")
        if isinstance(self.input_scaling, list) and len(self.input_scaling) != features:
            raise ValueError(
                f"Reservoir needs one input_scaling, or {features} of them. Received: {self.input_scaling}"
            )
        self.features = features
        scaling = np.reshape(self.input_scaling, (-1, 1))

        def fixed(name: str, shape: tuple[int, ...], start: Any) -> Any:
            return self.add_weight(name=name, shape=shape, initializer=start, trainable=False)

        def uniform(name: str, scale: Any) -> Any:
            generator = np.random.Generator(np.random.Philox(derive_seed(self.matrix_seed, name)))
            return lambda shape, dtype: ops.convert_to_tensor(generator.uniform(-1, 1, shape) * scale, dtype=dtype)

        matrix = SparseReservoir(self.spectral_radius, self.density, self.matrix_seed)
        self.kernel = fixed("kernel", (features, self.units), uniform("kernel", scaling))
        self.recurrent_kernel = fixed("recurrent_kernel", (self.units, self.units), matrix)
        self.bias = fixed("bias", (self.units,), uniform("bias", self.bias_scaling))
        self.gain = fixed("gain", (self.units,), "ones")
        self.built = True

    def project(self, inputs: Any) -> Any:
        """g * (x U) + b of any number of steps: tensor (..., F) -> (..., H)."""
        return self.received(inputs) * self.gain + self.bias

    def received(self, inputs: Any) -> Any:
        """x U of any number of steps, before gain and threshold."""
        flat = ops.matmul(ops.reshape(inputs, (-1, self.features)), ops.convert_to_tensor(self.kernel))
        return ops.reshape(flat, (*ops.shape(inputs)[:-1], self.units))

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """[h] after one more step; `noise` (B, H) multiplies what the units see of h."""
        (h,) = states
        gain, seen = ops.convert_to_tensor(self.gain), None if noise is None else h * noise
        return [leaky_step(projected, h, self.state_kernel, self.leak, self.leak_form, self.activation, gain, seen)]

    def get_config(self) -> dict[str, Any]:
        base = {key: value for key, value in super().get_config().items() if key not in WRITTEN_BY_THE_BASE}
        return {
            **base,
            "leak": self.leak,
            "leak_form": self.leak_form,
            "activation": keras.activations.serialize(self.activation),
            "spectral_radius": self.spectral_radius,
            "density": self.density,
            "input_scaling": self.input_scaling,
            "bias_scaling": self.bias_scaling,
            "matrix_seed": self.matrix_seed,
        }


@register("Reservoir")
class Reservoir(RecurrentLayer):
    """Echo states: a large random recurrent layer that is never trained, for any read-out on top.

    h_t = (1 - a) h_{t-1} + a f(g * (x_t U + h_{t-1} W) + b)

    The state is a function of the whole past of the input, and of it alone once the start is forgotten: that is the
    echo state property, which a spectral radius below 1 usually gives and W of norm below 1 guarantees (averaged form,
    f of slope at most 1).

    Args:
        units: int, width H: hundreds to thousands.
        leak, leak_form, activation, spectral_radius, density, input_scaling, bias_scaling: as `ReservoirCell`.
        seed: int, root of the weights and of both dropouts.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, dropout,
            recurrent_dropout, activity_regularizer, name, trainable, dtype: as `LSTM`. The state is h.

    Call arguments:
        As `LSTM`.

    Output shape:
        (B, T, H) or (B, H); with return_state followed by (B, H).

    Raises:
        ValueError: as `LSTM`, and for an argument out of its range.

    Example:
        >>> layer = Reservoir(8, density=0.5, leak=0.3, return_sequences=True)
        >>> tuple(layer(ops.ones((2, 5, 4))).shape)
        (2, 5, 8)

    Source: C 13.4; Jaeger 2001.
    """

    cell_class = ReservoirCell

    def __init__(
        self,
        units: int,
        leak: float = 1.0,
        leak_form: str = "averaged",
        activation: Any = "tanh",
        spectral_radius: float = 0.9,
        density: float = 0.1,
        input_scaling: float | Sequence[float] = 1.0,
        bias_scaling: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, seed=seed, leak=leak, leak_form=leak_form, activation=activation, spectral_radius=spectral_radius,
            density=density, input_scaling=input_scaling, bias_scaling=bias_scaling, matrix_seed=seed, **kwargs,
        )  # fmt: skip

    def adapt_plasticity(self, sequences: Any, mean: float = 0.2, rate: float = 1e-3, passes: int = 1) -> Any:
        """Intrinsic plasticity: passes over sequences, after which the logistic units speak more nearly exponentially.

        Every step moves gain and threshold by `ops.reservoir.intrinsic_plasticity_step`, with the mean over the batch.

        Args:
            sequences: tensor (B, T, F).
            mean: float in (0, 1), mu of the exponential.
            rate: float > 0.
            passes: int, each from the state 0.

        Returns:
            Tensor (B, T, H), what the units said during the last pass.

        Raises:
            ValueError: for another activation than "sigmoid", a leak below 1, or a wrong shape.
        """
        name = keras.activations.serialize(self.cell.activation)
        if name != "sigmoid" or self.cell.leak != 1:
            raise ValueError(
                "Intrinsic plasticity towards an exponential is for logistic units without a leak. "
                f"Received: activation={name!r}, leak={self.cell.leak}"
            )
        sequences = ops.convert_to_tensor(sequences, dtype=self.compute_dtype)
        require_rank("Reservoir", sequences.shape, 3)
        if not self.built:
            self.build(sequences.shape)
        require_features("Reservoir", sequences.shape, self.cell.features)
        require_positive_int("Reservoir", steps=sequences.shape[1], passes=passes)
        kernel = self.cell.state_kernel

        def pass_over(sequences: Any, gain: Any, bias: Any) -> Any:
            received = self.cell.received(ops.transpose(sequences, (1, 0, 2)))  # (T, B, H)
            start = ops.zeros(ops.shape(received)[1:], received.dtype)

            def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
                h, gain, bias = states
                x = now[0] + ops.matmul(h, kernel)
                y = ops.sigmoid(gain * x + bias)
                return [y, *intrinsic_plasticity_step(x, y, gain, bias, mean, rate)], []

            ends, history, _ = scan(step, [start, gain, bias], [received], [], length=sequences.shape[1], history=(0,))
            return history[0].after(1).stack(), ends[1], ends[2]

        run, cell = traced(pass_over), self.cell
        for _ in range(passes):
            said, gain, bias = run(sequences, ops.copy(cell.gain), ops.copy(cell.bias))
            cell.gain.assign(gain)
            cell.bias.assign(bias)
        return ops.transpose(said, (1, 0, 2))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["matrix_seed"]
        return config
