"""How well label maps overlap with the truth: intersection over union, class by class."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int
from keras_course.ops.detection import (
    UNDEFINED,
    average_over_classes,
    contingency,
    intersection_over_union,
    quotient,
)

__all__ = ["MeanIoU"]


@register("MeanIoU")
class MeanIoU(keras.metrics.Metric):
    """The mean over classes of the overlap between where a class is and where it is said to be.

    IoU_k = TP_k / (TP_k + FP_k + FN_k),   mean IoU = mean of IoU_k over the classes that occur

    Pixels are counted over everything seen, so that any split into batches gives one value; a mean of the images' own
    values is another number. A class that neither occurs nor is predicted is 0/0 and, by default, left out of the mean;
    with nothing seen the answer is NaN. `per_class()` and `pixel_accuracy()` read the same counts. Beside
    keras.metrics.MeanIoU: the quotient is exact (Keras adds 1e-7 to its denominator), weights may be fractions and one
    an image, 0/0 is yours to decide, and the classes can be seen. In float32 the counts are exact up to 2^24 pixels of
    a class; pass dtype="float64" for more.

    Args:
        classes: int K.
        ignored: int, a label whose pixels do not count whatever is predicted there (255 or -1 for "void"), or None.
        average: "macro" (each class counts alike), "weighted" by its true pixels (frequency-weighted IoU), or None for
            one number a class.
        zero_division: 0, 1 or "nan", IoU of a class that neither occurs nor is predicted; "nan" leaves it out.
        name, dtype: as keras.metrics.Metric.

    Raises:
        ValueError: for classes below 1, an unknown average or zero_division, or y_pred of another shape.

    Example:
        >>> metric = MeanIoU(classes=3)
        >>> metric.update_state([[[0, 1], [1, 1]]], [[[0, 0], [1, 1]]])
        >>> [round(float(value), 4) for value in metric.per_class()], round(float(metric.result()), 4)
        ([0.5, 0.6667, nan], 0.5833)

    Source: C 8.1.12; Everingham et al. 2010.
    """

    def __init__(
        self,
        classes: int,
        ignored: int | None = None,
        average: str | None = "macro",
        zero_division: Any = "nan",
        name: str = "mean_iou",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        require_positive_int("MeanIoU", classes=classes)
        require_one_of("MeanIoU", (None, "macro", "weighted"), average=average)
        require_one_of("MeanIoU", UNDEFINED, zero_division=zero_division)
        if ignored is not None and (isinstance(ignored, bool) or not isinstance(ignored, int)):
            raise ValueError(f"MeanIoU needs ignored as an integer label or None. Received: ignored={ignored!r}")
        self.classes, self.ignored, self.average, self.zero_division = classes, ignored, average, zero_division
        for count in ("true_positives", "false_positives", "false_negatives"):
            variable = self.add_variable(shape=(classes,), initializer="zeros", dtype=self.dtype, name=count)
            setattr(self, count, variable)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: integer classes (B, ...) or (B, ..., 1), for label maps (B, H, W). One outside [0, K) that is not
                `ignored` belongs to no class: what is predicted there is a false alarm.
            y_pred: scores (B, ..., K), whose largest counts, or classes of y_true's shape.
            sample_weight: a weight a pixel (B, ...), an image (B,), or None.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y_pred.shape) == len(y_true.shape) > 1 and y_true.shape[-1] == 1 != y_pred.shape[-1]:
            y_true = ops.squeeze(y_true, -1)
        if len(y_pred.shape) == len(y_true.shape) + 1:
            require_features("MeanIoU", y_pred.shape, self.classes)
            y_pred = ops.argmax(y_pred, axis=-1)
        if len(y_pred.shape) != len(y_true.shape):
            raise ValueError(
                f"MeanIoU needs scores (B, ..., {self.classes}) or classes (B, ...) for labels (B, ...). "
                f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
            )
        labels = ops.cast(y_true, "int32")
        weights = ops.ones(ops.shape(labels), self.dtype)
        if sample_weight is not None:
            given = ops.cast(sample_weight, self.dtype)
            missing = len(labels.shape) - len(given.shape)
            weights = weights * ops.reshape(given, (*ops.shape(given), *(1,) * missing))
        if self.ignored is not None:
            weights = ops.where(labels == self.ignored, ops.zeros_like(weights), weights)
        flat = (ops.reshape(part, (-1,)) for part in (labels, y_pred))
        counts = contingency(*flat, self.classes, ops.reshape(weights, (-1,)))[:3]
        for variable, count in zip(self.variables, counts, strict=True):
            variable.assign_add(count)

    def per_class(self) -> Any:
        """IoU of every class over everything seen, (K,)."""
        return intersection_over_union(*(variable.value for variable in self.variables), self.zero_division)

    def pixel_accuracy(self) -> Any:
        """The share of labelled pixels that were given their class, over everything seen."""
        hits, _, misses = (ops.sum(variable.value) for variable in self.variables)
        return quotient(hits, hits + misses, self.zero_division)

    def result(self) -> Any:
        support = self.true_positives.value + self.false_negatives.value
        return average_over_classes(self.per_class(), support, self.average)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "ignored": self.ignored,
            "average": self.average,
            "zero_division": self.zero_division,
        }
