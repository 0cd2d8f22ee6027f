"""Worked examples of shared representations: one step of gradient descent on small linear networks.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.datasets.few_labels import partly_labelled_rows
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.regularized.multi_task import MultiTask
from keras_course.models.regularized.semi_supervised import SemiSupervised
from keras_course.models.regularized.transfer import Transfer

__all__ = ["kept_labels", "multi_task_step", "semi_supervised_step", "transfer_step"]


@arithmetic
def kept_labels(x: Any, y: Any, labels: int) -> dict[str, Any]:
    """The rows of a training set in which few labels are kept, each as often as it is repeated. Source: C 6.5."""
    rows, kept = partly_labelled_rows(np.asarray(x), np.asarray(y), labels)
    return {"x": rows.tolist(), "y": kept.tolist()}


def _linear(kernel: Any) -> Any:
    """A dense layer without bias or activation, and its weights set."""
    rows, columns = kernel.shape
    layer = keras.layers.Dense(columns, use_bias=False, dtype=keras.backend.standardize_dtype(kernel.dtype))
    layer.build((None, rows))
    layer.kernel.assign(kernel)
    return layer


def _one_step(model: Any, data: Sequence[Any], layers: dict[str, Any]) -> dict[str, Any]:
    """The kernels after one step of the model's own train_step."""
    model.optimizer.build(model.trainable_variables)

    def step(*data: Any) -> dict[str, Any]:
        model.train_step(tuple(data))
        return {name: ops.convert_to_tensor(layer.kernel) + 0 for name, layer in layers.items()}

    return compiled(step)(*data)


def multi_task_step(
    x: Any, y: Any, trunk: Any, classes: Any, value: Any, weights: Sequence[float], rate: float
) -> dict[str, Any]:
    """One step of a trunk with a classifier and a regression on top; -1 is no label. Source: C 6.7."""
    layers = {"trunk": _linear(trunk), "classes": _linear(classes), "value": _linear(value)}
    model = MultiTask(
        x.shape[1],
        layers["trunk"],
        {"classes": layers["classes"], "value": layers["value"]},
        costs={"value": HalfSquaredLoss()},
        weights=dict(zip(("classes", "value"), weights, strict=True)),
        dtype=layers["trunk"].dtype_policy,
    )
    model.compile(keras.optimizers.SGD(rate))
    return _one_step(model, (x, y), layers)


def transfer_step(x: Any, y: Any, trunk: Any, head: Any, trunk_rate: float, rate: float) -> dict[str, Any]:
    """One step under a frozen trunk, and under one that is tuned more slowly than the head. Source: C 6.6."""
    found = {}
    for name, how in (("frozen", False), ("tuned", "fine-tune")):
        top = _linear(head)
        model = Transfer(x.shape[1], _linear(trunk), top, how, trunk_rate, dtype=top.dtype_policy)
        model.compile(keras.optimizers.SGD(rate), SoftmaxLoss(dtype=top.dtype))
        after = _one_step(model, (x, y), {"trunk": model.trunk, "head": top})
        found |= {f"{name}_{part}": kernel for part, kernel in after.items()}
    return found


def semi_supervised_step(
    x: Any, y: Any, encoder: Any, classifier: Any, code: Any, decoder: Any, weight: float, rate: float
) -> dict[str, Any]:
    """One step of a classifier and an autoencoder with one encoder; -1 is no label. Source: C 6.5."""
    layers = {"encoder": _linear(encoder), "classifier": _linear(classifier), "decoder": _linear(decoder)}
    policy = layers["encoder"].dtype_policy
    model = SemiSupervised(x.shape[1], *layers.values(), code_units=code.shape[1], weight=weight, dtype=policy)
    model.code.kernel.assign(code)
    model.compile(keras.optimizers.SGD(rate))
    return _one_step(model, (x, y), {**layers, "code": model.code})
