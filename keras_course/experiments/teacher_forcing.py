"""A net whose memory is its own last output, taught in three ways, then left to itself on two tasks.

    taught   fed_t = y_{t-1}                                every step at once
    mixed    fed_t = y_{t-1} with a chance, else phi(o_{t-1})
    free     fed_t = phi(o_{t-1})                           step by step, gradients through all of them
    alone    fed_t = 0                                      no memory: what a step's input says by itself

Parity: is the number of ones so far even? The output is all that need be remembered, and a teacher shows it: what is
learned under him holds without him. Digits, read row by row, with the answer wanted at every row: under a teacher the
answer of the row before IS the answer, the net learns to repeat it, and has nothing to repeat once he is gone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import load
from keras_course.experiments.table import Table
from keras_course.layers.recurrent import OutputRecurrentRNN

__all__ = ["TASKS", "WAYS", "Config", "run"]

WAYS = ("taught", "mixed", "free", "alone")
TASKS = ("parity", "digits")


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        units: width H of the hidden layer.
        steps: training steps, each on all sequences of the task.
        examples: most sequences a task may have.
        length: bits of a parity sequence in training; it is tried on twice as many.
        chance: of being fed the truth when "mixed".
        learning_rate: of Adam.
        seed: root of all random numbers.
    """

    units: int = 32
    steps: int = 300
    examples: int = 1000
    length: int = 12
    chance: float = 0.25
    learning_rate: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int(
            "Config", units=self.units, steps=self.steps, examples=self.examples, length=self.length
        )  # fmt: skip
        if not 0 < self.chance < 1:
            raise ValueError(f"Config needs a chance in (0, 1). Received: chance={self.chance!r}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"Config needs a positive learning_rate. Received: learning_rate={self.learning_rate!r}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: few sequences and steps."""
        return cls(units=16, steps=80, examples=128, length=6)


def _parity(config: Config) -> Any:
    draws = np.random.Generator(np.random.Philox(derive_seed(config.seed, "parity")))

    def part(rows: int, length: int) -> Any:
        bits = draws.integers(0, 2, size=(rows, length))
        return bits[:, :, None].astype("float32"), np.cumsum(bits, axis=1) % 2

    return part(min(config.examples, 256), config.length), part(min(config.examples, 256), 2 * config.length)


def _digits(config: Config) -> Any:
    digits = load("digits", config.seed)

    def part(split: Any) -> Any:
        x, y = split.x[: config.examples, :, :, 0], split.y[: config.examples]
        return x, np.repeat(y[:, None], x.shape[1], axis=1)

    return part(digits.train), part(digits.test)


def _train(layer: Any, x: Any, y: Any, way: str, config: Config) -> None:
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(layer.trainable_variables)
    teacher = None if way == "free" else (tf.zeros_like(y) if way == "alone" else y)

    @tf.function(autograph=False)
    def step() -> None:
        with tf.GradientTape() as tape:
            logits = layer(x, teacher=teacher, training=True)
            loss = ops.mean(ops.categorical_crossentropy(y, logits, from_logits=True))
        weights = layer.trainable_variables
        optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)

    for _ in range(config.steps):
        step()


def run(config: Config) -> Table:
    """Accuracy at every step of new sequences, fed by the truth and by the net itself, after each way of teaching.

    h_t = tanh(x_t U + fed_t W + b),   o_t = h_t V + c,   phi = softmax

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns task, way, fed ("truth", "own"; "nothing" for the way "alone"), step and accuracy. The
        headline is the accuracy at the last step.

    Example:
        >>> table = run(Config(units=4, steps=2, examples=8, length=2))
        >>> len(table.where(task="parity", way="taught", fed="own"))
        4

    Source: C 10.3.1; Bengio et al. 2015 (scheduled mixing).
    """
    columns: dict[str, list[Any]] = {"task": [], "way": [], "fed": [], "step": [], "accuracy": []}
    headline = {}
    for task, (train, test) in {"parity": _parity(config), "digits": _digits(config)}.items():
        classes = int(train[1].max()) + 1
        (x, y), (new_x, new_y) = (
            (tf.constant(x), tf.one_hot(y, classes, dtype="float32")) for x, y in (train, test)
        )  # fmt: skip
        for way in WAYS:
            part = (config.seed, task, way)
            layer = OutputRecurrentRNN(
                config.units, classes, truth_probability=config.chance if way == "mixed" else 1.0,
                kernel_initializer=keras.initializers.GlorotUniform(derive_seed(config.seed, task, "kernel")),
                recurrent_initializer=keras.initializers.GlorotUniform(derive_seed(config.seed, task, "recurrent")),
                seed=derive_seed(*part),
            )  # fmt: skip
            layer.build(x.shape)
            _train(layer, x, y, way, config)
            fed = {"nothing": tf.zeros_like(new_y)} if way == "alone" else {"truth": new_y, "own": None}
            for name, teacher in fed.items():
                right = np.argmax(layer(new_x, teacher=teacher), axis=-1) == test[1]
                for step, accuracy in enumerate(right.mean(axis=0)):
                    for column, each in zip(columns, (task, way, name, step, float(accuracy)), strict=True):
                        columns[column].append(each)
                headline[f"accuracy at the last step, {task}, {way}, fed {name}"] = columns["accuracy"][-1]
    return Table("output-recurrent", columns, lambda table: _draw(table, config), headline)


def _draw(table: Table, config: Config) -> Any:
    """Accuracy at each step: what each way of teaching is worth once the net is left to itself."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE

    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    titles = {
        "parity": f"parity of the bits so far ({config.length} in training)",
        "digits": "digits, read row by row",
    }
    for axes, task in zip(figure.subplots(1, 2, sharey=True), TASKS, strict=True):
        for way, colour in zip(WAYS, (ORANGE, GREEN, BLUE, GREY), strict=True):
            rows = table.where(task=task, way=way, fed="nothing" if way == "alone" else "own")
            axes.plot(rows["step"] + 1, rows["accuracy"], color=colour, label=way)
        rows = table.where(task=task, way="taught", fed="truth")
        axes.plot(rows["step"] + 1, rows["accuracy"], ":", color=ORANGE, label="taught, the teacher still there")
        axes.set(xlabel="step", title=titles[task], ylim=(0, 1.04))
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    figure.axes[0].set_ylabel("accuracy, new sequences")
    figure.suptitle("output-recurrent: ways of teaching, then left to itself")
    return figure
