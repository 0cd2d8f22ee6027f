"""Worked examples of penalties, decay, noise and smoothed labels.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import compiled, jacobian
from keras_course.layers.activity_penalty import ActivityPenalty
from keras_course.layers.noise_injection import NoiseInjection
from keras_course.losses.label_smoothing import LabelSmoothingLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.ops.dropout import all_masks
from keras_course.ops.label_smoothing import label_smoothing_loss, smooth_labels
from keras_course.ops.noise import corrupt_labels, inject_noise
from keras_course.ops.penalties import proximal_l1_step, tying_penalty, weight_decay_step
from keras_course.optimizers.decoupled_weight_decay import DecoupledWeightDecay
from keras_course.regularizers.l1 import L1, SoftThreshold
from keras_course.regularizers.weight_decay import WeightDecay

__all__ = [
    "activity_penalty",
    "l1_steps",
    "l1_training",
    "label_noise",
    "label_smoothing_losses",
    "noise_on_inputs",
    "smoothed_targets",
    "tying_penalty_and_slopes",
    "weight_decay_forms",
    "weight_decay_in_adam",
]


def _descend(optimizer: Any, slope: Any, w: Any, steps: int, constraint: Any = None) -> Any:
    """The weights after some steps of a Keras optimizer."""
    variable = keras.Variable(w, dtype=w.dtype, name="kernel")
    variable.constraint = constraint
    optimizer.build([variable])

    def run() -> Any:
        for _ in range(steps):
            optimizer.apply([slope(ops.convert_to_tensor(variable))], [variable])
        return ops.convert_to_tensor(variable) + 0

    def without_state(w: Any) -> Any:
        values, state = [w], [ops.convert_to_tensor(each) for each in optimizer.variables]
        for _ in range(steps):
            values, state = optimizer.stateless_apply(state, [slope(values[0])], values)
        return values[0]

    # JAX compiles functions without side effects alone; TensorFlow's optimizers have no others.
    return compiled(run)() if keras.backend.backend() == "tensorflow" else compiled(without_state)(w)


def weight_decay_forms(w: Any, gradient: Any, rate: float, decay: float) -> dict[str, Any]:
    """The penalty's step and the two printed ways to shrink. Source: C 6.2, S 9.4."""

    def run(w: Any, gradient: Any) -> Any:
        penalized = jacobian(WeightDecay(decay), w) + gradient
        return {
            "penalty": w - rate * penalized,
            "decoupled": weight_decay_step(w, gradient, rate, decay, "decoupled"),
            "fixed": weight_decay_step(w, gradient, rate, decay, "fixed"),
            "fixed_at_rate_times_decay": weight_decay_step(w, gradient, rate, rate * decay, "fixed"),
        }

    result: dict[str, Any] = compiled(run)(w, gradient)
    return result


def weight_decay_in_adam(
    w: Any, curvature: Any, rate: float, decay: float, betas: Any, epsilon: float, steps: int
) -> dict[str, Any]:
    """Adam with the decay in its gradient, and beside it: two different ends. Source: C 6.2, S 9.4."""
    beta_1, beta_2 = (float(beta) for beta in betas)

    def adam() -> Any:
        return keras.optimizers.Adam(rate, beta_1, beta_2, epsilon)

    beside = DecoupledWeightDecay(adam(), decay=decay)
    return {
        "penalty": _descend(adam(), lambda w: curvature * w + decay * w, w, steps),
        "decoupled": _descend(beside, lambda w: curvature * w, w, steps),
    }


def l1_steps(w: Any, gradient: Any, rate: float, alpha: float) -> dict[str, Any]:
    """The proximal step stops at zero, a step down the penalty's slope does not. Source: C 6.3."""

    def run(w: Any, gradient: Any) -> Any:
        slope = jacobian(L1(alpha), w) + gradient
        return {"proximal": proximal_l1_step(w, gradient, rate, alpha), "subgradient": w - rate * slope}

    result: dict[str, Any] = compiled(run)(w, gradient)
    return result


def l1_training(w: Any, curvature: Any, goal: Any, rate: float, alpha: float, steps: int) -> dict[str, Any]:
    """Gradient descent with a soft threshold after each step: weights of little use end at zero. Source: C 6.3."""
    shrink = SoftThreshold(alpha, learning_rate=rate)
    end = _descend(keras.optimizers.SGD(rate), lambda w: curvature * (w - goal), w, steps, shrink)
    return {"w": end, "zeros": end == 0}


def tying_penalty_and_slopes(first: Any, second: Any) -> dict[str, Any]:
    """Two sets of weights pull on each other. Source: C 6.10."""

    def run(first: Any, second: Any) -> Any:
        return {
            "penalty": tying_penalty(first, second)[None],
            "first_slope": jacobian(lambda w: tying_penalty(w, second), first),
            "second_slope": jacobian(lambda w: tying_penalty(first, w), second),
        }

    result: dict[str, Any] = compiled(run)(first, second)
    return result


def noise_on_inputs(x: Any, t: Any, w: Any, stddev: float) -> dict[str, Any]:
    """Squared error averaged over every pattern of noise is squared error with weight decay. Source: C 6.4, S 9.3."""
    signs = ops.convert_to_tensor(2.0 * all_masks(w.shape[0]) - 1.0, dtype=x.dtype)  # (2**D, D)
    layer = NoiseInjection(stddev)
    layer.build(x.shape)

    def run(x: Any, t: Any, w: Any) -> Any:
        noisy = inject_noise(x, signs[:, None], stddev)  # (2**D, B, D)
        clean = ops.square(ops.matmul(layer(x, training=False), w) - t)  # afterwards the layer adds nothing
        return {
            "noisy": ops.mean(ops.square(ops.matmul(noisy, w) - t), axis=0),
            "clean": clean,
            "clean_with_decay": clean + stddev**2 * ops.sum(w**2),
        }

    result: dict[str, Any] = compiled(run)(x, t, w)
    return result


def smoothed_targets(k: int, epsilon: float) -> dict[str, Any]:
    """The targets of class 0, in the notes' form and in Keras's. Source: C 6.4."""
    hard = ops.one_hot(0, k, dtype=keras.config.floatx())

    def run(hard: Any) -> Any:
        return {
            "notes": smooth_labels(hard, epsilon),
            "keras": smooth_labels(hard, epsilon, "keras"),
            "keras_at_equal_epsilon": smooth_labels(hard, epsilon * k / (k - 1), "keras"),
        }

    result: dict[str, Any] = compiled(run)(hard)
    return result


def label_smoothing_losses(y: Any, f: Any, epsilon: float) -> dict[str, Any]:
    """Cross-entropy with smoothed targets, in both forms. Source: C 6.4."""
    losses = {name: LabelSmoothingLoss(epsilon, name, reduction=None, dtype=f.dtype) for name in ("notes", "keras")}
    return {name: compiled(loss)(y, f) for name, loss in losses.items()}


def label_noise(y: Any, f: Any, epsilon: float) -> dict[str, Any]:
    """Labels that are wrong now and then cost, on average, what smoothed labels cost. Source: C 6.4."""
    cells, classes = 64, f.shape[1]
    uniforms = (np.arange(cells) + 0.5) / cells  # every label meets each cell of [0, 1) once
    loss = SoftmaxLoss(reduction=None, dtype=f.dtype)

    def run(y: Any, f: Any) -> Any:
        drawn = ops.repeat(ops.convert_to_tensor(uniforms, dtype=f.dtype), y.shape[0])
        noisy = corrupt_labels(ops.tile(y, (cells,)), drawn, classes, epsilon)
        costs = ops.reshape(loss(noisy, ops.tile(f, (cells, 1))), (cells, -1))
        return {"expected": ops.mean(costs, axis=0), "smoothed": label_smoothing_loss(y, f, epsilon)}

    result: dict[str, Any] = compiled(run)(y, f)
    return result


def activity_penalty(h: Any, alpha: float) -> dict[str, Any]:
    """What sparse activations save, and the slope that makes them sparse. Source: C 6.11."""
    layer = ActivityPenalty(alpha)
    layer.build(h.shape)

    def penalty(h: Any) -> Any:
        _, _, losses = layer.stateless_call([], [], h, return_losses=True)
        return losses[0]

    def run(h: Any) -> Any:
        return {"penalty": penalty(h)[None], "slope": jacobian(penalty, h)}

    result: dict[str, Any] = compiled(run)(h)
    return result
