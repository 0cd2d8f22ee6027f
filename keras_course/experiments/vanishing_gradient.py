"""Vanishing and exploding gradients: how much of it arrives, layer by layer, and whether the network then learns.

    |dloss/dh_l| of a deep network at its start, l = L ... 0, and training accuracy after some steps of descent
    activations x starting weights x (plain, normalized, residual, both)

What is measured lies beside what an infinitely wide network would show (deep_gradients.py).

Seen on 128 digits, 30 layers of 64 units, two seeds: of the gradient on top 1e-19 arrives at the input of a plain
logistic network, a factor of 0.235 a layer (0.235 predicted), and it learns nothing. Plain tanh keeps 0.94 a layer and
learns. Plain relu keeps everything with He's weights (1.000) and little with the two of C 7.4 (0.70 and 0.41 a layer):
that rectifiers largely avoid the problem (C 7.2.5) takes weights made for them. Normalized networks learn from every
start with every activation, residual ones too, except with relu: layers and gradients then grow by 1.4 and 1.6 a layer
(normalized and He's weights), and no rate tried works. With normalization in the branch, as in a ResNet, growth is 1.08
and every network learns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets import load
from keras_course.experiments.deep_gradients import (
    ACTIVATIONS,
    NETWORKS,
    deep_loss,
    gradient_by_depth,
    hidden_layers,
    wide_factors,
)
from keras_course.experiments.table import Table
from keras_course.initializers import NormalizedInitialization, UniformFanIn

__all__ = ["Config", "run"]

# Starting weights: an initializer, and g, the variance of a weight times the width.
_STARTS = {
    "fan-in": (UniformFanIn, 1 / 3),
    "normalized": (NormalizedInitialization, 1.0),
    "he": (keras.initializers.HeNormal, 2.0),
}
INITIALIZATIONS = tuple(_STARTS)
MOMENTUM = 0.9


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        dataset: a classification set of flat features, as `datasets.load` names it; layers are as wide as its rows.
        examples: rows of the training split that are used, all in every step.
        depth: hidden layers.
        activations: "logistic", "tanh", "relu", "linear".
        initializations: "fan-in" (variance 1/(3 D)), "normalized" (1/D), "he" (2/D).
        networks: "plain", "normalized", "residual", "normalized residual": `depth` layers of one kind on top of each
            other, each with weights of its own.
        learning_rates: of descent with momentum 0.9; the best is kept.
        steps: of descent.
        seeds: starting weights; the data are those of the first.
    """

    dataset: str = "digits-flat"
    examples: int = 128
    depth: int = 30
    activations: tuple[str, ...] = ("logistic", "tanh", "relu")
    initializations: tuple[str, ...] = INITIALIZATIONS
    networks: tuple[str, ...] = NETWORKS
    learning_rates: tuple[float, ...] = (0.001, 0.01, 0.1)
    steps: int = 100
    seeds: tuple[int, ...] = (0, 1)

    def __post_init__(self) -> None:
        require_positive_int("Config", examples=self.examples, depth=self.depth, steps=self.steps)
        for field, known in (
            ("activations", ACTIVATIONS), ("initializations", INITIALIZATIONS), ("networks", NETWORKS)
        ):  # fmt: skip
            if not getattr(self, field):
                raise ValueError(f"Config needs at least one of {field}. Received: {field}=()")
            for name in getattr(self, field):
                require_one_of("Config", known, **{field: name})
        if not self.learning_rates or not all(rate > 0 and math.isfinite(rate) for rate in self.learning_rates):
            raise ValueError(f"Config needs positive rates. Received: learning_rates={self.learning_rates}")
        if not self.seeds:
            raise ValueError(f"Config needs at least one seed. Received: seeds={self.seeds}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: fewer examples, layers and steps, one seed."""
        return cls(examples=64, depth=12, learning_rates=(0.01, 0.1), steps=20, seeds=(0,))


_COLUMNS = (
    "activation", "initialization", "network", "seed", "layer", "gradient", "predicted", "weight_gradient", "loss",
    "accuracy",
)  # fmt: skip


def run(config: Config) -> Table:
    """Measures the gradient at every layer of every network at its start, and trains it.

        predicted_l = |dloss/dh_L| sqrt(chi_L ... chi_{l+1})

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` of one row a layer, with columns activation, initialization, network, seed, layer (0 is the input),
        gradient (norm of dloss/dh_l), predicted (in an infinitely wide network with the same gradient on top),
        weight_gradient (norm of dloss/dW_l, NaN for layer 0), loss and accuracy (on the training rows, after training
        from this start at the rate whose loss is least).

    Raises:
        UnknownSlugError: if there is no such data set.

    Example:
        >>> table = run(Config(examples=32, depth=8, activations=("logistic",), steps=1, seeds=(0,)))
        >>> plain = table.where(network="plain", initialization="normalized")["gradient"]
        >>> bool(plain[0] < 1e-3 * plain[-1])
        True

    Source: C 7.2.5, C 7.4, C 7.7, R (Residual Networks), S 9.2, B.
    """
    x, y, classes = _rows_of(config)
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    starts = [(name, seed) for name in config.initializations for seed in config.seeds]
    drawn = [_start(config, x.shape[1], classes, name, seed) for name, seed in starts]
    weights, output = (tf.stack([pair[part] for pair in drawn]) for part in (0, 1))  # (S, L, D, D), (S, K, D)
    exact = [tf.cast(part, "float64") for part in (x, weights, output)]
    for activation in config.activations:
        for network in config.networks:
            norms = gradient_by_depth(exact[0], y, *exact[1:], activation, network)
            losses, accuracies = _train(config, x, y, weights, output, activation, network)
            for index, (name, seed) in enumerate(starts):
                gradient = norms["layers"][index].numpy()
                factors = _factors(config, x, activation, network, name)
                predicted = gradient[-1] * np.sqrt(np.append(np.cumprod(factors[::-1])[::-1], 1.0))
                slopes = [math.nan, *norms["weights"][index].numpy()]
                for layer in range(config.depth + 1):
                    row = (
                        activation, name, network, seed, layer, float(gradient[layer]), float(predicted[layer]),
                        float(slopes[layer]), float(losses[index]), float(accuracies[index]),
                    )  # fmt: skip
                    for column, value in zip(_COLUMNS, row, strict=True):
                        columns[column].append(value)
    table = Table("vanishing-gradient", columns)
    return Table("vanishing-gradient", columns, lambda table: _draw(table, config), _headline(table, config))


def _rows_of(config: Config) -> tuple[Any, Any, int]:
    """Rows of mean 0 and mean square 1 over all pixels, labels, number of classes."""
    data = load(config.dataset, seed=config.seeds[0])
    x = data.train.x[: config.examples].astype("float64")
    x = (x - x.mean()) / x.std()
    return tf.constant(x, "float32"), tf.constant(data.train.y[: config.examples], "int32"), data.spec.classes


def _start(config: Config, width: int, classes: int, name: str, seed: int) -> tuple[Any, Any]:
    initializer = _STARTS[name][0]
    path = (seed, "vanishing-gradient", name)
    layers = [initializer(seed=derive_seed(*path, layer))((width, width)) for layer in range(config.depth)]
    return tf.stack(layers), initializer(seed=derive_seed(*path, "output"))((width, classes)).numpy().T


def _factors(config: Config, x: Any, activation: str, network: str, initialization: str) -> list[float]:
    square, variance = float(tf.reduce_mean(x**2)), float(tf.reduce_mean(tf.math.reduce_variance(x, 0)))
    return wide_factors(activation, network, _STARTS[initialization][1], config.depth, square, variance)


def _train(
    config: Config, x: Any, y: Any, weights: Any, output: Any, activation: str, network: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """(loss, accuracy) of every start after descent at its best rate; all starts and rates side by side."""
    rates = np.repeat(config.learning_rates, len(weights)).astype("float32")  # (R S,)
    w, v = (tf.tile(part, (len(config.learning_rates), *[1] * (part.ndim - 1))) for part in (weights, output))
    matrices = [*tf.unstack(w, axis=1), v]
    batch = tf.broadcast_to(x, (len(rates), *x.shape))

    def scores(matrices: Any) -> tuple[Any, Any]:
        top = hidden_layers(batch, matrices[:-1], activation, network)[-1]
        return top, deep_loss(top, y, matrices[-1])

    @tf.function(autograph=False)
    def step(matrices: Any, speeds: Any) -> tuple[Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(matrices)
            _, losses = scores(matrices)
        slopes = tape.gradient(losses, matrices)
        speeds = [MOMENTUM * speed - rates[:, None, None] * g for speed, g in zip(speeds, slopes, strict=True)]
        return [m + speed for m, speed in zip(matrices, speeds, strict=True)], speeds

    speeds = [tf.zeros_like(m) for m in matrices]
    for _ in range(config.steps):
        matrices, speeds = step(matrices, speeds)
    top, losses = scores(matrices)
    guesses = tf.argmax(tf.matmul(top, matrices[-1], transpose_b=True), -1, output_type=tf.int32)
    shape = (len(config.learning_rates), len(weights))
    lost = np.nan_to_num(losses.numpy(), nan=np.inf).reshape(shape)  # a rate too large leaves NaN behind
    right = np.mean(guesses.numpy() == y.numpy(), axis=-1).reshape(shape)
    best = lost.argmin(0)
    every = np.arange(shape[1])
    return lost[best, every], right[best, every]


def factor_a_layer(gradient: NDArray[Any]) -> float:
    """(|dloss/dh_0| / |dloss/dh_L|)^(1 / L), the geometric mean of what one layer does."""
    return float((gradient[0] / gradient[-1]) ** (1 / (len(gradient) - 1)))


def _headline(table: Table, config: Config) -> dict[str, float]:
    """For the starting weights that suit each activation: factor a layer, predicted factor, accuracy; seeds' means."""
    found = {}
    for activation in config.activations:
        suited = "he" if activation == "relu" else "normalized"
        name = suited if suited in config.initializations else config.initializations[0]
        for network in config.networks:
            rows = table.where(activation=activation, initialization=name, network=network)
            parts = [rows.where(seed=seed) for seed in config.seeds]
            what = f"{activation}, {name} weights, {network}"
            found[f"factor a layer, {what}"] = float(np.mean([factor_a_layer(part["gradient"]) for part in parts]))
            found[f"predicted factor, {what}"] = float(np.mean([factor_a_layer(part["predicted"]) for part in parts]))
            found[f"accuracy, {what}"] = float(np.mean([part["accuracy"][0] for part in parts]))
    return found


def _draw(table: Table, config: Config) -> Any:
    """Above: gradient by layer, dotted as predicted. Below: accuracy after training from these starts."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from keras_course.pipeline.plots import BLUE, GREEN, ORANGE, PURPLE

    colours = dict(zip(NETWORKS, (BLUE, ORANGE, GREEN, PURPLE), strict=True))
    styles = dict(zip(INITIALIZATIONS, ("v", "o", "^"), strict=True))
    figure = Figure(figsize=(3.9 * len(config.activations) + 0.4, 6.6), layout="constrained")
    panels = figure.subplots(2, len(config.activations), squeeze=False, sharey="row", height_ratios=(3, 2))
    for (above, below), activation in zip(panels.T, config.activations, strict=True):
        places = np.arange(len(config.networks))
        for network in config.networks:
            for name in config.initializations:
                rows = table.where(activation=activation, initialization=name, network=network, seed=config.seeds[0])
                settings = {"color": colours[network], "linewidth": 1.2}
                above.plot(rows["layer"], rows["gradient"], marker=styles[name], markevery=5, markersize=4, **settings)
                above.plot(rows["layer"], rows["predicted"], ":", **settings)
        for shift, name in zip(
            np.linspace(-0.25, 0.25, len(config.initializations)), config.initializations, strict=True
        ):
            for place, network in zip(places, config.networks, strict=True):
                rows = table.where(activation=activation, initialization=name, network=network, layer=0)
                spots = np.full(len(rows), place + shift)
                below.plot(spots, rows["accuracy"], styles[name], color=colours[network], markersize=6)
        above.set_yscale("log")
        above.set_title(activation, fontsize=10)
        above.set_xlabel("layer (0 is the input)")
        below.set_xticks(places, [network.replace(" ", "\n") for network in config.networks], fontsize=8)
        below.set_ylim(0, 1.05)
        for axes in (above, below):
            axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_ylabel("norm of the gradient")
    panels[1, 0].set_ylabel(f"training accuracy, {config.steps} steps")
    lines = [Line2D([], [], color=colours[network], label=network) for network in config.networks]
    marks = [Line2D([], [], color="black", linestyle="", marker=styles[n], label=f"{n} weights") for n in styles
             if n in config.initializations]  # fmt: skip
    wide = [Line2D([], [], color="black", linestyle=":", label="infinitely wide")]
    figure.legend(handles=[*lines, *marks, *wide], loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.suptitle(f"vanishing-gradient: {config.dataset}, {config.depth} layers at their start")
    return figure
