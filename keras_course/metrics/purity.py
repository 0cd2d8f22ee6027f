"""How well clusters agree with classes that they never saw."""

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank


@register("Purity")
class Purity(keras.metrics.Metric):
    """The share of samples that belong to the commonest class of their cluster.

    purity = 1/n sum_k max_c n_kc,   n_kc = number of samples of class c in cluster k

    One cluster for each class perfectly found gives 1; a single cluster gives the share of the commonest class. It
    never falls when clusters are split, so compare it at equal numbers of clusters. Without samples it is 0.

    Args:
        clusters: int, number of clusters M.
        classes: int, number of classes K.
        name, dtype: as keras.metrics.Metric.

    Raises:
        ValueError: for counts below 1, or outputs that are neither (B,) nor (B, M).

    Example:
        >>> purity = Purity(2, 2)
        >>> purity.update_state([0, 0, 1, 1], [0, 0, 0, 1])
        >>> float(purity.result())
        0.75

    Source: B (clusters as latent variables).
    """

    def __init__(self, clusters, classes, name="purity", dtype=None):
        super().__init__(name=name, dtype=dtype)
        require_positive_int("Purity", clusters=clusters, classes=classes)
        self.clusters = clusters
        self.classes = classes
        self.table = self.add_variable(shape=(clusters, classes), initializer="zeros", dtype=self.dtype, name="table")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Counts a batch.

        Args:
            y_true: integer classes (B,) or (B, 1).
            y_pred: integer clusters (B,), or responsibilities (B, M), whose largest counts.
            sample_weight: (B,) or None.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        require_rank("Purity", y_pred.shape, 1, 2)
        chosen = ops.argmax(y_pred, axis=-1) if len(y_pred.shape) == 2 else y_pred
        cluster = ops.one_hot(ops.cast(chosen, "int32"), self.clusters, dtype=self.dtype)  # (B, M)
        label = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes, dtype=self.dtype)  # (B, K)
        if sample_weight is not None:
            label = label * ops.cast(ops.reshape(sample_weight, (-1, 1)), self.dtype)
        self.table.assign_add(ops.matmul(ops.transpose(cluster), label))

    def result(self):
        total = ops.sum(self.table)
        best = ops.sum(ops.max(self.table, axis=1))
        return ops.where(total > 0, best / ops.where(total > 0, total, ops.ones_like(total)), ops.zeros_like(total))

    def get_config(self):
        return {**super().get_config(), "clusters": self.clusters, "classes": self.classes}
