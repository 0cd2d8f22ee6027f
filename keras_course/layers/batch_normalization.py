"""Batch normalization, with moving averages or with global statistics fixed in a final pass."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.normalization import batch_moments, standardize

__all__ = ["BatchNormalization"]


@register("BatchNormalization")
class BatchNormalization(keras.layers.Layer):
    """Normalizes each unit by the statistics of the mini-batch in training, of the whole training set afterwards.

    training:   y = gamma (x - m_batch) / sqrt(v_batch + epsilon) + beta
    afterwards: y = gamma (x - m_global) / sqrt(v_global + epsilon) + beta

    Where the global statistics come from is a choice:
        moving averages, during training:  m_global <- momentum m_global + (1 - momentum) m_batch, and so v_global
        two phases, as the notes have it:  `callbacks.GlobalStatistics`, or `callbacks.fix_global_statistics`, sends the
            whole training set through and stores its mean and variance, from the first such layer to the last

    Backpropagation goes through m_batch and v_batch. The variance is the biased one (1/N). The notes print no gamma,
    beta and epsilon: `BatchNormalization(center=False, scale=False, epsilon=0)`. A batch without examples, or wholly
    masked, leaves the moving averages as they are. Weights are those of keras.layers.BatchNormalization, in the same
    order, and the numbers are its numbers.

    Under a tf.distribute strategy each replica normalizes its own part of the batch, as in Keras, and the moving
    averages are the mean of the replicas' (in Keras the first replica's); with `synchronized` both are of the global
    batch.

    Args:
        axis: int, the axis of the units (-1: channels last).
        momentum: float in [0, 1), share of the past in the moving averages.
        epsilon: float >= 0, added to the variance.
        center: bool, whether there is a beta.
        scale: bool, whether there is a gamma.
        beta_initializer, gamma_initializer: start of beta and gamma.
        moving_mean_initializer, moving_variance_initializer: start of the moving averages.
        beta_regularizer, gamma_regularizer: penalties on them.
        beta_constraint, gamma_constraint: projections after each step.
        synchronized: bool, whether replicas share the statistics of the global batch.
        **kwargs: as keras.layers.Layer. `trainable=False` also freezes the statistics: the layer then uses the global
            ones in training too.

    Input shape:
        (batch, ...), at least rank 2. A mask (batch, time) passes through, and masked steps do not count.

    Output shape:
        That of the input.

    Raises:
        ValueError: for a momentum or epsilon out of range, rank below 2, or an axis that does not exist or is unknown.

    Example:
        >>> layer = BatchNormalization(epsilon=0.0)
        >>> ops.convert_to_numpy(layer(ops.array([[1.0], [5.0]]), training=True)).tolist()
        [[-1.0], [1.0]]

    Source: C 7.7; Ioffe and Szegedy 2015.
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ValueError(f"BatchNormalization needs one integer axis. Received: axis={axis!r}")
        if not 0 <= momentum < 1:
            raise ValueError(f"BatchNormalization needs momentum in [0, 1). Received: momentum={momentum}")
        if not 0 <= epsilon < float("inf"):
            raise ValueError(f"BatchNormalization needs epsilon >= 0. Received: epsilon={epsilon}")
        self.axis = axis
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.moving_mean_initializer = keras.initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = keras.initializers.get(moving_variance_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        self._require_units(input_shape)
        shape = (input_shape[self.axis],)
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
        # Keras's own layer lets each replica keep averages of its own, of which a file holds the first one's.
        statistics = {"shape": shape, "trainable": False, "autocast": False, "aggregation": "mean"}
        self.moving_mean = self.add_weight(name="moving_mean", initializer=self.moving_mean_initializer, **statistics)
        self.moving_variance = self.add_weight(
            name="moving_variance", initializer=self.moving_variance_initializer, **statistics
        )
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape), axes={self.axis: input_shape[self.axis]})
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))  # squares overflow float16
        global_mean, global_variance = ops.cast(self.moving_mean, x.dtype), ops.cast(self.moving_variance, x.dtype)
        mean, variance = global_mean, global_variance
        if training and self.trainable:
            count, mean, variance = batch_moments(x, self.axis, mask, self.synchronized)  # (U,)
            seen = count > 0
            mean, variance = ops.where(seen, mean, global_mean), ops.where(seen, variance, global_variance)
            self.moving_mean.assign(global_mean * self.momentum + mean * (1.0 - self.momentum))
            self.moving_variance.assign(global_variance * self.momentum + variance * (1.0 - self.momentum))
        outputs = standardize(x, mean, variance, self.gamma, self.beta, self.epsilon, self.axis)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._require_units(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": keras.initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": keras.initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
        }

    def _require_units(self, input_shape: Any) -> None:
        rank = len(input_shape)
        fits = rank >= 2 and -rank <= self.axis < rank and self.axis % rank != 0
        if not fits or input_shape[self.axis] is None:
            raise ValueError(
                "BatchNormalization expects an input of rank 2 or more, whose axis of units exists, is not the batch "
                f"axis and has a known size. Received: input_shape={tuple(input_shape)}, axis={self.axis}"
            )
