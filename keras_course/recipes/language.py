"""Recipes of language models: what comes next in a text, character by character."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_course.datasets.king_james import ALPHABET, king_james_texts
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.ops.language import bits_of_symbols
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = [
    "bits_of_test_chapters",
    "in_longer_windows",
    "lstm",
    "samples_at_temperatures",
    "test_chapters",
    "witten_bell",
    "witten_bell_bits",
]

PIECE, PIECES = 64, 4  # characters between two steps, in a window of 256
EPOCHS, BATCH, BATCHES = 14, 32, 45  # 1,437 windows
ORDERS = (1, 2, 3, 5)
TEMPERATURES = (0.5, 0.8, 1.0, 1.2)


def lstm() -> Recipe:
    """Genesis, psalms and Mark, one character after the other: a language model of one LSTM level.

    Trained on windows of 256 characters that begin with no memory, by truncated backpropagation through time: a step
    every 64 characters, the state carried on. Measured on whole chapters, in bits a character. With windows of 64, each
    without a memory, as many steps and the same time, chapters cost 0.026 bits a character more.
    The baseline counts: how often each character came after the last k, for k up to 5, shorter contexts filling in for
    rare ones (Witten and Bell). It has to be beaten.
    """
    return Recipe(
        slug="lstm",
        dataset="king-james",
        prepare=in_longer_windows,
        model=lambda spec, seed: CharacterLM(
            "".join(spec.class_names), units=(256,), embedding=48, dropout=0.1, truncation=PIECE, seed=seed
        ),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(4e-3, EPOCHS * BATCHES * PIECES), clipnorm=1.0
            ),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "steps_per_execution": 9,
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=witten_bell,
        judge=bits_of_test_chapters,
        ceiling={"bits_per_character": 1.8},
        figures=(learning_curves, bits_by_place, samples_at_temperatures),
        tiny={"examples": 64},
    )


def in_longer_windows(dataset: Any, pieces: int = PIECES) -> Any:
    """Windows that lie side by side in the text, so and so many in one; what fills none is left out."""
    length = pieces * dataset.train.x.shape[1]

    def joined(part: Any) -> Any:
        kept = len(part.x) // pieces * pieces
        return replace(part, x=part.x[:kept].reshape(-1, length), y=part.y[:kept].reshape(-1, length))

    parts = {name: joined(getattr(dataset, name)) for name in ("train", "validation", "test")}
    return replace(dataset, spec=replace(dataset.spec, shape=(length,), label_shape=(length,)), **parts)


def test_chapters(dataset: Any) -> list[str]:
    """The chapters of the test text, as many as its windows hold characters (all of them but in a tiny run)."""
    chapters, room = [], dataset.test.x.size
    for chapter in king_james_texts(dataset.spec.seed)["test"].strip("\n").split("\n\n"):
        if chapters and room < len(chapter):
            break
        chapters.append(chapter)
        room -= len(chapter)
    return chapters


def bits_of_test_chapters(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """Bits a character over whole chapters, each read from its first character to its last with one state."""
    log_prob = tf.function(model.log_prob, input_signature=[tf.TensorSpec((None,), "string")])
    bits, count = 0.0, 0
    chapters = sorted(test_chapters(dataset), key=len)
    for start in range(0, len(chapters), 8):  # of similar length: less padding
        found = log_prob(chapters[start : start + 8])
        bits -= float(np.sum(found["log_prob"])) / np.log(2.0)
        count += sum(len(chapter) - 1 for chapter in chapters[start : start + 8])
    return {"bits_per_character": bits / count}


def witten_bell(dataset: Any, seed: int) -> Baseline:
    """Counts of what came after the last five characters, backed by shorter contexts."""
    texts = [king_james_texts(dataset.spec.seed)["train"][: dataset.train.x.size], *test_chapters(dataset)]
    bits = witten_bell_bits(texts[0], texts[1:], max(ORDERS), len(ALPHABET))
    return Baseline(f"counts of {max(ORDERS) + 1} characters", {"bits_per_character": bits[-1]})


def witten_bell_bits(train: str, test: list[str], order: int, characters: int) -> list[float]:
    """Bits a character of counted contexts, for every order up to the greatest.

    p_k(c | h) = (n(h c) + d(h) p_(k-1)(c | h')) / (n(h) + d(h)),    p_(-1) = 1 / V

    h are the last k characters, h' the last k - 1, n counts in the training text, d(h) is the number of different
    characters that came after h. Where fewer than k characters stand before c, the longest context there is is used.

    Args:
        train: str.
        test: texts; the first character of each is given.
        order: int >= 0, the greatest k.
        characters: int, V.

    Returns:
        List of bits a character, k = 0 ... order.

    Source: R; Witten and Bell 1991.
    """
    totals, measured = np.zeros(order + 1), 0
    tables = []
    for k in range(order + 1):
        counts = Counter(train[i - k : i + 1] for i in range(k, len(train)))
        seen: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for gram, n in counts.items():
            seen[gram[:-1]][0] += n
            seen[gram[:-1]][1] += 1
        tables.append((counts, dict(seen)))
    for text in test:
        for i in range(1, len(text)):
            p = 1.0 / characters
            for k, (counts, seen) in enumerate(tables):
                if k <= i and text[i - k : i] in seen:
                    n, different = seen[text[i - k : i]]
                    p = (counts.get(text[i - k : i + 1], 0) + different * p) / (n + different)
                totals[k] -= np.log2(p)
            measured += 1
    return [float(total / measured) for total in totals]


def bits_by_place(context: FigureContext) -> Figure:
    """Bits of a character by its place in the window: what memory is worth; against counts of shorter contexts."""
    test = context.dataset.test
    bits = np.asarray(bits_of_symbols(context.outputs, test.y)).mean(axis=0)
    train = king_james_texts(context.dataset.spec.seed)["train"][: context.dataset.train.x.size]
    counted = witten_bell_bits(train, test_chapters(context.dataset), max(ORDERS), len(ALPHABET))
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.plot(np.arange(1, len(bits) + 1), bits, color=BLUE, label="windows of the test text")
    if "bits_per_character" in context.metrics:
        axes.axhline(context.metrics["bits_per_character"], color=ORANGE, label="whole chapters")
    axes.axhline(np.log2(len(ALPHABET)), color=GREY, linestyle=":", linewidth=1.2)
    axes.text(len(bits), np.log2(len(ALPHABET)), "all alike", ha="right", va="bottom", color=GREY, fontsize=8)
    for k in ORDERS:
        axes.axhline(counted[k], color=GREY, linestyle="--", linewidth=0.9)
        label = f"counts of {k + 1} characters"
        axes.text(len(bits), counted[k], label, ha="right", va="bottom", color=GREY, fontsize=8)
    axes.set(xlabel="characters read", ylabel="bits of the next character", ylim=(1.2, 6.5))
    axes.set_xscale("log", base=2)  # memory tells most within the first ten characters
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.legend(frameon=False, loc="center right", fontsize=8)
    axes.set_title(f"{context.recipe.slug}: bits a character", fontsize=11)
    return figure


def samples_at_temperatures(context: FigureContext, length: int = 400) -> Figure:
    """What the model writes after "In the beginning ", the same noise at four temperatures."""
    figure = Figure(figsize=(9.0, 7.6))
    prompt, sample = "In the beginning ", tf.function(context.model.sample, autograph=False)
    seed, n = tf.constant([0, context.seed]), tf.constant(length)
    for row, temperature in enumerate(TEMPERATURES):
        text = sample(tf.constant(prompt), tf.constant(temperature), seed, n).numpy().decode()
        top = 0.93 - 0.235 * row
        figure.text(0.03, top, f"temperature {temperature:g}", fontsize=10, weight="bold", va="top")
        figure.text(0.03, top - 0.03, _wrapped(prompt + text), fontsize=8.5, family="monospace", va="top")
    figure.suptitle(f"{context.recipe.slug}: {length} characters drawn after {prompt!r}", fontsize=11)
    return figure


def _wrapped(text: str, width: int = 100) -> str:
    """Lines of at most `width` characters, broken at spaces; line feeds of the text shown as such."""
    return "\n".join(line for verse in text.split("\n") for line in textwrap.wrap(verse, width) or [""])
