"""DropConnect: dropout of connections in place of units."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_rank
from keras_course.layers.seed_state import load_with_seed_state, save_seed_state
from keras_course.ops.dropout import RULES, drop_units, dropout_mask, expected_units, require_rate

__all__ = ["DropConnect"]


@register("DropConnect")
class DropConnect(keras.layers.Dense):
    """A Dense layer whose connections, not its units, are dropped in training.

    inverted:       training y = f(x (M o W) / pi + b),   afterwards y = f(x W + b)
    weight-scaling: training y = f(x (M o W) + b),        afterwards y = f(pi x W + b)
    M_ij = 1 with probability pi = 1 - rate, else 0; o is the entrywise product

    Masking units is the special case whose rows of M are all 0 or all 1. Biases are not dropped. Afterwards the mean
    network is used (as S 9.4 has it for units); Wan et al. sample a Gaussian in its place. Weights are those of Dense,
    in the same order, and with rate 0 it is Dense. Draws repeat as those of `Dropout` do.

    Args:
        units: int >= 1, number of units.
        rate: float in [0, 1), probability of dropping a connection.
        rule: "inverted" or "weight-scaling".
        mask_per_example: bool. True draws one M for each example, as Wan et al. do: a batch then holds B masked copies
            of W in memory. False draws one M for the whole batch: same mean, more noise between steps.
        seed: int, root of the draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Dense (activation, use_bias, initializers, regularizers, constraints).

    Input shape:
        (batch, ..., features), at least rank 2. A mask of time steps passes through.

    Output shape:
        (batch, ..., units).

    Raises:
        ValueError: for a rate outside [0, 1), an unknown rule, or an input of rank below 2.

    Example:
        >>> layer = DropConnect(1, rate=0.5, kernel_initializer="ones", rule="weight-scaling")
        >>> ops.convert_to_numpy(layer(ops.ones((1, 4)))).tolist()
        [[2.0]]

    Source: S 9.4; Wan et al. 2013.
    """

    def __init__(
        self,
        units: int,
        rate: float = 0.5,
        rule: str = "inverted",
        mask_per_example: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        require_rate("DropConnect", rate)
        require_one_of("DropConnect", RULES, rule=rule)
        self.rate = rate
        self.rule = rule
        self.mask_per_example = mask_per_example
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 2:
            require_rank("DropConnect", input_shape, 2, 3)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        kernel = ops.convert_to_tensor(self.kernel)  # (D, U)
        if not training:
            z = ops.matmul(inputs, expected_units(kernel, self.rate, self.rule))
        elif self.mask_per_example:
            batch, features = ops.shape(inputs)[0], inputs.shape[-1]
            kernels = drop_units(kernel, self._mask((batch, features, self.units)), self.rate, self.rule)  # (B, D, U)
            z = ops.matmul(ops.reshape(inputs, (batch, -1, features)), kernels)  # (B, N, U)
            z = ops.reshape(z, (*ops.shape(inputs)[:-1], self.units))
        else:
            z = ops.matmul(inputs, drop_units(kernel, self._mask(kernel.shape), self.rate, self.rule))
        if self.bias is not None:
            z = ops.add(z, self.bias)
        return z if self.activation is None else self.activation(z)  # (B, ..., U)

    def _mask(self, shape: Any) -> Any:
        return dropout_mask(keras.random.uniform(shape, dtype="float32", seed=self.seed_generator), self.rate)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "rule": self.rule,
            "mask_per_example": self.mask_per_example,
            "seed": self.seed,
        }
