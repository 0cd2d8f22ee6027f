"""Worked examples of the chapters on recurrent networks: where to look, and which sequence is the likeliest.

Each function takes a golden's inputs and returns its outputs, through the public API. Entry j (C order) of the layer's
weight tensor k is ((7 j + 3 k) mod 17 - 8) / 16.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.additive_attention import AdditiveAttention
from keras_course.ops.decoding import beam, greedy, sampled_tokens

__all__ = ["attended_annotations", "drawn_tokens", "greedy_sequence", "likeliest_sequences"]


def attended_annotations(query: Any, annotations: Any, mask: Any, units: int) -> dict[str, Any]:
    """Context and weights of each query over one sentence, of which only some places count. Source: B."""
    layer = AdditiveAttention(units)
    layer.build((1, *query.shape), (1, *annotations.shape))
    for k, weight in enumerate(layer.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)
    counts = ops.convert_to_tensor(mask)[None] > 0

    def run(query: Any, annotations: Any) -> Any:
        return layer(query[None], annotations[None], annotations_mask=counts)

    context, weights = compiled(run)(query, annotations)
    return {"context": context[0], "weights": weights[0]}


def _chain(probabilities: Any) -> Any:
    """A network whose next token depends on the last one alone."""
    table = ops.log(probabilities)

    def step(tokens: Any, state: Any) -> Any:
        return ops.take(table, tokens, axis=0), state

    return step


def greedy_sequence(probabilities: Any, start: int, end: int, length: int) -> dict[str, Any]:
    """The best token at every step of a Markov chain. Source: C 10.3.4."""

    def run(probabilities: Any) -> Any:
        first = ops.full((1,), start, "int32")
        found = greedy(_chain(probabilities), (), first, length=length, end=end, pad=end)
        return {"tokens": found.tokens[0], "log_prob": found.log_probs[0]}

    return dict(compiled(run)(probabilities))


def likeliest_sequences(
    probabilities: Any, start: int, end: int, length: int, width: int, best: int, length_power: float
) -> dict[str, Any]:
    """The best sequences of a Markov chain, none of which begins as the greedy one does. Source: C 10.3.4."""

    def run(probabilities: Any) -> Any:
        found = beam(
            _chain(probabilities), (), ops.full((1,), start, "int32"), width=width, length=length,
            length_power=length_power, end=end, pad=end,
        )  # fmt: skip
        return {
            "tokens": found.tokens[0, :best],
            "log_probs": found.log_probs[0, :best],
            "lengths": found.lengths[0, :best],
        }

    return dict(compiled(run)(probabilities))


def drawn_tokens(logits: Any, uniforms: Any, temperature: float, top_k: int) -> dict[str, Any]:
    """One token a row, from uniform numbers by Gumbel's trick. Source: C 10.3.4."""
    return {"tokens": compiled(sampled_tokens)(logits, uniforms, temperature, top_k)}
