"""Worked examples of the chapter on autoencoders that need no model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.ops.code_penalties import absolute_codes, activity_divergence
from keras_course.ops.corruption import corrupted
from keras_course.ops.principal_components import principal_angles
from keras_course.ops.reconstruction import bernoulli_errors

__all__ = ["angles_of_subspaces", "bernoulli_reconstruction", "corrupted_values", "sparsity_of_codes"]


def angles_of_subspaces(one: Any, other: Any) -> dict[str, Any]:
    """Principal angles of two subspaces given by columns. Source: S 9.3."""
    return {"angles": compiled(principal_angles)(one, other)}


def bernoulli_reconstruction(x: Any, logits: Any) -> dict[str, Any]:
    """Cross-entropies of pixels from logits. Source: C 16.1."""
    return {"errors": compiled(bernoulli_errors)(x, logits)}


def corrupted_values(x: Any, normal: Any, uniform: Any, deviation: float, probability: float) -> dict[str, Any]:
    """The same values under each corruption. Source: C 16.5."""

    def all_three(x: Any, normal: Any, uniform: Any) -> dict[str, Any]:
        return {
            "gaussian": corrupted(x, normal, "gaussian", float(deviation)),
            "masking": corrupted(x, uniform, "masking", float(probability)),
            "salt_and_pepper": corrupted(x, uniform, "salt-and-pepper", float(probability)),
        }

    return compiled(all_three)(x, normal, uniform)


def sparsity_of_codes(codes: Any, target: float) -> dict[str, Any]:
    """Sums of absolute values, and how far mean activities are from the target. Source: C 16.4."""

    def measured(codes: Any) -> dict[str, Any]:
        means = ops.mean(codes, axis=0)
        return {
            "absolute": absolute_codes(codes),
            "divergence": ops.reshape(activity_divergence(means, float(target)), (1,)),
        }

    return compiled(measured)(codes)
