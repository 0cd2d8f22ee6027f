"""Worked examples of the chapters on recurrent networks that need a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.ops.language import bits_of_symbols

__all__ = ["character_bits", "deep_rnn_outputs"]


def _by_formula(model: Any) -> None:
    """The goldens' weights, tensors counted through."""
    for k, weight in enumerate(model.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)


def character_bits(codes: Any, characters: int, embedding: int, units: Any) -> dict[str, Any]:
    """Bits of every character after the first, given those before it. Source: C 15.3, R."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"[: int(characters)]
    units = [int(each) for each in ops.convert_to_numpy(units)]
    model = CharacterLM(alphabet, units=units, embedding=int(embedding))
    _by_formula(model)
    return {"bits": compiled(lambda c: bits_of_symbols(model(c[None, :-1]), c[None, 1:])[0])(codes)}


def deep_rnn_outputs(x: Any, units: Any, outputs: int) -> dict[str, Any]:
    """Two LSTM levels: the read-out after the whole sequence, and the same one step at a time. Source: C 13.5."""
    model = DeepRNN(x.shape[-1], outputs, units=[int(each) for each in ops.convert_to_numpy(units)])
    _by_formula(model)

    def streamed(x: Any) -> Any:
        found = {"outputs": None, "state": ops.zeros((1, model.state_width), x.dtype)}
        for t in range(x.shape[0]):
            found = model.step(x[t : t + 1], found["state"])
        return found["outputs"][0]

    return {"whole": compiled(model)(x[None])[0], "streamed": compiled(streamed)(x)}
