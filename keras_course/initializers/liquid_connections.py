"""Recurrent weights of a liquid: neurons in a box, the nearer the likelier connected, some of them inhibitory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple

__all__ = ["LiquidConnections"]

# Maass, Natschlaeger and Markram 2002: greatest probability of a connection, by what sends and what receives.
REACH = {("E", "E"): 0.3, ("E", "I"): 0.2, ("I", "E"): 0.4, ("I", "I"): 0.1}


@register("LiquidConnections")
class LiquidConnections(keras.initializers.Initializer):
    """Connections of a column of neurons on a grid, by distance and by kind.

    P(i -> j) = C_ij exp(-(D_ij / lambda)^2),   C_EE = 0.3, C_EI = 0.2, C_IE = 0.4, C_II = 0.1
    W_ij = + strength U[0.5, 1.5] where i is excitatory, - balance strength U[0.5, 1.5] where it is inhibitory, 0 else

    Row i holds what neuron i sends, so that a row of spikes times W is what arrives (Dale's law: one sign a neuron).
    D is the distance on the grid; no neuron connects to itself.

    Args:
        grid: three ints, neurons along each side of the box; their product is the number of neurons.
        inhibitory: float in [0, 1), share of inhibitory neurons.
        reach: float > 0, lambda, in grid steps.
        strength: float >= 0.
        balance: float >= 0, how much stronger inhibition is.
        seed: int. The same int gives the same weights at every call.

    Raises:
        ValueError: for an argument out of its range, or a shape other than (neurons, neurons).

    Example:
        >>> W = np.asarray(LiquidConnections((2, 2, 3), reach=2.0, seed=1)((12, 12)))
        >>> bool((np.diag(W) == 0).all()), bool(W.min() < 0)
        (True, True)

    Source: C 13.4; Maass, Natschlaeger and Markram 2002.
    """

    def __init__(
        self,
        grid: Sequence[int],
        inhibitory: float = 0.2,
        reach: float = 2.0,
        strength: float = 1.0,
        balance: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.grid = normalize_tuple("LiquidConnections", tuple(grid), 3, "grid")
        if not 0 <= inhibitory < 1 or not reach > 0 or not strength >= 0 or not balance >= 0:
            raise ValueError(
                "LiquidConnections needs inhibitory in [0, 1), reach > 0, strength >= 0 and balance >= 0. "
                f"Received: inhibitory={inhibitory}, reach={reach}, strength={strength}, balance={balance}"
            )
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"LiquidConnections needs an integer seed. Received: seed={seed!r}")
        self.inhibitory, self.reach = float(inhibitory), float(reach)
        self.strength, self.balance, self.seed = float(strength), float(balance), seed

    @property
    def neurons(self) -> int:
        """How many neurons the grid holds."""
        return int(np.prod(self.grid))

    def positions(self) -> NDArray[np.float64]:
        """Where each neuron sits: (neurons, 3), in grid steps."""
        places = np.meshgrid(*map(np.arange, self.grid), indexing="ij")
        return np.stack(places, axis=-1).reshape(-1, 3).astype("float64")

    def is_inhibitory(self) -> NDArray[np.bool_]:
        """Which neurons are inhibitory: (neurons,), round(share * neurons) of them."""
        order = np.argsort(self._generator("kinds").random(self.neurons), kind="stable")
        return order < round(self.inhibitory * self.neurons)

    def _generator(self, what: str) -> Any:
        return np.random.Generator(np.random.Philox(derive_seed(self.seed, what)))

    def probabilities(self) -> NDArray[np.float64]:
        """P(i -> j): (neurons, neurons)."""
        place, kind = self.positions(), np.where(self.is_inhibitory(), "I", "E")
        squares = ((place[:, None] - place[None]) ** 2).sum(-1)
        greatest = np.array([[REACH[sender, receiver] for receiver in kind] for sender in kind])
        found = greatest * np.exp(-squares / self.reach**2)
        np.fill_diagonal(found, 0.0)
        return np.asarray(found)

    def draw(self) -> NDArray[np.float64]:
        """The matrix before it becomes a tensor."""
        size = (self.neurons, self.neurons)
        connected = self._generator("connections").random(size) < self.probabilities()
        sign = np.where(self.is_inhibitory(), -self.balance, 1.0)[:, None]
        return np.asarray(connected * sign * self.strength * self._generator("strengths").uniform(0.5, 1.5, size))

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if tuple(shape) != (self.neurons, self.neurons):
            raise ValueError(
                f"LiquidConnections of grid {self.grid} has shape {(self.neurons, self.neurons)}. "
                f"Received: shape={tuple(shape)}"
            )
        return keras.ops.convert_to_tensor(self.draw(), dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {
            "grid": list(self.grid),
            "inhibitory": self.inhibitory,
            "reach": self.reach,
            "strength": self.strength,
            "balance": self.balance,
            "seed": self.seed,
        }
