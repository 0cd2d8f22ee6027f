"""Checks of a layer's shapes: unknown, empty, other and wrong ones."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_course.testing.agreement import leaves, require, require_equal
from keras_course.testing.layer_case import LayerCase
from keras_course.testing.report import NotApplicable

__all__ = [
    "an_empty_batch_gives_an_empty_output",
    "any_batch_size_serves",
    "symbolic_shape_is_the_eager_shape",
    "wrong_rank_is_refused",
]


def _spec(outputs: Any) -> list[tuple[tuple[int | None, ...], str]]:
    return [
        (tuple(leaf.shape), keras.backend.standardize_dtype(leaf.dtype))
        for leaf in tree.flatten(outputs)
        if leaf is not None
    ]


def symbolic_shape_is_the_eager_shape(case: LayerCase) -> None:
    """A compute_output_shape or a symbolic call that promises another shape or dtype than the layer returns."""
    layer = case.make()
    symbolic = _spec(case.call(layer, case.symbols()))
    for rows in (case.table.rows, case.table.rows + 1):
        eager = _spec(case.call(layer, case.tensors(rows)))
        require(len(symbolic) == len(eager), f"{len(symbolic)} symbolic outputs, {len(eager)} eager ones")
        for (promised, promised_dtype), (came, came_dtype) in zip(symbolic, eager, strict=True):
            fits = len(promised) == len(came) and all(
                want in (None, size) for want, size in zip(promised, came, strict=True)
            )
            require(fits, f"symbolic shape {promised}, eager shape {came}")
            require(promised_dtype == came_dtype, f"symbolic dtype {promised_dtype}, eager dtype {came_dtype}")
            require(promised[:1] in ((None,), ()) or not came, f"symbolic batch {promised[0]}, wanted an unknown one")
            known = [size is not None for size in promised[1:]]
            require(all(known), f"every input axis but the batch is known, yet the symbolic shape is {promised}")
    if len(case.table.entries) == 1 and len(symbolic) == 1:
        (entry,) = case.table.entries.values()
        computed = tuple(layer.compute_output_shape((None, *entry.shape[1:])))
        require(computed == symbolic[0][0], f"compute_output_shape says {computed}, a symbolic call {symbolic[0][0]}")


def any_batch_size_serves(case: LayerCase) -> None:
    """A batch size frozen when the layer was built or traced: the functional model serves that size alone."""
    layer = case.fresh()
    model = case.functional(layer)
    for rows in (case.table.rows + 3, 1):
        named = case.tensors(rows)
        came = model(case.packed(named))
        for leaf in leaves(came):
            require(leaf.shape[:1] == (rows,), f"{rows} rows in a functional model give outputs of {leaf.shape}")
        require_equal(came, case.call(layer, named), f"{rows} rows in a functional model")


def an_empty_batch_gives_an_empty_output(case: LayerCase) -> None:
    """A layer that stops, or invents rows, when a batch (the last shard of a data set) has none."""
    outputs = case.call(case.fresh(), case.tensors(0))
    for came, full in zip(leaves(outputs), leaves(case.outputs), strict=True):
        require(came.shape == (0, *full.shape[1:]), f"0 rows give {came.shape}, wanted {(0, *full.shape[1:])}")


def wrong_rank_is_refused(case: LayerCase) -> None:
    """A missing or added axis that broadcasts into nonsense, or fails deep inside, instead of a ValueError."""
    if len(case.table.entries) > 1:
        raise NotApplicable("several inputs: their ranks depend on each other")
    ((name, entry),) = case.table.entries.items()
    if len(entry.shape) < 2:
        raise NotApplicable("the example has no axis but the batch")
    accepted = []
    for shape in sorted({entry.shape[:1], entry.shape[:-1], (*entry.shape, 1)}, key=len):
        array = np.resize(case.table.arrays()[name], shape)
        try:
            came = case.call(case.make(), {name: ops.convert_to_tensor(array)})
        except ValueError:
            continue
        except Exception as error:
            text = " ".join(str(error).split())[:120]
            require(False, f"an input of shape {shape} raises {type(error).__name__} instead of ValueError: {text}")
        accepted.append((shape, array, came))
    if not accepted or accepted[0][0] != entry.shape[:1]:
        return
    if all(_is_elementwise(case, name, array, came) for _, array, came in accepted) and not case.weights:
        raise NotApplicable("works entry by entry on any rank: there is no wrong one")
    require(False, f"an input of shape {entry.shape[:1]} (a batch of bare numbers) is accepted")


def _is_elementwise(case: LayerCase, name: str, array: np.ndarray, came: Any) -> bool:
    column = case.call(case.make(), {name: ops.convert_to_tensor(array.reshape(-1, 1))})
    return all(
        np.array_equal(one.ravel(), other.ravel()) for one, other in zip(leaves(came), leaves(column), strict=True)
    )
