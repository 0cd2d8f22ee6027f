"""Recipes of the chapters on latent variables: three ways to find ten kinds of digits without their labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_course.metrics.purity import Purity
from keras_course.models.latent.binomial_mixture import BinomialMixture
from keras_course.models.latent.gaussian_mixture import GaussianMixture
from keras_course.models.latent.k_means import KMeans
from keras_course.ops.expectation_maximization import expectation_maximization
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, ORANGE, learning_curves, show_image
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = [
    "cluster_table",
    "clusters_as_images",
    "em",
    "gmm",
    "half_steps",
    "k_means",
    "majority_purity",
    "one_component",
    "samples_of_the_mixture",
]

KINDS, SHADES = 10, 16


def k_means() -> Recipe:
    """Ten clusters of digits by Lloyd's algorithm; the labels only judge them."""
    return Recipe(
        slug="k-means",
        dataset="digits-flat",
        model=lambda spec, seed: KMeans(KINDS, spec.features, seed=seed),
        compile=_judged_by_purity,
        batch_size=None,
        epochs=100,
        baseline=majority_purity,
        floor={"purity": 0.7},
        figures=(learning_curves, clusters_as_images, cluster_table),
    )


def gmm() -> Recipe:
    """Ten Gaussians of one shape over the digits, by EM: a density, and clusters besides.

    EM starts from the clusters of k-means: seeds 0 to 4 reach 48.9 to 50.5 nats and a purity of 0.74 to 0.82 (one
    component: 45.7 to 47.4 and 0.10). From the seeds of k-means++ alone, with the covariance of all data, it ended in
    optima alike in likelihood and worse in purity, 0.45 to 0.71.
    """
    return Recipe(
        slug="gmm",
        dataset="digits-flat",
        model=lambda spec, seed: GaussianMixture(
            KINDS, spec.features, "tied", regularisation=1e-3, tolerance=1e-4, seed=seed, initial="k-means"
        ),
        compile=_judged_by_purity,
        batch_size=None,
        epochs=150,
        baseline=one_component,
        floor={"purity": 0.7, "log_likelihood": 48.5},
        figures=(learning_curves, clusters_as_images, cluster_table, samples_of_the_mixture),
    )


def em() -> Recipe:
    """EM on ten kinds of binomial digits: every pixel is a coin tossed sixteen times."""
    return Recipe(
        slug="em",
        dataset="digits-flat",
        prepare=_as_counts,
        model=lambda spec, seed: BinomialMixture(
            KINDS, spec.features, SHADES, smoothing=1.0, tolerance=1e-4, seed=seed
        ),
        compile=_judged_by_purity,
        batch_size=None,
        epochs=150,
        baseline=one_component,
        floor={"purity": 0.7, "log_likelihood": -180.0},
        figures=(learning_curves, clusters_as_images, cluster_table, half_steps),
    )


def _judged_by_purity(spec: Any) -> dict[str, Any]:
    return {"metrics": [Purity(KINDS, spec.classes)], "jit_compile": True}


def _as_counts(dataset: Any) -> Any:
    """Shades 0 ... 16 as counts."""
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    return replace(dataset, **{name: replace(part, x=np.rint(part.x * SHADES)) for name, part in parts.items()})


def majority_purity(dataset: Any, seed: int) -> Baseline:
    """A single cluster: the share of the commonest class."""
    return Baseline("one cluster", {"purity": _majority(dataset)})


def _majority(dataset: Any) -> float:
    return float(np.bincount(dataset.test.y).max() / len(dataset.test.y))


def one_component(dataset: Any, seed: int) -> Baseline:
    """The same kind of mixture with one component: its log-likelihood, and the commonest class's share."""
    features = dataset.spec.features
    if np.max(dataset.train.x) > 1:
        model: Any = BinomialMixture(1, features, SHADES, smoothing=1.0, seed=seed)
    else:
        model = GaussianMixture(1, features, covariance="tied", regularisation=1e-3, seed=seed)
    model.compile()
    model.fit(dataset.train.x, epochs=3, verbose=0)
    measured = model.evaluate(dataset.test.x, verbose=0, return_dict=True)
    return Baseline(
        "one component", {"log_likelihood": float(measured["log_likelihood"]), "purity": _majority(dataset)}
    )


def _counts(context: FigureContext) -> Any:
    """n_kc, clusters by classes, on the test split."""
    chosen = context.outputs if context.outputs.ndim == 1 else context.outputs.argmax(axis=-1)
    counts = np.zeros((KINDS, context.dataset.spec.classes), int)
    np.add.at(counts, (chosen, np.asarray(context.dataset.test.y)), 1)
    return counts


def _centres(model: Any) -> Any:
    found = next(getattr(model, name) for name in ("centres", "means", "probabilities") if hasattr(model, name))
    return found.numpy()


def _named(names: tuple[str, ...], row: Any) -> str:
    return f"mostly {names[int(row.argmax())]}: {row.max()} of {row.sum()}" if row.sum() else "empty"


def clusters_as_images(context: FigureContext) -> Figure:
    """What stands in the middle of every cluster, and whom it holds in the test split."""
    counts, centres = _counts(context), _centres(context.model)
    names = context.dataset.spec.class_names or tuple(str(k) for k in range(counts.shape[1]))
    figure = Figure(figsize=(9.0, 4.4), layout="constrained")
    for axes, centre, row in zip(figure.subplots(2, KINDS // 2).flat, centres, counts, strict=True):
        show_image(axes, centre)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(_named(names, row), fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: the {KINDS} centres, and the test digits of each", fontsize=11)
    return figure


def cluster_table(context: FigureContext) -> Figure:
    """How many test digits of each class every cluster holds; clusters in the order of their commonest class."""
    counts = _counts(context)
    counts = counts[np.lexsort((-counts.max(axis=1), counts.argmax(axis=1)))]
    names = context.dataset.spec.class_names or tuple(str(k) for k in range(counts.shape[1]))
    figure = Figure(figsize=(5.6, 5.0), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    for row, column in np.argwhere(counts > 0):
        colour = "white" if counts[row, column] > 0.55 * counts.max() else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(counts.shape[1]), names)
    axes.set_yticks(range(KINDS), [f"cluster {k + 1}" for k in range(KINDS)])
    axes.set_xlabel("true class (never seen in training)")
    purity = counts.max(axis=1).sum() / counts.sum()
    axes.set_title(f"{context.recipe.slug}: purity {purity:.3f} on {counts.sum()} test digits", fontsize=11)
    return figure


def samples_of_the_mixture(context: FigureContext) -> Figure:
    """Digits that the mixture dreams of: sample(seed, n)."""
    drawn = np.asarray(context.model.sample(np.array([context.seed, 0], "int32"), 24))
    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    for axes, image in zip(figure.subplots(3, 8).flat, drawn, strict=True):
        show_image(axes, np.clip(image, 0.0, 1.0))
        axes.set_axis_off()
    figure.suptitle(f"{context.recipe.slug}: 24 samples", fontsize=11)
    return figure


def half_steps(context: FigureContext, steps: int = 12) -> Figure:
    """F(q, theta) after every half-step from a fresh start: neither makes it worse."""
    x = context.dataset.train.x
    model = context.recipe.model(context.dataset.spec, context.seed)
    model.initialise(x)
    _, objective = expectation_maximization(model.log_joint, model.m_step, x.astype("float32"), model.parameters, steps)
    values = np.asarray(objective) / len(x)
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    time = np.arange(len(values)) / 2
    axes.step(time, values, where="post", color=BLUE, linewidth=1)
    axes.plot(time[::2], values[::2], "o", color=BLUE, markersize=4, label="after an E-step: log p(X)")
    axes.plot(time[1::2], values[1::2], "^", color=ORANGE, markersize=5, label="after an M-step")
    axes.set_xlabel("iteration")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("F(q, theta), mean over training digits (nats)")
    axes.legend(frameon=False)
    axes.set_title(f"{context.recipe.slug}: the objective of both half-steps", fontsize=11)
    return figure
