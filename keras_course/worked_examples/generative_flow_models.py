"""Worked examples of whole flows: the density of NICE and of Real NVP, with weights by formula.

Tensor number t of a flow's weights, in the order of the forward pass, has the entries
((7 j + 3 t) mod 17 - 8) / 16, j in C order.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from keras_course.core.backend import compiled
from keras_course.models.generative.coupling_flows import NICE, RealNVP

__all__ = ["nice_density", "real_nvp_density"]


def _density(model: Any, x: Any) -> dict[str, Any]:
    for t, variable in enumerate(model.trainable_variables):
        j = np.arange(prod(variable.shape))
        variable.assign((((7 * j + 3 * t) % 17 - 8) / 16).reshape(variable.shape))
    z = compiled(model.encode)(x)
    return {
        "z": z,
        "log_prob": compiled(model.log_prob)(x),
        "bits_per_dimension": compiled(model.bits_per_dimension)(x),
        "inverse": compiled(model.decode)(z),
    }


def nice_density(x: Any, hidden: int) -> dict[str, Any]:
    """Four additive couplings of even and odd places, a scale a number, logistic codes. Source: R; Dinh et al. 2014."""
    return _density(NICE(x.shape[1], units=(hidden,), activation="tanh"), x)


def real_nvp_density(x: Any, hidden: int) -> dict[str, Any]:
    """Two affine couplings of halves with ActNorm before each, Gaussian codes. Source: R; Dinh et al. 2016."""
    return _density(RealNVP(x.shape[1], couplings=2, units=(hidden,), mask="halves", activation="tanh"), x)
