"""The generative adversarial network: a discriminator tells data from fakes, the generator learns to fool it.

    J_D = softplus(-d(x)) + softplus(d(G(z)))             D(x) = sigma(d(x)), the probability that x is real
    J_G = softplus(-d(G(z)))                              non-saturating: -log D(G(z))
          or -softplus(d(G(z)))                           minimax: log(1 - D(G(z)))

At the optimum of an unlimited discriminator, J_D = 2 log 2 - 2 JSD(data, generator); it is 2 log 2 = 1.386 where the
generator's distribution is the data's and the discriminator guesses. The minimax loss stops teaching where the
discriminator is sure, which it is at the beginning.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.callbacks.discriminator_watch import DiscriminatorWatch
from keras_course.core.model import Endpoint
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.models.generative.adversarial_game import AdversarialGame
from keras_course.ops.adversarial_games import GENERATOR_LOSSES, discriminator_loss, generator_loss

__all__ = ["GAN"]


@register("GAN")
class GAN(AdversarialGame):
    """A generator of x from noise, taught by a discriminator that learns to tell its fakes from data.

        J_D = softplus(-d(x)) + softplus(d(G(z))),   J_G = softplus(-d(G(z))) or -softplus(d(G(z)))

    `compile(optimizer, discriminator_optimizer)`: the generator's and the discriminator's; the second is a copy of the
    first if none is given. `fit(x)` (with classes `fit(x, y)`) and `evaluate` report `loss` = J_G, `discriminator_loss`
    = J_D and `discriminator_accuracy`, the share of data and fakes it calls rightly. Neither loss says how good the
    samples are: they are the score of a game whose other player learns too. `fit` warns, by the category
    `DiscriminatorWins`, of a discriminator that nothing has fooled for three epochs, and raises NonFiniteLossError for
    numbers that are not finite; give a `callbacks.DiscriminatorWatch` of your own to be told otherwise.

    A batch serves all k `steps` of the discriminator: `batch_size` is k times what each of them sees.

    `model(x)` and `predict` are scores d(x), (B,); with classes (B, classes), of x as each class.

    Endpoints: serving_default and generate (z), sample (seed, n), interpolate (first, second, steps), discriminate (x:
    D(x)); with classes generate and interpolate take labels last.

    Args:
        shape: int D or tuple, the shape of one x.
        latent: int Z >= 1, number of code units.
        generator: Keras layer or model (B, Z) -> (B, *shape) or (B, values of shape), or widths of dense layers. With
            classes it is given (B, Z + classes).
        discriminator: Keras layer or model (B, *shape) -> (B, 1), or widths of dense layers. With classes the last
            axis of what it is given is longer by as many: an image has the class as further channels.
        generator_loss: "non_saturating" or "minimax".
        steps: int k >= 1, of the discriminator in a training step.
        classes: int, number of classes to condition on, or None. `fit` and `evaluate` then take y, int (B,).
        output_activation: of the generator's last values, name or function ("sigmoid" for x in [0, 1], "tanh"); None
            leaves them.
        activation: of the dense layers.
        evaluation_samples: int >= 1, codes (a class) that evaluation takes.
        seed: int, root of weights and codes.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B,), or (B, classes).

    Raises:
        ValueError: for arguments out of range, networks whose shapes do not fit, a discriminator without weights,
            missing labels, a loss in `compile`, or an optimizer that moves ahead of the gradient.
        InvalidDataError: by `fit` and `evaluate`, for x that is not finite.

    Example:
        >>> model = GAN(shape=(4, 4, 1), latent=3, generator=(8,), discriminator=(8,), output_activation="sigmoid")
        >>> x = ops.ones((5, 4, 4, 1))
        >>> tuple(model(x).shape), tuple(model.sample(seed=1, n=2).shape)
        ((5,), (2, 4, 4, 1))

    Source: C 19.5, R; Goodfellow et al. 2014; Mirza and Osindero 2014 (classes).
    """

    metric_names: ClassVar[tuple[str, ...]] = ("discriminator_loss", "discriminator_accuracy")

    def __init__(
        self,
        shape: Any,
        latent: int = 16,
        generator: Any = (64,),
        discriminator: Any = (64,),
        generator_loss: str = "non_saturating",
        steps: int = 1,
        classes: int | None = None,
        output_activation: Any = None,
        activation: Any = "relu",
        evaluation_samples: int = 64,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        require_one_of("GAN", GENERATOR_LOSSES, generator_loss=generator_loss)
        super().__init__(
            shape, latent, generator, discriminator, steps, classes, output_activation, activation,
            evaluation_samples, seed, **kwargs,
        )  # fmt: skip
        self.generator_loss = generator_loss

    def discriminator_costs(self, real: Any, fake: Any) -> dict[str, Any]:
        right = ops.cast(real > 0, real.dtype) + ops.cast(fake < 0, real.dtype)
        return {"discriminator_loss": discriminator_loss(real, fake), "discriminator_accuracy": right / 2}

    def generator_costs(self, fake: Any) -> Any:
        return generator_loss(fake, self.generator_loss)

    def reports(self) -> list[keras.callbacks.Callback]:
        return [DiscriminatorWatch()]

    def discriminate(self, x: Any) -> Any:
        """D(x) = sigma(d(x)), the probability that x is real: (B,), or (B, classes)."""
        return ops.sigmoid(self(x, training=False))

    def endpoints(self) -> dict[str, Endpoint]:
        return {**super().endpoints(), "discriminate": (self.discriminate, [self.input_spec_of_x()])}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "generator_loss": self.generator_loss}
