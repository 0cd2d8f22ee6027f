"""Worked examples of networks with a memory that need a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.core.loops import scan
from keras_course.models.recurrent.memory_network import MemoryNetwork
from keras_course.models.recurrent.neural_turing_machine import NeuralTuringMachine

__all__ = ["machine_logits", "story_logits"]


def _by_formula(model: Any) -> Any:
    """Entry j (C order) of weight tensor k becomes ((7 j + 3 k) mod 17 - 8) / 16."""
    for k, weight in enumerate(model.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)
    return model


def machine_logits(x: Any, outputs: int, units: int, slots: int, width: int) -> dict[str, Any]:
    """A neural Turing machine with its read-out, at once and one step at a time. Source: S 9.5, Graves et al. 2014."""
    sizes: dict[str, Any] = {"units": units, "slots": slots, "width": width, "learn_memory": True}
    model = _by_formula(NeuralTuringMachine(x.shape[-1], outputs, **sizes))

    def streamed(x: Any) -> Any:
        def step(state: Any, given: Any) -> Any:
            found = model.step(given[0][None], state[0])
            return [found["state"]], [found["outputs"][0]]

        _, _, (logits,) = scan(step, [model.initial_state(1)], [x], [(outputs,)], length=x.shape[0])
        return logits.stack()[-1]

    return {"whole": compiled(model)(x[None])[0], "streamed": compiled(streamed)(x)}


def story_logits(x: Any, words: int, answers: Any, width: int, hops: int, tying: str) -> dict[str, Any]:
    """A memory network whose answers are words of its vocabulary. Source: S 9.5, Sukhbaatar et al. 2015."""
    x = ops.cast(x, "int32")
    numbers = [int(each) for each in ops.convert_to_numpy(answers)]
    model = _by_formula(
        MemoryNetwork(
            [f"word{v}" for v in range(1, words + 1)], [f"word{v}" for v in numbers], x.shape[0] - 1, x.shape[1],
            width=width, hops=hops, tying=tying,
        )
    )  # fmt: skip
    found = compiled(model.look)(x[None])
    return {"logits": found["logits"][0], "attention": found["attention"][0]}
