"""Worked examples of reservoir computing: leaky units, radius, plasticity, memory, spikes.

Each function takes a golden's inputs and returns its outputs, through the public API. Where a golden names no weights
they come from the formula of `worked_examples.recurrent`: entry j of weight tensor k is ((7 j + 3 k) mod 17 - 8) / 16,
halved, quartered, ... where the example says so.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.core.loops import scan
from keras_course.layers.recurrent import Reservoir, SpikingReservoir
from keras_course.ops.integrate_and_fire import integrate_and_fire_step
from keras_course.ops.reservoir import intrinsic_plasticity_step, leaky_step, spectral_radius
from keras_course.ops.reservoir_measures import exponential_divergence, linear_memory_curve, squared_correlation

__all__ = [
    "constant_current",
    "leaky_integrator",
    "linear_memory",
    "memory_terms",
    "plasticity_step",
    "radius_and_stretch",
    "reservoir_states",
    "spiking_states",
]


def _by_formula(k: int, shape: tuple[int, ...]) -> Any:
    j = np.arange(prod(shape), dtype="int64").reshape(shape)
    return ((7 * j + 3 * k) % 17 - 8) / 16.0


def leaky_integrator(drive: float, leak: float, steps: int) -> dict[str, Any]:
    """A unit without recurrence under a constant drive: within the range of tanh, or not. Source: C 13.4."""

    def run(drive: Any) -> Any:
        a, zero = ops.reshape(drive, (1, 1)), ops.zeros((1, 1), drive.dtype)
        found = {}
        for form, name in (("averaged", "state"), ("printed", "printed_form")):
            h = zero
            for _ in range(steps):
                h = leaky_step(a, h, zero, leak, form)
            found[name] = h[0, 0]
        return found

    return dict(compiled(run)(_number(drive)))


def _number(value: float) -> Any:
    from keras import config

    return ops.convert_to_tensor(value, dtype=config.floatx())


def reservoir_states(x: Any, units: int, leak: float, form: str, activation: str) -> dict[str, Any]:
    """Every state of a small reservoir with given weights, gain included. Source: C 13.4."""
    layer = Reservoir(
        units, leak=leak, leak_form=form, activation=activation, density=1.0, return_sequences=True, return_state=True
    )
    layer.build((1, *x.shape))
    cell = layer.cell
    for k, weight in enumerate((cell.kernel, cell.recurrent_kernel, cell.bias)):
        weight.assign(_by_formula(k, weight.shape))
    cell.gain.assign(1.0 + _by_formula(3, cell.gain.shape) / 2)
    outputs, last = compiled(layer)(x[None])
    return {"outputs": outputs[0], "last_h": last[0]}


def radius_and_stretch(W: Any) -> dict[str, Any]:
    """Spectral radius, and how much the longest-stretched state grows in one step (the norm). Source: C 13.4."""

    def run(W: Any) -> Any:
        return {"radius": spectral_radius(W), "stretch": ops.max(ops.svd(W, compute_uv=False))}

    return dict(compiled(run)(W))


def plasticity_step(x: Any, gain: Any, bias: Any, mean: float, rate: float) -> dict[str, Any]:
    """One step of intrinsic plasticity for logistic units. Source: C 13.4."""

    def run(x: Any, gain: Any, bias: Any) -> Any:
        moved = intrinsic_plasticity_step(x, ops.sigmoid(gain * x + bias), gain, bias, mean, rate)
        return dict(zip(("gain", "bias"), moved, strict=True))

    return dict(compiled(run)(x, gain, bias))


def linear_memory(W: Any, u: Any, delays: int) -> dict[str, Any]:
    """How much of each past input a linear reservoir holds; the sum is its size. Source: C 13.4."""

    def run(W: Any, u: Any) -> Any:
        curve = linear_memory_curve(W, u, delays)
        return {"curve": curve, "capacity": ops.sum(curve)}

    return dict(compiled(run)(W, u))


def memory_terms(past: Any, outputs: Any, values: Any, mean: float, bins: int) -> dict[str, Any]:
    """Squared correlations of delayed inputs and outputs, and how exponential a histogram is. Source: C 13.4."""

    def run(past: Any, outputs: Any, values: Any) -> Any:
        return {
            "terms": squared_correlation(past, outputs),
            "divergence": exponential_divergence(values, mean, bins),
        }

    return dict(compiled(run)(past, outputs, values))


def constant_current(current: Any, decay: float, steps: int, refractory: int) -> dict[str, Any]:
    """Leaky integrate-and-fire units under constant currents: potentials and spikes. Source: C 13.4."""

    def run(current: Any) -> Any:
        def step(state: Any, given: Any) -> Any:
            v, rest, fired = integrate_and_fire_step(*state, given[0], decay, refractory=refractory)
            return [v, rest], [v[0], fired[0]]

        start, shape = ops.zeros_like(current), current.shape[1:]
        constant = ops.tile(current[None], (steps, 1, 1))  # (T, 1, H)
        potentials, spikes = scan(step, [start, start], [constant], [shape, shape], length=steps)[2]
        return {"potentials": potentials.stack(), "spikes": spikes.stack()}

    return dict(compiled(run)(current[None]))


def spiking_states(x: Any, neurons: int, drive: float) -> dict[str, Any]:
    """A small liquid with given weights: filtered spikes of every step. Source: C 13.4."""
    layer = SpikingReservoir((1, 1, neurons), drive=drive, membrane=10.0, return_sequences=True)
    layer.build((1, *x.shape))
    layer.cell.kernel.assign(4.0 * _by_formula(0, layer.cell.kernel.shape))
    layer.cell.recurrent_kernel.assign(4.0 * _by_formula(1, layer.cell.recurrent_kernel.shape))
    return {"traces": compiled(layer)(x[None])[0]}
