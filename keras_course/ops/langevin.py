"""One step of Langevin dynamics, and the law of its steps on a quadratic energy.

    w' = w + drift g(w) + scale p,    g = grad log p,  p ~ N(0, I)

    form        drift       scale         printed as
    "epsilon"   eps^2 / 2   eps           N: dw = eps^2 g / 2 + eps p
    "eta"       eta         sqrt(2 eta)   R: x' = x - eta grad f + sqrt(2 eta) xi,  f = -log p

Both are one step with eps^2 = 2 eta. The g of N is the gradient of log p = -J, never of the cost J itself: with the
other sign the walk runs away from the data. Monte Carlo kernels made of it lie in `inference.mcmc`, energy models
that learn by it in `models.energy`.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating

__all__ = ["FORMS", "langevin_coefficients", "langevin_moments", "langevin_proposal"]

FORMS = ("epsilon", "eta")


def langevin_coefficients(step_size: Any, form: str = "epsilon") -> tuple[Any, Any]:
    """What multiplies the gradient and what multiplies the noise.

        (eps^2 / 2, eps)  for "epsilon",    (eta, sqrt(2 eta))  for "eta"

    Args:
        step_size: eps or eta, a positive number or tensor that broadcasts with the state.
        form: "epsilon" or "eta".

    Returns:
        Pair (drift, scale); scale^2 = 2 drift in both forms.

    Raises:
        ValueError: for another form.

    Example:
        >>> langevin_coefficients(0.5)
        (0.125, 0.5)
        >>> langevin_coefficients(0.125, "eta")
        (0.125, 0.5)

    Source: N, R.
    """
    require_one_of("langevin_coefficients", FORMS, form=form)
    if form == "epsilon":
        return 0.5 * step_size**2, step_size
    return step_size, (2.0 * step_size) ** 0.5


def langevin_proposal(state: Any, gradient: Any, noise: Any, step_size: Any, form: str = "epsilon") -> Any:
    """One noisy step uphill in log p.

        y = w + drift g + scale p

    Args:
        state: tensor, position w.
        gradient: tensor like state, g = grad log p(w); for a cost J = -log p this is -grad J.
        noise: tensor like state, standard normal p.
        step_size: eps or eta.
        form: "epsilon" or "eta".

    Returns:
        Tensor like state, the proposal y.

    Example:
        >>> langevin_proposal(1.0, gradient=-1.0, noise=0.0, step_size=0.5)
        0.875

    Source: N (Langevin Monte Carlo), R (Langevin dynamics).
    """
    drift, scale = langevin_coefficients(step_size, form)
    return state + drift * gradient + scale * noise


def langevin_moments(mean: Any, variance: Any, target: Any, step_size: Any, steps: Any, form: str = "epsilon") -> Any:
    """Mean and variance after k unadjusted steps on the energy a (w - m)^2 / 2, from a start of known moments.

        r = 1 - a drift,   s = 1 / (a (1 - a drift / 2))
        mean_k = m + r^k (mean_0 - m),   variance_k = s + r^(2 k) (variance_0 - s)

    Coordinates apart: a matrix A has its own in the basis of its eigenvectors. As k grows the variance is s, not the
    1 / a of exp(-a (w - m)^2 / 2): the step widens it. From a drift = 2 on the walk diverges.

    Args:
        mean: tensor, mean_0.
        variance: tensor, variance_0 >= 0.
        target: pair of tensors (m, a), a > 0.
        step_size: eps or eta.
        steps: integer k >= 0.
        form: "epsilon" or "eta".

    Returns:
        Pair (mean_k, variance_k).

    Example:
        >>> [round(float(each), 4) for each in langevin_moments(0.0, 0.0, (0.0, 1.0), 0.5, 1000)]
        [0.0, 1.0667]

    Source: N (Langevin Monte Carlo), R (Langevin dynamics).
    """
    drift, _ = langevin_coefficients(step_size, form)
    mean = as_floating(mean)
    m, a = (as_floating(each, mean.dtype) for each in target)
    kept = ops.power(1 - a * drift, steps)
    stationary = 1 / (a * (1 - a * drift / 2))
    variance = as_floating(variance, mean.dtype)
    return m + kept * (mean - m), stationary + ops.square(kept) * (variance - stationary)
