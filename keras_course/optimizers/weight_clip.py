"""Parameters kept in a box, so that they cannot diverge."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.clipping import clip_parameters
from keras_course.optimizers.hyperparameters import require_positive

__all__ = ["WeightClip"]


@register("WeightClip")
class WeightClip(keras.constraints.Constraint):
    """Clips every parameter to [-c, c] after each step.

        w' = max(-c, min(c, w))

    A constraint of Keras: give it to a layer as kernel_constraint; the optimizer applies it after its update. It keeps
    a numerical accident (the notes name overheated GPUs) from growing; an infinite parameter comes back to the border,
    while NaN stays NaN.

    Args:
        limit: float > 0, c.

    Raises:
        ValueError: for a limit that is not positive.

    Example:
        >>> WeightClip(1.0)(keras.ops.convert_to_tensor([-7.0, 0.5, 7.0])).numpy().tolist()
        [-1.0, 0.5, 1.0]

    Source: S 9.4.
    """

    def __init__(self, limit: float = 1.0) -> None:
        require_positive("WeightClip", limit=limit)
        self.limit = limit

    def __call__(self, w: Any) -> Any:
        return clip_parameters(w, self.limit)

    def get_config(self) -> dict[str, Any]:
        return {"limit": self.limit}
