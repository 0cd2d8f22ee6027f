"""TensorFlow graphs as evidence: a call traced for any batch size, and the dtypes inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_course.testing.report import Deviation

__all__ = ["lower_precision_operations", "on_unknown_batch", "traced"]

_LOWER = (tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum, tf.float32.as_datatype_enum)


def traced(function: Callable[[Any], Any], named: Mapping[str, Any]) -> Any:
    """`function` as a concrete function of inputs whose batch size is unknown."""
    specs = {name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=name) for name, tensor in named.items()}
    return tf.function(function, autograph=False).get_concrete_function(specs)


def on_unknown_batch(function: Callable[[Any], Any], *examples: Mapping[str, Any]) -> list[Any]:
    """The results of `function`, traced once with an unknown batch size, then run on inputs of several.

    Raises:
        Deviation: if the trace promises another shape. The graph optimiser may hide it here by dropping what the wrong
            shape makes redundant, and not elsewhere.
    """
    concrete, found = traced(function, examples[0]), []
    for named in examples:
        outputs = concrete(dict(named))
        for leaf, spec in zip(tf.nest.flatten(outputs), tf.nest.flatten(concrete.structured_outputs), strict=True):
            fits = leaf is None or spec.shape.is_compatible_with(leaf.shape)
            if not fits:
                raise Deviation(f"a graph of unknown batch size promises shape {spec.shape} and gives {leaf.shape}")
        found.append(outputs)
    return found


def lower_precision_operations(function: Callable[[Any], Any], named: Mapping[str, Any]) -> list[str]:
    """Operations that cast float64 down, or up from a lower dtype, in the graph of `function` on float64 inputs.

    A constant that float32 holds exactly (0.5, NaN) may be cast; 0.1 may not, it has lost nine digits.
    """
    graph = traced(function, named).graph.as_graph_def()
    found = []
    for nodes in (graph.node, *(library.node_def for library in graph.library.function)):
        exact = {node.name for node in nodes if node.op == "Const" and _is_exact(node)}
        for node in nodes:
            if node.op != "Cast" or {name.split(":")[0] for name in node.input} & exact:
                continue
            dtypes = {node.attr["SrcT"].type, node.attr["DstT"].type}
            if tf.float64.as_datatype_enum in dtypes and dtypes & set(_LOWER):
                found.append(node.name)
    return found


def _is_exact(node: Any) -> bool:
    value = tf.make_ndarray(node.attr["value"].tensor)
    if value.dtype.kind not in "fiub":
        return False
    value = value.astype("float64")
    kept = np.where(np.isfinite(value), value, 0.0) * 1024.0
    return bool(np.all(kept == np.round(kept)))
