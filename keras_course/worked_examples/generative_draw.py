"""Worked example of DRAW: the bound of whole images, stroke by stroke."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.generative.draw import DRAW
from keras_course.ops.elbo import elbo_from_divergence, importance_weighted_bound

__all__ = ["draw_strokes"]


def draw_strokes(x: Any, units: Any, latent: int, read: int, write: int, noise: Any) -> dict[str, Any]:
    """The bound of whole images, each in as many strokes as the noise has. Source: C 19.4.

    Entry k of block b of the weights is 0.6 sin(b + 1 + 1.3 k); read or write 0 is without attention.
    """
    widths = [int(width) for width in units]
    model = DRAW(
        x.shape[1:], noise.shape[1], latent, widths, read or None, write or None, evaluation_samples=noise.shape[0]
    )
    layers = (model.encoder, model.posterior, model.decoder, model.looking, model.drawing, model.patch)
    counts = (4, 2, 4, 2, 2, 2)
    block = 0
    for layer, count in zip(layers, counts, strict=True):
        for offset, variable in enumerate(layer.weights if layer is not None else ()):
            variable.assign(_block(block + offset, variable.shape))
        block += count
    model.first_canvas.assign(_block(block, model.first_canvas.shape))

    def bounds(x: Any, noise: Any) -> dict[str, Any]:
        log_likelihood, divergence, log_ratio = model.terms(x, noise)  # (K, B) each
        reconstruction, divergence = ops.mean(log_likelihood, axis=0), ops.mean(divergence, axis=0)
        return {
            "reconstruction": reconstruction,
            "divergence": divergence,
            "elbo": elbo_from_divergence(reconstruction, divergence),
            "bound": importance_weighted_bound(log_likelihood + log_ratio, ops.zeros_like(log_ratio)),
        }

    return compiled(bounds)(x, noise[:, None])  # type: ignore[no-any-return]


def _block(number: int, shape: Any) -> Any:
    return 0.6 * np.sin(number + 1 + 1.3 * np.arange(np.prod(shape))).reshape(shape)
