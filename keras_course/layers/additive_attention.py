"""Additive attention as a layer: where to look among the annotations of a sentence or of an image."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.ops.additive_attention import additive_attention

__all__ = ["AdditiveAttention"]


@register("AdditiveAttention")
class AdditiveAttention(keras.layers.Layer):
    """A weighted mean of annotations, the weights scored by a small network.

    e_j = v . tanh(s W + h_j U),   alpha = softmax(e) over the places that count,   context = sum_j alpha_j h_j

    One query (the decoder's state at a step) or a sequence of them. Annotations may lie on any grid: their middle axes
    are laid out as one axis of places, row by row, and so are the mask's and the returned weights'. `keys(annotations)`
    forms h U once; a decoder hands it to every step.

    Args:
        units: int, width A of the scoring network.
        kernel_initializer: of W and U.
        vector_initializer: of v, made as a kernel (A, 1).
        **kwargs: as keras.layers.Layer.

    Call arguments:
        query: tensor (B, Q) or (B, T, Q), s.
        annotations: tensor (B, ..., D), h; at least one axis of places.
        keys: tensor (B, places, A) from `keys`, or None to form it here.
        annotations_mask: bool tensor (B, ...), True where a place counts; Keras passes the annotations' own mask.
        training: bool.

    Output shape:
        Tuple of context (B, D) or (B, T, D), and weights (B, places) or (B, T, places). A row without a place that
        counts gets zeros.

    Raises:
        ValueError: for units below 1, a wrong rank or unknown widths.

    Example:
        >>> layer = AdditiveAttention(4)
        >>> context, weights = layer(ops.ones((2, 3)), ops.ones((2, 5, 5, 6)))
        >>> tuple(context.shape), tuple(weights.shape)
        ((2, 6), (2, 25))

    Source: B; Bahdanau, Cho and Bengio 2015.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        vector_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_positive_int("AdditiveAttention", units=units)
        self.units = int(units)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.vector_initializer = keras.initializers.get(vector_initializer)
        self.supports_masking = True

    def build(self, query_shape: Any, annotations_shape: Any, keys_shape: Any = None) -> None:
        require_rank("AdditiveAttention", query_shape, 2, 3)
        _require_places(annotations_shape)
        sizes = {"query_kernel": query_shape[-1], "annotation_kernel": annotations_shape[-1]}
        for name, width in sizes.items():
            require_positive_int("AdditiveAttention", **{f"width_of_{name}": width})
            weight = self.add_weight(name=name, shape=(width, self.units), initializer=self.kernel_initializer)
            setattr(self, name, weight)
        self.vector = self.add_weight(name="vector", shape=(self.units, 1), initializer=self.vector_initializer)
        self.query_width, self.annotation_width = sizes.values()
        self.built = True

    def keys(self, annotations: Any) -> Any:
        """h U of every place: tensor (B, ..., D) -> (B, places, A)."""
        return ops.matmul(self._places(annotations), ops.convert_to_tensor(self.annotation_kernel))

    def _places(self, annotations: Any) -> Any:
        """Tensor (B, places, D)."""
        annotations = ops.cast(annotations, self.compute_dtype)
        if len(annotations.shape) == 3:
            return annotations
        batch, *grid = ops.shape(annotations)[:-1]
        return ops.reshape(annotations, (batch, prod(grid), annotations.shape[-1]))

    def call(
        self, query: Any, annotations: Any, keys: Any = None, annotations_mask: Any = None, training: bool = False
    ) -> tuple[Any, Any]:
        require_rank("AdditiveAttention", query.shape, 2, 3)
        require_features("AdditiveAttention", query.shape, self.query_width)
        _require_places(annotations.shape)
        require_features("AdditiveAttention", annotations.shape, self.annotation_width)
        places = self._places(annotations)
        keys = self.keys(annotations) if keys is None else keys
        if annotations_mask is not None:
            annotations_mask = ops.reshape(annotations_mask, ops.shape(places)[:2])
        projected = ops.matmul(query, ops.convert_to_tensor(self.query_kernel))
        vector = ops.convert_to_tensor(self.vector)[:, 0]
        return additive_attention(projected, keys, places, vector, annotations_mask)

    def compute_mask(self, query: Any, annotations: Any = None, keys: Any = None, *masks: Any) -> Any:
        return None

    def compute_output_shape(self, query_shape: Any, annotations_shape: Any, keys_shape: Any = None) -> Any:
        require_rank("AdditiveAttention", query_shape, 2, 3)
        _require_places(annotations_shape)
        grid = annotations_shape[1:-1]
        places = None if None in grid else prod(grid)
        return (*query_shape[:-1], annotations_shape[-1]), (*query_shape[:-1], places)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "vector_initializer": keras.initializers.serialize(self.vector_initializer),
        }


def _require_places(shape: Any) -> None:
    if len(shape) < 3:
        raise ValueError(
            f"AdditiveAttention needs annotations (batch, places, features), of rank 3 or more. "
            f"Received: shape={tuple(shape)}"
        )
