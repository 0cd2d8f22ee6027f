"""Worked examples of the chapters on recurrent networks that need a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.core.loops import scan
from keras_course.models.recurrent.captioner import Captioner
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.models.recurrent.echo_state_network import EchoStateNetwork
from keras_course.models.recurrent.handwriting import HandwritingSynthesis
from keras_course.models.recurrent.rnn_search import RNNSearch
from keras_course.models.recurrent.seq2seq import Seq2Seq
from keras_course.ops.language import bits_of_symbols

__all__ = [
    "caption_probability",
    "character_bits",
    "deep_rnn_outputs",
    "echo_state_read_out",
    "handwriting_densities",
    "handwriting_weights",
    "translated_by_searching",
    "translated_with_one_vector",
]


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
        def step(state: Any, given: Any) -> Any:
            found = model.step(given[0][None], state[0])
            return [found["state"]], [found["outputs"][0]]

        start = ops.zeros((1, model.state_width), x.dtype)
        _, _, (logits,) = scan(step, [start], [x], [(outputs,)], length=x.shape[0])
        return logits.stack()[-1]

    return {"whole": compiled(model)(x[None])[0], "streamed": compiled(streamed)(x)}


def handwriting_densities(lines: Any, units: int) -> dict[str, Any]:
    """log p of every point of two lines under two levels, two Gaussians and a window of two. Source: B."""
    model = HandwritingSynthesis("ab", units, levels=2, components=2, window=2, text_length=3)
    _by_formula(model)

    def log_densities(lines: Any) -> Any:
        return model.family.log_prob(model(lines), model.parts_of(lines)[0])

    return {"log_densities": compiled(log_densities)(lines)}


def handwriting_weights(units: int, letters: int) -> dict[str, Any]:
    """Millions of weights of three LSTM levels of 400 on pen points alone, and of the whole network. Source: B."""
    stack = DeepRNN(3, 1, units=(units,) * 3).levels
    alphabet = "".join(chr(ord("A") + letter) for letter in range(letters))
    whole = HandwritingSynthesis(alphabet, units)
    return {
        "lstm_stack": sum(level.count_params() for level in stack) / 1e6,
        "whole_network": whole.count_params() / 1e6,
        "parameters_of_a_point": compiled(whole)(ops.zeros((1, 1, 4))).shape[-1],
    }


def caption_probability(
    features: Any, words: Any, tokens: int, units: int, embedding: int, annotation: int, attention: int
) -> dict[str, Any]:
    """log p of a caption, and where each of its words looks on a feature map that is the image itself. Source: B."""
    names = [f"word{k}" for k in range(tokens)]
    sizes = {"units": units, "embedding": embedding, "annotation": annotation, "attention": attention}
    model = Captioner(features.shape, names, len(words), trunk=keras.layers.Activation("linear"), **sizes)
    _by_formula(model)
    log_p, maps = compiled(model.score)(features[None], ops.cast(words, "int32")[None])
    return {"log_probability": log_p[0], "attention": maps[0]}


def _translator(kind: Any, units: int, embedding: int) -> Any:
    """Three words to read, two to write."""
    model = kind(["a", "b", "c"], ["x", "y"], units=units, embedding=embedding, max_length=4)
    _by_formula(model)
    return model


def translated_with_one_vector(source: Any, fed: Any, units: int, embedding: int) -> dict[str, Any]:
    """Logits of every step of an encoder-decoder with a fixed context, the words before known. Source: C 10.3.4."""
    model = _translator(Seq2Seq, units, embedding)
    return {"logits": compiled(lambda source, fed: model([source[None], fed[None]])[0])(source, fed)}


def translated_by_searching(source: Any, fed: Any, units: int, embedding: int) -> dict[str, Any]:
    """The same with attention, and where it looks: fed[1:] and any last word are the target. Source: B."""
    model = _translator(RNNSearch, units, embedding)

    def run(source: Any, fed: Any) -> dict[str, Any]:
        target = ops.concatenate([fed[1:], fed[:1]])
        return {
            "logits": model([source[None], fed[None]])[0],
            "weights": model.align(source[None], target[None])[0],
        }

    return dict(compiled(run)(source, fed))


def echo_state_read_out(x: Any, y: Any, units: int, leak: float, ridge: float, washout: int) -> dict[str, Any]:
    """The read-out of a small reservoir by one ridge regression, two halves of the series apart. Source: C 13.4."""
    model = EchoStateNetwork(x.shape[-1], 1, units, leak, density=1.0, ridge=ridge, washout=washout, dtype=x.dtype)
    cell = model.reservoir.cell
    for k, weight in enumerate((cell.kernel, cell.recurrent_kernel, cell.bias)):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)
    model.fit_series(ops.convert_to_numpy(x)[None], ops.convert_to_numpy(y)[None], chunk=len(x) // 2)
    return {"kernel": model.read_out_kernel, "outputs": compiled(model)(x[None])[0]}
