"""The affine map of an autoregressive flow, both ways.

    z_d = (x_d - t_d) exp(-s_d),   log det = -sum_d s_d       s_d, t_d functions of the x before d
    x_d = z_d exp(s_d) + t_d                                  when all x before d are there

The Jacobian is triangular in the order, so its determinant is the product of exp(-s_d) whatever the network is. The
convention that bites: exp(s) is the deviation of p(x_d | before) = N(t_d, exp(s_d)**2), while couplings multiply by it.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["autoregressive_affine", "autoregressive_affine_step"]


def autoregressive_affine(x: Any, log_scale: Any, shift: Any) -> tuple[Any, Any]:
    """z = (x - t) exp(-s),   log det = -sum s.

    Args:
        x: tensor (..., D).
        log_scale: s (..., D).
        shift: t (..., D).

    Returns:
        Tuple (z, log_det): (..., D) and (...).

    Example:
        >>> z, log_det = autoregressive_affine([[3.0, 1.0]], [[0.0, 0.5]], [[1.0, 1.0]])
        >>> z.numpy().tolist(), log_det.numpy().tolist()
        ([[2.0, 0.0]], [-0.5])

    Source: R; Papamakarios et al. 2017.
    """
    x = as_floating(x)
    log_scale = as_floating(log_scale, x.dtype)
    return (x - as_floating(shift, x.dtype)) * ops.exp(-log_scale), -ops.sum(log_scale, axis=-1)


def autoregressive_affine_step(z: Any, log_scale: Any, shift: Any) -> Any:
    """x = z exp(s) + t, right in those places whose s and t come from x that is there already.

    Args:
        z: tensor (..., D).
        log_scale: s (..., D).
        shift: t (..., D).

    Returns:
        Tensor (..., D).

    Example:
        >>> autoregressive_affine_step([[2.0, 0.0]], [[0.0, 0.5]], [[1.0, 1.0]]).numpy().tolist()
        [[3.0, 1.0]]

    Source: R; Papamakarios et al. 2017.
    """
    z = as_floating(z)
    return z * ops.exp(as_floating(log_scale, z.dtype)) + as_floating(shift, z.dtype)
