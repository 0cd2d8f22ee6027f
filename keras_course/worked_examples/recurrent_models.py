"""Worked examples of the chapters on recurrent networks that need a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.recurrent.deep_rnn import DeepRNN

__all__ = ["deep_rnn_outputs"]


def deep_rnn_outputs(x: Any, units: Any, outputs: int) -> dict[str, Any]:
    """Two LSTM levels: the read-out after the whole sequence, and the same one step at a time. Source: C 13.5."""
    model = DeepRNN(x.shape[-1], outputs, units=[int(each) for each in ops.convert_to_numpy(units)])
    for k, weight in enumerate(model.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)

    def streamed(x: Any) -> Any:
        found = {"outputs": None, "state": ops.zeros((1, model.state_width), x.dtype)}
        for t in range(x.shape[0]):
            found = model.step(x[t : t + 1], found["state"])
        return found["outputs"][0]

    return {"whole": compiled(model)(x[None])[0], "streamed": compiled(streamed)(x)}
