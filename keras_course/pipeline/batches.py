"""The data of a run, and the order in which a model sees it: all pure functions of (seed, epoch, example index).

    rows of step s in epoch e = epoch_order(seed, e, N)[s B : (s + 1) B]
    uniforms of example i     = row i of the Philox stream keyed by (seed, "augment", e)

Nothing is drawn from a stream that a crash would rewind, so a resumed run sees what the uninterrupted one would have
seen, and a failed step can be replayed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_course import datasets
from keras_course.core.seeds import derive_seed
from keras_course.datasets import epoch_order
from keras_course.pipeline.recipe import Recipe

SPLITS = ("train", "validation", "test")
EVALUATION_BATCH = 512


def recipe_data(recipe: Recipe, seed: int, examples: int | None = None) -> datasets.Dataset:
    """Loads, checks and prepares the data of a recipe.

    The checks come first: XLA clamps a label that is out of range without a word, so none may reach it.

    Args:
        recipe: `Recipe`.
        seed: int, decides the split.
        examples: int, keep the first so many of each split (they lie in random order); None keeps all.

    Returns:
        `Dataset` as the model sees it.

    Raises:
        InvalidDataError: if a split is empty, not finite, of the wrong shape, or holds labels out of range.
        MissingDataError: if the data are not here and cannot be fetched.
    """
    dataset = recipe.dataset(seed) if callable(recipe.dataset) else datasets.load(recipe.dataset, seed=seed)
    dataset = _rebuilt(dataset, None)
    if recipe.prepare is not None:
        dataset = recipe.prepare(dataset)
    return _rebuilt(dataset, examples)


def _rebuilt(dataset: datasets.Dataset, examples: int | None) -> datasets.Dataset:
    """The same data in new `Split` and `Dataset` objects, whose checks run again: arrays may be changed in place."""
    splits = {name: getattr(dataset, name) for name in SPLITS}
    return replace(
        dataset, **{name: replace(part, x=part.x[:examples], y=part.y[:examples]) for name, part in splits.items()}
    )


class TrainingBatches:
    """The training batches of every epoch.

    Args:
        split: `Split` to train on, x (N, ...), y (N, ...).
        batch_size: int B, or None for the whole split at once.
        seed: int, the run's seed.
        augment: callable(x, uniforms) that returns x, or None; see `Recipe`.
        draws: int, uniform numbers an example for `augment`.
        weights: array (N, ...), a sample weight or a row of them for each example, or None.

    Raises:
        ValueError: for weights of another number of examples.
    """

    def __init__(
        self,
        split: datasets.Split,
        batch_size: int | None,
        seed: int,
        augment: Callable[[Any, Any], Any] | None = None,
        draws: int = 1,
        weights: NDArray[Any] | None = None,
    ) -> None:
        if weights is not None and len(weights) != len(split):
            raise ValueError(
                f"TrainingBatches needs a weight for each of {len(split)} examples. Received: {len(weights)} weights"
            )
        self.split = split
        self.weights = weights
        self.batch_size = min(batch_size or len(split), len(split))
        self.seed = seed
        self.augment = augment
        self.draws = draws
        with tf.device("CPU:0"):
            self._order = tf.Variable(tf.zeros((len(split),), tf.int64), trainable=False, name="order")
            self._uniforms = tf.Variable(
                tf.zeros((len(split) if augment else 0, draws)), trainable=False, name="uniforms"
            )
        self.epoch = 0

    @property
    def epoch(self) -> int:
        """The epoch whose batches `dataset()` gives; set it between iterations."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = epoch
        self._order.assign(self.order(epoch))
        if self.augment is not None:
            self._uniforms.assign(self.uniforms(epoch))

    @property
    def steps(self) -> int:
        """Steps an epoch; the last batch may be smaller."""
        return -(-len(self.split) // self.batch_size)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Row numbers of an epoch, a permutation of 0 … N-1."""
        return epoch_order(self.seed, epoch, len(self.split))

    def uniforms(self, epoch: int) -> NDArray[np.float32]:
        """What `augment` gets for each example, (N, draws) in [0, 1)."""
        generator = np.random.Philox(key=derive_seed(self.seed, "augment", epoch))
        bits = np.asarray(generator.random_raw(len(self.split) * self.draws), "uint64")
        # The upper 24 bits fill a float32 exactly; rounding more of them could give 1.
        return ((bits >> np.uint64(40)) * np.float64(2.0**-24)).astype("float32").reshape(-1, self.draws)

    def dataset(self) -> tf.data.Dataset:
        """The batches (x, y), or (x, y, weights), of whatever epoch is set when they are read.

        Returns:
            tf.data.Dataset of known cardinality `steps`.
        """
        with tf.device("CPU:0"):
            x, *others = (tf.constant(part) for part in (self.split.x, self.split.y, self.weights) if part is not None)
        size, augment = self.batch_size, self.augment

        def batch(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
            rows = self._order[step * size : (step + 1) * size]
            inputs, rest = tf.gather(x, rows), [tf.gather(other, rows) for other in others]
            if augment is None:
                return inputs, *rest
            changed = augment(inputs, tf.gather(self._uniforms, rows))
            return tf.cast(tf.ensure_shape(changed, inputs.shape), inputs.dtype), *rest

        return untuned(tf.data.Dataset.range(self.steps).map(batch).prefetch(2))


def in_order(*arrays: NDArray[Any]) -> tf.data.Dataset:
    """Batches of whole arrays in their own order, for evaluation and prediction.

    Args:
        *arrays: (N, ...) each; one gives batches of tensors, several give batches of tuples.
    """
    with tf.device("CPU:0"):
        rows = tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0])
    return untuned(rows.batch(EVALUATION_BATCH).prefetch(2))


def untuned(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The same batches without tf.data's tuning thread.

    Dropping an iterator waits for that thread, which now and then sleeps through its call to end, for up to a minute.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
