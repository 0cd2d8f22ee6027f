"""Full batch, mini-batch or one example a step: what an excess error costs, every gradient of an example counted.

    f(w) = mean of (x_i . w - y_i)^2 / 2,  w' = w - eta g,  g = mean over m drawn examples of x_i (x_i . w - y_i)

    standard error of g      sqrt(tr Cov / m): 100 times the examples, a tenth of the error
    constant rate            the excess f(w) - f(w*) ends at a floor, for small eta at eta tr C / (4 m),
                             C = mean of r_i^2 x_i x_i^T, r_i = y_i - x_i . w*
    eta_t = a / (b + t)^c    no floor
    full batch               no noise, so no floor either, but N gradients a step

The loss is quadratic and examples are drawn with replacement, so the mean excess of every walk and its floor are
known exactly (`noisy_descent`).

Seen on diabetes (310 examples, condition number 500): a tenth of the first excess costs 155 gradients one by one, 120
in tens, 400 in hundreds and 80,910 by full batches; a two-hundredth 13,000 to 20,000 against 208,940. Below that only
the full batch arrives within the 93,000 gradients of the noisy walks and its own 930,000. Its rate 2 / (a + b) is the
best in the long run, which is not the best for its first steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import load
from keras_course.experiments.noisy_descent import descend_on_batches, expected_excess, stationary_excess
from keras_course.experiments.table import Table
from keras_course.ops.descent import standard_error
from keras_course.ops.rate_decay import polynomial_decay

__all__ = ["Config", "costs_to_reach", "run"]


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        dataset: a regression set of flat features and one target, as `datasets.load` names it.
        batch_sizes: examples a step, drawn with replacement; the full batch always runs beside them, at its best rate.
        shares: rates as shares of m / (R^2 + (m - 1) b), R^2 the largest |x_i|^2 and b the largest curvature: up to
            1, every walk is stable in mean square.
        decay_epochs: epochs after which the decaying rates have fallen to 1 / 2^decay_power.
        decay_power: gamma of the polynomial decay, in (1/2, 1].
        epochs: per-example gradients of every mini-batch walk, in numbers of training examples.
        full_epochs: the same of the full batch, which is its number of steps.
        walks: walks of each setting.
        targets: excess errors to reach, as shares of the excess at the start, w = 0.
        seed: root of all random numbers, and the split of the data.
    """

    dataset: str = "diabetes"
    batch_sizes: tuple[int, ...] = (1, 10, 100)
    shares: tuple[float, ...] = (1.0, 0.25, 0.0625)
    decay_epochs: float = 2.0
    decay_power: float = 0.75
    epochs: int = 300
    full_epochs: int = 3000
    walks: int = 16
    targets: tuple[float, ...] = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 1e-4, 1e-5)
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int("Config", epochs=self.epochs, full_epochs=self.full_epochs, walks=self.walks)
        if not self.batch_sizes:
            raise ValueError(f"Config needs at least one batch size. Received: batch_sizes={self.batch_sizes}")
        for size in self.batch_sizes:
            require_positive_int("Config", batch_sizes=size)
        if not self.shares or not all(0 < share <= 1 for share in self.shares):
            raise ValueError(f"Config needs shares in (0, 1]: above, walks may diverge. Received: shares={self.shares}")
        if not (self.decay_epochs > 0 and math.isfinite(self.decay_epochs)):
            raise ValueError(f"Config needs positive decay_epochs. Received: decay_epochs={self.decay_epochs!r}")
        if not 0.5 < self.decay_power <= 1:
            raise ValueError(f"Config needs a decay_power in (1/2, 1]. Received: decay_power={self.decay_power!r}")
        if not self.targets or not all(0 < target < 1 for target in self.targets):
            raise ValueError(f"Config needs targets in (0, 1). Received: targets={self.targets}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: two batch sizes, one rate, few epochs."""
        return cls(batch_sizes=(1, 10), shares=(1.0,), epochs=30, full_epochs=200, walks=8, targets=(0.5, 0.2, 0.1))


def run(config: Config) -> Table:
    """Walks with every batch size, rate and schedule, beside the exact expectation.

        excess(cost) = f(w) - f(w*),   cost = steps times batch size

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns batch_size, schedule ("full batch", "constant", "decaying"), share, rate (the first),
        cost, excess (mean over the walks), deviation (its standard error), expected (exact), floor (NaN unless the
        rate is constant, 0 for the full batch), gradient_error and predicted_error (of one gradient at the start).

    Raises:
        UnknownSlugError: if there is no such data set.
        ValueError: if it is no regression set of one target, or a batch size is the number of its examples.

    Example:
        >>> table = run(Config.tiny())
        >>> online = table.where(batch_size=1, schedule="decaying")
        >>> bool(online["excess"][-1] < 0.2 * online["excess"][0])
        True

    Source: C 7.1.2, C 7.3.1, S 9.4.
    """
    x, y = _examples(config)
    if len(x) in config.batch_sizes:
        raise ValueError(
            f"Config needs batch sizes other than that of the full batch, {len(x)}, which runs anyway. "
            f"Received: batch_sizes={config.batch_sizes}"
        )
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for size, full in (*((size, False) for size in config.batch_sizes), (len(x), True)):
        for row in _rows(config, x, y, size, full):
            for name, value in zip(_COLUMNS, row, strict=True):
                columns[name].append(value)
    return Table("sgd-against-gd", columns, lambda table: _draw(table, config), _headline(columns, config))


def _headline(columns: dict[str, list[Any]], config: Config) -> dict[str, float]:
    """Costs of the targets that every batch size reaches, and the floors of the largest constant rates."""
    table, found = Table("sgd-against-gd", columns), {}
    full = int(table.where(schedule="full batch")["batch_size"][0])
    for target in sorted(config.targets, reverse=True):
        costs = costs_to_reach(table, target)
        if all(math.isfinite(cost) for cost in costs.values()):
            for size, cost in costs.items():
                found[f"gradients to {target:g} of the excess, {'full batch' if size == full else size}"] = cost
    for size in sorted(config.batch_sizes):
        rows = table.where(batch_size=size, schedule="constant", share=max(config.shares))
        found[f"floor of the largest constant rate, {size}"] = float(rows["floor"][0])
        found[f"excess at the end, {size}"] = float(rows["excess"][-1])
    return found


_COLUMNS = (
    "batch_size", "schedule", "share", "rate", "cost", "excess", "deviation", "expected", "floor",
    "gradient_error", "predicted_error",
)  # fmt: skip
POINTS = 60  # rows of a walk, evenly spaced on a logarithmic axis


def _examples(config: Config) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    train = load(config.dataset, seed=config.seed).train
    x, y = np.asarray(train.x, np.float64), np.asarray(train.y, np.float64)
    if x.ndim != 2 or y.size != len(x) or not np.issubdtype(np.asarray(train.y).dtype, np.floating):
        raise ValueError(
            f"Config needs a regression set of flat features and one target. Received: dataset={config.dataset!r}"
        )
    return x, y.reshape(-1)


def _settings(config: Config, x: NDArray[np.float64], size: int, steps: int, full: bool) -> list[tuple[Any, ...]]:
    """(schedule, share, first rate, rates (T,)) of every walk with this batch size."""
    curvatures = np.linalg.eigvalsh(x.T @ x / len(x))
    if full:
        rate = 2 / (curvatures[0] + curvatures[-1])
        return [("full batch", math.nan, rate, np.full(steps, rate))]
    largest = size / ((x**2).sum(1).max() + (size - 1) * curvatures[-1])
    offset, power = config.decay_epochs * len(x) / size, config.decay_power
    fall = np.asarray(polynomial_decay(np.arange(steps, dtype="float64"), offset**power, offset, power))
    settings: list[tuple[Any, ...]] = []
    for share in config.shares:
        settings.append(("constant", share, share * largest, np.full(steps, share * largest)))
        settings.append(("decaying", share, share * largest, share * largest * fall))
    return settings


def _rows(config: Config, x: Any, y: Any, size: int, full: bool) -> list[tuple[Any, ...]]:
    start, steps = np.zeros(x.shape[1]), config.full_epochs if full else max(1, config.epochs * len(x) // size)
    if full:
        batches = np.broadcast_to(np.arange(len(x)), (steps, 1, len(x)))
    else:
        rng = np.random.Generator(np.random.Philox(derive_seed(config.seed, "sgd-against-gd", size)))
        batches = rng.integers(0, len(x), (steps, config.walks, size), dtype=np.int32)
    settings = _settings(config, x, size, steps, full)
    rates = np.stack([series for *_, series in settings], 1)
    walk = tf.function(descend_on_batches, jit_compile=True, autograph=False)
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    least = np.mean((x @ solution - y) ** 2) / 2
    excess = np.asarray(walk(x, y, start, batches.astype("int32"), rates)) - least  # (T + 1, R, K)
    kept = np.unique(np.r_[0, np.geomspace(1, steps, POINTS).round().astype(int)])
    measured, predicted = _gradient_errors(x, y, batches)
    expect = tf.function(expected_excess, jit_compile=True, autograph=False)
    rows = []
    for index, (schedule, share, rate, series) in enumerate(settings):
        walks = excess[kept, index]
        deviation = walks.std(1, ddof=1) / math.sqrt(walks.shape[1]) if walks.shape[1] > 1 else 0 * walks[:, 0]
        expected = walks[:, 0] if full else np.asarray(expect(x, y, start, size, series))[kept]
        floor = {"full batch": 0.0, "decaying": math.nan}.get(schedule)
        if floor is None:
            floor = float(stationary_excess(x, y, size, rate))
        for place, t in enumerate(kept):
            numbers = (int(t) * size, walks[place].mean(), deviation[place], expected[place])
            rows.append((size, schedule, share, rate, *map(float, numbers), floor, measured, predicted))
    return rows


def _gradient_errors(x: Any, y: Any, batches: Any) -> tuple[float, float]:
    """Root mean square distance of a batch's gradient at w = 0 from that of all examples: measured, predicted."""
    each = -x * y[:, None]
    if batches.shape[2] == len(x):
        return 0.0, 0.0  # the full batch is all there is
    draws = batches.reshape(-1, batches.shape[2])[:2000]
    measured = math.sqrt(np.mean(((each[draws].mean(1) - each.mean(0)) ** 2).sum(1)))
    return measured, float(standard_error(math.sqrt(each.var(0).sum()), float(batches.shape[2])))


def costs_to_reach(table: Table, target: float) -> dict[int, float]:
    """Per-example gradients until the expected excess is at most `target` of its start, at the best rate of each size.

    Args:
        table: what `run` returned.
        target: share of the first excess.

    Returns:
        {batch size: gradients}; infinity where no walk of that size gets there.
    """
    found = {int(size): math.inf for size in np.unique(table["batch_size"])}
    keys = {tuple(key) for key in zip(table["batch_size"], table["schedule"], table["rate"], strict=True)}
    for size, schedule, rate in keys:
        rows = table.where(batch_size=size, schedule=schedule, rate=rate)
        there = rows["cost"][rows["expected"] <= target * rows["expected"][0]]
        if len(there):
            found[int(size)] = min(found[int(size)], float(there.min()))
    return found


def _draw(table: Table, config: Config) -> Any:
    """Excess against cost; cost to reach a target; the floors; the standard error of one gradient."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE, PURPLE

    sizes = sorted(config.batch_sizes)
    full = table.where(schedule="full batch")
    colours = dict(zip(sizes, (BLUE, ORANGE, GREEN, PURPLE)[: len(sizes)] + ("tab:brown",) * len(sizes), strict=False))
    figure = Figure(figsize=(11, 8), layout="constrained")
    (curves, costs), (floors, errors) = figure.subplots(2, 2)

    def line(axes: Any, rows: Table, style: str, colour: str, label: str) -> None:
        axes.plot(rows["cost"][1:], rows["excess"][1:], style, color=colour, linewidth=1.3, label=label)

    line(curves, full, "-", "black", "full batch, best rate")
    for size in sorted({sizes[0], sizes[-1]}):
        for schedule, style in (("constant", "-"), ("decaying", "--")):
            rows = table.where(batch_size=size, share=max(config.shares), schedule=schedule)
            line(curves, rows, style, colours[size], f"{size} a step, {schedule} rate")
            if schedule == "constant":
                curves.axhline(rows["floor"][0], color=colours[size], linestyle=":", linewidth=1)
    curves.set_ylim(bottom=max(table["excess"][table["excess"] > 0].min(), 1e-6))
    curves.set_ylabel("excess loss, mean of the walks")
    curves.set_xlabel("gradients of an example")
    curves.set_title("dotted: stationary floor of the constant rate", fontsize=10)

    reached = {target: costs_to_reach(table, target) for target in sorted(config.targets)}
    for size in (*sizes, int(full["batch_size"][0])):
        label = f"{size} a step" if size in colours else "full batch"
        points = [(target, cost[size]) for target, cost in reached.items() if math.isfinite(cost[size])]
        if points:
            costs.plot(*zip(*points, strict=True), "o-", color=colours.get(size, "black"), markersize=4, label=label)
    costs.invert_xaxis()
    costs.set_xlabel("excess to reach, as a share of the first")
    costs.set_ylabel("gradients of an example")
    costs.set_title("the best of all rates and schedules of each batch size", fontsize=10)

    for size in sizes:
        kept = [table.where(batch_size=size, schedule="constant", share=share) for share in sorted(config.shares)]
        rates = np.array([rows["rate"][0] for rows in kept])
        late = [rows["excess"][rows["cost"] > rows["cost"][-1] / 2].mean() for rows in kept]
        floors.plot(rates, [rows["floor"][0] for rows in kept], "-", color=colours[size], linewidth=1.2)
        there = np.array([abs(rows["expected"][-1] / rows["floor"][0] - 1) < 0.2 for rows in kept])
        floors.plot(rates[~there], np.array(late)[~there], "o", color=colours[size], markersize=5, fillstyle="none")
        floors.plot(rates[there], np.array(late)[there], "o", color=colours[size], markersize=5, label=f"{size} a step")
    floors.set_xlabel("constant rate")
    floors.set_ylabel("excess loss in the second half")
    floors.set_title("line: closed form of the stationary walk; hollow: not there yet", fontsize=10)

    rows = [table.where(batch_size=size) for size in sizes]
    errors.plot(sizes, [part["predicted_error"][0] for part in rows], "-", color=GREY, label="sigma / sqrt(m)")
    errors.plot(sizes, [part["gradient_error"][0] for part in rows], "o", color=BLUE, label="measured")
    errors.set_xlabel("examples in the mini-batch, m")
    errors.set_ylabel("error of the gradient at the start")
    errors.set_title("a hundred times the work, a tenth of the error", fontsize=10)
    for axes in (curves, costs, floors, errors):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle(f"sgd-against-gd: least squares on {config.dataset}")
    return figure
