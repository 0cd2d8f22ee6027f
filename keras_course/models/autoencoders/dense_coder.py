"""Dense encoders and their mirror images: x -> code through some widths, and back through the same in reverse.

h_0 = x,  h_l = act_l(h_(l-1) W_l + b_l)             code h_L
r_L = h,  r_(l-1) = act_(l-1)(r_l V_l + c_l)         reconstruction r_0; V_l = W_l^T where weights are tied
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register

__all__ = ["DenseCoder"]


@register("DenseCoder")
class DenseCoder(keras.layers.Layer):
    """Both halves in one layer, because tied weights belong to both.

    Args:
        features: int, width of x.
        widths: sequence of ints, widths of the encoder's layers, the code last.
        activations: as many, then that of the reconstruction.
        tied: whether the decoder's kernels are the encoder's, transposed.
        seed: int, root of the initial weights.
        **kwargs: as keras.layers.Layer.
    """

    def __init__(
        self, features: int, widths: Sequence[int], activations: Sequence[Any], tied: bool, seed: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sizes, self.tied, self.seed = (features, *widths), tied, seed
        self.activations = [keras.activations.get(given) for given in activations]

    def build(self, input_shape: Any = None) -> None:
        def kernel(path: str, level: int, rows: int, columns: int) -> Any:
            start = keras.initializers.GlorotUniform(derive_seed(self.seed, path, level, "kernel"))
            return self.add_weight(shape=(rows, columns), initializer=start, name=f"{path}_{level}_kernel")

        def bias(path: str, level: int, size: int) -> Any:
            return self.add_weight(shape=(size,), initializer="zeros", name=f"{path}_{level}_bias")

        pairs = list(enumerate(zip(self.sizes[:-1], self.sizes[1:], strict=True)))
        self.kernels = [kernel("encoder", level, *pair) for level, pair in pairs]
        self.biases = [bias("encoder", level, pair[1]) for level, pair in pairs]
        self.back_biases = [bias("decoder", level, pair[0]) for level, pair in pairs]
        untied = [] if self.tied else [kernel("decoder", level, *pair[::-1]) for level, pair in pairs]
        self.back_kernels = untied
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self.decode(self.encode(inputs))

    def encode(self, x: Any) -> Any:
        """(B, code)."""
        for kernel, bias, activation in zip(self.kernels, self.biases, self.activations, strict=False):
            x = activation(ops.matmul(x, kernel) + bias)
        return x

    def decode(self, h: Any) -> Any:
        """(B, features)."""
        outputs = [self.activations[-1], *self.activations[:-2]]
        for level in reversed(range(len(self.kernels))):
            kernel = ops.transpose(self.kernels[level]) if self.tied else self.back_kernels[level]
            h = outputs[level](ops.matmul(h, kernel) + self.back_biases[level])
        return h

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.sizes[0],
            "widths": list(self.sizes[1:]),
            "activations": [keras.activations.serialize(each) for each in self.activations],
            "tied": self.tied,
            "seed": self.seed,
        }
