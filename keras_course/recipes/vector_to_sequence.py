"""A recipe of the chapter on recurrent networks: from the name of a digit to its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from keras_course.core.seeds import derive_seed, uniform_noise
from keras_course.datasets import Dataset, load
from keras_course.layers.recurrent.vector_to_sequence import VectorToSequence
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = ["drawn_digits", "independent_pixels", "rows_of_named_digits", "vector_to_sequence"]

KINDS, SIDE = 10, 8
EPOCHS, BATCH, STEPS_AN_EPOCH = 40, 32, 40  # 1,258 training digits


def vector_to_sequence() -> Recipe:
    """Black-and-white digits drawn row by row by a network that is told, at every step, which digit it is.

    v is the digit as a one-hot vector, y_t a row of eight pixels, each black with the probability sigma(o_t) given all
    rows above: p(rows | digit) in nats a pixel. Read backwards by Bayes' rule the same numbers tell which digit a
    drawing shows: `bayes_accuracy`. The baseline takes the pixels of a digit as independent.
    """
    return Recipe(
        slug="vector-to-sequence",
        dataset=rows_of_named_digits,
        model=_network,
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, EPOCHS * STEPS_AN_EPOCH)),
            "loss": keras.losses.BinaryCrossentropy(from_logits=True),
            "steps_per_execution": STEPS_AN_EPOCH,
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        select="val_loss",
        baseline=independent_pixels,
        judge=read_backwards,
        ceiling={"loss": 0.26},
        figures=(learning_curves, drawn_digits),
    )


def _network(spec: Any, seed: int) -> keras.Model:
    packed = keras.Input(spec.shape)
    layer = VectorToSequence(
        64, SIDE, vector_initializer=keras.initializers.GlorotUniform(derive_seed(seed, "vector")), name="rows"
    )
    return keras.Model(packed, layer(packed[:, 0, SIDE:], packed[:, :, :SIDE]))


def rows_of_named_digits(seed: int) -> Dataset:
    """Digits whose pixels are black or white, each row behind the one above it and the digit's name.

    Args:
        seed: int, which split.

    Returns:
        `Dataset`: x (N, 8, 18), the row above (zeros at first) and the digit as a one-hot vector, the same at every
        step; labels (N, 8, 8), 1 for ink.
    """
    digits = load("digits", seed)

    def packed(split: Any) -> Any:
        ink = (split.x[..., 0] > 0.5).astype("int32")
        return replace(split, x=_packed(ink, split.y), y=ink)

    splits = {name: packed(getattr(digits, name)) for name in ("train", "validation", "test")}
    spec = replace(
        digits.spec, name="rows-of-named-digits", shape=(SIDE, SIDE + KINDS), classes=2, label_shape=(SIDE, SIDE),
        class_names=("paper", "ink"),
    )  # fmt: skip
    return Dataset(**splits, spec=spec)


def _packed(ink: Any, kinds: Any) -> Any:
    """The row above and the one-hot digit, float32 (N, 8, 18)."""
    above = np.concatenate([np.zeros_like(ink[:, :1]), ink[:, :-1]], axis=1)
    named = np.repeat(np.eye(KINDS)[kinds][:, None], SIDE, axis=1)
    return np.concatenate([above, named], axis=-1).astype("float32")


def _kinds(x: Any) -> Any:
    return x[:, 0, SIDE:].argmax(-1)


def _accuracy(scores: Any, kinds: Any) -> float:
    return float(np.mean(np.argmax(scores, axis=1) == kinds))


def independent_pixels(dataset: Dataset, seed: int) -> Baseline:
    """How often each pixel of each digit is black, with one drawing of each colour added: naive Bayes."""
    train, test = dataset.train, dataset.test
    black = np.stack([(train.y[_kinds(train.x) == k].sum(0) + 1) / ((_kinds(train.x) == k).sum() + 2)
                      for k in range(KINDS)])  # fmt: skip
    ink = test.y[:, None]  # (N, 1, 8, 8)
    nats = -np.mean(np.where(ink == 1, np.log(black), np.log1p(-black)), axis=(2, 3))  # (N, 10)
    kinds = _kinds(test.x)
    loss = float(np.mean(nats[np.arange(len(kinds)), kinds]))
    return Baseline("independent pixels", {"loss": loss, "bayes_accuracy": _accuracy(-nats, kinds)})


def read_backwards(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """Share of test drawings whose own digit makes them most probable, all digits equally likely beforehand."""
    ink, kinds = dataset.test.y, _kinds(dataset.test.x)
    scores = []
    for kind in range(KINDS):
        logits = model.predict(_packed(ink, np.full(len(ink), kind)), verbose=0)
        scores.append(-np.sum(np.logaddexp(0.0, np.where(ink == 1, -logits, logits)), axis=(1, 2)))
    return {"bayes_accuracy": _accuracy(np.stack(scores, axis=1), kinds)}


def drawn_digits(context: FigureContext, count: int = 8) -> Figure:
    """Digits that the network draws when told which: a row is drawn, and given back as the row above the next."""
    layer = context.model.get_layer("rows")
    kinds = np.repeat(np.arange(KINDS), count)
    drawn = _draw(layer, np.eye(KINDS, dtype="float32")[kinds], derive_seed(context.seed, "drawn"))
    figure = Figure(figsize=(0.55 * (count + 3) + 0.4, 0.62 * KINDS), layout="constrained")
    for axes, image in zip(figure.subplots(KINDS, count + 2).flat, _beside(context, drawn, kinds, count), strict=True):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("#BBBBBB")
        axes.imshow(image, cmap="Greys", vmin=0, vmax=1)
    figure.suptitle(f"{context.recipe.slug}: two of the test split, then {count} drawn", fontsize=9)
    return figure


def _draw(layer: Any, vectors: Any, seed: int) -> Any:
    """Rows (N, 8, 8) of 0 and 1, each drawn given those above it."""
    noise = uniform_noise((SIDE, len(vectors), SIDE), [seed, 0])
    rows: list[Any] = []
    for t in range(SIDE):
        above = np.stack([np.zeros_like(vectors[:, :SIDE]), *rows], axis=1)
        logits = layer(vectors, above)[:, -1]
        rows.append(ops.convert_to_numpy(ops.cast(noise[t] < ops.sigmoid(logits), "float32")))
    return np.stack(rows, axis=1)


def _beside(context: FigureContext, drawn: Any, kinds: Any, count: int) -> Any:
    """For every digit two true ones, then those drawn."""
    test = context.dataset.test
    for kind in range(KINDS):
        real = test.y[_kinds(test.x) == kind]
        yield from (real[k] if k < len(real) else np.zeros((SIDE, SIDE)) for k in range(2))
        yield from drawn[kinds == kind]
