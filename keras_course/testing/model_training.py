"""Checks of how a model trains, measures and repeats itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.tracking import untracked_variables
from keras_course.pipeline.batches import untuned
from keras_course.pipeline.exact_resume import ExactResume
from keras_course.pipeline.training_state import arrays_of
from keras_course.testing.agreement import as_array, leaves, require, require_equal, require_finite
from keras_course.testing.configuration import constructor_arguments
from keras_course.testing.model_case import EAGERLY, ROWS, ModelCase, digest_of_weights
from keras_course.testing.report import NotApplicable
from keras_course.testing.seeding import set_seeds

__all__ = [
    "a_tiny_fit_improves_the_objective",
    "eager_graph_and_xla_fits_agree",
    "every_variable_is_tracked",
    "fit_is_train_on_batch",
    "killed_and_resumed_is_uninterrupted",
    "measures_do_not_depend_on_the_batch_size",
    "predict_is_the_inference_call",
    "same_seed_same_weights",
]


def every_variable_is_tracked(case: ModelCase) -> None:
    """A tf.Variable, TFP network or hidden layer that is used and never trained, saved or counted."""
    missing = sorted(untracked_variables(case.built()))
    require(not missing, f"Keras does not track {', '.join(missing[:3])}")


def a_tiny_fit_improves_the_objective(case: ModelCase) -> None:
    """A training step that moves nothing, or the wrong way, or into NaN."""
    before = case.evaluate_untaught()
    require(case.objective in before, f"evaluate reports {sorted(before)}, not {case.objective!r}")
    model = case.taught()
    after = case.evaluate(model)
    require_finite([np.asarray(value) for value in after.values()], "evaluate after the fit")
    require_finite(model.get_weights(), "weights after the fit")
    gain = (after[case.objective] - before[case.objective]) * (1 if case.direction == "max" else -1)
    change = f"{case.objective} goes from {before[case.objective]:.6g} to {after[case.objective]:.6g}"
    require(gain > 0, f"{change} in {case.steps} steps")


def fit_is_train_on_batch(case: ModelCase) -> None:
    """A train_step that reads (x, None, None), which train_on_batch passes, otherwise than x, which fit passes."""
    whole, stepwise = case.weights_after_two_steps(**EAGERLY), case.eager()
    set_seeds(1)
    for _ in range(2):
        stepwise.train_on_batch(case.x, case.y)
    require_equal(stepwise.get_weights(), whole, "weights of train_on_batch against fit", "steps:2")


def measures_do_not_depend_on_the_batch_size(case: ModelCase) -> None:
    """A mean of batch means in evaluate: with a short last batch the reported number is another."""
    whole = case.evaluate_untaught()
    for batch_size in (ROWS - 5, ROWS - 1):
        for name, value in case.evaluate(case.untaught(), batch_size).items():
            what = f"{name} with batches of {batch_size} against one of {ROWS}"
            require_equal(np.asarray(value), np.asarray(whole[name]), what)


def predict_is_the_inference_call(case: ModelCase) -> None:
    """predict that fails, keeps training noise on, or mixes rows of a batch."""
    model = case.untaught()
    expected = leaves(case.answer(model))
    for batch_size in (ROWS, 5):
        came = model.predict(case.x, batch_size=batch_size, verbose=0)
        require_equal(came, expected, f"predict with batch_size={batch_size} against the model's call")
    for row in (0, ROWS - 1):
        alone = case.answer(model, case.x[row : row + 1])
        require_equal(alone, [leaf[row : row + 1] for leaf in expected], f"row {row} alone and in its batch")
    empty = leaves(case.answer(model, case.x[:0]))
    shapes = [leaf.shape for leaf in empty]
    require(shapes == [(0, *leaf.shape[1:]) for leaf in expected], f"0 rows give outputs of {shapes}")


def eager_graph_and_xla_fits_agree(case: ModelCase) -> None:
    """A train_step whose Python is frozen by the graph, or that XLA cannot compile."""
    expected = case.weights_after_two_steps(**EAGERLY)
    for how, options in (("a graph", {"jit_compile": False}), ("XLA", {"jit_compile": True})):
        came = case.weights_after_two_steps(**options)
        require_equal(came, expected, f"weights after two steps as {how} against eager", "steps:2")


class _Killed(BaseException):
    """Ends a fit as SIGKILL would: nothing tidies up."""


class _KillAt(keras.callbacks.Callback):
    resume_attributes: tuple[str, ...] = ()

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise _Killed


def killed_and_resumed_is_uninterrupted(case: ModelCase) -> None:
    """State that no variable holds: a Python counter, an unsaved optimizer, a draw from a global stream."""
    weight = None if case.sample_weight is None else case.sample_weight(case.x)
    arrays = [np.concatenate([array] * 2) for array in (case.x, case.y, weight) if array is not None]
    rows = tf.data.Dataset.from_tensor_slices(tuple(arrays)).batch(ROWS + 2)  # two an epoch

    def fit(folder: Path, *callbacks: Any) -> Any:
        set_seeds(1)
        model, resume = case.eager(), ExactResume(folder, steps=1, seconds=None)
        model.fit(untuned(rows), epochs=2, shuffle=False, verbose=0, callbacks=[*callbacks, resume])
        return model, resume

    with tempfile.TemporaryDirectory() as scratch:
        whole, _ = fit(Path(scratch, "whole"))
        killed = Path(scratch, "killed")
        for step in (1, 4):  # before there is a checkpoint, and inside the second epoch
            try:
                fit(killed, _KillAt(step))
            except _Killed:
                pass
        resumed, resume = fit(killed)
        what = "after kills in steps 1 and 4, "
        require(resume.proved is not False, f"{what}the next checkpoint is not reached bit for bit")
        for (path, wanted), (_, came) in zip(arrays_of(whole), arrays_of(resumed), strict=True):
            require(np.array_equal(wanted, came, equal_nan=True), f"{what}{path} ends elsewhere")


def same_seed_same_weights(case: ModelCase) -> None:
    """Initial weights that depend on what was built before, or a seed argument that is ignored."""
    if "seed" not in constructor_arguments(case.cls):
        raise NotApplicable("takes no seed")

    def weights(seed: int, start: int) -> tuple[str, list[np.ndarray]]:
        set_seeds(start)
        keras.layers.Dense(2).build((None, 2))  # an unrelated layer draws first
        model = case.cls(**{**case.init, "seed": seed})
        if not model.built:
            model(case.x[:1])
        return digest_of_weights(model), [as_array(variable) for variable in model.variables]

    one, again, other = weights(3, 0), weights(3, 1), weights(4, 0)
    require(one[0] == again[0], "the same seed gives other initial weights after other random draws")
    if any(np.unique(array).size > 1 for array in one[1]):
        require(one[0] != other[0], "another seed gives the same initial weights")
