"""Worked examples of self-supervised learning: labels that are made, and features that are judged.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.models.selfsupervised.context_prediction import ContextPrediction
from keras_course.models.selfsupervised.rotation_prediction import RotationPrediction
from keras_course.ops.clusterability import nearest_neighbour_clusterability, nearest_other
from keras_course.ops.jigsaw import image_pieces, least_distance, permutation_set, shuffled_pieces
from keras_course.ops.rotations import all_quarter_turns, quarter_turns
from keras_course.pipeline.linear_probe import linear_probe

__all__ = [
    "clusterability_of_points",
    "context_costs",
    "orders_far_apart",
    "pieces_of_images",
    "probe_with_one_label",
    "rotation_step",
    "turned_images",
]


def clusterability_of_points(features: Any, labels: Any) -> dict[str, Any]:
    """Each point's nearest other point, and the share of those of its own class. Source: R."""
    return {
        "nearest": compiled(nearest_other)(features),
        "clusterability": compiled(nearest_neighbour_clusterability)(features, labels),
    }


@arithmetic
def probe_with_one_label(features: Any, labels: Any, test_features: Any, test_labels: Any) -> dict[str, Any]:
    """A linear probe that sees one example of each of two classes, all there are. Source: C 6.8."""
    parts = (np.asarray(part) for part in (features, labels, test_features, test_labels))
    probe = linear_probe(*parts, per_class=(1,), draws=2)
    return {"accuracy": float(probe.mean[0]), "standard_error": float(probe.standard_error[0])}


def turned_images(images: Any, turns: Any) -> dict[str, Any]:
    """Images in all four rotations, and each by a number of quarter turns of its own. Source: R."""
    copies, labels = compiled(all_quarter_turns)(images)
    return {"copies": copies, "labels": labels, "turned": compiled(quarter_turns)(images, turns)}


def rotation_step(images: Any, trunk: Any, head: Any, rate: float) -> dict[str, Any]:
    """Cost and one step of descent of a linear trunk that learns which way up an image is. Source: R."""
    dtype = keras.backend.standardize_dtype(trunk.dtype)
    shape = tuple(images.shape)[1:]
    dense = keras.layers.Dense(trunk.shape[1], use_bias=False, dtype=dtype)
    network = keras.Sequential([keras.Input(shape, dtype=dtype), keras.layers.Flatten(dtype=dtype), dense])
    model = RotationPrediction(shape, network, dtype=dtype)
    dense.kernel.assign(trunk)
    model.head.kernel.assign(head)
    model.compile(keras.optimizers.SGD(rate))
    model.optimizer.build(model.trainable_variables)

    def step(images: Any) -> dict[str, Any]:
        answers = model.pretext(images)
        costs = model.question_costs(answers["labels"], answers["logits"])
        model.train_step((images,))
        after = {"trunk": dense.kernel, "head": model.head.kernel, "bias": model.head.bias}
        return {"costs": costs, **{name: ops.convert_to_tensor(weight) + 0 for name, weight in after.items()}}

    return compiled(step)(images)


def pieces_of_images(images: Any, grid: int, gap: int, orders: Any) -> dict[str, Any]:
    """The pieces of images, and the same shuffled. Source: R."""
    pieces = compiled(image_pieces)(images, grid, gap)
    return {"pieces": pieces, "shuffled": compiled(shuffled_pieces)(pieces, orders)}


@arithmetic
def orders_far_apart(pieces: int, count: int) -> dict[str, Any]:
    """A set of orders, and how far apart its nearest two are. Source: Noroozi and Favaro 2016."""
    chosen = permutation_set(pieces, count)
    return {"orders": chosen.tolist(), "least_distance": least_distance(chosen)}


def context_costs(
    images: Any, task: str, grid: int, gap: int, count: int, trunk: Any, hidden: Any, head: Any
) -> dict[str, Any]:
    """Cost of every image for a linear trunk on pieces of one pixel, all arrangements asked for. Source: R."""
    dtype = keras.backend.standardize_dtype(trunk.dtype)
    dense = keras.layers.Dense(trunk.shape[1], use_bias=False, dtype=dtype)
    network = keras.Sequential([keras.Input((1, 1, 1), dtype=dtype), keras.layers.Flatten(dtype=dtype), dense])
    shape = tuple(images.shape)[1:]
    model = ContextPrediction(
        shape, network, task, grid, gap, count, hidden.shape[1], representation="pieces", dtype=dtype
    )
    for layer, kernel in ((dense, trunk), (model.hidden, hidden), (model.head, head)):
        layer.kernel.assign(kernel)

    def costs(images: Any) -> Any:
        answers = model.pretext(images)
        return model.question_costs(answers["labels"], answers["logits"])

    return {"costs": compiled(costs)(images)}
