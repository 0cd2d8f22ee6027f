"""TensorFlow graphs as evidence: a call traced for any batch size, and the dtypes inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

__all__ = ["lower_precision_operations", "on_unknown_batch", "traced"]

_LOWER = (tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum, tf.float32.as_datatype_enum)


def traced(function: Callable[[Any], Any], named: Mapping[str, Any]) -> Any:
    """`function` as a concrete function of inputs whose batch size is unknown."""
    specs = {name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=name) for name, tensor in named.items()}
    return tf.function(function, autograph=False).get_concrete_function(specs)


def on_unknown_batch(function: Callable[[Any], Any], named: Mapping[str, Any]) -> Any:
    """The result of `function`, traced with an unknown batch size, then run on these inputs."""
    specs = {name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for name, tensor in named.items()}
    return tf.function(function, input_signature=[specs], autograph=False)(dict(named))


def lower_precision_operations(function: Callable[[Any], Any], named: Mapping[str, Any]) -> list[str]:
    """Operations that cast float64 down, or up from a lower dtype, in the graph of `function` on float64 inputs."""
    graph = traced(function, named).graph.as_graph_def()
    nodes = [*graph.node, *(node for library in graph.library.function for node in library.node_def)]
    found = []
    for node in nodes:
        if node.op == "Cast" and tf.float64.as_datatype_enum in (node.attr["SrcT"].type, node.attr["DstT"].type):
            if {node.attr["SrcT"].type, node.attr["DstT"].type} & set(_LOWER):
                found.append(node.name)
    return found
