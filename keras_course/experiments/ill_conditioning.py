"""A narrow valley: how many steps each optimizer takes to its end, against the condition number of the Hessian.

    f(p) = (a u^2 + b w^2) / 2,  kappa = b / a,  (u, w) = p turned by an angle

    gradient descent   best rate 2 / (a + b); every step shrinks the distance by (kappa - 1) / (kappa + 1)
    momentum           best rate 4 / (sqrt a + sqrt b)^2, best alpha ((sqrt kappa - 1) / (sqrt kappa + 1))^2;
                       in the long run a step shrinks it by sqrt(alpha)
    conjugate gradients, Newton                              two steps and one step, whatever kappa is

AdaGrad divides each coordinate's curvature out: in a valley along an axis its steps do not depend on kappa at all. Turn
the valley by 45 degrees and every coordinate sees the same mixture of both curvatures; nothing is left to divide out.
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

from keras_course.core.shapes import require_positive_int
from keras_course.experiments.table import Table
from keras_course.ops.floating import as_floating
from keras_course.optimizers import (
    AdaGrad,
    GradientDescent,
    Momentum,
    Nesterov,
    conjugate_gradient_minimize,
    newton_minimize,
)

__all__ = ["Config", "best_rates", "run"]

METHODS = ("gradient descent", "momentum", "nesterov", "adagrad", "conjugate gradients", "newton")
START = (1.0, 1.0)  # (u, w): as far along the valley as across it
ADAGRAD_RATE = 0.5


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        conditions: condition numbers kappa >= 1; the flattest direction has curvature 1.
        angles: degrees between the valley and the first axis.
        tolerance: share of the first distance at which the end counts as reached.
        limit: steps after which a method counts as stuck.
    """

    conditions: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    angles: tuple[float, ...] = (0.0, 45.0)
    tolerance: float = 1e-3
    limit: int = 30_000

    def __post_init__(self) -> None:
        require_positive_int("Config", limit=self.limit)
        if not self.conditions or not all(1 <= kappa < math.inf for kappa in self.conditions):
            raise ValueError(f"Config needs condition numbers of at least 1. Received: conditions={self.conditions}")
        if not self.angles or not all(math.isfinite(angle) for angle in self.angles):
            raise ValueError(f"Config needs finite angles. Received: angles={self.angles}")
        if not 0 < self.tolerance < 1:
            raise ValueError(f"Config needs a tolerance in (0, 1). Received: tolerance={self.tolerance!r}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: three condition numbers."""
        return cls(conditions=(4.0, 25.0, 100.0), limit=3_000)


def best_rates(curvatures: Any) -> dict[str, Any]:
    """The best constant hyper-parameters on a quadratic, and by how much a step then shrinks the distance.

        gradient descent   rate = 2 / (a + b),                  factor = (kappa - 1) / (kappa + 1)
        momentum           rate = 4 / (sqrt a + sqrt b)^2,      alpha = factor^2,
                           factor = (sqrt kappa - 1) / (sqrt kappa + 1)

    Args:
        curvatures: tensor (..., 2), the smallest and the largest eigenvalue a <= b of the Hessian, both positive.

    Returns:
        {"rate", "factor", "momentum_rate", "momentum", "momentum_factor"}: tensors (...).

    Example:
        >>> found = best_rates([1.0, 9.0])
        >>> [round(float(found[name]), 4) for name in ("rate", "factor", "momentum_rate", "momentum_factor")]
        [0.2, 0.8, 0.25, 0.5]

    Source: C 7.2.1, C 7.3.2.
    """
    curvatures = as_floating(curvatures)
    a, b = curvatures[..., 0], curvatures[..., 1]
    root_a, root_b = ops.sqrt(a), ops.sqrt(b)
    factor = (root_b - root_a) / (root_b + root_a)
    return {
        "rate": 2 / (a + b),
        "factor": (b - a) / (b + a),
        "momentum_rate": 4 / (root_a + root_b) ** 2,
        "momentum": factor**2,
        "momentum_factor": factor,
    }


def run(config: Config) -> Table:
    """Counts the steps of every method in valleys of every condition number and direction.

        p' = p + step of the optimizer,  until |p| <= tolerance |p_0|

    Gradient descent and momentum have their best constants, Nesterov the rate 1/b and alpha of (sqrt kappa - 1) /
    (sqrt kappa + 1), AdaGrad the rate 0.5.

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns method, condition, angle, steps (the limit if it is stuck) and predicted (steps at the
        factor of `best_rates`; of the long run, for momentum; NaN where the theory says nothing).

    Example:
        >>> table = run(Config(conditions=(9.0,), angles=(0.0,)))
        >>> {name: int(table.where(method=name)["steps"][0]) for name in ("gradient descent", "conjugate gradients")}
        {'gradient descent': 31, 'conjugate gradients': 2}

    Source: C 7.2.1, C 7.3.2, C 7.5, C 7.6.
    """
    settings = [(m, kappa, angle) for m in METHODS for kappa in config.conditions for angle in config.angles]
    columns: dict[str, list[Any]] = {"method": [], "condition": [], "angle": [], "steps": [], "predicted": []}
    for method, kappa, angle in settings:
        row = (method, kappa, angle, _steps(method, kappa, angle, config), _predicted(method, kappa, config))
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    return Table("ill-conditioning", columns, lambda table: _draw(table, config), _headline(columns, config))


def _headline(columns: dict[str, list[Any]], config: Config) -> dict[str, float]:
    """Steps of every method in the narrowest valley, along an axis or nearest to one; predictions beside."""
    table, found = Table("ill-conditioning", columns), {}
    kappa, angle = max(config.conditions), min(config.angles, key=abs)
    for method in METHODS:
        row = table.where(method=method, condition=kappa, angle=angle)
        found[f"steps, {method}, condition {kappa:g}"] = float(row["steps"][0])
        if not math.isnan(row["predicted"][0]):
            found[f"predicted, {method}"] = float(row["predicted"][0])
    return found


def _valley(kappa: float, angle: float) -> tuple[Any, Any]:
    """(Hessian, start) in turned coordinates, float64."""
    turn = math.radians(angle)
    axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return tf.constant(axes @ np.diag([1.0, kappa]) @ axes.T), tf.constant(axes @ np.array(START))


def _optimizer(method: str, kappa: float) -> Any:
    best = {name: float(value) for name, value in best_rates(np.array([1.0, kappa])).items()}
    made: dict[str, Callable[[], Any]] = {
        "gradient descent": lambda: GradientDescent(best["rate"]),
        "momentum": lambda: Momentum(best["momentum_rate"], best["momentum"]),
        "nesterov": lambda: Nesterov(1 / kappa, best["momentum_factor"]),
        "adagrad": lambda: AdaGrad(ADAGRAD_RATE, delta=1e-30),
    }
    return made[method]()


def _steps(method: str, kappa: float, angle: float, config: Config) -> int:
    hessian, start = _valley(kappa, angle)
    close = config.tolerance * float(np.linalg.norm(START))
    minimise = {"newton": newton_minimize, "conjugate gradients": conjugate_gradient_minimize}.get(method)
    if minimise is not None:

        def function(p: Any) -> tuple[Any, Any]:
            slope = tf.linalg.matvec(hessian, p)
            return tf.reduce_sum(p * slope) / 2, slope

        found = minimise(function, start, tolerance=close / math.sqrt(2))  # gradient small: the least curvature is 1
        return int(found.num_iterations)

    optimizer, p = _optimizer(method, kappa), keras.Variable(start, dtype="float64")
    optimizer.build([p])

    def step(count: Any) -> Any:
        if hasattr(optimizer, "look_ahead"):
            optimizer.look_ahead([p])
        optimizer.apply([tf.linalg.matvec(hessian, tf.convert_to_tensor(p.value))], [p])
        return (count + 1,)

    @tf.function(jit_compile=True, autograph=False)
    def walk() -> Any:
        far = lambda: tf.norm(tf.convert_to_tensor(p.value)) > close  # noqa: E731
        return tf.while_loop(lambda count: (count < config.limit) & far(), step, (tf.constant(0),))

    return int(walk.get_concrete_function()()[0])  # every method is its own compilation


def _predicted(method: str, kappa: float, config: Config) -> float:
    if method in ("newton", "conjugate gradients"):
        return 1.0 if method == "newton" or kappa == 1 else 2.0
    name = {"gradient descent": "factor", "momentum": "momentum_factor"}.get(method)
    if name is None:
        return math.nan
    factor = float(best_rates(np.array([1.0, kappa]))[name])
    return 1.0 if factor == 0 else math.log(config.tolerance) / math.log(factor)


def _draw(table: Table, config: Config) -> Any:
    """Left: three paths in one valley. Right: steps against the condition number."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREY, ORANGE

    colours = dict(zip(METHODS, (GREY, ORANGE, BLUE, "tab:green", "tab:purple", "black"), strict=True))
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    valley, curves = figure.subplots(1, 2)

    kappa = 30.0
    u, w = np.meshgrid(np.linspace(-0.2, 1.1, 121), np.linspace(-2.3, 2.3, 161))
    levels = np.geomspace(0.01, 80, 14)
    valley.contour(u, w, (u**2 + kappa * w**2) / 2, levels=levels, colors="lightgrey", linewidths=0.7)
    for method in METHODS[:4]:
        path = _path(method, kappa, 25)
        valley.plot(path[:, 0], path[:, 1], ".-", color=colours[method], linewidth=1.1, markersize=4, label=method)
    valley.plot(0, 0, "x", color="black", markersize=9)
    valley.set_xlabel("along the valley, u")
    valley.set_ylabel("across it, w")
    valley.set_title(f"25 steps, condition number {kappa:g}", fontsize=10)

    aligned, turned = min(config.angles, key=abs), max(config.angles, key=abs)
    for method in METHODS:
        for angle in sorted({aligned, turned} if method == "adagrad" else {aligned}):
            rows = table.where(method=method, angle=angle)
            kept = rows["steps"] < config.limit
            style = "o-" if angle == aligned else "s--"
            label = method if method != "adagrad" else f"adagrad, valley at {angle:g}°"
            curves.plot(rows["condition"][kept], rows["steps"][kept], style, color=colours[method], label=label,
                        markersize=4, linewidth=1.1)  # fmt: skip
            if method in METHODS[:2]:
                curves.plot(rows["condition"], rows["predicted"], ":", color=colours[method], linewidth=1)
    curves.set_xscale("log")
    curves.set_yscale("log")
    curves.set_xlabel("condition number")
    curves.set_ylabel(f"steps to {config.tolerance:g} of the distance")
    curves.set_title("dotted: predicted by the factor of one step", fontsize=10)
    curves.legend(frameon=False, fontsize=8)
    curves.spines[["top", "right"]].set_visible(False)
    figure.suptitle("ill-conditioning")
    return figure


def _path(method: str, kappa: float, steps: int) -> np.ndarray:
    hessian, start = _valley(kappa, 0.0)
    optimizer, p = _optimizer(method, kappa), keras.Variable(start, dtype="float64")
    path = [start.numpy()]
    for _ in range(steps):
        if hasattr(optimizer, "look_ahead"):
            optimizer.look_ahead([p])
        optimizer.apply([tf.linalg.matvec(hessian, tf.convert_to_tensor(p.value))], [p])
        path.append(ops.convert_to_numpy(p))
    return np.stack(path)
