"""Figures of reservoir computing: prediction and truth, memory, plasticity, and who fires when."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from keras_course.layers.recurrent import Reservoir
from keras_course.models.recurrent.echo_state_network import EchoStateNetwork
from keras_course.ops.reservoir_measures import exponential_divergence, linear_memory_curve
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE, RED

__all__ = ["liquid_raster", "memory_by_delay", "outputs_by_plasticity", "prediction_and_truth"]


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)


def prediction_and_truth(context: FigureContext, shown: int = 150) -> Figure:
    """The end of one test series, what the network said of it, and the errors of both tasks and their baselines."""
    true, said = context.dataset.test.y[0], np.reshape(context.outputs[0], -1)
    figure = Figure(figsize=(9.5, 3.4), layout="constrained")
    axes, table = figure.subplots(1, 2, width_ratios=(2.2, 1.0))
    _tidy(axes)
    steps = np.arange(len(true))[-shown:]
    axes.plot(steps, true[-shown:], color=GREY, linewidth=2.4, alpha=0.6, label="truth")
    axes.plot(steps, said[-shown:], color=BLUE, linewidth=1.1, label="echo state network")
    axes.set_xlabel("step")
    axes.set_ylabel("what is asked for at the step")
    axes.legend(frameon=False, ncols=2, loc="upper left")
    axes.set_ylim(top=float(max(true[-shown:].max(), said[-shown:].max())) + 0.12)
    axes.set_title(f"{context.dataset.spec.name}: a test series", fontsize=10)
    name, measured = context.recipe.baseline(context.dataset, context.seed)  # type: ignore[misc]
    names = ["the mean", name, "echo state network"]
    errors = [1.0, measured["nrmse"], context.metrics.get("nrmse", float("nan"))]
    bars = table.barh(range(3), errors, color=(GREY, ORANGE, BLUE))
    table.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    table.set_yticks(range(3), [label.replace(" on ", "\non ") for label in names], fontsize=9)
    table.set_xlim(0, 1.2)
    table.set_xlabel("NRMSE, test series")
    table.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{context.recipe.slug}: prediction and truth", fontsize=11)
    return figure


def memory_by_delay(context: FigureContext, units: int = 50, delays: int = 100) -> Figure:
    """How much of each past input small reservoirs hold: linear (in closed form and estimated) and tanh, two scales."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    _tidy(axes)
    settings = {"units": units, "density": 0.2, "spectral_radius": 0.95, "ridge": 1e-13, "seed": context.seed}
    linear = EchoStateNetwork(1, 1, activation="linear", dtype="float64", **settings)
    cell = linear.reservoir.cell
    exact = np.asarray(
        linear_memory_curve(ops.convert_to_tensor(cell.recurrent_kernel), ops.convert_to_tensor(cell.kernel)[0], 400)
    )
    axes.plot(exact[:delays], color=GREY, linewidth=3.0, alpha=0.5, label=f"linear, closed form: {exact.sum():.1f}")
    for colour, label, model in (
        (GREEN, "linear", linear),
        (BLUE, "tanh, inputs small", EchoStateNetwork(1, 1, input_scaling=0.1, dtype="float64", **settings)),
        (ORANGE, "tanh, inputs large", EchoStateNetwork(1, 1, input_scaling=2.0, dtype="float64", **settings)),
    ):
        curve = model.memory_curve(delays, seed=context.seed)
        axes.plot(curve, color=colour, linewidth=1.2, label=f"{label}, read by ridge: {curve.sum():.1f}")
    axes.axvline(units, color=RED, linestyle=":", linewidth=1.2, label=f"{units} units")
    axes.set_xlabel("delay k, steps")
    axes.set_ylabel("squared correlation with the input")
    axes.legend(frameon=False, fontsize=9, title="capacity, the sum over k", title_fontsize=9)
    axes.set_title(f"Memory of reservoirs of {units} units", fontsize=11)
    return figure


def outputs_by_plasticity(context: FigureContext, units: int = 100, passes: int = 20, mean: float = 0.2) -> Figure:
    """What logistic units say before and after intrinsic plasticity, beside the exponential it moves towards."""
    x = context.dataset.train.x[:1]
    reservoir = Reservoir(
        units, activation="sigmoid", density=0.1, input_scaling=4.0, seed=context.seed, return_sequences=True
    )
    figure = Figure(figsize=(9.0, 3.4), layout="constrained")
    bins, edges = 40, np.linspace(0, 1, 201)
    density = np.exp(-edges / mean) / mean / -np.expm1(-1 / mean)
    for axes, title in zip(figure.subplots(1, 2, sharey=True), ("before", f"after {passes} passes"), strict=True):
        if title != "before":
            reservoir.adapt_plasticity(x, mean, rate=5e-3, passes=passes)
        said = np.asarray(reservoir(x))[:, 100:]
        gap = float(exponential_divergence(ops.convert_to_tensor(said), mean, bins))
        _tidy(axes)
        axes.hist(said.ravel(), bins, range=(0, 1), density=True, color=BLUE, alpha=0.75, label="units, all steps")
        axes.plot(edges, density, color=RED, linewidth=1.6, label=f"exponential, mean {mean}")
        axes.set_title(f"{title}: divergence {gap:.2f} nats, mean {said.mean():.2f}", fontsize=10)
        axes.set_xlabel("output of a unit")
        axes.legend(frameon=False, fontsize=9)
    figure.axes[0].set_ylabel("density")
    figure.axes[0].set_ylim(0, 1.6 / mean)
    figure.suptitle("Intrinsic plasticity of a reservoir of logistic units", fontsize=11)
    return figure


def liquid_raster(context: FigureContext, every: int = 4) -> Figure:
    """Spikes of the input channels and of every fourth neuron for two test digits, inhibitory neurons on top."""
    model, labels = context.model, np.asarray(context.dataset.test.y)
    other = int(np.argmax(labels != labels[0]))  # 0 where there is no other class
    x = context.dataset.test.x[[0, other]]
    spikes, silent = np.asarray(model.spikes(x)), model.liquid.cell.connections.is_inhibitory()
    order = np.argsort(silent, kind="stable")[::every]  # excitatory first
    figure = Figure(figsize=(10.0, 5.2), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(1, 3.4))
    for column, row in enumerate((0, other)):
        above, below = grid[:, column]
        step, channel = np.nonzero(x[column])
        above.scatter(step, channel, s=12, marker="|", color=GREEN)
        above.set_ylim(-0.7, x.shape[-1] - 0.3)
        above.set_title(f"test digit {int(labels[row])}", fontsize=10)
        step, neuron = np.nonzero(spikes[column][:, order])
        kind = silent[order][neuron]
        for colour, own, label in ((BLUE, ~kind, "excitatory"), (RED, kind, "inhibitory")):
            below.scatter(step[own], neuron[own], s=7, marker="|", linewidths=0.9, color=colour, label=label)
        below.set_xlabel("milliseconds")
        below.set_ylim(-1, len(order))
        rate = 1000 / model.liquid.cell.settings["step_size"] * spikes[column].mean()
        below.set_title(f"{rate:.0f} spikes a second and neuron", fontsize=9)
        for axes in (above, below):
            axes.spines[["top", "right"]].set_visible(False)
    grid[0, 0].set_ylabel("input\nchannel")
    grid[1, 0].set_ylabel(f"neuron of the liquid, one of {every}")
    handles, names = grid[1, 0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, fontsize=9, loc="outside lower center", ncols=2, markerscale=2)
    figure.suptitle(f"{context.recipe.slug}: who fires when", fontsize=11)
    return figure
