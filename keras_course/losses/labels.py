"""How labels reach a Keras loss: as tensors or nested lists, with or without a last axis of one."""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["like_predictions", "one_label_a_row"]


def like_predictions(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets (B,) for predictions (B, 1), or the reverse: both get the shape that has the axis.

    Anything else is left as it is, for the formula to accept or refuse; broadcasting (B,) against (B, 1) would silently
    compare every sample with every other.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    difference = len(y_pred.shape) - len(y_true.shape)
    if difference == 1 and y_pred.shape[-1] == 1:
        return ops.expand_dims(y_true, -1), y_pred
    if difference == -1 and y_true.shape[-1] == 1:
        return y_true, ops.expand_dims(y_pred, -1)
    return y_true, y_pred


def one_label_a_row(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Integer classes (B, 1) for scores (B, C) become (B,); everything else stays."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and len(y_true.shape) > 1 and y_true.shape[-1] == 1:
        return ops.squeeze(y_true, -1), y_pred
    return y_true, y_pred
