"""Worked examples of GAN and WGAN: one training step with the random numbers given.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.generative.gan import GAN
from keras_course.models.generative.wgan import WGAN

__all__ = ["gan_steps", "wgan_steps"]


def _played(
    kind: type, how: dict[str, Any], x: Any, codes: Any, generator: Any, offset: Any, judge: Any, rates: Any
) -> dict[str, Any]:
    """A step of the game z W + b against v . x + c; the judge's weights are (v, c)."""
    dtype = keras.backend.standardize_dtype(generator.dtype)
    model = kind(x.shape[1], generator.shape[0], generator=(), discriminator=(), dtype=dtype, **how)
    makes, judges = model.generator.layers[-1], model.discriminator.layers[-1]
    for layer, kernel, bias in ((makes, generator, offset), (judges, judge[:-1, None], judge[-1:])):
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    model.compile(*(keras.optimizers.SGD(rate) for rate in rates))

    def step(x: Any, codes: Any) -> dict[str, Any]:
        model.play(x, None, None, codes, ops.ones_like(x[:, 0]) / 2, (0, x.shape[0]))
        return {
            "generator": ops.convert_to_tensor(makes.kernel) + 0,
            "offset": ops.convert_to_tensor(makes.bias) + 0,
            "judge": ops.concatenate([judges.kernel[:, 0], judges.bias]),
        }

    return compiled(step)(x, codes)  # type: ignore[no-any-return]


def gan_steps(
    x: Any, codes: Any, generator: Any, offset: Any, judge: Any, steps: int, rate: float, judge_rate: float, kind: str
) -> dict[str, Any]:
    """Algorithm 1, once: k steps of a linear discriminator, one of a linear generator. Source: C 19.5."""
    how = {"steps": steps, "generator_loss": kind}
    return _played(GAN, how, x, codes, generator, offset, judge, (rate, judge_rate))


def wgan_steps(
    x: Any,
    codes: Any,
    generator: Any,
    offset: Any,
    judge: Any,
    steps: int,
    rate: float,
    judge_rate: float,
    penalty: float,
    clip: float,
) -> dict[str, Any]:
    """The same of a critic, under a gradient penalty or clipped; 0 for none of it. Source: R."""
    how = {"steps": steps, "penalty": penalty or None, "clip": clip or None}
    return _played(WGAN, how, x, codes, generator, offset, judge, (rate, judge_rate))
