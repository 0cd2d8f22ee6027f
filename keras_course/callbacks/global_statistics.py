"""The second phase of batch normalization: the whole training set fixes the statistics, layer by layer.

    for each batch-normalization layer, from the first to the last:
        send every training example through the network up to that layer (earlier layers already fixed, inference mode)
        m = mean, v = variance of what arrives, over all examples;  moving_mean <- m,  moving_variance <- v

Moments of batches are merged exactly (`ops.normalization.merge_moments`), in float64: a short last batch counts what
it holds, and the result does not depend on how the set is cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_course.core.shapes import require_positive_int
from keras_course.ops.normalization import batch_moments, merge_moments

__all__ = ["GlobalStatistics", "fix_global_statistics"]


class GlobalStatistics(keras.callbacks.Callback):
    """Fixes the global statistics of all batch-normalization layers at the end of training.

    The weights of the last step are what it goes by: after a callback that gives the best weights back, list it later
    than that one. `fit`'s own validation, epoch by epoch, still sees the moving averages.

    Args:
        data: the training inputs, as `fix_global_statistics`.
        batch_size: int >= 1, examples at a time, where data are arrays; changes memory and time, not the result.

    Raises:
        ValueError: as `fix_global_statistics`.

    Example:
        >>> x = np.array([[0.0], [0.0], [3.0]])
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization()])
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(x, x, batch_size=2, verbose=0, callbacks=[GlobalStatistics(x, batch_size=2)])
        >>> [variable.numpy().tolist() for variable in model.layers[0].non_trainable_weights]
        [[1.0], [2.0]]

    Source: C 7.7.
    """

    def __init__(self, data: Any, batch_size: int = 256) -> None:
        super().__init__()
        require_positive_int("GlobalStatistics", batch_size=batch_size)
        self.data = data
        self.batch_size = batch_size

    def on_train_end(self, logs: Any = None) -> None:
        fix_global_statistics(self.model, self.data, self.batch_size)


def fix_global_statistics(model: keras.Model, data: Any, batch_size: int = 256) -> list[str]:
    """Sets the statistics of each batch-normalization layer to those of the whole set.

    Works on this package's BatchNormalization and on Keras's. Frozen layers (`trainable=False`) keep theirs, and so do
    layers that the model's call does not reach. A layer that is called several times in one pass gets the statistics of
    all its inputs together.

    Args:
        model: a Keras model, built or not.
        data: inputs as the model takes them: an array (N, ...), or a list or dict of them; or an iterable of batches
            that can be gone through more than once (a tf.data.Dataset), each an array or a tuple (x, y, ...).
        batch_size: int >= 1, examples at a time where data are arrays.

    Returns:
        Paths of the layers that were set, in the order in which they were.

    Raises:
        ValueError: if data hold no example, or can be gone through only once, or the model has a layer that
            renormalizes (keras.layers.BatchNormalization with renorm).

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization(name="norm")])
        >>> len(fix_global_statistics(model, np.array([[1.0], [5.0]])))
        1
        >>> float(model.layers[0].moving_mean[0])
        3.0

    Source: C 7.7.
    """
    require_positive_int("fix_global_statistics", batch_size=batch_size)
    batches = _Batches(data, batch_size)
    if not model.built:
        model(next(iter(batches)), training=False)
    layers = [layer for layer in model._flatten_layers(include_self=True, recursive=True) if _normalizes(layer)]
    calls = _calls_in_order(model, layers, next(iter(batches)))  # {layer: how often it is called in one pass}

    fixed = []
    for layer, times in calls.items():
        count, mean, variance = reduce(merge_moments, (_moments_that_arrive(model, layer, times, x) for x in batches))
        if not np.all(ops.convert_to_numpy(count) > 0):
            raise ValueError(
                f"fix_global_statistics needs at least one unmasked example. Received none at {layer.path}"
            )
        layer.moving_mean.assign(ops.cast(mean, layer.moving_mean.dtype))
        layer.moving_variance.assign(ops.cast(variance, layer.moving_variance.dtype))
        fixed.append(str(layer.path))
    return fixed


class _Batches:
    """The inputs, batch by batch, as often as asked."""

    def __init__(self, data: Any, batch_size: int) -> None:
        arrays = tree.flatten(data) if isinstance(data, list | tuple | dict) else [data]
        self.are_arrays = all(hasattr(array, "shape") and hasattr(array, "dtype") for array in arrays)
        if not self.are_arrays and (not isinstance(data, Iterable) or iter(data) is data):
            raise ValueError(
                "fix_global_statistics needs arrays, or batches that can be gone through more than once. "
                f"Received: data={type(data).__name__}"
            )
        self.data, self.batch_size = data, batch_size
        self.rows = len(arrays[0]) if self.are_arrays else None
        if next(iter(self), None) is None:
            raise ValueError("fix_global_statistics needs at least one example. Received: data without any")

    def __iter__(self) -> Iterator[Any]:
        if self.rows is None:
            for batch in self.data:
                yield batch[0] if isinstance(batch, tuple) else batch
            return
        for start in range(0, self.rows, self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield tree.map_structure(lambda array, rows=rows: ops.convert_to_tensor(array[rows]), self.data)


def _normalizes(layer: Any) -> bool:
    """Whether a layer keeps batch-normalization statistics that may be set."""
    if not all(hasattr(layer, name) for name in ("moving_mean", "moving_variance", "axis")):
        return False
    if getattr(layer, "renorm", False):
        raise ValueError(f"fix_global_statistics cannot set a layer that renormalizes. Received: {layer.path}")
    return bool(layer.trainable)


class _Reached(Exception):
    """Leaves a forward pass: nothing behind the layer is wanted."""


def _calls_in_order(model: Any, layers: list[Any], x: Any) -> dict[Any, int]:
    calls: dict[Any, int] = {}

    def count(layer: Any, inputs: Any, mask: Any) -> None:
        calls[layer] = calls.get(layer, 0) + 1

    with _Watched(layers, count):
        model(x, training=False)
    return calls


def _moments_that_arrive(model: Any, layer: Any, times: int, x: Any) -> tuple[Any, Any, Any]:
    """Moments of what this layer is given for one batch, all its calls together."""
    found: list[tuple[Any, Any, Any]] = []

    def measure(layer: Any, inputs: Any, mask: Any) -> None:
        found.append(batch_moments(ops.cast(inputs, "float64"), layer.axis, mask))
        if len(found) == times:
            raise _Reached

    with _Watched([layer], measure):
        try:
            model(x, training=False)
        except _Reached:
            pass
    return reduce(merge_moments, found)


class _Watched:
    """While inside, every call of these layers is shown to `see(layer, inputs, mask)` first."""

    def __init__(self, layers: list[Any], see: Any) -> None:
        self.layers, self.see = layers, see

    def __enter__(self) -> None:
        for layer in self.layers:
            # Keras's own setattr would track it.
            object.__setattr__(layer, "call", self._watching(layer, layer.call))

    def __exit__(self, *error: Any) -> None:
        for layer in self.layers:
            vars(layer).pop("call", None)

    def _watching(self, layer: Any, call: Any) -> Any:
        def watching(inputs: Any, *args: Any, mask: Any = None, **kwargs: Any) -> Any:
            self.see(layer, inputs, mask)
            return call(inputs, *args, mask=mask, **kwargs)

        return watching
