"""The Wasserstein GAN: a critic of bounded slope measures how far fakes are from data, the generator comes closer.

    J_f = f(G(z)) - f(x) + lambda (|df/dx| - 1)^2 at x' = e x + (1 - e) G(z)    gradient penalty
    J_f = f(G(z)) - f(x),   then w = clip(w, -c, c) for every weight of f       clipping
    J_f = f(G(z)) - f(x),   W of every layer divided by its greatest stretch    spectral normalization
    J_G = -f(G(z))

The maximum of E f(x) - E f(G(z)) over 1-Lipschitz f is the Wasserstein distance: a loss that goes down as the samples
get better, and that teaches where the two have nothing in common and a discriminator's loss is flat. So the critic is
to be trained well: several steps a step of the generator. Clipping bounds the slope by some constant of the network, so
that the estimate has no unit.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.callbacks.training_reports import ReportingCallback
from keras_course.core.model import Endpoint
from keras_course.core.serial import register
from keras_course.models.generative.adversarial_game import AdversarialGame
from keras_course.ops.adversarial_games import critic_loss, gradient_penalty, mixed_rows
from keras_course.ops.clipping import clip_parameters

__all__ = ["WGAN"]


@register("WGAN")
class WGAN(AdversarialGame):
    """A generator that descends on a critic's estimate of the Wasserstein distance to the data.

        W = max over 1-Lipschitz f of E f(x) - E f(G(z))

    `compile(optimizer, discriminator_optimizer)`: the generator's and the critic's; the second is a copy of the first
    if none is given. Momentum is known to hurt: Adam with beta_1 = 0 or 0.5, or RMSprop. `fit(x)` (with classes `fit(x,
    y)`) and `evaluate` report `loss` = -f(G(z)), `discriminator_loss` = J_f, `wasserstein` = f(x) - f(G(z)), an
    estimate in the unit of x under a gradient penalty, and `penalty` (0 under clipping). Evaluation takes the penalty
    in the middle between each example and one fake. `fit` raises NonFiniteLossError for numbers that are not finite. A
    critic that has won outright is none: the better it is, the more it teaches.

    A batch serves all k `steps` of the critic: `batch_size` is k times what each of them sees.

    `model(x)` and `predict` are scores f(x), (B,); with classes (B, classes), of x as each class.

    Endpoints: serving_default and generate (z), sample (seed, n), interpolate (first, second, steps), criticise (x:
    f(x)); with classes generate and interpolate take labels last.

    Args:
        shape: int D or tuple, the shape of one x.
        latent: int Z >= 1, number of code units.
        generator: Keras layer or model (B, Z) -> (B, *shape) or (B, values of shape), or widths of dense layers. With
            classes it is given (B, Z + classes).
        discriminator: the critic: Keras layer or model (B, *shape) -> (B, 1), or widths of dense layers. With classes
            the last axis of what it is given is longer by as many. Under a gradient penalty without batch
            normalization, which would make the slope at one row depend on the others.
        penalty: float lambda > 0 of the gradient penalty (10 in the paper), or None.
        clip: float c > 0, for penalty=None (0.01 in the paper), or None. Both are None for a critic with its layers in
            `keras.layers.SpectralNormalization`, which bound its slope themselves.
        steps: int k >= 1, of the critic in a training step.
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
        ValueError: for arguments out of range, both or (without such layers) neither of penalty and clip, networks
            whose shapes do not fit, a critic without weights, missing labels, a loss in `compile`, or an optimizer that
            moves ahead of the gradient.
        InvalidDataError: by `fit` and `evaluate`, for x that is not finite.

    Example:
        >>> model = WGAN(shape=2, latent=3, generator=(8,), discriminator=(8,), penalty=1.0)
        >>> tuple(model.criticise(ops.ones((5, 2))).shape), tuple(model.sample(seed=1, n=4).shape)
        ((5,), (4, 2))

    Source: R; Arjovsky, Chintala and Bottou 2017; Gulrajani et al. 2017;
    Miyato et al. 2018.
    """

    metric_names: ClassVar[tuple[str, ...]] = ("wasserstein", "discriminator_loss", "penalty")

    def __init__(
        self,
        shape: Any,
        latent: int = 16,
        generator: Any = (64,),
        discriminator: Any = (64,),
        penalty: float | None = 10.0,
        clip: float | None = None,
        steps: int = 5,
        classes: int | None = None,
        output_activation: Any = None,
        activation: Any = "relu",
        evaluation_samples: int = 64,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        given = [value for value in (penalty, clip) if value is not None]
        bounded = isinstance(discriminator, keras.layers.Layer) and _normalised(discriminator)
        if len(given) > 1 or not all(value > 0 for value in given) or not (given or bounded):
            raise ValueError(
                "WGAN needs either penalty > 0 and clip=None, or penalty=None and clip > 0, or neither and a critic "
                f"with keras.layers.SpectralNormalization. Received: penalty={penalty!r}, clip={clip!r}"
            )
        super().__init__(
            shape, latent, generator, discriminator, steps, classes, output_activation, activation,
            evaluation_samples, seed, **kwargs,
        )  # fmt: skip
        self.penalty, self.clip = penalty, clip

    def discriminator_costs(self, real: Any, fake: Any) -> dict[str, Any]:
        loss = critic_loss(real, fake)
        return {"discriminator_loss": loss, "wasserstein": -loss, "penalty": ops.zeros_like(loss)}

    def generator_costs(self, fake: Any) -> Any:
        return -fake

    def penalties_of_rows(self, x: Any, fake: Any, labels: Any, shares: Any, training: bool | None) -> Any:
        """lambda (|df/dx| - 1)^2 on the lines from fakes to data, (B,); None under clipping."""
        if self.penalty is None:
            return None
        x, fake, shares = (ops.cast(each, self.wide_dtype) for each in (x, fake, shares))
        between = mixed_rows(x, fake, shares)
        return self.penalty * gradient_penalty(lambda each: self.score(each, labels, training), between)

    def after_discriminator_step(self) -> None:
        if self.clip is not None:
            for variable in self.second_variables or ():
                variable.assign(clip_parameters(variable, self.clip))

    def reports(self) -> list[keras.callbacks.Callback]:
        return [ReportingCallback()]

    def criticise(self, x: Any) -> Any:
        """f(x): (B,), or (B, classes)."""
        return self(x, training=False)

    def endpoints(self) -> dict[str, Endpoint]:
        return {**super().endpoints(), "criticise": (self.criticise, [self.input_spec_of_x()])}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "penalty": self.penalty, "clip": self.clip}


def _normalised(critic: keras.layers.Layer) -> bool:
    layers = critic._flatten_layers(include_self=True, recursive=True)
    return any(isinstance(layer, keras.layers.SpectralNormalization) for layer in layers)
