"""A restricted Boltzmann machine some of whose visible units are a class: the top of a belief network that is told it.

    visible = (v_1 .. v_D, y_1 .. y_K), of y exactly one on:   P(y = k | h) = softmax_k(d_k + (U h)_k)

All else is as in `models.energy.rbm`: free energies of states with one class on are those of binary units.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.serial import register
from keras_course.models.class_labels import require_classes
from keras_course.models.energy.annealing import LogPartition, annealed_log_partition
from keras_course.models.energy.chains import one_of
from keras_course.models.energy.rbm import RBM
from keras_course.ops.boltzmann import rbm_visible_parameters
from keras_course.ops.class_units import class_free_energies, class_log_partition

__all__ = ["ClassRBM", "ToldClasses"]


@register("ClassRBM")
class ClassRBM(RBM):
    """Binary units and class units above one layer of hidden units.

    Args:
        features: int D, binary visible units; `features` of the machine counts the class units with them, D + K.
        units: int H.
        classes: int K.
        **kwargs: as `RBM`.

    Source: R; Hinton, Osindero and Teh 2006.
    """

    def __init__(self, features: int, units: int, classes: int, **kwargs: Any) -> None:
        self.classes = classes
        super().__init__(features + classes, units, **kwargs)

    @property
    def class_parameters(self) -> tuple[Any, Any, Any, Any, Any]:
        """W (D, H), U (K, H), b (D,), d (K,), c (H,)."""
        kernel, bias = ops.convert_to_tensor(self.kernel), ops.convert_to_tensor(self.visible_bias)
        last = -self.classes
        return kernel[:last], kernel[last:], bias[:last], bias[last:], ops.convert_to_tensor(self.hidden_bias)

    def decode(self, h: Any) -> Any:
        """P(v = 1 | h) and P(y | h), side by side, (B, D + K)."""
        logits = rbm_visible_parameters(h, self.kernel, self.visible_bias)
        return ops.concatenate([ops.sigmoid(logits[:, : -self.classes]), ops.softmax(logits[:, -self.classes :])], -1)

    def draw_around(self, mean: Any, noise: Any) -> Any:
        """States of the given means: each binary unit on its own, one class by the first class unit's number."""
        last = -self.classes
        binary = ops.cast(noise[:, :last] < mean[:, :last], mean.dtype)
        return ops.concatenate([binary, one_of(mean[:, last:], noise[:, last])], axis=-1)

    def class_log_probs(self, v: Any) -> Any:
        """log P(y = k | v), (B, K), from the free energy of each class."""
        return ops.log_softmax(-class_free_energies(v, *self.class_parameters), axis=-1)

    def log_partition(self) -> Any:
        """log Z, exact, where D or H is at most 20."""
        return class_log_partition(*self.class_parameters)

    def annealed_log_partition(
        self, steps: int = 1000, chains: int = 100, seed: int = 0, visible_bias: Any = None
    ) -> LogPartition:
        """log Z by annealed importance sampling, one class on in every state: as `RBM.annealed_log_partition`."""
        return annealed_log_partition(
            self.kernel, self.visible_bias, self.hidden_bias, None, steps, chains, seed, visible_bias, self.classes
        )

    def sample_class(self, seed: Any, one_hot: Any) -> Any:
        """Draws of (v, y) with y held at its class, (n, D + K), for classes (n, K) of zeros and a one."""

        def hold(v: Any) -> Any:
            return tf.concat([v[:, : -self.classes], one_hot], axis=-1)

        return self.swept(seed, tf.shape(one_hot)[0], hold)

    def get_config(self) -> dict[str, Any]:
        binary = self.features - self.classes
        return {**super().get_config(), "features": binary, "classes": self.classes}


class ToldClasses:
    """What a model whose top is a `ClassRBM` does with classes; to be inherited before `BinaryMachine`.

    Attributes:
        classes: int K, or None: then `fit` and `evaluate` take x alone.
        top: the machine above.
    """

    classes: int | None
    top: Any
    accuracy_mean: Any
    layer_means: Any

    def classify(self, x: Any) -> Any:
        """P(y | h^(L-1)) at the means of h^(L-1), (B, K)."""
        self.require_told("classify")
        return self.class_probs(self.layer_means(x)[-2])

    def class_probs(self, h: Any) -> Any:
        """P(y | h^(L-1)), (B, K)."""
        return ops.exp(self.top.class_log_probs(h))

    def count_right(self, h: Any, y: Any, sample_weight: Any) -> Any:
        """Whether the likeliest class is the right one, (B,), as the metric is told."""
        right = ops.argmax(self.class_probs(h), axis=-1) == ops.cast(ops.reshape(y, (-1,)), "int32")
        self.accuracy_mean.update_state(right, sample_weight)
        return right

    @staticmethod
    def joined(h: Any, one_hot: Any) -> Any:
        """(h^(L-1), y), the visible side of the top."""
        return ops.concatenate([h, ops.cast(one_hot, h.dtype)], axis=-1)

    def require_told(self, name: str) -> None:
        if self.classes is None:
            raise ValueError(f"{type(self).__name__} has {name} with classes alone. Received: classes=None")

    def require_untold(self, name: str) -> None:
        if self.classes is not None:
            raise ValueError(
                f"{type(self).__name__} has {name} without classes alone. Received: classes={self.classes}"
            )

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.require_labels(y, x)
        return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.require_labels(y, x)
        return super().evaluate(x, y, *args, **kwargs)

    def require_labels(self, y: Any, x: Any = None) -> None:
        """Refuses missing labels beside an array x, and labels that are no classes."""
        if self.classes is None:
            return
        if y is None and (x is None or hasattr(x, "shape")):
            raise ValueError(
                f"{type(self).__name__} with classes={self.classes} learns from pairs (x, y). Received: y=None"
            )
        require_classes(type(self).__name__, y, self.classes)
