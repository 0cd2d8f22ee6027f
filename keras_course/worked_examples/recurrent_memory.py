"""Worked examples of networks with a memory: addressing step by step, erase and add, one hop of a memory network.

Each function takes a golden's inputs and returns its outputs, through the public API. Where a golden names no weights
they come from a formula: entry j (C order) of the layer's weight tensor k is ((7 j + 3 k) mod 17 - 8) / 16.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled, gradient
from keras_course.layers.recurrent import NTM
from keras_course.ops.bit_sequences import asked_bits_loss, wrong_and_asked_bits
from keras_course.ops.external_memory import (
    content_weights,
    interpolated_weights,
    read_memory,
    sharpened_weights,
    shifted_weights,
    write_memory,
)
from keras_course.ops.memory_hop import memory_hop, position_encoded, story_attention

__all__ = [
    "addressed_by_content",
    "bits_that_are_asked_for",
    "erased_and_added",
    "interpolated_addresses",
    "hop_over_a_story",
    "linear_hop",
    "machine_states",
    "read_by_two_heads",
    "sentences_by_place",
    "sharpened_addresses",
    "shifted_round_the_end",
    "slope_at_an_empty_slot",
]


def addressed_by_content(memory: Any, keys: Any, strengths: Any) -> dict[str, Any]:
    """softmax(beta cosine): two heads, one slot empty. Source: S 9.5, Graves et al. 2014, equation 5."""
    return {"weights": compiled(content_weights)(memory[None], keys[None], strengths[None])[0]}


def slope_at_an_empty_slot(key: Any, slots: int) -> dict[str, Any]:
    """How the first of `slots` empty slots' weight moves with its own contents: finite, where the cosine is 0/0."""

    def weight(memory: Any) -> Any:
        strength = ops.ones_like(key[:1])
        return content_weights(memory[None], key[None, None], strength[None])[0, 0, 0]

    empty = ops.zeros((slots, key.shape[0]), key.dtype)
    return {"slope": compiled(lambda memory: gradient(weight, memory))(empty)}


def interpolated_addresses(by_content: Any, before: Any, gates: Any) -> dict[str, Any]:
    """g w_c + (1 - g) w_before. Source: S 9.5, Graves et al. 2014, equation 7."""
    return {"weights": compiled(interpolated_weights)(by_content[None], before[None], gates[None])[0]}


def shifted_round_the_end(weights: Any, shifts: Any) -> dict[str, Any]:
    """Circular convolution with moves -1, 0, 1. Source: S 9.5, Graves et al. 2014, equation 8."""
    return {"weights": compiled(shifted_weights)(weights[None], shifts[None])[0]}


def sharpened_addresses(weights: Any, powers: Any) -> dict[str, Any]:
    """w^gamma over its sum, zeros among the weights. Source: S 9.5, Graves et al. 2014, equation 9."""
    return {"weights": compiled(sharpened_weights)(weights[None], powers[None])[0]}


def read_by_two_heads(memory: Any, weights: Any) -> dict[str, Any]:
    """sum_i w(i) M_i. Source: S 9.5, Graves et al. 2014, equation 2."""
    return {"read": compiled(read_memory)(memory[None], weights[None])[0]}


def erased_and_added(memory: Any, weights: Any, erase: Any, add: Any) -> dict[str, Any]:
    """Both heads erase, then both add. Source: S 9.5, Graves et al. 2014, equations 3 and 4."""
    return {"memory": compiled(write_memory)(memory[None], weights[None], erase[None], add[None])[0]}


def bits_that_are_asked_for(labels: Any, logits: Any) -> dict[str, Any]:
    """Loss and errors of rows of which some bits are not asked for. Source: S 9.5."""

    def both(labels: Any, logits: Any) -> Any:
        wrong, asked = wrong_and_asked_bits(labels, logits)
        return {"loss": asked_bits_loss(labels, logits), "wrong": wrong, "asked": asked}

    return dict(compiled(both)(labels, logits))


def machine_states(
    x: Any, units: int, slots: int, width: int, read_heads: int, write_heads: int, controller: str
) -> dict[str, Any]:
    """[h, r] of every step, and the memory in the end. Source: S 9.5, Graves et al. 2014."""
    layer = NTM(
        units, return_sequences=True, return_state=True, slots=slots, width=width, read_heads=read_heads,
        write_heads=write_heads, controller=controller, learn_memory=True,
    )  # fmt: skip
    layer.build((1, *x.shape))
    for k, weight in enumerate(layer.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)
    outputs, *states = compiled(layer)(x[None])
    return {
        "outputs": outputs[0],
        "read_weights": ops.reshape(states[-3][0], (read_heads, slots)),
        "write_weights": ops.reshape(states[-2][0], (write_heads, slots)),
        "memory": ops.reshape(states[-1][0], (slots, width)),
    }


def sentences_by_place(embedded: Any, lengths: Any) -> dict[str, Any]:
    """Sentences of different lengths, by place and as bags of words. Source: S 9.5, Sukhbaatar et al. 2015, 4.1."""
    words = ops.arange(embedded.shape[1], dtype="int32")[None] < ops.cast(lengths, "int32")[:, None]
    return {
        "by_place": compiled(position_encoded)(embedded, words),
        "bag": compiled(position_encoded)(embedded, words, positions=False),
    }


def hop_over_a_story(question: Any, memories: Any, outputs: Any, present: Any) -> dict[str, Any]:
    """p and o of one hop; the first sentence is not there. Source: S 9.5, Sukhbaatar et al. 2015, equations 1 and 2."""
    found, attention = compiled(memory_hop)(question[None], memories[None], outputs[None], present[None] > 0)
    return {"found": found[0], "attention": attention[0]}


def linear_hop(question: Any, memories: Any, present: Any) -> dict[str, Any]:
    """The attention of the linear start: products alone. Source: S 9.5, Sukhbaatar et al. 2015, section 5."""
    return {"attention": compiled(story_attention)(question[None], memories[None], present[None] > 0, linear=True)[0]}
