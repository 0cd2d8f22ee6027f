"""Short trainings that tell a defect from a hard problem; afterwards the model is as it was.

tiny-set fit   a handful of examples must be learnt by heart:  L_last <= share * L_first
update ratio   |w_after - w_before| / |w_before|  of one step, layer by layer: about 1e-3 is usual, 0 is frozen
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from keras_course.core.shapes import require_positive_int
from keras_course.datasets import Split
from keras_course.pipeline.batches import TrainingBatches
from keras_course.pipeline.guard import single_steps
from keras_course.pipeline.probe import loss_of
from keras_course.pipeline.training_state import restore, state_of

__all__ = ["ShortTraining", "TinyFit", "change_ratio", "is_kernel", "short_training", "tiny_set_fit"]


@dataclass(frozen=True)
class TinyFit:
    """Whether a handful of examples could be learnt by heart.

    Args:
        examples: how many.
        first, last: loss on them before and after.
        passed: whether the loss fell to the wanted share.

    Example:
        >>> TinyFit(examples=8, first=2.3, last=0.01, passed=True).passed
        True

    Source: C 9.1.6.
    """

    examples: int
    first: float
    last: float
    passed: bool


@dataclass(frozen=True)
class ShortTraining:
    """What happened in some steps of the model's own training.

    Args:
        losses: array (steps,), the loss of each step's batch before its update.
        before, after: loss on the first examples before and after all steps.
        ratios: {path of the layer: array (steps,) of |change| / |weights|}.

    Example:
        >>> ShortTraining(np.array([1.0, 0.5]), 1.0, 0.4, {"a": np.array([0.1, 0.3])}).ratio("a")
        0.2

    Source: C 9.1.6.
    """

    losses: NDArray[np.float64]
    before: float
    after: float
    ratios: dict[str, NDArray[np.float64]]

    def ratio(self, layer: str) -> float:
        """Median update-to-weight ratio of one layer."""
        return float(np.nanmedian(self.ratios[layer]))

    def greatest(self, layer: str) -> float:
        """Greatest update-to-weight ratio of one layer in a single step; infinite once the weights are not finite."""
        return float(np.nanmax(self.ratios[layer]))


def tiny_set_fit(
    model: Any, x: Any, y: Any, *, examples: int = 8, steps: int = 300, share: float = 0.1, learning_rate: float = 1e-2
) -> TinyFit:
    """Tries to learn a few examples by heart, with Adam of its own.

    passed = L_last <= L_first - (1 - share) |L_first|,   that is L_last <= share L_first for a positive loss

    A network of any use can; one that cannot has a defect (a wrong loss, a gradient that does not arrive, inputs that
    carry nothing), whatever the data are. The model's own optimiser takes no part, so that its rate is no excuse. Two
    equal inputs with different targets cannot be learnt by heart: look at the examples, too.

    Args:
        model: compiled Keras model with a loss; its weights are put back.
        x, y: arrays (N, ...), N >= examples; the first ones are taken.
        examples: int >= 1.
        steps: int >= 1, at most so many.
        share: float in (0, 1), of the first loss.
        learning_rate: float > 0, of Adam.

    Returns:
        `TinyFit`.

    Raises:
        ValueError: if the model has no loss, or for arguments out of range.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> tiny_set_fit(model, np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]]), examples=2).passed
        True

    Source: C 9.1.6.
    """
    require_positive_int("tiny_set_fit", examples=examples, steps=steps)
    if not 0 < share < 1 or not 0 < learning_rate < math.inf:
        raise ValueError(
            "tiny_set_fit needs share in (0, 1) and a positive rate. "
            f"Received: share={share}, learning_rate={learning_rate}"
        )
    x, y = (ops.convert_to_tensor(np.asarray(values)[:examples]) for values in (x, y))
    with _as_it_was(model):
        first = last = float(loss_of(model, x, y))
        goal = first - (1 - share) * abs(first)
        weights = model.trainable_variables
        if weights and math.isfinite(first):
            optimizer = keras.optimizers.Adam(learning_rate)
            optimizer.build(weights)

            def step() -> Any:
                with tf.GradientTape() as tape:
                    loss = loss_of(model, x, y)
                slopes = tape.gradient(loss, [w.value for w in weights], unconnected_gradients="zero")
                optimizer.apply_gradients(zip(slopes, weights, strict=True))
                return loss

            compiled = tf.function(step)
            for number in range(steps):
                compiled()
                if number % 20 == 19 and float(loss_of(model, x, y)) <= goal:
                    break
            last = float(loss_of(model, x, y))
    return TinyFit(len(x), first, last, last <= goal)


def short_training(model: Any, train: Split, *, steps: int = 40, batch_size: int = 32, seed: int = 0) -> ShortTraining:
    """Runs some of the model's own training steps, with its own optimiser, and watches weights and loss.

    ratio_l(t) = |w_l(t + 1) - w_l(t)| / |w_l(t)|,   NaN for the first step away from zero

    Args:
        model: compiled Keras model; weights, optimiser and seeds are put back.
        train: `Split` to train on.
        steps: int >= 1.
        batch_size: int >= 1.
        seed: int, order of the examples.

    Returns:
        `ShortTraining`.

    Raises:
        ValueError: if the model has no loss, or for steps below 1.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line")])
        >>> model.compile("sgd", "mse")
        >>> rows = Split(np.ones((8, 1), "float32"), np.zeros((8, 1), "float32"))
        >>> watched = short_training(model, rows, steps=5)
        >>> len(watched.losses), list(watched.ratios) == [model.layers[0].path], watched.after < watched.before
        (5, True, True)

    Source: C 9.1.6.
    """
    require_positive_int("short_training", steps=steps, batch_size=batch_size)
    probe = (ops.convert_to_tensor(train.x[:256]), ops.convert_to_tensor(train.y[:256]))
    batches = TrainingBatches(train, batch_size, seed)
    weights = list(model.weights)
    owners = [weight.path.rpartition("/")[0] for weight in weights]
    kernels = {
        layer: [i for i, owner in enumerate(owners) if owner == layer and is_kernel(weights[i])] for layer in owners
    }
    kernels = {layer: chosen for layer, chosen in kernels.items() if chosen}
    losses: list[float] = []
    ratios: dict[str, list[float]] = {layer: [] for layer in kernels}
    with _as_it_was(model), single_steps(model):
        before = float(loss_of(model, *probe))
        iterator, epoch = iter(batches.dataset()), 0
        for step in range(steps):
            if step and step % batches.steps == 0:
                epoch += 1
                batches.epoch = epoch
                iterator = iter(batches.dataset())
            old = [weight.numpy().astype("float64") for weight in weights]
            model.reset_metrics()
            logs = model.train_function(iterator)
            losses.append(float(np.asarray(logs.get("loss", np.nan))))
            for layer, chosen in kernels.items():
                change = sum(float(np.sum((weights[i].numpy() - old[i]) ** 2)) for i in chosen)
                size = sum(float(np.sum(old[i] ** 2)) for i in chosen)
                ratios[layer].append(change_ratio(change, size))
        after = float(loss_of(model, *probe))
    return ShortTraining(np.array(losses), before, after, {layer: np.array(values) for layer, values in ratios.items()})


def change_ratio(change: float, size: float) -> float:
    """|change| / |weights| of sums of squares: NaN for the first step away from zero, infinite for lost weights."""
    if not math.isfinite(change):
        return math.inf
    return math.sqrt(change / size) if size > 0 else (math.nan if change > 0 else 0.0)


def is_kernel(weight: Any) -> bool:
    """Biases start at zero and statistics are not learnt: neither has a ratio worth the name."""
    return len(weight.shape) >= 2 and keras.backend.is_float_dtype(weight.dtype)


@contextmanager
def _as_it_was(model: Any) -> Iterator[None]:
    state = state_of(model)
    try:
        yield
    finally:
        restore(model, state)
