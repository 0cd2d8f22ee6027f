"""Logistic regression: a Bernoulli output unit over a linear score."""

import keras
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank


@register("LogisticRegression")
class LogisticRegression(Model):
    """Probability of a class, from a linear score.

    z = w . x + b                                        the logit: what the model returns
    P(y | x) = sigmoid((2y - 1) z),  y in {0, 1}
    J = -log P(y | x) = softplus((1 - 2y) z)             = log(1 + exp(-t z)) for labels t = 2y - 1

    The model returns z, never sigmoid(z): the loss needs the logit, for log(sigmoid(z)) is -inf once sigmoid(z) has
    rounded to 0. Use `LogisticLoss` for labels -1 and +1, Keras's BinaryCrossentropy(from_logits=True) for 0 and 1.

    Args:
        features: int, number of inputs.
        use_bias: bool, whether there is a b.
        initializer: start of w; None is Glorot uniform from `seed`. b starts at zero.
        seed: int, root of the random start.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, 1), logits.

    Raises:
        ValueError: for features < 1 or a shape that does not fit.

    Example:
        >>> model = LogisticRegression(2, initializer="ones")
        >>> float(model.probability(keras.ops.array([[1.0, -1.0]]))[0, 0])
        0.5

    Source: C 4.3; S 9.3.
    """

    def __init__(self, features, use_bias=True, initializer=None, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("LogisticRegression", features=features)
        self.features = features
        self.use_bias = use_bias
        self.initializer = keras.initializers.get(initializer)
        start = self.initializer or keras.initializers.GlorotUniform(seed=derive_seed(seed, "kernel"))
        self.kernel = self.add_weight(shape=(features, 1), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias") if use_bias else None
        self.build((None, features))

    def build(self, input_shape):
        self._require_input(input_shape)
        self.built = True

    def call(self, inputs):
        self._require_input(inputs.shape)
        logits = ops.matmul(inputs, self.kernel)  # (B, 1)
        return logits + self.bias if self.use_bias else logits

    def probability(self, x):
        """P(y = 1 | x) = sigmoid(z).

        Args:
            x: tensor or array (B, features).

        Returns:
            Tensor (B, 1) in [0, 1].
        """
        return ops.sigmoid(self(x, training=False))

    def most_probable(self, x):
        """The class of larger probability: 1 where z > 0.

        Args:
            x: tensor or array (B, features).

        Returns:
            int32 tensor (B,), 0 or 1.
        """
        return ops.cast(self(x, training=False)[:, 0] > 0, "int32")

    def endpoints(self):
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (self.probability, [points]),
            "logits": (lambda x: self(x, training=False), [points]),
            "class": (self.most_probable, [points]),
        }

    def _require_input(self, shape):
        require_rank("LogisticRegression", shape, 2)
        require_features("LogisticRegression", shape, self.features)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)

    def get_config(self):
        return {
            **super().get_config(),
            "features": self.features,
            "use_bias": self.use_bias,
            "initializer": keras.initializers.serialize(self.initializer) if self.initializer else None,
        }
