"""Spiking units: the membrane that leaks, fires and rests, and the synapse that decays."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

__all__ = ["decay_of", "firing_interval", "integrate_and_fire_step", "synapse_step"]


def decay_of(time_constant: float, step: float) -> float:
    """What is left after one step of an exponential decay: exp(-step / time_constant).

    Args:
        time_constant: float > 0, in the unit of `step` (milliseconds here).
        step: float > 0.

    Returns:
        float in (0, 1).

    Raises:
        ValueError: if one of them is not positive.

    Example:
        >>> round(decay_of(20.0, 1.0), 6)
        0.951229

    Source: C 13.4.
    """
    if not (time_constant > 0 and step > 0):
        raise ValueError(f"decay_of needs positive times. Received: time_constant={time_constant}, step={step}")
    return math.exp(-step / time_constant)


def integrate_and_fire_step(
    v: Any, resting: Any, current: Any, decay: float, threshold: float = 1.0, reset: float = 0.0, refractory: int = 2
) -> tuple[Any, Any, Any]:
    """One step of leaky integrate-and-fire units; the current is constant within the step, so the decay is exact.

    tau dv/dt = -v + I       ->   v' = d v + (1 - d) I,   d = exp(-step / tau)
    v' >= threshold          ->   a spike, v' = reset, and `refractory` steps of rest
    while it rests           ->   v' = reset, whatever comes

    Potentials are measured from the resting potential, currents in units of the potential (times the resistance).

    Args:
        v: tensor (B, H), membrane potentials.
        resting: tensor (B, H), steps of rest that are left.
        current: tensor (B, H), I.
        decay: float in (0, 1), d.
        threshold: float > reset.
        reset: float.
        refractory: int >= 0.

    Returns:
        Tuple of v, resting, and spikes (B, H), 1 or 0, all of v's dtype. Spikes pass no gradient.

    Raises:
        ValueError: for a threshold that is not above the reset, a negative refractory time or a decay outside (0, 1).

    Example:
        >>> v, rest, spikes = integrate_and_fire_step(ops.array([[0.9]]), ops.zeros((1, 1)), ops.array([[2.0]]), 0.9)
        >>> float(v[0, 0]), float(rest[0, 0]), float(spikes[0, 0])
        (0.0, 2.0, 1.0)

    Source: C 13.4; Lapicque 1907; Maass, Natschlaeger and Markram 2002.
    """
    if not threshold > reset:
        raise ValueError(
            f"integrate_and_fire_step needs a threshold above the reset. Received: threshold={threshold}, reset={reset}"
        )
    if refractory < 0 or not 0 < decay < 1:
        raise ValueError(
            "integrate_and_fire_step needs refractory >= 0 and a decay in (0, 1). "
            f"Received: refractory={refractory}, decay={decay}"
        )
    free = resting < 0.5
    moved = ops.where(free, decay * v + (1 - decay) * current, ops.full_like(v, reset))
    fires = moved >= threshold
    spikes = ops.cast(fires, v.dtype)
    left = ops.where(fires, ops.full_like(resting, refractory), ops.maximum(resting - 1, ops.zeros_like(resting)))
    return ops.where(fires, ops.full_like(v, reset), moved), left, spikes


def synapse_step(current: Any, arriving: Any, decay: float) -> Any:
    """An exponential synapse: what arrives is added at once and fades.

    i' = d i + arriving,   d = exp(-step / tau)

    Args:
        current: tensor (B, H).
        arriving: tensor (B, H), spikes times their weights.
        decay: float, d.

    Returns:
        Tensor (B, H).

    Example:
        >>> float(synapse_step(ops.array([[1.0]]), ops.array([[0.25]]), 0.5)[0, 0])
        0.75

    Source: C 13.4; Maass, Natschlaeger and Markram 2002.
    """
    return decay * current + arriving


def firing_interval(
    current: float, time_constant: float, threshold: float = 1.0, reset: float = 0.0, refractory: float = 0.0
) -> float:
    """The time from one spike to the next under a constant current, in continuous time.

    T = refractory + tau log((I - reset) / (I - threshold)),   infinite for I <= threshold

    Args:
        current: float, I.
        time_constant: float, tau.
        threshold, reset: floats.
        refractory: float, time of rest.

    Returns:
        float, in the unit of tau.

    Example:
        >>> round(firing_interval(2.0, 20.0), 4), firing_interval(1.0, 20.0)
        (13.8629, inf)

    Source: C 13.4; Lapicque 1907.
    """
    if current <= threshold:
        return math.inf
    return refractory + time_constant * math.log((current - reset) / (current - threshold))
