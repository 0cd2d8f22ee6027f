"""Worked examples of the chapters on energy models that need a model, and so TensorFlow.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.energy.boltzmann_machine import BoltzmannMachine
from keras_course.models.energy.energy_model import EnergyModel
from keras_course.models.energy.langevin_chains import langevin_walk
from keras_course.ops.energy_models import energy_contrast

__all__ = ["boltzmann_distribution", "linear_energy"]


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


def linear_energy(
    x: Any, states: Any, noise: Any, kernel: Any, bias: float, base_scale: float, step_size: float
) -> dict[str, Any]:
    """An energy model without depth: a Gaussian, shifted by what its network adds to the base. Source: C 17.3, R."""
    kernel = ops.convert_to_tensor(kernel)
    size = len(kernel)
    model = EnergyModel(size, units=(), base_scale=base_scale, buffer_size=1, negatives=1, dtype=kernel.dtype)
    model.network.layers[0].kernel.assign(kernel[:, None])
    model.network.layers[0].bias.assign([bias])

    def everything(x: Any, states: Any, noise: Any) -> Any:
        moved = langevin_walk(model.energy, states, noise, step_size)
        with tf.GradientTape() as tape:
            contrast = ops.mean(energy_contrast(model.energy(x), model.energy(moved)))
        of_kernel, of_bias = tape.gradient(contrast, [weight.value for weight in model.trainable_variables])
        return {
            "energy": model.energy(x),
            "score": model.score(x),
            "log_partition": ops.reshape(model.log_partition(-12.0, 12.0, 161), (1,)),
            "moved": moved,
            "kernel_slope": of_kernel[:, 0],
            "bias_slope": of_bias,
        }

    return compiled(everything)(x, states, noise)
