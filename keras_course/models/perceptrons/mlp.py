"""The multilayer perceptron: affine maps and activations in a chain."""

import keras
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.ops import activations as course_activations

_OURS = "keras_course.ops.activations:"


@register("MLP")
class MLP(Model):
    """A feed-forward network of any depth.

    h^(0) = x
    h^(l) = g(h^(l-1) W^(l) + b^(l)),   l = 1 ... L-1
    y     = g_out(h^(L-1) W^(L) + b^(L))

    A sample is a row here and W^(l) has shape (inputs, units), as Keras kernels have; the notes print matrices that act
    on columns, so that a printed W is the kernel W^T (the XOR network of C 4.1: kernel = transpose(W)).

    Args:
        features: int, number of inputs.
        units: sequence of ints, widths of all layers in order, the output layer last; one entry is a linear model.
        activation: g of the hidden layers: a name or object as Keras takes it, or a function of
            `keras_course.ops.activations`.
        output_activation: g_out; None leaves the output linear (logits).
        use_bias: bool, whether the layers have a b.
        seed: int, root of the random start: layer l's kernel is Glorot uniform from (seed, l).
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, units[-1]).

    Raises:
        ValueError: for no layers, widths below 1, an unknown activation, or a shape that does not fit.

    Example:
        >>> model = MLP(2, (2, 1))
        >>> model.set_layer_weights([([[1, 1], [1, 1]], [0, -1]), ([[1], [-2]], [0])])
        >>> model(keras.ops.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).numpy().ravel().tolist()
        [0.0, 1.0, 1.0, 0.0]

    Source: C 4.1, 4.5; S 9.1.
    """

    def __init__(self, features, units, activation="relu", output_activation=None, use_bias=True, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("MLP", features=features)
        if isinstance(units, int | str) or len(tuple(units)) == 0:
            raise ValueError(f"MLP needs a sequence of layer widths, output last. Received: units={units!r}")
        for width in units:
            require_positive_int("MLP", units=width)
        self.features = features
        self.units = tuple(units)
        self.activation = _activation(activation)
        self.output_activation = _activation(output_activation)
        self.use_bias = use_bias
        self.dense = [
            keras.layers.Dense(
                width,
                activation=self.activation if level < len(self.units) else self.output_activation,
                use_bias=use_bias,
                kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "dense", level, "kernel")),
                dtype=self.dtype_policy,
                name=f"dense_{level}",
            )
            for level, width in enumerate(self.units, start=1)
        ]
        self.build((None, features))

    def build(self, input_shape):
        self._require_input(input_shape)
        inputs = self.features
        for layer, width in zip(self.dense, self.units, strict=True):
            if not layer.built:
                layer.build((None, inputs))
            inputs = width
        self.built = True

    def call(self, inputs):
        self._require_input(inputs.shape)
        h = inputs
        for layer in self.dense:
            h = layer(h)  # (B, units of this layer)
        return h

    def hidden(self, x):
        """The representations between input and output.

        Args:
            x: tensor or array (B, features).

        Returns:
            List of h^(1) ... h^(L-1), tensors (B, units[l]); empty for a network of one layer.

        Source: C 4.1: in the XOR network h^(1) is where the four points become linearly separable.
        """
        representations = []
        h = ops.convert_to_tensor(x, dtype=self.compute_dtype)
        for layer in self.dense[:-1]:
            h = layer(h)
            representations.append(h)
        return representations

    def set_layer_weights(self, weights):
        """Sets all weights, layer by layer.

        Args:
            weights: a sequence of (kernel (inputs, units), bias (units,)) pairs, or of kernels without a bias.

        Raises:
            ValueError: if their number or shapes do not fit.
        """
        if len(weights) != len(self.dense):
            raise ValueError(f"MLP has {len(self.dense)} layers. Received: weights of {len(weights)} layers")
        for layer, values in zip(self.dense, weights, strict=True):
            pair = values if self.use_bias else (values,)
            layer.set_weights([ops.convert_to_numpy(value) for value in pair])

    def _require_input(self, shape):
        require_rank("MLP", shape, 2)
        require_features("MLP", shape, self.features)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "features": self.features,
            "units": list(self.units),
            "activation": _activation_config(self.activation),
            "output_activation": _activation_config(self.output_activation),
            "use_bias": self.use_bias,
        }


def _activation(identifier):
    if isinstance(identifier, str) and identifier.startswith(_OURS):
        return getattr(course_activations, identifier.removeprefix(_OURS))
    return keras.activations.get(identifier)


def _activation_config(function):
    # Keras writes a function by its bare name and would read our leaky_relu back as its own, of another slope.
    if getattr(course_activations, getattr(function, "__name__", ""), None) is function:
        return _OURS + function.__name__
    return keras.activations.serialize(function)
