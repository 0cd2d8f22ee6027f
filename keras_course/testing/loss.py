"""check_loss: does a Keras loss keep what a Keras loss promises?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.backend import compiled, execution_mode, require_tensorflow
from keras_course.core.serial import load, save_model
from keras_course.testing import configuration
from keras_course.testing.agreement import as_array, require, require_equal, require_finite
from keras_course.testing.differences import require_true_gradients
from keras_course.testing.graphs import lower_precision_operations, on_unknown_batch
from keras_course.testing.loss_case import LABELLED, LossCase
from keras_course.testing.report import NotApplicable, Report, run_checks

__all__ = ["LOSS_CHECKS", "check_loss"]


def reductions_agree(case: LossCase) -> None:
    """A reduction that is ignored, or a mean where a sum was asked for."""
    values = as_array(case.values()).astype("float64")
    require(values.shape[:1] == (case.table.rows,), f"reduction=None gives {values.shape}, wanted one number a sample")
    weight = case.weights().reshape((-1,) + (1,) * (values.ndim - 1)) * np.ones(values.shape)
    total = np.sum(values * weight)
    wanted = {
        "sum": (np.sum(values), total),
        "sum_over_batch_size": (np.mean(values), total / values.size),
        "mean": (np.mean(values), total / values.size),
        "mean_with_sample_weight": (np.mean(values), total / np.sum(weight)),
    }
    require_equal(
        case.make(reduction=None)(*case.tensors(), case.weights()), values * weight, "weighted values", "normalisation"
    )
    for reduction, (plain, weighted) in wanted.items():
        loss = case.make(reduction=reduction)
        require_equal(loss(*case.tensors()), plain, f"reduction={reduction!r} of the values", "normalisation")
        came = loss(*case.tensors(), case.weights())
        require_equal(came, weighted, f"reduction={reduction!r} of the weighted values", "normalisation")


def a_weight_of_two_counts_an_example_twice(case: LossCase) -> None:
    """Sample weights that are dropped, or applied twice."""
    loss = case.make(reduction="sum")
    weight = np.ones(case.table.rows, "float32")
    weight[0] = 2.0
    twice = [ops.concatenate([tensor, tensor[:1]]) for tensor in case.tensors()]
    require_equal(loss(*case.tensors(), weight), loss(*twice), "weight 2 against the example twice", "normalisation")


def a_weight_of_zero_leaves_an_example_out(case: LossCase) -> None:
    """An example of weight 0 that still moves the mean."""
    weight = np.ones(case.table.rows, "float32")
    weight[-1] = 0.0
    for reduction in ("sum", "mean_with_sample_weight"):
        loss = case.make(reduction=reduction)
        without = loss(*(tensor[:-1] for tensor in case.tensors()))
        require_equal(loss(*case.tensors(), weight), without, f"weight 0, reduction={reduction!r}", "normalisation")


def values_do_not_depend_on_the_batch(case: LossCase) -> None:
    """An example whose loss changes with its neighbours, by a mean over the wrong axis or (B, B) broadcasting."""
    loss, together = case.make(reduction=None), as_array(case.values())
    for row in range(case.table.rows):
        alone = loss(*(tensor[row : row + 1] for tensor in case.tensors()))
        require_equal(alone, together[row : row + 1], f"example {row} alone and in its batch", "normalisation")


def a_missing_last_axis_does_not_broadcast(case: LossCase) -> None:
    """Labels (B,) against predictions (B, 1): every sample silently compared with every other."""
    y_true, y_pred = case.tensors()
    if y_true.shape[-1] != 1 or len(y_true.shape) < 2:
        raise NotApplicable("the labels of the example have no last axis of one")
    try:
        came = case.make()(y_true[..., 0], y_pred)
    except ValueError:
        return
    require_equal(came, case.make()(y_true, y_pred), "labels (B,) against labels (B, 1)", "normalisation")


def eager_graph_and_xla_agree(case: LossCase) -> None:
    """A loss that runs eagerly alone, or whose compiled form differs."""
    loss, (y_true, y_pred) = case.make(reduction=None), case.tensors()

    def run(named: dict[str, Any]) -> Any:
        return loss(named["y_true"], named["y_pred"])

    named = {"y_true": y_true, "y_pred": y_pred}
    (came,) = on_unknown_batch(run, named)
    require_equal(came, case.values(), "as a graph of unknown batch size")
    with execution_mode("xla"):
        require_equal(compiled(run)(named), case.values(), "under XLA")


def low_precision_predictions_are_taken(case: LossCase) -> None:
    """Predictions of a bfloat16 model that do not mix with the labels, or drag the loss down to eight bits."""
    loss = case.make()
    came = loss(*case.tensors(float_dtype="bfloat16"))
    dtype = keras.backend.standardize_dtype(came.dtype)
    require(dtype == loss.dtype, f"the loss of bfloat16 predictions is {dtype}, its dtype says {loss.dtype}")
    require_finite(came, "loss of bfloat16 predictions")


def float64_is_really_float64(case: LossCase) -> None:
    """A float32 written into the loss: dtype="float64" keeps seven digits."""
    loss = case.make_if_taken(dtype="float64", reduction=None)
    y_true, y_pred = case.tensors(float_dtype="float64")
    came = loss(y_true, y_pred)
    dtype = keras.backend.standardize_dtype(came.dtype)
    require(dtype == "float64", f'dtype="float64" gives {dtype} values')
    require_equal(as_array(came).astype("float32"), case.values(), "float64 values against float32")
    named = {"y_true": y_true, "y_pred": y_pred}
    lower = lower_precision_operations(lambda named: loss(named["y_true"], named["y_pred"]), named)
    require(not lower, f"float64 is rounded to a lower dtype in {', '.join(lower[:3])}")


def gradients_are_true(case: LossCase) -> None:
    """A gradient that is cut or not the derivative of the loss."""
    if not case.free:
        raise NotApplicable("predictions that may not be moved freely")
    loss = case.make_if_taken(dtype="float64")
    y_true, y_pred = case.tensors(float_dtype="float64")
    require_true_gradients(lambda points: loss(y_true, points[0]), [y_pred], ["y_pred"], "float64 gradient")
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    gradient = tape.gradient(value, y_pred)
    require(gradient is not None and bool(np.any(as_array(gradient))), "no gradient reaches the predictions")


def edges_stay_finite(case: LossCase) -> None:
    """log 0 and overflow: zero, equal or large predictions give a NaN loss or gradient that ends the training."""
    loss, (y_true, y_pred) = case.make(), case.tensors()
    edges = {"predictions of 0": y_pred * 0.0, "predictions of about 100": y_pred * 100.0, "a perfect fit": None}
    if case.table.entries["y_pred"].dtype == "probability":
        sure = ops.one_hot(ops.argmax(y_pred, -1), y_pred.shape[-1], dtype=y_pred.dtype)
        edges = {"probabilities of 0 and 1": sure}
    for what, prediction in edges.items():
        if prediction is None and y_true.shape == y_pred.shape:
            prediction = ops.cast(y_true, y_pred.dtype)
        if prediction is None:
            continue
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = loss(y_true, prediction)
        require_finite(value, f"loss at {what}")
        gradient = tape.gradient(value, prediction)
        require_finite([] if gradient is None else gradient, f"gradient at {what}")


def _model(case: LossCase, loss: Any) -> Any:
    shape = case.table.entries["y_pred"].shape[1:]
    inputs = keras.Input(shape)
    outputs = keras.layers.Dense(shape[-1], kernel_initializer="identity")(inputs) if shape else inputs
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.01), loss=loss, jit_compile=True)
    return model


def a_compiled_model_trains_with_it(case: LossCase) -> None:
    """A loss that works by hand and fails inside `fit`, compiled."""
    if not case.free or len(case.table.entries["y_pred"].shape) < 2:
        raise NotApplicable("predictions that no Dense layer makes")
    model, (y_true, y_pred) = _model(case, case.make()), case.tensors()
    before = case.make()(y_true, y_pred)
    history = model.fit(y_pred, y_true, batch_size=case.table.rows, verbose=0)
    require_equal(np.asarray(history.history["loss"][0]), before, "the loss that fit reports")
    require_finite(model.get_weights(), "weights after a step")


def a_compiled_model_saves_it(case: LossCase) -> None:
    """A model that cannot be loaded with its loss, or comes back with another one."""
    model, (y_true, y_pred) = _model(case, case.make()), case.tensors()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        loaded = load(path, allow=(case.cls,))
    configuration.same_config(model.loss.get_config(), loaded.loss.get_config(), "the loss of the loaded model")
    require_equal(loaded.loss(y_true, y_pred), model.loss(y_true, y_pred), "the loaded loss", "exact")


LOSS_CHECKS = (
    configuration.config_names_every_argument,
    configuration.config_follows_every_argument,
    configuration.config_rebuilds_an_equal_object,
    configuration.registered_under_an_explicit_package,
    reductions_agree,
    a_weight_of_two_counts_an_example_twice,
    a_weight_of_zero_leaves_an_example_out,
    values_do_not_depend_on_the_batch,
    a_missing_last_axis_does_not_broadcast,
    eager_graph_and_xla_agree,
    low_precision_predictions_are_taken,
    float64_is_really_float64,
    gradients_are_true,
    edges_stay_finite,
    a_compiled_model_trains_with_it,
    a_compiled_model_saves_it,
)


def check_loss(
    cls: type,
    init: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    *,
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds a loss class against the contract of a Keras loss.

    Config, all reductions, sample weights, independence of examples, execution modes, dtypes, gradients, edges, and
    its life inside a compiled and a saved model. Sets Keras's global seeds; needs the TensorFlow backend.

    Args:
        cls: subclass of keras.losses.Loss, or a class that is called like one.
        init: constructor arguments of an example, without reduction.
        inputs: {"y_true": {"shape": ..., "dtype": ..., "max": ...}, "y_pred": {...}} as in the catalogue;
            None takes normal numbers of shape (6, 2) for both.
        skip, only, raise_on_failure: as `check_layer`.

    Returns:
        `Report`.

    Raises:
        ConformanceError: if a check failed.
        ValueError: if inputs are not y_true and y_pred, or for names of checks that do not exist.

    Example:
        >>> import keras
        >>> check_loss(keras.losses.MeanSquaredError, only=["reductions_agree"]).passed
        True
    """
    require_tensorflow("check_loss")
    inputs = LABELLED if inputs is None else inputs
    if not isinstance(inputs, Mapping) or list(inputs) != ["y_true", "y_pred"]:
        raise ValueError(f"check_loss needs inputs y_true and y_pred, in this order. Received: inputs={inputs!r}")
    case = LossCase(cls, init, inputs)
    return run_checks(
        f"check_loss({case.label})", LOSS_CHECKS, case, skip=skip, only=only, raise_on_failure=raise_on_failure
    )
