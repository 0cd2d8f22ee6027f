"""Restricted machines with class units: a group of K visible units, of which one is on, beside the binary ones.

    E(v, k, h) = -b.v - d_k - c.h - v.W h - U_k.h
    F(v, k) = -b.v - d_k - sum_j softplus(c_j + (v W)_j + U_kj),   P(k | v) = softmax_k(-F(v, k))
    log P(v, k) = -F(v, k) - log Z,   log P(v) = log sum_k exp(-F(v, k)) - log Z
    Z = sum_k exp(d_k) Z_k,   Z_k that of the machine without class units whose hidden biases are c + U_k

Convention that bites. A class is one of K states, no binary unit: none or two of them on is no state of the machine.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.boltzmann import rbm_hidden_logits, rbm_log_partition
from keras_course.ops.floating import as_floating

__all__ = ["class_free_energies", "class_log_partition", "joint_log_probs"]


def class_free_energies(
    visible: Any, kernel: Any, class_kernel: Any, visible_bias: Any, class_bias: Any, hidden_bias: Any
) -> Any:
    """F(v, k) of every class k.

    Args:
        visible: tensor (..., D) of 0 and 1.
        kernel: tensor (D, H), W.
        class_kernel: tensor (K, H), U.
        visible_bias: tensor (D,), b.
        class_bias: tensor (K,), d.
        hidden_bias: tensor (H,), c.

    Returns:
        Tensor (..., K), nats; all (..., K, H) of them are in memory.

    Example:
        >>> class_free_energies([[1.0]], [[0.0]], [[0.0], [0.0]], [0.5], [0.0, 1.0], [-50.0]).numpy().tolist()
        [[-0.5, -1.5]]

    Source: R; Hinton, Osindero and Teh 2006; Larochelle and Bengio 2008.
    """
    kernel = as_floating(kernel)
    visible, class_bias = as_floating(visible, kernel.dtype), as_floating(class_bias, kernel.dtype)
    drive = rbm_hidden_logits(visible, kernel, hidden_bias)[..., None, :] + as_floating(class_kernel, kernel.dtype)
    own = ops.sum(visible * as_floating(visible_bias, kernel.dtype), axis=-1)[..., None] + class_bias  # (..., K)
    return -own - ops.sum(ops.softplus(drive), axis=-1)


def class_log_partition(kernel: Any, class_kernel: Any, visible_bias: Any, class_bias: Any, hidden_bias: Any) -> Any:
    """log Z, exactly: one sum over the states of the smaller layer a class.

    Args:
        kernel: tensor (D, H) of known shape, one side of at most 20.
        class_kernel: tensor (K, H) of known shape.
        visible_bias: tensor (D,).
        class_bias: tensor (K,).
        hidden_bias: tensor (H,).

    Returns:
        Scalar tensor, nats.

    Raises:
        ValueError: if more than 20 units would have to be enumerated.

    Example:
        >>> round(float(class_log_partition([[0.0]], [[0.0], [0.0]], [0.0], [0.0, 0.0], [0.0])), 6)  # 3 log 2
        2.079442

    Source: R.
    """
    kernel = as_floating(kernel)
    class_kernel, class_bias = as_floating(class_kernel, kernel.dtype), as_floating(class_bias, kernel.dtype)
    hidden_bias = as_floating(hidden_bias, kernel.dtype)
    rows = range(class_kernel.shape[0])
    return ops.logsumexp(
        class_bias + ops.stack([rbm_log_partition(kernel, visible_bias, hidden_bias + class_kernel[k]) for k in rows])
    )


def joint_log_probs(
    visible: Any,
    kernel: Any,
    class_kernel: Any,
    visible_bias: Any,
    class_bias: Any,
    hidden_bias: Any,
    log_partition: Any = None,
) -> Any:
    """log P(v, k) of every class k: their log-sum-exp is log P(v).

    Args:
        visible: tensor (..., D) of 0 and 1.
        kernel: tensor (D, H), W.
        class_kernel: tensor (K, H), U.
        visible_bias: tensor (D,), b.
        class_bias: tensor (K,), d.
        hidden_bias: tensor (H,), c.
        log_partition: scalar, log Z; None is the exact one, where D or H is at most 20.

    Returns:
        Tensor (K, ...), nats: classes first, as `ops.deep_belief` takes a top.

    Raises:
        ValueError: if more than 20 units would have to be enumerated.

    Example:
        >>> found = joint_log_probs([[1.0]], [[0.0]], [[0.0], [0.0]], [0.0], [0.0, 0.0], [0.0])
        >>> [round(float(each), 6) for each in found[:, 0]]  # -2 log 2
        [-1.386294, -1.386294]

    Source: R; Hinton, Osindero and Teh 2006.
    """
    parameters = (kernel, class_kernel, visible_bias, class_bias, hidden_bias)
    free = class_free_energies(visible, *parameters)
    if log_partition is None:
        log_partition = class_log_partition(*parameters)
    return ops.moveaxis(-free - as_floating(log_partition, free.dtype), -1, 0)
