"""Recipes of deep energy models: digits and what is none, and a density of rings that a grid can check."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure
from scipy.stats import multivariate_normal, rankdata

from keras_course.core.seeds import derive_seed
from keras_course.datasets import Dataset, Spec, Split
from keras_course.models.energy.energy_model import EnergyModel
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, RED, learning_curves
from keras_course.pipeline.recipe import BASELINE, Baseline, Recipe
from keras_course.recipes.large_images import STEPS, changed_pixels, on_large_images, rows_of_pixels

__all__ = [
    "density_of_rings",
    "energies_of_digits_and_others",
    "energy_model",
    "energy_model_on_images",
    "gaussian_and_network",
    "other_images",
    "rings",
    "samples",
    "with_its_gaussian",
]

NOISE = 0.2  # deviation of what is added to pixels in [-1, 1]: no chain can follow a density of sixteen grey levels
BATCH, EPOCHS, RING_EPOCHS = 100, 200, 150
BOX = 8.0  # half the side of the square that holds the rings


def energy_model() -> Recipe:
    """Digits and their classes, p(x, y) ~ exp(-E(x, y)): what gets a high energy is no digit.

    It is judged on images made of test digits, so that no single pixel gives them away: mirrored ones, and chimeras
    with the upper half of one digit and the lower half of another. The baseline is a Gaussian, which knows pairs of
    pixels.
    """
    return Recipe(
        slug="energy-model",
        dataset="digits-flat",
        prepare=centred,
        augment=noisy,
        augment_draws=64,
        model=lambda spec, seed: EnergyModel(
            spec.features, units=(256, 256), classes=spec.classes, activation="tanh", base_scale=1.0, step_size=0.015,
            langevin_steps=30, restart=0.02, sampling_steps=600, seed=seed,
        ),
        compile=lambda spec: {"optimizer": falling(3e-3, EPOCHS * -(-1258 // BATCH))},
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=gaussian_of_pixels,
        judge=told_apart,
        floor={"auroc_mirrored": 0.89, "auroc_chimeras": 0.87, "accuracy": 0.93},
        figures=(learning_curves, samples, energies_of_digits_and_others),
        tiny={"epochs": 1, "examples": 200},
    )  # fmt: skip


def energy_model_on_images(name: str) -> Recipe:
    """The same for images of 28 x 28 grey values, on the Gaussian of the training images: a network adds to its energy.

    E(x, y) = |V (x - m)|^2 / 2 + network(x)_y,   V V^T the Gaussian's inverse covariance, held fixed

    Without it no few thousand steps teach a dense network that three hundred pixels are always white, and the chains
    stay behind. So training begins at the baseline; what it adds is what dependences beyond pairs of pixels tell.
    """
    epochs = 12
    return on_large_images(
        energy_model(),
        name,
        prepare=lambda dataset: centred(rows_of_pixels(dataset)),
        augment_draws=784,
        model=lambda spec, seed: EnergyModel(
            spec.features, units=gaussian_and_network(spec.features, (512, 512), spec.classes, seed),
            classes=spec.classes, step_size=0.015, langevin_steps=30, restart=0.02, sampling_steps=600, seed=seed,
        ),
        start=with_its_gaussian,
        compile=lambda spec: {"optimizer": falling(1e-3, STEPS * epochs)},
        epochs=epochs,
        floor=dict.fromkeys(("auroc_mirrored", "auroc_chimeras"), BASELINE),
    )  # fmt: skip


def gaussian_and_network(features: int, units: tuple[int, ...], classes: int, seed: int) -> Any:
    """Energies (B, classes) of a Gaussian, N(0, I) before `with_its_gaussian`, and of dense layers under silu."""

    def glorot(path: str) -> Any:
        return keras.initializers.GlorotUniform(seed=derive_seed(seed, path))

    layers = keras.layers
    x = keras.Input((features,))
    z = layers.Dense(features, kernel_initializer="identity", trainable=False, name="whitened")(x)
    halves = keras.initializers.Constant(0.5)
    gaussian = layers.Dense(1, use_bias=False, kernel_initializer=halves, trainable=False)(layers.Multiply()([z, z]))
    h = x
    for number, width in enumerate(units):
        h = layers.Dense(width, "silu", kernel_initializer=glorot(f"hidden{number}"))(h)
    own = layers.Dense(classes, kernel_initializer=glorot("energies"), name="energies")(h)
    return keras.Model(x, layers.Add()([own, gaussian]))


def with_its_gaussian(model: EnergyModel, dataset: Any, seed: int) -> None:
    """Gives the energy the mean and covariance of the training images under noise, as the baseline has them."""
    mean, covariance = _moments(dataset.train.x)
    values, vectors = np.linalg.eigh(covariance)
    whitening = vectors / np.sqrt(values)  # (D, D)
    model.network.get_layer("whitened").set_weights([whitening, -mean @ whitening])


def rings() -> Recipe:
    """Two noisy rings in the plane, whose density a grid normalises: `pipeline.fit.fit(rings())`."""
    return Recipe(
        slug="energy-model",
        dataset=two_rings,
        model=lambda spec, seed: EnergyModel(
            spec.features, units=(128, 128), activation="tanh", base_scale=2.0, start_scale=2.0, step_size=0.005,
            langevin_steps=40, negatives=256, buffer_size=1024, restart=0.05, sampling_steps=1000, seed=seed,
        ),
        compile=lambda spec: {"optimizer": falling(1e-2, RING_EPOCHS * -(-3000 // 256))},
        batch_size=256,
        epochs=RING_EPOCHS,
        baseline=gaussian_in_the_plane,
        judge=grid_likelihood,
        floor={"log_likelihood": -3.1},
        figures=(learning_curves, density_of_rings),
        tiny={"epochs": 1, "examples": 256},
    )  # fmt: skip


def falling(rate: float, steps: int) -> Any:
    """Adam without momentum, for the slopes come from chains that lag behind; its rate falls, so that they catch up."""
    schedule = keras.optimizers.schedules.PolynomialDecay(rate, steps, rate / 50)
    return keras.optimizers.Adam(schedule, beta_1=0.0, beta_2=0.99)


def centred(dataset: Any) -> Any:
    """Pixels from -1 (white) to 1 (black)."""
    return changed_pixels(dataset, lambda x: 2 * x - 1)


def noisy(x: Any, uniforms: Any) -> Any:
    """Pixels under Gaussian noise: x + 0.2 z, z = Phi^-1(u)."""
    inside = ops.clip(uniforms, 1e-6, 1 - 1e-6)
    return x + NOISE * np.sqrt(2.0).astype("float32") * ops.erfinv(2 * inside - 1)


def other_images(x: Any, y: Any, seed: int) -> dict[str, Any]:
    """{"mirrored": digits left to right, "chimeras": the upper half of each over the lower half of another class's}."""
    side = _side(x[0])
    images, labels = np.reshape(x, (-1, side, side)), np.asarray(y)
    generator = np.random.Generator(np.random.Philox(key=seed))
    partner = np.array([generator.choice(np.flatnonzero(labels != label)) for label in labels])
    chimeras = np.concatenate([images[:, : side // 2], images[partner, side // 2 :]], axis=1)
    return {"mirrored": images[:, :, ::-1].reshape(len(images), -1), "chimeras": chimeras.reshape(len(images), -1)}


def area_under_roc(low: Any, high: Any) -> float:
    """The chance that a value of `high` is above one of `low`, ties for a half."""
    ranks = rankdata(np.concatenate([low, high]))[len(low) :]
    return float((ranks.mean() - (len(high) + 1) / 2) / len(low))


def areas(energy: Any, test: Any, seed: int) -> dict[str, float]:
    """Area under the ROC curve of an energy, test digits against each kind of other images."""
    own = energy(test.x)
    others = other_images(test.x, test.y, seed)
    return {f"auroc_{name}": area_under_roc(own, energy(images)) for name, images in others.items()}


def told_apart(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """How well E(x) tells test digits from mirrored ones and chimeras."""
    return areas(lambda x: model.predict(x, verbose=0), dataset.test, seed)


def gaussian_of_pixels(dataset: Any, seed: int) -> Baseline:
    """A Gaussian with the mean and covariance of the training digits under the same noise; its energy is quadratic."""
    density = multivariate_normal(*_moments(dataset.train.x))
    return Baseline("Gaussian", areas(lambda x: -density.logpdf(x), dataset.test, seed))


def _moments(x: Any) -> tuple[Any, Any]:
    """Mean and covariance of images under the noise of training."""
    return x.mean(axis=0), np.cov(x.T) + NOISE**2 * np.eye(x.shape[1])


def two_rings(seed: int) -> Any:
    """3000, 500 and 500 points around circles of radius 1 and 2.5, each point off by N(0, 0.2^2)."""
    generator = np.random.Generator(np.random.Philox(key=seed))

    def split(n: int) -> Split:
        ring = generator.integers(0, 2, n)
        radius = np.where(ring == 0, 1.0, 2.5) + 0.2 * generator.normal(size=n)
        angle = generator.uniform(0, 2 * np.pi, n)
        x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return Split(x.astype("float32"), ring.astype("int32"))

    return Dataset(split(3000), split(500), split(500), Spec("two-rings", "classification", (2,), classes=2, seed=seed))


def grid_likelihood(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """Mean log p(x) of the test points, nats, log Z by a grid."""
    return {"log_likelihood": float(ops.mean(model.log_prob(dataset.test.x, model.log_partition(-BOX, BOX))))}


def gaussian_in_the_plane(dataset: Any, seed: int) -> Baseline:
    """The Gaussian of the training points' mean and covariance."""
    density = multivariate_normal(dataset.train.x.mean(axis=0), np.cov(dataset.train.x.T))
    return Baseline("Gaussian", {"log_likelihood": float(density.logpdf(dataset.test.x).mean())})


def samples(context: FigureContext, rows: int = 6) -> Figure:
    """Chains from noise, a column a class; beside them states of the replay buffer, and test digits."""
    model, classes, side = context.model, context.model.classes, _side(context.dataset.test.x[0])
    drawn = ops.convert_to_numpy(model.sample_class(context.seed, np.tile(np.arange(classes), rows)))
    buffer = ops.convert_to_numpy(model.buffer)[: rows * classes]
    titles = (f"x given its class, {model.sampling_steps} steps from noise", "replay buffer", "test digits and noise")
    noise = np.random.Generator(np.random.Philox(key=context.seed)).normal(size=(rows * classes, side * side))
    test = context.dataset.test.x[: rows * classes]
    digits = test + NOISE * noise[: len(test)]
    figure = Figure(figsize=(13.5, 3.4), layout="constrained")
    for part, images, title in zip(figure.subfigures(1, 3, wspace=0.04), (drawn, buffer, digits), titles, strict=True):
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, classes).flat, images, strict=False):
            axes.imshow(image.reshape(side, side), cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("#BBBBBB")
    figure.suptitle(f"{context.recipe.slug}: what the energy takes for digits", fontsize=11)
    return figure


def energies_of_digits_and_others(context: FigureContext) -> Figure:
    """Energies of test digits, mirrored digits and chimeras, and the chimeras that it takes for digits."""
    test, energy = context.dataset.test, lambda x: context.model.predict(x, verbose=0)
    others = other_images(test.x, test.y, context.seed)
    figure = Figure(figsize=(11.0, 3.8), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(3, 2))
    axes = left.subplots()
    found = {"test digits": energy(test.x), **{name: energy(images) for name, images in others.items()}}
    bins = np.linspace(*np.quantile(np.concatenate(list(found.values())), (0.001, 0.995)), 45)
    for (name, values), colour in zip(found.items(), (BLUE, ORANGE, RED), strict=True):
        area = "" if name == "test digits" else f", AUROC {context.metrics.get(f'auroc_{name}', float('nan')):.3f}"
        axes.hist(values, bins, histtype="step", linewidth=1.6, color=colour, label=name + area)
    axes.set_xlabel("E(x), nats")
    axes.set_ylabel("images")
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    order, side = np.argsort(found["chimeras"]), _side(test.x[0])
    rows = np.concatenate([order[:12], order[-12:]])
    for axes, row in zip(right.subplots(4, 6).flat, rows, strict=False):
        axes.imshow(
            others["chimeras"][row].reshape(side, side), cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest"
        )
        axes.axhline(side // 2 - 0.5, color=GREY, linewidth=0.6)
        axes.set_xticks([])
        axes.set_yticks([])
    right.suptitle("chimeras of lowest energy (above) and highest (below)", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: digits and what is none", fontsize=11)
    return figure


def density_of_rings(context: FigureContext, points: int = 200) -> Figure:
    """Test points, the density that the energy means, and where chains from noise end."""
    model, reach = context.model, 3.0
    axis = np.linspace(-reach, reach, points)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2).astype("float32")
    density = np.exp(ops.convert_to_numpy(model.log_prob(grid, model.log_partition(-BOX, BOX))))
    drawn = ops.convert_to_numpy(model.sample(context.seed, 500))
    figure = Figure(figsize=(11.0, 3.8), layout="constrained")
    data, heat, chains = figure.subplots(1, 3, sharex=True, sharey=True)
    data.scatter(*context.dataset.test.x.T, s=4, color=BLUE)
    data.set_title("test points", fontsize=10)
    shown = heat.imshow(
        density.reshape(points, points), origin="lower", extent=(-reach, reach) * 2, cmap="viridis", vmin=0.0
    )
    figure.colorbar(shown, ax=heat, shrink=0.85, label="p(x), log Z by a grid")
    heat.set_title(f"density, {context.metrics.get('log_likelihood', float('nan')):.2f} nats a test point", fontsize=10)
    chains.scatter(*drawn.T, s=4, color=ORANGE)
    chains.set_title(f"500 chains, {model.sampling_steps} steps from noise", fontsize=10)
    for axes in (data, heat, chains):
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.set_aspect("equal")
    figure.suptitle(f"{context.recipe.slug}: two rings", fontsize=11)
    return figure


def _side(image: Any) -> int:
    """Of a square image, given as a row."""
    return round(float(np.sqrt(np.size(image))))
