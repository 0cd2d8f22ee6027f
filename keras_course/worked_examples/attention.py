"""Worked examples of the chapters on attention: where each word stands.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.positional_encoding import PositionalEncoding
from keras_course.ops.positional import positional_encoding

__all__ = [
    "position_rotation",
    "positional_encoding_added",
    "positional_encoding_at",
    "positional_encoding_table",
]


def positional_encoding_table(length: int, depth: int, base: float) -> dict[str, Any]:
    """The table of the sentence 'I am a robot': what the layer adds to zeros. Source: C 14.3."""
    layer = PositionalEncoding(base=base)
    layer.build((1, length, depth))
    return {"table": compiled(layer)(ops.zeros((1, length, depth), dtype=layer.compute_dtype))[0]}


def positional_encoding_at(positions: Any, depth: int, base: float) -> dict[str, Any]:
    """Rows of any positions, near or far. Source: C 14.3."""
    return {"table": compiled(positional_encoding)(positions, depth, base)}


def positional_encoding_added(x: Any, base: float) -> dict[str, Any]:
    """Word vectors with their positions summed in. Source: C 14.3."""
    layer = PositionalEncoding(base=base)
    layer.build(x.shape)
    return {"output": compiled(layer)(x)}


def position_rotation(positions: Any, shift: float, depth: int, base: float) -> dict[str, Any]:
    """A shift of position turns each pair (sine, cosine) by one angle, whatever the position.

    sin((k + m) f) = sin(k f) cos(m f) + cos(k f) sin(m f),  cos((k + m) f) = cos(k f) cos(m f) - sin(k f) sin(m f)

    So P[k + m] is a linear function of P[k]: attention can learn relative positions. Source: C 14.3.
    """

    def turned(positions: Any) -> Any:
        here = positional_encoding(positions, depth, base)  # (T, D)
        turn = positional_encoding(ops.full_like(positions[:1], shift), depth, base)[0]  # (D,)
        sine, cosine = here[:, 0::2], here[:, 1::2]  # (T, D/2)
        sin_m, cos_m = turn[0::2], turn[1::2]  # (D/2,)
        pairs = ops.stack([sine * cos_m + cosine * sin_m, cosine * cos_m - sine * sin_m], axis=-1)  # (T, D/2, 2)
        return ops.reshape(pairs, ops.shape(here))

    return {
        "shifted": compiled(positional_encoding)(positions + shift, depth, base),
        "rotated": compiled(turned)(positions),
    }
