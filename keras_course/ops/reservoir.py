"""A reservoir's formulas: leaky units in both forms, the spectral radius, and the rule of intrinsic plasticity."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.shapes import require_one_of, require_positive_int, require_rank

__all__ = ["LEAK_FORMS", "intrinsic_plasticity_step", "leaky_step", "spectral_radius"]

LEAK_FORMS = ("averaged", "printed")
SQUARINGS = 60  # powers up to 2^60: what a Jordan block still adds to the logarithm is below 1e-16


def leaky_step(
    projected: Any,
    h: Any,
    recurrent_kernel: Any,
    leak: Any = 1.0,
    form: str = "averaged",
    activation: Any = "tanh",
    gain: Any = None,
    seen: Any = None,
) -> Any:
    """One step of leaky integrators.

    averaged:  h' = (1 - a) h + a f(x U + h W + b)
    printed:   h' = (1 - a) h +   f(x U + h W + b)

    The averaged form stays within the range of f; the printed one settles at f / a under a constant drive, outside it
    for a < 1. With a = 1 both are an ordinary recurrent network. W multiplies from the right: its transpose is the
    matrix of texts with column states.

    Args:
        projected: tensor (B, H), x U + b, times the gain where there is one.
        h: tensor (B, H).
        recurrent_kernel: tensor (H, H), W; columns beyond H, which bring its rows to whole cache lines, are cut off.
        leak: float in (0, 1], or tensor (H,), a: how much is new.
        form: "averaged" or "printed".
        activation: f, name or function.
        gain: tensor (H,) that multiplies h W (intrinsic plasticity), or None.
        seen: tensor (B, H), what W sees in place of h (dropout), or None.

    Returns:
        Tensor (B, H).

    Raises:
        ValueError: for another form.

    Example:
        >>> zeros, drive = ops.zeros((1, 1)), ops.ones((1, 1))
        >>> [float(leaky_step(drive, drive, [[0.0]], 0.25, form, "linear")[0, 0]) for form in LEAK_FORMS]
        [1.0, 1.75]

    Source: C 13.4; Jaeger et al. 2007.
    """
    require_one_of("leaky_step", LEAK_FORMS, form=form)
    recurrent = ops.matmul(h if seen is None else seen, recurrent_kernel)
    if recurrent.shape[-1] != h.shape[-1]:
        recurrent = recurrent[:, : h.shape[-1]]
    new = keras.activations.get(activation)(projected + (recurrent if gain is None else gain * recurrent))
    return (1 - leak) * h + (leak * new if form == "averaged" else new)


def spectral_radius(matrix: Any, squarings: int = SQUARINGS) -> Any:
    """The greatest absolute value of an eigenvalue, real or complex, from products alone.

    rho(W) = lim |W^k|^(1/k),  k = 2^n by n squarings, each scaled to norm 1:
    log rho = sum_i 2^-i log(norm of the i-th square), the first being |W| with weight 1

    No eigenvectors, so that it runs on every backend and under XLA. rho < 1 makes a linear reservoir forget, but it is
    no contraction: [[0.5, 10], [0, 0.5]] has rho = 0.5 and stretches some states to ten times their length.

    Args:
        matrix: tensor (N, N).
        squarings: int >= 1.

    Returns:
        Scalar tensor, 0 where a power vanishes.

    Raises:
        ValueError: for a matrix that is not square.

    Example:
        >>> round(float(spectral_radius(ops.array([[0.0, -0.25], [1.0, 0.0]]))), 6)
        0.5

    Source: C 13.4; Gelfand 1941.
    """
    require_rank("spectral_radius", matrix.shape, 2)
    require_positive_int("spectral_radius", squarings=squarings)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"spectral_radius needs a square matrix. Received: shape={tuple(matrix.shape)}")
    power = ops.convert_to_tensor(matrix)
    total = ops.zeros((), power.dtype)
    alive = ops.ones((), "bool")
    for n in range(squarings + 1):
        norm = ops.sqrt(ops.sum(power * power))
        alive = ops.logical_and(alive, norm > 0)
        safe = ops.where(alive, norm, ops.ones_like(norm))
        total = total + ops.log(safe) * 0.5**n
        power = power / safe
        power = ops.matmul(power, power)
    return ops.where(alive, ops.exp(total), ops.zeros_like(total))


def intrinsic_plasticity_step(x: Any, y: Any, gain: Any, bias: Any, mean: float, rate: float) -> tuple[Any, Any]:
    """Moves gain and threshold of logistic units so that their outputs become exponentially distributed.

    y = sigma(a x + b)
    b <- b + rate * db,   db = 1 - (2 + 1/mu) y + y^2 / mu
    a <- a + rate * (1/a + x db)

    The descent of KL(density of y || exponential of mean mu), one sample at a time: its derivative is minus this, for
    the loss -log(a y (1 - y)) + y / mu. Of all densities on y > 0 with mean mu the exponential has the most entropy.

    Args:
        x: tensor (B, H), what the units receive before gain and threshold.
        y: tensor (B, H), what they said.
        gain: tensor (H,), a > 0.
        bias: tensor (H,), b.
        mean: float in (0, 1), mu.
        rate: float > 0.

    Returns:
        Tuple of gain and bias, the batch's mean step taken.

    Raises:
        ValueError: for a mean outside (0, 1) or a rate that is not positive.

    Example:
        >>> y, a, b = ops.array([[0.5]]), ops.array([1.0]), ops.array([0.0])
        >>> [float(each[0]) for each in intrinsic_plasticity_step(ops.zeros((1, 1)), y, a, b, 0.25, 0.5)]
        [1.5, -0.5]

    Source: C 13.4; Triesch 2005.
    """
    if not 0 < mean < 1:
        raise ValueError(f"intrinsic_plasticity_step needs a mean in (0, 1). Received: mean={mean}")
    if not rate > 0:
        raise ValueError(f"intrinsic_plasticity_step needs a positive rate. Received: rate={rate}")
    bias_step = 1 - (2 + 1 / mean) * y + y * y / mean
    gain_step = 1 / gain + x * bias_step
    return gain + rate * ops.mean(gain_step, axis=0), bias + rate * ops.mean(bias_step, axis=0)
