"""What a network that feeds its outputs back gets to see: the truth, its own output, or a mixture by chance."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank

__all__ = ["scheduled_mixing", "teacher_forced_inputs"]


def teacher_forced_inputs(targets: Any, start: Any = None) -> Any:
    """The true output of each step as the input of the next.

    fed_1 = start,  fed_t = y_{t-1}

    Args:
        targets: tensor (B, T, O), y.
        start: tensor (B, O) or (O,), fed at the first step; None for zeros.

    Returns:
        Tensor (B, T, O); the last target is fed nowhere.

    Raises:
        ValueError: for another rank.

    Example:
        >>> import numpy as np
        >>> fed = teacher_forced_inputs(np.array([[[1.0], [2.0], [3.0]]]))
        >>> [float(each) for each in ops.reshape(fed, (-1,))]
        [0.0, 1.0, 2.0]

    Source: C 10.3.1.
    """
    targets = ops.convert_to_tensor(targets)
    require_rank("teacher_forced_inputs", targets.shape, 3)
    first = ops.zeros_like(targets[:, :1])
    if start is not None:
        first = first + ops.cast(ops.reshape(start, (-1, 1, targets.shape[-1])), first.dtype)
    return ops.concatenate([first, targets], axis=1)[:, :-1]


def scheduled_mixing(truth: Any, own: Any, probability: Any, uniforms: Any) -> Any:
    """The truth with a probability, the network's own output otherwise, drawn anew for each row.

    fed = y where u < p, else the output

    p = 1 is teacher forcing, p = 0 free running; training that lets p fall gets used to its own mistakes.

    Args:
        truth: tensor (B, O), y_{t-1}.
        own: tensor (B, O), the output of step t - 1.
        probability: float or scalar tensor p in [0, 1].
        uniforms: tensor (B,) of numbers in [0, 1).

    Returns:
        Tensor (B, O).

    Example:
        >>> import numpy as np
        >>> fed = scheduled_mixing(np.ones((2, 1)), np.zeros((2, 1)), 0.5, np.array([0.2, 0.7]))
        >>> [float(each) for each in ops.reshape(fed, (-1,))]
        [1.0, 0.0]

    Source: C 10.3.1; Bengio et al. 2015.
    """
    return ops.where((ops.convert_to_tensor(uniforms) < probability)[:, None], truth, own)
