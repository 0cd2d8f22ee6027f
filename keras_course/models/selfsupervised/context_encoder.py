"""The context encoder: a trunk that learns by filling holes in images, judged by pixels and by an adversary.

    y      = decoder(trunk((1 - M) x + M fill))                                M = 1 in the hole
    J_F    = (1 - a) error(x, y) + a softplus(-d(y))                           trunk and decoder
    J_D    = softplus(-d(x)) + softplus(d(y))                                  discriminator d, a score
    error  = sum w (x - y)**2 / sum w,   w = M + band (dilated M - M)

The discriminator sees the hole (and its band) alone, zeros elsewhere: with the context it would judge by the seam. Its
probability is sigma(d), softplus(-d) = -log sigma(d), softplus(d) = -log(1 - sigma(d)): no logarithm of a probability
is taken. The trunk's own term is -log sigma(d(y)), whose gradient does not vanish where the discriminator is sure, in
place of log(1 - sigma(d(y))); both have the same fixed point.

Both gradients are taken at the same weights, then both steps are made. (The paper alternates; for small steps it is the
same.) So one forward pass serves both, and a discriminator that breaks down is found out by its own weights.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import stateless_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.layers.given_parts import plain_parts, told_parts
from keras_course.layers.sub_networks import require_shape, restored
from keras_course.models.selfsupervised.inpainting_networks import filling_decoder, region_discriminator
from keras_course.models.selfsupervised.trunk import require_images, trunk_of
from keras_course.models.two_players import TwoPlayers
from keras_course.ops.adversarial_games import discriminator_loss, generator_loss
from keras_course.ops.inpainting import (
    central_block,
    masked_squared_error,
    random_blocks,
    random_regions,
    reconstruction_weights,
)

__all__ = ["ContextEncoder"]

HOLES = ("centre", "blocks", "regions")


@register("ContextEncoder")
class ContextEncoder(TwoPlayers, Model):
    """Fills holes; `model(x)` is the decoder's image of x as it came, `encode` the trunk's features.

    J_F = (1 - a) error + a softplus(-d(y)),   J_D = softplus(-d(x)) + softplus(d(y))

    `compile(optimizer, discriminator_optimizer)`: two optimizers, the second a copy of the first if none is given; no
    loss. `fit` and `evaluate` report `loss` = J_F, `reconstruction_error`, and with an adversary `adversarial_loss` =
    -log sigma(d(y)), `discriminator_loss` = J_D and `discriminator_accuracy`, the share of regions it calls rightly:
    one that stays at 1 has won outright and teaches nothing (`callbacks.DiscriminatorWatch` says so). With
    adversarial=0 there is no discriminator, and training is that of a plain autoencoder of holes.

    Holes in training come from (seed, step); evaluation takes the same few holes for every image, so that what it
    reports depends on neither the batch size nor the order.

    Layers may be given as `keras.saving.serialize_keras_object` writes them, too.

    Args:
        shape: (H, W, C) of one image.
        trunk: Keras layer or model (B, H, W, C) -> (B, F) or (B, h, w, m), or stages of convolutions (`image_trunk`).
        decoder: Keras layer or model from features to (B, H, W, C), or None for `filling_decoder`.
        discriminator: Keras layer or model (B, H, W, C) -> (B, 1), scores, or None for `region_discriminator`.
        hole: "centre" (one square), "blocks" (`blocks` squares that may overlap) or "regions" (a shape without a
            straight line, of `share` of the pixels).
        side: int, of the squares; None for half (centre) or a quarter (blocks) of the shorter side.
        blocks: int >= 1.
        share: float, 0 < share < 1.
        overlap: int >= 0, width of the band of seen pixels that count as well.
        band: float >= 0, weight of the band, 10 in the paper.
        adversarial: float in [0, 1), weight a of the adversarial part, 0.001 in the paper; 0 leaves it out.
        fill: float, what is put into the hole; the mean of the images, say.
        evaluation_masks: int >= 1, number of holes that evaluation averages over (1 for "centre").
        seed: int, root of weights and holes.
        **kwargs: as keras.Model.

    Input shape:
        (B, H, W, C).

    Output shape:
        (B, H, W, C).

    Raises:
        ValueError: for arguments out of range, networks whose shapes do not fit, a discriminator without a weight, a
            loss in `compile`, or an optimizer that moves ahead of the gradient.

    Example:
        >>> model = ContextEncoder((8, 8, 1), ((4,), (6,)))
        >>> x = ops.ones((3, 8, 8, 1))
        >>> tuple(model.encode(x).shape), tuple(model.inpaint(x, central_block(8, 8, 4)).shape)
        ((3, 6), (3, 8, 8, 1))

    Source: R, C 6.8; Pathak et al. 2016.
    """

    def __init__(
        self,
        shape: Any,
        trunk: Any,
        decoder: Any = None,
        discriminator: Any = None,
        hole: str = "centre",
        side: int | None = None,
        blocks: int = 4,
        share: float = 0.25,
        overlap: int = 0,
        band: float = 10.0,
        adversarial: float = 0.001,
        fill: float = 0.0,
        evaluation_masks: int = 4,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = require_shape("ContextEncoder", shape)
        if len(self.event_shape) != 3:
            raise ValueError(f"ContextEncoder needs the shape of an image, (H, W, C). Received: shape={shape!r}")
        require_one_of("ContextEncoder", HOLES, hole=hole)
        require_positive_int("ContextEncoder", blocks=blocks, evaluation_masks=evaluation_masks)
        if not 0 <= adversarial < 1 or not math.isfinite(fill):
            raise ValueError(
                "ContextEncoder needs 0 <= adversarial < 1 and a finite fill. "
                f"Received: adversarial={adversarial!r}, fill={fill!r}"
            )
        if discriminator is not None and adversarial == 0:
            raise ValueError("ContextEncoder with adversarial=0 has no discriminator. Received: one")
        trunk, decoder, discriminator = (restored(part) for part in (trunk, decoder, discriminator))
        self.hole, self.side, self.blocks, self.share = hole, side, blocks, share
        self.overlap, self.band = overlap, band
        self.adversarial, self.fill, self.evaluation_masks = adversarial, fill, evaluation_masks
        self.given = plain_parts(trunk=trunk, decoder=decoder, discriminator=discriminator)

        self.trunk = trunk_of("ContextEncoder", trunk, self.event_shape[-1], seed, self.dtype_policy)
        images = keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype)
        if decoder is None:
            features = self.trunk(images).shape[1:]
            decoder = filling_decoder(features, self.event_shape, seed=seed, dtype=self.dtype_policy)
        self.decoder = decoder
        if discriminator is None and adversarial > 0:
            discriminator = region_discriminator(seed=seed, dtype=self.dtype_policy)
        self.discriminator = discriminator
        names = ["reconstruction_error"]
        if adversarial > 0:
            names += ["adversarial_loss", "discriminator_loss", "discriminator_accuracy"]
        self.means = {name: keras.metrics.Mean(name=name) for name in names}
        self.build((None, *self.event_shape))

    def build(self, input_shape: Any) -> None:
        images = keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype)
        made = self.complete(images)
        if tuple(made.shape) != (None, *self.event_shape):
            raise ValueError(f"ContextEncoder needs a decoder to {self.event_shape}. Received: {tuple(made.shape)}")
        if self.discriminator is not None:
            score = self.discriminator(images)
            if tuple(score.shape) != (None, 1):
                raise ValueError(f"ContextEncoder needs a discriminator to (B, 1). Received: {tuple(score.shape)}")
        self.weights_of_places(self.draw_masks(stateless_seed(self.seed, "check", 0), 1))  # refuses wrong settings
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The decoder's image of x; in training what a step needs: {"mask", "image", and scores "real", "filled"}."""
        if not training:
            return self.complete(inputs)
        rows = ops.shape(inputs)[0]
        first, total = self.share_of_batch(rows)
        mask = self.draw_masks(self.step_seed("holes"), total)
        if self.hole != "centre":
            mask = mask[first : first + rows]
        return self.answers(inputs, mask, training)

    def answers(self, x: Any, mask: Any, training: bool | None = False) -> dict[str, Any]:
        """What the networks say of images x (B, H, W, C) with holes mask (B or 1, H, W, 1)."""
        image = self.complete(self.context(x, mask), training)
        found = {"mask": mask, "image": image}
        if self.discriminator is not None:
            found |= {name: self.score(seen, mask, training) for name, seen in (("real", x), ("filled", image))}
        return found

    def draw_masks(self, seed: Any, many: Any) -> Any:
        """Holes, (many, H, W, 1); the centre is one for all, (1, H, W, 1).

        Args:
            seed: integer tensor (2,).
            many: int or integer tensor.
        """
        height, width, _ = self.event_shape
        if self.hole == "regions":
            return random_regions(uniform_noise((many, height, width, 1), seed), self.share)
        side = self.side or max(min(height, width) // (2 if self.hole == "centre" else 4), 1)
        if self.hole == "centre":
            return central_block(height, width, side)
        return random_blocks(uniform_noise((many, self.blocks, 2), seed), height, width, side)

    def context(self, x: Any, mask: Any) -> Any:
        """(1 - M) x + M fill."""
        mask = ops.cast(mask, x.dtype)
        return (1 - mask) * x + mask * self.fill

    def complete(self, context: Any, training: bool | None = False) -> Any:
        """y, the whole image that decoder and trunk make of what is seen."""
        require_images("ContextEncoder", context.shape, self.event_shape)
        return self.decoder(self.trunk(context, training=training), training=training)

    def encode(self, x: Any) -> Any:
        """The trunk's features of x as it is, a row an image, (B, F)."""
        require_images("ContextEncoder", x.shape, self.event_shape)
        features = self.trunk(x, training=False)
        return ops.reshape(features, (-1, math.prod(features.shape[1:])))

    def inpaint(self, x: Any, mask: Any) -> Any:
        """(1 - M) x + M y: seen pixels stay, missing ones are filled; what x holds in the hole does not matter.

        Args:
            x: tensor (B, H, W, C).
            mask: tensor (B or 1, H, W, 1), 1 where a pixel is missing.
        """
        x = ops.convert_to_tensor(x, dtype=self.compute_dtype)
        mask = ops.cast(mask, x.dtype)
        y = ops.cast(self.complete(self.context(x, mask)), x.dtype)
        return ops.where(mask > 0, y, x)

    def weights_of_places(self, mask: Any) -> Any:
        """w, 1 in the hole and `band` around it."""
        return reconstruction_weights(mask, self.overlap, self.band)

    def score(self, images: Any, mask: Any, training: bool | None = False) -> Any:
        """d of the region that is to be filled, (B,)."""
        region = ops.cast(reconstruction_weights(mask, self.overlap, 1.0), images.dtype)
        return self.discriminator(region * images, training=training)[:, 0]

    def costs(self, x: Any, answers: dict[str, Any]) -> dict[str, Any]:
        """Each image's error and losses, (B,) each, in at least float32; "loss" is J_F, "discriminator_loss" J_D."""
        image = answers["image"]
        wide = keras.backend.result_type(image.dtype, "float32")
        weights = self.weights_of_places(answers["mask"])
        error = masked_squared_error(ops.cast(x, wide), ops.cast(image, wide), weights)
        found = {"reconstruction_error": error, "loss": (1 - self.adversarial) * error}
        if self.discriminator is not None:
            real, filled = ops.cast(answers["real"], wide), ops.cast(answers["filled"], wide)
            adversarial = generator_loss(filled)
            right = ops.cast(real > 0, wide) + ops.cast(filled < 0, wide)
            found |= {
                "loss": found["loss"] + self.adversarial * adversarial,
                "adversarial_loss": adversarial,
                "discriminator_loss": discriminator_loss(real, filled),
                "discriminator_accuracy": right / 2,
            }
        return found

    @property
    def first_variables(self) -> list[Any]:
        """Trainable variables of trunk and decoder, which the first optimizer moves."""
        return [*self.trunk.trainable_variables, *self.decoder.trainable_variables]

    @property
    def second_variables(self) -> list[Any] | None:
        return None if self.discriminator is None else self.discriminator.trainable_variables

    def train_step(self, data: Any) -> Any:
        x, _, weight = keras.utils.unpack_x_y_sample_weight(data)
        rows = ops.shape(x)[0]
        _, total = self.share_of_batch(rows)

        with tf.GradientTape(persistent=True) as tape:
            costs = self.costs(x, self(x, training=True))
            fill_loss = self.part_of_mean(costs["loss"], weight, total, self.trunk.losses + self.decoder.losses)
            fill_loss = self.optimizer.scale_loss(fill_loss)
            if self.discriminator is not None:
                judge_loss = costs["discriminator_loss"]
                judge_loss = self.part_of_mean(judge_loss, weight, total, self.discriminator.losses)
                judge_loss = self.discriminator_optimizer.scale_loss(judge_loss)

        variables = self.first_variables
        steps = [(self.optimizer, tape.gradient(fill_loss, variables), variables)]
        if self.discriminator is not None:
            variables = self.discriminator.trainable_variables
            steps.append((self.discriminator_optimizer, tape.gradient(judge_loss, variables), variables))
        for optimizer, gradients, variables in steps:
            optimizer.apply_gradients(zip(gradients, variables, strict=True))

        self._count(costs, weight)
        self._loss_tracker.update_state(self.weighted(costs["loss"], weight))
        return self.get_metrics_result()

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """J_F of evaluation, over its own holes."""
        many = 1 if self.hole == "centre" else self.evaluation_masks
        masks = self.draw_masks(stateless_seed(self.seed, "evaluation", 0), many)
        found = [self.costs(x, self.answers(x, masks[number : number + 1])) for number in range(many)]
        costs = {name: sum(one[name] for one in found) / many for name in found[0]}
        self._count(costs, sample_weight)
        return self.mean_over_rows(self.weighted(costs["loss"], sample_weight))

    def _count(self, costs: dict[str, Any], weight: Any) -> None:
        for name, mean in self.means.items():
            mean.update_state(costs[name], weight)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` and `inpaint` (x, mask): holes filled; `encode` (x): features."""
        height, width, _ = self.event_shape
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        mask = keras.InputSpec(shape=(None, height, width, 1), dtype=self.input_dtype, name="mask")
        return {
            "serving_default": (self.inpaint, [x, mask]),
            "inpaint": (self.inpaint, [x, mask]),
            "encode": (self.encode, [x]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            **told_parts(self, self.given),
            "hole": self.hole,
            "side": self.side,
            "blocks": self.blocks,
            "share": self.share,
            "overlap": self.overlap,
            "band": self.band,
            "adversarial": self.adversarial,
            "fill": self.fill,
            "evaluation_masks": self.evaluation_masks,
        }
