"""Residual blocks: a layer learns what to add to its input, not what to put in its place.

    y = relu(F(x) + s(x))

    ResidualBlock     F = BN(W2 * relu(BN(W1 * x)))                          3 x 3, 3 x 3
    BottleneckBlock   F = BN(W3 * relu(BN(W2 * relu(BN(W1 * x)))))           1 x 1, 3 x 3, 1 x 1

    shortcut s(x)     x                              where F(x) has the shape of x
                      A: every stride-th pixel of x, channels of zeros appended          no weights
                      B: BN(Ws * x), 1 x 1           where the shape changes
                      C: BN(Ws * x), 1 x 1           in every block

dy/dx = 1 + dF/dx where relu is open: the 1 is what keeps the gradient of deep networks alive. A convolution keeps
ceil(n / stride) rows, its zeros on both sides of the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int, require_rank
from keras_course.initializers.seeding import seeded
from keras_course.layers.batch_normalization import BatchNormalization
from keras_course.layers.convolution import Convolution2D
from keras_course.ops.convolution import output_size

__all__ = ["BottleneckBlock", "ResidualBlock"]

# Keras's epsilon in its own ResNet and DenseNet. It averages with 0.99, which takes hundreds of steps to forget.
NORMALIZATION = {"momentum": 0.9, "epsilon": 1.001e-5}


class _Residual(keras.layers.Layer):
    """What both blocks share; `branch` lists the convolutions of F as (name, filters, kernel size, stride)."""

    def __init__(
        self,
        filters: int,
        strides: int,
        shortcut: str,
        use_bias: bool,
        zero_gamma: bool,
        normalization: Mapping[str, Any] | None,
        kernel_initializer: Any,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        who = type(self).__name__
        require_positive_int(who, filters=filters, strides=strides)
        require_one_of(who, ("A", "B", "C"), shortcut=shortcut)
        self.filters, self.strides = int(filters), int(strides)
        self.shortcut, self.use_bias, self.zero_gamma = shortcut, bool(use_bias), bool(zero_gamma)
        self.normalization = None if normalization is None else dict(normalization)
        self.kernel_initializer, self.seed = keras.initializers.get(kernel_initializer), seed

    def _set_branch(self, *branch: tuple[str, int, int, int]) -> None:
        self.output_filters = branch[-1][1]
        self.convolutions, self.normalizations = [], []
        for name, filters, kernel, stride in branch:
            convolution, normalization = self._pair(name, filters, kernel, stride, last=name == branch[-1][0])
            self.convolutions.append(convolution)
            self.normalizations.append(normalization)
        self.projection = self.projection_normalization = None

    def _pair(self, name: str, filters: int, kernel: int, stride: int, last: bool = False) -> tuple[Any, Any]:
        """A convolution and the normalization behind it."""
        gamma = "zeros" if last and self.zero_gamma else "ones"
        return (
            Convolution2D(
                filters, kernel, stride, "zero", use_bias=self.use_bias, name=f"{name}_conv", dtype=self.dtype_policy,
                kernel_initializer=seeded(self.kernel_initializer, self.seed, name, "kernel"),
                data_format="channels_last",
            ),
            BatchNormalization(
                gamma_initializer=gamma, name=f"{name}_bn", dtype=self.dtype_policy,
                **{**NORMALIZATION, **(self.normalization or {})},
            ),
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        *_, channels = self._known(input_shape)
        changes = self.strides > 1 or channels != self.output_filters
        if self.shortcut == "C" or (self.shortcut == "B" and changes):
            self.projection, self.projection_normalization = self._pair(
                "shortcut", self.output_filters, 1, self.strides
            )
            self.projection.build(input_shape)
            self.projection_normalization.build(self.projection.compute_output_shape(input_shape))
        shape = input_shape
        for convolution, normalization in zip(self.convolutions, self.normalizations, strict=True):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            normalization.build(shape)
        self.input_spec = keras.InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return ops.relu(self.residual(inputs, training) + self.identity(inputs, training))

    def residual(self, inputs: Any, training: bool | None = None) -> Any:
        """F(x), what the block adds, (B, ceil(H / s), ceil(W / s), F)."""
        maps = inputs
        for index, (convolution, normalization) in enumerate(zip(self.convolutions, self.normalizations, strict=True)):
            maps = normalization(convolution(maps if index == 0 else ops.relu(maps)), training=training)
        return maps

    def identity(self, inputs: Any, training: bool | None = None) -> Any:
        """s(x), what the block adds to, (B, ceil(H / s), ceil(W / s), F)."""
        if self.projection is not None:
            return self.projection_normalization(self.projection(inputs), training=training)
        if self.strides > 1:
            inputs = inputs[:, :: self.strides, :: self.strides]
        missing = self.output_filters - inputs.shape[-1]
        return ops.pad(inputs, [(0, 0), (0, 0), (0, 0), (0, missing)]) if missing else inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        batch, height, width, _ = self._known(input_shape)
        sizes = (output_size(n, 1, self.strides, padding="zero") for n in (height, width))
        return (batch, *sizes, self.output_filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "shortcut": self.shortcut,
            "use_bias": self.use_bias,
            "zero_gamma": self.zero_gamma,
            "normalization": self.normalization,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "seed": self.seed,
        }

    def _known(self, input_shape: Any) -> tuple[Any, ...]:
        who = type(self).__name__
        require_rank(who, input_shape, 4)
        channels = input_shape[-1]
        if not channels:
            raise ValueError(f"{who} needs a known number of channels. Received: input_shape={tuple(input_shape)}")
        if self.shortcut == "A" and channels > self.output_filters:
            raise ValueError(
                f"{who} with shortcut 'A' appends channels and cannot drop any: it needs at most "
                f"{self.output_filters} channels. Received: input_shape={tuple(input_shape)}"
            )
        return tuple(input_shape)


@register("ResidualBlock")
class ResidualBlock(_Residual):
    """Two 3 x 3 convolutions and a shortcut around them: the block of ResNet-18, -34 and of the CIFAR form.

    y = relu(BN(W2 * relu(BN(W1 * x))) + s(x)),   s(x) = x where the shapes agree

    Args:
        filters: int, maps of both convolutions.
        strides: int, of the first convolution and of the shortcut.
        shortcut: "A" (no weights: subsample, append channels of zeros), "B" (project where the shape changes) or "C"
            (project always).
        use_bias: bool, whether convolutions have one; the normalization behind takes it out again.
        zero_gamma: bool, whether the last gamma starts at 0, so that the block starts as relu(s(x)).
        normalization: mapping of arguments for layers.BatchNormalization (`momentum`, `epsilon`, `synchronized`), over
            momentum 0.9 and epsilon 1.001e-5.
        kernel_initializer: of the convolutions, each with a seed of its own.
        seed: int, root of the initial weights, or None for Keras's global stream.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width may be unknown.

    Output shape:
        (batch, ceil(height / strides), ceil(width / strides), filters).

    Raises:
        ValueError: for a bad argument, a wrong rank, or more channels than filters under "A".

    Example:
        >>> block = ResidualBlock(16, strides=2)
        >>> tuple(block(ops.ones((1, 9, 8, 4))).shape), block.count_params()
        ((1, 5, 4, 16), 3136)

    Source: R (Residual Networks); He, Zhang, Ren and Sun 2015.
    """

    def __init__(
        self,
        filters: int,
        strides: int = 1,
        shortcut: str = "B",
        use_bias: bool = False,
        zero_gamma: bool = False,
        normalization: Mapping[str, Any] | None = None,
        kernel_initializer: Any = "he_normal",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, strides, shortcut, use_bias, zero_gamma, normalization, kernel_initializer, seed, **kwargs
        )
        self._set_branch(("1", self.filters, 3, self.strides), ("2", self.filters, 3, 1))


@register("BottleneckBlock")
class BottleneckBlock(_Residual):
    """1 x 1 down, 3 x 3, 1 x 1 up, and a shortcut around them: the block of ResNet-50, -101 and -152.

    y = relu(BN(W3 * relu(BN(W2 * relu(BN(W1 * x))))) + s(x)),   W1: C -> F,  W2: F -> F,  W3: F -> expansion F

    Of 256 maps a bottleneck of 64 takes 69,632 weights, where two full 3 x 3 convolutions take 1,179,648.

    Args:
        filters: int F, maps of the first two convolutions; the block returns expansion * F.
        strides: int, of one convolution and of the shortcut.
        strided: "1x1" (the paper, Keras) or "3x3" (later practice, PyTorch: nothing is thrown away unseen), which
            convolution has the stride.
        expansion: int, maps of the last convolution over F.
        shortcut, use_bias, zero_gamma, normalization, kernel_initializer, seed: as ResidualBlock.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width may be unknown.

    Output shape:
        (batch, ceil(height / strides), ceil(width / strides), expansion * filters).

    Raises:
        ValueError: as ResidualBlock.

    Example:
        >>> block = BottleneckBlock(64)
        >>> block.build((None, 56, 56, 256))
        >>> block.count_params(), sum(v.shape.num_elements() for v in block.trainable_variables if "kernel" in v.name)
        (71168, 69632)

    Source: R (Residual Networks); He, Zhang, Ren and Sun 2015.
    """

    def __init__(
        self,
        filters: int,
        strides: int = 1,
        strided: str = "1x1",
        expansion: int = 4,
        shortcut: str = "B",
        use_bias: bool = False,
        zero_gamma: bool = False,
        normalization: Mapping[str, Any] | None = None,
        kernel_initializer: Any = "he_normal",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, strides, shortcut, use_bias, zero_gamma, normalization, kernel_initializer, seed, **kwargs
        )
        require_one_of("BottleneckBlock", ("1x1", "3x3"), strided=strided)
        require_positive_int("BottleneckBlock", expansion=expansion)
        self.strided, self.expansion = strided, int(expansion)
        first, second = (self.strides, 1) if strided == "1x1" else (1, self.strides)
        wide = self.expansion * self.filters
        self._set_branch(("1", self.filters, 1, first), ("2", self.filters, 3, second), ("3", wide, 1, 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strided": self.strided, "expansion": self.expansion}
