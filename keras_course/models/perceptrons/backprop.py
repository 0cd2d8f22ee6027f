"""A multilayer perceptron whose training step is the delta recursion, written out by hand."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.models.perceptrons.replicas import gather_over_replicas, own_part, sum_over_replicas


@register("BackpropMLP")
class BackpropMLP(Model):
    """Sigmoid units trained by back-propagation, without automatic differentiation.

    y^(0) = x,  y^(l) = sigmoid([1, y^(l-1)] W^(l)),  z = y^(L)
    E = 1/(2cN) sum_s sum_k (t_k - z_k)^2

    delta^(L) = z (1 - z) (t - z)
    delta^(l) = y^(l) (1 - y^(l)) (delta^(l+1) W^(l+1)^T without its bias row)
    dE/dW^(l) = -1/(cN) [1, y^(l-1)]^T delta^(l)

    update="batch":  W <- W - eta dE/dW, N the samples of the batch: batch gradient descent with batch_size = all,
                     mini-batch gradient descent otherwise
    update="online": for each sample in turn W <- W + eta delta y, as the notes' stochastic algorithm prints it, WITHOUT
                     the factor 1/c; so its eta is c times smaller for the same step

    The bias is the weight of a unit x_0 = 1: row 0 of every matrix. No optimizer is used: `compile()` needs no
    arguments. A sample weight s multiplies a sample's delta; N stays the number of samples.

    Args:
        features: int, number d of inputs.
        units: sequence of ints, widths of the hidden layers and, last, the number c of outputs.
        learning_rate: float > 0, eta.
        update: "batch" or "online".
        seed: int, root of the start: all weights uniform in (-0.5, 0.5).
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, units[-1]), values in (0, 1). Targets have the same shape, or are integer classes (B,), which stand for
        their one-hot vectors; a class out of range makes the loss NaN.

    Raises:
        ValueError: for sizes below 1, a learning rate that is not positive, another update, or shapes that do not fit.

    Example:
        >>> model = BackpropMLP(2, (3, 1), learning_rate=0.5, update="online")
        >>> model.compile()
        >>> x, t = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0], [0.0]])
        >>> history = model.fit(x, t, epochs=20, verbose=0).history["loss"]
        >>> history[-1] < history[0]
        True

    Source: C 5.1, 5.1.1, 5.1.2; S 9.1.
    """

    def __init__(self, features, units, learning_rate=1.0, update="batch", seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("BackpropMLP", features=features)
        if isinstance(units, int | str) or len(tuple(units)) == 0:
            raise ValueError(f"BackpropMLP needs a sequence of layer widths, output last. Received: units={units!r}")
        for width in units:
            require_positive_int("BackpropMLP", units=width)
        if not learning_rate > 0:
            raise ValueError(f"BackpropMLP needs learning_rate > 0. Received: learning_rate={learning_rate!r}")
        require_one_of("BackpropMLP", ("batch", "online"), update=update)
        self.features = features
        self.units = tuple(units)
        self.learning_rate = learning_rate
        self.update = update
        self.matrices = [
            self.add_weight(
                shape=(1 + inputs, outputs),
                initializer=keras.initializers.RandomUniform(-0.5, 0.5, seed=derive_seed(seed, "matrix", level)),
                name=f"matrix_{level}",
                aggregation="only_first_replica",
            )
            for level, (inputs, outputs) in enumerate(zip((features, *self.units[:-1]), self.units, strict=True), 1)
        ]
        self.build((None, features))

    def build(self, input_shape):
        require_rank("BackpropMLP", input_shape, 2)
        require_features("BackpropMLP", input_shape, self.features)
        self.built = True

    def call(self, inputs):
        return self.forward(inputs)[-1]

    def forward(self, x, matrices=None):
        """Presents samples to the net.

        Args:
            x: tensor or array (B, features).
            matrices: list of tensors (1 + inputs, units), bias row first; None takes the model's own.

        Returns:
            List [x, y^(1), ..., z] of tensors (B, width): the outputs of all layers, input first, without x_0.
        """
        matrices = self.matrices if matrices is None else matrices
        activations = [self._floating(x)]
        for matrix in matrices:
            net = ops.matmul(activations[-1], matrix[1:]) + matrix[0]  # (B, units)
            activations.append(ops.sigmoid(net))
        return activations

    def deltas(self, activations, t, matrices=None, sample_weight=None):
        """The error terms, from the last layer to the first; -c N dE/dnet of each unit.

        delta_k = z_k (1 - z_k) (t_k - z_k),   delta_j = y_j (1 - y_j) sum_k w_kj delta_k

        Args:
            activations: list [x, y^(1), ..., z] from `forward`.
            t: tensor (B, units[-1]), targets.
            matrices: as in `forward`.
            sample_weight: tensor (B,) that multiplies each sample's deltas, or None.

        Returns:
            List [delta^(1), ..., delta^(L)] of tensors (B, units), first layer first.
        """
        matrices = self.matrices if matrices is None else matrices
        z = activations[-1]
        difference = ops.cast(t, z.dtype) - z
        if sample_weight is not None:
            difference = difference * sample_weight[:, None]
        deltas = [z * (1 - z) * difference]
        for y, matrix in zip(reversed(activations[1:-1]), reversed(matrices[1:]), strict=True):
            deltas.insert(0, y * (1 - y) * ops.matmul(deltas[0], ops.transpose(matrix[1:])))
        return deltas

    def weight_changes(self, activations, deltas):
        """Delta w_kj = sum over the samples of delta_k y_j, with y_0 = 1.

        Args:
            activations: list from `forward`.
            deltas: list from `deltas`.

        Returns:
            List of tensors (1 + inputs, units), shaped as the matrices; add them times eta.
        """
        return [
            ops.concatenate([ops.sum(delta, axis=0, keepdims=True), ops.matmul(ops.transpose(y), delta)], axis=0)
            for y, delta in zip(activations[:-1], deltas, strict=True)
        ]

    def gradients(self, activations, deltas):
        """dE/dW = -1/(cN) times `weight_changes`; the same arguments and shapes."""
        count = ops.cast(ops.shape(activations[0])[0] * self.units[-1], activations[0].dtype)
        return [-change / count for change in self.weight_changes(activations, deltas)]

    def error(self, z, t):
        """E of each sample, 1/(2c) sum_k (t_k - z_k)^2; their mean is E.

        Args:
            z: tensor (B, units[-1]), outputs.
            t: tensor (B, units[-1]), targets.

        Returns:
            Tensor (B,).
        """
        return ops.mean((ops.cast(t, z.dtype) - z) ** 2, axis=-1) / 2

    def online_pass(self, x, t, sample_weight=None, matrices=None):
        """The notes' stochastic algorithm: one update a sample, in the order given.

        Args:
            x: tensor (B, features).
            t: tensor (B, units[-1]).
            sample_weight: tensor (B,) or None.
            matrices: as in `forward`.

        Returns:
            Tuple of the new matrices (a list) and z (B, units[-1]), each row as it was before its own update.
        """
        matrices = [ops.convert_to_tensor(matrix) for matrix in (self.matrices if matrices is None else matrices)]
        weight = ops.ones_like(x[:, 0]) if sample_weight is None else sample_weight
        size = ops.shape(x)[0]

        def step(i, matrices, outputs):
            sample = slice(i, i + 1)
            activations = self.forward(x[sample], matrices)
            deltas = self.deltas(activations, t[sample], matrices, weight[sample])
            changes = self.weight_changes(activations, deltas)
            moved = [w + self.learning_rate * change for w, change in zip(matrices, changes, strict=True)]
            return i + 1, moved, outputs.write(i, activations[-1][0])

        outputs = tf.TensorArray(matrices[-1].dtype, size, element_shape=(self.units[-1],))
        _, matrices, outputs = tf.while_loop(lambda i, *_: i < size, step, (0, matrices, outputs))
        return matrices, outputs.stack()

    def compile(self, optimizer=None, loss=None, **kwargs):
        """As keras.Model.compile, without optimizer and loss: E and its gradient step are part of the model."""
        if optimizer is not None or loss is not None:
            raise ValueError(
                "BackpropMLP minimises E by its own gradient steps and takes no optimizer and no loss. "
                f"Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        super().compile(optimizer=None, loss=None, **kwargs)

    def train_step(self, data):
        x, y, t, sample_weight = self._samples(data)

        if self.update == "online":
            gathered = gather_over_replicas((x, t, sample_weight))
            matrices, z = self.online_pass(*gathered)
            z = own_part(z, ops.shape(x)[0])
        else:
            activations = self.forward(x)
            z = activations[-1]
            deltas = self.deltas(activations, t, sample_weight=sample_weight)
            changes = sum_over_replicas(self.weight_changes(activations, deltas))
            (count,) = sum_over_replicas([ops.cast(ops.shape(x)[0] * self.units[-1], z.dtype)])
            rate = self.learning_rate / count
            matrices = [w + rate * change for w, change in zip(self.matrices, changes, strict=True)]

        for matrix, moved in zip(self.matrices, matrices, strict=True):
            matrix.assign(moved)

        return self._count(z, x, y, t, sample_weight)

    def test_step(self, data):
        x, y, t, sample_weight = self._samples(data)
        return self._count(self.forward(x)[-1], x, y, t, sample_weight)

    def _samples(self, data):
        """Unpacks a batch into floating x (B, d), y as it came, targets t (B, c) and weights (B,)."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError("BackpropMLP learns from targets. Received: y=None")
        x = ops.cast(self._floating(x), self.variable_dtype)
        t = self.targets(y)
        if sample_weight is None:
            return x, y, t, ops.ones_like(x[:, 0])
        if len(sample_weight.shape) > 2 or (len(sample_weight.shape) == 2 and sample_weight.shape[1] != 1):
            raise ValueError(f"BackpropMLP needs one weight a sample. Received: shape={tuple(sample_weight.shape)}")
        return x, y, t, ops.cast(ops.reshape(sample_weight, (-1,)), x.dtype)

    def targets(self, y):
        """Target vectors t: y itself, or the one-hot vectors of integer classes (NaN for a class out of range).

        Args:
            y: tensor or array (B, units[-1]), or (B,): integer classes, or the targets of a single output.

        Returns:
            Tensor (B, units[-1]).
        """
        y = ops.convert_to_tensor(y)
        outputs = self.units[-1]
        if len(y.shape) == 2 and y.shape[1] == outputs:
            return ops.cast(y, self.variable_dtype)
        if len(y.shape) == 1 and outputs == 1:
            return ops.cast(y, self.variable_dtype)[:, None]
        if len(y.shape) == 1 and keras.backend.is_int_dtype(y.dtype):
            known = ops.logical_and(y >= 0, y < outputs)[:, None]
            one_hot = ops.one_hot(y, outputs, dtype=self.variable_dtype)
            return ops.where(known, one_hot, ops.full_like(one_hot, np.nan))
        raise ValueError(
            f"BackpropMLP needs targets (B, {outputs}) or integer classes (B,). "
            f"Received: y of shape {tuple(y.shape)} and dtype {keras.backend.standardize_dtype(y.dtype)}"
        )

    def _floating(self, x):
        x = ops.convert_to_tensor(x)
        require_rank("BackpropMLP", x.shape, 2)
        require_features("BackpropMLP", x.shape, self.features)
        return x if keras.backend.is_float_dtype(x.dtype) else ops.cast(x, self.variable_dtype)

    def _count(self, z, x, y, t, sample_weight):
        for metric in self.metrics:
            if metric.name == "loss":  # Keras's own tracker of the loss
                metric.update_state(self.error(z, t) * sample_weight)
        return self.compute_metrics(x, y, z, sample_weight)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "features": self.features,
            "units": list(self.units),
            "learning_rate": self.learning_rate,
            "update": self.update,
        }
