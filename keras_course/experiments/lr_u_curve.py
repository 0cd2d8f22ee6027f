"""Training loss and test error against the learning rate: both fall, then rise, a U on a logarithmic axis.

    h = tanh(V x),  z = W h,   loss = mean of -log softmax(z)[y]
    V' = V - rate dloss/dV,    W' = W - rate dloss/dW      on one mini-batch a step

Too small a rate has not arrived when the steps run out; too large a one never settles. All rates train side by side:
the weights carry a leading axis of rates, so one product serves them all, and every rate starts from the same weights
and sees the same batches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import load
from keras_course.experiments.table import Table

__all__ = ["Config", "loss_and_error", "run", "train_at_every_rate"]


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        dataset: a classification set of flat features, as `datasets.load` names it.
        units: hidden units.
        learning_rates: the rates to compare, all > 0.
        steps: mini-batch steps of every training.
        batch_size: examples a step.
        seeds: one training a seed and rate: starting weights and order of the examples.
    """

    dataset: str = "digits-flat"
    units: int = 32
    learning_rates: tuple[float, ...] = tuple(2.0**power for power in range(-10, 7))
    steps: int = 400
    batch_size: int = 32
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        require_positive_int("Config", units=self.units, steps=self.steps, batch_size=self.batch_size)
        if not self.learning_rates or not all(rate > 0 and math.isfinite(rate) for rate in self.learning_rates):
            raise ValueError(f"Config needs positive rates. Received: learning_rates={self.learning_rates}")
        if not self.seeds:
            raise ValueError(f"Config needs at least one seed. Received: seeds={self.seeds}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: a few rates, few steps."""
        return cls(units=8, learning_rates=(2.0**-9, 2.0**-3, 0.5, 64.0), steps=60, seeds=(0,))


def train_at_every_rate(
    x: Any, labels: Any, hidden: Any, output: Any, batches: Any, learning_rates: Any
) -> tuple[Any, Any]:
    """Mini-batch descent of one network, once for each learning rate.

        V' = V - rate dloss/dV,  W' = W - rate dloss/dW,  loss = mean over the batch of -log softmax(W tanh(V x))[y]

    Args:
        x: tensor (N, D).
        labels: int tensor (N,).
        hidden: tensor V (H, D), where every rate starts.
        output: tensor W (K, H).
        batches: int tensor (steps, B), rows of x in each step.
        learning_rates: tensor (R,).

    Returns:
        (V (R, H, D), W (R, K, H)) after all steps.

    Example:
        >>> x, y = tf.constant([[1.0], [-1.0]]), tf.constant([0, 1])
        >>> v, w = train_at_every_rate(x, y, tf.ones([1, 1]), tf.zeros([2, 1]), [[0, 1]], [0.5, 1.0])
        >>> bool(abs(w[1, 0, 0] - 2 * w[0, 0, 0]) < 1e-6)
        True

    Source: C 9.1.5.
    """
    x, batches = ops.convert_to_tensor(x), ops.convert_to_tensor(batches)
    labels = ops.cast(labels, "int32")
    rates = ops.reshape(ops.cast(learning_rates, x.dtype), (-1, 1, 1))
    count = rates.shape[0]
    start = tuple(ops.tile(ops.cast(weight, x.dtype)[None], (count, 1, 1)) for weight in (hidden, output))

    def step(t: Any, v: Any, w: Any) -> tuple[Any, Any, Any]:
        rows = batches[t]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch((v, w))
            total = ops.sum(_losses(tf.gather(x, rows), tf.gather(labels, rows), v, w))  # rates do not meet in it
        slope_v, slope_w = tape.gradient(total, (v, w))
        return t + 1, v - rates * slope_v, w - rates * slope_w

    _, v, w = tf.while_loop(lambda t, *_: t < batches.shape[0], step, (tf.constant(0), *start))
    return v, w


def loss_and_error(x: Any, labels: Any, hidden: Any, output: Any) -> tuple[Any, Any]:
    """Mean cross entropy and share of wrong answers, for each of R networks.

    Args:
        x: tensor (N, D).
        labels: int tensor (N,).
        hidden: tensor (R, H, D).
        output: tensor (R, K, H).

    Returns:
        (loss (R,), error (R,)).

    Example:
        >>> loss, error = loss_and_error(tf.ones([2, 1]), tf.constant([0, 1]), tf.zeros([1, 1, 1]), tf.zeros([1, 2, 1]))
        >>> [round(float(loss[0]), 6), float(error[0])]
        [0.693147, 0.5]

    Source: C 9.1.5.
    """
    x, labels = ops.convert_to_tensor(x), ops.cast(labels, "int32")
    wrong = ops.argmax(_scores(x, hidden, output), -1) != labels[None]
    return _losses(x, labels, hidden, output), ops.mean(ops.cast(wrong, x.dtype), -1)


def run(config: Config) -> Table:
    """Trains at every rate from every seed.

        loss(rate): high (not there yet), low, high (never settles)

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns seed, learning_rate, training_loss, training_error, test_error.

    Raises:
        UnknownSlugError: if there is no such data set.

    Example:
        >>> table = run(Config.tiny())
        >>> loss = table["training_loss"]
        >>> bool(loss[0] > loss[2] < loss[3])
        True

    Source: C 9.1.5.
    """
    names = ("seed", "learning_rate", "training_loss", "training_error", "test_error")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    train = tf.function(train_at_every_rate, jit_compile=True, autograph=False)
    for seed in config.seeds:
        data = load(config.dataset, seed=seed)
        x, y = data.train.x.astype("float32"), data.train.y
        hidden, output = _starting_weights(config, x.shape[1], data.spec.classes, seed)
        batches = _batches(config, len(x), seed)
        v, w = train(x, y, hidden, output, batches, np.float32(config.learning_rates))
        loss, error = loss_and_error(x, y, v, w)
        _, test_error = loss_and_error(data.test.x.astype("float32"), data.test.y, v, w)
        for index, rate in enumerate(config.learning_rates):
            row = (seed, rate, float(loss[index]), float(error[index]), float(test_error[index]))
            for name, value in zip(names, row, strict=True):
                columns[name].append(value)
    return Table("lr-u-curve", columns, lambda table: _draw(table, config), _headline(columns, config))


def _headline(columns: dict[str, list[Any]], config: Config) -> dict[str, float]:
    """Means over the seeds: where loss and error are least, and what they are there and at both ends."""
    rates, found = np.array(config.learning_rates), {}
    ends = {"smallest rate": int(rates.argmin()), "greatest rate": int(rates.argmax())}
    for name in ("training_loss", "test_error"):
        mean, shown = np.reshape(columns[name], (len(config.seeds), -1)).mean(0), name.replace("_", " ")
        found[f"rate of least {shown}"] = float(rates[mean.argmin()])
        found[f"least {shown}"] = float(mean.min())
        found |= {f"{shown} at the {end} {rates[place]:g}": float(mean[place]) for end, place in ends.items()}
    return found


def _scores(x: Any, hidden: Any, output: Any) -> Any:
    units = ops.tanh(ops.einsum("nd,rhd->rnh", x, hidden))
    return ops.einsum("rnh,rkh->rnk", units, output)


def _losses(x: Any, labels: Any, hidden: Any, output: Any) -> Any:
    """Mean cross entropy of each network, (R,)."""
    scores = _scores(x, hidden, output)  # (R, N, K)
    chosen = ops.sum(scores * ops.one_hot(labels, scores.shape[-1], dtype=scores.dtype), -1)
    return ops.mean(ops.logsumexp(scores, -1) - chosen, -1)


def _starting_weights(config: Config, features: int, classes: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.Generator(np.random.Philox(derive_seed(seed, "lr-u-curve", "weights")))
    hidden = rng.normal(size=(config.units, features)) / math.sqrt(features)
    output = rng.normal(size=(classes, config.units)) / math.sqrt(config.units)
    return hidden.astype("float32"), output.astype("float32")


def _batches(config: Config, rows: int, seed: int) -> NDArray[np.int32]:
    """Rows of every step, (steps, B): permutation after permutation, cut into batches."""
    needed, order = config.steps * config.batch_size, []
    for epoch in range(-(-needed // rows)):
        rng = np.random.Generator(np.random.Philox(derive_seed(seed, "lr-u-curve", "order", epoch)))
        order.append(rng.permutation(rows))
    return np.concatenate(order)[:needed].reshape(config.steps, config.batch_size).astype("int32")


def _draw(table: Table, config: Config) -> Any:
    """Both curves over the rates, their seeds as a band, the best rate marked."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREY, ORANGE

    rates = np.array(config.learning_rates)
    order = np.argsort(rates)
    figure = Figure(figsize=(10.5, 3.9), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, names, label in zip(
        panels,
        (("training_loss",), ("training_error", "test_error")),
        ("training loss (mean cross entropy, nats)", "error (share of examples)"),
        strict=True,
    ):
        for name, colour in zip(names, (BLUE,) if len(names) == 1 else (BLUE, ORANGE), strict=True):
            values = table[name].reshape(len(config.seeds), len(rates))[:, order]
            axes.fill_between(rates[order], values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
            axes.plot(rates[order], values.mean(0), "o-", color=colour, markersize=4, label=name.replace("_", " "))
            best = rates[order][values.mean(0).argmin()]
            axes.axvline(best, color=colour, linestyle=":", linewidth=1.2)
        axes.set_xscale("log", base=2)
        axes.set_xlabel("learning rate")
        axes.set_ylabel(label)
        axes.grid(alpha=0.25, linewidth=0.6, color=GREY)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yscale("log")
    figure.suptitle(
        f"lr-u-curve: {config.dataset}, {config.steps} steps of {config.batch_size}, {len(config.seeds)} seeds"
    )
    return figure
