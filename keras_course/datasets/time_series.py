"""Series that tell how far a network's memory reaches and how well it follows a nonlinear rule: NARMA-10, Mackey-Glass.

NARMA-10      y_{t+1} = 0.3 y_t + 0.05 y_t (y_t + ... + y_{t-9}) + 1.5 u_{t-9} u_t + 0.1,   u_t ~ U[0, 0.5]
Mackey-Glass  dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t)

Generated, not measured: the standard tasks of reservoir computing. In NARMA-10 the network is told u and asked for y:
ten steps of memory and a product. Mackey-Glass with tau = 17 is mildly chaotic; its own past is the input, and what
comes 84 time units later the target.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets.arrays import from_arrays
from keras_course.datasets.dataset import Dataset

__all__ = ["mackey_glass", "mackey_glass_series", "narma10", "narma10_series"]

ORDER = 10
SERIES, STEPS = 20, 600  # of the data sets
HORIZON = 84  # steps ahead, Mackey-Glass
TRANSIENT = 500  # time units before the first value that is kept
DIVERGED = 5.0  # a NARMA-10 series that stays bounded never comes near


def narma10_series(count: int, length: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inputs and outputs of the tenth-order nonlinear moving average, from rest.

    y_{t+1} = 0.3 y_t + 0.05 y_t sum_{i=0}^{9} y_{t-i} + 1.5 u_{t-9} u_t + 0.1;   y and u are 0 before the first step

    A rare draw of u makes the series run away; it is drawn again, with the next number of its own stream.

    Args:
        count: int, independent series.
        length: int, steps T.
        seed: int.

    Returns:
        Tuple of u (count, T) and y (count, T); row t of y holds y_{t+1}, which u_0 ... u_t decide.

    Raises:
        ValueError: for a count or length below 1.

    Example:
        >>> u, y = narma10_series(1, 3)
        >>> float(y[0, 0])
        0.1

    Source: C 13.4; Atiya and Parlos 2000.
    """
    require_positive_int("narma10_series", count=count, length=length)
    drawn = [_bounded_narma10(length, seed, series) for series in range(count)]
    return np.stack([u for u, _ in drawn]), np.stack([y for _, y in drawn])


def _bounded_narma10(length: int, seed: int, series: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    attempt = 0
    while True:
        generator = np.random.Generator(np.random.Philox(derive_seed(seed, "narma10", series, attempt)))
        u = generator.uniform(0, 0.5, length)
        y = _narma10(u)
        if np.all(y < DIVERGED):
            return u, y
        attempt += 1


def _narma10(u: NDArray[np.float64]) -> NDArray[np.float64]:
    y = np.zeros(ORDER + len(u))  # y[ORDER - 1 + t] is y_t; ten zeros come before the first
    before = np.concatenate([np.zeros(ORDER - 1), u])  # before[t] is u_{t-9}
    for t in range(len(u)):
        past = y[t : t + ORDER]
        y[t + ORDER] = 0.3 * past[-1] + 0.05 * past[-1] * past.sum() + 1.5 * before[t] * u[t] + 0.1
        if not y[t + ORDER] < DIVERGED:
            y[t + ORDER :] = DIVERGED
            break
    return y[ORDER:]


def mackey_glass_series(
    count: int, length: int, seed: int = 0, tau: float = 17.0, substeps: int = 10, transient: int = TRANSIENT
) -> NDArray[np.float64]:
    """The delay equation of Mackey and Glass, a value each time unit.

    dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t),   x = c on [-tau, 0],  c ~ U[0.5, 1.3]

    By the classical Runge-Kutta method of order 4; values of the past between two steps come from the cubic
    through both and their slopes, so that the order stays 4.

    Args:
        count: int, independent series, each from a constant past of its own.
        length: int, values kept.
        seed: int, of the constants c.
        tau: float, delay; a multiple of 1 / substeps.
        substeps: int, steps of integration a time unit.
        transient: int, time units that are left out at the start.

    Returns:
        Array (count, length).

    Raises:
        ValueError: for sizes below 1, a negative transient, or a delay that is no multiple of the step.

    Example:
        >>> x = mackey_glass_series(2, 50)
        >>> x.shape, bool(0.2 < x.min() and x.max() < 1.5)
        ((2, 50), True)

    Source: Mackey and Glass 1977.
    """
    require_positive_int("mackey_glass_series", count=count, length=length, substeps=substeps)
    lag = round(tau * substeps)
    if lag < 1 or abs(lag - tau * substeps) > 1e-9 or transient < 0:
        raise ValueError(
            "mackey_glass_series needs transient >= 0 and tau a positive multiple of 1/substeps. "
            f"Received: tau={tau}, substeps={substeps}, transient={transient}"
        )
    generator = np.random.Generator(np.random.Philox(derive_seed(seed, "mackey-glass")))
    steps, h = (transient + length - 1) * substeps, 1.0 / substeps
    x = np.empty((lag + steps + 1, count))
    slope = np.zeros_like(x)
    x[: lag + 1] = generator.uniform(0.5, 1.3, count)

    def derivative(now: NDArray[np.float64], delayed: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(0.2 * delayed / (1 + delayed**10) - 0.1 * now)

    for n in range(lag, lag + steps):
        left, right = n - lag, n - lag + 1
        # Before the first step the past is constant: its slope is 0, also where the solution begins to move.
        end_slope = slope[right] if right != lag else np.zeros(count)
        half = (x[left] + x[right]) / 2 + h * (slope[left] - end_slope) / 8
        k1 = derivative(x[n], x[left])
        k2 = derivative(x[n] + h / 2 * k1, half)
        k3 = derivative(x[n] + h / 2 * k2, half)
        k4 = derivative(x[n] + h * k3, x[right])
        slope[n] = k1
        x[n + 1] = x[n] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        slope[n + 1] = derivative(x[n + 1], x[right])
    return np.ascontiguousarray(x[lag + transient * substeps :: substeps].T)


def narma10(seed: int, validation: float, test: float) -> Dataset:
    """Twenty series of 600 steps: u (600, 1), and y one step later as 600 targets: Atiya and Parlos 2000."""
    u, y = narma10_series(SERIES, STEPS, seed)
    return from_arrays(u[:, :, None], y, name="narma-10", seed=seed, validation=validation, test=test)


def mackey_glass(seed: int, validation: float, test: float) -> Dataset:
    """Twenty series of 600 steps, x - 1 (600, 1), and x - 1 of 84 steps later: Mackey and Glass 1977, tau = 17."""
    x = mackey_glass_series(SERIES, STEPS + HORIZON, seed) - 1.0
    return from_arrays(
        x[:, :STEPS, None], x[:, HORIZON:], name="mackey-glass", seed=seed, validation=validation, test=test
    )
