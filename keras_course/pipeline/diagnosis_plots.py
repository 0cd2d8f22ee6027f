"""Figures of a diagnosis: gradients, units and steps, layer by layer; and layers over the epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_course.pipeline.plots import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from keras_course.pipeline.diagnose import Diagnosis
    from keras_course.pipeline.probe import LayerActivity

__all__ = ["diagnosis_figure", "layer_curves"]

USUAL = 1e-3  # change of the weights in a step, relative to them


def layer_curves(history: Mapping[str, Sequence[float]], label: str, log: bool = True) -> Figure:
    """One line a layer over the epochs, as the callbacks of `callbacks.training_watch` gather them.

    Args:
        history: {layer: one number an epoch}.
        label: what the numbers are.
        log: whether the axis is logarithmic.

    Returns:
        Figure; layers nearer the input are darker.

    Raises:
        ValueError: for an empty history.

    Example:
        >>> len(layer_curves({"a": [1.0, 0.1], "b": [1.0, 0.5]}, "gradient norm").axes)
        1

    Source: C 9.1.6.
    """
    if not history:
        raise ValueError("layer_curves needs at least one layer. Received: history={}")
    from matplotlib import colormaps

    figure = Figure(figsize=(6.4, 3.9), layout="constrained")
    axes = figure.subplots()
    colours = colormaps["viridis"](np.linspace(0.0, 0.85, len(history)))
    for colour, (layer, values) in zip(colours, history.items(), strict=True):
        axes.plot(range(1, len(values) + 1), values, "o-", color=colour, markersize=3, label=layer)
    if log and any(value > 0 for values in history.values() for value in values):
        axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8)
    _tidy(axes)
    return figure


def diagnosis_figure(diagnosis: Diagnosis, title: str = "") -> Figure:
    """Four panels: gradient norms, stuck units, step sizes, and the loss of the short training.

    Args:
        diagnosis: `Diagnosis`.
        title: of the figure, above the names of the faults.

    Returns:
        Figure.

    Raises:
        ValueError: if the diagnosis holds no short training.

    Example:
        >>> from keras_course.pipeline.diagnose import Diagnosis
        >>> from keras_course.pipeline.trial_training import ShortTraining
        >>> steps = ShortTraining(np.array([1.0, 0.5]), 1.0, 0.5, {"a": np.array([1e-3, 2e-3])})
        >>> len(diagnosis_figure(Diagnosis((), (), {"a": 0.1}, (), steps, None)).axes)
        4

    Source: C 9.1.6.
    """
    if diagnosis.training is None:
        raise ValueError("diagnosis_figure needs a short training. Received: training=None")
    training = diagnosis.training
    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    gradients, units, steps, loss = figure.subplots(2, 2).flat
    _dots(gradients, diagnosis.gradient_norms)
    gradients.set_xlabel("gradient norm at the start")
    _bars(units, diagnosis.activity)
    units.set_xlabel("share of the layer's units (outputs)")
    _dots(steps, {layer: training.ratio(layer) for layer in training.ratios}, USUAL)
    steps.axvline(USUAL, color=GREY, linestyle=":", linewidth=1.2)
    steps.set_xlabel("change of the weights in a step, relative (dotted: usual)")
    loss.plot(range(1, len(training.losses) + 1), training.losses, color=BLUE)
    loss.xaxis.set_major_locator(MaxNLocator(integer=True))
    loss.set_xlabel("step of the short training")
    loss.set_ylabel("loss of the batch")
    _tidy(loss)
    faults = ", ".join(diagnosis.faults) or "nothing found"
    figure.suptitle(f"{title}: {faults}" if title else faults, fontsize=11)
    return figure


def _dots(axes: Any, values: Mapping[str, float], *others: float) -> None:
    """One dot a layer on a logarithmic axis of two decades at least, the first layer on top; others are on the axis."""
    shown = [value if math.isfinite(value) and value > 0 else math.nan for value in values.values()]
    places = range(len(shown))[::-1]
    axes.plot(shown, places, "o", color=BLUE)
    known = [value for value in shown if not math.isnan(value)]
    if known:
        axes.set_xscale("log")
        axes.set_xlim(min((*known, *others)) / 10, max((*known, *others)) * 10)
    for value, place in zip(shown, places, strict=True):
        if math.isnan(value):
            axes.annotate("0 or not finite", (0.02, place), xycoords=("axes fraction", "data"), fontsize=8, color=GREY)
    axes.set_yticks(places, _short(list(values)), fontsize=8)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    _tidy(axes)


def _bars(axes: Any, activity: Sequence[LayerActivity]) -> None:
    """Three horizontal bars a layer, the first layer on top."""
    places = np.arange(len(activity))[::-1]
    for index, (share, colour) in enumerate((("dead", BLUE), ("saturated", ORANGE), ("copies", GREY))):
        values = [getattr(layer, share) for layer in activity]
        axes.barh(places + 0.27 * (1 - index), values, 0.27, color=colour, label=share)
    axes.set_xlim(0, 1)
    axes.set_yticks(places, _short([layer.layer for layer in activity]), fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    _tidy(axes)


def _short(paths: Sequence[str]) -> list[str]:
    """The last names of paths, with the one before where two layers are called alike (the cells of two loops)."""
    last = [path.rpartition("/")[2] for path in paths]
    return [
        "/".join(path.split("/")[-2:]) if last.count(name) > 1 else name for path, name in zip(paths, last, strict=True)
    ]


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
