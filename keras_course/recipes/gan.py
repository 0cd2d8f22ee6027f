"""Recipes of adversarial networks: digits from noise, judged by a classifier and by neighbourhoods."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.core.seeds import derive_seed
from keras_course.datasets import Dataset
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.generative.dcgan import dcgan_networks
from keras_course.models.generative.gan import GAN
from keras_course.models.generative.wgan import WGAN
from keras_course.models.perceptrons.mlp import MLP
from keras_course.ops.birthday import closest_pairs
from keras_course.ops.sample_quality import (
    frechet_distance,
    inception_score,
    moments_of_samples,
    precision_and_recall,
)
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import BASELINE, Baseline, Recipe
from keras_course.recipes.large_images import few_test_images, is_large, on_large_images, rows_of_pixels

__all__ = [
    "between_two_codes",
    "closest_samples",
    "gan",
    "gan_on_images",
    "gaussian_of_pixels",
    "judged_samples",
    "quality_of_samples",
    "samples_and_nearest_digits",
    "wgan",
    "wgan_on_images",
]

NETWORKS = {
    "latent": 16, "generator": (128, 128), "discriminator": (128, 128), "activation": "leaky_relu",
    "output_activation": "sigmoid",
}  # fmt: skip
LARGE_NETWORKS = {**NETWORKS, "latent": 64, "generator": (256, 512), "discriminator": (512, 256)}


def gan() -> Recipe:
    """Digits of 64 grey values by two networks of dense layers.

    The non-saturating loss, one step of either player. The floors lie above what a Gaussian of the same mean and
    covariance reaches. Longer training makes it worse: the discriminator wins, and classes are lost one by one.
    """
    return Recipe(
        slug="gan",
        dataset="digits-flat",
        model=lambda spec, seed: GAN(spec.features, **NETWORKS, seed=seed),
        compile=lambda spec: _adam(1e-3),
        batch_size=64,
        epochs=300,
        baseline=gaussian_of_pixels,
        judge=judged_samples,
        floor={"inception_score": 6.0, "precision": 0.65},
        figures=(learning_curves, samples_and_nearest_digits, between_two_codes, closest_samples),
    )


def wgan() -> Recipe:
    """The same networks under a gradient penalty, the critic with five steps for one of the generator.

    Its loss says how far it has come: `wasserstein` falls as the samples get better. No class is lost.
    """
    return Recipe(
        slug="wgan",
        dataset="digits-flat",
        model=lambda spec, seed: WGAN(spec.features, **NETWORKS, penalty=1.0, steps=5, seed=seed),
        compile=lambda spec: _adam(1e-3),
        batch_size=160,
        epochs=900,
        baseline=gaussian_of_pixels,
        judge=judged_samples,
        floor={"inception_score": 6.9, "precision": 0.65, "recall": 0.6},
        figures=(learning_curves, samples_and_nearest_digits, between_two_codes, closest_samples),
    )


def gan_on_images(name: str) -> Recipe:
    """Images of 28 x 28 grey values by convolutional networks: against dense ones the discriminator wins in an epoch.

    Precision is measured and not bounded: among 784 pixels the blurred draws of a Gaussian lie near everything, and
    neighbourhoods of pixels call nearly all of them real.
    """
    return on_large_images(
        gan(),
        name,
        floor={"inception_score": BASELINE},
        model=lambda spec, seed: GAN(
            spec.shape, latent=64, **dcgan_networks(spec.shape, 64, seed=seed), output_activation="sigmoid", seed=seed
        ),
        compile=lambda spec: _adam(2e-4),
        epochs=20,
    )


def wgan_on_images(name: str) -> Recipe:
    """Dense layers under a gradient penalty of 10; a batch is five steps of the critic, 64 images each."""
    return on_large_images(
        wgan(),
        name,
        floor=dict.fromkeys(("inception_score", "recall"), BASELINE),
        prepare=rows_of_pixels,
        model=lambda spec, seed: WGAN(spec.features, **LARGE_NETWORKS, penalty=10.0, steps=5, seed=seed),
        compile=lambda spec: _adam(3e-4),
        batch_size=320,
        epochs=100,
    )


def _adam(rate: float) -> dict[str, Any]:
    """Little momentum: the other player moves on."""
    return {
        "optimizer": keras.optimizers.Adam(rate, beta_1=0.5),
        "discriminator_optimizer": keras.optimizers.Adam(rate, beta_1=0.5),
        "steps_per_execution": 4,
    }


def quality_of_samples(samples: Any, dataset: Dataset) -> dict[str, float]:
    """Four numbers about samples, against test examples: all of them, or the first thousand of more.

    Args:
        samples: array (N, ...), of the shape of the data's x.
        dataset: its training part makes the labeller, its test part is compared with.

    Returns:
        {"inception_score": by a classifier of the training digits, "precision" and "recall" by three neighbours in the
        space of pixels, "frechet_distance" of the pixels' moments}.
    """
    samples, real = _rows(samples), _rows(few_test_images(dataset))
    covered = precision_and_recall(real, samples, 3)
    moments = (*moments_of_samples(real), *moments_of_samples(samples))
    return {
        "inception_score": float(inception_score(_probabilities(samples, dataset))),
        "precision": float(covered.precision),
        "recall": float(covered.recall),
        "frechet_distance": float(frechet_distance(*moments)),
    }


def judged_samples(model: Any, dataset: Dataset, seed: int) -> dict[str, float]:
    """As many samples as test digits are looked at, judged by `quality_of_samples`."""
    return quality_of_samples(model.sample(derive_seed(seed, "judged"), len(few_test_images(dataset))), dataset)


def gaussian_of_pixels(dataset: Dataset, seed: int) -> Baseline:
    """Samples of N(mean, covariance) of the training digits, cut off at black and white: PCA with all components."""
    x = _rows(dataset.train.x)
    centred = x - x.mean(0)
    variances, axes = np.linalg.eigh(centred.T @ centred / (len(x) - 1))  # axes in columns
    draws = np.random.Generator(np.random.Philox(derive_seed(seed, "gaussian")))
    codes = draws.normal(size=(len(few_test_images(dataset)), len(axes))) * np.sqrt(variances.clip(0.0))
    samples = np.clip(x.mean(0) + codes @ axes.T, 0.0, 1.0)
    return Baseline("Gaussian of the pixels", quality_of_samples(samples, dataset))


def _rows(x: Any) -> np.ndarray:
    x = np.asarray(x, "float64")
    return x.reshape(len(x), -1)


def _probabilities(x: Any, dataset: Dataset) -> np.ndarray:
    """p(y|x) of a small classifier of the training digits."""
    train = dataset.train
    given = (np.asarray(train.x, "float32").tobytes(), np.asarray(train.y, "int64").tobytes())
    epochs = 3 if is_large(dataset) else 30
    labeller = _labeller(*given, train.x[0].size, dataset.spec.classes or 10, epochs)
    logits = np.asarray(labeller.predict(np.asarray(x, "float32"), verbose=0), "float64")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@lru_cache(maxsize=2)
def _labeller(x: bytes, y: bytes, features: int, classes: int, epochs: int) -> Any:
    """Trained once for a data set: baseline, judge and figures ask the same one."""
    digits, labels = np.frombuffer(x, "float32").reshape(-1, features), np.frombuffer(y, "int64")
    model = MLP(features, (64, classes), seed=derive_seed(0, "labeller"))
    model.compile(keras.optimizers.Adam(3e-3), SoftmaxLoss())
    model.fit(digits, labels, batch_size=50, epochs=epochs, shuffle=False, verbose=0)
    return model


def samples_and_nearest_digits(context: FigureContext, rows: int = 4, columns: int = 12) -> Figure:
    """Samples above the training digits that lie nearest: new ones, or remembered?"""
    samples = np.asarray(context.model.sample(derive_seed(context.seed, "sheet"), rows * columns))
    train = np.reshape(context.dataset.train.x, (len(context.dataset.train.x), -1))
    nearest = ((train**2).sum(1) - 2 * samples.reshape(len(samples), -1) @ train.T).argmin(1)  # |s - t|^2 less |s|^2
    figure = Figure(figsize=(0.8 * columns, 1.75 * rows), layout="constrained")
    grid = figure.subplots(2 * rows, columns)
    for index in range(rows * columns):
        row, column = divmod(index, columns)
        _show(grid[2 * row, column], samples[index], "#222222")
        _show(grid[2 * row + 1, column], train[nearest[index]], "#BBBBBB")
    figure.suptitle(f"{context.recipe.slug}: samples (dark frames), each above the nearest training digit", fontsize=11)
    return figure


def between_two_codes(context: FigureContext, pairs: int = 4, steps: int = 11) -> Figure:
    """From one sample to another: along the straight line, and around."""
    codes = np.asarray(context.model.sample_codes(derive_seed(context.seed, "between"), 2 * pairs))
    figure = Figure(figsize=(0.8 * steps, 1.85 * pairs), layout="constrained")
    grid = figure.subplots(2 * pairs, steps)
    for line, way in enumerate(("linear", "spherical")):
        images = np.asarray(context.model.interpolate(codes[:pairs], codes[pairs:], steps, way=way))  # (T, pairs, D)
        for pair in range(pairs):
            for step in range(steps):
                _show(grid[2 * pair + line, step], images[step, pair], "#BBBBBB")
            grid[2 * pair + line, 0].set_ylabel(way, fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: G(z) between two codes, straight and on the great circle", fontsize=11)
    return figure


def closest_samples(context: FigureContext, samples: int = 400, pairs: int = 12) -> Figure:
    """The birthday test's evidence: the pairs among many samples that lie closest, for somebody to look at."""
    made = np.asarray(context.model.sample(derive_seed(context.seed, "birthday"), samples))
    first, second, distances = (np.asarray(part) for part in closest_pairs(made, pairs))
    figure = Figure(figsize=(0.8 * pairs, 2.3), layout="constrained")
    grid = figure.subplots(2, pairs)
    for column in range(pairs):
        _show(grid[0, column], made[first[column]], "#BBBBBB")
        _show(grid[1, column], made[second[column]], "#BBBBBB")
        grid[0, column].set_title(f"{distances[column]:.2f}", fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: the closest of {samples} samples, and how far they are apart", fontsize=11)
    return figure


def _show(axes: Any, image: Any, frame: str) -> None:
    side = round(float(np.sqrt(np.size(image))))
    axes.imshow(np.reshape(image, (side, side)), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(frame)
