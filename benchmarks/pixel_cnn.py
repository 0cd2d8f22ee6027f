"""Samples of PixelCNN: each number computed once, against the whole network run for every pixel.

FORM=gated      vertical and horizontal stacks (the default)
FORM=residual   residual blocks

16 images of 16 x 16 pixels, 32 maps, 4 blocks; both draw with the same noise, and must draw the same images.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from benchmarks.harness import Contest, main

IMAGES, SIDE, FILTERS, BLOCKS = 16, 16, 32, 4


def contest() -> Contest:
    """Both in one graph; ours with two loops over rows and columns, the peer with one over pixels."""
    import numpy as np
    import tensorflow as tf

    from keras_course.models.generative.pixel_cnn import PixelCNN

    form = os.environ.get("FORM", "gated")
    model = PixelCNN((SIDE, SIDE), filters=FILTERS, blocks=BLOCKS, gated=form == "gated")
    draws = np.random.Generator(np.random.Philox(0))
    for weight in model.trainable_variables:  # images of some contrast
        weight.assign(draws.normal(scale=0.2, size=weight.shape))
    seed = tf.constant([0, 1])

    @tf.function(autograph=False)
    def cached() -> Any:
        return model.sample(seed, IMAGES)

    @tf.function(autograph=False)
    def naive() -> Any:
        def visit(index: Any, x: Any) -> Any:
            row, column = index // SIDE, index % SIDE
            parameters = model.parameters(x)[:, row, column, 0]
            drawn = model.family.from_uniforms(parameters, model.noise(seed, index, IMAGES))
            here = tf.one_hot(index, SIDE * SIDE, dtype=x.dtype)
            return index + 1, x + tf.reshape(here * drawn, x.shape)

        start = (tf.constant(0), tf.zeros((IMAGES, SIDE, SIDE)))
        return tf.while_loop(lambda index, _: index < SIDE * SIDE, visit, start)[1]

    def agree(ours: Any, peers: Any) -> str:
        """Rounding may turn a draw whose uniform number lies within 1e-6 of its probability; none does here."""
        if not np.array_equal(ours, peers):
            raise ValueError(f"both should draw the same images. Received: {int(np.sum(ours != peers))} pixels differ")
        return f"the same {IMAGES} images, {100 * float(np.mean(ours)):.0f} % black"

    size = f"{IMAGES} samples of {SIDE} x {SIDE} pixels, {FILTERS} maps, {BLOCKS} blocks"
    title = f"PixelCNN, {form} form, {size}: ms a pixel"
    return Contest(
        title, lambda: cached().numpy(), lambda: naive().numpy(), "the whole network for every pixel", xla=False,
        work=SIDE * SIDE, limits={1: 0.5, 2: 0.5}, agree=agree, choices="caches of rows and columns",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main("benchmarks.pixel_cnn", contest))
