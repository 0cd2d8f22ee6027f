"""The loss of sequences of bits of which some are asked for."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.bit_sequences import asked_bits_loss

__all__ = ["AskedBitsLoss"]


@register("AskedBitsLoss")
class AskedBitsLoss(keras.losses.Loss):
    """Logistic loss, averaged over the bits of a row that are asked for.

    l(y, o) = mean_{y in {0, 1}} log(1 + e^o) - y o

    Every row counts alike, however few of its bits are asked for.

    Args:
        reduction, name, dtype: as keras.losses.Loss.

    Call arguments:
        y_true: (B, ...), 0 or 1; any other number (2, say) where no bit is asked for.
        y_pred: logits (B, ...).
        sample_weight: tensor (B,), optional.

    Raises:
        ValueError: for ranks that differ.

    Example:
        >>> round(float(AskedBitsLoss()([[1, 0, 2]], [[0.0, 0.0, 9.0]])), 6)
        0.693147

    Source: S 9.5; Graves et al. 2014.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "asked_bits_loss", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return asked_bits_loss(y_true, y_pred)  # (B,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self._dtype_policy.name}
