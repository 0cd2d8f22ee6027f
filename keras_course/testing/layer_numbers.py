"""Checks of a layer's numbers: execution modes, dtypes, rows, edges."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops, tree

from keras_course.core.backend import compiled, execution_mode
from keras_course.testing.agreement import as_array, leaves, require, require_equal, require_finite
from keras_course.testing.graphs import lower_precision_operations, on_unknown_batch
from keras_course.testing.layer_case import LayerCase
from keras_course.testing.report import NotApplicable

__all__ = [
    "computes_in_mixed_bfloat16",
    "computes_in_mixed_float16",
    "eager_graph_and_xla_agree",
    "edges_stay_finite",
    "float64_is_really_float64",
    "inference_repeats_itself",
    "rows_do_not_depend_on_the_batch",
]


def eager_graph_and_xla_agree(case: LayerCase) -> None:
    """A layer that runs eagerly alone: Python branches on values, NumPy inside, operations that XLA lacks."""
    layer = case.fresh()

    def run(named: dict[str, Any]) -> Any:
        return case.call(layer, named)

    sizes = (case.table.rows, case.table.rows + 1)
    for rows, came in zip(sizes, on_unknown_batch(run, *(case.tensors(rows) for rows in sizes)), strict=True):
        require_equal(came, run(case.tensors(rows)), f"{rows} rows in a graph of unknown batch size")
    with execution_mode("xla"):
        case.require_reference(compiled(run)(case.tensors()), "under XLA")


def rows_do_not_depend_on_the_batch(case: LayerCase) -> None:
    """Rows of a batch that leak into each other: a mean or a softmax over the wrong axis."""
    layer = case.fresh()
    for row in range(case.table.rows):
        alone = case.call(layer, {name: tensor[row : row + 1] for name, tensor in case.tensors().items()})
        together = [leaf[row : row + 1] for leaf in leaves(case.outputs)]
        require_equal(alone, together, f"row {row} alone and in its batch")


def inference_repeats_itself(case: LayerCase) -> None:
    """Noise or moving state that stays on in inference: two equal questions get two answers."""
    layer = case.fresh()
    before = [as_array(variable) for variable in layer.variables]
    first = leaves(case.call(layer, case.tensors()))
    second = leaves(case.call(layer, case.tensors()))
    require(all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)), "two calls give two results")
    for variable, value in zip(layer.variables, before, strict=True):
        require(np.array_equal(as_array(variable), value), f"inference changed the variable {variable.path}")


def computes_in_mixed_bfloat16(case: LayerCase) -> None:
    """A float32 written into the layer: wrong output dtype, or types that do not mix, under mixed_bfloat16."""
    _computes_in(case, "mixed_bfloat16", "bfloat16")


def computes_in_mixed_float16(case: LayerCase) -> None:
    """As mixed_bfloat16, and constants (1e-12, -1e9) that float16 cannot hold."""
    _computes_in(case, "mixed_float16", "float16")


def _computes_in(case: LayerCase, policy: str, dtype: str) -> None:
    layer = case.fresh(dtype=policy)
    outputs = case.call(layer, case.tensors())
    wide = layer.compute_dtype not in (dtype, "float32", "float64")
    require(not wide, f"policy {policy} gives a layer that computes in {layer.compute_dtype}")
    for variable in layer.variables:
        fine = "float" not in variable.dtype or variable.dtype == layer.variable_dtype
        require(fine, f"{variable.path} is {variable.dtype} under {policy}, wanted {layer.variable_dtype}")
    for leaf in case.float_outputs(outputs):
        came = keras.backend.standardize_dtype(leaf.dtype)
        require(came == layer.compute_dtype, f"the output is {came} under {policy}, wanted {layer.compute_dtype}")
    floats = [leaf for leaf in leaves(case.outputs) if leaf.dtype.kind == "f"]
    require_equal(case.float_outputs(outputs), floats, f"output under {policy}", "normalisation", dtype)


def float64_is_really_float64(case: LayerCase) -> None:
    """A float32 written into the layer: float64 inputs and weights come out with float32's seven digits."""
    layer = case.fresh(dtype="float64")
    named = case.tensors(float_dtype="float64")
    outputs = case.call(layer, named)
    for variable in layer.variables:
        fine = "float" not in variable.dtype or variable.dtype == "float64"
        require(fine, f"{variable.path} is {variable.dtype} under the float64 policy")
    floats = case.float_outputs(outputs)
    for leaf in floats:
        came = keras.backend.standardize_dtype(leaf.dtype)
        require(came == "float64", f"the output is {came} under the float64 policy")
        array = as_array(leaf)
        rounded = array.size > 0 and bool(np.any(array)) and np.array_equal(array, array.astype("float32"))
        whole = np.array_equal(array, np.round(array))
        require(not rounded or whole, "every float64 output is a float32 number: it was rounded on the way")
    require_equal(
        [as_array(leaf).astype("float32") for leaf in floats],
        [leaf for leaf in leaves(case.outputs) if leaf.dtype.kind == "f"],
        "float64 output against float32",
    )
    lower = lower_precision_operations(lambda named: case.call(layer, named), named)
    require(not lower, f"float64 is rounded to a lower dtype in {', '.join(lower[:3])}")


def edges_stay_finite(case: LayerCase) -> None:
    """0/0, log 0 and overflow: zeros, equal rows and large values give NaN or infinity, forward or backward."""
    if not any(entry.is_differentiable for entry in case.table.entries.values()):
        raise NotApplicable("no free floating input")
    layer = case.fresh()
    edges = {"all zeros": (0.0, 0.0), "all ones": (0.0, 1.0), "values of about 100": (100.0, 0.0)}
    for what, (factor, shift) in edges.items():
        named = {
            name: factor * tensor + shift if case.table.entries[name].is_differentiable else tensor
            for name, tensor in case.tensors().items()
        }
        with tf.GradientTape() as tape:
            tape.watch(named)
            outputs = case.call(layer, named)
            floats = case.float_outputs(outputs)
            total = sum((ops.sum(ops.cast(leaf, "float32")) for leaf in floats), start=ops.zeros(()))
        require_finite(outputs, f"output at {what}")
        sources = [tensor for tensor in tree.flatten(named) if "float" in str(tensor.dtype)]
        found = [g for g in tape.gradient(total, sources) if g is not None]
        require_finite(found, f"gradient at {what}")
