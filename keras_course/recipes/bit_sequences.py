"""Recipes of the neural Turing machine: bits that are to be repeated from memory, longer ones than those trained on.

A controller that has no memory of its own (feedforward) cannot count: what it learns on eight steps it can only keep by
addresses, and so does at twenty what it does at eight. An LSTM controller learns the training lengths as well, and
counts there, and is lost beyond them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from keras_course.datasets.bit_sequences import NOT_ASKED, bit_sequences, copy_task, repeat_copy_task
from keras_course.losses.asked_bits import AskedBitsLoss
from keras_course.metrics.bit_error import BitError
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.models.recurrent.neural_turing_machine import NeuralTuringMachine
from keras_course.ops.bit_sequences import wrong_and_asked_bits
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = [
    "addressing_over_time",
    "error_against_length",
    "long_copy",
    "neural_turing_machine",
    "repeat_copy",
]

BATCH = 32
LSTM_UNITS = 64
ROWS = 200  # sequences that longer lengths are measured on

COPY: dict[str, Any] = {"bits": 4, "lengths": (1, 8)}
LONGER_COPY = {**COPY, "lengths": (16, 20)}
REPEAT: dict[str, Any] = {"bits": 3, "lengths": (1, 6), "repeats": (1, 3), "most": 3}
LONGER_REPEAT = {**REPEAT, "lengths": (10, 12)}
LONG_COPY: dict[str, Any] = {"bits": 8, "lengths": (1, 20)}


def neural_turing_machine() -> Recipe:
    """The copy task: one to eight steps of four bits to train on, sixteen to twenty to see what was learned.

    A feedforward controller over 32 slots. The longer sequences come in no gradient, no validation and no choice.
    """
    return _recipe(
        copy_task, COPY, LONGER_COPY, epochs=4, slots=32, ceiling={"bit_error": 0.01, "bit_error_longer": 0.05}
    )


def repeat_copy() -> Recipe:
    """The repeat-copy task: one to six steps of three bits, one to three times, and the end to be told.

    `keras-course fit neural-turing-machine --dataset repeat-copy-task`. Longer are ten to twelve steps.
    """
    return _recipe(
        repeat_copy_task, REPEAT, LONGER_REPEAT, epochs=6, slots=32,
        ceiling={"bit_error": 0.01, "bit_error_longer": 0.05}, read_heads=2,
    )  # fmt: skip


def long_copy() -> Recipe:
    """The copy task at the size of its authors: eight bits, one to twenty steps, 128 slots of 20; hours, not minutes.

    `keras-course fit neural-turing-machine --dataset long-copy-task`. Longer are 100 to 120 steps.
    """
    data = partial(copy_task, **LONG_COPY, counts=(50000, 1000, 1000), name="long-copy-task")
    longer = {**LONG_COPY, "lengths": (100, 120)}
    return _recipe(
        data, LONG_COPY, longer, epochs=10, slots=128, width=20, units=100,
        ceiling={"bit_error": 0.01, "bit_error_longer": 0.05},
    )  # fmt: skip


def _recipe(
    dataset: Any,
    task: dict[str, Any],
    longer: dict[str, Any],
    epochs: int,
    slots: int,
    ceiling: dict[str, float],
    units: int = 64,
    width: int = 10,
    read_heads: int = 1,
) -> Recipe:
    def model(spec: Any, seed: int) -> Any:
        return NeuralTuringMachine(
            spec.shape[-1], spec.label_shape[-1], units=units, slots=slots, width=width, read_heads=read_heads,
            controller="feedforward", seed=seed,
        )  # fmt: skip

    return Recipe(
        slug="neural-turing-machine",
        dataset=dataset,
        model=model,
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(5e-3, clipnorm=1.0),
            "loss": AskedBitsLoss(),
            "metrics": [BitError()],
            "jit_compile": True,  # many small products a step
        },
        batch_size=BATCH,
        epochs=epochs,
        baseline=partial(lstm, longer=longer, epochs=epochs),
        judge=partial(longer_sequences, longer=longer),
        ceiling=ceiling,
        figures=(
            learning_curves,
            partial(addressing_over_time, longer=longer),
            partial(error_against_length, task=task, longest=longer["lengths"][1]),
        ),
        tiny={"examples": 64},
    )


def longer_sequences(model: Any, dataset: Any, seed: int, longer: dict[str, Any]) -> dict[str, float]:
    """{"bit_error_longer"}: the error on sequences longer than any trained on."""
    return {"bit_error_longer": bit_error(model, *bit_sequences(seed, "longer", ROWS, **longer))}


def bit_error(model: Any, x: Any, y: Any) -> float:
    """Wrong bits over asked bits."""
    wrong, asked = wrong_and_asked_bits(y, model(ops.convert_to_tensor(x), training=False))
    return float(ops.sum(wrong) / ops.sum(asked))


def lstm(dataset: Any, seed: int, longer: dict[str, Any], epochs: int) -> Baseline:
    """An LSTM, trained as often on the same rows: more weights than the machine, no memory but its state."""
    spec, train = dataset.spec, dataset.train
    model = DeepRNN(spec.shape[-1], spec.label_shape[-1], units=(LSTM_UNITS,), return_sequences=True, seed=seed)
    model.compile(keras.optimizers.Adam(5e-3, clipnorm=1.0), AskedBitsLoss(), jit_compile=False)
    model.fit(train.x, train.y, batch_size=BATCH, epochs=epochs, verbose=0)
    metrics = {"bit_error": bit_error(model, dataset.test.x, dataset.test.y)}
    return Baseline(f"LSTM of {LSTM_UNITS} units", metrics | longer_sequences(model, dataset, seed, longer))


def addressing_over_time(context: Any, longer: dict[str, Any]) -> Figure:
    """One sequence longer than any trained on: what went in, what came out, and where every head pointed.

    Args:
        context: `FigureContext` of a `NeuralTuringMachine`.
        longer: arguments of `bit_sequences`.
    """
    x, y = bit_sequences(context.seed, "longer", ROWS, **longer)
    row = int(np.argmax((y[:, :, 0] != NOT_ASKED).sum(1)))
    found = {name: np.asarray(value) for name, value in context.model.addressing(x[row : row + 1]).items()}
    asked = y[row] != NOT_ASKED
    said = np.where(asked, 1 / (1 + np.exp(-found["outputs"][0].astype("float64"))), np.nan)
    panels = {"inputs": x[row].T, "asked for": np.where(asked, y[row], np.nan).T, "said": said.T}
    for what in ("write", "read"):
        weights = found[f"{what}_weights"][0]
        for head in range(weights.shape[1]):
            number = f" {head + 1}" if weights.shape[1] > 1 else ""
            panels[f"slots,\n{what} head{number}"] = weights[:, head].T
    heights = [max(len(values), 4) for values in panels.values()]
    figure = Figure(figsize=(7.2, 0.12 * sum(heights) + 1.2), layout="constrained")
    grid = figure.subplots(len(panels), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    shown: Any = None
    for axes, (name, values) in zip(grid, panels.items(), strict=True):
        axes.set_facecolor("#E8E8E8")
        shown = axes.imshow(values, cmap="inferno", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_ylabel(name, fontsize=8)
        axes.set_yticks([0, len(values) - 1])
        axes.tick_params(labelsize=7)
    grid[-1].set_xlabel("step")
    figure.colorbar(shown, ax=list(grid), shrink=0.5)
    wrong = int(np.sum(asked & ((said > 0.5) != (y[row] == 1))))
    least = f"{wrong} of {int(asked.sum())} bits wrong"
    figure.suptitle(f"{context.recipe.slug}: longer than those trained on, {least}", fontsize=10)
    return figure


def error_against_length(context: Any, task: dict[str, Any], longest: int) -> Figure:
    """Wrong bits at each length, those trained on (shaded) and beyond.

    Args:
        context: `FigureContext` of a model that puts out logits (B, T, bits).
        task: arguments of `bit_sequences` in training.
        longest: int, where to end.
    """
    first, last = task["lengths"]
    lengths = sorted({*range(first, last + 1), *np.linspace(last, longest, 7).astype(int).tolist()})
    errors = [
        bit_error(context.model, *bit_sequences(context.seed, "by length", 50, **{**task, "lengths": (n, n)}))
        for n in lengths
    ]
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(first, last, color="#DDE8F3", label="lengths trained on")
    axes.plot(lengths, errors, marker="o", label=context.recipe.slug)
    axes.axhline(0.5, color="#999999", linestyle="--", linewidth=1, label="guessing")
    axes.set_xlabel("steps to repeat")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel("share of wrong bits")
    axes.set_ylim(-0.02, 0.55)
    axes.legend(frameon=False, fontsize=8)
    axes.set_title(f"{context.recipe.slug}: error against length", fontsize=11)
    return figure
