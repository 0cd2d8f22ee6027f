"""Worked examples of the foundations that are parts of networks: hidden units and losses.

Each function is one example of the notes. What it demonstrates runs through `compiled`, so that `keras-course verify`
can check it eagerly, as a graph and under XLA; names are imported one by one, so that `verify --use` can put somebody
else's implementation in their place.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.maxout import Maxout
from keras_course.layers.prelu import PReLU
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.logistic import LogisticLoss
from keras_course.losses.preference import PreferenceLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.losses.top_k_ranking import TopKRankingLoss
from keras_course.ops.activations import (
    leaky_relu,
    leaky_relu_derivative,
    logistic,
    logistic_derivative,
    prelu,
    prelu_derivative,
    relu,
    relu_derivative,
    softplus,
    softplus_derivative,
    tanh,
    tanh_derivative,
)
from keras_course.ops.calculus import jacobian

__all__ = [
    "half_squared_loss_values",
    "leaky_relu_values",
    "logistic_loss_values",
    "logistic_values",
    "maxout_values",
    "preference_loss_values",
    "prelu_values",
    "relu_unit",
    "relu_values",
    "softmax_loss_one_hot",
    "softmax_loss_values",
    "softplus_values",
    "tanh_values",
    "top_k_ranking_loss_values",
]


# Hidden units.


def relu_values(z: Any) -> dict[str, Any]:
    """max(0, z), and its derivative in {0; 1}. Source: C 4.4.1, S 9.2."""
    return {"value": compiled(relu)(z), "derivative": compiled(relu_derivative)(z)}


def leaky_relu_values(z: Any, alpha: float) -> dict[str, Any]:
    """max(0, z) + alpha min(0, z). Source: C 4.4.1."""
    return {"value": compiled(leaky_relu)(z, alpha), "derivative": compiled(leaky_relu_derivative)(z, alpha)}


def prelu_values(z: Any, alpha: Any) -> dict[str, Any]:
    """A slope of its own for each channel, and how the cost would change with it. Source: C 4.4.1."""
    layer = PReLU()
    layer.build(z.shape)
    layer.alpha.assign(alpha)

    def by_slope(z: Any, alpha: Any) -> Any:
        slopes = ops.broadcast_to(alpha, z.shape)  # one for each entry, so that the gradient of the sum is entrywise
        return jacobian(lambda a: ops.sum(prelu(z, a)), slopes)

    return {
        "value": compiled(layer)(z),
        "derivative_z": compiled(prelu_derivative)(z, alpha),
        "derivative_alpha": compiled(by_slope)(z, alpha),
    }


def maxout_values(x: Any, W: Any, b: Any) -> dict[str, Any]:  # noqa: N803
    """The largest of k affine pieces of the input. Source: C 9.1."""
    features, units, pieces = W.shape
    layer = Maxout(units, pieces)
    layer.build(x.shape)
    layer.kernel.assign(ops.reshape(W, (features, units * pieces)))
    layer.bias.assign(ops.reshape(b, (units * pieces,)))
    return {"value": compiled(layer)(x)}


def softplus_values(x: Any) -> dict[str, Any]:
    """log(1 + exp(x)), with the plus sign. Source: C 4.3."""
    return {"value": compiled(softplus)(x), "derivative": compiled(softplus_derivative)(x)}


def logistic_values(x: Any) -> dict[str, Any]:
    """1 / (1 + exp(-x)), flat at both ends. Source: C 4.3, C 4.4.2."""
    return {"value": compiled(logistic)(x), "derivative": compiled(logistic_derivative)(x)}


def tanh_values(x: Any) -> dict[str, Any]:
    """tanh(x) = 2 sigma(2x) - 1. Source: C 4.4.2."""
    return {
        "value": compiled(tanh)(x),
        "derivative": compiled(tanh_derivative)(x),
        "from_sigmoid": compiled(lambda x: 2 * logistic(2 * x) - 1)(x),
    }


def relu_unit(x: Any, W: Any, b: Any) -> dict[str, Any]:  # noqa: N803
    """g(z) = max(0, z) of z = W'x + b: one nonlinearity, not two. Source: C 4.4.1."""

    def unit(x: Any, W: Any, b: Any) -> tuple[Any, Any]:  # noqa: N803
        net = ops.matmul(x, W) + b
        return net, relu(net)

    net, value = compiled(unit)(x, W, b)
    return {"net": net, "value": value}


# Losses: one number a sample, and its gradient by that sample's score.


def _loss_and_gradient(loss: Any, y: Any, f: Any) -> dict[str, Any]:
    def gradient(y: Any, f: Any) -> Any:
        return jacobian(lambda scores: ops.sum(loss(y, scores)), f)

    return {"loss": compiled(loss)(y, f), "gradient": compiled(gradient)(y, f)}


def logistic_loss_values(y: Any, f: Any) -> dict[str, Any]:
    """log(1 + exp(-y f)). Source: S 9.1, S 9.3."""
    return _loss_and_gradient(LogisticLoss(reduction=None), y, f)


def softmax_loss_values(y: Any, z: Any) -> dict[str, Any]:
    """log sum exp(z) - z_y, which is minus the logarithm of the softmax. Source: C 4.3, S 9.3."""
    return _loss_and_gradient(SoftmaxLoss(reduction=None), y, z)


def softmax_loss_one_hot(p: Any, z: Any) -> dict[str, Any]:
    """The same with a distribution for a label. Source: C 4.3, S 9.3."""
    return _loss_and_gradient(SoftmaxLoss(reduction=None), p, z)


def half_squared_loss_values(y: Any, f: Any) -> dict[str, Any]:
    """1/2 |y - f|**2, which works for vectors too. Source: S 9.1, S 9.3."""
    return _loss_and_gradient(HalfSquaredLoss(reduction=None), y, f)


def top_k_ranking_loss_values(y: Any, f: Any, k: int) -> dict[str, Any]:
    """The true class among the k best, with a margin. Source: S 9.1; Lapin, Hein and Schiele 2015."""
    return _loss_and_gradient(TopKRankingLoss(k, reduction=None), y, f)


def preference_loss_values(preferred: Any, other: Any) -> dict[str, Any]:
    """log(1 + exp(-(f_preferred - f_other))). Source: S 9.1."""
    values = _loss_and_gradient(
        PreferenceLoss(reduction=None), ops.zeros_like(preferred), ops.stack([preferred, other], axis=-1)
    )
    gradient = values["gradient"]  # (K, 2)
    return {"loss": values["loss"], "gradient_preferred": gradient[:, 0], "gradient_other": gradient[:, 1]}
