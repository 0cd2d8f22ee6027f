"""The recipe of the memory network: six kinds of questions about small stories, learned by one model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from keras_course.datasets.question_tasks import (
    ANSWERS,
    SENTENCES,
    TASKS,
    VOCABULARY,
    WORDS,
    question_stories,
    question_tasks,
)
from keras_course.datasets.stories import encode_stories
from keras_course.layers.recurrent import LSTM
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.recurrent.memory_network import MemoryNetwork
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = ["attention_of_hops", "error_of_tasks", "lstm_over_sentences", "memory_network"]

STORIES, BATCH, EPOCHS = 5000, 64, 40
STEPS = -(-len(TASKS) * STORIES // BATCH)
MEASURED = 200  # stories a task on which errors are measured
LSTM_UNITS, LSTM_EPOCHS = 64, 15


def stories(seed: int) -> Any:
    """5,000 stories of each task to train on."""
    return question_tasks(seed, (STORIES, 50, MEASURED))


def memory_network() -> Recipe:
    """Three hops with position and temporal encoding, layer-wise tying, over all six tasks at once.

    The softmax of the hops is left out for the first five epochs (linear start).
    """
    return Recipe(
        slug="memory-network",
        dataset=stories,
        model=lambda spec, seed: MemoryNetwork(
            VOCABULARY, ANSWERS, SENTENCES, WORDS, width=48, hops=3, tying="layer", linear_start=5 * STEPS, seed=seed
        ),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(5e-3, EPOCHS * STEPS), clipnorm=1.0
            ),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "jit_compile": True,
            "steps_per_execution": STEPS,
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=lstm_over_sentences,
        judge=errors,
        floor={"accuracy": 0.85},
        figures=(learning_curves, error_of_tasks, attention_of_hops),
        tiny={"examples": 128},
    )


def errors(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """{"error of <task>": share of wrong answers} on test stories of each task."""
    found = {}
    for task in TASKS:
        x, y = encode_stories(question_stories(seed, "test", task, MEASURED), VOCABULARY, ANSWERS, SENTENCES, WORDS)
        scores = ops.convert_to_numpy(model(ops.convert_to_tensor(x), training=False))
        found[f"error of {task}"] = float(np.mean(scores.argmax(-1) != y))
    return found


def lstm_over_sentences(dataset: Any, seed: int) -> Baseline:
    """An LSTM that reads the story, a sentence a step as a bag of words, and the question last, as is the custom.

    So it must keep the whole story for whatever may be asked. Told the question at every step, which is half of what a
    memory network does, it would answer 0.93 of all questions, and 0.76 of those that take two facts.
    """
    spec, train = dataset.spec, dataset.train
    x = keras.Input(spec.shape, dtype="int32")
    there = ops.cast(x > 0, "float32")[..., None]
    vectors = ops.sum(there * keras.layers.Embedding(1 + len(VOCABULARY), LSTM_UNITS)(x), axis=2)  # (B, S + 1, d)
    model = keras.Model(x, keras.layers.Dense(len(ANSWERS))(LSTM(LSTM_UNITS)(vectors)))
    steps = -(-len(train) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(5e-3, LSTM_EPOCHS * steps)
    model.compile(
        keras.optimizers.Adam(rate, clipnorm=1.0), SoftmaxLoss(), metrics=["accuracy"], jit_compile=False,
        steps_per_execution=steps,
    )  # fmt: skip
    model.fit(train.x, train.y, batch_size=BATCH, epochs=LSTM_EPOCHS, verbose=0)
    accuracy = model.evaluate(dataset.test.x, dataset.test.y, batch_size=256, verbose=0, return_dict=True)["accuracy"]
    return Baseline("LSTM over sentences", {"accuracy": float(accuracy), **errors(model, dataset, seed)})


def error_of_tasks(context: Any) -> Figure:
    """The share of wrong answers of each task on test stories, and what always giving the commonest answer costs."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(TASKS))
    found = [context.metrics[f"error of {task}"] for task in TASKS]
    axes.bar(places, found, width=0.6, color="#3B6FB6", label="memory network")
    for place, task in enumerate(TASKS):
        answers = [story.answer for story in question_stories(context.seed, "test", task, MEASURED)]
        commonest = 1 - max(answers.count(answer) for answer in set(answers)) / len(answers)
        label = "always the commonest answer" if place == 0 else None
        axes.plot([place - 0.4, place + 0.4], [commonest] * 2, color="#D9822B", linewidth=2, label=label)
        axes.annotate(f"{found[place]:.2f}", (place, found[place]), ha="center", va="bottom", fontsize=8)
    axes.set_xticks(places, TASKS, fontsize=8)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of wrong answers")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{context.recipe.slug}: errors of six tasks", fontsize=11)
    return figure


def attention_of_hops(context: Any) -> Figure:
    """One test story of each of four tasks: what every hop listened to. Bold: what the answer follows from."""
    tasks = TASKS[:4]
    figure = Figure(figsize=(11.5, 7.4), layout="constrained")
    for axes, task in zip(figure.subplots(2, 2).flat, tasks, strict=True):
        candidates = question_stories(context.seed, "test", task, MEASURED)
        story = next(s for s in candidates if 5 <= len(s.sentences) <= 8)
        found = context.model.answer([" ".join(story.sentences)], [story.question])
        attention = np.asarray(found["attention"])[0, :, -len(story.sentences) :]  # (hops, sentences)
        axes.imshow(attention.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(attention)), [f"hop {k + 1}" for k in range(len(attention))], fontsize=8)
        axes.set_yticks(range(len(story.sentences)), story.sentences, fontsize=8)
        for index in story.supports:
            axes.get_yticklabels()[index].set_fontweight("bold")
        for (row, column), value in np.ndenumerate(attention.T):
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7,
                      color="white" if value > 0.5 else "black")  # fmt: skip
        said = found["answer"].numpy()[0].decode()
        sure = float(np.max(found["probabilities"]))
        axes.set_title(f"{story.question} {said} ({sure:.2f}); right: {story.answer}", fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: attention of every hop", fontsize=11)
    return figure
