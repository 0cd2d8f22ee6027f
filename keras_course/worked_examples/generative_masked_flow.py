"""Worked examples of the chapters on generative models: a masked autoregressive flow as a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.generative.masked_flows import MAF

__all__ = ["masked_flow"]


def masked_flow(
    order: Any, hidden_degrees: Any, x: Any, hidden_kernel: Any, hidden_bias: Any, kernel: Any, bias: Any
) -> dict[str, Any]:
    """Codes of three numbers, log |det dz/dx|, log p(x) under normal codes, and x read as codes. Source: R."""
    dtype = ops.convert_to_tensor(x).dtype
    model = MAF(
        len(order), layers=1, units=(len(hidden_degrees),), order=[int(place) for place in ops.convert_to_numpy(order)],
        actnorm=False, activation="tanh", log_scale_bound=None, dtype=dtype,
    )  # fmt: skip
    network = model.flow.flows[0].network
    for weight, value in (
        (network.hidden[0].kernel, hidden_kernel), (network.hidden[0].bias, hidden_bias),
        (network.to_outputs.kernel, kernel), (network.to_outputs.bias, bias),
    ):  # fmt: skip
        weight.assign(value)

    def everything(x: Any) -> Any:
        z, log_det = model.flow.forward(x)
        return {"z": z, "log_det": log_det, "log_prob": model.log_prob(x), "decoded": model.decode(x)}

    return compiled(everything)(x)
