"""Worked examples of contrastive learning: losses of a few pairs, their slopes, and one step of a linear network.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.backend import compiled, gradient
from keras_course.layers.augmentation.geometry import RandomShift
from keras_course.losses.nt_xent import NTXentLoss
from keras_course.models.selfsupervised.contrastive import ContrastiveLearning
from keras_course.ops.contrastive import info_nce, nt_xent

__all__ = ["contrastive_step", "info_nce_of_scores", "nt_xent_of_pairs", "nt_xent_slopes"]


def nt_xent_of_pairs(first: Any, second: Any, temperature: float, split: int) -> dict[str, Any]:
    """Each pair's loss, alone and as two replicas would compute it, and the batch's. Source: R."""

    def of_shares(first: Any, second: Any) -> Any:
        bounds = (0, split, first.shape[0])
        return ops.concatenate(
            [
                nt_xent(first[start:stop], second[start:stop], temperature, (first, second), start)
                for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
            ]
        )

    loss = NTXentLoss(temperature, dtype=keras.backend.standardize_dtype(first.dtype))
    return {
        "losses": compiled(nt_xent)(first, second, temperature),
        "of_shares": compiled(of_shares)(first, second),
        "loss": ops.reshape(compiled(loss)(first, second), (1,)),
    }


def nt_xent_slopes(first: Any, second: Any, temperature: float) -> dict[str, Any]:
    """Where the embeddings are pushed: the partner pulls, everything near pushes. Source: R."""

    def slopes(first: Any, second: Any) -> Any:
        return (
            gradient(lambda z: ops.mean(nt_xent(z, second, temperature)), first),
            gradient(lambda z: ops.mean(nt_xent(first, z, temperature)), second),
        )

    by_first, by_second = compiled(slopes)(first, second)
    return {"by_first": by_first, "by_second": by_second}


def info_nce_of_scores(scores: Any) -> dict[str, Any]:
    """Finding the right key among all, and what that says of the information they share. Source: R."""
    losses = compiled(info_nce)(scores)
    return {"losses": losses, "bound": ops.reshape(math.log(scores.shape[0]) - ops.mean(losses), (1,))}


def contrastive_step(x: Any, trunk: Any, projector: Any, temperature: float, rate: float) -> dict[str, Any]:
    """One step on images that are not distorted: all that is left is to push others away. Source: R."""
    dtype = keras.backend.standardize_dtype(trunk.dtype)
    layers = {"trunk": _linear(trunk), "projector": _linear(projector)}
    flat = keras.Sequential([keras.layers.Flatten(dtype=dtype), layers["trunk"]])
    model = ContrastiveLearning(
        x.shape[1:], flat, RandomShift(0.0, seed=0, dtype=dtype), layers["projector"], temperature, dtype=dtype
    )
    for name, kernel in (("trunk", trunk), ("projector", projector)):
        layers[name].kernel.assign(kernel)
    model.compile(keras.optimizers.SGD(rate))
    model.optimizer.build(model.trainable_variables)

    def step(x: Any) -> dict[str, Any]:
        z = model.embed(x)
        before = ops.reshape(ops.mean(model.losses_of_pairs(z, z)), (1,))
        model.train_step((x,))
        return {"loss": before, **{name: ops.convert_to_tensor(layer.kernel) + 0 for name, layer in layers.items()}}

    return compiled(step)(x)


def _linear(kernel: Any) -> Any:
    return keras.layers.Dense(kernel.shape[1], use_bias=False, dtype=keras.backend.standardize_dtype(kernel.dtype))
