"""Worked examples of structured outputs, their parts: back to the size of the image, label maps compared."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.initializers.bilinear import Bilinear
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.transposed_convolution import TransposedConvolution2D
from keras_course.metrics.mean_iou import MeanIoU

__all__ = ["bilinear_upsampling", "label_map_overlap", "transposed_convolution"]


def transposed_convolution(
    maps: Any, kernel: Any, image: Any, stride_down: int, stride_right: int, padding: str
) -> dict[str, Any]:
    """What a convolution's transpose does to feature maps, and <K x, y> = <x, K' y>. Source: C 8.1.12.

    Args:
        maps: (H, W, F), y.
        kernel: (height, width, C, F), of both.
        image: x, of the size that the transpose gives.
    """
    strides = (stride_down, stride_right)
    size, (channels, filters) = tuple(kernel.shape[:2]), kernel.shape[2:]
    forth = Convolution2D(filters, size, strides, padding, use_bias=False)
    back = TransposedConvolution2D(channels, size, strides, padding, use_bias=False)
    forth.build((None, *image.shape))
    back.build((None, *maps.shape))
    for layer in (forth, back):
        layer.set_weights([ops.convert_to_numpy(kernel)])
    spread = compiled(back)(maps[None])[0]
    return {
        "spread": spread,
        "products": ops.stack([ops.sum(compiled(forth)(image[None])[0] * maps), ops.sum(image * spread)]),
    }


def bilinear_upsampling(image: Any, factor: int) -> dict[str, Any]:
    """A transposed convolution with a tent for its kernel: linear interpolation, zeros outside. Source: C 8.1.12."""
    layer = TransposedConvolution2D(
        1, 2 * factor - factor % 2, factor, "same", use_bias=False, kernel_initializer=Bilinear()
    )
    return {"enlarged": compiled(layer)(image[None, ..., None])[0, ..., 0]}


def label_map_overlap(truth: Any, guess: Any, classes: int, ignored: int) -> dict[str, Any]:
    """Two label maps, some of whose pixels nobody labelled. Source: C 8.1.12."""
    metric = MeanIoU(classes, ignored=ignored)
    weighted = MeanIoU(classes, ignored=ignored, average="weighted")

    def counted(state: Any, truth: Any, guess: Any) -> tuple[Any, Any, Any]:
        for row in range(truth.shape[0]):  # a row at a time: the counts are what is kept
            state = metric.stateless_update_state(state, truth[row : row + 1], guess[row : row + 1])
        return state, metric.stateless_result(state), weighted.stateless_result(state)

    counts, mean, frequency_weighted = compiled(counted)([one.value for one in metric.variables], truth, guess)
    for variable, count in zip(metric.variables, counts, strict=True):
        variable.assign(count)
    return {
        "mean_iou": mean,
        "frequency_weighted_iou": frequency_weighted,
        "pixel_accuracy": metric.pixel_accuracy(),
        "occurring": counts[0] + counts[2],
    }
