"""Linear regression: gradient descent through compile and fit, and the closed forms."""

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.ops.regression import lasso, minimum_norm_solution, ordinary_least_squares, ridge

METHODS = ("ordinary_least_squares", "ridge", "pseudo_inverse", "lasso")


@register("LinearRegression")
class LinearRegression(Model):
    """Mean of a Gaussian, linear in the input.

    y_hat = x W + b

    J(W, b)        = 1/(2m) sum_i |y_hat_i - y_i|^2          compile(loss=HalfSquaredLoss()), fit
    ordinary       W = (X^T X)^-1 X^T y
    ridge          W = argmin 1/n |X W - y|^2 + alpha/2 |W|^2
    pseudo_inverse W = X^+ y, the solution of least norm
    lasso          W = argmin 1/n |X W - y|^2 + alpha |W|_1

    W has one column an output (the notes write W^T h with a column h). The penalties leave the bias alone: the closed
    forms centre X and y, solve without a bias, and put b = mean(y) - mean(x) W.

    Args:
        features: int, number of inputs.
        outputs: int, number of targets.
        use_bias: bool, whether there is a b.
        initializer: start of W; None is Glorot uniform from `seed`. b starts at zero.
        seed: int, root of the random start.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, outputs).

    Raises:
        ValueError: for sizes below 1 or a shape that does not fit.

    Example:
        >>> x, y = ops.array([[1.0], [2.0], [3.0]]), ops.array([[1.0], [2.0], [3.0]])
        >>> model = LinearRegression(1, use_bias=False).solve(x, y)
        >>> round(float(model.kernel[0, 0]), 6)
        1.0

    Source: C 2.3, 4.3, 6.2.1, 6.3.
    """

    def __init__(self, features, outputs=1, use_bias=True, initializer=None, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("LinearRegression", features=features, outputs=outputs)
        self.features = features
        self.output_width = outputs
        self.use_bias = use_bias
        self.initializer = keras.initializers.get(initializer)
        start = self.initializer or keras.initializers.GlorotUniform(seed=derive_seed(seed, "kernel"))
        self.kernel = self.add_weight(shape=(features, outputs), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(outputs,), initializer="zeros", name="bias") if use_bias else None
        self.build((None, features))

    def build(self, input_shape):
        self._require_input(input_shape)
        self.built = True

    def call(self, inputs):
        self._require_input(inputs.shape)
        outputs = ops.matmul(inputs, self.kernel)  # (B, outputs)
        return outputs + self.bias if self.use_bias else outputs

    def solution(self, x, y, method="ordinary_least_squares", alpha=None):
        """The closed form, as numbers: assigns nothing.

        Args:
            x: array or tensor (N, features).
            y: array or tensor (N, outputs), or (N,) for one output.
            method: "ordinary_least_squares", "ridge", "pseudo_inverse" or "lasso".
            alpha: float, penalty of ridge (> 0) and lasso (>= 0); the other two take none.

        Returns:
            Tuple of kernel (features, outputs) and bias (outputs,), which is zero without a bias: computed in float64,
            returned in the dtype of the model's weights.

        Raises:
            ValueError: for another method, an alpha that is missing or superfluous, or shapes that do not fit.

        Source: C 6.2.1, 6.3.
        """
        require_one_of("LinearRegression.solve", METHODS, method=method)
        penalised = method in ("ridge", "lasso")
        if penalised != (alpha is not None):
            raise ValueError(
                "LinearRegression.solve needs alpha for ridge and lasso alone. "
                f"Received: method={method!r}, alpha={alpha}"
            )
        x, y = ops.cast(x, "float64"), ops.cast(y, "float64")
        y = y[:, None] if len(y.shape) == 1 else y
        require_rank("LinearRegression.solve", x.shape, 2)
        require_features("LinearRegression.solve", x.shape, self.features)
        require_features("LinearRegression.solve", y.shape, self.output_width)

        mean_x = ops.mean(x, axis=0, keepdims=True) if self.use_bias else ops.zeros_like(x[:1])
        mean_y = ops.mean(y, axis=0, keepdims=True) if self.use_bias else ops.zeros_like(y[:1])
        x, y = x - mean_x, y - mean_y
        if method == "ordinary_least_squares":
            kernel = ordinary_least_squares(x, y)
        elif method == "pseudo_inverse":
            kernel = minimum_norm_solution(x, y)
        elif method == "ridge":
            kernel = ridge(x, y, alpha)
        else:
            kernel = tf.function(lambda x, y: lasso(x, y, alpha))(x, y)  # a thousand steps in one graph
        bias = (mean_y - ops.matmul(mean_x, kernel))[0]
        return ops.cast(kernel, self.variable_dtype), ops.cast(bias, self.variable_dtype)

    def solve(self, x, y, method="ordinary_least_squares", alpha=None):
        """Sets the weights to a closed form; arguments and errors as `solution`.

        Returns:
            The model itself.
        """
        kernel, bias = self.solution(x, y, method, alpha)
        self.kernel.assign(kernel)
        if self.use_bias:
            self.bias.assign(bias)
        return self

    def _require_input(self, shape):
        require_rank("LinearRegression", shape, 2)
        require_features("LinearRegression", shape, self.features)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_width)

    def get_config(self):
        return {
            **super().get_config(),
            "features": self.features,
            "outputs": self.output_width,
            "use_bias": self.use_bias,
            "initializer": keras.initializers.serialize(self.initializer) if self.initializer else None,
        }
