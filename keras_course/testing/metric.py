"""check_metric: does a Keras metric keep what a Keras metric promises?"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from keras_course.core.backend import require_tensorflow
from keras_course.core.serial import load, save_model
from keras_course.testing import configuration
from keras_course.testing.agreement import as_array, leaves, require, require_equal, require_finite
from keras_course.testing.loss_case import LABELLED, ObjectCase
from keras_course.testing.report import NotApplicable, Report, run_checks

__all__ = ["METRIC_CHECKS", "check_metric"]


class MetricCase(ObjectCase):
    """What the checks of a metric look at."""

    @property
    def takes_weights(self) -> bool:
        """Whether update_state has a sample_weight."""
        return "sample_weight" in inspect.signature(self.cls.update_state).parameters  # type: ignore[attr-defined]

    def after(self, sizes: Iterable[int], weighted: bool = False, metric: Any = None) -> Any:
        """A metric that has seen the example in batches of these sizes."""
        metric = self.make() if metric is None else metric
        tensors, weights, start = self.tensors(), self.weights(), 0
        for size in sizes:
            rows = slice(start, start + size)
            keywords = {"sample_weight": weights[rows]} if weighted else {}
            metric.update_state(*(tensor[rows] for tensor in tensors), **keywords)
            start += size
        return metric

    def require_same_behaviour(self, original: Any, rebuilt: Any) -> None:
        """Equal results of two instances."""
        whole = [self.table.rows]
        expected = self.after(whole, metric=original).result()
        require_equal(self.after(whole, metric=rebuilt).result(), expected, "the rebuilt metric's result", "exact")


def any_split_into_batches_gives_one_result(case: MetricCase) -> None:
    """A mean of batch means: the result changes with the batch size, most of all with a short last batch."""
    rows = case.table.rows
    for weighted in (False, True) if case.takes_weights else (False,):
        whole = case.after([rows], weighted).result()
        for sizes in ([1] * rows, [1, rows - 1], [rows // 2, rows - rows // 2]):
            came = case.after(sizes, weighted).result()
            what = f"batches of {sizes} against one of {rows}" + (", weighted" if weighted else "")
            require_equal(came, whole, what, "normalisation")


def a_weight_of_two_counts_an_example_twice(case: MetricCase) -> None:
    """Sample weights that are taken and ignored."""
    if not case.takes_weights:
        raise NotApplicable("update_state takes no sample_weight")
    weight = np.ones(case.table.rows, "float32")
    weight[0], weight[-1] = 2.0, 0.0
    weighted = case.make()
    weighted.update_state(*case.tensors(), sample_weight=weight)
    by_hand = case.make()
    for rows in (slice(0, -1), slice(0, 1)):
        by_hand.update_state(*(tensor[rows] for tensor in case.tensors()))
    require_equal(weighted.result(), by_hand.result(), "weights 2 and 0 against twice and never", "normalisation")


def reset_forgets_everything(case: MetricCase) -> None:
    """State that outlives the epoch, or a result that changes by being read."""
    rows = case.table.rows
    expected = case.after([rows]).result()
    metric = case.after([rows, 1][:1])
    require_equal(metric.result(), expected, "a result read twice", "exact")
    require_equal(metric.result(), expected, "a result read twice", "exact")
    metric.update_state(*(tensor[:1] for tensor in case.tensors()))
    metric.reset_state()
    require_equal(case.after([rows], metric=metric).result(), expected, "the result after reset_state", "exact")


def replicas_add_up(case: MetricCase) -> None:
    """State that does not add over replicas: two workers report another number than one."""
    whole = case.after([case.table.rows]).result()
    half = case.table.rows // 2
    first, second = case.make(), case.make()
    first.update_state(*(tensor[:half] for tensor in case.tensors()))
    second.update_state(*(tensor[half:] for tensor in case.tensors()))
    if hasattr(first, "merge_state"):
        first.merge_state([second])
    else:
        if any(getattr(variable, "aggregation", "sum") not in ("sum", "none") for variable in first.variables):
            raise NotApplicable("its state says itself that it is not summed over replicas")
        for variable, other in zip(first.variables, second.variables, strict=True):
            variable.assign_add(other.value)
    require_equal(first.result(), whole, "two halves added up against the whole", "normalisation")


def no_data_is_a_documented_answer(case: MetricCase) -> None:
    """0/0: the result before any data is infinite, raises, or is a NaN that the docstring does not mention."""
    for leaf in leaves(case.make().result()):
        require(not np.any(np.isinf(leaf)), f"the result on no data is {leaf}")
        documented = "nan" in (inspect.getdoc(case.cls) or "").lower()
        require(documented or not np.any(np.isnan(leaf)), "NaN on no data, which the docstring does not say")


def state_is_in_tracked_variables(case: MetricCase) -> None:
    """Sums kept in Python, or variables made by the first update: compiled code, replicas and files do not see them."""
    metric = case.make()
    count = len(metric.variables)
    require(count > 0, "the metric has no variables: its state is somewhere else")
    case.after([case.table.rows], metric=metric)
    require(len(metric.variables) == count, f"{count} variables before the first update, {len(metric.variables)} after")
    twin = case.make()
    for variable, other in zip(twin.variables, metric.variables, strict=True):
        variable.assign(other.value)
    require_equal(twin.result(), metric.result(), "the result of equal variables", "exact")


def eager_graph_and_xla_agree(case: MetricCase) -> None:
    """An update or a result that runs eagerly alone."""
    expected = case.after([case.table.rows]).result()
    for jit in (False, True):
        metric = case.make()
        update = tf.function(lambda *tensors, m=metric: m.update_state(*tensors) and None, jit_compile=jit)
        update(*case.tensors())
        result = tf.function(metric.result, jit_compile=jit)
        require_equal(result(), expected, "under XLA" if jit else "as a graph")


def dtypes_are_kept(case: MetricCase) -> None:
    """A float32 written into the metric: float64 loses digits; or bfloat16 predictions that are refused."""
    expected = case.after([case.table.rows]).result()
    metric = case.make()
    metric.update_state(*case.tensors(float_dtype="bfloat16"))
    require_finite(metric.result(), "result on bfloat16 values")
    for leaf in tree.flatten(metric.result()):
        dtype = keras.backend.standardize_dtype(leaf.dtype)
        require(dtype != "bfloat16", "bfloat16 values drag the result down to eight bits")
    wide = case.make_if_taken(dtype="float64")
    wide.update_state(*case.tensors(float_dtype="float64"))
    for variable in wide.variables:
        fine = "float" not in variable.dtype or variable.dtype == "float64"
        require(fine, f"{variable.path} is {variable.dtype} under float64")
    result = wide.result()
    require_equal(tree.map_structure(lambda leaf: as_array(leaf).astype("float32"), result), expected, "float64 result")
    array = leaves(result)[0]
    rounded = bool(np.any(array != np.round(array))) and np.array_equal(array, array.astype("float32"))
    plain = np.any(np.isin(array * 420.0, np.arange(-42000.0, 42000.0)))  # a ratio of small counts may be such a number
    require(not rounded or bool(plain), "the float64 result is a float32 number: it was rounded on the way")


def a_compiled_model_evaluates_and_saves_it(case: MetricCase) -> None:
    """A metric that fails inside `evaluate`, depends on its batch size, or is lost by a saved model."""
    if list(case.table.entries) != ["y_true", "y_pred"]:
        raise NotApplicable("a metric of other values than y_true and y_pred")
    entry = case.table.entries["y_pred"]
    inputs = keras.Input(entry.shape[1:])
    model = keras.Model(inputs, keras.layers.ActivityRegularization(l2=1.0)(inputs))  # some loss, for any labels
    metric = case.make()
    model.compile(metrics=[metric])
    y_true, y_pred = case.tensors()
    expected = case.after([case.table.rows]).result()
    for batch_size in (case.table.rows, case.table.rows - 2):
        found = model.evaluate(y_pred, y_true, batch_size=batch_size, verbose=0, return_dict=True)
        require(metric.name in found, f"evaluate reports {sorted(found)}, not {metric.name!r}")
        require_equal(np.asarray(found[metric.name]), expected, f"evaluate with batch_size={batch_size}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        loaded = load(path, allow=(case.cls,))
    found = loaded.evaluate(y_pred, y_true, verbose=0, return_dict=True)
    require_equal(np.asarray(found[metric.name]), expected, "evaluate of the loaded model")


METRIC_CHECKS = (
    configuration.config_names_every_argument,
    configuration.config_follows_every_argument,
    configuration.config_rebuilds_an_equal_object,
    configuration.registered_under_an_explicit_package,
    any_split_into_batches_gives_one_result,
    a_weight_of_two_counts_an_example_twice,
    reset_forgets_everything,
    replicas_add_up,
    no_data_is_a_documented_answer,
    state_is_in_tracked_variables,
    eager_graph_and_xla_agree,
    dtypes_are_kept,
    a_compiled_model_evaluates_and_saves_it,
)


def check_metric(
    cls: type,
    init: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    *,
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds a metric class against the contract of a Keras metric.

    Any split of the data gives the same result; weights, reset, replicas, no data, graph and XLA, dtypes, files.

    Args:
        cls: subclass of keras.metrics.Metric.
        init: constructor arguments of an example.
        inputs: arguments of update_state in their order, {"y_true": {"shape": ...}, "y_pred": {...}} or
            {"values": {...}}; None takes normal numbers of shape (6, 2) for y_true and y_pred.
        skip, only, raise_on_failure: as `check_layer`.

    Returns:
        `Report`.

    Raises:
        ConformanceError: if a check failed.

    Example:
        >>> import keras
        >>> check_metric(keras.metrics.MeanSquaredError, only=["any_split_into_batches_gives_one_result"]).passed
        True
    """
    require_tensorflow("check_metric")
    case = MetricCase(cls, init, LABELLED if inputs is None else inputs)
    return run_checks(
        f"check_metric({case.label})", METRIC_CHECKS, case, skip=skip, only=only, raise_on_failure=raise_on_failure
    )
