"""Worked examples of the chapter on autoencoders that need a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.latent.pca import PCA

__all__ = ["components_of_points"]


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
