"""Batches cut out of arrays inside the graph that trains on them, instead of by tf.data.

    rows of step s = order[s B : (s + 1) B]
    batch          = [gather(array, rows) for every array]        then Keras's own step, as often as one execution has

Keras makes a data set of the arrays at each call of `fit`, with its own threads and functions: ten steps of a small
network. Here the arrays are constants beside the graph. Keras still checks them, draws the order, and runs epochs,
callbacks and validation; every batch holds the same bits in the same shapes. Whatever is unusual (several replicas, a
GPU, other data than NumPy's, eager execution, a train function of one's own) is left to Keras altogether.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

try:  # Keras's own checks of arrays, and what its `fit` takes in their place
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter
    from keras.src.trainers.data_adapters.array_slicing import convert_to_sliceable
    from tensorflow.python.eager.context import global_seed
except ImportError:  # moved by a later version: everything goes Keras's way
    ArrayDataAdapter = object
    convert_to_sliceable = None

__all__ = ["ArrayBatches", "ArrayIterator", "may_cut_batches", "reading_arrays"]

NUMBERS = "biuf"  # kinds of dtypes: what tf.gather takes as it is


def may_cut_batches(model: keras.Model, arrays: Any, shuffle: Any, rest: dict[str, Any]) -> bool:
    """Whether `fit` may read its batches here: plain arrays of numbers, one replica, no GPU, a graph.

    Args:
        model: the model.
        arrays: (x, y, sample_weight), each nested arrays or None.
        shuffle: as `fit`'s.
        rest: arguments of `fit` that Keras has to treat, by name.

    Returns:
        bool.
    """
    leaves = [leaf for leaf in keras.tree.flatten(arrays) if leaf is not None]
    plain = bool(leaves) and all(
        type(leaf) is np.ndarray and leaf.dtype.kind in NUMBERS and leaf.ndim and len(leaf) for leaf in leaves
    )
    if convert_to_sliceable is None or not plain or not isinstance(shuffle, bool) or arrays[0] is None:
        return False
    if any(value is not None for value in rest.values()) or not model.compiled or model.run_eagerly:
        return False
    if model._distribute_strategy is not None or tf.distribute.has_strategy() or keras.distribution.distribution():
        return False
    if not tf.executing_eagerly() or tf.config.functions_run_eagerly() or tf.config.list_logical_devices("GPU"):
        return False
    model.make_train_function()
    return getattr(model.train_function, "reads_arrays", False)


class ArrayBatches(ArrayDataAdapter):
    """Arrays as `fit` reads them, an `ArrayIterator` an epoch; arguments and checks as Keras's adapter of arrays."""

    traced = False  # whether a train function has its graph for them

    def get_tf_dataset(self) -> ArrayBatches:
        with tf.device("CPU:0"):
            arrays = convert_to_sliceable(self._inputs, target_backend="tensorflow")
            self.arrays = keras.tree.map_structure(
                lambda each: None if each is None else tf.convert_to_tensor(each), keras.tree.lists_to_tuples(arrays)
            )
        self.size = None if self._partial_batch_size else self._batch_size  # of every batch, where it is known
        return self

    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of a batch, as a data set has them."""
        return _map(lambda each: tf.TensorSpec((self.size, *each.shape[1:]), each.dtype), self.arrays)

    def order(self) -> Any:
        """Row numbers of an epoch: Keras's draw, to the bit. Under a global seed all epochs have the same, as there."""
        with tf.device("CPU:0"):
            rows, seed = self._num_samples, global_seed()
            if not self._shuffle:
                return tf.range(rows, dtype="int64")
            return tf.random.shuffle(tf.range(rows, dtype="int64")) if seed is None else next(iter(_draws(rows, seed)))

    def __iter__(self) -> ArrayIterator:
        return ArrayIterator(self)


@functools.lru_cache(maxsize=2)
def _draws(rows: int, seed: int) -> tf.data.Dataset:
    """One shuffled order, drawn as Keras draws it: by an operation that starts anew with every iteration."""
    return tf.data.Dataset.range(1).map(lambda _: tf.random.shuffle(tf.range(rows, dtype="int64")))


class ArrayIterator:
    """The batches of one epoch: read in the graph by a train function of `reading_arrays`, or here, one by one.

    Args:
        batches: `ArrayBatches`.
    """

    def __init__(self, batches: ArrayBatches) -> None:
        self.batches = batches
        self.order: Any = None  # drawn with the first batch
        self.step = 0

    def begin(self, steps: int) -> tuple[Any, int, int]:
        """Order, first and last step (exclusive) of the next `steps`, and goes on to what follows.

        Raises:
            StopIteration: if no batch is left.
        """
        first = self.step
        self.step = min(first + steps, self.batches.num_batches)
        if first == self.step:
            raise StopIteration
        if self.order is None:
            self.order = self.batches.order()
        return self.order, first, self.step

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        order, first, _ = self.begin(1)
        return _cut(self.batches.arrays, order, first, self.batches.batch_size, self.batches.size)


def _map(function: Callable[[Any], Any], arrays: Any) -> Any:
    """Of every array; None stays."""
    return keras.tree.map_structure(lambda each: None if each is None else function(each), arrays)


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _blocks(arrays: Any, order: Any, first: Any, steps: int, size: int) -> Any:
    """The next batches, (steps, size, ...); what would lie behind the last row repeats it, and is not read."""
    places = tf.minimum(first * size + tf.range(steps * size, dtype="int64"), tf.size(order, "int64") - 1)
    rows = tf.reshape(tf.gather(order, places), (steps, size))
    return _map(lambda each: tf.gather(each, rows), arrays)


def _any_rows(array: Any) -> tf.TensorSpec:
    return tf.TensorSpec((None, *array.shape[1:]), array.dtype)


def _cut(arrays: Any, order: Any, step: Any, size: int, exact: int | None) -> Any:
    begin = step * size
    rows = order[begin : begin + size]
    if exact is not None:
        rows = tf.ensure_shape(rows, (exact,))
    return _map(lambda each: tf.gather(each, rows), arrays)


def reading_arrays(model: keras.Model, others: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A train function that takes an `ArrayIterator` too.

    Args:
        model: the model, its step and compilation as they are now.
        others: Keras's train function, for all other iterators.

    Returns:
        The function: iterator -> logs of the last step.
    """

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def step(batch: Any) -> Any:
        return tf.distribute.get_strategy().run(train_step, args=(batch,))

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def at_once(blocks: Any, count: Any) -> Any:
        """As many steps in one program, on blocks (steps, B, ...) of batches that are all full."""
        kinds = _map(lambda each: tf.TensorSpec(each.shape[1:], each.dtype), blocks)
        traced = tf.function(step, autograph=False).get_concrete_function(kinds)
        logs = keras.tree.map_structure(lambda kind: tf.zeros(kind.shape, kind.dtype), traced.structured_outputs)
        return tf.while_loop(
            lambda i, _: i < count, lambda i, _: (i + 1, traced(_map(lambda each: each[i], blocks))), (0, logs)
        )[1]  # fmt: skip

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def several(arrays: Any, order: Any, first: Any, last: Any, size: int, exact: int | None) -> Any:
        def body(i: Any, _: Any) -> Any:
            return i + 1, compiled(_cut(arrays, order, i, size, exact))

        logs = compiled(_cut(arrays, order, first, size, exact))
        return tf.while_loop(lambda i, _: i < last, body, (first + 1, logs))[1] if steps > 1 else logs

    train_step, steps = model.train_step, model.steps_per_execution
    compiled = tf.function(step, reduce_retracing=True, jit_compile=model.jit_compile)
    graph = tf.function(several, reduce_retracing=True)
    one_program = steps > 1 and bool(model.jit_compile) and getattr(model, "one_program", False)
    program, blocks = tf.function(at_once, jit_compile=True), tf.function(_blocks)

    def trace(batches: Any) -> None:
        """Traces for any number of rows, so that data of another length run the same graph."""
        whole, kinds = tf.TensorSpec((), "int64"), _map(_any_rows, batches.arrays)
        graph.get_concrete_function(
            kinds, tf.TensorSpec((None,), "int64"), whole, whole, batches.batch_size, batches.size
        )
        batches.traced = True

    def function(iterator: Any) -> Any:
        if not isinstance(iterator, ArrayIterator):
            return others(iterator)
        batches = iterator.batches
        order, first, last = iterator.begin(steps)
        full, logs = int(order.shape[0]) // batches.batch_size, None
        with tf.device("CPU:0"):
            if one_program and first < full:
                count = tf.constant(min(last, full) - first)
                cut = blocks(batches.arrays, order, tf.constant(first, "int64"), min(steps, full), batches.batch_size)
                first, logs = min(last, full), program(cut, count)
            if first == last:
                return logs
            if not batches.traced:
                trace(batches)
            return graph(
                batches.arrays, order, tf.constant(first, "int64"), tf.constant(last, "int64"), batches.batch_size,
                batches.size,
            )  # fmt: skip

    function.reads_arrays = True  # type: ignore[attr-defined]
    return function
