"""Worked examples of the chapters on generative models: a masked autoencoder as a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.generative.made import MADE

__all__ = ["masked_autoencoder"]


def masked_autoencoder(
    order: Any, hidden_degrees: Any, x: Any, hidden_kernel: Any, hidden_bias: Any, kernel: Any, bias: Any
) -> dict[str, Any]:
    """P(x_d = 1 | before d) and log P(x) of every image of three pixels. Source: R."""
    order = [int(variable) for variable in ops.convert_to_numpy(order)]
    dtype = ops.convert_to_tensor(x).dtype
    model = MADE(len(order), units=(len(hidden_degrees),), order=order, activation="tanh", dtype=dtype)
    hidden, outputs = model.network.hidden[0], model.network.to_outputs
    for weight, value in (
        (hidden.kernel, hidden_kernel), (hidden.bias, hidden_bias), (outputs.kernel, kernel), (outputs.bias, bias),
    ):  # fmt: skip
        weight.assign(value)

    def everything(x: Any) -> Any:
        return {"conditionals": ops.sigmoid(model.conditionals(x)[..., 0]), "log_prob": model.log_prob(x)}

    return compiled(everything)(x)
