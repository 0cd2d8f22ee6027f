"""How the conformance suite trains the models that have a memory (`model_examples.TRAINING`)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_course.losses import AskedBitsLoss, SoftmaxLoss
from keras_course.metrics import BitError


def bits_of_the_step_before(x: np.ndarray) -> np.ndarray:
    """The signs of two inputs of the step before; none is asked for at the first step."""
    signs = (x[:, :-1, :2] > 0).astype("int32")
    return np.concatenate([np.full_like(signs[:, :1], 2), signs], axis=1)


def whether_the_question_begins_with_it(x: np.ndarray) -> np.ndarray:
    """Class 0 or 1 of a story in numbers: whether the question's first word is of the first half."""
    return (x[:, -1, 0] > 2).astype("int32")


def with_asked_bits() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.SGD(0.1, momentum=0.5), "loss": AskedBitsLoss(), "metrics": [BitError()]}


def with_answers() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.SGD(0.1), "loss": SoftmaxLoss(), "metrics": ["accuracy"]}


MEMORY_TRAINING: dict[str, dict[str, Any]] = {
    "neural-turing-machine": {"targets": bits_of_the_step_before, "compile": with_asked_bits},
    "memory-network": {
        "targets": whether_the_question_begins_with_it,
        "compile": with_answers,
        "texts": ("Where is Ada?", "Ada is in the attic. Where is it? Ada! In the cellar\nis ada", "", "is cellar"),
    },
}
