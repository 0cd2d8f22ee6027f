"""Worked examples of handwriting synthesis: the density of a point, the window over a text, what a bias does.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.soft_window import SoftWindow
from keras_course.ops.handwriting import bivariate_mixture_log_density, bivariate_normal_log_density, sharpened

__all__ = ["sampling_bias", "stroke_density", "window_weights"]


def stroke_density(point: Any, logits: Any, mean: Any, scale: Any, correlation: Any) -> dict[str, Any]:
    """Each Gaussian at one point, and their mixture, as log-densities. Source: B."""
    each = compiled(lambda x: bivariate_normal_log_density(x, mean, scale, correlation))(point)
    mixture = compiled(lambda x: bivariate_mixture_log_density(x, logits, mean, scale, correlation))(point)
    return {"each": each, "mixture": mixture}


def window_weights(hidden: Any, characters: Any, kernel: Any, bias: Any) -> dict[str, Any]:
    """Three steps of a window of two Gaussians over a word of three letters. Source: B."""
    layer = SoftWindow(2)
    layer.build((1, *hidden.shape), (1, *characters.shape))
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    seen, weights = compiled(layer)(hidden[None], characters[None])
    return {"seen": seen[0], "weights": weights[0]}


def sampling_bias(logits: Any, scale: Any, bias: Any) -> dict[str, Any]:
    """Shares and standard deviations of a mixture that is drawn from with a bias. Source: B."""
    sharper, narrower = compiled(lambda z, s: sharpened(z, s, bias))(logits, scale)
    return {"shares": ops.softmax(sharper), "scale": narrower}
