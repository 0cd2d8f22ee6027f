"""Eight heaps on a ring: a generator that makes one of them, and the games in which it makes all.

    data       x = R (cos, sin)(2 pi j / 8) + s e,   j uniform, e ~ N(0, I)
    hurried    the generator's rate is 33 times the discriminator's, which lags behind
    kept up    the same networks and loss at equal rates, or with five steps of the discriminator for one
    WGAN       the same networks, a critic of bounded slope with five steps for one
    covered    heaps with a quarter of their fair share or more of the samples within 3 s of their middle

Against a discriminator that stands still, the best a generator can do is to make the one x that is believed most, with
all its mass: max over D of min over G asks for nothing else. Once the discriminator has caught up, another place is
believed, and the heap of samples moves there. A judge that keeps up with the generator is enough on this ring. A WGAN
asks for one by its definition, and can afford it: a critic at its optimum still pulls every heap by what it lacks,
where a discriminator at its optimum has no slope left. Clipping is the weaker form of it, and leaves it to the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.experiments.table import Table
from keras_course.models.generative.gan import GAN
from keras_course.models.generative.wgan import WGAN

__all__ = ["GAMES", "Config", "heaps_covered", "ring_of_heaps", "run"]

# {name: (class, its arguments, rate of the generator, of the other player)}
GAMES: dict[str, tuple[type, dict[str, Any], float, float]] = {
    "minimax, hurried": (GAN, {"generator_loss": "minimax"}, 1e-2, 3e-4),
    "non-saturating, hurried": (GAN, {"generator_loss": "non_saturating"}, 1e-2, 3e-4),
    "non-saturating, five steps": (GAN, {"generator_loss": "non_saturating", "steps": 5}, 1e-2, 3e-4),
    "non-saturating, equal rates": (GAN, {"generator_loss": "non_saturating"}, 1e-3, 1e-3),
    "WGAN, gradient penalty": (WGAN, {"penalty": 0.1, "steps": 5}, 1e-3, 1e-3),
    "WGAN, clipping": (WGAN, {"penalty": None, "clip": 0.1, "steps": 5}, 1e-3, 1e-3),
}


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        heaps: number of heaps on the ring.
        radius: of the ring.
        spread: standard deviation s of a heap.
        steps: steps of the generator.
        every: steps between two looks at the samples; divides `steps`.
        batch: examples a step of either player sees.
        units: width of the two hidden layers of each network.
        samples: how many are looked at.
        seeds: roots of weights, data and codes, one training each.
        games: names in `GAMES`.
    """

    heaps: int = 8
    radius: float = 2.0
    spread: float = 0.1
    steps: int = 2000
    every: int = 250
    batch: int = 128
    units: int = 64
    samples: int = 2000
    seeds: tuple[int, ...] = (0, 1)
    games: tuple[str, ...] = tuple(GAMES)

    def __post_init__(self) -> None:
        require_positive_int(
            "Config", heaps=self.heaps, steps=self.steps, every=self.every, batch=self.batch, units=self.units,
            samples=self.samples,
        )  # fmt: skip
        if self.steps % self.every:
            raise ValueError(f"Config needs steps that `every` divides. Received: steps={self.steps}, {self.every}")
        for name in ("radius", "spread"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"Config needs a positive {name}. Received: {name}={value!r}")
        if not self.seeds:
            raise ValueError(f"Config needs at least one seed. Received: seeds={self.seeds!r}")
        if not self.games or not set(self.games) <= set(GAMES):
            raise ValueError(f"Config knows the games {tuple(GAMES)}. Received: games={self.games!r}")

    @classmethod
    def tiny(cls) -> Config:
        """Two of the games in seconds, too short to show anything."""
        games = ("non-saturating, hurried", "WGAN, gradient penalty")
        return cls(steps=20, every=10, batch=16, units=8, samples=100, seeds=(0,), games=games)


def _middles(heaps: int, radius: float) -> np.ndarray:
    angle = 2 * np.pi * np.arange(heaps) / heaps
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ring_of_heaps(count: int, heaps: int = 8, radius: float = 2.0, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    """Draws of a mixture of equally likely Gaussians on a ring.

    x = R (cos, sin)(2 pi j / heaps) + s e

    Args:
        count: int, N.
        heaps: int >= 1.
        radius: float, R.
        spread: float, s.
        seed: int.

    Returns:
        float32 array (N, 2).

    Example:
        >>> ring_of_heaps(3, heaps=1, spread=0.0).tolist()
        [[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]]

    Source: R; Metz et al. 2017.
    """
    draws = np.random.Generator(np.random.Philox(derive_seed(seed, "ring")))
    chosen = draws.integers(0, heaps, count)
    return (_middles(heaps, radius)[chosen] + spread * draws.normal(size=(count, 2))).astype("float32")


def heaps_covered(samples: Any, heaps: int = 8, radius: float = 2.0, spread: float = 0.1) -> tuple[int, float]:
    """How many heaps samples are on, and which share of the samples is on any.

    on heap j  = |x - middle_j| <= 3 s,   covered = #{j : share on j >= 1 / (4 heaps)}

    Args:
        samples: array (N, 2).
        heaps, radius, spread: as `ring_of_heaps`.

    Returns:
        Tuple (heaps covered, share of samples on a heap).

    Example:
        >>> heaps_covered([[2.0, 0.0], [2.0, 0.1], [0.0, 0.0], [-2.0, 0.0]])
        (2, 0.75)

    Source: R; Metz et al. 2017.
    """
    apart = np.linalg.norm(np.asarray(samples)[:, None] - _middles(heaps, radius), axis=-1)  # (N, heaps)
    near = apart.min(axis=1) <= 3 * spread
    shares = np.bincount(apart.argmin(axis=1)[near], minlength=heaps) / len(apart)
    return int(np.sum(shares >= 1 / (4 * heaps))), float(near.mean())


def run(config: Config) -> Table:
    """Trains each game and counts the heaps its samples are on.

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns game, seed, step, covered and on_a_heap. The headline is the number of heaps covered at the
        last step, the least and the mean over the seeds.

    Example:
        >>> table = run(Config(steps=2, every=1, batch=4, units=2, samples=8, seeds=(0,), games=("minimax, hurried",)))
        >>> table["step"].tolist()
        [1, 2]

    Source: R; Arora, Risteski and Zhang 2018; Metz et al. 2017.
    """
    ring = {"heaps": config.heaps, "radius": config.radius, "spread": config.spread}
    columns: dict[str, list[Any]] = {name: [] for name in ("game", "seed", "step", "covered", "on_a_heap")}
    shown: dict[str, np.ndarray] = {}
    for game in config.games:
        kind, arguments, rate, other_rate = GAMES[game]
        for seed in config.seeds:
            model = kind(
                2, latent=8, generator=(config.units,) * 2, discriminator=(config.units,) * 2, evaluation_samples=1,
                seed=derive_seed(seed, "game"), **arguments,
            )  # fmt: skip
            adam = [keras.optimizers.Adam(each, beta_1=0.5) for each in (rate, other_rate)]
            model.compile(*adam, steps_per_execution=min(config.every, 10))
            rows = config.batch * model.steps
            x = ring_of_heaps(rows * config.every, seed=seed, **ring)
            for step in range(config.every, config.steps + 1, config.every):
                model.fit(x, batch_size=rows, shuffle=False, verbose=0)
                samples = np.asarray(model.sample(derive_seed(seed, "look"), config.samples))
                found = (game, seed, step, *heaps_covered(samples, **ring))
                for column, each in zip(columns, found, strict=True):
                    columns[column].append(each)
            shown.setdefault(game, samples)
    table = Table("mode-collapse", columns, lambda table: _draw(table, shown, config))
    headline = {}
    for game in config.games:
        last = table.where(game=game, step=config.steps)["covered"]
        headline[f"heaps of {config.heaps}, {game}, least"] = float(last.min())
        headline[f"heaps of {config.heaps}, {game}, mean"] = float(last.mean())
    return Table(table.name, columns, table.draw, headline)


def _draw(table: Table, shown: dict[str, np.ndarray], config: Config) -> Any:
    """The samples of the first seed at the end, above the heaps covered on the way."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE

    figure = Figure(figsize=(2.6 * len(shown) + 0.4, 5.6), layout="constrained")
    grid = figure.subplots(2, len(shown), height_ratios=(1, 0.75), squeeze=False)
    data = ring_of_heaps(400, config.heaps, config.radius, config.spread, config.seeds[0])
    reach = 1.6 * config.radius
    for column, (game, samples) in enumerate(shown.items()):
        colour = BLUE if game.startswith("WGAN") else ORANGE if game.endswith("hurried") else GREEN
        above, below = grid[:, column]
        above.scatter(*data.T, s=3, color=GREY, alpha=0.6, linewidths=0)
        above.scatter(*samples[:1000].T, s=3, color=colour, alpha=0.6, linewidths=0)
        above.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        above.set_title(game.replace(", ", "\n"), fontsize=10)
        for seed in config.seeds:
            rows = table.where(game=game, seed=seed)
            below.plot(rows["step"], rows["covered"], "o-", color=colour, markersize=3, linewidth=1.2)
        below.axhline(config.heaps, color=GREY, linestyle="--", linewidth=1)
        below.set(ylim=(-0.3, config.heaps + 0.5), xlabel="steps of the generator")
        below.spines[["top", "right"]].set_visible(False)
    grid[1, 0].set_ylabel("heaps covered, a line a seed")
    figure.suptitle(f"mode-collapse: {config.heaps} heaps (grey), samples in colour", fontsize=11)
    return figure
