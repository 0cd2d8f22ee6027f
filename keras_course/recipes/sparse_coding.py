"""The recipe of sparse coding: what patches of photographs are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_course.datasets import load
from keras_course.models.autoencoders.sparse_coding import SparseCoding
from keras_course.models.latent.pca import PCA
from keras_course.ops.sparse_coding import sparse_codes, sparse_coding_cost
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, ORANGE, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.code_figures import atoms_sheet

__all__ = ["atoms_by_use", "costs_by_step", "pca_of_as_many_atoms", "photograph_patches", "sparse_coding"]

SIDE, ATOMS, AT_WORK = 8, 96, 8


def sparse_coding() -> Recipe:
    """A dictionary of 96 atoms for patches of 8 x 8 pixels from two photographs.

    The atoms that carry the codes end as edges and bars at some place, angle and width, as Olshausen and Field found.
    The baseline is PCA with eight components: at no more than eight atoms a patch on average, the dictionary may make
    half of its error.
    """
    return Recipe(
        slug="sparse-coding",
        dataset=photograph_patches,
        model=lambda spec, seed: SparseCoding(ATOMS, spec.features, penalty=1.0, steps=40, memory=0.97, seed=seed),
        compile=lambda spec: {},
        batch_size=256,
        epochs=150,
        baseline=pca_of_as_many_atoms,
        ceiling={"reconstruction_error": 0.146, "share_at_work": AT_WORK / ATOMS},
        figures=(learning_curves, atoms_by_use, costs_by_step),
    )


def photograph_patches(seed: int) -> Any:
    """Four grey patches (64,) of every crop of "photograph-crops", each about its own mean, of unit variance overall.

    Training, validation and test patches come from different tiles of the photographs.
    """
    data = load("photograph-crops", seed=seed)

    def patches(split: Any) -> Any:
        grey = split.x.mean(axis=-1)  # (N, 16, 16)
        count = grey.shape[1] // SIDE
        cut = grey.reshape(len(grey), count, SIDE, count, SIDE).transpose(0, 1, 3, 2, 4).reshape(-1, SIDE * SIDE)
        return replace(split, x=cut - cut.mean(axis=1, keepdims=True), y=np.repeat(split.y, count * count))

    splits = {name: patches(getattr(data, name)) for name in ("train", "validation", "test")}
    scale = splits["train"].x.std()
    splits = {name: replace(split, x=split.x / scale) for name, split in splits.items()}
    return replace(data, spec=replace(data.spec, name="photograph-patches", shape=(SIDE * SIDE,)), **splits)


def pca_of_as_many_atoms(dataset: Any, seed: int) -> Baseline:
    """Eight principal components: as many numbers as atoms may be at work, always the same directions."""
    model = PCA(AT_WORK, dataset.spec.features)
    model.compile()
    model.fit(dataset.train.x, verbose=0)
    error = float(np.mean(model.reconstruction_errors(dataset.test.x)))
    return Baseline(f"{AT_WORK} principal components", {"reconstruction_error": error})


def atoms_by_use(context: FigureContext) -> Figure:
    """All atoms as patches, those that carry most of the codes first."""
    use = np.abs(np.asarray(context.model.encode(context.dataset.test.x))).sum(axis=0)
    order = np.argsort(-use, kind="stable")
    return atoms_sheet(np.asarray(context.model.atoms)[order], f"{context.recipe.slug}: atoms, the most used first")


def costs_by_step(context: FigureContext, rows: int = 200) -> Figure:
    """How far ISTA and FISTA are from the least cost of test patches after each number of steps."""
    model, x = context.model, tf.constant(context.dataset.test.x[:rows])
    atoms = tf.convert_to_tensor(model.atoms)

    def mean_cost(steps: int, method: str) -> float:
        codes = sparse_codes(x, atoms, model.penalty, steps, method)
        return float(tf.reduce_mean(sparse_coding_cost(x, codes, atoms, model.penalty)))

    counts = (1, 2, 4, 8, 16, 32, 64, 128)
    least = mean_cost(2000, "fista")
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for method, colour in (("ista", ORANGE), ("fista", BLUE)):
        gaps = [max(mean_cost(steps, method) - least, 1e-7) for steps in counts]
        axes.plot(counts, gaps, "o-", color=colour, markersize=4, label=method.upper())
    axes.set(xlabel="steps", ylabel="mean cost above the least", xscale="log", yscale="log")
    axes.set_xticks(counts, [str(steps) for steps in counts])
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(f"{context.recipe.slug}: codes of {len(x)} test patches", fontsize=11)
    return figure
