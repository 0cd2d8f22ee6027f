"""Worked examples of flow layers: couplings, masks, ActNorm, and the bits of pixels.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled, jacobian
from keras_course.layers.flows import ActNorm, AdditiveCoupling, AffineCoupling
from keras_course.ops.dequantization import bits_per_dimension, dequantised, logit_transform
from keras_course.ops.flows import alternating_mask, checkerboard_mask, halves_mask, squeeze

__all__ = ["actnorm_of_a_batch", "additive_coupling_output", "affine_coupling_output", "bits_of_pixels", "flow_masks"]


def _with_linear_network(layer: Any, x: Any, kernel: Any, bias: Any) -> Any:
    """The layer, its network kept kernel + bias."""
    layer.build(x.shape)
    layer.network.last.kernel.assign(kernel)
    layer.network.last.bias.assign(bias)
    return layer


def affine_coupling_output(x: Any, kernel: Any, bias: Any) -> dict[str, Any]:
    """z_2 = x_2 exp(s(x_1)) + t(x_1), its whole Jacobian and its log det; [s, t] = x_1 kernel + bias. Source: R."""
    layer = _with_linear_network(AffineCoupling(units=(), log_scale_bound=None), x, kernel, bias)
    z, log_det = compiled(lambda x: layer(x))(x)

    def of_first(x: Any) -> Any:
        return jacobian(lambda row: layer.forward(row[None])[0][0], x[0])

    return {"z": z, "log_det": log_det, "jacobian": compiled(of_first)(x), "inverse": compiled(layer.inverse)(z)}


def additive_coupling_output(x: Any, kernel: Any, bias: Any) -> dict[str, Any]:
    """NICE: z_2 = x_2 + t(x_1), log det = 0; t = x_1 kernel + bias. Source: R; Dinh et al. 2014."""
    layer = _with_linear_network(AdditiveCoupling(units=()), x, kernel, bias)
    z, log_det = compiled(lambda x: layer(x))(x)
    return {"z": z, "log_det": log_det, "inverse": compiled(layer.inverse)(z)}


def flow_masks(size: int, height: int, width: int, image: Any) -> dict[str, Any]:
    """What is kept: even places, the first half, black squares; and a squeezed image. Source: R."""
    return {
        "alternating": alternating_mask(size),
        "halves": halves_mask(size),
        "checkerboard": checkerboard_mask(height, width)[:, :, 0],
        "squeezed": compiled(squeeze)(image),
    }


def actnorm_of_a_batch(x: Any) -> dict[str, Any]:
    """After its start a batch has mean 0 and variance 1 in each channel. Source: R; Kingma and Dhariwal 2018."""
    layer = ActNorm()
    layer.start_at(x)
    z, log_det = compiled(lambda x: layer(x))(x)
    return {"z": z, "log_det": log_det, "mean": ops.mean(z, axis=0), "variance": ops.mean(ops.square(z), axis=0)}


def bits_of_pixels(x: Any, noise: Any, levels: int, alpha: float) -> dict[str, Any]:
    """Bits per dimension if the logits of dequantised pixels were standard logistic numbers. Source: R."""

    def bits(x: Any, noise: Any) -> Any:
        y = dequantised(x, noise, levels)
        v, log_det = logit_transform(y, alpha)
        log_prob = log_det - ops.sum(ops.softplus(v) + ops.softplus(-v), axis=-1)
        return y, v, bits_per_dimension(log_prob, x.shape[-1], levels)

    y, v, found = compiled(bits)(x, noise)
    return {"dequantised": y, "logits": v, "bits": found}
