"""Noise in training: on inputs and hidden units, or on the weights of a Dense layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_rank
from keras_course.layers.seed_state import load_with_seed_state, save_seed_state
from keras_course.ops.noise import inject_noise, require_stddev

__all__ = ["NoiseInjection", "NoisyDense"]


@register("NoiseInjection")
class NoiseInjection(keras.layers.Layer):
    """Adds Gaussian noise to inputs or hidden units in training, and nothing afterwards.

    training: y = x + stddev n,  n ~ N(0, 1) for each entry;   afterwards: y = x

    Before the first layer it is noise on the inputs, between layers noise on the hidden representation. For a linear
    model with squared error the expected cost is the cost plus stddev**2 |w|**2: weight decay (Bishop 1995). With the
    same seed the noise is that of keras.layers.GaussianNoise. Draws repeat as those of `Dropout` do.

    Args:
        stddev: float >= 0, standard deviation of the noise.
        seed: int, root of the draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        Any. A mask of time steps passes through.

    Output shape:
        That of the input.

    Raises:
        ValueError: if stddev is negative or not finite.

    Example:
        >>> layer = NoiseInjection(0.5, seed=3)
        >>> x = ops.ones((2, 3))
        >>> bool(ops.all(layer(x) == x)), bool(ops.any(layer(x, training=True) == x))
        (True, False)

    Source: C 6.4, S 9.3; Bishop 1995.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_stddev("NoiseInjection", stddev)
        self.stddev = stddev
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training:
            return inputs
        noise = keras.random.normal(ops.shape(inputs), dtype=self.compute_dtype, seed=self.seed_generator)
        return inject_noise(inputs, noise, self.stddev)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@register("NoisyDense")
class NoisyDense(keras.layers.Dense):
    """A Dense layer whose weights are noisy in training.

    training: y = f(x (W + stddev N) + b),  N_ij ~ N(0, 1), one N a step;   afterwards: y = f(x W + b)

    Noise on weights asks for solutions around which small changes of the weights change little: with squared error the
    expected cost grows, to second order, by stddev**2 times the squared slope of the output by the weights. Variables
    are those of Dense, in the same order. Draws repeat as those of `Dropout` do.

    Args:
        units: int >= 1, number of units.
        stddev: float >= 0, standard deviation of the noise on each weight.
        seed: int, root of the draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Dense.

    Input shape:
        (batch, ..., features), at least rank 2. A mask of time steps passes through.

    Output shape:
        (batch, ..., units).

    Raises:
        ValueError: if stddev is negative or not finite, or the input has rank below 2.

    Example:
        >>> layer = NoisyDense(1, stddev=0.1, kernel_initializer="ones")
        >>> ops.convert_to_numpy(layer(ops.ones((1, 4)))).tolist()
        [[4.0]]

    Source: C 6.4; Jim, Giles and Horne 1996.
    """

    def __init__(self, units: int, stddev: float = 0.1, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        require_stddev("NoisyDense", stddev)
        self.stddev = stddev
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 2:
            require_rank("NoisyDense", input_shape, 2, 3)
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        kernel = ops.convert_to_tensor(self.kernel)  # (D, U)
        if training:
            noise = keras.random.normal(kernel.shape, dtype=kernel.dtype, seed=self.seed_generator)
            kernel = inject_noise(kernel, noise, self.stddev)
        z = ops.matmul(inputs, kernel)
        if self.bias is not None:
            z = ops.add(z, self.bias)
        return z if self.activation is None else self.activation(z)  # (B, ..., U)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        save_seed_state(self.seed_generator, store)

    def load_own_variables(self, store: Any) -> None:
        load_with_seed_state(self.seed_generator, store, super().load_own_variables)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
