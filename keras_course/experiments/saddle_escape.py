"""How long descent stays at a saddle: the printed y^4 - x^4, which is flat there, against y^2 - x^2, which is not.

    w' = w - rate (grad f(w) + noise p)

    f(x, y) = y^4 - x^4    x' = x + 4 rate x^3       leaves after about (1 / x0^2 - 1) / (8 rate) steps
    f(x, y) = y^2 - x^2    x' = x (1 + 2 rate)       leaves after log(1 / x0) / log(1 + 2 rate) steps

At x0 = 0 exactly neither ever leaves; a little noise in the gradient frees both. The course calls y^4 - x^4
"minimised at x = infinity": it has no minimiser, and falls without bound to both sides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.experiments.table import Table
from keras_course.inference.mcmc.draws import draw_normal

__all__ = ["Config", "descend", "run", "saddle_curvature", "saddle_gradient", "saddle_value"]

POWERS = {"quartic": 4, "quadratic": 2}


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        learning_rate: rate of the descent.
        starts: distances x0 from the saddle, along the direction that leads down; y0 = 0.5.
        noises: standard deviations of the noise added to the gradient.
        limit: steps after which a walk counts as stuck.
        walks: walks for each setting with noise.
        seed: root of all random numbers.
    """

    learning_rate: float = 0.01
    starts: tuple[float, ...] = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
    noises: tuple[float, ...] = (0.0, 0.1)
    limit: int = 60_000
    walks: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int("Config", limit=self.limit, walks=self.walks)
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"Config needs a positive rate. Received: learning_rate={self.learning_rate!r}")
        if not self.starts or not all(0 <= start < 1 for start in self.starts):
            raise ValueError(f"Config needs starts in [0, 1): at 1 the walk has left. Received: starts={self.starts}")
        if not self.noises or not all(noise >= 0 and math.isfinite(noise) for noise in self.noises):
            raise ValueError(f"Config needs noises >= 0. Received: noises={self.noises}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in a second: fewer starts, fewer steps."""
        return cls(learning_rate=0.05, starts=(0.0, 0.1, 0.5), limit=2_000, walks=4)


def saddle_value(points: Any, saddle: str) -> Any:
    """f = y^k - x^k, k = 4 ("quartic") or 2 ("quadratic").

    Args:
        points: tensor (..., 2) of (x, y).
        saddle: "quartic" or "quadratic".

    Returns:
        Tensor (...).

    Example:
        >>> saddle_value(np.array([[10.0, 0.0]]), "quartic").numpy().tolist()
        [-10000.0]

    Source: R (Optimization).
    """
    require_one_of("saddle_value", POWERS, saddle=saddle)
    points = ops.convert_to_tensor(points)
    power = points ** POWERS[saddle]
    return power[..., 1] - power[..., 0]


def saddle_gradient(points: Any, saddle: str) -> Any:
    """grad f = (-k x^(k-1), k y^(k-1)).

    Args:
        points: tensor (..., 2) of (x, y).
        saddle: "quartic" or "quadratic".

    Returns:
        Tensor (..., 2).

    Example:
        >>> saddle_gradient(np.array([[1.0, 1.0]]), "quartic").numpy().tolist()
        [[-4.0, 4.0]]

    Source: R (Optimization).
    """
    require_one_of("saddle_gradient", POWERS, saddle=saddle)
    points, k = ops.convert_to_tensor(points), POWERS[saddle]
    slope = float(k) * points ** (k - 1)
    return ops.stack([-slope[..., 0], slope[..., 1]], -1)


def saddle_curvature(points: Any, saddle: str) -> Any:
    """Eigenvalues of the Hessian, the smaller first; its eigenvectors are the axes.

    Args:
        points: tensor (..., 2) of (x, y).
        saddle: "quartic" or "quadratic".

    Returns:
        Tensor (..., 2): (-k (k-1) x^(k-2), k (k-1) y^(k-2)), both 0 at the origin of the quartic.

    Example:
        >>> saddle_curvature(np.array([[0.0, 0.0]]), "quadratic").numpy().tolist()
        [[-2.0, 2.0]]

    Source: R (Optimization).
    """
    require_one_of("saddle_curvature", POWERS, saddle=saddle)
    points, k = ops.convert_to_tensor(points), POWERS[saddle]
    bend = float(k * (k - 1)) * points ** (k - 2)
    return ops.stack([-bend[..., 0], bend[..., 1]], -1)


def descend(start: Any, saddle: str, learning_rate: float, steps: int) -> Any:
    """Plain gradient descent, every position on the way.

        w' = w - rate grad f(w)

    Args:
        start: tensor (B, 2) of (x, y).
        saddle: "quartic" or "quadratic".
        learning_rate: rate.
        steps: int >= 0.

    Returns:
        Tensor (steps + 1, B, 2).

    Example:
        >>> descend(np.array([[1.0, 1.0]]), "quadratic", 0.25, 1).numpy().tolist()
        [[[1.0, 1.0]], [[1.5, 0.5]]]

    Source: R (Optimization).
    """
    path = [ops.convert_to_tensor(start)]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * saddle_gradient(path[-1], saddle))
    return ops.stack(path)


def run(config: Config) -> Table:
    """Counts the steps until |x| >= 1 for both saddles, every start and every noise.

        w' = w - rate (grad f(w) + noise p)

    Args:
        config: `Config`; `Config.tiny()` runs in a second.

    Returns:
        `Table` with columns saddle, start, noise, steps (median over the walks; the limit if most are stuck), escaped
        (share of the walks that left) and predicted (steps without noise, from the differential equation; inf from
        the saddle itself).

    Example:
        >>> table = run(Config.tiny())
        >>> float(table.where(saddle="quartic", start=0.0, noise=0.0)["escaped"][0])
        0.0

    Source: R (Optimization).
    """
    settings = [(saddle, start, noise) for saddle in POWERS for start in config.starts for noise in config.noises]
    columns: dict[str, list[Any]] = {
        "saddle": [],
        "start": [],
        "noise": [],
        "steps": [],
        "escaped": [],
        "predicted": [],
    }
    counts = {
        saddle: _steps_to_leave(config, saddle, [each[1:] for each in settings if each[0] == saddle])
        for saddle in POWERS
    }
    for saddle, start, noise in settings:
        walks = counts[saddle][start, noise]
        steps = float(np.median(walks))
        row = (saddle, start, noise, steps, float(np.mean(walks < config.limit)), _predicted(saddle, start, config))
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    return Table("saddle-escape", columns, lambda table: _draw(table, config), _headline(columns))


def _headline(columns: dict[str, list[Any]]) -> dict[str, float]:
    """Steps from the nearest start against the prediction, and who leaves from the very middle."""
    table, found = Table("saddle-escape", columns), {}
    quiet = table["noise"].min()
    away = table["start"][table["start"] > 0]
    for saddle in POWERS if len(away) else ():
        row = table.where(saddle=saddle, start=away.min(), noise=quiet)
        found[f"steps from x0 = {away.min():g}, {saddle}"] = float(row["steps"][0])
        found[f"predicted without noise, {saddle}"] = float(row["predicted"][0])
    for row in zip(*(table.where(start=0.0)[name] for name in ("saddle", "noise", "escaped")), strict=True):
        found[f"share that left x0 = 0, {row[0]}, noise {row[1]:g}"] = float(row[2])
    return found


def _predicted(saddle: str, start: float, config: Config) -> float:
    if start == 0:
        return math.inf
    if saddle == "quadratic":
        return math.log(1 / start) / math.log1p(2 * config.learning_rate)
    return (1 / start**2 - 1) / (8 * config.learning_rate)


def _steps_to_leave(config: Config, saddle: str, settings: list[tuple[float, float]]) -> dict[Any, Any]:
    """{(start, noise): steps of every walk}, all walks of a saddle at once."""
    starts = np.repeat([start for start, _ in settings], config.walks)
    noises = tf.constant(np.repeat([noise for _, noise in settings], config.walks), tf.float64)[:, None]
    origin = tf.constant(np.stack([starts, np.full_like(starts, 0.5)], 1))
    salt = derive_seed(config.seed, "saddle-escape", saddle)

    def step(t: Any, points: Any, left: Any) -> tuple[Any, Any, Any]:
        noise = noises * draw_normal(tf.stack([tf.constant(salt, tf.int32), t]), points)
        moved = points - config.learning_rate * (saddle_gradient(points, saddle) + noise)
        points = tf.where((left < config.limit)[:, None], points, moved)  # who has left stays: the fall has no end
        gone = (left == config.limit) & (tf.abs(points[:, 0]) >= 1.0)
        return t + 1, points, tf.where(gone, t + 1, left)

    @tf.function(jit_compile=True, autograph=False)
    def walk(points: Any) -> Any:
        left = tf.fill([points.shape[0]], config.limit)
        _, _, left = tf.while_loop(
            lambda t, _, left: (t < config.limit) & tf.reduce_any(left == config.limit), step,
            (tf.constant(0), points, left),
        )  # fmt: skip
        return left

    left = walk(origin).numpy().reshape(len(settings), config.walks)
    return dict(zip(settings, left, strict=True))


def _draw(table: Table, config: Config) -> Any:
    """Left: descent on the printed function. Right: steps until it leaves, against where it began."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREY, ORANGE

    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    field, curves = figure.subplots(1, 2)
    x, y = np.meshgrid(np.linspace(-1.3, 1.3, 161), np.linspace(-1.1, 1.1, 141))
    levels = np.linspace(-2.0, 1.4, 18)
    field.contourf(x, y, y**4 - x**4, levels=levels, cmap="RdBu_r", alpha=0.7, extend="both")
    field.contour(x, y, y**4 - x**4, levels=levels, colors="white", linewidths=0.5)
    origin = np.array([[0.15, 1.0], [0.3, -1.0], [-0.45, 0.9], [-0.2, -0.8]])
    path = ops.convert_to_numpy(descend(origin, "quartic", 0.02, 320))
    for walk in range(path.shape[1]):
        inside = np.abs(path[:, walk, 0]) < 1.3
        field.plot(path[inside, walk, 0], path[inside, walk, 1], color="black", linewidth=1.2)
        field.plot(*path[0, walk], "o", color="black", markersize=4)
    field.plot(0, 0, "x", color="black", markersize=9)
    field.set_xlabel("x")
    field.set_ylabel("y")
    field.set_title("descent on $y^4 - x^4$: slow past the flat saddle, then without end", fontsize=10)

    quiet = min(config.noises)
    for saddle, colour in zip(POWERS, (ORANGE, BLUE), strict=True):
        for noise in config.noises:
            rows = table.where(saddle=saddle, noise=noise)
            kept = (rows["start"] > 0) & (rows["escaped"] > 0.5)
            label = f"{saddle}, noise {noise:g}"
            marker = "o" if noise == quiet else "s"
            curves.plot(rows["start"][kept], rows["steps"][kept], marker, color=colour, label=label,
                        fillstyle="full" if noise == quiet else "none")  # fmt: skip
        rows = table.where(saddle=saddle, noise=quiet)
        kept = rows["start"] > 0
        curves.plot(rows["start"][kept], rows["predicted"][kept], color=colour, linewidth=1, linestyle="--")
    curves.set_xscale("log")
    curves.set_yscale("log")
    shown = [start for start in config.starts if start > 0]
    curves.set_xticks(shown, [f"{start:g}" for start in shown])
    curves.set_xticks([], minor=True)
    curves.axhline(config.limit, color=GREY, linewidth=0.8, linestyle=":", label="limit")
    curves.set_xlabel("distance of the start from the saddle, $x_0$")
    curves.set_ylabel("steps until |x| ≥ 1 (median)")
    curves.set_title("dashed: predicted without noise", fontsize=10)
    curves.legend(frameon=False, fontsize=8)
    curves.spines[["top", "right"]].set_visible(False)
    figure.suptitle("saddle-escape")
    return figure
