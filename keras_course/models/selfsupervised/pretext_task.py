"""What models share that ask each image several questions of a known answer, and learn from a softmax over the answers.

    J = 1/N sum_i 1/A sum_a -log softmax(logits_ia)_{label_ia}        A questions about an image, labels made, not given
    accuracy = share of questions with argmax_k logits_iak = label_ia

A task writes `pretext(images, training)` -> {"logits": (B, A, K), "labels": int32 (B, A)}, `encode` and `image_shape`.
In training `call` returns what `pretext` does; evaluation asks every question, whatever a training step draws.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.layers.sub_networks import restored
from keras_course.losses.softmax import SoftmaxLoss

__all__ = ["PretextTask"]


class PretextTask(Model):
    """A model with a trunk and a head whose labels are made from the images themselves."""

    image_shape: tuple[int, ...]

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.cost = SoftmaxLoss(reduction=None)
        self.accuracy_mean = keras.metrics.Mean(name="accuracy")

    def pretext(self, images: Any, training: bool | None = False) -> dict[str, Any]:
        """{"logits", "labels"} of the questions asked of images (B, *image_shape); the subclass's."""
        raise TypeError(f"{type(self).__name__} needs a method pretext(images, training)")

    def question_costs(self, labels: Any, logits: Any) -> Any:
        """Mean over the questions asked of an image of -log softmax(logits)_label, (B,).

        Args:
            labels: int tensor (B, A).
            logits: tensor (B, A, K).
        """
        return ops.mean(self.cost(labels, logits), axis=-1)

    def probabilities(self, images: Any) -> Any:
        """softmax of the logits, in the shape of the output."""
        return ops.softmax(self(images, training=False), axis=-1)

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        if loss is not None:
            raise ValueError(f"{type(self).__name__} brings its own loss. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        answers = y_pred if isinstance(y_pred, dict) else self.pretext(ops.cast(x, self.compute_dtype))
        logits, labels = answers["logits"], answers["labels"]
        costs = self.question_costs(labels, logits)  # (B,)
        found = ops.cast(ops.cast(ops.argmax(logits, axis=-1), labels.dtype) == labels, costs.dtype)
        self.accuracy_mean.update_state(ops.mean(found, axis=-1), sample_weight)
        if sample_weight is not None:
            costs = costs * ops.reshape(ops.cast(sample_weight, costs.dtype), (-1,))
        return self.mean_over_rows(costs) + sum(self._aggregate_additional_loss(penalty) for penalty in self.losses)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities in the shape of the output, `logits`, `encode` (B, F)."""
        images = [keras.InputSpec(shape=(None, *self.image_shape), dtype=self.input_dtype, name="images")]
        return {
            "serving_default": (self.probabilities, images),
            "logits": (lambda images: self(images, training=False), images),
            "encode": (self.encode, images),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PretextTask:
        return cls(**{**config, "trunk": restored(config["trunk"])})

    def _dense(self, units: int, name: str, activation: Any) -> Any:
        start = keras.initializers.GlorotUniform(derive_seed(self.seed, name, "kernel"))
        return keras.layers.Dense(units, activation, kernel_initializer=start, dtype=self.dtype_policy, name=name)
