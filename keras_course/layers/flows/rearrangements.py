"""Flow layers without weights: space to channels, another order, and the logit of (0, 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.ops.dequantization import logit_transform, logit_transform_inverse
from keras_course.ops.flows import squeeze, unsqueeze

__all__ = ["LogitTransform", "Permutation", "Squeeze"]


@register("Squeeze")
class Squeeze(FlowLayer):
    """Blocks of factor x factor pixels become the channels of one pixel; log det = 0.

        (B, H, W, C) -> (B, H/f, W/f, f f C)

    After it a coupling of channel halves mixes neighbours that a checkerboard kept apart.

    Args:
        factor: int >= 1, divides H and W.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, H, W, C).

    Output shape:
        (B, H/f, W/f, f f C), and (B,).

    Raises:
        ValueError: for another rank, or a size that factor does not divide.

    Example:
        >>> z, _ = Squeeze()(ops.ones((1, 4, 6, 3)))
        >>> tuple(z.shape)
        (1, 2, 3, 12)

    Source: R; Dinh et al. 2016.
    """

    event_ranks = (3,)

    def __init__(self, factor: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_positive_int("Squeeze", factor=factor)
        self.factor = factor

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        self.compute_output_shape(inputs_shape)

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        z = squeeze(ops.cast(x, self.compute_dtype), self.factor)
        return z, self.no_change(z)

    def inverse(self, z: Any, condition: Any = None) -> Any:
        return unsqueeze(ops.cast(z, self.compute_dtype), self.factor)

    def compute_output_shape(self, inputs_shape: Any, condition_shape: Any = None) -> Any:
        batch, height, width, channels = inputs_shape
        if height % self.factor or width % self.factor:
            raise ValueError(
                f"Squeeze needs height and width that {self.factor} divides. Received: shape={tuple(inputs_shape)}"
            )
        return (batch, height // self.factor, width // self.factor, channels * self.factor**2), (batch,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@register("Permutation")
class Permutation(FlowLayer):
    """Another order of the last axis; log det = 0.

        z[..., i] = x[..., order[i]]

    Args:
        order: ints, a permutation of 0 ... C-1; "reversed"; or "random", drawn from the seed.
        seed: int, of a random order.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, ..., C).

    Output shape:
        That of the input, and (B,).

    Raises:
        ValueError: for an order that is no permutation of the last axis.

    Example:
        >>> z, _ = Permutation([2, 0, 1])(ops.array([[10.0, 20.0, 30.0]]))
        >>> ops.convert_to_numpy(z).tolist()
        [[30.0, 10.0, 20.0]]

    Source: R; Kingma and Dhariwal 2018.
    """

    def __init__(self, order: Any = "reversed", seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.order = order if isinstance(order, str) else [int(place) for place in order]
        self.seed = seed
        self.places = np.zeros(0, "int32")

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        width = self.event_shape[-1]
        if self.order == "random":
            places = np.random.Generator(np.random.Philox(derive_seed(self.seed, "order"))).permutation(width)
        else:
            places = np.arange(width)[::-1] if self.order == "reversed" else np.asarray(self.order)
        if sorted(places.tolist() if places.dtype.kind == "i" else []) != list(range(width)):
            raise ValueError(
                f"Permutation needs an order of 0 ... {width - 1}, 'reversed' or 'random'. Received: "
                f"order={self.order!r}"
            )
        self.places = places.astype("int32")

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        z = ops.take(ops.cast(x, self.compute_dtype), self.places, axis=-1)
        return z, self.no_change(z)

    def inverse(self, z: Any, condition: Any = None) -> Any:
        return ops.take(ops.cast(z, self.compute_dtype), np.argsort(self.places).astype("int32"), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "order": self.order, "seed": self.seed}


@register("LogitTransform")
class LogitTransform(FlowLayer):
    """From (0, 1), where dequantised pixels live, to the whole line.

        p = alpha + (1 - 2 alpha) x,   z = log p - log(1 - p),   log det = sum of log(1 - 2 alpha) - log p - log(1 - p)

    Args:
        alpha: float in (0, 1/2), keeps the slopes at 0 and 1 finite; 0 for x strictly inside.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, ...), values in [0, 1].

    Output shape:
        That of the input, and (B,).

    Raises:
        ValueError: for another alpha.

    Example:
        >>> z, log_det = LogitTransform(alpha=0.0)(ops.array([[0.5]]))
        >>> float(z[0, 0]), round(float(log_det[0]), 4)
        (0.0, 1.3863)

    Source: R; Dinh et al. 2016.
    """

    def __init__(self, alpha: float = 0.05, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= alpha < 0.5:
            raise ValueError(f"LogitTransform needs alpha in [0, 1/2). Received: alpha={alpha!r}")
        self.alpha = float(alpha)

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        return logit_transform(ops.cast(x, self.compute_dtype), self.alpha)

    def inverse(self, z: Any, condition: Any = None) -> Any:
        return logit_transform_inverse(ops.cast(z, self.compute_dtype), self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
