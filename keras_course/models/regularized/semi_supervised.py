"""One encoder for two purposes: to say which class x has, and to make x again. Only the second needs no labels.

    h = encoder(x),   p(y | x) = softmax(classifier(h)),   code = (W h + b, p(. | x)),   mean(x) = decoder(code)
    J = 1/N sum_i [ known_i * -log p(y_i | x_i)  +  weight * |x_i - mean(x_i)|**2 / 2 ]

|x - mean(x)|**2 / 2 is -log p(x | code) up to a constant, for pixels of variance 1. The class probabilities are part of
the code: where W h is narrow, the decoder does better when it is told the class, and so unlabelled rows move the
classifier as well. weight = 0 leaves a supervised network.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, normal_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.layers.sub_networks import require_shape, restored, sub_network, told
from keras_course.losses.softmax import SoftmaxLoss

__all__ = ["SemiSupervised"]

UNLABELLED = -1


@register("SemiSupervised")
class SemiSupervised(Model):
    """A classifier and an autoencoder that share their encoder; `call` returns logits.

    h = encoder(x)
    J = 1/N sum_i [known_i * -log p(y_i | x_i) + weight * |x_i - decoder(W h_i + b, p(. | x_i))|**2 / 2]

    A row labelled -1 counts in the second term alone. N counts all rows, labelled or not: let the training set repeat
    its labelled rows, until they are a third of it or so. `compile()` takes an optimizer, no loss. `fit` and `evaluate`
    report J, `accuracy` and `label_loss` over labelled rows (0 while there is none), `reconstruction_error` over all.
    Noise in training comes from (seed, step), so that a resumed run repeats it; both terms see the noisy x, the second
    asks for the clean one. With weight 0 the second term is not computed, and decoder and code are frozen: training is
    that of the supervised network bit for bit.

    Args:
        shape: int or tuple of ints, the shape of one x.
        encoder: Keras layer or model (B, *shape) -> (B, H), or widths of dense layers.
        classifier: Keras layer or model (B, H) -> (B, classes), logits; or an int, number of classes, for a dense one.
        decoder: Keras layer or model (B, code_units + classes) -> values of x, or widths of dense layers, to which a
            last one without activation is added.
        code_units: int >= 1, units of the code beside the class probabilities.
        weight: float >= 0, the lambda of log p(y | x) + lambda log p(x).
        noise: float >= 0, standard deviation of noise on x in training.
        activation: of the dense layers.
        seed: int, root of weights and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B, classes), logits.

    Raises:
        ValueError: for a negative weight or noise, sizes below 1, fewer than 2 classes, shapes that do not fit, or a
            loss in `compile`.

    Example:
        >>> model = SemiSupervised(4, (8,), 3, (8,), code_units=2)
        >>> x = ops.ones((2, 4))
        >>> tuple(model(x).shape), tuple(model.encode(x).shape), tuple(model.reconstruct(x).shape)
        ((2, 3), (2, 8), (2, 4))

    Source: C 6.5.
    """

    def __init__(
        self,
        shape: Any,
        encoder: Any,
        classifier: Any,
        decoder: Any,
        code_units: int = 4,
        weight: float = 1.0,
        noise: float = 0.0,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = require_shape("SemiSupervised", shape)
        require_positive_int("SemiSupervised", code_units=code_units)
        for name, value in (("weight", weight), ("noise", noise)):
            if not 0 <= value < math.inf:
                raise ValueError(f"SemiSupervised needs a finite {name} >= 0. Received: {name}={value!r}")
        self.code_units, self.weight, self.noise = code_units, float(weight), float(noise)
        self.activation = keras.activations.get(activation)
        self.given = (told(encoder), told(classifier), told(decoder))
        network = {"activation": self.activation, "seed": seed, "dtype": self.dtype_policy}
        self.encoder = sub_network("SemiSupervised", "encoder", encoder, **network)
        if not isinstance(classifier, keras.layers.Layer):
            require_positive_int("SemiSupervised", classifier=classifier)
            classifier = sub_network("SemiSupervised", "classifier", (), output=classifier, **network)
        self.classifier = classifier
        self.code = keras.layers.Dense(
            code_units,
            kernel_initializer=keras.initializers.GlorotUniform(derive_seed(seed, "code", "kernel")),
            dtype=self.dtype_policy,
            name="code",
        )
        self.decoder = sub_network("SemiSupervised", "decoder", decoder, output=math.prod(self.event_shape), **network)
        if self.weight == 0:
            self.code.trainable = self.decoder.trainable = False
        self.cost = SoftmaxLoss(reduction=None)
        self.accuracy_mean = keras.metrics.Mean(name="accuracy")
        self.label_mean = keras.metrics.Mean(name="label_loss")
        self.error_mean = keras.metrics.Mean(name="reconstruction_error")
        self.build((None, *self.event_shape))

    def build(self, input_shape: Any) -> None:
        x = keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype)
        logits = self.call(x)
        if len(logits.shape) != 2 or logits.shape[1] is None or logits.shape[1] < 2:
            raise ValueError(f"SemiSupervised needs logits (B, classes) of 2 or more. Received: {tuple(logits.shape)}")
        self.reconstruct(x)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Logits; in training a table of both answers to the noisy x, {"logits", "reconstruction"}, for the loss."""
        if not training:
            return self.classifier(self.encode(inputs), training=False)  # (B, classes)
        features = self.encode(self._noisy(inputs), training)
        logits = self.classifier(features, training=training)
        if self.weight == 0:
            return {"logits": logits}
        return {"logits": logits, "reconstruction": self._decoded(features, logits, training)}

    def encode(self, x: Any, training: bool | None = False) -> Any:
        """h, what classifier and decoder share, (B, H)."""
        if tuple(x.shape)[1:] != self.event_shape:
            require_rank("SemiSupervised", x.shape, len(self.event_shape) + 1)
            raise ValueError(f"SemiSupervised expects x of shape (B, {self.event_shape}). Received: {tuple(x.shape)}")
        return self.encoder(x, training=training)

    def probabilities(self, x: Any) -> Any:
        """p(y | x), (B, classes)."""
        return ops.softmax(self(x, training=False), axis=-1)

    def reconstruct(self, x: Any) -> Any:
        """The decoder's mean of x, (B, *shape)."""
        features = self.encode(x)
        return self._decoded(features, self.classifier(features, training=False), False)

    def _decoded(self, features: Any, logits: Any, training: bool | None) -> Any:
        code = ops.concatenate([self.code(features), ops.softmax(logits, axis=-1)], axis=-1)  # (B, Z + classes)
        return ops.reshape(self.decoder(code, training=training), (-1, *self.event_shape))

    def label_costs(self, y: Any, logits: Any) -> tuple[Any, Any]:
        """-log p(y | x), 0 for rows without a label, and whether there is one, 1.0 or 0.0; (B,) each.

        Args:
            y: int tensor (B,), -1 where there is no label.
            logits: tensor (B, classes).
        """
        y = ops.reshape(ops.cast(y, "int32"), (-1,))
        known = y != UNLABELLED
        costs = ops.where(known, self.cost(ops.where(known, y, 0), logits), 0.0)
        return costs, ops.cast(known, costs.dtype)

    def reconstruction_errors(self, x: Any, mean: Any) -> Any:
        """|x - mean|**2 / 2, the sum over the values of each x, (B,)."""
        gap = ops.reshape(ops.cast(x, mean.dtype) - mean, (-1, math.prod(self.event_shape)))
        return ops.sum(gap**2, axis=-1) / 2

    def _noisy(self, x: Any) -> Any:
        if self.noise == 0:
            return x
        rows = ops.shape(x)[0]
        first, total = self.share_of_batch(rows)
        noise = normal_noise((total, *self.event_shape), self.step_seed("noise"), "float32")[first : first + rows]
        return x + ops.cast(self.noise * noise, x.dtype)

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        if loss is not None:
            raise ValueError(f"SemiSupervised brings its own loss, of two terms. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        if y is None:
            raise ValueError("SemiSupervised needs y, -1 for rows without a label. Received: y=None")
        answers = y_pred if isinstance(y_pred, dict) else {"logits": y_pred, "reconstruction": self.reconstruct(x)}
        logits, mean = answers["logits"], answers.get("reconstruction")
        costs, counted = self.label_costs(y, logits)
        errors = None if mean is None else self.reconstruction_errors(x, mean)
        total = costs if errors is None or self.weight == 0 else costs + self.weight * errors  # (B,)
        if sample_weight is not None:
            rows = ops.reshape(ops.cast(sample_weight, total.dtype), (-1,))
            total, counted = total * rows, counted * rows

        right = ops.cast(ops.argmax(logits, -1), "int32") == ops.cast(ops.reshape(y, (-1,)), "int32")
        self.label_mean.update_state(costs, counted)
        self.accuracy_mean.update_state(right, counted)
        if errors is not None:
            self.error_mean.update_state(errors, sample_weight)
        return self.mean_over_rows(total) + sum(self._aggregate_additional_loss(penalty) for penalty in self.losses)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities (B, classes), `logits`, `encode` (B, H), `reconstruct` (B, *shape)."""
        points = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (self.probabilities, [points]),
            "logits": (lambda x: self(x, training=False), [points]),
            "encode": (self.encode, [points]),
            "reconstruct": (self.reconstruct, [points]),
        }

    def get_config(self) -> dict[str, Any]:
        encoder, classifier, decoder = self.given
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "encoder": encoder,
            "classifier": classifier,
            "decoder": decoder,
            "code_units": self.code_units,
            "weight": self.weight,
            "noise": self.noise,
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SemiSupervised:
        parts = ("encoder", "classifier", "decoder")
        return cls(**{**config, **{name: restored(config[name]) for name in parts}})
