"""A walk from picture to similar picture: handwritten digits as states, their nearest neighbours as next steps.

    W[i, j] = 1 if i is among the k pictures nearest to j, or j among those nearest to i
    pi_i    = d_i / sum_j d_j,   d_i = sum_j W[i, j]                        where v T^t tends to, if it tends anywhere
    TV(t)   = sum_j |(v T^t)_j - pi_j| / 2  <=  sqrt(1 / pi_x - 1) lambda^t / 2           from one picture x

In the end TV falls by lambda a step, the second-largest modulus of T's eigenvalues. The course says that repeating the
update "eventually converges"; two of the chains here have lambda = 1 and never do: one goes round between two camps of
pictures (period 2), one never leaves its digit (ten closed classes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import load
from keras_course.experiments.table import Table
from keras_course.inference.mcmc.graph_walk import neighbour_links, second_modulus, walk_on
from keras_course.inference.mcmc.markov_chain import MarkovChain

__all__ = ["Config", "run"]

_NEGLIGIBLE = 1e-11  # distances below it are made of rounding


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        images: pictures, drawn from the training split.
        neighbours: values of k for the plain walk, smallest first; the other chains take the first.
        steps: how far v T^t is followed.
        walkers: walks of the kernel, all from one picture, for `steps` steps; the first half is not counted.
        seed: decides the pictures and every draw.
    """

    images: int = 600
    neighbours: tuple[int, ...] = (10, 20)
    steps: int = 2000
    walkers: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int("Config", images=self.images, steps=self.steps, walkers=self.walkers)
        if not self.neighbours or not all(isinstance(k, int) and 1 <= k < self.images for k in self.neighbours):
            raise ValueError(
                f"Config needs neighbours of 1 to images - 1. Received: neighbours={self.neighbours}, "
                f"images={self.images}"
            )

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds, on fewer pictures."""
        return cls(images=150, neighbours=(8,), steps=400, walkers=20)


def run(config: Config) -> Table:
    """Follows v T^t on five graphs of the same pictures and compares its fall with lambda.

        TV(t) <= sqrt(1 / pi_x - 1) lambda^t / 2,    pi_i = d_i / sum_j d_j

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns chain, neighbours, links, closed_classes, period, converges, modulus (lambda, from
        eigenvalues), rate (by which TV fell a step, measured on the slowest of ten starts), distance (TV in the end),
        degree_error (greatest |pi_i - d_i / sum d|, pi by elimination; nan where pi is not unique) and visits
        (total variation between where the kernel's walkers were and d_i / sum d).

    Example:
        >>> table = run(Config.tiny())
        >>> table["converges"].tolist()
        [True, False, True, False]

    Source: C 18.4.3, R (Sampling via random walks).
    """
    pictures, digits = _pictures(config)
    points = pictures.reshape(len(pictures), -1)
    names = (
        "chain", "neighbours", "links", "closed_classes", "period", "converges", "modulus", "rate", "distance",
        "degree_error", "visits",
    )  # fmt: skip
    columns: dict[str, list[Any]] = {name: [] for name in names}
    shown: list[dict[str, Any]] = []
    starts = [int(np.flatnonzero(digits == digit)[0]) for digit in np.unique(digits)]  # one picture of each digit
    k, camp = config.neighbours[0], digits % 2
    graphs = [(f"{each} nearest", each, None, 0.0) for each in config.neighbours]
    others = camp[:, None] != camp
    graphs += [("other camp", k, others, 0.0), ("other camp, lazy", k, others, 0.5)]
    graphs += [("own digit", k, digits[:, None] == digits, 0.0)]
    for name, each, allowed, rest in graphs:
        links = neighbour_links(points, each, allowed)
        chain, degree = walk_on(links, rest), links.sum(1)
        share = degree / degree.sum()
        curve = _distances(chain, share, starts, config)
        unique = len(chain.closed_classes) == 1
        error = np.abs(chain.stationary_distribution().numpy() - share).max() if unique else np.nan
        visits = _visits(chain, starts[0], config, name)
        row = (
            name, each, int(degree.sum()) // 2, len(chain.closed_classes), max(chain.periods), chain.converges,
            second_modulus(links, rest), _rate(curve), float(curve[-1]), float(error),
            0.5 * float(np.abs(visits - share).sum()),
        )  # fmt: skip
        for column, value in zip(names, row, strict=True):
            columns[column].append(value)
        shown.append({"curve": curve, "degree": degree, "visits": visits, "rarest": share[starts].min()})
    return Table("markov-chain", columns, lambda table: _draw(table, shown, pictures), _headline(columns))


def _pictures(config: Config) -> tuple[Any, NDArray[np.int64]]:
    """Some of the training images (N, 8, 8, 1), and which digits they show."""
    train = load("digits", seed=config.seed).train
    if config.images > len(train):
        raise ValueError(f"There are {len(train)} pictures to draw from. Received: images={config.images}")
    rng = np.random.Generator(np.random.Philox(derive_seed(config.seed, "neighbour-walk", "pictures")))
    rows = rng.permutation(len(train))[: config.images]
    return train.x[rows], np.asarray(train.y[rows], "int64")


def _headline(columns: dict[str, list[Any]]) -> dict[str, float]:
    found = {}
    for name, modulus, rate, distance in zip(
        *(columns[column] for column in ("chain", "modulus", "rate", "distance")), strict=True
    ):
        found |= {f"{name}: second modulus": modulus, f"{name}: measured rate": rate}
        found[f"{name}: distance in the end"] = distance
    found["largest |pi - degree share|"] = float(np.nanmax(columns["degree_error"]))
    return found


def _distances(chain: MarkovChain, share: NDArray[np.float64], starts: list[int], config: Config) -> Any:
    """TV(t) of the slowest start, t = 0 ... steps."""
    path = chain.trajectory(np.eye(chain.states)[starts], config.steps).numpy()  # (steps + 1, 10, N)
    return 0.5 * np.abs(path - share).sum(-1).max(1)


def _rate(curve: NDArray[np.float64]) -> float:
    """By how much TV falls a step, over the later half of its fall."""
    last = int(np.flatnonzero(curve > _NEGLIGIBLE)[-1])
    first = last // 2
    return float((curve[last] / curve[first]) ** (1.0 / max(1, last - first)))


def _visits(chain: MarkovChain, start: int, config: Config, name: str) -> NDArray[np.float64]:
    """Share of the time that the kernel's walkers spent with each picture, in the later half of their walks."""
    seed = derive_seed(config.seed, "neighbour-walk", name)
    first = tf.fill([config.walkers], start)
    walk = tf.function(lambda state: chain.sample(config.steps, state, seed), autograph=False)
    path = walk.get_concrete_function(first)(first).numpy()[config.steps // 2 :]  # each chain is its own compilation
    return np.bincount(path.reshape(-1), minlength=chain.states) / path.size


def _draw(table: Table, shown: list[dict[str, Any]], pictures: Any) -> Any:
    """Left: TV against t with its bound. Right: visits against degree, and who has most and fewest links."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE, PURPLE, RED

    figure = Figure(figsize=(12.5, 4.4), layout="constrained")
    left, middle, right = figure.subfigures(1, 3, width_ratios=(1.45, 1.0, 0.9))
    falls, cloud = left.subplots(), middle.subplots()
    for place, (name, one, colour) in enumerate(
        zip(table["chain"], shown, (BLUE, GREEN, ORANGE, PURPLE, RED), strict=False)
    ):
        curve = one["curve"]
        time = np.arange(len(curve))
        falls.plot(time, np.where(curve > _NEGLIGIBLE, curve, np.nan), color=colour, label=name)
        bound = 0.5 * np.sqrt(1 / one["rarest"] - 1) * table["modulus"][place] ** time
        if table["converges"][place]:
            falls.plot(time, np.where(bound > _NEGLIGIBLE, bound, np.nan), "--", color=colour, linewidth=0.9)
    falls.set_yscale("log")
    falls.set_xlabel("step t")
    falls.set_ylabel("TV(t), slowest of ten starts")
    falls.set_title(r"dashed: $\sqrt{1/\pi_x - 1}\,\lambda^t / 2$", fontsize=10)
    falls.legend(frameon=False, fontsize=8)

    first = shown[0]
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(first["degree"]))
    cloud.plot(first["degree"] + jitter, 1e3 * first["visits"], "o", color=BLUE, markersize=2.5, alpha=0.5)
    ends = np.array([0, first["degree"].max()])
    cloud.plot(ends, 1e3 * ends / first["degree"].sum(), color=GREY, label=r"$d_i / \sum_j d_j$")
    cloud.set_xlabel("links of a picture")
    cloud.set_ylabel("share of the walkers' time, in thousandths")
    cloud.set_title(f"the kernel's walkers, {table['chain'][0]}", fontsize=10)
    cloud.legend(frameon=False, fontsize=8)
    for axes in (falls, cloud):
        axes.spines[["top", "right"]].set_visible(False)

    order = np.argsort(first["degree"], kind="stable")
    right.suptitle("most links (above), fewest (below)", fontsize=10)
    for axes, index in zip(right.subplots(4, 4).flat, [*order[:-9:-1], *order[:8]], strict=True):
        axes.imshow(pictures[index, ..., 0], cmap="gray_r", interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(f"{first['degree'][index]}", fontsize=7, pad=1)
    figure.suptitle(f"markov-chain: walks over {len(pictures)} handwritten digits")
    return figure
