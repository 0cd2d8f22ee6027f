"""Adversarial training: any classifier, trained on its examples and on what the fast gradient sign makes of them."""

from __future__ import annotations

import json
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.serial import register
from keras_course.models.regularized.members import input_shape_of, model_of, output_shape_of, plain_config, reseeded
from keras_course.ops.adversarial import fast_gradient_sign, require_attack
from keras_course.ops.ensembles import mistakes

__all__ = ["AdversarialTraining"]


@register("AdversarialTraining")
class AdversarialTraining(Model):
    """A classifier inside, trained on the mixture of clean and attacked examples.

    J~ = alpha J(x, y) + (1 - alpha) J(x', y),   x' = clip(x + epsilon sign(dJ/dx), bounds)

    x' is made anew in every step, from the weights as they are, in inference mode; no gradient flows through it: the
    weights learn to withstand the attack, not to bend its direction. alpha = 1 or epsilon = 0 is plain training.
    `fit` reports the loss J~, `evaluate` the clean loss J; both report `robust_accuracy`, the share of attacked
    examples that are still answered rightly, at this epsilon.

    Args:
        model: the classifier inside: a built Keras model whose answers are scores (B, C) or a single logit, or its
            config. It is copied, with seeds from `seed`; `inner` is the copy that learns.
        epsilon: float >= 0, largest change of any input, in the unit of x.
        alpha: float in [0, 1], share of the clean examples; the first paper takes 0.5.
        bounds: (low, high), what an input may be, or None.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        The inner model's.

    Output shape:
        The inner model's.

    Raises:
        ValueError: for a negative epsilon, alpha outside [0, 1], bounds that are not (low, high), or a model that is
            no built Keras model.

    Example:
        >>> classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> model = AdversarialTraining(classifier, epsilon=0.1)
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> x, y = ops.ones((4, 2)), ops.array([0, 1, 2, 0])
        >>> sorted(model.fit(x, y, verbose=0).history)
        ['loss', 'robust_accuracy']
        >>> float(ops.max(ops.abs(model.attack(x, y) - x))) <= 0.1 + 1e-6
        True

    Source: C 6.13, R; Goodfellow, Shlens and Szegedy 2015.
    """

    def __init__(
        self,
        model: Any,
        epsilon: float = 0.1,
        alpha: float = 0.5,
        bounds: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_attack("AdversarialTraining", epsilon, bounds)
        if not 0 <= alpha <= 1:
            raise ValueError(f"AdversarialTraining needs alpha in [0, 1]. Received: alpha={alpha!r}")
        self.epsilon = epsilon
        self.alpha = alpha
        self.bounds = None if bounds is None else tuple(bounds)
        template = model_of("AdversarialTraining", model)
        self._template = json.dumps(plain_config(template))
        config = reseeded(json.loads(self._template), seed, "inner")
        config["config"]["name"] = "inner"
        self.inner = keras.saving.deserialize_keras_object(config)
        self.robust_accuracy = keras.metrics.Mean(name="robust_accuracy")
        self.input_spec_shape, self.answer_shape = input_shape_of(template), output_shape_of(template)
        self.build(self.input_spec_shape)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.inner(inputs, training=training)

    def attack(self, x: Any, y: Any, epsilon: float | None = None) -> Any:
        """Adversarial examples against the weights as they are, by the compiled loss.

        Args:
            x: tensor or array (B, ...).
            y: labels, as the loss takes them.
            epsilon: float >= 0, None for the model's own.

        Returns:
            Tensor of the shape of x; no gradient flows through it.
        """
        x = ops.convert_to_tensor(x, dtype=self.inner.input_dtype)
        epsilon = self.epsilon if epsilon is None else epsilon

        def loss(y: Any, outputs: Any) -> Any:
            return super(AdversarialTraining, self).compute_loss(x, y, outputs, None, training=False)

        return fast_gradient_sign(lambda x: self.inner(x, training=False), loss, x, y, epsilon, self.bounds)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """J~ in training, J otherwise; measures the robust accuracy by the way."""
        attacked = self.attack(x, y)
        outputs = self.inner(attacked, training=training)
        weight = None if sample_weight is None else ops.reshape(sample_weight, (-1,))
        self.robust_accuracy.update_state(1 - mistakes(y, outputs), sample_weight=weight)
        clean = super().compute_loss(x, y, y_pred, sample_weight, training=training)
        if not training:
            return clean
        robust = super().compute_loss(attacked, y, outputs, sample_weight, training=training)
        return self.alpha * clean + (1 - self.alpha) * robust

    def accuracy_under_attack(self, x: Any, y: Any, epsilons: Any) -> list[float]:
        """Accuracy against attacks of several sizes, 0 among them for the clean one.

        Args:
            x: array (N, ...).
            y: labels (N,).
            epsilons: sequence of floats >= 0.

        Returns:
            List of shares, one for each size.
        """
        y = ops.convert_to_tensor(y)
        shares = []
        for epsilon in epsilons:
            outputs = self.inner(self.attack(x, y, float(epsilon)), training=False)
            shares.append(1 - float(ops.mean(mistakes(y, outputs))))
        return shares

    def endpoints(self) -> dict[str, Endpoint]:
        """Those of the inner model, if it has some; else its outputs."""
        if isinstance(self.inner, Model):
            return self.inner.endpoints()
        inputs = keras.InputSpec(shape=self.input_spec_shape, dtype=self.inner.input_dtype, name="x")
        return {"serving_default": (lambda x: self(x, training=False), [inputs])}

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self.answer_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "model": json.loads(self._template),
            "epsilon": self.epsilon,
            "alpha": self.alpha,
            "bounds": None if self.bounds is None else list(self.bounds),
        }
