"""Is the number of ones even or odd? One remembered bit answers for any length; no fixed window does.

    y = product of the bits -1 and +1 of a sequence of length L,   trained on L = 1 ... 12, asked about L up to 96

Recurrent nets read a bit at a time and answer at the end. The feed-forward nets read the whole sequence at once, padded
with zeros to the greatest length: the input weights of places that no training sequence reached were never taught.
A linear score fails from two bits on: their parity is XOR.
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
from keras_course.experiments.table import Table
from keras_course.layers.recurrent import GRU, LSTM, RNN

__all__ = ["Config", "parity_task", "run"]

RECURRENT = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
KINDS = (*RECURRENT, "feed-forward", "linear")


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        longest_taught: training sequences have 1 to so many bits, all lengths equally often.
        longest_asked: greatest length of the test, and the width of the feed-forward nets' input.
        units: width H of the recurrent nets; the feed-forward net has two layers of 4 H.
        rows: sequences a training step, new ones every time.
        steps: training steps.
        asked: test sequences a length.
        learning_rate: of Adam.
        seed: root of all random numbers.
    """

    longest_taught: int = 12
    longest_asked: int = 96
    units: int = 16
    rows: int = 128
    steps: int = 2500
    asked: int = 512
    learning_rate: float = 5e-3
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int(
            "Config", longest_taught=self.longest_taught, longest_asked=self.longest_asked, units=self.units,
            rows=self.rows, steps=self.steps, asked=self.asked,
        )  # fmt: skip
        if self.longest_asked <= self.longest_taught:
            raise ValueError(
                "Config asks for longer sequences than it teaches. "
                f"Received: longest_taught={self.longest_taught}, longest_asked={self.longest_asked}"
            )
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"Config needs a positive learning_rate. Received: learning_rate={self.learning_rate!r}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: lengths that few units learn in few steps."""
        return cls(longest_taught=3, longest_asked=6, units=4, rows=16, steps=25, asked=32)


def parity_task(lengths: Any, width: int, seed: int) -> tuple[Any, Any]:
    """Sequences of random bits, zeros behind their end, and whether the number of +1 is odd.

    Args:
        lengths: integers (N,), bits of each sequence.
        width: int, positions of the array.
        seed: int.

    Returns:
        Tuple of x (N, width, 1) of -1, +1 and 0, and targets (N,), 1 for an odd number of +1.

    Raises:
        ValueError: for a length below 1 or above the width.

    Example:
        >>> x, y = parity_task([1, 3], 4, seed=0)
        >>> x.shape, bool(np.all(y == ((x[:, :, 0] == 1).sum(axis=1) % 2))), x[0, 1:, 0].tolist()
        ((2, 4, 1), True, [0.0, 0.0, 0.0])

    Source: S 9.5 (a latent state and what a window lacks: parity).
    """
    lengths = np.asarray(lengths)
    if np.any(lengths < 1) or np.any(lengths > width):
        raise ValueError(f"parity_task needs lengths from 1 to {width}. Received: {lengths.min()} to {lengths.max()}")
    draws = np.random.Generator(np.random.Philox(derive_seed(seed, "parity")))
    bits = draws.integers(0, 2, size=(len(lengths), width))
    inside = np.arange(width) < lengths[:, None]
    targets = np.sum(bits * inside, axis=1) % 2
    return ((2.0 * bits - 1) * inside)[..., None].astype("float32"), targets.astype("float32")


class _Answerer:
    """One net and its training on parity."""

    def __init__(self, kind: str, config: Config) -> None:
        self.kind, self.config = kind, config

        def start(part: Any, of: Any = keras.initializers.GlorotUniform) -> Any:
            return of(seed=derive_seed(config.seed, kind, part))

        if kind in RECURRENT:
            how = {} if kind == "rnn" else {"activation": "tanh"}
            self.body = [
                RECURRENT[kind](
                    config.units, **how, kernel_initializer=start("kernel"),
                    recurrent_initializer=start("recurrent", keras.initializers.Orthogonal),
                )
            ]  # fmt: skip
            shapes = [(None, None, 1), (None, config.units)]
        else:
            widths = [4 * config.units] * 2 if kind == "feed-forward" else []
            self.body = [keras.layers.Dense(w, "relu", kernel_initializer=start(k)) for k, w in enumerate(widths)]
            shapes = [(None, width) for width in (config.longest_asked, *widths)]
        self.read_out = keras.layers.Dense(1, kernel_initializer=start("read_out"))
        for layer, shape in zip((*self.body, self.read_out), shapes, strict=True):
            layer.build(shape)
        self.weights = [weight for layer in (*self.body, self.read_out) for weight in layer.trainable_variables]

    def scores(self, x: Any) -> Any:
        """Log-odds of an odd number, (N,)."""
        if self.kind in RECURRENT:
            return self.read_out(self.body[0](x, mask=x[..., 0] != 0))[:, 0]
        h = ops.pad(x[..., 0], ((0, 0), (0, self.config.longest_asked - x.shape[1])))
        for layer in self.body:
            h = layer(h)
        return self.read_out(h)[:, 0]

    def train(self) -> None:
        config = self.config
        optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(config.learning_rate, config.steps), clipnorm=1.0
        )
        optimizer.build(self.weights)

        @tf.function(autograph=False)
        def step(x: Any, targets: Any) -> None:
            with tf.GradientTape() as tape:
                loss = ops.mean(ops.softplus((1 - 2 * targets) * self.scores(x)))
            optimizer.apply(tape.gradient(loss, [weight.value for weight in self.weights]), self.weights)

        lengths = np.arange(config.rows) % config.longest_taught + 1
        for number in range(config.steps):
            seed = derive_seed(config.seed, "step", number)
            step(*(tf.constant(each) for each in parity_task(lengths, config.longest_taught, seed)))

    def accuracy(self, length: int) -> float:
        x, targets = parity_task([length] * self.config.asked, length, derive_seed(self.config.seed, "asked", length))
        return float(np.mean((np.asarray(self.scores(tf.constant(x))) > 0) == (targets > 0)))


def run(config: Config) -> Table:
    """The share of right answers at every length, net by net.

    y = prod_t x_t

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns net, length and accuracy. The headline has each net's mean accuracy over the lengths that
        were taught, and over the longer ones.

    Example:
        >>> table = run(Config.tiny())
        >>> sorted(set(table["net"].tolist()))
        ['feed-forward', 'gru', 'linear', 'lstm', 'rnn']

    Source: S 9.5, C 10.3.
    """
    columns: dict[str, list[Any]] = {"net": [], "length": [], "accuracy": []}
    headline = {}
    longer = np.unique(np.linspace(config.longest_taught + 1, config.longest_asked, 12).astype(int))
    lengths = [*range(1, config.longest_taught + 1), *longer.tolist()]
    for kind in KINDS:
        net = _Answerer(kind, config)
        net.train()
        found = np.array([net.accuracy(length) for length in lengths])
        columns["net"] += [kind] * len(lengths)
        columns["length"] += lengths
        columns["accuracy"] += found.tolist()
        headline[f"{kind}: accuracy on taught lengths"] = float(found[: config.longest_taught].mean())
        headline[f"{kind}: accuracy on longer ones"] = float(found[config.longest_taught :].mean())
    return Table("parity", columns, lambda table: _draw(table, config), headline)


def _draw(table: Table, config: Config) -> Any:
    """Accuracy against length; what was taught is shaded."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE, RED

    figure = Figure(figsize=(6.8, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(1, config.longest_taught, color=GREY, alpha=0.15, linewidth=0, label="lengths taught")
    axes.axhline(0.5, color=GREY, linestyle=":", linewidth=1)
    looks = zip(KINDS, (ORANGE, BLUE, GREEN, RED, GREY), ("o-", "s-", ".-", "d--", "x--"), strict=True)
    for kind, colour, style in looks:
        rows = table.where(net=kind)
        axes.plot(rows["length"], rows["accuracy"], style, color=colour, markersize=4, linewidth=1.2, label=kind)
    axes.set(xlabel="bits of the sequence", ylabel="share of right answers", ylim=(0.4, 1.02))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 0.95))
    axes.set_title("Even or odd: accuracy against length", fontsize=11)
    return figure
