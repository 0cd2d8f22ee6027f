"""Recipes of reservoir computing: NARMA-10 by echo states, digits as spike trains by a liquid."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_course.datasets import poisson_spikes
from keras_course.models.recurrent.echo_state_network import EchoStateNetwork
from keras_course.models.recurrent.liquid_state_machine import LiquidStateMachine
from keras_course.ops.reservoir_measures import normalised_rmse
from keras_course.pipeline.plots import confusion_matrix, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.reservoir_figures import (
    liquid_raster,
    memory_by_delay,
    outputs_by_plasticity,
    prediction_and_truth,
)

__all__ = [
    "as_spikes",
    "chaos_ahead",
    "delays_regression",
    "digits_in_spikes",
    "echo_state_network",
    "error_after_washout",
    "liquid_state_machine",
    "spikes_without_a_liquid",
]

WASHOUT = 100
DELAYS = 30
TRAINS = 4  # of each training image
STEPS_A_ROW, RATE = 10, 0.8  # milliseconds a row of pixels, spikes a millisecond at full ink


def echo_state_network() -> Recipe:
    """NARMA-10: ten steps of memory and a product, by a reservoir of 400 units and one ridge regression.

    The inputs lie in [0, 0.5]; the scale and the bias put the units where tanh bends, because the rule multiplies.
    """
    return _echo_states("narma-10", 0.18, (memory_by_delay, outputs_by_plasticity), input_scaling=0.5)


def chaos_ahead() -> Recipe:
    """Mackey-Glass, 84 steps ahead, by leaky units: `keras-course fit echo-state-network --dataset mackey-glass`."""
    return _echo_states("mackey-glass", 0.18, (), input_scaling=1.0, leak=0.4)  # a third of the baseline's error


def _echo_states(dataset: str, ceiling: float, figures: tuple[Any, ...], **settings: float) -> Recipe:
    return Recipe(
        slug="echo-state-network",
        dataset=dataset,
        model=lambda spec, seed: EchoStateNetwork(
            1, 1, units=400, spectral_radius=0.95, density=0.1, bias_scaling=0.2, ridge=1e-9, washout=WASHOUT,
            seed=seed, **settings,
        ),
        compile=lambda spec: {},
        batch_size=4,
        epochs=1,
        baseline=delays_regression,
        judge=error_after_washout,
        ceiling={"nrmse": ceiling},
        figures=(prediction_and_truth, *figures),
        tiny={"epochs": 1, "examples": 4},
    )  # fmt: skip


def error_after_washout(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """NRMSE on the test series, their first steps left out."""
    outputs = np.asarray(model(dataset.test.x))[:, WASHOUT:, 0]
    true = dataset.test.y[:, WASHOUT:]
    return {"nrmse": float(normalised_rmse(ops.convert_to_tensor(true), ops.convert_to_tensor(outputs)))}


def windows(x: NDArray[Any], delays: int = DELAYS) -> NDArray[np.float64]:
    """The last inputs of every step, (N, T, delays), zeros before the first."""
    padded = np.pad(x[:, :, 0].astype("float64"), ((0, 0), (delays - 1, 0)))
    return np.stack([padded[:, delays - 1 - k : padded.shape[1] - k] for k in range(delays)], axis=-1)


def delays_regression(dataset: Any, seed: int) -> Baseline:
    """Least squares on the last 30 inputs: memory without a reservoir's bends."""

    def rows(split: Any) -> Any:
        seen = windows(split.x)[:, WASHOUT:].reshape(-1, DELAYS)
        return np.column_stack([np.ones(len(seen)), seen]), split.y[:, WASHOUT:].reshape(-1)

    (z, y), (test, true) = rows(dataset.train), rows(dataset.test)
    predicted = test @ np.linalg.lstsq(z, y, rcond=None)[0]
    error = normalised_rmse(ops.convert_to_tensor(true), ops.convert_to_tensor(predicted.astype(true.dtype)))
    return Baseline(f"linear regression on {DELAYS} delays", {"nrmse": float(error)})


def liquid_state_machine() -> Recipe:
    """Handwritten digits row by row as Poisson spike trains, read from a liquid of 600 neurons after the last row.

    Eight channels, one a column of pixels; a row lasts ten milliseconds. The read-out sees the liquid once, at the end:
    what it knows of the first rows, the liquid has kept for it. A training digit comes as four trains, so that the
    read-out does not learn the chances of one by heart.
    """
    return Recipe(
        slug="liquid-state-machine",
        dataset="digits",
        prepare=digits_in_spikes,
        model=lambda spec, seed: LiquidStateMachine(
            spec.shape[-1], spec.classes, grid=(5, 10, 12), seed=seed, ridge=0.1, liquid=dict(LIQUID)
        ),
        compile=lambda spec: {"metrics": ["accuracy"]},
        batch_size=128,
        epochs=1,
        baseline=spikes_without_a_liquid,
        floor={"accuracy": 0.76},
        figures=(liquid_raster, confusion_matrix, worst_mistakes),
        tiny={"epochs": 1, "examples": 64},
    )


LIQUID = {"input_strength": 15.0, "strength": 6.0, "balance": 1.5, "read_out": 60.0, "membrane": 30.0}


def as_spikes(images: NDArray[Any], seed: int, part: str) -> NDArray[np.float32]:
    """Images (N, H, W, 1) as trains (N, 10 H, W): rows one after the other, ink as the rate of spikes."""
    return poisson_spikes(RATE * images[..., 0], STEPS_A_ROW, seed=seed, salt=part)


def digits_in_spikes(dataset: Any) -> Any:
    """Every part of a set of images as spike trains; a training image comes four times, with other chances."""

    def spikes(name: str) -> Any:
        split, count = getattr(dataset, name), TRAINS if name == "train" else 1
        x = np.concatenate([as_spikes(split.x, dataset.spec.seed, f"{name}{k}") for k in range(count)])
        return dataclasses.replace(split, x=x, y=np.tile(split.y, count))

    parts = {name: spikes(name) for name in ("train", "validation", "test")}
    height, width, _ = dataset.spec.shape
    return dataclasses.replace(
        dataset, spec=dataclasses.replace(dataset.spec, shape=(height * STEPS_A_ROW, width)), **parts
    )


def spikes_without_a_liquid(dataset: Any, seed: int) -> Baseline:
    """The same read-out of the input channels: spikes filtered as the liquid's are, and how many there were."""

    def seen(split: Any) -> Any:
        spikes = split.x.astype("float64")
        fade = np.exp(-(spikes.shape[1] - 1 - np.arange(spikes.shape[1])) / LIQUID["read_out"])
        traces = np.einsum("ntf,t->nf", spikes, fade)
        return np.column_stack([np.ones(len(spikes)), traces, spikes.sum(axis=1)])

    z, y = seen(dataset.train), np.eye(dataset.spec.classes)[dataset.train.y]
    penalised = z.T @ z + 1e-2 * len(z) * np.diag([0.0, *[1.0] * (z.shape[1] - 1)])
    weights = np.linalg.solve(penalised, z.T @ y)
    right = np.mean(np.argmax(seen(dataset.test) @ weights, axis=1) == dataset.test.y)
    return Baseline("ridge on the input channels", {"accuracy": float(right)})
