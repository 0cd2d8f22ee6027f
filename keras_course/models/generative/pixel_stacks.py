"""The bodies of PixelCNN: residual blocks of masked convolutions, or gated layers of two stacks.

    residual   h <- h + W3 relu(M_B * relu(W1 relu(h)) + T t)              1 x 1, k x k, 1 x 1; 2F, F, 2F channels
               in front  h = M_A * x                                        first_kernel x first_kernel, 2F channels
    gated      a = V * v + T_v t                                            rows above alone
               b = M * h + L a + T_h t                                      the own row, and what is above through a
               v <- tanh(a_1) sigmoid(a_2),   h <- h + W tanh(b_1) sigmoid(b_2)
               in front the same with mask A, v = h = x, and nothing added

The residual form is blind: what lies above and far to the right never reaches a pixel, because a window of a row above
reads no further right than the row's own windows do, and those only to the left. The gated form sees everything
earlier: v is built of whole windows of whole rows. t is the condition, T t the same for every pixel.

Each stack also works a row or a pixel at a time (`steps`), for samples: see `pixel_walk`.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.layers.masked_convolution import MaskedConvolution2D

__all__ = ["GatedPixelStack", "OneByOne", "ResidualPixelStack", "RowByRow", "gated"]


def gated(channels: Any) -> Any:
    """tanh(first half) sigmoid(second half), (..., 2F) -> (..., F)."""
    signal, gate = ops.split(channels, 2, axis=-1)
    return ops.tanh(signal) * ops.sigmoid(gate)


class _PixelStack(keras.layers.Layer):
    """What both forms share: their arguments and how they make parts."""

    def __init__(
        self,
        filters: int,
        blocks: int,
        first_kernel: int = 7,
        kernel_size: int = 3,
        colours: int = 1,
        conditional: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.blocks, self.colours = filters, blocks, colours
        self.first_kernel, self.kernel_size = first_kernel, kernel_size
        self.conditional, self.seed = conditional, seed

    def _start(self, name: str) -> Any:
        return keras.initializers.GlorotUniform(derive_seed(self.seed, name))

    def _convolution(
        self, name: str, filters: int, size: Any, mask: str = "B", stack: str = "raster"
    ) -> MaskedConvolution2D:
        return MaskedConvolution2D(
            filters, size, mask, self.colours, stack, kernel_initializer=self._start(name), name=name,
            dtype=self.dtype_policy,
        )  # fmt: skip

    def _telling(self, name: str, filters: int) -> Any:
        """T, or None where nothing is to be told."""
        if not self.conditional:
            return None
        start = self._start(name)
        return keras.layers.Dense(filters, use_bias=False, kernel_initializer=start, name=name, dtype=self.dtype_policy)

    def compute_output_shape(self, input_shape: Any, *_: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.output_filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "blocks": self.blocks,
            "first_kernel": self.first_kernel,
            "kernel_size": self.kernel_size,
            "colours": self.colours,
            "conditional": self.conditional,
            "seed": self.seed,
        }


@register("ResidualPixelStack")
class ResidualPixelStack(_PixelStack):
    """The plain form: a first masked convolution and residual blocks.

    Args:
        filters: int F, maps of a block's masked convolution; the stack returns 2F.
        blocks: int, residual blocks.
        first_kernel: odd int, size of the first convolution.
        kernel_size: odd int k, size of the others.
        colours: int, colours of a pixel.
        conditional: bool, whether a condition is told to every block.
        seed: int, root of the initial weights.
        **kwargs: as keras.layers.Layer.

    Source: R (PixelCNN); van den Oord, Kalchbrenner and Kavukcuoglu 2016.
    """

    def __init__(self, filters: int, blocks: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(filters, blocks, *args, **kwargs)
        self.output_filters = 2 * filters
        self.first = self._convolution("first", 2 * filters, self.first_kernel, "A")
        numbers = range(blocks)
        self.down = [self._convolution(f"down{n}", filters, 1) for n in numbers]
        self.spread = [self._convolution(f"spread{n}", filters, self.kernel_size) for n in numbers]
        self.up = [self._convolution(f"up{n}", 2 * filters, 1) for n in numbers]
        self.telling = [self._telling(f"telling{n}", filters) for n in numbers]

    def build(self, input_shape: Any, condition_shape: Any = None) -> None:
        self.first.build(input_shape)
        for n in range(self.blocks):
            self.down[n].build((None, None, None, 2 * self.filters))
            self.spread[n].build((None, None, None, self.filters))
            self.up[n].build((None, None, None, self.filters))
            if self.telling[n] is not None:
                self.telling[n].build(condition_shape)
        self.built = True

    def call(self, inputs: Any, condition: Any = None) -> Any:
        h = self.first(inputs)  # (B, H, W, 2F)
        for n in range(self.blocks):
            middle = self.spread[n](ops.relu(self.down[n](ops.relu(h))))
            if condition is not None:
                middle = middle + self.telling[n](condition)[:, None, None]
            h = h + self.up[n](ops.relu(middle))
        return h

    def steps(self, condition: Any = None) -> _ResidualSteps:
        """The same, a row or a pixel at a time."""
        return _ResidualSteps(self, condition)


@register("GatedPixelStack")
class GatedPixelStack(_PixelStack):
    """The gated form: a vertical stack of rows above, a horizontal stack of the own row.

    Args:
        filters: int F, maps of either stack.
        blocks: int, layers above the first.
        first_kernel: odd int, size of the first convolution.
        kernel_size: odd int k, size of the others.
        colours: int, colours of a pixel; `filters` is a multiple of it, so that both halves of a gate hold all colours.
        conditional: bool, whether a condition is told to every gate.
        seed: int, root of the initial weights.
        **kwargs: as keras.layers.Layer.

    Source: R (PixelCNN); van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders".
    """

    def __init__(self, filters: int, blocks: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(filters, blocks, *args, **kwargs)
        self.output_filters = filters
        self.vertical, self.horizontal, self.link, self.mix, self.told = [], [], [], [], []
        for n in range(blocks + 1):
            size, mask = (self.kernel_size, "B") if n else (self.first_kernel, "A")
            self.vertical.append(self._convolution(f"vertical{n}", 2 * filters, size, mask, "vertical"))
            self.horizontal.append(self._convolution(f"horizontal{n}", 2 * filters, (1, size), mask))
            link = keras.layers.Dense(
                2 * filters, use_bias=False, kernel_initializer=self._start(f"link{n}"), name=f"link{n}",
                dtype=self.dtype_policy,
            )  # fmt: skip
            self.link.append(link)
            self.mix.append(self._convolution(f"mix{n}", filters, 1))
            self.told.append([self._telling(f"telling_{stack}{n}", 2 * filters) for stack in "vh"])

    def build(self, input_shape: Any, condition_shape: Any = None) -> None:
        own = (None, None, None, self.filters)
        for n in range(self.blocks + 1):
            self.vertical[n].build(own if n else input_shape)
            self.horizontal[n].build(own if n else input_shape)
            self.link[n].build((None, None, None, 2 * self.filters))
            self.mix[n].build(own)
            for telling in self.told[n]:
                if telling is not None:
                    telling.build(condition_shape)
        self.built = True

    def call(self, inputs: Any, condition: Any = None) -> Any:
        v = h = inputs
        for n in range(self.blocks + 1):
            above = self.vertical[n](v)  # (B, H, W, 2F)
            if condition is not None:
                above = above + self.told[n][0](condition)[:, None, None]
            row = self.horizontal[n](h) + self.link[n](above)
            if condition is not None:
                row = row + self.told[n][1](condition)[:, None, None]
            v, new = gated(above), self.mix[n](gated(row))
            h = h + new if n else new
        return h

    def steps(self, condition: Any = None) -> _GatedSteps:
        """The same, a row or a pixel at a time."""
        return _GatedSteps(self, condition)


class RowByRow:
    """A masked convolution whose masked kernel is made once, for one row or one pixel at a time."""

    def __init__(self, layer: MaskedConvolution2D) -> None:
        kernel = ops.cast(layer.masked_kernel(), layer.compute_dtype)  # (R, k, C, F)
        self.bias = ops.cast(layer.bias, layer.compute_dtype)
        self.above_own, self.left = kernel.shape[0] - 1, kernel.shape[1] // 2
        self.channels, self.filters = kernel.shape[2:]
        self.kernel = kernel
        self.own = ops.reshape(kernel[-1, : self.left + 1], ((self.left + 1) * self.channels, self.filters))

    def first_tail(self, rows: Any, width: int) -> Any:
        """Zeros above the image, (rows, R - 1, W, C)."""
        return tf.zeros((rows, self.above_own, width, self.channels), self.kernel.dtype)

    def above(self, tail: Any) -> Any:
        """What the R - 1 rows above, (B, R - 1, W, C), and the bias give a row, (B, W, F)."""
        if not self.above_own:
            zeros = tf.zeros((*ops.shape(tail)[0:1], tail.shape[2], self.filters), self.kernel.dtype)
            return zeros + self.bias
        return self._row(tail, self.kernel[:-1])

    def row(self, rows: Any) -> Any:
        """What R rows, (B, R, W, C), the last one the own, and the bias give a row, (B, W, F)."""
        return self._row(rows, self.kernel)

    def _row(self, rows: Any, kernel: Any) -> Any:
        padded = ops.pad(rows, [(0, 0), (0, 0), (self.left, self.left), (0, 0)])
        return ops.conv(padded, kernel, 1, "valid", data_format="channels_last")[:, 0] + self.bias

    def along(self, left: Any, pixel: Any) -> Any:
        """What pixels of the own row, (B, k // 2, C) and (B, C), give the last of them, (B, F); no bias."""
        window = ops.concatenate([left, pixel[:, None]], axis=1) if self.left else pixel
        return ops.matmul(ops.reshape(window, (-1, (self.left + 1) * self.channels)), self.own)


class OneByOne:
    """A masked convolution or dense layer of single pixels, with its kernel made once: (B, C) -> (B, F)."""

    def __init__(self, layer: Any) -> None:
        kernel = layer.masked_kernel()[0, 0] if isinstance(layer, MaskedConvolution2D) else layer.kernel
        self.kernel = ops.cast(kernel, layer.compute_dtype)
        self.bias = None if layer.bias is None else ops.cast(layer.bias, layer.compute_dtype)

    def __call__(self, pixels: Any) -> Any:
        outputs = ops.matmul(pixels, self.kernel)
        return outputs if self.bias is None else outputs + self.bias


class _ResidualSteps:
    """The residual form, pixel by pixel. Every masked convolution keeps the last rows of its input."""

    def __init__(self, stack: ResidualPixelStack, condition: Any) -> None:
        self.convolutions = [RowByRow(layer) for layer in (stack.first, *stack.spread)]
        self.down = [OneByOne(layer) for layer in stack.down]
        self.up = [OneByOne(layer) for layer in stack.up]
        self.told = [None if condition is None else telling(condition) for telling in stack.telling]

    def first_tails(self, rows: Any, width: int) -> list[Any]:
        """What stands above the image."""
        return [each.first_tail(rows, width) for each in self.convolutions]

    def open_row(self, tails: list[Any]) -> tuple[list[Any], list[Any]]:
        """What the rows above give this row, (B, W, F) for each convolution along it; and the tails."""
        return [each.above(tail) for each, tail in zip(self.convolutions, tails, strict=True)], tails

    def pixel(self, x: Any, lefts: list[Any], given: list[Any]) -> tuple[Any, list[Any]]:
        """The features of a pixel, (B, 2F), and what enters the convolutions there."""
        h = self.convolutions[0].along(lefts[0], x) + given[0]
        entered = [x]
        for n, convolution in enumerate(self.convolutions[1:]):
            entered.append(ops.relu(self.down[n](ops.relu(h))))
            middle = convolution.along(lefts[n + 1], entered[-1]) + given[n + 1]
            middle = middle if self.told[n] is None else middle + self.told[n]
            h = h + self.up[n](ops.relu(middle))
        return h, entered

    def close_row(self, tails: list[Any], rows: list[Any]) -> list[Any]:
        """The tails below a row, from what entered along it, (B, W, C) each."""
        return [ops.concatenate([tail, row[:, None]], axis=1)[:, 1:] for tail, row in zip(tails, rows, strict=True)]


class _GatedSteps:
    """The gated form, pixel by pixel. The vertical stack goes a whole row at a time, and alone keeps rows."""

    def __init__(self, stack: GatedPixelStack, condition: Any) -> None:
        self.vertical = [RowByRow(layer) for layer in stack.vertical]
        self.convolutions = [RowByRow(layer) for layer in stack.horizontal]
        self.link = [OneByOne(layer) for layer in stack.link]
        self.mix = [OneByOne(layer) for layer in stack.mix]
        self.told = [[None if condition is None else each(condition)[:, None] for each in two] for two in stack.told]

    def first_tails(self, rows: Any, width: int) -> list[Any]:
        """What stands above the image."""
        return [each.first_tail(rows, width) for each in self.vertical]

    def open_row(self, tails: list[Any]) -> tuple[list[Any], list[Any]]:
        """What the rows above give this row, (B, W, 2F) for each convolution along it; and the next tails but x's."""
        given, after, row = [], [], None
        for n, (vertical, tail) in enumerate(zip(self.vertical, tails, strict=True)):
            if row is None:
                above = vertical.above(tail)
                after.append(tail)
            else:
                rows = ops.concatenate([tail, row[:, None]], axis=1)
                above = vertical.row(rows)
                after.append(rows[:, 1:])
            by_rows, by_pixels = self.told[n]
            above = above if by_rows is None else above + by_rows
            linked = self.link[n](above) + self.convolutions[n].bias
            given.append(linked if by_pixels is None else linked + by_pixels)
            row = gated(above)
        return given, after

    def pixel(self, x: Any, lefts: list[Any], given: list[Any]) -> tuple[Any, list[Any]]:
        """The features of a pixel, (B, F), and what enters the convolutions there."""
        h, entered = x, []
        for n, convolution in enumerate(self.convolutions):
            entered.append(h)
            new = self.mix[n](gated(convolution.along(lefts[n], h) + given[n]))
            h = h + new if n else new
        return h, entered

    def close_row(self, tails: list[Any], rows: list[Any]) -> list[Any]:
        """The tails below a row, from what entered along it, (B, W, C) each."""
        return [ops.concatenate([tails[0], rows[0][:, None]], axis=1)[:, 1:], *tails[1:]]
