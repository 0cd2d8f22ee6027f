"""A liquid: leaky integrate-and-fire neurons in a box, that are never trained."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_rank
from keras_course.initializers.liquid_connections import LiquidConnections
from keras_course.layers.recurrent.recurrent_cell import RecurrentCell
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.layers.recurrent.reservoir import WRITTEN_BY_THE_BASE
from keras_course.ops.integrate_and_fire import decay_of, integrate_and_fire_step, synapse_step

__all__ = ["SpikingReservoir", "SpikingReservoirCell"]

OUTPUTS = ("trace", "spikes", "potential")


@register("SpikingReservoirCell")
class SpikingReservoirCell(RecurrentCell):
    """One millisecond of a liquid: inputs (B, F), usually spikes, and six states -> output, states.

    e' = d_e e + x U + s max(W, 0),   i' = d_i i + s min(W, 0)         exponential synapses, s the spikes before
    v' = d v + (1 - d) (e' + i' + drive)                               membrane; spike at 1, back to 0, then rest
    trace' = d_r trace + spikes

    U is uniform and positive, W is drawn by `LiquidConnections`. The states are the output first, then those of trace,
    spikes and potential that are not the output, then steps of rest, e and i. No weight is trainable, and spikes pass
    no gradient.

    Args:
        grid: three ints, neurons along each side of the box.
        output: "trace" (spikes through a low-pass filter: what read-outs see), "spikes" or "potential".
        inhibitory, reach, balance: as `LiquidConnections`.
        strength: float, its strength: size of a spike's effect on the current of another neuron.
        input_strength: float, U_ij ~ input_strength * U[0.5, 1.5] for a share `input_density` of the pairs.
        input_density: float in (0, 1].
        drive: float, constant current into every neuron.
        membrane, excitation, inhibition, read_out: floats > 0, time constants in milliseconds.
        step_size: float > 0, milliseconds a step.
        refractory: int >= 0, steps of rest after a spike.
        matrix_seed: int, of U and W.
        **kwargs: as keras.layers.Layer.

    Raises:
        ValueError: for a bad argument, or inputs that are not (batch, features).

    Example:
        >>> cell = SpikingReservoirCell((2, 2, 3), output="spikes", drive=2.0)
        >>> spikes, states = cell(ops.ones((1, 4)), cell.get_initial_state(1))
        >>> tuple(spikes.shape), len(states)
        ((1, 12), 6)

    Source: C 13.4; Maass, Natschlaeger and Markram 2002.
    """

    state_count = 6

    def __init__(
        self,
        grid: Sequence[int],
        output: str = "trace",
        inhibitory: float = 0.2,
        reach: float = 2.0,
        strength: float = 1.0,
        balance: float = 1.0,
        input_strength: float = 1.0,
        input_density: float = 0.3,
        drive: float = 0.0,
        membrane: float = 20.0,
        excitation: float = 3.0,
        inhibition: float = 6.0,
        read_out: float = 20.0,
        step_size: float = 1.0,
        refractory: int = 2,
        matrix_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        grid = normalize_tuple("SpikingReservoir", tuple(grid), 3, "grid")
        super().__init__(prod(grid), **kwargs)
        require_one_of("SpikingReservoir", OUTPUTS, output=output)
        LiquidConnections(grid, inhibitory, reach, strength, balance, matrix_seed)  # its checks
        if not 0 < input_density <= 1:
            raise ValueError(f"SpikingReservoir needs input_density in (0, 1]. Received: input_density={input_density}")
        if isinstance(refractory, bool) or not isinstance(refractory, int) or refractory < 0:
            raise ValueError(f"SpikingReservoir needs an integer refractory >= 0. Received: refractory={refractory!r}")
        times = {"membrane": membrane, "excitation": excitation, "inhibition": inhibition, "read_out": read_out}
        self.decays = {name: decay_of(time, step_size) for name, time in times.items()}
        self.settings: dict[str, Any] = {
            "output": output, "inhibitory": inhibitory, "reach": reach, "strength": strength, "balance": balance,
            "input_strength": input_strength, "input_density": input_density, "drive": drive, **times,
            "step_size": step_size, "refractory": refractory, "matrix_seed": matrix_seed,
        }  # fmt: skip
        self.grid = grid

    @property
    def connections(self) -> LiquidConnections:
        """Where the neurons sit, which are inhibitory, and how they are connected."""
        names = ("inhibitory", "reach", "strength", "balance")
        return LiquidConnections(
            self.grid, **{name: self.settings[name] for name in names}, seed=self.settings["matrix_seed"]
        )

    def build(self, input_shape: Any) -> None:
        require_rank("SpikingReservoir", input_shape, 2)
        features = input_shape[-1]
        if not features:
            raise ValueError(
                f"SpikingReservoir needs a known number of features. Received: input_shape={tuple(input_shape)}"
            )
        self.features = features
        generator = np.random.Generator(np.random.Philox(derive_seed(self.settings["matrix_seed"], "kernel")))
        shape = (features, self.units)
        connected = generator.random(shape) < self.settings["input_density"]
        start = connected * self.settings["input_strength"] * generator.uniform(0.5, 1.5, shape)

        def fixed(name: str, shape: tuple[int, ...], start: Any) -> Any:
            return self.add_weight(name=name, shape=shape, initializer=start, trainable=False)

        self.kernel = fixed("kernel", shape, lambda shape, dtype: ops.convert_to_tensor(start, dtype=dtype))
        self.recurrent_kernel = fixed("recurrent_kernel", (self.units, self.units), self.connections)
        self.bias = None
        self.built = True

    def _named(self, states: list[Any]) -> dict[str, Any]:
        first = self.settings["output"]
        names = (first, *(name for name in OUTPUTS if name != first), "rest", "excitation", "inhibition")
        return dict(zip(names, states, strict=True))

    def step(self, projected: Any, states: list[Any], noise: Any = None) -> list[Any]:
        """The six states after one more step; `noise` (B, H) multiplies the spikes that arrive."""
        old, decays = self._named(states), self.decays
        spikes = old["spikes"] if noise is None else old["spikes"] * noise
        kernel = self.state_kernel
        zero = ops.zeros_like(kernel)
        excitation = synapse_step(
            old["excitation"], projected + ops.matmul(spikes, ops.maximum(kernel, zero)), decays["excitation"]
        )
        inhibition = synapse_step(
            old["inhibition"], ops.matmul(spikes, ops.minimum(kernel, zero)), decays["inhibition"]
        )
        current = excitation + inhibition + self.settings["drive"]
        potential, rest, fired = integrate_and_fire_step(
            old["potential"], old["rest"], current, decays["membrane"], refractory=self.settings["refractory"]
        )
        new = {
            "trace": synapse_step(old["trace"], fired, decays["read_out"]), "spikes": fired, "potential": potential,
            "rest": rest, "excitation": excitation, "inhibition": inhibition,
        }  # fmt: skip
        return [new[name] for name in old]

    def get_config(self) -> dict[str, Any]:
        dropped = (*WRITTEN_BY_THE_BASE, "units")
        base = {key: value for key, value in super().get_config().items() if key not in dropped}
        return {**base, **self.settings, "grid": list(self.grid)}


@register("SpikingReservoir")
class SpikingReservoir(RecurrentLayer):
    """A liquid over a sequence of spikes: leaky integrate-and-fire neurons with exponential synapses.

    tau dv/dt = -v + e + i + drive;   a spike at v >= 1, then v = 0 and some steps of rest

    One step of the sequence is `step_size` milliseconds. Inputs are spikes (0 or 1 a channel and step) or any currents.

    Args:
        grid: three ints, neurons along each side of the box; their product is the width H.
        output, inhibitory, reach, strength, balance, input_strength, input_density, drive, membrane, excitation,
            inhibition, read_out, step_size, refractory: as `SpikingReservoirCell`.
        seed: int, root of the weights and of both dropouts.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, dropout,
            recurrent_dropout, activity_regularizer, name, trainable, dtype: as `LSTM`.

    Call arguments:
        As `LSTM`.

    Output shape:
        (B, T, H) or (B, H); with return_state followed by six (B, H), the first of them the output.

    Raises:
        ValueError: as `LSTM`, and for an argument out of its range.

    Example:
        >>> layer = SpikingReservoir((2, 2, 3), output="spikes", drive=2.0, return_sequences=True)
        >>> spikes = layer(ops.zeros((1, 40, 4)))
        >>> float(ops.sum(spikes[0, :, 0])) > 0
        True

    Source: C 13.4; Maass, Natschlaeger and Markram 2002.
    """

    cell_class = SpikingReservoirCell

    def __init__(self, grid: Sequence[int], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(grid, seed=seed, matrix_seed=seed, **kwargs)  # type: ignore[arg-type]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["matrix_seed"]
        return config
