"""Checks that a layer survives every file format: .keras, .weights.h5 and SavedModel."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_course.core.serial import load, save_model
from keras_course.testing.agreement import require_equal
from keras_course.testing.layer_case import LayerCase

__all__ = ["keras_file_restores_it", "saved_model_answers_the_same", "weights_file_restores_it"]


def classes_inside(layer: Any) -> tuple[type, ...]:
    """The classes that a saved file of this layer names, besides Keras's own."""
    parts = layer._flatten_layers(include_self=True, recursive=True)
    return tuple({type(part) for part in parts if type(part).__module__.split(".")[0] != "keras"})


def keras_file_restores_it(case: LayerCase) -> None:
    """A .keras file that cannot be read back, or reads back as something else."""
    layer = case.fresh()
    model = case.functional(layer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        loaded = load(path, allow=classes_inside(layer))
    case.require_reference(loaded(case.packed(case.tensors()), training=False), "the layer of the loaded .keras file")


def weights_file_restores_it(case: LayerCase) -> None:
    """Weights that a file loses or mixes up: hidden in plain containers, or made later than it is read."""
    layer, other = case.fresh(), case.make()
    model, twin = case.functional(layer), case.functional(other)
    for variable in other.trainable_variables:
        variable.assign(keras.ops.zeros_like(variable))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.weights.h5")
        model.save_weights(path)
        twin.load_weights(path)
    case.require_reference(
        twin(case.packed(case.tensors()), training=False), "the layer of the loaded .weights.h5 file"
    )


def saved_model_answers_the_same(case: LayerCase) -> None:
    """A SavedModel that cannot be traced, or answers one batch size alone."""
    layer = case.fresh()
    with tempfile.TemporaryDirectory() as folder:
        case.functional(layer).export(folder, verbose=False)
        served = tf.saved_model.load(folder)
        for rows in (case.table.rows, case.table.rows + 3):
            named = case.tensors(rows)
            came = served.serve(case.packed(named))
            require_equal(came, case.call(layer, named), f"{rows} rows asked of the SavedModel")
