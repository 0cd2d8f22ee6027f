"""Worked examples of the chapters on energy models that need a model, and so TensorFlow.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.energy.boltzmann_machine import BoltzmannMachine

__all__ = ["boltzmann_distribution"]


def boltzmann_distribution(visible: Any, couplings: Any, bias: Any, features: int) -> dict[str, Any]:
    """What an unrestricted machine, hidden units and all, says of a few visible states. Source: C 17.3, R."""
    dtype = ops.convert_to_tensor(bias).dtype
    machine = BoltzmannMachine(features, len(bias) - features, chains=1, dtype=dtype)
    machine.couplings.assign(couplings)
    machine.bias.assign(bias)

    def everything(visible: Any) -> Any:
        ones = ops.ones((ops.shape(visible)[0], machine.hidden), visible.dtype)
        return {
            "energy": machine.energy(ops.concatenate([visible, ones], axis=-1)),
            "log_prob": machine.log_prob(visible),
            "log_partition": ops.reshape(machine.log_partition(), (1,)),
        }

    return compiled(everything)(visible)
