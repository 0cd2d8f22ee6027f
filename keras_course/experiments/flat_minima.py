"""Flat against sharp minima: curvature and loss around the ends of small-batch and large-batch training.

    network     W relu(V x~),  x~ = x with a 1 appended,   loss = mean of -log softmax(W relu(V x~))[y]
    sharpness   largest eigenvalue of the Hessian of the loss, by power iteration v' = H v / |H v|;
                H v is the gradient of (gradient . v), so H is never formed
    around it   loss at w + alpha d, d drawn at random: as long as w as a whole ("plain"), or row by row as long as
                the row of w, one row a unit ("by units")

Descent with the rate eta cannot stay where the sharpness is above 2 / eta. All trainings stop at one training loss,
since near zero loss the curvature of the cross entropy is near zero as well.

A caveat: (V, W) -> (c V, W / c) leaves the function as it is, since relu(c z) = c relu(z) for c > 0, and scales the
blocks of the Hessian by 1 / c^2 and c^2: the largest eigenvalue is at least c^2 times that of the block of W, as large
as one likes. So sharpness alone says nothing about a function. The loss "by units" does not see c.

Seen on the digits with five seeds: at the rate 0.5, batches of 16 end at a sharpness of 0.64 to 0.79, the full batch at
1.5 to 1.8; at the rate 0.1, at 1.3 to 1.5 and again 1.5 to 1.8. Test accuracy does not tell them apart: 0.968, 0.965,
0.965 and 0.964 on average, where seeds differ by 0.02.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import load
from keras_course.experiments.loss_landscape import (
    cross_entropy,
    loss_along,
    rescaled,
    scores,
    sharpness,
    unit_scaled,
)
from keras_course.experiments.table import Table

__all__ = ["Config", "run"]


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        dataset: a classification set of flat features, as `datasets.load` names it.
        units: hidden units.
        batch_sizes: examples a step; larger than the training set means all of it.
        learning_rates: rates, each tried with every batch size.
        target: training loss at which a training ends, at the first step that reaches it.
        epochs: epochs after which a training ends anyway.
        power_steps: steps of the power iteration.
        reach: largest |alpha| along a direction.
        directions: random directions over which the loss around an end is averaged.
        factor: c of the reparametrisation, a power of two (so that it rounds nothing).
        seeds: one training a seed and setting: the split of the data, starting weights, order, directions.
    """

    dataset: str = "digits-flat"
    units: int = 32
    batch_sizes: tuple[int, ...] = (16, 2048)
    learning_rates: tuple[float, ...] = (0.1, 0.5)
    target: float = 0.02
    epochs: int = 8000
    power_steps: int = 100
    reach: float = 1.0
    directions: int = 10
    factor: float = 4.0
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        require_positive_int(
            "Config", units=self.units, epochs=self.epochs, power_steps=self.power_steps, directions=self.directions
        )
        if not self.batch_sizes:
            raise ValueError(f"Config needs at least one batch size. Received: batch_sizes={self.batch_sizes}")
        for size in self.batch_sizes:
            require_positive_int("Config", batch_sizes=size)
        if not self.learning_rates or not all(rate > 0 and math.isfinite(rate) for rate in self.learning_rates):
            raise ValueError(f"Config needs positive rates. Received: learning_rates={self.learning_rates}")
        for name in ("target", "reach", "factor"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"Config needs a positive {name}. Received: {name}={value!r}")
        if math.frexp(self.factor)[0] != 0.5:
            raise ValueError(f"Config needs a power of two as factor. Received: factor={self.factor!r}")
        if not self.seeds:
            raise ValueError(f"Config needs at least one seed. Received: seeds={self.seeds}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: a smaller network, a higher loss, one rate and one seed."""
        return cls(
            units=8, learning_rates=(0.5,), target=0.3, epochs=300, power_steps=40, directions=2, seeds=(0,)
        )  # fmt: skip


_COLUMNS = (
    "batch_size", "learning_rate", "seed", "steps", "training_loss", "test_accuracy", "sharpness", "residual",
    "rescaled_sharpness", "changed", "alpha", "plain", "by_units", "rescaled_by_units",
)  # fmt: skip
POINTS = 21
EPOCHS_AT_ONCE = 50


def run(config: Config) -> Table:
    """Trains with every batch size and rate from every seed to one loss, and looks around.

        sharpness = largest eigenvalue of the Hessian of the training loss

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` of one row an alpha, with columns batch_size, learning_rate, seed, steps, training_loss,
        test_accuracy, sharpness, residual (of the power iteration), rescaled_sharpness (of (c V, W / c)), changed
        (largest change of any score by the rescaling), alpha, and the mean loss at alpha: plain, by_units,
        rescaled_by_units.

    Raises:
        UnknownSlugError: if there is no such data set.

    Example:
        >>> table = run(Config.tiny())
        >>> bool((table["changed"] == 0).all() and (table["rescaled_sharpness"] > table["sharpness"]).all())
        True

    Source: R (Flat vs sharp minima).
    """
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    tools = _Tools(config)
    for seed in config.seeds:
        data = load(config.dataset, seed=seed)
        for size in sorted(config.batch_sizes):
            for rate in sorted(config.learning_rates):
                for row in _rows(config, tools, data, size, rate, seed):
                    for name, value in zip(_COLUMNS, (size, rate, seed, *row), strict=True):
                        columns[name].append(value)
    return Table("flat-minima", columns, lambda table: _draw(table, config), _headline(columns, config))


def _headline(columns: dict[str, list[Any]], config: Config) -> dict[str, float]:
    """Means over the seeds of every setting, at the end of training."""
    table, found = Table("flat-minima", columns), {}
    for size in sorted(config.batch_sizes):
        for rate in sorted(config.learning_rates):
            rows, named = table.where(batch_size=size, learning_rate=rate, alpha=0.0), f"batch {size}, rate {rate:g}"
            for column in ("sharpness", "rescaled_sharpness", "test_accuracy", "training_loss"):
                found[f"{column.replace('_', ' ')}, {named}"] = float(rows[column].mean())
    return found


def _train(x: Any, y: Any, hidden: Any, output: Any, batches: Any, rate: Any, target: Any) -> tuple[Any, ...]:
    """Descent on batches (T, B) until the loss over all examples is at most the target: (steps, V, W, loss)."""

    def step(t: Any, v: Any, w: Any, _: Any) -> tuple[Any, ...]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch((v, w))
            loss = cross_entropy(tf.gather(x, batches[t]), tf.gather(y, batches[t]), v, w)
        slope_v, slope_w = tape.gradient(loss, (v, w))
        v, w = v - rate * slope_v, w - rate * slope_w
        return t + 1, v, w, cross_entropy(x, y, v, w)

    state = (tf.constant(0), hidden, output, cross_entropy(x, y, hidden, output))
    return tf.while_loop(lambda t, v, w, loss: (t < batches.shape[0]) & (loss > target), step, state)


class _Tools:
    """Compiled once for all trainings."""

    def __init__(self, config: Config) -> None:
        def curvature(x: Any, y: Any, v: Any, w: Any, start: Any) -> Any:
            return sharpness(partial(cross_entropy, x, y), (v, w), start, config.power_steps)

        def look(x: Any, y: Any, v: Any, w: Any, direction: Any) -> Any:
            return loss_along(partial(cross_entropy, x, y), (v, w), direction, _alphas(config))

        self.train, self.curvature, self.look = (
            tf.function(part, jit_compile=True, autograph=False) for part in (_train, curvature, look)
        )


def _alphas(config: Config) -> NDArray[np.float32]:
    return np.linspace(-config.reach, config.reach, POINTS, dtype="float32")


def _trained(
    config: Config, tools: _Tools, x: Any, y: Any, classes: int, size: int, rate: float, seed: int
) -> tuple[Any, Any, int]:
    """(V, W, steps) at the end of one training; all settings of a seed start at the same weights."""
    rng = np.random.Generator(np.random.Philox(derive_seed(seed, "flat-minima", "weights")))
    v = tf.constant(rng.normal(size=(config.units, x.shape[1] + 1)) * math.sqrt(2 / x.shape[1]), "float32")
    w = tf.constant(rng.normal(size=(classes, config.units)) * math.sqrt(2 / config.units), "float32")
    rng = np.random.Generator(np.random.Philox(derive_seed(seed, "flat-minima", "order", size)))
    size, done, loss = min(size, len(x)), 0, math.inf
    target = tf.constant(config.target, tf.float32)
    steps = len(x) // size  # of an epoch
    while done < config.epochs * steps and loss > config.target:
        order = np.stack([rng.permutation(len(x)) for _ in range(EPOCHS_AT_ONCE)])
        batches = order[:, : steps * size].reshape(-1, size)[: config.epochs * steps - done].astype("int32")
        count, v, w, loss = tools.train(x, y, v, w, tf.constant(batches), tf.constant(rate, tf.float32), target)
        done += int(count)
    return v, w, done


def _rows(config: Config, tools: _Tools, data: Any, size: int, rate: float, seed: int) -> list[tuple[Any, ...]]:
    x, y = tf.constant(data.train.x, "float32"), tf.constant(data.train.y, "int32")
    v, w, steps = _trained(config, tools, x, y, data.spec.classes, size, rate, seed)
    others = rescaled(v, w, config.factor)
    test = scores(data.test.x.astype("float32"), v, w)
    accuracy = np.mean(np.argmax(test, -1) == data.test.y)
    changed = np.abs(scores(data.test.x.astype("float32"), *others) - test).max()

    rng = np.random.Generator(np.random.Philox(derive_seed(seed, "flat-minima", "directions")))
    draws = [[tf.constant(rng.normal(size=part.shape), "float32") for part in (v, w)] for _ in range(config.directions)]
    (found, residual), (sharper, _) = (tools.curvature(x, y, *weights, draws[0]) for weights in ((v, w), others))
    along: dict[str, list[Any]] = {"plain": [], "by_units": [], "rescaled_by_units": []}
    for p, q in draws:
        ratio = _length(v, w) / _length(p, q)
        along["plain"].append(tools.look(x, y, v, w, [ratio * p, ratio * q]))
        along["by_units"].append(tools.look(x, y, v, w, [unit_scaled(p, v), unit_scaled(q, w)]))
        scaled = [unit_scaled(p, others[0]), unit_scaled(q, others[1])]
        along["rescaled_by_units"].append(tools.look(x, y, *others, scaled))
    lines = np.stack([np.mean(values, 0) for values in along.values()], 1)
    end = map(float, (cross_entropy(x, y, v, w), accuracy, found, residual, sharper, changed))
    fixed = (steps, *end)
    return [(*fixed, float(alpha), *map(float, line)) for alpha, line in zip(_alphas(config), lines, strict=True)]


def _length(v: Any, w: Any) -> Any:
    return tf.sqrt(tf.reduce_sum(v**2) + tf.reduce_sum(w**2))


def _draw(table: Table, config: Config) -> Any:
    """Loss along directions; sharpness of every end against 2 / rate, and rescaled; test accuracy against sharpness."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE, PURPLE

    settings = [(size, rate) for rate in sorted(config.learning_rates) for size in sorted(config.batch_sizes)]
    colours = dict(zip(settings, (BLUE, ORANGE, GREEN, PURPLE) + ("tab:brown",) * len(settings), strict=False))
    figure = Figure(figsize=(11, 7.8), layout="constrained")
    panels = figure.subplots(2, 2)
    ends = table.where(alpha=0.0)
    for axes, column, title in (
        (panels[0, 0], "plain", "random directions as long as all weights"),
        (panels[0, 1], "by_units", "random directions scaled unit by unit"),
    ):
        for (size, rate), colour in colours.items():
            rows = table.where(batch_size=size, learning_rate=rate)
            values = rows[column].reshape(-1, POINTS)
            alphas = rows["alpha"][:POINTS]
            axes.fill_between(alphas, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
            axes.plot(alphas, values.mean(0), color=colour, linewidth=1.3, label=f"batch {size}, rate {rate:g}")
        axes.set_xlabel("alpha")
        axes.set_ylabel("training loss")
        axes.set_title(title, fontsize=10)
        axes.set_yscale("log")
        axes.legend(frameon=False, fontsize=8)
    bars, cloud = panels[1]
    for place, ((size, rate), colour) in enumerate(colours.items()):
        rows = ends.where(batch_size=size, learning_rate=rate)
        spots = np.full(len(rows), float(place)) + np.linspace(-0.08, 0.08, len(rows))
        bars.plot(spots - 0.12, rows["sharpness"], "o", color=colour, markersize=5)
        bars.plot(spots + 0.12, rows["rescaled_sharpness"], "o", color=colour, markersize=5, fillstyle="none")
        bars.plot([place - 0.35, place + 0.35], [2 / rate] * 2, ":", color=GREY, linewidth=1.2)
        cloud.plot(rows["sharpness"], rows["test_accuracy"], "o", color=colour, markersize=5)
    bars.set_xticks(range(len(settings)), [f"batch {size}\nrate {rate:g}" for size, rate in settings], fontsize=8)
    bars.set_yscale("log")
    bars.set_ylabel("sharpness")
    bars.set_title(f"hollow: the same function as (cV, W/c), c = {config.factor:g}; dotted: 2 / rate", fontsize=10)
    cloud.set_xlabel("sharpness")
    cloud.set_ylabel("test accuracy")
    cloud.set_title("one point a training", fontsize=10)
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"flat-minima: {config.dataset}, to a training loss of {config.target:g}, {len(config.seeds)} seeds"
    )
    return figure
