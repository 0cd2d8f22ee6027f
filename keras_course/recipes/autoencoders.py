"""Recipes of the chapter on autoencoders: digits through few numbers and back."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.models.autoencoders import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
)
from keras_course.models.latent.pca import PCA
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import BASELINE, Baseline, Recipe
from keras_course.recipes.autoencoder_figures import (
    components_as_images,
    explained_variance,
    plane_of_codes,
    reconstructions,
)
from keras_course.recipes.code_figures import (
    atoms,
    field_on_plane,
    noisy_reconstructions,
    spectrum_of_slopes,
    units_at_work,
)
from keras_course.recipes.large_images import BATCH as LARGE_BATCH
from keras_course.recipes.large_images import STEPS, is_large, on_large_images, rows_of_pixels

__all__ = [
    "autoencoder",
    "autoencoder_on_images",
    "best_linear_denoiser",
    "contraction_of_test_digits",
    "contractive_autoencoder",
    "contractive_autoencoder_on_images",
    "denoising_autoencoder",
    "denoising_autoencoder_on_images",
    "mean_digit",
    "pca",
    "pca_of_as_many_units",
    "pca_of_two",
    "pca_on_images",
    "share_at_work",
    "sparse_autoencoder",
    "sparse_autoencoder_on_images",
    "without_penalty",
]

CODE, PLANE, NOISE = 8, 2, 0.5
BATCH, STEPS_AN_EPOCH = 32, 40  # 1,258 training digits
LARGE_EPOCHS = 20
WIDEST_OVERCOMPLETE, WIDEST_SPARSE, WIDEST_CONTRACTIVE = 1024, 512, 256  # codes of images of 784 pixels


def _falling_rate(rate: float, epochs: int, steps: int = STEPS_AN_EPOCH) -> dict[str, Any]:
    """Compile arguments: Adam along a cosine, forty steps in one call of the graph."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * steps)
    return {"optimizer": keras.optimizers.Adam(schedule), "steps_per_execution": STEPS_AN_EPOCH}


def _on_images(recipe: Recipe, name: str, rate: float = 1e-3, **changes: Any) -> Recipe:
    """Twenty epochs on images of 28 x 28 grey values."""
    usual = {
        "prepare": rows_of_pixels,
        "compile": lambda spec: _falling_rate(rate, LARGE_EPOCHS, STEPS),
        "epochs": LARGE_EPOCHS,
    }
    return on_large_images(recipe, name, **{**usual, **changes})


def pca() -> Recipe:
    """Eight principal components of the digits, against no component at all.

    The ceiling is half of the error of the mean digit: eight numbers of 64 are to tell more than half.
    """
    return Recipe(
        slug="pca",
        dataset="digits-flat",
        model=lambda spec, seed: PCA(CODE, spec.features, seed=seed),
        compile=lambda spec: {},
        batch_size=None,
        epochs=1,
        baseline=mean_digit,
        ceiling={"reconstruction_error": 0.036},
        figures=(components_as_images, explained_variance, reconstructions, plane_of_codes),
    )


def pca_on_images(name: str) -> Recipe:
    """Thirty-two components of images of 28 x 28 pixels."""
    return _on_images(
        pca(), name, model=lambda spec, seed: PCA(4 * CODE, spec.features, seed=seed), compile=lambda spec: {}, epochs=1
    )


def autoencoder() -> Recipe:
    """Digits through two numbers by a deep autoencoder, against the plane of two principal components.

    The ceiling is three quarters of the plane's error: what depth is worth at equal size.
    """
    epochs = 80
    return Recipe(
        slug="autoencoder",
        dataset="digits-flat",
        model=lambda spec, seed: Autoencoder(
            spec.features, code=PLANE, units=(128, 64), output_activation="sigmoid", seed=seed
        ),
        compile=lambda spec: _falling_rate(3e-3, epochs),
        batch_size=BATCH,
        epochs=epochs,
        baseline=pca_of_two,
        ceiling={"reconstruction_error": 0.0385},
        select="val_reconstruction_error",
        figures=(learning_curves, reconstructions, plane_of_codes),
    )


def autoencoder_on_images(name: str) -> Recipe:
    """Images of 28 x 28 pixels through two numbers, by wider layers."""
    return _on_images(
        autoencoder(),
        name,
        model=lambda spec, seed: Autoencoder(
            spec.features, code=PLANE, units=(512, 256, 64), output_activation="sigmoid", seed=seed
        ),
    )


def denoising_autoencoder() -> Recipe:
    """Digits under Gaussian noise of half the range of grey, cleaned; a code four times as wide as x.

    The baseline is the best linear denoiser of a Gaussian with the digits' mean and covariance; the ceiling is nine
    tenths of its error.
    """
    epochs = 60
    return Recipe(
        slug="denoising-autoencoder",
        dataset="digits-flat",
        model=lambda spec, seed: DenoisingAutoencoder(
            spec.features, code=min(4 * spec.features, WIDEST_OVERCOMPLETE), amount=NOISE, code_activation="relu",
            output_activation="sigmoid", seed=seed,
        ),
        compile=lambda spec: _falling_rate(3e-3, epochs),
        batch_size=BATCH,
        epochs=epochs,
        baseline=best_linear_denoiser,
        ceiling={"reconstruction_error": 0.033},
        figures=(learning_curves, noisy_reconstructions, field_on_plane, atoms),
    )  # fmt: skip


def denoising_autoencoder_on_images(name: str) -> Recipe:
    """The same noise on images of 28 x 28 pixels, and 1024 code units."""
    return _on_images(denoising_autoencoder(), name)


def sparse_autoencoder() -> Recipe:
    """Digits through 128 units, of which few are at work for any one digit.

    The weights are tied: else small codes and a large decoder would dodge the penalty. The baseline is PCA with as many
    components as units may be at work, one in ten: which ones are at work tells more than a fixed set of them.
    """
    epochs = 80
    return Recipe(
        slug="sparse-autoencoder",
        dataset="digits-flat",
        model=lambda spec, seed: SparseAutoencoder(
            spec.features, code=_sparse_units(spec), strength=0.2, tied=True, seed=seed
        ),
        compile=lambda spec: _falling_rate(3e-3, epochs),
        batch_size=BATCH,
        epochs=epochs,
        baseline=pca_of_as_many_units,
        judge=share_at_work,
        ceiling={"reconstruction_error": 0.0147, "share_at_work": 0.1},
        figures=(learning_curves, reconstructions, atoms, units_at_work),
    )


def sparse_autoencoder_on_images(name: str) -> Recipe:
    """512 units for images of 28 x 28 pixels, of which one in ten may be at work; PCA has 51 components."""
    recipe = sparse_autoencoder()
    ceiling = {"reconstruction_error": BASELINE, "share_at_work": recipe.ceiling["share_at_work"]}
    return _on_images(recipe, name, ceiling=ceiling)


def _sparse_units(spec: Any) -> int:
    return min(2 * int(spec.features), WIDEST_SPARSE)


def contractive_autoencoder() -> Recipe:
    """A logistic code of 64 units over the digits, tied weights, whose slopes are kept small.

    The baseline is the same model without the penalty; a quarter of its squared slopes may be left, at no more error
    than eight principal components make, whose projection has |df/dx|^2 = 8 everywhere.
    """
    return Recipe(
        slug="contractive-autoencoder",
        dataset="digits-flat",
        model=_contractive(0.1),
        compile=lambda spec: _falling_rate(1e-2, CONTRACTIVE_EPOCHS),
        batch_size=BATCH,
        epochs=CONTRACTIVE_EPOCHS,
        baseline=without_penalty,
        judge=contraction_of_test_digits,
        ceiling={"reconstruction_error": 0.024, "contraction": 9.7},
        figures=(learning_curves, reconstructions, spectrum_of_slopes, atoms),
    )


def contractive_autoencoder_on_images(name: str) -> Recipe:
    """A code of 256 units over images of 28 x 28 pixels; its slopes are to be smaller than without the penalty."""
    return _on_images(contractive_autoencoder(), name, ceiling={"contraction": BASELINE})


CONTRACTIVE_EPOCHS = 60


def _contractive(strength: float) -> Any:
    return lambda spec, seed: ContractiveAutoencoder(
        spec.features, code=min(spec.features, WIDEST_CONTRACTIVE), strength=strength, tied=True,
        output_activation="sigmoid", seed=seed,
    )  # fmt: skip


def mean_digit(dataset: Any, seed: int) -> Baseline:
    """The mean of the training digits in the place of every test digit."""
    error = np.mean((dataset.test.x - dataset.train.x.mean(axis=0, dtype="float64")) ** 2)
    return Baseline("mean digit", {"reconstruction_error": float(error)})


def _pca_error(dataset: Any, components: int) -> float:
    model = PCA(components, dataset.spec.features)
    model.compile()
    model.fit(dataset.train.x, verbose=0)
    return float(np.mean(model.reconstruction_errors(dataset.test.x)))


def pca_of_two(dataset: Any, seed: int) -> Baseline:
    """Two principal components: the same number of code units, linear."""
    return Baseline("two principal components", {"reconstruction_error": _pca_error(dataset, PLANE)})


def pca_of_as_many_units(dataset: Any, seed: int) -> Baseline:
    """As many principal components as a tenth of the sparse code."""
    count = round(0.1 * _sparse_units(dataset.spec))
    return Baseline(f"{count} principal components", {"reconstruction_error": _pca_error(dataset, count)})


def best_linear_denoiser(dataset: Any, seed: int) -> Baseline:
    """m + C (C + sigma^2 I)^-1 (x~ - m): the best linear map from noisy to clean digits, known in closed form.

    Its error at a digit is measured exactly, in expectation over the noise: of what it does to the digit itself, and of
    the noise that it lets through.
    """
    mean = dataset.train.x.mean(axis=0, dtype="float64")
    centred = dataset.train.x - mean
    covariance = centred.T @ centred / len(centred)
    kernel = np.linalg.solve(covariance + NOISE**2 * np.eye(len(mean)), covariance)  # acts on rows from the right
    missed = (dataset.test.x - mean) @ (kernel - np.eye(len(mean)))
    error = np.mean(missed**2) + NOISE**2 * np.sum(kernel**2) / len(mean)
    return Baseline("best linear denoiser", {"reconstruction_error": float(error)})


def share_at_work(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """The mean share of code units that are not 0, over the test digits."""
    return {"share_at_work": float(np.mean(model.active_share(dataset.test.x)))}


def contraction_of_test_digits(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """The mean of |df/dx|_F^2 over the test digits."""
    return {"contraction": float(ops.mean(model.contraction(dataset.test.x)))}


def without_penalty(dataset: Any, seed: int) -> Baseline:
    """The same model trained alike, its slopes free."""
    epochs, rate, steps, batch = CONTRACTIVE_EPOCHS if len(dataset.train.x) > 1000 else 2, 1e-2, STEPS_AN_EPOCH, BATCH
    if is_large(dataset):
        epochs, rate, steps, batch = LARGE_EPOCHS, 1e-3, STEPS, LARGE_BATCH
    model = _contractive(0.0)(dataset.spec, seed)
    model.compile(**_falling_rate(rate, epochs, steps))
    model.fit(dataset.train.x, batch_size=batch, epochs=epochs, verbose=0)
    error = model.evaluate(dataset.test.x, verbose=0, return_dict=True)["reconstruction_error"]
    return Baseline(
        "no penalty",
        {"reconstruction_error": float(error), **contraction_of_test_digits(model, dataset, seed)},
    )
