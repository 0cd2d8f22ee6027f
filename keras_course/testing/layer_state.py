"""Checks of what a layer keeps: variables, Python attributes, random draws."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.tracking import untracked_variables
from keras_course.testing.agreement import as_array, leaves, require
from keras_course.testing.configuration import constructor_arguments
from keras_course.testing.layer_case import LayerCase
from keras_course.testing.report import NotApplicable
from keras_course.testing.seeding import set_seeds

__all__ = [
    "calls_leave_python_attributes_alone",
    "every_variable_is_tracked",
    "no_weights_are_made_in_call",
    "same_seed_same_draws",
    "training_draws_are_fresh",
]


def no_weights_are_made_in_call(case: LayerCase) -> None:
    """Weights created by the first call: a model built by shape, loaded or exported has fewer than it needs."""
    layer = case.make()
    if len(case.table.entries) == 1:
        (entry,) = case.table.entries.values()
        layer.build((None, *entry.shape[1:]))
    else:
        case.call(layer, case.symbols())
    counts = [len(layer.variables)]
    for training in (False, True):
        case.call(layer, case.tensors(), training=training)
        counts.append(len(layer.variables))
    require(len(set(counts)) == 1, f"{counts[0]} variables after build, {counts[1]} and {counts[2]} after calls")


def every_variable_is_tracked(case: LayerCase) -> None:
    """A tf.Variable, tf.Module or hidden layer that is used and never trained, saved or counted."""
    layer = case.fresh()
    case.call(layer, case.tensors(), training=True)
    missing = sorted(untracked_variables(case.functional(layer)))
    require(not missing, f"Keras does not track {', '.join(missing[:3])}")


def _snapshot(layer: Any) -> dict[str, Any]:
    seen = {}
    for name, value in vars(layer).items():
        if name.startswith("_") and name.lstrip("_") in ("called", "tracker"):
            continue
        if isinstance(value, bool | int | float | str | tuple) or value is None:
            seen[name] = repr(value)
        elif isinstance(value, list | dict | set):
            seen[name] = f"{type(value).__name__} of {len(value)}"
        elif tf.is_tensor(value) and not isinstance(value, tf.Variable | keras.Variable):
            seen[name] = f"tensor {id(value)}"
    return seen


def calls_leave_python_attributes_alone(case: LayerCase) -> None:
    """Counters, lists or tensors kept on `self` in call: a graph runs that Python once, and tensors leak out of it."""
    layer = case.fresh()
    case.call(layer, case.tensors(), training=True)
    before = _snapshot(layer)
    for training in (True, False):
        case.call(layer, case.tensors(), training=training)
    after = _snapshot(layer)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    require(
        not changed,
        f"calling the layer changes {', '.join(f'{n} ({before.get(n)} -> {after.get(n)})' for n in changed)}",
    )


def _draws(case: LayerCase) -> bool:
    layer = case.fresh()
    generators = any(part._seed_generators for part in layer._flatten_layers(include_self=True, recursive=True))
    if generators or "seed" in constructor_arguments(case.cls):
        return True
    first = leaves(case.call(layer, case.tensors(), training=True))
    second = leaves(case.call(case.fresh(), case.tensors(), training=True))
    third = leaves(case.call(layer, case.tensors(), training=True))
    return not all(np.array_equal(a, b) for other in (second, third) for a, b in zip(first, other, strict=True))


def _different(one: Any, other: Any) -> bool:
    return not all(np.array_equal(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


def training_draws_are_fresh(case: LayerCase) -> None:
    """A stale seed: the same noise in every step, or noise whose state Keras does not track."""
    if not _draws(case):
        raise NotApplicable("draws nothing")
    layer = case.fresh()
    named = case.tensors(8)
    if not _different(case.call(layer, named, training=True), case.call(layer, named, training=False)):
        raise NotApplicable("training and inference agree: the seed is for initial weights")
    eager = [case.call(layer, named, training=True) for _ in range(2)]
    require(_different(*eager), "two training calls draw the same")
    graph = tf.function(lambda inputs: case.call(layer, inputs, training=True), autograph=False)
    require(_different(graph(named), graph(named)), "two runs of one training graph draw the same")
    generators = [g for part in layer._flatten_layers(include_self=True, recursive=True) for g in part._seed_generators]
    before = [as_array(generator.state) for generator in generators]
    case.call(layer, named, training=True)
    moved = any(not np.array_equal(as_array(g.state), old) for g, old in zip(generators, before, strict=True))
    require(moved, "draws, yet no SeedGenerator of the layer moves: make one in __init__ and pass it as seed")


def same_seed_same_draws(case: LayerCase) -> None:
    """A seed argument that is ignored: the run cannot be repeated."""
    if "seed" not in constructor_arguments(case.cls):
        raise NotApplicable("takes no seed")
    named = case.tensors(8)

    def first_draw(seed: int, start: int) -> Any:
        set_seeds(start)  # whatever the seed leaves to the global generator differs
        layer = case.cls(**{**case.init, "seed": seed})
        outputs = case.call(layer, named, training=True)
        return outputs, [as_array(variable) for variable in layer.trainable_variables]

    def first_draw_at_equal_weights(seed: int, start: int) -> Any:
        layer = case.fresh(seed=seed)
        set_seeds(start)
        return case.call(layer, named, training=True)

    (one, weights), (again, same), (other, _) = first_draw(11, 0), first_draw(11, 1), first_draw(12, 0)
    if _different(weights, same):  # initial weights belong to their initializers, not to this seed
        layer = case.fresh()
        if not _different(case.call(layer, named, training=True), case.call(layer, named, training=False)):
            raise NotApplicable("with these arguments nothing is drawn")
        one, again, other = (first_draw_at_equal_weights(*pair) for pair in ((11, 0), (11, 1), (12, 0)))
    require(not _different(one, again), "the same seed gives two results")
    require(_different(one, other), "another seed gives the same result")
