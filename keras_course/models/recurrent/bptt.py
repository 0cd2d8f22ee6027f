"""A simple recurrent network whose training step is back-propagation through time, written out by hand.

h_t = f(x_t U + h_{t-1} W + b),   o_t = g(h_t V + c),   L = sum_t |y_t - o_t|^2

delta_t = (-2 (y_t - o_t) g' V^T + delta_{t+1} W^T) f'(a_t),   dL/dW = sum_t h_{t-1}^T delta_t
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int, require_rank
from keras_course.layers.recurrent import RNN
from keras_course.ops.bptt import TimeGradients, backprop_through_time
from keras_course.ops.recurrence import WRITTEN_OUT

__all__ = ["BackpropThroughTime"]


@register("BackpropThroughTime")
class BackpropThroughTime(Model):
    """Trains an RNN without automatic differentiation, by the recursion over the copies W^(t).

    L = sum_t |y_t - o_t|^2, its mean over the sequences of a batch is minimised by whatever optimizer is compiled

    The loss is part of the model, with neither 1/2 nor a mean over time, as the notes write it; compile an optimizer
    alone. A sample weight multiplies a sequence's errors.

    Args:
        features: int, width F of an input.
        outputs: int, width O of an output.
        units: int, width H of the state.
        activation: f, a name in `ops.recurrence.WRITTEN_OUT`.
        output_activation: g, likewise.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, T, features), T may be unknown.

    Output shape:
        (B, T, outputs). Targets have the same shape, or (B, T) for one output.

    Raises:
        ValueError: for a bad argument, a loss in compile, or shapes that do not fit.

    Example:
        >>> model = BackpropThroughTime(2, 1, units=3)
        >>> model.compile("sgd")
        >>> x, y = ops.ones((4, 5, 2)), ops.zeros((4, 5, 1))
        >>> losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
        >>> losses[-1] < losses[0]
        True

    Source: C 12.1, N Backpropagation, B; Werbos 1990.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        units: int = 16,
        activation: str = "tanh",
        output_activation: str = "tanh",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("BackpropThroughTime", features=features, outputs=outputs, units=units)
        require_one_of("BackpropThroughTime", WRITTEN_OUT, activation=activation)
        require_one_of("BackpropThroughTime", WRITTEN_OUT, output_activation=output_activation)
        self.features, self.output_units, self.units = int(features), int(outputs), int(units)
        self.activation, self.output_activation = activation, output_activation
        self.network = RNN(
            units,
            return_sequences=True,
            activation=activation,
            output_units=outputs,
            output_activation=output_activation,
            kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "kernel")),
            recurrent_initializer=keras.initializers.Orthogonal(seed=derive_seed(seed, "recurrent")),
            seed=derive_seed(seed, "network"),
            name="network",
            dtype=self.dtype_policy,
        )
        self.build((None, None, features))

    def build(self, input_shape: Any = None) -> None:
        self.network.build((None, None, self.features))
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: self.features})
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.network(inputs, training=training)

    def gradients(self, x: Any, y: Any, sample_weight: Any = None) -> TimeGradients:
        """Gradients of L summed over the batch, with those of every copy W^(t).

        Args:
            x: tensor (B, T, features).
            y: tensor (B, T, outputs).
            sample_weight: tensor (B,), or None.

        Returns:
            `ops.bptt.TimeGradients`.
        """
        cell = self.network.cell
        weights = (cell.kernel, cell.recurrent_kernel, cell.output_kernel, cell.bias, cell.output_bias)
        return backprop_through_time(
            x, y, *(ops.convert_to_tensor(weight) for weight in weights), activation=self.activation,
            output_activation=self.output_activation, sample_weight=sample_weight,
        )  # fmt: skip

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, **kwargs: Any) -> None:
        """As keras.Model.compile, without a loss: L is part of the model."""
        if loss is not None:
            raise ValueError(f"BackpropThroughTime has its own loss and takes none. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, loss=None, **kwargs)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, targets, sample_weight = self._sequences(data)

        found = self.gradients(x, targets, sample_weight)
        _, rows = self.share_of_batch(ops.shape(x)[0])
        count = ops.cast(rows, found.W.dtype)

        cell = self.network.cell
        variables = [cell.kernel, cell.recurrent_kernel, cell.bias, cell.output_kernel, cell.output_bias]
        gradients = [found.U, found.W, found.b, found.V, found.c]
        self.optimizer.apply([gradient / count for gradient in gradients], variables)

        return self._count(x, y, found.outputs, found.loss, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y, targets, sample_weight = self._sequences(data)
        o = self(x, training=False)
        loss = ops.sum((ops.cast(targets, o.dtype) - o) ** 2, axis=(1, 2))
        return self._count(x, y, o, loss if sample_weight is None else loss * sample_weight, sample_weight)

    def _sequences(self, data: Any) -> tuple[Any, Any, Any, Any]:
        """x and y as they came, targets (B, T, O), weights (B,) or None."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError("BackpropThroughTime learns from targets. Received: y=None")
        x = ops.cast(x, self.variable_dtype)
        targets = ops.cast(y, self.variable_dtype)
        if len(targets.shape) == 2 and self.output_units == 1:
            targets = targets[:, :, None]
        require_rank("BackpropThroughTime", targets.shape, 3)
        if sample_weight is not None:
            sample_weight = ops.cast(ops.reshape(sample_weight, (-1,)), x.dtype)
        return x, y, targets, sample_weight

    def _count(self, x: Any, y: Any, o: Any, loss: Any, sample_weight: Any) -> dict[str, Any]:
        for metric in self.metrics:
            if metric.name == "loss":  # Keras's own tracker of the loss
                metric.update_state(loss)
        o = o[:, :, 0] if len(y.shape) == 2 else o
        return self.compute_metrics(x, y, o, sample_weight)  # type: ignore[no-any-return]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.output_units)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default`: outputs of sequences of any length."""
        sequences = keras.InputSpec(shape=(None, None, self.features), dtype=self.input_dtype, name="inputs")
        return {"serving_default": (lambda inputs: self(inputs, training=False), [sequences])}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "outputs": self.output_units,
            "units": self.units,
            "activation": self.activation,
            "output_activation": self.output_activation,
        }
