"""A liquid state machine: spiking neurons that are never trained, and a read-out of their filtered spikes.

liquid   tau dv/dt = -v + currents, spikes at v >= 1 (`layers.recurrent.SpikingReservoir`)
state    s_t = sum over spikes before t of exp(-(t - spike) / tau_r)
o        = s_T V + c   after the last step, or at every step
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.layers.recurrent import SpikingReservoir
from keras_course.models.recurrent.ridge_read_out import RidgeReadOut

__all__ = ["LiquidStateMachine"]

READ_OUTS = ("ridge", "logistic")


@register("LiquidStateMachine")
class LiquidStateMachine(RidgeReadOut, Model):
    """Spikes in, a decision out: only the read-out of the liquid's state learns.

    o = s V + c;   ridge: V, c in closed form against one-hot targets or numbers;   logistic: logits, by gradients

    Inputs are spike trains, one step a millisecond; `datasets.poisson_spikes` makes them of rates. Class labels may be
    integers (B,) with either read-out; ridge also takes targets (B, outputs), and (B, T, outputs) with
    return_sequences.

    Args:
        features: int, input channels F.
        outputs: int, classes or targets O.
        grid: three ints, neurons along each side of the box.
        read_out: "ridge" (compile without optimizer and loss) or "logistic" (compile with an optimizer and, say,
            `losses.SoftmaxLoss`).
        return_sequences: whether to read out at every step, or after the last.
        liquid: mapping of further arguments of `SpikingReservoir` (strength, input_strength, drive, time constants).
        ridge: float > 0, penalty a row.
        washout: int >= 0, with return_sequences: first steps that do not count.
        seed: int, root of the random weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, T, features), T may be unknown.

    Output shape:
        (B, outputs), or (B, T, outputs) with return_sequences.

    Raises:
        ValueError: for a bad argument, or shapes that do not fit.

    Example:
        >>> model = LiquidStateMachine(3, 2, grid=(2, 2, 3))
        >>> tuple(model(ops.ones((4, 10, 3))).shape)
        (4, 2)

    Source: C 13.4; Maass, Natschlaeger and Markram 2002.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        grid: Sequence[int] = (5, 5, 5),
        read_out: str = "ridge",
        return_sequences: bool = False,
        liquid: Mapping[str, Any] | None = None,
        ridge: float = 1e-3,
        washout: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("LiquidStateMachine", features=features, outputs=outputs)
        require_one_of("LiquidStateMachine", READ_OUTS, read_out=read_out)
        if washout and not return_sequences:
            raise ValueError(
                "LiquidStateMachine reads after the last step, so that no washout applies. "
                f"Received: washout={washout}, return_sequences={return_sequences}"
            )
        self.input_width, self.read_out = int(features), read_out
        self.reads_every_step = bool(return_sequences)
        self.liquid_settings = dict(liquid or {})
        self.liquid = SpikingReservoir(
            grid, return_sequences=self.reads_every_step, return_state=True, seed=derive_seed(seed, "liquid"),
            name="liquid", dtype=self.dtype_policy, **self.liquid_settings,
        )  # fmt: skip
        if self.liquid.cell.settings["output"] != "trace":
            raise ValueError(f"LiquidStateMachine reads traces. Received: liquid={self.liquid_settings}")
        self.add_read_out(self.liquid.units, outputs, ridge, washout)
        self.build((None, None, features))

    def build(self, input_shape: Any = None) -> None:
        self.liquid.build((None, None, self.input_width))
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: self.input_width})
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        require_rank("LiquidStateMachine", inputs.shape, 3)
        require_features("LiquidStateMachine", inputs.shape, self.input_width)
        return self.read(self.liquid(inputs)[0])

    def features(self, x: Any, targets: Any = None, fast: bool = False) -> Any:
        """The liquid's state, after the last step (B, H) or at every step (B, T, H)."""
        return self.liquid(x)[0]

    def spikes(self, inputs: Any) -> Any:
        """Who fired when: 1 or 0 for every step and neuron, for a raster.

        Args:
            inputs: tensor (B, T, features).

        Returns:
            Tensor (B, T, H).
        """
        config = {**self.liquid.get_config(), "output": "spikes", "return_sequences": True, "return_state": False}
        twin = SpikingReservoir.from_config(config)
        twin.build((None, None, self.input_width))
        twin.cell.set_weights(self.liquid.cell.get_weights())
        return twin(ops.convert_to_tensor(inputs, dtype=self.compute_dtype))

    @property
    def state_width(self) -> int:
        """Numbers that one sequence carries from step to step: six a neuron."""
        return len(self.liquid.state_size) * self.liquid.units

    def run(self, inputs: Any, state: Any) -> dict[str, Any]:
        """A part of a sequence, from the state that the part before it left.

        Args:
            inputs: tensor (B, T, features).
            state: tensor (B, state_width), zeros at the start.

        Returns:
            {"outputs": tensor (B, outputs) or (B, T, outputs), "state": tensor (B, state_width)}.
        """
        units = self.liquid.units
        states = [state[:, k * units : (k + 1) * units] for k in range(len(self.liquid.state_size))]
        seen, *states = self.liquid(ops.cast(inputs, self.compute_dtype), initial_state=states)
        return {"outputs": self.read(seen), "state": ops.concatenate(states, axis=-1)}

    def sequences_of(self, data: Any) -> Any:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError("LiquidStateMachine learns from targets. Received: y=None")
        targets = ops.convert_to_tensor(y)
        if "int" in str(targets.dtype) and len(targets.shape) == (2 if self.reads_every_step else 1):
            targets = ops.one_hot(targets, self.output_units, dtype=self.variable_dtype)
        x, _, targets, weight = super().sequences_of((x, targets, weight))
        return x, y, targets, weight

    @property
    def by_gradients(self) -> bool:
        """Whether the read-out is trained by an optimizer."""
        return self.read_out == "logistic"

    def compile(self, optimizer: Any = None, loss: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile; a ridge read-out takes no optimizer and no loss, a logistic one needs both."""
        if not self.by_gradients:
            super().compile(optimizer, loss, **kwargs)
            return
        if optimizer is None or loss is None:
            raise ValueError(
                f"A logistic read-out needs an optimizer and a loss. Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        super(RidgeReadOut, self).compile(optimizer=optimizer, loss=loss, **kwargs)  # type: ignore[misc]

    def train_step(self, data: Any) -> Any:
        if not self.by_gradients:
            return super().train_step(data)
        return super(RidgeReadOut, self).train_step(data)  # type: ignore[misc]

    def test_step(self, data: Any) -> Any:
        if not self.by_gradients:
            return super().test_step(data)
        return super(RidgeReadOut, self).test_step(data)  # type: ignore[misc]

    @property
    def metrics(self) -> list[Any]:
        if not self.by_gradients:
            return super().metrics
        return [metric for metric in super(RidgeReadOut, self).metrics if metric is not self.squared_error]  # type: ignore[misc]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[: 2 if self.reads_every_step else 1], self.output_units)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` for whole spike trains; `run` for a part of one, with the state before it."""
        sequences = keras.InputSpec(shape=(None, None, self.input_width), dtype=self.input_dtype, name="inputs")
        state = keras.InputSpec(shape=(None, self.state_width), dtype=self.compute_dtype, name="state")
        return {
            "serving_default": (lambda inputs: self(inputs, training=False), [sequences]),
            "run": (self.run, [sequences, state]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.input_width,
            "outputs": self.output_units,
            "grid": list(self.liquid.cell.grid),
            "read_out": self.read_out,
            "return_sequences": self.reads_every_step,
            "liquid": dict(self.liquid_settings),
            "ridge": self.ridge,
            "washout": self.washout,
        }
