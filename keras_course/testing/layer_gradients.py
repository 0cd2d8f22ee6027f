"""Checks of a layer's derivatives and of one training step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.testing.agreement import as_array, require, require_finite
from keras_course.testing.differences import require_true_gradients
from keras_course.testing.example_inputs import philox
from keras_course.testing.layer_case import LayerCase
from keras_course.testing.report import NotApplicable

__all__ = ["a_compiled_training_step_moves_every_weight", "gradients_are_true", "gradients_reach_every_weight"]


def _projected(case: LayerCase, outputs: Any) -> Any:
    """A scalar in which every floating output entry counts differently."""
    floats = case.float_outputs(outputs)
    if not floats:
        raise NotApplicable("no floating output")
    terms = [
        ops.sum(leaf * ops.cast(philox("projection", index).normal(size=tuple(leaf.shape)), leaf.dtype))
        for index, leaf in enumerate(floats)
    ]
    return sum(terms[1:], start=terms[0])


def gradients_reach_every_weight(case: LayerCase) -> None:
    """A weight that never trains: hidden behind NumPy, an integer cast or a stop_gradient, or simply not used."""
    if not case.fresh().trainable_variables:
        raise NotApplicable("no trainable weights")
    for policy in ("float32", "mixed_bfloat16"):
        layer = case.fresh(dtype=policy)
        with tf.GradientTape() as tape:
            total = _projected(case, case.call(layer, case.tensors(), training=True))
        gradients = tape.gradient(total, [variable.value for variable in layer.trainable_variables])
        for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
            require(gradient is not None, f"no gradient reaches {variable.path} under {policy}")
            gradient = tf.convert_to_tensor(gradient)
            require_finite(gradient, f"gradient of {variable.path} under {policy}")
            require(bool(np.any(as_array(gradient))), f"the gradient of {variable.path} is zero under {policy}")


def gradients_are_true(case: LayerCase) -> None:
    """A gradient written by hand, or cut, that is not the derivative of what the layer computes."""
    layer = case.fresh(dtype="float64")
    named = case.tensors(float_dtype="float64")
    free = [name for name, entry in case.table.entries.items() if entry.is_differentiable]
    weights = [variable for variable in layer.trainable_variables if "float" in variable.dtype]
    if not free and not weights:
        raise NotApplicable("neither a floating input nor a trainable weight")

    def total(points: Any) -> Any:
        inputs = {**named, **dict(zip(free, points, strict=False))}
        with keras.StatelessScope(state_mapping=list(zip(weights, points[len(free) :], strict=True))):
            return _projected(case, case.call(layer, inputs))

    points = [*(named[name] for name in free), *(variable.value for variable in weights)]
    require_true_gradients(total, points, [*free, *(variable.path for variable in weights)], "float64 gradient")


def a_compiled_training_step_moves_every_weight(case: LayerCase) -> None:
    """A layer that cannot train compiled (XLA), or whose weights the optimizer never sees."""
    layer = case.fresh()
    if not layer.trainable_variables:
        raise NotApplicable("no trainable weights")
    model = case.functional(layer)
    before = [as_array(variable) for variable in layer.trainable_variables]
    x = case.packed(case.tensors())
    y = keras.tree.map_structure(lambda leaf: ops.ones(leaf.shape, leaf.dtype), model(x))
    model.compile(keras.optimizers.SGD(0.1), loss="mse", jit_compile=True)
    history = model.fit(x, y, batch_size=case.table.rows, verbose=0)
    require_finite(np.asarray(history.history["loss"]), "loss of a compiled training step")
    for variable, start in zip(layer.trainable_variables, before, strict=True):
        require_finite(variable, f"{variable.path} after a step")
        require(not np.array_equal(as_array(variable), start), f"a compiled training step leaves {variable.path}")
