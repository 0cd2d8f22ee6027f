"""What the machines of binary units share: data in [0, 1], persistent chains, the score of a reconstruction."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.models.energy.chains import fair_coins
from keras_course.models.generative_model import GenerativeModel

__all__ = ["BinaryMachine"]


class BinaryMachine(GenerativeModel):
    """A density of vectors by binary units: x in [0, 1], grey values being taken as probabilities.

    `compile()` is gradient descent, without XLA on a CPU, as Keras has it. With `jit_compile=True` the first step takes
    half a second longer; then large layers are as fast on one core (`benchmarks/README.md`), and faster on several.

    Args:
        **kwargs: as `GenerativeModel`.

    Source: C 18.3.
    """

    @property
    def wanted(self) -> str:
        return "values in [0, 1]"

    def possible(self, values: np.ndarray) -> np.ndarray:
        return (values >= 0) & (values <= 1)  # False for NaN

    def compile(self, optimizer: Any = "sgd", loss: Any = None, **kwargs: Any) -> None:
        super().compile(optimizer=optimizer, loss=loss, **kwargs)

    def add_chains(self, chains: int, width: int) -> Any:
        """The states of persistent chains, (chains, width), fair coins at first: a weight, alike on every replica."""
        return self.add_weight(
            shape=(chains, width), initializer=fair_coins(derive_seed(self.seed, "chains")), trainable=False,
            aggregation="only_first_replica", name="chain_states",
        )  # fmt: skip

    def states_of(self, x: Any) -> Any:
        """x, checked, as floating numbers of the weights' type."""
        return ops.cast(self.checked(x), self.variable_dtype)

    @property
    def wide_dtype(self) -> str:
        """The floating type of weights and noise."""
        return str(keras.backend.standardize_dtype(self.variable_dtype))

    @staticmethod
    def cross_entropies(x: Any, means: Any) -> Any:
        """-sum_i x_i log m_i + (1 - x_i) log(1 - m_i), (B,), nats; means no nearer to 0 and 1 than Keras's epsilon."""
        means = ops.clip(means, keras.config.epsilon(), 1 - keras.config.epsilon())
        return -ops.sum(x * ops.log(means) + (1 - x) * ops.log(1 - means), axis=-1)
