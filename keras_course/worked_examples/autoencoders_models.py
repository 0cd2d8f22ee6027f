"""Worked examples of the chapter on autoencoders that need a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.autoencoders import Autoencoder, ContractiveAutoencoder, DenoisingAutoencoder
from keras_course.models.latent.pca import PCA

__all__ = ["components_of_points", "jacobian_norms", "score_of_a_gaussian", "tied_reconstruction"]


def components_of_points(x: Any, components: int) -> dict[str, Any]:
    """Mean, variances, codes and reconstructions of points. Source: C 16.2.1."""
    model = PCA(int(components), x.shape[-1])
    model.compile()
    model.fit(ops.convert_to_numpy(x), verbose=0)
    return {
        "mean": ops.convert_to_tensor(model.mean),
        "components": ops.convert_to_tensor(model.components),
        "variances": ops.convert_to_tensor(model.variances),
        "codes": compiled(model.encode)(x),
        "reconstructions": compiled(model)(x),
    }


def _by_formula(model: Any) -> None:
    """The goldens' weights, tensors counted through."""
    for k, weight in enumerate(model.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)


def tied_reconstruction(x: Any, units: int, code: int) -> dict[str, Any]:
    """Codes, reconstructions and squared errors of a deep autoencoder with tied weights. Source: C 16.2, R."""
    model = Autoencoder(x.shape[-1], code=int(code), units=(int(units),), activation="tanh", tied=True)
    _by_formula(model)

    def reconstructed(x: Any) -> Any:
        codes = model.encode(x)
        output = model.output_of(codes)
        return {"codes": codes, "reconstructions": output, "errors": model.errors(x, output)}

    return compiled(reconstructed)(x)


def score_of_a_gaussian(x: Any, covariance: Any, deviation: float) -> dict[str, Any]:
    """The best linear denoiser of N(0, S), whose field is the score of N(0, S + sigma^2 I). Source: C 16.5."""
    size = x.shape[-1]
    model = DenoisingAutoencoder(size, code=size, amount=float(deviation))
    covariance = np.asarray(ops.convert_to_numpy(covariance), "float64")
    model.coder.kernels[0].assign(np.linalg.solve(covariance + float(deviation) ** 2 * np.eye(size), covariance))
    model.coder.back_kernels[0].assign(np.eye(size))
    return {"scores": compiled(model.score)(x)}


def jacobian_norms(x: Any, units: Any, code: int) -> dict[str, Any]:
    """|df/dx|_F^2 of tanh layers under a logistic code. Source: C 16.6."""
    widths = [int(each) for each in ops.convert_to_numpy(units)]
    model = ContractiveAutoencoder(x.shape[-1], code=int(code), units=widths, activation="tanh")
    _by_formula(model)
    return {"norms": compiled(model.contraction)(x)}
