"""A flow layer seen as a tfp bijector: the same weights, the other direction, any leading axes.

    bijector.forward(z)                  = layer.inverse(z)
    bijector.inverse(x)                  = z of layer.forward(x)
    bijector.inverse_log_det_jacobian(x) = log_det of layer.forward(x)

TFP is imported when the first view is made. It remembers results by the identity of a tensor, and would answer an
equal question after a training step with the old weights; so eagerly the view asks with a copy.
"""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["flow_bijector"]


def flow_bijector(layer: Any, condition: Any = None, name: str | None = None) -> Any:
    """The view of a built flow layer; `layer.as_bijector(condition)` is the same.

    bijector.forward(z) = layer.inverse(z),   bijector.inverse(x) = z of layer.forward(x)

    Args:
        layer: `FlowLayer`.
        condition: tensor (C,), or one whose leading axes are those of x, or None.
        name: str, or None for the layer's.

    Returns:
        tfp.bijectors.Bijector.

    Raises:
        ValueError: if the layer is not built.

    Example:
        >>> from keras import ops
        >>> from keras_course.layers.flows import Permutation
        >>> layer = Permutation([2, 0, 1])
        >>> _ = layer(ops.zeros((1, 3)))
        >>> flow_bijector(layer).inverse([[10.0, 20.0, 30.0]]).numpy().tolist()
        [[30.0, 10.0, 20.0]]

    Source: R.
    """
    if layer.event_shape is None:
        raise ValueError(f"{type(layer).__name__} {layer.name!r} must be built first: call it on data.")
    return _view_class()(layer, condition, name or layer.name)


@cache
def _view_class() -> Any:
    import tensorflow as tf
    import tensorflow_probability as tfp

    class FlowBijector(tfp.bijectors.Bijector):
        """The tfp view of a flow layer."""

        def __init__(self, layer: Any, condition: Any, name: str) -> None:
            self._layer = layer
            self._condition = condition
            super().__init__(
                forward_min_event_ndims=len(layer.code_shape),
                inverse_min_event_ndims=len(layer.event_shape),
                dtype=tf.as_dtype(layer.compute_dtype),
                validate_args=False,
                parameters={},
                name=name.replace("/", "_"),
            )

        @classmethod
        def _parameter_properties(cls, dtype: Any) -> dict[str, Any]:
            return {}

        @property
        def layer(self) -> Any:
            """The Keras layer whose weights these are."""
            return self._layer

        @property
        def trainable_variables(self) -> tuple[Any, ...]:
            return tuple(variable.value for variable in self._layer.trainable_variables)

        @property
        def variables(self) -> tuple[Any, ...]:
            return tuple(variable.value for variable in self._layer.variables)

        def forward(self, x: Any, name: str = "forward", **kwargs: Any) -> Any:
            return super().forward(self._fresh(x), name=name, **kwargs)

        def inverse(self, y: Any, name: str = "inverse", **kwargs: Any) -> Any:
            return super().inverse(self._fresh(y), name=name, **kwargs)

        def forward_log_det_jacobian(self, x: Any, *args: Any, **kwargs: Any) -> Any:
            return super().forward_log_det_jacobian(self._fresh(x), *args, **kwargs)

        def inverse_log_det_jacobian(self, y: Any, *args: Any, **kwargs: Any) -> Any:
            return super().inverse_log_det_jacobian(self._fresh(y), *args, **kwargs)

        def _fresh(self, value: Any) -> Any:
            value = tf.convert_to_tensor(value, dtype=self.dtype)
            return tf.identity(value) if tf.executing_eagerly() else value

        def _forward(self, z: Any, condition: Any = None) -> Any:
            lead = tf.shape(z)[: z.shape.rank - len(self._layer.code_shape)]
            x = self._layer.inverse(*self._rows(z, lead, self._layer.code_shape, condition))
            return tf.reshape(x, tf.concat([lead, self._layer.event_shape], 0))

        def _inverse(self, x: Any, condition: Any = None) -> Any:
            lead = tf.shape(x)[: x.shape.rank - len(self._layer.event_shape)]
            z, _ = self._layer.forward(*self._rows(x, lead, self._layer.event_shape, condition))
            return tf.reshape(z, tf.concat([lead, self._layer.code_shape], 0))

        def _inverse_log_det_jacobian(self, x: Any, condition: Any = None) -> Any:
            lead = tf.shape(x)[: x.shape.rank - len(self._layer.event_shape)]
            _, log_det = self._layer.forward(*self._rows(x, lead, self._layer.event_shape, condition))
            return tf.reshape(log_det, lead)

        def _rows(self, value: Any, lead: Any, shape: tuple[int, ...], condition: Any) -> tuple[Any, Any]:
            """(..., *shape) as (B, *shape), and the condition for each of these rows."""
            condition = self._condition if condition is None else condition
            if condition is not None:
                condition = tf.convert_to_tensor(condition)
                width = condition.shape[-1]
                condition = tf.reshape(tf.broadcast_to(condition, tf.concat([lead, [width]], 0)), (-1, width))
            return tf.reshape(value, (-1, *shape)), condition

        def _forward_event_shape(self, shape: Any) -> Any:
            return shape[: len(shape) - len(self._layer.code_shape)].concatenate(self._layer.event_shape)

        def _inverse_event_shape(self, shape: Any) -> Any:
            return shape[: len(shape) - len(self._layer.event_shape)].concatenate(self._layer.code_shape)

        def _forward_event_shape_tensor(self, shape: Any) -> Any:
            return tf.concat([shape[: tf.size(shape) - len(self._layer.code_shape)], self._layer.event_shape], 0)

        def _inverse_event_shape_tensor(self, shape: Any) -> Any:
            return tf.concat([shape[: tf.size(shape) - len(self._layer.event_shape)], self._layer.code_shape], 0)

    return FlowBijector
