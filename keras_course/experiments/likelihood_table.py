"""What each model knows of black-and-white images: log-likelihood of the test split, nats an image, in one table.

    bits a pixel = -nats / (D log 2),   D pixels
    exact        log P(x) itself
    estimate     log Z by annealed importance sampling, whose error raises the likelihood rather than lowers it
    bound        at most log P(x): the importance-weighted bound; those of deep energy models, at such an estimate of
                 log Z; and a density of x + u, u uniform on [0, 1)^D, as
                 E_u log p(x + u) <= log of the integral of p over the cell of x

Every model is trained as its own recipe says, on the same split of the same pixels: digits cut at one half, or MNIST
and Fashion-MNIST, each pixel drawn once with the probability of its grey value (`recipes.large_images`). Nats of the
one do not compare with nats of the other. One more model is one more line in `SCORES`.
"""

from __future__ import annotations

import importlib.util
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.experiments.table import Table
from keras_course.models.energy.annealing import annealed_log_partition
from keras_course.ops.boltzmann import rbm_free_energy
from keras_course.ops.floating import as_floating
from keras_course.pipeline.batches import TrainingBatches, recipe_data
from keras_course.pipeline.fit import compiled_model, train
from keras_course.pipeline.plots import BLUE, GREEN, ORANGE, PURPLE
from keras_course.pipeline.recipe import Recipe, recipe_of

__all__ = ["Config", "bits_per_value", "factorised_log_likelihood", "run"]

PIXELS = {"digits-flat": 64, "mnist": 784, "fashion-mnist": 784}
DIGITS = next(iter(PIXELS))
SIZES = {  # what a size of `Config` is on digits, and on large images
    "components": (32, 100),
    "temperatures": (5000, 15_000),
    "runs": (200, 100),
    "draws": (1000, 200),
}
THEIR_UNITS, THEIR_EPOCHS = (96, 500), (200, 20)  # of scikit-learn's machine
AT_A_TIME = 60  # digits whose draws of codes stand in memory together


def exact(model: Any, data: Any, config: Config) -> Any:
    """log P(x) of models that know it."""
    return model.log_prob(data.test.x)


def annealed(model: Any, data: Any, config: Config) -> Any:
    """Minus the free energy of a restricted Boltzmann machine, minus an estimate of log Z."""
    return _annealed(*model.parameters, data, config)


def importance_weighted(model: Any, data: Any, config: Config) -> Any:
    """The bound with `config.draws` draws of the code."""
    x, draws = data.test.x, config.size("draws")
    parts = range(0, len(x), AT_A_TIME)
    bounds = [
        model.log_prob_importance_weighted(x[start : start + AT_A_TIME], config.seed + start, draws) for start in parts
    ]
    return np.concatenate([ops.convert_to_numpy(each) for each in bounds])


def recognised(model: Any, data: Any, config: Config) -> Any:
    """The bound of a belief network with 50 draws of its recognition, at an estimate of its top's log Z."""
    found = model.annealed_log_partition(config.size("temperatures"), config.size("runs"), config.seed)
    return model.sampled_bound(data.test.x, config.seed, 50, found.value, together=True)


def mean_field(model: Any, data: Any, config: Config) -> Any:
    """The variational bound of a deep Boltzmann machine, at an estimate of its log Z."""
    base = _log_odds(data.train.x)
    found = model.annealed_log_partition(config.size("temperatures"), config.size("runs"), config.seed, base)
    return model.bound(data.test.x, found.value)


SCORES: dict[str, tuple[str, Callable[..., Any]]] = {
    "generator-networks": ("exact", exact),
    "vae": ("bound", importance_weighted),
    "draw": ("bound", importance_weighted),
    "dbn": ("bound", recognised),
    "dbm": ("bound", mean_field),
    "rbm": ("estimate", annealed),
    "made": ("exact", exact),
    "pixel-cnn": ("exact", exact),
}


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        models: slugs of `SCORES`.
        data: "digits-flat", "mnist" or "fashion-mnist".
        components: int, of the Gaussian with principal components; None, here and below, is what `SIZES` says.
        temperatures, runs: ints, of annealed importance sampling.
        draws: int, of the code, in the importance-weighted bound.
        images: int, how many test images are scored, the first of them.
        epochs: int, instead of every recipe's own, or None.
        examples: int, the first so many of each split, or None for all.
        seed: int, of split, weights and draws.
    """

    models: tuple[str, ...] = tuple(SCORES)
    data: str = DIGITS
    components: int | None = None
    temperatures: int | None = None
    runs: int | None = None
    draws: int | None = None
    images: int = 1000
    epochs: int | None = None
    examples: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for slug in self.models:
            require_one_of("Config", SCORES, models=slug)
        require_one_of("Config", PIXELS, data=self.data)
        given = {name: getattr(self, name) for name in (*SIZES, "images", "epochs", "examples")}
        require_positive_int("Config", **{name: value for name, value in given.items() if value is not None})
        if self.size("components") > PIXELS[self.data]:
            most = PIXELS[self.data]
            raise ValueError(f"Config needs at most {most} components. Received: components={self.components}")

    @property
    def large(self) -> bool:
        """Whether the images are not the bundled digits."""
        return self.data != DIGITS

    def size(self, name: str) -> int:
        """One of `SIZES`, as it was given, or as it is on these data."""
        given = getattr(self, name)
        return int(SIZES[name][self.large] if given is None else given)

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: two models, one epoch, few digits."""
        return cls(models=("vae", "rbm"), temperatures=20, runs=10, draws=4, epochs=1, examples=120)


def run(config: Config) -> Table:
    """Trains every model and scores the test digits.

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns model, kind ("exact", "estimate" or "bound"), nats, standard_error (over digits) and
        bits_per_pixel. scikit-learn's BernoulliRBM has a row where scikit-learn is installed.

    Example:
        >>> table = run(Config(models=(), examples=50, temperatures=10, runs=5))
        >>> bool((table["nats"] < 0).all())
        True

    Source: R; C 18.3, C 19.4.
    """
    data = _scored(recipe_data(_recipe("vae", config), config.seed, config.examples), config)
    rows = [
        ("factorised Bernoulli", "exact", np.asarray(factorised_log_likelihood(data.train.x, data.test.x))),
        (f"Gaussian, {config.size('components')} components", "bound", _principal_components(data, config)),
    ]
    if importlib.util.find_spec("sklearn") is not None:
        rows.append(("BernoulliRBM (scikit-learn)", "estimate", _scikit_learn(data, config)))
    for slug in config.models:
        kind, score = SCORES[slug]
        rows.append((slug, kind, ops.convert_to_numpy(score(*_trained(slug, config), config))))
    nats = np.array([np.mean(each) for _, _, each in rows], "float64")
    columns = {
        "model": [name for name, _, _ in rows],
        "kind": [kind for _, kind, _ in rows],
        "nats": nats,
        "standard_error": [float(np.std(each, ddof=1) / np.sqrt(len(each))) for _, _, each in rows],
        "bits_per_pixel": bits_per_value(nats, PIXELS[config.data]),
    }
    one = "an image" if config.large else "a digit"
    headline = {f"nats {one}, {name}": float(value) for name, value in zip(columns["model"], nats, strict=True)}
    of = config.data if config.large else "black-and-white digits"
    return Table("likelihood-table", columns, partial(_draw, of=of, one=one.split()[1]), headline)


def _recipe(slug: str, config: Config) -> Recipe:
    return recipe_of(slug, config.data if config.large else None)


def _scored(data: Any, config: Config) -> Any:
    """The data with the test images that are scored."""
    test = replace(data.test, x=data.test.x[: config.images], y=data.test.y[: config.images])
    return replace(data, test=test)


def _trained(slug: str, config: Config) -> tuple[Any, Any]:
    """A model as its recipe trains it, and the data as its recipe lays them."""
    recipe = _recipe(slug, config)
    data = recipe_data(recipe, config.seed, config.examples)
    batches = TrainingBatches(data.train, recipe.batch_size, config.seed, recipe.augment, recipe.augment_draws)
    keras.utils.set_random_seed(config.seed)
    model = compiled_model(recipe, data, config.seed)
    with tempfile.TemporaryDirectory() as folder:
        train(model, recipe, data, batches, config.epochs or recipe.epochs, Path(folder), progress=False)
    return model, _scored(data, config)


def factorised_log_likelihood(train: Any, test: Any) -> Any:
    """log P of values that know nothing of each other, each 1 as often as in training.

    p_d = (sum_i x_id + 1/2) / (N + 1),   log P(x) = sum_d x_d log p_d + (1 - x_d) log(1 - p_d)

    Args:
        train: tensor (N, D) of 0 and 1.
        test: tensor (B, D).

    Returns:
        Tensor (B,), nats.

    Example:
        >>> round(float(factorised_log_likelihood([[1.0], [1.0]], [[0.0]])[0]), 6)  # log(1 / 6)
        -1.791759

    Source: R.
    """
    train = as_floating(train)
    test = as_floating(test, train.dtype)
    black = (ops.sum(train, axis=0) + 0.5) / (train.shape[0] + 1)
    return ops.sum(test * ops.log(black) + (1 - test) * ops.log1p(-black), axis=-1)


def bits_per_value(nats: Any, size: int) -> Any:
    """A log-likelihood as a code length: -nats / (D log 2).

    Args:
        nats: number or tensor, log P of x.
        size: int D, values of x.

    Returns:
        Like nats.

    Example:
        >>> round(float(bits_per_value(-64 * np.log(2), 64)), 6)
        1.0

    Source: R.
    """
    return -nats / (size * math.log(2))


def _principal_components(data: Any, config: Config) -> Any:
    """Probabilistic principal components of x + u: the covariance beyond the components is the mean of what is left."""
    generator = np.random.Generator(np.random.Philox(key=config.seed))
    train_x, test_x = (part.x + generator.random(part.x.shape) for part in (data.train, data.test))
    mean = train_x.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(train_x.T))
    left = len(values) - config.size("components")
    if left:
        values[:left] = values[:left].mean()
    along = (test_x - mean) @ axes
    return -0.5 * (np.log(2 * np.pi * values) + along**2 / values).sum(axis=1)


def _scikit_learn(data: Any, config: Config) -> Any:
    """scikit-learn's machine of as many hidden units as ours, 200 epochs at a constant rate, 20 on large images."""
    from sklearn.neural_network import BernoulliRBM

    units, epochs = THEIR_UNITS[config.large], config.epochs or THEIR_EPOCHS[config.large]
    theirs = BernoulliRBM(units, learning_rate=0.05, batch_size=100, n_iter=epochs, random_state=config.seed)
    theirs.fit(data.train.x)
    parameters = (theirs.components_.T, theirs.intercept_visible_, theirs.intercept_hidden_)
    return _annealed(*(np.asarray(each, "float32") for each in parameters), data, config)


def _annealed(kernel: Any, visible_bias: Any, hidden_bias: Any, data: Any, config: Config) -> Any:
    base = _log_odds(data.train.x)
    found = annealed_log_partition(
        kernel, visible_bias, hidden_bias, None, config.size("temperatures"), config.size("runs"), config.seed, base
    )
    free = rbm_free_energy(data.test.x, kernel, visible_bias, hidden_bias)
    return -ops.convert_to_numpy(free) - found.value


def _log_odds(x: Any) -> np.ndarray:
    """Of the pixels' means, for the independent units that annealing starts from."""
    means = x.mean(axis=0).clip(0.01, 0.99)
    return np.log(means / (1 - means))


def _draw(table: Table, of: str, one: str) -> Figure:
    """Nats an image, best above; bars of one standard error over the images."""
    order = np.argsort(table["nats"])
    colours = {"exact": BLUE, "estimate": ORANGE, "bound": GREEN}
    figure = Figure(figsize=(7.5, 0.42 * len(table) + 1.3), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(order):
        kind = str(table["kind"][row])
        axes.errorbar(
            table["nats"][row], place, xerr=table["standard_error"][row], fmt="o", color=colours.get(kind, PURPLE)
        )
        axes.annotate(f"{table['nats'][row]:.2f}", (table["nats"][row], place), (0, 6), textcoords="offset points",
                      ha="center", fontsize=8)  # fmt: skip
    axes.set_yticks(range(len(table)), [f"{table['model'][row]} ({table['kind'][row]})" for row in order])
    axes.set_ylim(-0.6, len(table) - 0.3)
    axes.set_xlabel(f"log P(x), nats a test {one}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25, linewidth=0.6)
    axes.set_title(f"{of}: what each model knows of them", fontsize=11)
    return figure
