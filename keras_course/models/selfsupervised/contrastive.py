"""Contrastive learning: two distorted views of an example shall be told from all views of all others.

    first, second = augmentation(x, u1), augmentation(x, u2)       u uniform numbers, new for every example and step
    h = trunk(view),   z = projector(h)
    J = 1/N sum_n nt_xent_n(z(first), z(second))                   2N views, 2 (N - 1) wrong answers for each

The projector is thrown away afterwards: h serves other tasks better than z, which has forgotten whatever the
distortions change. The batch is part of the loss: more examples are more wrong answers, and a harder question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import stateless_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_rank
from keras_course.layers.given_parts import plain_parts, told_parts
from keras_course.layers.sub_networks import require_shape, restored, sub_network
from keras_course.models.selfsupervised.given_distortions import distorted, distortions_of, numbers_an_image
from keras_course.models.selfsupervised.trunk import trunk_of
from keras_course.ops.contrastive import cosine_similarities, nt_xent, require_temperature, unit_vectors

__all__ = ["ContrastiveLearning"]


@register("ContrastiveLearning")
class ContrastiveLearning(Model):
    """A trunk that learns from distortions; `model(x)`, `predict` and `encode` give its features h.

    J = 1/N sum_n (l(n, N + n) + l(N + n, n)) / 2,   l(i, j) = -s_ij / tau + log sum_{k != i} exp(s_ik / tau)

    `compile()` takes an optimizer, no loss. `fit` and `evaluate` report J and `alignment`, the mean cosine of the two
    embeddings of an example. J compares with log(2N - 1), what embeddings cost that are all alike, and depends on the
    batch size N: validate with the one you train with. Distortions come from (seed, step) and the row's place in the
    batch, so that a resumed run repeats them; in evaluation from the seed and the place alone.

    Under tf.distribute every replica embeds its share and gathers the embeddings of all: J and its gradient are those
    of the whole batch, each replica computing its strip of the matrix of similarities.

    Layers may be given as `keras.saving.serialize_keras_object` writes them, too.

    Args:
        shape: tuple of ints, the shape of one x.
        trunk: Keras layer or model (B, *shape) -> (B, ...), or stages of convolutions (`image_trunk`).
        augmentation: an `Augmentation` layer, or a list of them, which are applied in order: what h shall not see. Each
            needs only `draws(shape)` and a call layer(x, uniforms). The layers' own seeds are not used.
        projector: widths of dense layers, the last without activation; or a Keras layer or model (B, F) -> (B, D).
        temperature: float > 0, called tau.
        activation: of the projector's hidden layers.
        seed: int, root of weights and distortions.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B, F), the trunk's, a row an example.

    Raises:
        ValueError: for no augmentation, a temperature that is not positive, shapes that do not fit, or a loss in
            `compile`.

    Example:
        >>> from keras_course.layers import RandomShift
        >>> model = ContrastiveLearning((8, 8, 1), ((4,), (6,)), RandomShift(1.0), projector=(8, 5))
        >>> x = ops.ones((3, 8, 8, 1))
        >>> tuple(model(x).shape), tuple(model.embed(x).shape)
        ((3, 6), (3, 5))

    Source: R, C 6.8; Chen et al. 2020.
    """

    def __init__(
        self,
        shape: Any,
        trunk: Any,
        augmentation: Any,
        projector: Any = (64, 32),
        temperature: float = 0.5,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = require_shape("ContrastiveLearning", shape)
        require_temperature("ContrastiveLearning", temperature)
        self.temperature = temperature
        self.activation = keras.activations.get(activation)
        self.augmentation = distortions_of("ContrastiveLearning", augmentation)
        trunk, projector = restored(trunk), restored(projector)
        self.given = plain_parts(trunk=trunk, projector=projector)
        self.trunk = trunk_of("ContrastiveLearning", trunk, self.event_shape[-1], seed, self.dtype_policy)
        hidden, output = projector, None
        if not isinstance(projector, keras.layers.Layer):
            widths = require_shape("ContrastiveLearning's projector", projector)
            hidden, output = widths[:-1], widths[-1]
        self.projector = sub_network(
            "ContrastiveLearning", "projector", hidden, self.activation, seed, self.dtype_policy, output=output
        )
        self.alignment_mean = keras.metrics.Mean(name="alignment")
        self.build((None, *self.event_shape))

    def build(self, input_shape: Any) -> None:
        z = self.embed(keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype))
        require_rank("The embedding of ContrastiveLearning", z.shape, 2)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Features; in training the embeddings of two views of each x, {"first", "second"}, for the loss."""
        if not training:
            return self.encode(inputs)
        first, second = self.embeddings(inputs, self.step_seed("views"), training)
        return {"first": first, "second": second}

    def encode(self, x: Any, training: bool | None = False) -> Any:
        """h, the features of x as it is, a row an example, (B, F)."""
        if tuple(x.shape)[1:] != self.event_shape:
            require_rank("ContrastiveLearning", x.shape, len(self.event_shape) + 1)
            raise ValueError(
                f"ContrastiveLearning expects x of shape (B, {', '.join(map(str, self.event_shape))}). "
                f"Received: x.shape={tuple(x.shape)}"
            )
        features = self.trunk(x, training=training)
        return ops.reshape(features, (-1, math.prod(features.shape[1:])))

    def embed(self, x: Any, training: bool | None = False) -> Any:
        """z, the embeddings (B, D) that the loss compares, of length 1 and in at least float32."""
        z = self.projector(self.encode(x, training), training=training)
        return unit_vectors(ops.cast(z, keras.backend.result_type(z.dtype, "float32")))

    def views(self, x: Any, seed: Any) -> tuple[Any, Any]:
        """Two distorted versions of each x, as x in the whole batch of all replicas would get them.

        Args:
            x: tensor (B, *shape).
            seed: integer tensor (2,).

        Returns:
            Two tensors like x.
        """
        count, rows = numbers_an_image(self.augmentation, self.event_shape), ops.shape(x)[0]
        start, total = self.share_of_batch(rows)
        uniforms = uniform_noise((total, 2 * count), seed)[start : start + rows]  # (B, 2U)
        return (
            distorted(self.augmentation, x, uniforms[:, :count]),
            distorted(self.augmentation, x, uniforms[:, count:]),
        )

    def embeddings(self, x: Any, seed: Any, training: bool | None = False) -> tuple[Any, Any]:
        """z of two views of each x, (B, D) both, in one pass of the trunk."""
        both = self.embed(ops.concatenate(self.views(x, seed)), training)  # (2B, D)
        rows = ops.shape(x)[0]
        return both[:rows], both[rows:]

    def losses_of_pairs(self, first: Any, second: Any) -> Any:
        """Each pair's loss among all pairs of all replicas, (B,).

        Args:
            first, second: tensors (B, D), this replica's embeddings.
        """
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return nt_xent(first, second, self.temperature)
        start, _ = self.share_of_batch(ops.shape(first)[0])
        # Its gradient sums what every replica's losses say of these rows.
        among = context.all_gather(tf.stack([first, second], axis=1), axis=0)
        among = tf.ensure_shape(among, (None, 2, first.shape[1]))  # (M, 2, D)
        return nt_xent(first, second, self.temperature, (among[:, 0], among[:, 1]), start)

    def similarity(self, x: Any, other: Any) -> Any:
        """Cosines of the embeddings of every x (B) and every other (M), (B, M)."""
        return cosine_similarities(self.embed(x), self.embed(other))

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        if loss is not None:
            raise ValueError(f"ContrastiveLearning brings its own loss. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        if isinstance(y_pred, Mapping):
            first, second = y_pred["first"], y_pred["second"]
        else:
            first, second = self.embeddings(x, stateless_seed(self.seed, "evaluation", 0))
        losses = self.losses_of_pairs(first, second)  # (B,)
        if sample_weight is not None:
            losses = losses * ops.reshape(ops.cast(sample_weight, losses.dtype), (-1,))
        self.alignment_mean.update_state(ops.sum(first * second, axis=-1), sample_weight)
        return self.mean_over_rows(losses) + sum(self._aggregate_additional_loss(penalty) for penalty in self.losses)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` and `encode`: features; `embed`: unit vectors (B, D); `similarity` of two sets, (B, M)."""
        x, other = (
            keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name=name)
            for name in ("x", "other")
        )
        return {
            "serving_default": (self.encode, [x]),
            "encode": (self.encode, [x]),
            "embed": (self.embed, [x]),
            "similarity": (self.similarity, [x, other]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            **told_parts(self, self.given),
            "augmentation": [keras.saving.serialize_keras_object(layer) for layer in self.augmentation],
            "temperature": self.temperature,
            "activation": keras.activations.serialize(self.activation),
        }
