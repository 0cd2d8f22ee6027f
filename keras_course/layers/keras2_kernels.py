"""How Keras 2 kept the weights of a locally connected layer: a shape for each `implementation`.

    1   (places, k C, F)                         one matrix a place; rows by tap, then channel
    2   (*inputs, C, *outputs, F)                a full matrix from inputs to outputs; what is no connection is ignored
    3   (connections,)                           the connections alone, sorted by output, then by input

channels_first moves every channel axis in front of its spatial axes (and in 1 the channel in front of the tap).

Here one computation serves all: `places` says for each weight K[i, a, c, f] of the unshared kernel where it lies.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.shapes import require_one_of
from keras_course.ops.unshared_convolution import unshared_output_size

__all__ = ["IMPLEMENTATIONS", "Keras2Kernel"]

IMPLEMENTATIONS = (1, 2, 3)


class Keras2Kernel:
    """Shape of the stored weights, and where each weight of the unshared kernel lies in them.

    Args:
        implementation: 1, 2 or 3.
        spatial: sizes of the input's spatial axes.
        size: kernel size, one int an axis.
        strides: one int an axis.
        padding: "valid", or "same" (2 and 3 alone: a window that leaves the image has fewer weights).
        channels: int C.
        filters: int F.
        channels_first: whether channel axes come first.
    """

    def __init__(
        self,
        implementation: int,
        spatial: tuple[int, ...],
        size: tuple[int, ...],
        strides: tuple[int, ...],
        padding: str,
        channels: int,
        filters: int,
        channels_first: bool,
    ) -> None:
        require_one_of("Keras2Kernel", IMPLEMENTATIONS, implementation=implementation)
        self.implementation, self.channels_first = implementation, channels_first
        self.spatial, self.size, self.strides, self.padding = spatial, size, strides, padding
        self.channels, self.filters = channels, filters
        self.output = tuple(
            unshared_output_size(n, k, s, padding) or 0 for n, k, s in zip(spatial, size, strides, strict=True)
        )
        self.unshared_shape = (*self.output, *size, channels, filters)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the weight that is stored."""
        if self.implementation == 1:
            return (prod(self.output), prod(self.size) * self.channels, self.filters)
        if self.implementation == 2:
            return (*self._with_channel(self.spatial, self.channels), *self._with_channel(self.output, self.filters))
        return (int(self._inside().sum()) * self.channels * self.filters,)

    def places(self) -> NDArray[np.int32]:
        """Where K[i, a, c, f] lies in the flattened stored weight: array (*output, *kernel_size, C, F).

        A weight that would read outside the image does not exist; its place is 0 (what it is multiplied with is 0).
        """
        if self.implementation == 1:
            taps = np.arange(prod(self.shape)).reshape(prod(self.output), -1, self.filters)
            if self.channels_first:
                taps = taps.reshape(-1, self.channels, prod(self.size), self.filters).transpose(0, 2, 1, 3)
            return np.asarray(taps.reshape(self.unshared_shape), "int32")
        inside = np.broadcast_to(self._inside()[..., None, None], self.unshared_shape)
        inputs, outputs = self._flat_numbers()
        if self.implementation == 2:
            dense = outputs + inputs * prod(self.output) * self.filters
            return np.asarray(np.where(inside, dense, 0), "int32")
        order = np.lexsort((inputs[inside], outputs[inside]))
        rank = np.empty(len(order), "int32")
        rank[order] = np.arange(len(order))
        places = np.zeros(self.unshared_shape, "int32")
        places[inside] = rank
        return places

    def _with_channel(self, spatial: tuple[int, ...], channels: int) -> tuple[int, ...]:
        return (channels, *spatial) if self.channels_first else (*spatial, channels)

    def _read(self) -> list[NDArray[Any]]:
        """Along each axis, the sample that tap a of place i reads: arrays that broadcast to (*output, *kernel_size)."""
        rank, read = len(self.spatial), []
        for axis, (count, k, s) in enumerate(zip(self.output, self.size, self.strides, strict=True)):
            place = np.arange(count).reshape([-1 if j == axis else 1 for j in range(2 * rank)])
            tap = np.arange(k).reshape([-1 if j == rank + axis else 1 for j in range(2 * rank)])
            read.append(place * s + tap - (k // 2 if self.padding == "same" else 0))
        return read

    def _inside(self) -> NDArray[np.bool_]:
        inside = np.ones((*self.output, *self.size), bool)
        for sample, n in zip(self._read(), self.spatial, strict=True):
            inside &= (sample >= 0) & (sample < n)
        return inside

    def _flat_numbers(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Flat numbers of the input and of the output that a weight joins, each (*output, *kernel_size, C, F)."""
        rank = len(self.spatial)
        channel = np.arange(self.channels).reshape([1] * (2 * rank) + [-1, 1])
        map_ = np.arange(self.filters).reshape([1] * (2 * rank) + [1, -1])
        read = [sample[..., None, None] for sample in self._read()]
        place = [np.arange(n).reshape([-1 if j == axis else 1 for j in range(2 * rank + 2)])
                 for axis, n in enumerate(self.output)]  # fmt: skip
        flat = []
        for spatial, sizes, last, count in (
            (read, self.spatial, channel, self.channels),
            (place, self.output, map_, self.filters),
        ):
            axes = [(last, count), *zip(spatial, sizes, strict=True)]
            number: Any = 0
            for index, n in axes if self.channels_first else [*axes[1:], axes[0]]:
                number = number * n + index
            flat.append(np.broadcast_to(number, self.unshared_shape))
        return flat[0], flat[1]
