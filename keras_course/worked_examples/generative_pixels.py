"""Worked examples of masked convolutions and of generator networks by their formulas.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.masked_convolution import MaskedConvolution2D
from keras_course.ops.boltzmann import binary_states
from keras_course.ops.generators import (
    affine_generator,
    affine_log_density,
    log_mean_likelihood,
    matched_generator,
    pixel_log_likelihoods,
)
from keras_course.ops.masked_convolution import convolution_mask

__all__ = ["affine_samples", "bernoulli_codes", "masked_maps", "pixel_masks"]


def pixel_masks(kernel: Any, colours: int) -> dict[str, Any]:
    """What masks A and B, and those of the vertical stack, leave of a kernel. Source: R."""

    def masked(kernel: Any, kind: str, stack: str) -> Any:
        mask = convolution_mask(kernel.shape[:2], *kernel.shape[2:], kind, colours, stack)
        return kernel * ops.cast(mask, kernel.dtype)

    return {
        f"{stack}_{kind}": compiled(masked)(kernel, kind, stack) for stack in ("raster", "vertical") for kind in "AB"
    }


def masked_maps(image: Any, kernel: Any, bias: Any, mask: str, colours: int) -> dict[str, Any]:
    """A masked convolution of a small image. Source: R.

    kernel (3, 3, C, F), of which the layer keeps the two upper rows.
    """
    layer = MaskedConvolution2D(len(bias), kernel.shape[:2], mask, colours, dtype=kernel.dtype)
    layer.build((None, *image.shape))
    layer.kernel.assign(kernel[:2])
    layer.bias.assign(bias)
    return {"maps": compiled(layer)(image[None])[0]}


def affine_samples(z: Any, mean: Any, factor: Any, x: Any) -> dict[str, Any]:
    """x = mu + L z, its density, and the generator that fits a few points best. Source: C 19.3."""
    made = compiled(affine_generator)(z, mean, factor)
    log_density = compiled(affine_log_density)(made, mean, factor)
    matched_mean, matched_factor = compiled(matched_generator)(x)
    return {
        "samples": made,
        "log_density": log_density,
        "matched_mean": matched_mean,
        "matched_factor": matched_factor,
    }


def bernoulli_codes(x: Any, kernel: Any, bias: Any) -> dict[str, Any]:
    """p(x) = E_z p(x | z), z fair coins, and p(z | x). Source: C 19.3."""

    def sums(x: Any, kernel: Any, bias: Any) -> Any:
        codes = binary_states(kernel.shape[0], kernel.dtype)
        likelihoods = pixel_log_likelihoods(x, ops.matmul(codes, kernel) + bias)
        return {"log_prob": log_mean_likelihood(likelihoods), "posterior": ops.softmax(likelihoods, axis=-1)}

    return compiled(sums)(x, kernel, bias)
