"""Softmax regression: a multinoulli output unit over linear scores."""

import keras
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank


@register("SoftmaxRegression")
class SoftmaxRegression(Model):
    """Probabilities of several classes, from one linear score each.

    z = x W + b                                          the logits: what the model returns
    P(y = k | x) = exp(z_k) / sum_j exp(z_j)
    J = -log P(y | x) = log sum_j exp(z_j) - z_y         (the notes print it once without the minus)

    The model returns z; `SoftmaxLoss` takes it from there by log-sum-exp. One score too many is kept: adding a constant
    to all columns of W changes no probability.

    Args:
        features: int, number of inputs.
        classes: int >= 2, number of classes.
        use_bias: bool, whether there is a b.
        initializer: start of W; None is Glorot uniform from `seed`. b starts at zero.
        seed: int, root of the random start.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, classes), logits.

    Raises:
        ValueError: for features < 1, classes < 2 or a shape that does not fit.

    Example:
        >>> model = SoftmaxRegression(2, 4, initializer="zeros")
        >>> model.probabilities(keras.ops.ones((1, 2))).numpy().tolist()
        [[0.25, 0.25, 0.25, 0.25]]

    Source: C 4.3; S 9.3.
    """

    def __init__(self, features, classes, use_bias=True, initializer=None, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("SoftmaxRegression", features=features, classes=classes)
        if classes < 2:
            raise ValueError(f"SoftmaxRegression needs at least 2 classes. Received: classes={classes}")
        self.features = features
        self.classes = classes
        self.use_bias = use_bias
        self.initializer = keras.initializers.get(initializer)
        start = self.initializer or keras.initializers.GlorotUniform(seed=derive_seed(seed, "kernel"))
        self.kernel = self.add_weight(shape=(features, classes), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(classes,), initializer="zeros", name="bias") if use_bias else None
        self.build((None, features))

    def build(self, input_shape):
        self._require_input(input_shape)
        self.built = True

    def call(self, inputs):
        self._require_input(inputs.shape)
        logits = ops.matmul(inputs, self.kernel)  # (B, classes)
        return logits + self.bias if self.use_bias else logits

    def probabilities(self, x):
        """softmax(z), one row a sample.

        Args:
            x: tensor or array (B, features).

        Returns:
            Tensor (B, classes), rows sum to 1.
        """
        return ops.softmax(self(x, training=False), axis=-1)

    def most_probable(self, x):
        """The class of largest probability, the first of equals.

        Args:
            x: tensor or array (B, features).

        Returns:
            int32 tensor (B,).
        """
        return ops.cast(ops.argmax(self(x, training=False), axis=-1), "int32")

    def endpoints(self):
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (self.probabilities, [points]),
            "logits": (lambda x: self(x, training=False), [points]),
            "class": (self.most_probable, [points]),
        }

    def _require_input(self, shape):
        require_rank("SoftmaxRegression", shape, 2)
        require_features("SoftmaxRegression", shape, self.features)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.classes)

    def get_config(self):
        return {
            **super().get_config(),
            "features": self.features,
            "classes": self.classes,
            "use_bias": self.use_bias,
            "initializer": keras.initializers.serialize(self.initializer) if self.initializer else None,
        }
