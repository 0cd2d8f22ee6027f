"""Recipe of handwriting synthesis: words in many hands, written again from their text."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib import colormaps
from matplotlib.figure import Figure

from keras_course.datasets import epoch_order, unpack_lines
from keras_course.datasets.hershey_words import ALPHABET
from keras_course.models.latent.gaussian_mixture import GaussianMixture
from keras_course.models.recurrent.handwriting import HandwritingSynthesis
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import GREY, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.pipeline.stroke_plots import draw_strokes, svg_of_lines

__all__ = [
    "handwriting",
    "one_mixture",
    "primed_lines",
    "without_text",
    "with_another_text",
    "window_over_a_word",
    "written_lines",
    "written_words",
]

UNITS, COMPONENTS, WINDOW = 64, 10, 4
EPOCHS, BATCH, RATE, TRAINING_LINES = 30, 32, 5e-3, 1792
TEXT = 6  # rows of a packed line that may hold a character
WORDS = ("rain.", "quiz.", "handwriting.", "network.")


def handwriting() -> Recipe:
    """Words of four letters by 24 writers; the words of the test split were never written in training.

    64 units a level instead of the notes' "about 3 M" weights (`HandwritingSynthesis` with units=400 has 3.65 million):
    0.12 million that learn print letters in minutes. Texts end with a full stop. The score is -log p a point in nats;
    offsets are in half heights of an x, a density of such small numbers is above 1, so the score is negative. The
    ceiling lies 0.3 nats below what the same network reaches without the texts.

    The long setting: `dataclasses.replace(handwriting(), dataset=..., model=..., epochs=...)` with
    HandwritingSynthesis(ALPHABET, units=400), lines of several words and joined-up fonts
    (`datasets.word_lines(..., words=4, hands=writer_hands(seed, 200, ("rowmans", "scripts", "cursive")))`), or the real
    lines of `datasets.iam_on_db`, Adam at 1e-3, and a day of a GPU.
    """
    return Recipe(
        slug="handwriting",
        dataset="hershey-words",
        model=lambda spec, seed: network(seed),
        compile=lambda spec: training(EPOCHS * STEPS),
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=without_text,
        judge=with_another_text,
        ceiling={"nats_per_point": -2.5},
        figures=(learning_curves, written_lines, written_words, primed_lines, window_over_a_word),
        tiny={"epochs": 1, "examples": 32},
    )


STEPS = TRAINING_LINES // BATCH


def network(seed: int) -> HandwritingSynthesis:
    """Three levels of 64 units."""
    return HandwritingSynthesis(
        ALPHABET, UNITS, components=COMPONENTS, window=WINDOW, text_length=TEXT, first_step=0.08, seed=seed
    )


def training(steps: int) -> dict[str, Any]:
    """Adam, its rate falling to 0 along a cosine; the loop over points is compiled by XLA."""
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    return {"optimizer": keras.optimizers.Adam(rate, clipnorm=1.0), "jit_compile": True}


def without_text(dataset: Any, seed: int) -> Baseline:
    """The same network, trained on the same batches, with every text left out; and one mixture for all points.

    The network passes over a smaller training set in proportion fewer times.
    """
    train, test = (_textless(part.x) for part in (dataset.train, dataset.test))
    passes = -(-EPOCHS * len(train) // TRAINING_LINES)
    model = network(seed)
    model.compile(**training(passes * -(-len(train) // BATCH)))
    for epoch in range(passes):
        order = epoch_order(seed, epoch, len(train))
        for start in range(0, len(train), BATCH):
            model.train_on_batch(train[order[start : start + BATCH]])
    found = {"nats_per_point": _nats(model, test), "nats_of_one_mixture": one_mixture(dataset, seed)}
    return Baseline("the same network without text", found)


def one_mixture(dataset: Any, seed: int) -> float:
    """-log p a test point under one mixture of Gaussians for all offsets, and one share of lifted pens."""
    train, test = (part.x[part.x[:, :, 2] > -0.5][:, :3] for part in (dataset.train, dataset.test))
    model = GaussianMixture(COMPONENTS, 2, regularisation=1e-4, seed=seed)
    model.compile()
    model.fit(train[:, :2], epochs=100, batch_size=len(train), verbose=0)
    moved = np.asarray(ops.logsumexp(model.log_joint(test[:, :2]), axis=-1))
    share = (train[:, 2].sum() + 0.5) / (len(train) + 1)
    return float(-np.mean(moved + np.where(test[:, 2] > 0, np.log(share), np.log(1 - share))))


def with_another_text(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """What every test line costs when it is told the text of the line before it."""
    x = dataset.test.x.copy()
    x[:, :, 3] = np.roll(x[:, :, 3], 1, axis=0)
    return {"nats_with_another_text": _nats(model, x)}


def written_lines(context: FigureContext) -> Figure:
    """Test words as their writers wrote them, above what the model writes from their text alone."""
    lines = unpack_lines(context.dataset.test.x[:4], ALPHABET)
    figure = Figure(figsize=(11.0, 7.6), layout="constrained")
    grid = figure.subplots(5, len(lines))
    rows = ("a test writer", "bias 0", "bias 0.5", "bias 1", "bias 3")
    for column, line in enumerate(lines):
        draw_strokes(grid[0, column], line.points, linewidth=1.6)
        grid[0, column].set_title(line.text, fontsize=11)
        for row, bias in enumerate((0.0, 0.5, 1.0, 3.0), start=1):
            draw_strokes(grid[row, column], _written(context, line.text, bias, column))
    for row, name in enumerate(rows):
        grid[row, 0].text(-0.08, 0.5, name, transform=grid[row, 0].transAxes, rotation=90, va="center", color=GREY)
    figure.suptitle(f"{context.recipe.slug}: words that training never wrote")
    return figure


def written_words(context: FigureContext) -> str:
    """Words of any length as an SVG document, without bias and with two."""
    chosen = [(text, bias) for text in WORDS for bias in (0.0, 0.5, 1.5)]
    lines = [_written(context, text, bias, number) for number, (text, bias) in enumerate(chosen)]
    return svg_of_lines(lines, [f"{text} bias {bias:g}" for text, bias in chosen])


def primed_lines(context: FigureContext) -> Figure:
    """A writer's word, and the same new word in the manner of each."""
    lines = unpack_lines(context.dataset.test.x[:4], ALPHABET)
    figure = Figure(figsize=(8.5, 6.4), layout="constrained")
    for (left, right), line in zip(figure.subplots(len(lines), 2), lines, strict=True):
        draw_strokes(left, line.points, linewidth=1.6)
        ends = np.flatnonzero(line.points[:, 2] > 0.5) + 1
        points, spoken = line.points[: ends[-2]], line.text[:-1]  # without the full stop
        found = context.model.prime(points, spoken, WORDS[0], seed=context.seed, bias=1.0)
        draw_strokes(right, np.asarray(found["points"][0]))
        left.set_title(f"heard: {line.text}", fontsize=9, color=GREY)
        right.set_title(f"then written: {WORDS[0]}", fontsize=9, color=GREY)
    figure.suptitle(f"{context.recipe.slug}: primed with a writer's word, bias 1")
    return figure


def window_over_a_word(context: FigureContext, text: str = WORDS[2]) -> Figure:
    """Where the window looks while a word is written, and the word in the colours of the characters looked at."""
    found = context.model.write(text, seed=context.seed, bias=0.5)
    points, window = np.asarray(found["points"][0]), np.asarray(found["window"][0])
    window = window[points[:, 2] > -0.5]
    figure = Figure(figsize=(9.0, 5.6), layout="constrained")
    word, axes = figure.subplots(2, 1, height_ratios=(1, 2))
    colours = colormaps["turbo"](np.linspace(0.05, 0.95, len(text) + 1))
    draw_strokes(word, points, [colours[place] for place in window.argmax(axis=1)], linewidth=1.8)
    image = axes.imshow(window.T, aspect="auto", origin="lower", cmap="viridis", interpolation="nearest")
    axes.set_yticks(range(len(text) + 1), [*text, "end"])
    axes.set_xlabel("point t")
    axes.set_ylabel("character u")
    axes.step(np.arange(len(window)), window.argmax(axis=1), where="mid", color="white", linewidth=0.8)
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02)
    bar.set_label("window weight phi(t, u)")
    bar.outline.set_visible(False)
    figure.suptitle(f"{context.recipe.slug}: the window over the text")
    return figure


def _textless(x: Any) -> Any:
    return np.concatenate([x[:, :, :3], np.zeros_like(x[:, :, 3:])], axis=2)


def _nats(model: Any, x: Any) -> float:
    return float(model.evaluate(x, batch_size=512, verbose=0, return_dict=True)["nats_per_point"])


def _written(context: FigureContext, text: str, bias: float, number: int) -> Any:
    return np.asarray(context.model.write(text, seed=context.seed + number, bias=bias)["points"][0])
