"""How much of an error reaches the steps before it: simple recurrent net, LSTM and GRU on a long lag; and clipping.

    delta_t = dL/da_t,   a_t the pre-activations of step t
    delta_{t-1} = delta_t W^T diag(f'(a_{t-1}))   in a simple net: a factor a step, so it falls or grows like a power
    dc_{t-1}    = dc_t * f_t                      in an LSTM's cell: no matrix, and f near 1 if it is to remember

Recall: the sign of the first input is wanted after `lag` further inputs of noise. Explosion: the same task for a simple
net whose recurrent matrix is stretched, by gradient descent, with the gradient clipped to a norm and without.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
from keras_course.ops.clipping import clip_by_global_norm

__all__ = ["CELLS", "Config", "error_at_each_step", "recall_task", "run"]

CELLS: dict[str, Callable[..., Any]] = {
    "rnn": RNN,
    "lstm": LSTM,
    "gru": lambda units, **how: GRU(units, activation="tanh", **how),
}
FEATURES = 2


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        lag: steps between the sign and the decision.
        units: width H of every cell.
        rows: sequences of the task.
        steps: training steps on all of them.
        learning_rate: of Adam in the comparison of cells.
        radius: factor on the orthogonal recurrent matrix of the exploding net.
        descent_rate: of the plain gradient descent there.
        threshold: norm that gradients are clipped to.
        seed: root of all random numbers.
    """

    lag: int = 60
    units: int = 24
    rows: int = 64
    steps: int = 300
    learning_rate: float = 0.01
    radius: float = 2.0
    descent_rate: float = 0.5
    threshold: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int("Config", lag=self.lag, units=self.units, rows=self.rows, steps=self.steps)
        for name in ("learning_rate", "radius", "descent_rate", "threshold"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"Config needs a positive {name}. Received: {name}={value!r}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: a short lag, few units and steps."""
        return cls(lag=20, units=8, rows=16, steps=40)


def recall_task(rows: int, lag: int, seed: int) -> tuple[Any, Any]:
    """Sequences that begin with a sign and go on with noise, and the sign as 0 or 1.

    Args:
        rows: int, number of sequences.
        lag: int, steps after the first.
        seed: int.

    Returns:
        Tuple of x (rows, lag + 1, 2), whose second feature says "now" at the first step, and targets (rows,).

    Example:
        >>> x, y = recall_task(4, 3, seed=0)
        >>> x.shape, bool(np.all((x[:, 0, 0] > 0) == y))
        ((4, 4, 2), True)

    Source: C 13.1; Bengio, Simard and Frasconi 1994.
    """
    draws = np.random.Generator(np.random.Philox(derive_seed(seed, "recall")))
    x = np.zeros((rows, lag + 1, FEATURES))
    x[:, :, 0] = 0.3 * draws.normal(size=(rows, lag + 1))
    targets = np.arange(rows) % 2
    x[:, 0] = np.stack([2.0 * targets - 1, np.ones(rows)], axis=1)
    return x.astype("float32"), targets.astype("float32")


def error_at_each_step(layer: Any, x: Any, direction: Any) -> Any:
    """How strongly the last state's component along `direction` moves with the pre-activations of every step.

    |dL/da_t|, L = h_T . v

    Args:
        layer: a built recurrent layer.
        x: tensor (B, T, F).
        direction: tensor (H,), v.

    Returns:
        Tensor (T,), the norm at each step, a mean over the rows.

    Example:
        >>> layer = RNN(1, activation="linear", recurrent_initializer=keras.initializers.Constant(0.5))
        >>> layer.build((None, 3, 2))
        >>> error_at_each_step(layer, ops.zeros((1, 3, 2)), ops.ones((1,))).numpy().tolist()
        [0.25, 0.5, 1.0]

    Source: C 13.1, 12.1; B Vanishing Gradient.
    """
    projected = layer.cell.project(ops.transpose(x, (1, 0, 2)))  # (T, B, G H)
    start = [ops.cast(state, projected.dtype) for state in layer.get_initial_state(batch_size=x.shape[0])]
    with tf.GradientTape() as tape:
        tape.watch(projected)
        _, (last, *_) = layer.cell.run(projected, start, training=True)
        total = ops.sum(last * direction)
    return ops.mean(ops.norm(tape.gradient(total, projected), axis=-1), axis=-1)


class _Recaller:
    """One recurrent layer, a read-out, and the logistic loss of the recall task."""

    def __init__(self, kind: str, config: Config, **how: Any) -> None:
        def start(part: str, of: Any) -> Any:
            return of(seed=derive_seed(config.seed, kind, part))

        self.layer = CELLS[kind](
            config.units,
            kernel_initializer=start("kernel", keras.initializers.GlorotUniform),
            **{"recurrent_initializer": start("recurrent", keras.initializers.Orthogonal), **how},
        )
        self.layer.build((None, config.lag + 1, FEATURES))
        self.read_out = keras.layers.Dense(1, kernel_initializer=start("read_out", keras.initializers.GlorotUniform))
        self.read_out.build((None, config.units))
        self.weights = [*self.layer.trainable_variables, *self.read_out.trainable_variables]

    def loss_and_gradients(self, x: Any, targets: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            score = self.read_out(self.layer(x, training=True))[:, 0]
            loss = ops.mean(ops.softplus((1 - 2 * targets) * score))
        return loss, tape.gradient(loss, [weight.value for weight in self.weights])

    def train(self, x: Any, targets: Any, steps: int, optimizer: Any, threshold: float | None) -> Any:
        """Losses before each step, and the largest norm of a gradient on the way."""
        optimizer.build(self.weights)

        @tf.function(autograph=False)
        def step() -> Any:
            loss, gradients = self.loss_and_gradients(x, targets)
            norm = tf.linalg.global_norm(gradients)
            kept = gradients if threshold is None else clip_by_global_norm(gradients, threshold)
            optimizer.apply(kept, self.weights)
            return loss, norm

        found = np.array([[float(value) for value in step()] for _ in range(steps)])
        return found[:, 0], found[:, 1]


def run(config: Config) -> Table:
    """Errors over time of three cells, fresh and trained; losses of an exploding net, clipped and free.

    delta_t = dL/da_t

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns part ("fresh", "trained": error at each step; "training": loss at each training step;
        "free", "clipped": loss of the exploding net), cell, position (step of the sequence, or of training) and value.

    Example:
        >>> table = run(Config.tiny())
        >>> fresh = table.where(part="fresh", cell="rnn")
        >>> bool(fresh["value"][0] < fresh["value"][-1])
        True

    Source: C 13.1, 7.2.4, 7.2.5; N; B Vanishing Gradient.
    """
    x, targets = (tf.constant(each) for each in recall_task(config.rows, config.lag, config.seed))
    columns: dict[str, list[Any]] = {"part": [], "cell": [], "position": [], "value": []}
    headline = {}

    def add(part: str, cell: str, values: Any) -> None:
        for position, value in enumerate(np.asarray(values, "float64")):
            for name, each in zip(columns, (part, cell, position, float(value)), strict=True):
                columns[name].append(each)

    for cell in CELLS:
        recaller = _Recaller(cell, config)
        norms = {}
        for part in ("fresh", "trained"):
            if part == "trained":
                optimizer = keras.optimizers.Adam(config.learning_rate)
                losses, _ = recaller.train(x, targets, config.steps, optimizer, None)
                add("training", cell, losses)
                headline[f"loss after training, {cell}"] = float(losses[-1])
            norms[part] = np.asarray(error_at_each_step(recaller.layer, x, recaller.read_out.kernel[:, 0]))
            add(part, cell, norms[part])
            headline[f"error at the first step over that at the last, {part} {cell}"] = float(
                norms[part][0] / norms[part][-1]
            )

    stretched = keras.initializers.Orthogonal(config.radius, seed=derive_seed(config.seed, "stretched"))
    for part, threshold in (("free", None), ("clipped", config.threshold)):
        recaller = _Recaller("rnn", config, recurrent_initializer=stretched)
        optimizer = keras.optimizers.SGD(config.descent_rate)
        losses, norms_on_the_way = recaller.train(x, targets, config.steps, optimizer, threshold)
        add(part, "rnn", losses)
        headline[f"mean loss of the last tenth, {part}"] = float(np.mean(losses[-max(1, config.steps // 10) :]))
        headline[f"largest norm of a gradient, {part}"] = float(np.max(norms_on_the_way))
    return Table("gradient-over-time", columns, lambda table: _draw(table, config), headline)


def _draw(table: Table, config: Config) -> Any:
    """Errors over time, fresh and trained; losses of the cells; losses with and without clipping."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREY, ORANGE

    figure = Figure(figsize=(11, 4), layout="constrained")
    errors, training, clipping = figure.subplots(1, 3)
    for cell, colour in zip(CELLS, (ORANGE, BLUE, GREY), strict=True):
        for part, style in (("fresh", "--"), ("trained", "-")):
            rows = table.where(part=part, cell=cell)
            errors.plot(rows["position"], rows["value"], style, color=colour, label=f"{cell}, {part}")
        rows = table.where(part="training", cell=cell)
        training.plot(rows["position"], rows["value"], color=colour, label=cell)
    errors.set(xlabel="step of the sequence", ylabel=r"$|\partial L/\partial a_t|$", yscale="log")
    training.set(xlabel="training step", ylabel="loss of recall", title=f"lag {config.lag}")
    for part, colour in (("free", ORANGE), ("clipped", BLUE)):
        rows = table.where(part=part)
        clipping.plot(rows["position"], rows["value"], color=colour, label=part)
    clipping.set(xlabel="training step", ylabel="loss", title=f"recurrent matrix stretched by {config.radius:g}")
    for axes in (errors, training, clipping):
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("gradient-over-time")
    return figure
