"""Recurrent weights of a reservoir: few, random, scaled to a spectral radius."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackNoConvergence, eigs

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register

__all__ = ["SparseReservoir", "radius_of"]

EXACT = 600  # up to this size all eigenvalues are computed
WANTED = 6  # eigenvalues asked of ARPACK; the greatest alone may be one of a close pair


def radius_of(matrix: NDArray[Any], seed: int = 0) -> float:
    """Spectral radius of a square matrix, in float64: all eigenvalues up to size 600, beyond it the greatest by ARPACK.

    Args:
        matrix: array (N, N).
        seed: int, of ARPACK's start, so that the same matrix has the same radius, bit for bit.

    Returns:
        float.

    Raises:
        ValueError: for another shape, or a large matrix whose greatest eigenvalues ARPACK cannot tell apart.

    Example:
        >>> radius_of(np.array([[0.5, 10.0], [0.0, -0.25]]))
        0.5

    Source: C 13.4.
    """
    matrix = np.asarray(matrix, "float64")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"radius_of needs a square matrix. Received: shape={matrix.shape}")
    if len(matrix) <= EXACT:
        return float(np.abs(np.linalg.eigvals(matrix)).max())
    if not matrix.any():
        return 0.0
    start = np.random.Generator(np.random.Philox(seed)).uniform(-1, 1, len(matrix))
    try:
        found = eigs(csr_array(matrix), k=WANTED, which="LM", v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise ValueError(f"radius_of did not converge. Received: a matrix of shape {matrix.shape}, {error}") from error
    return float(np.abs(found).max())


@register("SparseReservoir")
class SparseReservoir(keras.initializers.Initializer):
    """A share of the weights uniform around zero, the others zero, scaled to a spectral radius.

    W_ij ~ U(-1, 1) for round(density N) entries j of each row, 0 else;   W <- W * radius / rho(W)

    Every row has the same number of connections, at least one, so that there is always a cycle and something to scale.
    rho < 1 is where an unforced or linear reservoir forgets its start; it is neither necessary nor, without a bound on
    the norm of W, sufficient for every input.

    Args:
        radius: float >= 0, wanted rho.
        density: float in (0, 1], share of connections; at least one a row.
        seed: int. The same int gives the same weights at every call.

    Raises:
        ValueError: for an argument out of range, or a shape that is not square.

    Example:
        >>> W = np.asarray(SparseReservoir(0.9, density=0.2, seed=1)((20, 20)))
        >>> round(radius_of(W), 5), int((W != 0).sum(axis=1).max())
        (0.9, 4)

    Source: C 13.4; Jaeger 2001.
    """

    def __init__(self, radius: float = 0.9, density: float = 0.1, seed: int = 0) -> None:
        if not (radius >= 0 and np.isfinite(radius)):
            raise ValueError(f"SparseReservoir needs a radius >= 0. Received: radius={radius}")
        if not 0 < density <= 1:
            raise ValueError(f"SparseReservoir needs a density in (0, 1]. Received: density={density}")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"SparseReservoir needs an integer seed. Received: seed={seed!r}")
        self.radius, self.density, self.seed = float(radius), float(density), seed

    def draw(self, units: int) -> NDArray[np.float64]:
        """The matrix (units, units) before it becomes a tensor."""
        generator = np.random.Generator(np.random.Philox(derive_seed(self.seed, "reservoir")))
        count = max(1, round(self.density * units))
        chosen = np.argsort(generator.random((units, units)), axis=1)[:, :count]
        matrix = np.zeros((units, units))
        np.put_along_axis(matrix, chosen, generator.uniform(-1, 1, (units, count)), axis=1)
        radius = radius_of(matrix, self.seed)
        return matrix * (self.radius / radius)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"SparseReservoir makes square matrices. Received: shape={tuple(shape)}")
        return keras.ops.convert_to_tensor(self.draw(int(shape[0])), dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"radius": self.radius, "density": self.density, "seed": self.seed}
