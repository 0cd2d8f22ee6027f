"""Checks that a model survives its files and answers from other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from keras import tree

from keras_course.core.serial import load, save_model
from keras_course.testing.agreement import as_array, require, require_equal
from keras_course.testing.configuration import same_config
from keras_course.testing.layer_files import classes_inside
from keras_course.testing.model_case import ModelCase
from keras_course.testing.report import NotApplicable

__all__ = [
    "endpoints_answer_without_the_package",
    "environment_of_a_process",
    "export_with_answers",
    "keras_file_restores_it",
    "require_answers_without_the_package",
    "weights_file_restores_it",
]


def keras_file_restores_it(case: ModelCase) -> None:
    """A .keras file that cannot be read back, forgets the optimizer, or continues otherwise."""
    model = case.after_one_step(own=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        loaded = load(path, allow=(*classes_inside(model), *case.allow))
    same_config(model.get_config(), loaded.get_config(), "the config of the loaded model")
    require_equal(case.answer(loaded), case.answer(model), "answers of the loaded model", "exact")
    loaded.run_eagerly, loaded.jit_compile = True, False  # no part of the file; the model's own settings here
    for one in (model, loaded):
        case.fit(one, 1)
    require_equal(loaded.get_weights(), model.get_weights(), "weights one step after loading", "steps:1")


def weights_file_restores_it(case: ModelCase) -> None:
    """Weights that a file loses or mixes up."""
    model, twin = case.after_one_step(), case.built()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.weights.h5")
        model.save_weights(path)
        twin.load_weights(path)
    require_equal(case.answer(twin), case.answer(model), "answers with the loaded weights", "exact")


def endpoints_answer_without_the_package(case: ModelCase) -> None:
    """An endpoint that cannot be traced, serves one batch size alone, or needs this package or your class to answer."""
    if not hasattr(case.cls, "endpoints"):
        raise NotApplicable("the model has no endpoints()")
    with tempfile.TemporaryDirectory() as folder:
        expected = export_with_answers(case, Path(folder, "one"))
        require_answers_without_the_package({Path(folder, "one"): expected})


def export_with_answers(case: ModelCase, folder: Path) -> dict[str, list[np.ndarray]]:
    """Exports a fitted model with questions beside it, for `require_answers_without_the_package`.

    Args:
        case: the model.
        folder: gets `saved_model/` and `questions.npz`.

    Returns:
        {"endpoint|rows": the live model's answers}.
    """
    model = case.after_one_step()
    model.export(folder / "saved_model")
    questions, expected = {}, {}
    for name, (function, specs) in model.endpoints().items():
        for rows in (2, 5):
            arguments = case.endpoint_arguments(specs, rows)
            for index, array in enumerate(arguments):
                questions[f"{name}|{rows}|{index}"] = array
            outputs = function(*(tree.map_structure(_tensor, array) for array in arguments))
            expected[f"{name}|{rows}"] = [as_array(leaf) for leaf in tree.flatten(outputs)]
    np.savez(folder / "questions.npz", **questions)  # type: ignore[arg-type]
    return expected


def _tensor(array: Any) -> Any:
    from keras import ops

    return ops.convert_to_tensor(array, dtype="string" if array.dtype.kind == "S" else str(array.dtype))


_SERVE = """
import gc, sys
gc.disable()  # Python's collector would go through all that is imported again and again
for name in ("keras_course", "tensorflow_probability", "keras"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
gc.freeze()
gc.set_threshold(50_000, 20, 5)
gc.enable()
for folder in sys.argv[1:]:
    served = tf.saved_model.load(folder + "/saved_model")
    questions = np.load(folder + "/questions.npz")
    answers = {}
    for key in sorted({name.rsplit("|", 1)[0] for name in questions.files}):
        endpoint = key.split("|")[0]
        count = sum(name.rsplit("|", 1)[0] == key for name in questions.files)
        function = served.serve if endpoint == "serve" else getattr(served, endpoint)
        outputs = function(*(tf.constant(questions[f"{key}|{index}"]) for index in range(count)))
        promised = tf.nest.flatten(function.concrete_functions[0].structured_outputs)
        for index, (leaf, spec) in enumerate(zip(tf.nest.flatten(outputs), promised)):
            if not spec.shape.is_compatible_with(leaf.shape):
                sys.exit(f"{folder}: endpoint {endpoint} promises shape {spec.shape} and answers {leaf.shape}")
            answers[f"{key}|{index}"] = tf.cast(leaf, tf.float32) if leaf.dtype == tf.bfloat16 else leaf
    answers = {name: np.asarray(value) for name, value in answers.items()}
    for name, value in answers.items():
        if value.dtype.kind in "SO":
            answers[name] = np.char.decode(value.astype("S"), "utf-8")
    np.savez(folder + "/answers.npz", **answers)
"""


def require_answers_without_the_package(exported: dict[Path, dict[str, list[np.ndarray]]]) -> None:
    """Asks all exported models in one process that can import neither this package, nor TFP, nor Keras.

    Raises:
        Deviation: if the process fails or an answer differs from the live model's.
    """
    run = subprocess.run(
        [sys.executable, "-c", _SERVE, *map(str, exported)],
        capture_output=True,
        text=True,
        env=environment_of_a_process(),
    )
    require(run.returncode == 0, f"a process without the package fails: {run.stderr.strip()[-400:]}")
    for folder, expected in exported.items():
        answers = np.load(folder / "answers.npz")
        for key, wanted in expected.items():
            came = [answers[f"{key}|{index}"] for index in range(len(wanted))]
            name, rows = key.split("|")
            require_equal(came, wanted, f"{folder.name}: endpoint {name!r} on {rows} rows from another process")


def environment_of_a_process() -> dict[str, str]:
    """This process's environment, with its import path."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TF_CPP_MIN_LOG_LEVEL": "3"}
