"""A decision stump: a tree of one question, the simplest predictor worth boosting."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.ops.decision_stump import best_stump
from keras_course.ops.ensembles import predicted_class

__all__ = ["DecisionStump"]


@register("DecisionStump")
class DecisionStump(Model):
    """One question, "is feature j at most t?", and the shares of the classes on both sides.

    answer(x) = W_left / sum W_left   if x_j <= t,   else W_right / sum W_right
    (j, t)    = the question of least Gini impurity over the batch, see `ops.decision_stump.best_stump`

    It learns in closed form: every training step forgets what was and asks the best question of its batch, weighted by
    the sample weights. So give `fit` the whole training set as one batch; an epoch is enough. Nothing is random and no
    optimizer is used: `compile()` needs no arguments. It equals scikit-learn's DecisionTreeClassifier(max_depth=1)
    but for ties, which that breaks at random. Untrained, all classes have equal shares.

    Args:
        features: int, number of features.
        classes: int >= 2, number of classes.
        seed: int, part of every model's config; unused here.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, classes), shares of the classes on the side of x.

    Raises:
        ValueError: for features < 1, classes < 2, or a shape that does not fit.

    Example:
        >>> stump = DecisionStump(2)
        >>> stump.compile()
        >>> x, y = ops.array([[5.0, 0.0], [4.0, 1.0], [5.0, 3.0]]), ops.array([0, 0, 1])
        >>> history = stump.fit(x, y, batch_size=3, verbose=0)
        >>> int(stump.feature), float(stump.threshold), stump.classify(x).numpy().tolist()
        (1, 2.0, [0, 0, 1])

    Source: C 6.12 (a simple predictor); Breiman et al. 1984.
    """

    def __init__(self, features: int, classes: int = 2, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("DecisionStump", features=features, classes=classes)
        if classes < 2:
            raise ValueError(f"DecisionStump needs at least 2 classes. Received: classes={classes}")
        self.features = features
        self.classes = classes
        fixed = {"trainable": False, "aggregation": "only_first_replica"}
        self.feature = self.add_weight(shape=(), initializer="zeros", dtype="int32", name="feature", **fixed)
        self.threshold = self.add_weight(shape=(), initializer="zeros", name="threshold", **fixed)
        self.shares = self.add_weight(
            shape=(2, classes), initializer=keras.initializers.Constant(1 / classes), name="shares", **fixed
        )
        self.build((None, features))

    def build(self, input_shape: Any) -> None:
        self._require_input(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        self._require_input(inputs.shape)
        value = ops.take(inputs, self.feature, axis=1)  # (B,)
        return ops.where((value <= self.threshold)[:, None], self.shares[0], self.shares[1])

    def classify(self, x: Any) -> Any:
        """The heavier class of the side of x, the first of equals.

        Args:
            x: tensor or array (B, features).

        Returns:
            int32 tensor (B,).
        """
        return predicted_class(self(ops.convert_to_tensor(x, dtype=self.compute_dtype), training=False))

    def compile(self, optimizer: Any = None, loss: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile; the question is found in closed form, so optimizer and loss are not used."""
        super().compile(optimizer=None, loss=None, **kwargs)

    def train_step(self, data: Any) -> Any:
        x, y, weight = self._samples(data)

        labels = ops.one_hot(y, self.classes, dtype=x.dtype) * weight[:, None]  # (B, K)
        feature, threshold, sides = best_stump(*_of_all_replicas(x, labels))
        total = ops.sum(sides, axis=1, keepdims=True)
        shares = ops.where(total > 0, sides / ops.where(total > 0, total, 1.0), 1 / self.classes)

        self.feature.assign(feature)
        self.threshold.assign(threshold)
        self.shares.assign(shares)

        return self._count(x, y, weight)

    def test_step(self, data: Any) -> Any:
        return self._count(*self._samples(data))

    def _samples(self, data: Any) -> tuple[Any, Any, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError("DecisionStump learns from class numbers. Received: y=None")
        x = ops.cast(x, self.variable_dtype)
        y = ops.cast(ops.reshape(y, (-1,)), "int32")
        weight = (
            ops.ones_like(x[:, 0]) if sample_weight is None else ops.cast(ops.reshape(sample_weight, (-1,)), x.dtype)
        )
        return x, y, weight

    def _count(self, x: Any, y: Any, weight: Any) -> Any:
        scores = self(x, training=False)
        wrong = ops.cast(ops.not_equal(predicted_class(scores), y), scores.dtype)
        for metric in self.metrics:
            if metric.name == "loss":  # Keras's tracker: the 0-1 loss
                metric.update_state(wrong * weight)
        return self.compute_metrics(x, y, scores, weight)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default`: shares (B, classes); `class`: int32 (B,)."""
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        return {"serving_default": (lambda x: self(x, training=False), [points]), "class": (self.classify, [points])}

    def _require_input(self, shape: Any) -> None:
        require_rank("DecisionStump", shape, 2)
        require_features("DecisionStump", shape, self.features)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.classes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "features": self.features, "classes": self.classes}


def _of_all_replicas(*tensors: Any) -> list[Any]:
    """The examples of all replicas, on each of them: every replica then finds the same question."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return list(tensors)
    gathered = [context.all_gather(tensor, axis=0) for tensor in tensors]
    return [tf.ensure_shape(all_, (None, *own.shape[1:])) for all_, own in zip(gathered, tensors, strict=True)]
