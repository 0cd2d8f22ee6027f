"""The loss of contrastive learning: two embeddings of each example against those of all others in the batch."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.contrastive import nt_xent, require_temperature

__all__ = ["NTXentLoss"]


@register("NTXentLoss")
class NTXentLoss(keras.losses.Loss):
    """NT-Xent: y_true and y_pred are embeddings of two views of the same examples.

    l_n = (l(n, N + n) + l(N + n, n)) / 2,   l(i, j) = -s_ij / tau + log sum_{k != i} exp(s_ik / tau)

    The mean over N pairs is the mean over the paper's 2N views. Unlike other losses it depends on the batch as a whole:
    the other rows are the wrong answers. So a sample weight counts a pair's own loss, and leaves it among the others'
    wrong answers; and several workers, each with its share, get another loss than one with the whole batch
    (`ContrastiveLearning` gathers the embeddings first).

    Args:
        temperature: float > 0, called tau.
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean), "sum", "mean", "mean_with_sample_weight" or
            None (one number a pair).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise.

    Call arguments:
        y_true: embeddings (B, D) of one view.
        y_pred: embeddings (B, D) of the other; the loss is the same when the two change places.
        sample_weight: tensor (B,), optional.

    Raises:
        ValueError: for a temperature that is not positive, or shapes that do not fit.

    Example:
        >>> z = [[1.0, 0.0], [-1.0, 0.0]]
        >>> round(float(NTXentLoss(temperature=0.5)(z, z)), 4)
        0.036

    Source: R; Chen et al. 2020.
    """

    def __init__(
        self,
        temperature: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "nt_xent_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        require_temperature("NTXentLoss", temperature)
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return nt_xent(y_true, y_pred, self.temperature)  # (B,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature, "dtype": self._dtype_policy.name}
