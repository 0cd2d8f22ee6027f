"""Images one pixel at a time, each number computed once.

    for every row:      what the rows above give it, for all its pixels at once
    for every pixel:    what its row's earlier pixels add, the parameters of p(x_i | x_<i), a draw
    for every colour:   the pixel again, now that one more colour is known

Nothing is computed twice but the colours of one pixel: features of a pixel never change once the pixels before it are
known, so the last rows and columns of every layer are kept and read again. The naive way runs the whole network over
the whole image for every number drawn; both give the same up to rounding.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

__all__ = ["walk"]


def walk(model: Any, x: Any, given: Any, noise_of: Any, condition: Any = None) -> tuple[Any, Any]:
    """Draws the pixels of x that are not given, in reading order.

    Args:
        model: `PixelCNN`.
        x: tensor (B, H, W, C) of levels, whose first pixels are given.
        given: scalar integer tensor, how many numbers of x are given: pixels in reading order, colours within them.
        noise_of: function of a number's index that returns its noise (B, U), as `family.from_uniforms` takes it.
        condition: tensor (B, T), or None.

    Returns:
        Tuple (levels, parameters), (B, H, W, C) and (B, H, W, C, P): the image, and what each of its numbers was
        drawn from.
    """
    height, width, colours = model.image_shape
    steps, head = model.stack.steps(condition), model.head_steps()
    rows = ops.shape(x)[0]
    kept = [each.left for each in steps.convolutions]
    dtypes, sizes = [each.kernel.dtype for each in steps.convolutions], [each.channels for each in steps.convolutions]
    wide = model.wide_dtype

    def draw(pixel: Any, colour: int, parameters: Any, index: Any) -> Any:
        drawn = model.family.from_uniforms(parameters[:, colour], noise_of(index))
        drawn = tf.cast(tf.reshape(drawn, (-1,)), pixel.dtype)
        known = index < given
        columns = tf.unstack(pixel, axis=1)
        columns[colour] = tf.where(known, columns[colour], drawn)
        return tf.stack(columns, axis=1)

    def visit(column: Any, row: Any, whole: Any, above: Any, lefts: Any, written: Any, told: Any, entered: Any) -> Any:
        here = [each[:, column] for each in above]
        pixel = whole[:, row, column]  # (B, C)
        index = (row * width + column) * colours
        for colour in range(colours):
            h, values = steps.pixel(model.scaled(pixel), lefts, here)
            parameters = tf.cast(head(h), wide)  # (B, C, P)
            pixel = draw(pixel, colour, parameters, index + colour)
        values[0] = model.scaled(pixel)
        lefts = [
            ops.concatenate([left, value[:, None]], axis=1)[:, 1:] if keep else left
            for left, value, keep in zip(lefts, values, kept, strict=True)
        ]
        entered = [array.write(column, value) for array, value in zip(entered, values, strict=True)]
        return column + 1, lefts, written.write(column, pixel), told.write(column, parameters), entered

    def row_of(row: Any, tails: Any, written: Any, told: Any) -> Any:
        above, tails = steps.open_row(list(tails))
        lefts = [tf.zeros((rows, keep, size), dtype) for keep, size, dtype in zip(kept, sizes, dtypes, strict=True)]
        start = (
            tf.constant(0),
            lefts,
            tf.TensorArray(x.dtype, width, element_shape=(None, colours)),
            tf.TensorArray(wide, width, element_shape=(None, colours, model.family.parameter_size)),
            [
                tf.TensorArray(dtype, width, element_shape=(None, size))
                for size, dtype in zip(sizes, dtypes, strict=True)
            ],
        )
        _, _, pixels, parameters, entered = tf.while_loop(
            lambda column, *_: column < width,
            lambda column, lefts, written, told, entered: visit(column, row, x, above, lefts, written, told, entered),
            start,
            maximum_iterations=width,
        )
        along = [tf.transpose(array.stack(), (1, 0, 2)) for array in entered]  # (B, W, C)
        for values, size in zip(along, sizes, strict=True):
            values.set_shape((x.shape[0], width, size))
        tails = steps.close_row(tails, along)
        return row + 1, tails, written.write(row, pixels.stack()), told.write(row, parameters.stack())

    start = (
        tf.constant(0),
        steps.first_tails(rows, width),
        tf.TensorArray(x.dtype, height, element_shape=(width, None, colours)),
        tf.TensorArray(wide, height, element_shape=(width, None, colours, model.family.parameter_size)),
    )
    _, _, pixels, parameters = tf.while_loop(lambda row, *_: row < height, row_of, start, maximum_iterations=height)
    return tf.transpose(pixels.stack(), (2, 0, 1, 3)), tf.transpose(parameters.stack(), (2, 0, 1, 3, 4))
