"""Worked examples of dropout and DropConnect: every mask of a small network.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.drop_connect import DropConnect
from keras_course.layers.dropout import Dropout
from keras_course.ops.dropout import (
    all_masks,
    arithmetic_ensemble,
    drop_units,
    expected_units,
    geometric_ensemble,
    mask_probabilities,
)

__all__ = [
    "dropconnect_of_a_layer",
    "dropout_of_one_unit",
    "hidden_layer_ensemble",
    "renormalized_ensemble",
    "softmax_regression_ensemble",
]


def dropout_of_one_unit(x: Any, rate: Any) -> dict[str, Any]:
    """Mean and variance of each unit under its two masks, by both rules. Source: C 6.12.1, S 9.4."""
    rates = [round(float(value), 6) for value in rate]

    def run(x: Any) -> Any:
        found: dict[str, list[Any]] = {}
        for unit, drop in enumerate(rates):
            masks = ops.convert_to_tensor(all_masks(1)[:, 0])
            chances = mask_probabilities(all_masks(1), rate[unit])
            found.setdefault("keep", []).append(chances[1])
            for name, rule in (("inverted", "inverted"), ("scaled", "weight-scaling")):
                outcomes = drop_units(x[unit], masks, drop, rule)
                mean = expected_units(x[unit], drop, rule)  # what the layer uses afterwards is the mean
                found.setdefault(f"{name}_mean", []).append(ops.sum(chances * outcomes))
                found.setdefault(f"{name}_variance", []).append(ops.sum(chances * ops.square(outcomes - mean)))
        return {name: ops.stack(values) for name, values in found.items()}

    result: dict[str, Any] = compiled(run)(x)
    return result


def _members(x: Any, W: Any, b: Any) -> Any:
    """log p(y | x, mu) of softmax regression for every mask of its inputs, (2**d, C)."""
    thinned = drop_units(x, all_masks(x.shape[0]), 0.0, "weight-scaling")
    return ops.log_softmax(ops.matmul(thinned, W) + b, axis=-1)


def softmax_regression_ensemble(x: Any, W: Any, b: Any, rate: Any) -> dict[str, Any]:
    """The geometric mean of all sub-models is one pass with scaled inputs. Source: C 6.12.1."""
    chances = mask_probabilities(all_masks(x.shape[0]), rate)
    layers = [Dropout(round(float(drop), 6), rule="weight-scaling") for drop in rate]
    for layer in layers:
        layer.build((1, 1))

    def run(x: Any, W: Any, b: Any) -> Any:
        members = _members(x, W, b)
        scaled = ops.concatenate([layer(x[None, i : i + 1], training=False)[0] for i, layer in enumerate(layers)])
        return {
            "geometric": geometric_ensemble(members, chances),
            "scaled": ops.softmax(ops.matmul(scaled, W) + b, axis=-1),
            "arithmetic": arithmetic_ensemble(ops.exp(members), chances),
        }

    result: dict[str, Any] = compiled(run)(x, W, b)
    return result


def renormalized_ensemble(x: Any, W: Any, b: Any, rate: Any) -> dict[str, Any]:
    """The geometric mean does not sum to 1 until it is divided by its own sum. Source: C 6.12.1."""
    chances = mask_probabilities(all_masks(x.shape[0]), rate)

    def run(x: Any, W: Any, b: Any) -> Any:
        members = _members(x, W, b)
        before = ops.exp(ops.sum(chances[:, None] * members, axis=0))
        return {"ensemble": geometric_ensemble(members, chances), "sum_before": ops.sum(before)[None]}

    result: dict[str, Any] = compiled(run)(x, W, b)
    return result


def hidden_layer_ensemble(x: Any, W: Any, c: Any, V: Any, b: Any, rate: float) -> dict[str, Any]:
    """Behind a hidden layer of rectifiers: both means over all masks, and one pass. Source: C 6.12.1."""
    hidden = W.shape[1]
    masks = all_masks(hidden)
    chances = mask_probabilities(masks, ops.full((hidden,), rate, dtype=x.dtype))
    layer = Dropout(rate)
    layer.build((1, hidden))

    def run(x: Any, W: Any, c: Any, V: Any, b: Any) -> Any:
        h = ops.relu(ops.matmul(x, W) + c)  # (H,)
        members = ops.log_softmax(ops.matmul(drop_units(h, masks, rate), V) + b, axis=-1)  # (2**H, C)
        return {
            "arithmetic": arithmetic_ensemble(ops.exp(members), chances),
            "geometric": geometric_ensemble(members, chances),
            "scaled": ops.softmax(ops.matmul(layer(h[None], training=False), V) + b, axis=-1)[0],
        }

    result: dict[str, Any] = compiled(run)(x, W, c, V, b)
    return result


def dropconnect_of_a_layer(x: Any, W: Any, b: Any, mask: Any, rate: float) -> dict[str, Any]:
    """Connections dropped: one mask, and what a unit is on average over all. Source: S 9.4."""
    features, units = W.shape
    layer = DropConnect(units, rate)
    layer.build(x.shape)
    layer.set_weights([ops.convert_to_numpy(W), ops.convert_to_numpy(b)])
    masks = all_masks(features * units).reshape(-1, features, units)
    chances = mask_probabilities(all_masks(features * units), ops.full((features * units,), rate, dtype=x.dtype))

    def run(x: Any, W: Any, b: Any) -> Any:
        mean = layer(x, training=False)
        z = ops.einsum("bi,mij->mbj", x, drop_units(W, masks, rate)) + b
        return {
            "masked": ops.matmul(x, drop_units(W, mask, rate)) + b,
            "mean": mean,
            "variance": ops.einsum("m,mbj->bj", chances, ops.square(z - mean)),
        }

    result: dict[str, Any] = compiled(run)(x, W, b)
    return result
