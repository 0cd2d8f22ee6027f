"""Checks of a layer that says it supports masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops, tree

from keras_course.testing.agreement import as_array, require, require_equal
from keras_course.testing.layer_case import LayerCase
from keras_course.testing.report import NotApplicable

__all__ = ["masked_steps_do_not_matter", "masks_pass_through"]


def _mask(case: LayerCase, layer: Any) -> tuple[str, np.ndarray]:
    """A mask over the time axis of the first input, false on the last step of every row but the first."""
    if not layer.supports_masking:
        raise NotApplicable("supports_masking is False")
    name, entry = next(iter(case.table.entries.items()))
    if len(entry.shape) < 2 or (entry.is_float and len(entry.shape) < 3):
        raise NotApplicable(f"the example {entry.shape} has no time axis")
    mask = np.ones(entry.shape[:2], bool)
    mask[1:, -1] = False
    return name, mask


def masks_pass_through(case: LayerCase) -> None:
    """A layer that claims to support masks and drops them: later layers count the padding."""
    layer = case.fresh()
    name, mask = _mask(case, layer)
    named = case.tensors()
    named[name]._keras_mask = ops.convert_to_tensor(mask)
    outputs = tree.flatten(case.call(layer, named))
    for output in outputs:
        came = getattr(output, "_keras_mask", None)
        keeps_time = len(output.shape) >= 2 and tuple(output.shape[:2]) == mask.shape
        if came is None:
            require(not keeps_time, "the output has the time axis and no mask")
        else:
            shape = tuple(came.shape)
            require(shape == tuple(output.shape[: len(shape)]), f"mask {shape} on an output of {tuple(output.shape)}")
            if keeps_time and shape == mask.shape:
                require(np.array_equal(as_array(came), mask), "the mask is changed on its way")


def masked_steps_do_not_matter(case: LayerCase) -> None:
    """Padding that leaks: values under the mask change what the layer says about the rest."""
    layer = case.fresh()
    name, mask = _mask(case, layer)
    results = []
    for filler in (0.0, 7.0):
        named = case.tensors()
        entry = case.table.entries[name]
        array = as_array(named[name])
        fill = filler if entry.is_float else int(bool(filler)) * (entry.size - 1)
        wide = mask.reshape(mask.shape + (1,) * (array.ndim - 2))
        tensor = ops.convert_to_tensor(np.where(wide, array, np.asarray(fill, array.dtype)))
        tensor._keras_mask = ops.convert_to_tensor(mask)
        results.append([as_array(leaf) for leaf in tree.flatten(case.call(layer, {**named, name: tensor}))])
    for one, other in zip(*results, strict=True):
        if one.shape[:2] == mask.shape:
            one, other = one[mask], other[mask]
        require_equal(other, one, "outputs where the mask is true, after other values under the mask")
