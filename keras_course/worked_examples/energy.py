"""Worked examples of the chapters on energy models: Boltzmann machines by their formulas and as models.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled, gradient
from keras_course.ops.boltzmann import (
    pseudo_log_likelihood,
    rbm_energy,
    rbm_free_energy,
    rbm_hidden_logits,
    rbm_log_partition,
    rbm_visible_parameters,
)
from keras_course.ops.class_units import class_free_energies, class_log_partition, joint_log_probs
from keras_course.ops.contrastive_divergence import free_energy_contrast
from keras_course.ops.deep_belief import belief_bound, belief_log_prob
from keras_course.ops.deep_boltzmann import (
    deep_energy,
    deep_log_partition,
    deep_mean_field,
    deep_unnormalised,
    mean_field_bound,
)
from keras_course.ops.energy_models import conjunction_energy, disjunction_energy, negation_energy

__all__ = [
    "belief_network",
    "belief_of_classes",
    "class_units",
    "combined_energies",
    "contrastive_slopes",
    "deep_machine",
    "gaussian_units",
    "pseudo_likelihood",
    "restricted_distribution",
]


def restricted_distribution(
    visible: Any, hidden: Any, kernel: Any, visible_bias: Any, hidden_bias: Any
) -> dict[str, Any]:
    """What a restricted machine says of a few states. Source: C 18.3, R."""

    def everything(visible: Any, hidden: Any, *parameters: Any) -> Any:
        kernel, b, c = parameters
        free, log_partition = rbm_free_energy(visible, *parameters), rbm_log_partition(*parameters)
        return {
            "energy": rbm_energy(visible, hidden, *parameters),
            "free_energy": free,
            "log_prob": -free - log_partition,
            "hidden_means": ops.sigmoid(rbm_hidden_logits(visible, kernel, c)),
            "visible_means": ops.sigmoid(rbm_visible_parameters(hidden, kernel, b)),
            "log_partition": ops.reshape(log_partition, (1,)),
        }

    return compiled(everything)(visible, hidden, kernel, visible_bias, hidden_bias)


def contrastive_slopes(data: Any, model: Any, kernel: Any, visible_bias: Any, hidden_bias: Any) -> dict[str, Any]:
    """The slopes of contrastive divergence, for states of the model that are given. Source: C 18.3, R."""

    def slopes(data: Any, model: Any, kernel: Any, b: Any, c: Any) -> Any:
        visible = ops.concatenate([data, model])
        logits = rbm_hidden_logits(visible, kernel, c)
        each_datum, each_state = (1 / ops.cast(ops.shape(x)[0], kernel.dtype) for x in (data, model))
        shares = ops.concatenate([each_datum * ops.ones_like(data[:, 0]), -each_state * ops.ones_like(model[:, 0])])

        def contrast(kernel: Any, b: Any, c: Any) -> Any:
            return free_energy_contrast(visible, logits, shares, kernel, b, c)

        return {
            "kernel": gradient(lambda value: contrast(value, b, c), kernel),
            "visible_bias": gradient(lambda value: contrast(kernel, value, c), b),
            "hidden_bias": gradient(lambda value: contrast(kernel, b, value), c),
        }

    return compiled(slopes)(data, model, kernel, visible_bias, hidden_bias)


def pseudo_likelihood(visible: Any, kernel: Any, visible_bias: Any, hidden_bias: Any) -> dict[str, Any]:
    """How well each unit is told by the others. Source: C 18.3."""
    found = compiled(pseudo_log_likelihood)(visible, kernel, visible_bias, hidden_bias)
    return {"pseudo_log_likelihood": found}


def gaussian_units(visible: Any, kernel: Any, visible_bias: Any, hidden_bias: Any, scale: Any) -> dict[str, Any]:
    """Real visible units: a mixture of 2^H Gaussians. Source: R."""

    def densities(visible: Any, *parameters: Any) -> Any:
        free, log_partition = rbm_free_energy(visible, *parameters), rbm_log_partition(*parameters)
        return {
            "free_energy": free,
            "log_partition": ops.reshape(log_partition, (1,)),
            "log_density": -free - log_partition,
        }

    return compiled(densities)(visible, kernel, visible_bias, hidden_bias, scale)


def belief_network(
    visible: Any, top_kernel: Any, top_visible_bias: Any, top_hidden_bias: Any, **directed: Any
) -> dict[str, Any]:
    """How likely a few visible states are, and what the recognition network vouches for. Source: R."""

    def everything(visible: Any, directed: Any, *top: Any) -> Any:
        generative, recognition = _both_ways(directed)
        return {
            "log_prob": belief_log_prob(visible, generative, top),
            "bound": belief_bound(visible, generative, recognition, top),
            "log_partition": ops.reshape(rbm_log_partition(*top), (1,)),
        }

    return compiled(everything)(visible, directed, top_kernel, top_visible_bias, top_hidden_bias)


def belief_of_classes(
    visible: Any,
    top_kernel: Any,
    top_class_kernel: Any,
    top_visible_bias: Any,
    top_class_bias: Any,
    top_hidden_bias: Any,
    **directed: Any,
) -> dict[str, Any]:
    """The same of states with each class, and of states whose class nobody says. Source: R."""

    def everything(visible: Any, directed: Any, *top: Any) -> Any:
        generative, recognition = _both_ways(directed)

        def of_each(h: Any) -> Any:
            return joint_log_probs(h, *top)  # (K, S)

        def summed(h: Any) -> Any:
            return ops.logsumexp(of_each(h), axis=0)

        return {
            "joint_log_prob": belief_log_prob(visible, generative, of_each),
            "joint_bound": belief_bound(visible, generative, recognition, of_each),
            "log_prob": belief_log_prob(visible, generative, summed),
            "bound": belief_bound(visible, generative, recognition, summed),
            "log_partition": ops.reshape(class_log_partition(*top), (1,)),
        }

    top = (top_kernel, top_class_kernel, top_visible_bias, top_class_bias, top_hidden_bias)
    return compiled(everything)(visible, directed, *top)


def _both_ways(directed: Any) -> list[list[tuple[Any, Any]]]:
    """Kernels and biases of two directed layers, downwards and upwards."""
    return [
        [(directed[f"{way}_kernel_{layer}"], directed[f"{way}_bias_{layer}"]) for layer in (1, 2)]
        for way in ("down", "up")
    ]


def class_units(visible: Any, **parameters: Any) -> dict[str, Any]:
    """What a top machine with class units says of a few states of its other units. Source: R."""
    order = ("kernel", "class_kernel", "visible_bias", "class_bias", "hidden_bias")

    def everything(visible: Any, *parameters: Any) -> Any:
        free = class_free_energies(visible, *parameters)
        return {
            "free_energies": free,
            "class_probs": ops.softmax(-free, axis=-1),
            "log_partition": ops.reshape(class_log_partition(*parameters), (1,)),
        }

    return compiled(everything)(visible, *(parameters[name] for name in order))


def deep_machine(visible: Any, sweeps: int, **parameters: Any) -> dict[str, Any]:
    """A few visible states of a deep Boltzmann machine; energies with all hidden units at 1. Source: R."""
    kernels, biases = (
        [parameters[name] for name in sorted(parameters) if name.startswith(kind)] for kind in ("kernel", "bias")
    )

    def everything(visible: Any, kernels: Any, biases: Any) -> Any:
        means, log_partition = deep_mean_field(visible, kernels, biases, sweeps), deep_log_partition(kernels, biases)
        ones = [ops.ones_like(mean) for mean in means]
        return {
            "energy": deep_energy([visible, *ones], kernels, biases),
            "log_prob": deep_unnormalised(visible, kernels, biases) - log_partition,
            "bound": mean_field_bound(visible, means, kernels, biases) - log_partition,
            "means": means[0],
            "log_partition": ops.reshape(log_partition, (1,)),
        }

    return compiled(everything)(visible, kernels, biases)


def combined_energies(energies: Any, strength: float) -> dict[str, Any]:
    """Both concepts, either, the first without the second. Source: R; Du, Li and Mordatch 2020."""

    def everything(energies: Any) -> Any:
        return {
            "conjunction": conjunction_energy(energies),
            "disjunction": disjunction_energy(energies),
            "negation": negation_energy(energies[:, 0], energies[:, 1], strength),
        }

    return compiled(everything)(energies)
