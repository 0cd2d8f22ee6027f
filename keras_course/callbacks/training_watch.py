"""Callbacks that watch a training from inside: gradients, units, and how far each step goes, layer by layer.

    GradientNorms   |dL/dw_l| on fixed examples, after every epoch: vanishing, exploding?
    UnitActivity    share of dead, saturated or copied units of layer l on fixed examples, after every epoch
    UpdateRatios    |w_l(after) - w_l(before)| / |w_l(before)| of a step: about 1e-3 is usual, 0 is frozen

Each keeps `history`, {layer: one number an epoch}, which `pipeline.diagnosis_plots.layer_curves` draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.pipeline.probe import gradient_norms, unit_activity
from keras_course.pipeline.trial_training import change_ratio, is_kernel

__all__ = ["GradientNorms", "UnitActivity", "UpdateRatios"]


class GradientNorms(keras.callbacks.Callback):
    """The length of the gradient of every layer on fixed examples, after every epoch.

    norm_l = sqrt(sum over the weights w of layer l of (dL/dw)^2)

    Deterministic (training=False), so that a change is the training's and not the batch's.

    Args:
        x, y: arrays (N, ...), some hundred examples.

    Raises:
        ValueError: if x and y differ in length or are empty; at training, if the model has no loss.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line")])
        >>> model.compile("sgd", "mse")
        >>> x = np.ones((4, 1), "float32")
        >>> watch = GradientNorms(x, x)
        >>> _ = model.fit(x, x, epochs=3, verbose=0, callbacks=[watch])
        >>> [len(norms) for norms in watch.history.values()]
        [3]

    Source: C 7.2.2, 9.1.6.
    """

    resume_attributes = ("history",)

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        if len(x) != len(y) or not len(x):
            raise ValueError(f"GradientNorms needs a target for each example. Received: {len(x)} and {len(y)}")
        self.x, self.y = x, y
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        for layer, norm in gradient_norms(self.model, self.x, self.y).items():
            self.history.setdefault(layer, []).append(float(norm))


class UnitActivity(keras.callbacks.Callback):
    """What share of each layer's units is dead (or saturated, or copied) on fixed examples, after every epoch.

    dead_l = share of units j of layer l with h_lj(x_i) = 0 for all i

    Args:
        x: array (N, ...), some hundred examples of all kinds.
        share: "dead", "saturated" or "copies"; see `pipeline.probe.LayerActivity`.

    Raises:
        ValueError: for another share, or no examples.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, "relu", name="hidden")])
        >>> model.compile("sgd", "mse")
        >>> x = np.ones((4, 1), "float32")
        >>> watch = UnitActivity(x)
        >>> _ = model.fit(x, np.zeros((4, 2)), epochs=2, verbose=0, callbacks=[watch])
        >>> [len(shares) for shares in watch.history.values()]
        [2]

    Source: C 7.2.5, 9.1.6.
    """

    resume_attributes = ("history",)

    def __init__(self, x: Any, share: str = "dead") -> None:
        super().__init__()
        require_one_of("UnitActivity", ("dead", "saturated", "copies"), share=share)
        if not len(x):
            raise ValueError("UnitActivity needs examples. Received: none")
        self.x, self.share = x, share
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        for layer in unit_activity(self.model, self.x):
            self.history.setdefault(layer.layer, []).append(getattr(layer, self.share))


class UpdateRatios(keras.callbacks.Callback):
    """How far a step moves the weights of each layer, relative to their size: the median over the steps of an epoch.

    ratio_l = |w_l(t + 1) - w_l(t)| / |w_l(t)|,   over the kernels of layer l

    With several steps in one execution it is the ratio of that many steps together.

    Args:
        every: int >= 1, look at each so-many-th batch of an epoch (copies all weights then).

    Raises:
        ValueError: for an integer below 1.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line")])
        >>> model.compile(keras.optimizers.SGD(0.0), "mse")
        >>> x = np.ones((4, 1), "float32")
        >>> watch = UpdateRatios()
        >>> _ = model.fit(x, x, epochs=2, verbose=0, callbacks=[watch])
        >>> list(watch.history.values())
        [[0.0, 0.0]]

    Source: C 9.1.5, 9.1.6.
    """

    resume_attributes = ("history", "_ratios")

    def __init__(self, every: int = 1) -> None:
        super().__init__()
        require_positive_int("UpdateRatios", every=every)
        self.every = every
        self.history: dict[str, list[float]] = {}
        self._before: dict[str, list[Any]] | None = None
        self._ratios: dict[str, list[float]] = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._ratios = {}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._before = self._kernels() if batch % self.every == 0 else None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._before is None:
            return
        for layer, now in self._kernels().items():
            pairs = list(zip(now, self._before[layer], strict=True))
            change = sum(float(np.sum((new - old) ** 2)) for new, old in pairs)
            size = sum(float(np.sum(old**2)) for _, old in pairs)
            self._ratios.setdefault(layer, []).append(change_ratio(change, size))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        for layer, ratios in self._ratios.items():
            known = [ratio for ratio in ratios if not np.isnan(ratio)]
            self.history.setdefault(layer, []).append(float(np.median(known)) if known else float("nan"))

    def _kernels(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for weight in self.model.weights:
            if is_kernel(weight):
                found.setdefault(weight.path.rpartition("/")[0], []).append(weight.numpy().astype("float64"))
        return found
