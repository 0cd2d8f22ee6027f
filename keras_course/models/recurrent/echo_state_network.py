"""An echo state network: a fixed random reservoir, and a linear read-out found in closed form.

h_t = (1 - a) h_{t-1} + a f(g * ([x_t, y_{t-1}] U + h_{t-1} W) + b)     U, W, b random; y_{t-1} with feedback alone
o_t = s_t V + c,   s_t = h_t, or [x_t, h_t]
V, c = argmin 1/n sum_t |s_t V + c - y_t|^2 + ridge |V|^2               t after the washout
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.loops import fused, scan, sizes_of
from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.layers.recurrent import Reservoir
from keras_course.models.recurrent.ridge_read_out import RidgeReadOut
from keras_course.ops.reservoir import leaky_step
from keras_course.ops.reservoir_measures import squared_correlation

__all__ = ["EchoStateNetwork"]

VECTOR = 8  # numbers of float32; rows of W that begin inside one make a step a seventh slower
WORTH_COMPILING = 1000  # steps of a training batch; XLA halves the loop's time and takes half a second to compile


@register("EchoStateNetwork")
class EchoStateNetwork(RidgeReadOut, Model):
    """Reservoir computing: only the read-out learns, by one ridge regression over all steps of all sequences.

    o_t = V^T h_t + c,   V from sums of h_t h_t^T and h_t y_t^T over batches

    Every sequence starts from the state 0; its first `washout` steps are neither learned from nor measured. A series
    too long for one batch goes through `fit_series`, and `run` answers it a chunk at a time.

    Args:
        features: int, width F of an input.
        outputs: int, width O of the read-out.
        units: int, width H of the reservoir.
        leak, leak_form, activation, spectral_radius, density, input_scaling, bias_scaling: as
            `layers.recurrent.Reservoir`; input_scaling holds for the F inputs.
        feedback_scaling: float, the outputs of the step before are inputs too, scaled by it: the true ones in training
            (teacher forcing), the network's own afterwards. None for no feedback.
        inputs_to_read_out: whether the read-out sees x_t beside h_t.
        ridge: float > 0, penalty a row: `ridge` * rows is scikit-learn's alpha, and reservoirpy's ridge.
        washout: int >= 0.
        seed: int, root of the random weights.
        **kwargs: as keras.Model. With dtype="float64" states are as exact as reservoirpy's.

    Input shape:
        (B, T, features), T may be unknown.

    Output shape:
        (B, T, outputs), the washout included. Targets have the same shape, or (B, T) for one output; sample weights
        (B,) or (B, T), zeros over padding.

    Raises:
        ValueError: for a bad argument, an optimizer or a loss in compile, or shapes that do not fit.

    Example:
        >>> x = np.random.default_rng(0).uniform(-1, 1, (1, 200, 1)).astype("float32")
        >>> model = EchoStateNetwork(1, 1, units=20, density=0.2, washout=20)
        >>> model.compile()
        >>> _ = model.fit(x, np.roll(x, 2, axis=1), verbose=0)  # what came two steps ago, of variance 1 / 3
        >>> model.evaluate(x, np.roll(x, 2, axis=1), verbose=0, return_dict=True)["mean_squared_error"] < 0.01
        True

    Source: C 13.4; Jaeger 2001.
    """

    def __init__(
        self,
        features: int,
        outputs: int = 1,
        units: int = 200,
        leak: float = 1.0,
        leak_form: str = "averaged",
        activation: Any = "tanh",
        spectral_radius: float = 0.9,
        density: float = 0.1,
        input_scaling: float | Sequence[float] = 1.0,
        bias_scaling: float = 0.0,
        feedback_scaling: float | None = None,
        inputs_to_read_out: bool = False,
        ridge: float = 1e-6,
        washout: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("EchoStateNetwork", features=features, outputs=outputs, units=units)
        self.input_width, self.units = int(features), int(units)
        self.input_scaling, self.feedback_scaling = input_scaling, feedback_scaling
        self.inputs_to_read_out = bool(inputs_to_read_out)
        scaling: Any = input_scaling
        if feedback_scaling is not None:
            own = [float(input_scaling)] * features if isinstance(input_scaling, int | float) else list(input_scaling)
            scaling = [*own, *[float(feedback_scaling)] * outputs]
        self.reservoir = Reservoir(
            units, leak=leak, leak_form=leak_form, activation=activation, spectral_radius=spectral_radius,
            density=density, input_scaling=scaling, bias_scaling=bias_scaling, return_sequences=True,
            seed=derive_seed(seed, "reservoir"), name="reservoir", dtype=self.dtype_policy,
        )  # fmt: skip
        self.add_read_out(units + (features if inputs_to_read_out else 0), outputs, ridge, washout)
        self._compiled_states: Any = None
        self.build((None, None, features))

    def build(self, input_shape: Any = None) -> None:
        self.reservoir.build((None, None, self.input_width + (self.output_units if self.has_feedback else 0)))
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: self.input_width})
        self.built = True

    @property
    def has_feedback(self) -> bool:
        """Whether outputs are fed back into the reservoir."""
        return self.feedback_scaling is not None

    @property
    def state_width(self) -> int:
        """Numbers that one sequence carries from step to step: h, and with feedback the last output."""
        return self.units + (self.output_units if self.has_feedback else 0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.run(inputs, ops.zeros((ops.shape(inputs)[0], self.state_width), self.compute_dtype))["outputs"]

    def run(self, inputs: Any, state: Any) -> dict[str, Any]:
        """A part of a sequence, from the state that the part before it left: a long series a chunk at a time.

        Args:
            inputs: tensor (B, T, features).
            state: tensor (B, state_width), zeros at the start.

        Returns:
            {"outputs": tensor (B, T, outputs), "state": tensor (B, state_width)}.
        """
        require_rank("EchoStateNetwork", inputs.shape, 3)
        require_features("EchoStateNetwork", inputs.shape, self.input_width)
        inputs, state = (ops.cast(each, self.compute_dtype) for each in (inputs, state))
        require_features("The state of EchoStateNetwork", state.shape, self.state_width)
        if self.has_feedback:
            return self._run_free(inputs, state)
        features, last = self._features(inputs, state, fast=False)
        return {"outputs": self.read(features), "state": last}

    def _run_free(self, inputs: Any, state: Any) -> dict[str, Any]:
        cell, batch = self.reservoir.cell, ops.shape(inputs)[0]

        def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            h, y = states
            (h,) = cell.step(cell.project(ops.concatenate([now[0], y], axis=-1)), [h])
            y = self.read(ops.concatenate([now[0], h], axis=-1) if self.inputs_to_read_out else h)
            return [h, y], [y]

        steps = ops.transpose(inputs, (1, 0, 2))  # (T, B, F)
        start = [state[:, : self.units], state[:, self.units :]]
        ends, _, (said,) = scan(step, start, [steps], [(batch, self.output_units)], length=sizes_of(steps)[0])
        return {"outputs": ops.transpose(said.stack(), (1, 0, 2)), "state": ops.concatenate(ends, axis=-1)}

    def step(self, inputs: Any, state: Any) -> dict[str, Any]:
        """One more input: what the whole sequence so far would give.

        Args:
            inputs: tensor (B, features).
            state: tensor (B, state_width), zeros at the start.

        Returns:
            {"outputs": tensor (B, outputs), "state": tensor (B, state_width)}.
        """
        found = self.run(inputs[:, None], state)
        return {"outputs": found["outputs"][:, 0], "state": found["state"]}

    def states(self, inputs: Any, state: Any = None) -> Any:
        """h of every step, compiled by XLA: the fast way to them. With feedback, `inputs` are [x_t, y_{t-1}].

        Args:
            inputs: tensor (B, T, width of the reservoir's input).
            state: tensor (B, units), or None for zeros.

        Returns:
            Tensor (B, T, units).
        """
        inputs = ops.convert_to_tensor(inputs, dtype=self.compute_dtype)
        require_rank("EchoStateNetwork", inputs.shape, 3)
        require_features("EchoStateNetwork", inputs.shape, self.reservoir.cell.features)
        start = ops.zeros((ops.shape(inputs)[0], self.units), self.compute_dtype) if state is None else state
        if self._compiled_states is None:
            self._compiled_states = tf.function(self._all_states, jit_compile=True, autograph=False)
        return self._compiled_states(inputs, start, *self._weights())

    def _weights(self) -> tuple[Any, ...]:
        cell = self.reservoir.cell
        weights = cell.kernel, cell.recurrent_kernel, cell.gain, cell.bias
        return tuple(ops.cast(each, self.compute_dtype) for each in weights)

    def _all_states(self, inputs: Any, h: Any, kernel: Any, recurrent: Any, gain: Any, bias: Any) -> Any:
        """Nothing but tensors come in, so that XLA sees no variable and a replica no other's."""
        cell = self.reservoir.cell
        projected = ops.transpose(ops.matmul(inputs, kernel) * gain + bias, (1, 0, 2))  # (T, B, H)
        recurrent = ops.pad(recurrent, ((0, 0), (0, -self.units % VECTOR)))

        def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            new = leaky_step(now[0], states[0], recurrent, cell.leak, cell.leak_form, cell.activation, gain)
            return [new], [new]

        length, *shape = sizes_of(projected)
        _, _, (kept,) = scan(step, [h], [projected], [tuple(shape)], length=length, overwritten={0: 0})
        return ops.transpose(kept.stack(), (1, 0, 2))

    def _features(self, inputs: Any, state: Any, fast: bool) -> tuple[Any, Any]:
        """What the read-out sees of every step, and the last h. `inputs` are those of the reservoir."""
        if fast:
            long = inputs.shape[1] is None or inputs.shape[1] >= WORTH_COMPILING
            run = fused(self._all_states) if long else self._all_states
            h = run(inputs, state, *self._weights())
            last = h[:, -1]
        else:
            h, last = self.reservoir(inputs, initial_state=[state]), None
            # The last state of no step at all is the first.
            last = ops.concatenate([state[:, None], h], axis=1)[:, -1]
        seen = inputs[:, :, : self.input_width]
        return (ops.concatenate([seen, h], axis=-1) if self.inputs_to_read_out else h), last

    def _taught(self, x: Any, targets: Any, before: Any) -> Any:
        """The reservoir's inputs when the true outputs are fed back."""
        if not self.has_feedback:
            return x
        return ops.concatenate([x, ops.concatenate([before[:, None], targets[:, :-1]], axis=1)], axis=-1)

    def features(self, x: Any, targets: Any, fast: bool = False) -> Any:
        """What the read-out sees of every step of whole sequences; with feedback, of the true outputs."""
        start = ops.zeros((ops.shape(x)[0], self.units), x.dtype)
        return self._features(self._taught(x, targets, ops.zeros_like(targets[:, 0])), start, fast)[0]

    def fit_series(self, x: Any, y: Any, chunk: int = 1000) -> EchoStateNetwork:
        """Learns from series too long for one batch: the state goes on from chunk to chunk, one washout at the start.

        Args:
            x: array (B, T, features), any T; NumPy may map it from a file.
            y: array (B, T, outputs) or, for one output, (B, T).
            chunk: int, steps held in memory at a time.

        Returns:
            The model itself.

        Raises:
            ValueError: for shapes that do not fit, or a series no longer than the washout.
        """
        require_positive_int("EchoStateNetwork", chunk=chunk)
        require_rank("EchoStateNetwork", np.shape(x), 3)
        require_features("EchoStateNetwork", np.shape(x), self.input_width)
        y = y[..., None] if np.ndim(y) == 2 else y
        if np.shape(y) != (*np.shape(x)[:2], self.output_units) or np.shape(x)[1] <= self.washout:
            raise ValueError(
                f"fit_series needs y of shape (B, T, {self.output_units}) and T > {self.washout}. "
                f"Received: x of shape {np.shape(x)}, y of shape {np.shape(y)}"
            )
        h = ops.zeros((len(x), self.units), self.compute_dtype)
        before = ops.zeros((len(x), self.output_units), self.compute_dtype)
        for first in range(0, np.shape(x)[1], chunk):
            arrays = (np.asarray(each[:, first : first + chunk]) for each in (x, y))
            part, targets = (ops.convert_to_tensor(each, dtype=self.compute_dtype) for each in arrays)
            taught = self._taught(part, targets, before)
            states = self.states(taught, h)
            features = ops.concatenate([part, states], axis=-1) if self.inputs_to_read_out else states
            skip = max(0, min(self.washout - first, part.shape[1]))
            if skip < part.shape[1]:
                self.absorb(self.flat(features[:, skip:]), self.flat(targets[:, skip:]))
            h, before = states[:, -1], targets[:, -1]
        return self

    def generate(self, sequence: Any, steps: int) -> Any:
        """Goes on alone: reads a sequence, then takes each output for the next input.

        Args:
            sequence: tensor (B, T, features), T >= 1.
            steps: int, how many outputs are wanted; the first is the one that follows the sequence.

        Returns:
            Tensor (B, steps, features).

        Raises:
            ValueError: if outputs are no inputs: other widths, or feedback (then call the model).
        """
        if self.has_feedback or self.output_units != self.input_width:
            raise ValueError(
                "generate needs outputs as wide as inputs and no feedback. "
                f"Received: features={self.input_width}, outputs={self.output_units}, feedback={self.has_feedback}"
            )
        require_positive_int("EchoStateNetwork", steps=steps)
        sequence = ops.convert_to_tensor(sequence, dtype=self.compute_dtype)

        def go_on(sequence: Any) -> Any:
            found = self.run(sequence, ops.zeros((ops.shape(sequence)[0], self.state_width), self.compute_dtype))

            def step(states: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
                h, y = states
                (h,) = self.reservoir.cell.step(self.reservoir.cell.project(y), [h])
                return [h, self.read(ops.concatenate([y, h], axis=-1) if self.inputs_to_read_out else h)], [y]

            start = [found["state"], found["outputs"][:, -1]]
            shape = (ops.shape(sequence)[0], self.output_units)
            _, _, (said,) = scan(step, start, [ops.zeros((steps, 1))], [shape], length=steps)
            return ops.transpose(said.stack(), (1, 0, 2))

        return go_on(sequence) if tf.inside_function() else tf.function(go_on, autograph=False)(sequence)

    def adapt_plasticity(self, x: Any, mean: float = 0.2, rate: float = 1e-3, passes: int = 1) -> EchoStateNetwork:
        """Intrinsic plasticity of the reservoir (`Reservoir.adapt_plasticity`); what was learned is forgotten."""
        self.reservoir.adapt_plasticity(x, mean, rate, passes)
        self.forget()
        return self

    def memory_curve(self, delays: int, length: int = 4000, seed: int = 0) -> Any:
        """Memory capacity, delay by delay: how well read-outs recover x_{t-k} from the state, for uniform inputs.

        r^2_k = squared correlation of x_{t-k} and the best linear read-out for it;   MC = sum_k r^2_k <= units

        Half of the steps fit the read-outs (by the model's ridge), the other half measures, so that a long row of
        delays adds up nothing but noise of order 1 / length.

        Args:
            delays: int, how many delays k = 0, 1, ... .
            length: int, steps that are used; as many as `delays`, at least 100, come before them.
            seed: int, of the inputs.

        Returns:
            float64 array (delays,).

        Raises:
            ValueError: for a model of several inputs or with feedback.
        """
        if self.input_width != 1 or self.has_feedback:
            raise ValueError(
                "memory_curve is for one input without feedback. "
                f"Received: features={self.input_width}, feedback={self.has_feedback}"
            )
        require_positive_int("EchoStateNetwork", delays=delays, length=length)
        before = max(100, delays)
        generator = np.random.Generator(np.random.Philox(seed))
        x = generator.uniform(-0.5, 0.5, before + length)
        h = np.asarray(self.states(x[None, :, None]), "float64")[0, before:]
        past = np.stack([x[before - k : before - k + length] for k in range(delays)], axis=1)  # (length, delays)
        half = length // 2
        centred, target = h[:half] - h[:half].mean(0), past[:half] - past[:half].mean(0)
        penalised = centred.T @ centred / half + self.ridge * np.eye(self.units)
        weights = np.linalg.solve(penalised, centred.T @ target / half)
        said, true = (ops.convert_to_tensor(each) for each in (h[half:] @ weights, past[half:]))
        return np.asarray(squared_correlation(said, true))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.output_units)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` for whole sequences; `run` for a chunk and `step` for one input, with the state before."""
        sequences = keras.InputSpec(shape=(None, None, self.input_width), dtype=self.input_dtype, name="inputs")
        one = keras.InputSpec(shape=(None, self.input_width), dtype=self.input_dtype, name="inputs")
        state = keras.InputSpec(shape=(None, self.state_width), dtype=self.compute_dtype, name="state")
        return {
            "serving_default": (lambda inputs: self(inputs, training=False), [sequences]),
            "run": (self.run, [sequences, state]),
            "step": (self.step, [one, state]),
        }

    def get_config(self) -> dict[str, Any]:
        cell = self.reservoir.cell.get_config()
        kept = ("leak", "leak_form", "activation", "spectral_radius", "density", "bias_scaling")
        return {
            **super().get_config(),
            **{key: cell[key] for key in kept},
            "features": self.input_width,
            "outputs": self.output_units,
            "units": self.units,
            "input_scaling": self.input_scaling,
            "feedback_scaling": self.feedback_scaling,
            "inputs_to_read_out": self.inputs_to_read_out,
            "ridge": self.ridge,
            "washout": self.washout,
        }
