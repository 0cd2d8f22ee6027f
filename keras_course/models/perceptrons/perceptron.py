"""The perceptron: one sign unit that learns from its mistakes alone."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.models.perceptrons.replicas import gather_over_replicas, own_part


@register("Perceptron")
class Perceptron(Model):
    """A sign unit trained by the mistake-driven rule.

    net = w . x,  x = [1, x_1, ..., x_n],  w = [b, w_1, ..., w_n]
    o   = sign(net),  sign(0) = +1
    if o != t:  w <- w + eta (t - o) x                                  (t - o is 2t: a step of 2 eta t x)

    Labels are -1 and +1. Samples are presented one by one in the order of the batch, whatever the batch size; no
    gradient is taken and no optimizer used, so `compile()` needs no arguments. `fit` ends by itself after an epoch
    without a mistake, which comes after at most `mistake_bound` updates if a hyperplane separates the classes;
    otherwise it runs for the given epochs.

    A sample weight s scales the step to eta s (t - o) x; a sample of weight 0 is not presented.

    Args:
        features: int, number n of inputs.
        learning_rate: float > 0, eta. From w = 0 it scales w and changes no answer.
        use_bias: bool, whether x_0 = 1 is put before every sample.
        initializer: start of w; None is the notes' random start (normal, standard deviation 0.05, from `seed`). The
            mistake bound is stated for "zeros".
        seed: int, root of the random start.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B,), values -1 and +1.

    Raises:
        ValueError: for features < 1, a learning rate that is not positive, or a shape that does not fit.
        InvalidDataError: by `fit` and `evaluate`, if a label is neither -1 nor +1; such a sample moves no weight.

    Example:
        >>> model = Perceptron(2, initializer="zeros")
        >>> model.compile()
        >>> x, t = np.array([[2.0, 1.0], [-1.0, -2.0]]), np.array([1, -1])
        >>> history = model.fit(x, t, epochs=100, verbose=0)
        >>> len(history.epoch), model(x).numpy().tolist()
        (2, [1.0, -1.0])

    Source: C 1.2, 1.2.1; S 9.1.
    """

    def __init__(self, features, learning_rate=1.0, use_bias=True, initializer=None, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("Perceptron", features=features)
        if not learning_rate > 0:
            raise ValueError(f"Perceptron needs learning_rate > 0. Received: learning_rate={learning_rate!r}")
        self.features = features
        self.learning_rate = learning_rate
        self.use_bias = use_bias
        self.initializer = keras.initializers.get(initializer)
        start = self.initializer or keras.initializers.RandomNormal(0.0, 0.05, seed=derive_seed(seed, "w"))
        self.w = self.add_weight(
            shape=(features + use_bias,), initializer=start, name="w", aggregation="only_first_replica"
        )
        self.updates = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="updates",
            aggregation="only_first_replica",
        )  # fmt: skip
        self.mistakes = keras.metrics.Sum(name="mistakes")
        self.accuracy = keras.metrics.Mean(name="accuracy")
        self.build((None, features))

    def build(self, input_shape):
        require_rank("Perceptron", input_shape, 2)
        require_features("Perceptron", input_shape, self.features)
        self.built = True

    def call(self, inputs):
        return self.sign(self.net(inputs))

    def augment(self, x):
        """x' = [1, x], or x without a bias.

        Args:
            x: tensor or array (B, features).

        Returns:
            Floating tensor (B, features + 1), or (B, features) if `use_bias` is False.
        """
        x = ops.convert_to_tensor(x)
        require_rank("Perceptron", x.shape, 2)
        require_features("Perceptron", x.shape, self.features)
        if not keras.backend.is_float_dtype(x.dtype):
            x = ops.cast(x, self.variable_dtype)
        return ops.concatenate([ops.ones_like(x[:, :1]), x], axis=1) if self.use_bias else x

    def net(self, x):
        """net = w . [1, x].

        Args:
            x: tensor or array (B, features).

        Returns:
            Tensor (B,).
        """
        return ops.matmul(self.augment(x), self.w)

    @staticmethod
    def sign(net):
        """The step function, +1 for net >= 0 and -1 below: every sample gets one of the two classes."""
        return ops.where(net >= 0, ops.ones_like(net), -ops.ones_like(net))

    def update(self, w, x, t, sample_weight=1.0):
        """One presentation: w + eta (t - o) x, which is w itself where o = t.

        Args:
            w: tensor (features + 1,), the weights [b, w_1, ..., w_n].
            x: tensor (features + 1,), the sample [1, x_1, ..., x_n].
            t: scalar tensor of the dtype of w, -1 or +1.
            sample_weight: scalar, multiplies eta.

        Returns:
            Tuple of the new w and a scalar that is 1 if the unit was wrong, 0 if right, NaN if t is no label (then w
            stays).
        """
        error = t - self.sign(ops.sum(w * x))  # -2, 0 or +2
        label = ops.equal(ops.abs(t), 1)
        step = ops.where(label, self.learning_rate * sample_weight * error, ops.zeros_like(error))
        wrong = ops.where(label, ops.abs(error) / 2, ops.full_like(error, np.nan))
        return w + step * x, ops.where(sample_weight > 0, wrong, ops.zeros_like(wrong))

    def present(self, w, x, t, sample_weight=None):
        """One pass over the samples, in their order.

        Args:
            w: tensor (features + 1,).
            x: tensor (B, features + 1), augmented.
            t: tensor (B,), -1 and +1, of the dtype of w.
            sample_weight: tensor (B,) or None.

        Returns:
            Tuple of the last w and a tensor (B,): 1 for each sample that was wrong when presented, else 0.
        """
        weight = ops.ones_like(t) if sample_weight is None else sample_weight
        size = ops.shape(t)[0]

        def step(i, w, wrong):
            w, mistake = self.update(w, x[i], t[i], weight[i])
            return i + 1, w, wrong.write(i, mistake)

        start = (0, w, tf.TensorArray(w.dtype, size, element_shape=()))
        _, w, wrong = tf.while_loop(lambda i, *_: i < size, step, start)
        return w, wrong.stack()

    def mistake_bound(self, x, t, w=None):
        """The perceptron theorem: from w = 0, at most (R / gamma)^2 updates are ever made.

        R = max_i |[1, x_i]|,  gamma = min_i t_i (w / |w|) . [1, x_i]

        The notes leave out |w| = 1; without it ten times w would give a hundredth of the bound. Any separating w gives
        a true bound, the one of largest margin the smallest.

        Args:
            x: array or tensor (B, features).
            t: array or tensor (B,), -1 and +1.
            w: array or tensor (features + 1,), [b, w_1, ..., w_n]; None takes the model's own weights.

        Returns:
            Scalar tensor; infinite if w does not separate the samples.

        Source: C 1.2.1.
        """
        radius, margin = self.radius_and_margin(x, t, w)
        return ops.where(margin > 0, (radius / margin) ** 2, ops.full_like(margin, np.inf))

    def radius_and_margin(self, x, t, w=None):
        """R and gamma of `mistake_bound`, scalar tensors; the margin is negative if w separates nothing."""
        x = self.augment(x)
        w = ops.cast(ops.convert_to_tensor(self.w if w is None else w), x.dtype)
        margin = ops.min(ops.cast(t, x.dtype) * ops.matmul(x, w)) / ops.norm(w)
        return ops.max(ops.norm(x, axis=1)), margin

    def compile(self, optimizer=None, loss=None, **kwargs):
        """As keras.Model.compile, without optimizer and loss: the rule needs neither and would ignore them."""
        if optimizer is not None or loss is not None:
            raise ValueError(
                "Perceptron learns by its own rule and takes no optimizer and no loss. "
                f"Received: optimizer={optimizer!r}, loss={loss!r}"
            )
        super().compile(optimizer=None, loss=None, **kwargs)

    def fit(self, *args, callbacks=None, **kwargs):
        """As keras.Model.fit; ends after an epoch without a mistake."""
        return super().fit(*args, callbacks=_with_watch(callbacks), **kwargs)

    def evaluate(self, *args, callbacks=None, **kwargs):
        """As keras.Model.evaluate; `mistakes` counts the samples on the wrong side."""
        return super().evaluate(*args, callbacks=_with_watch(callbacks), **kwargs)

    def train_step(self, data):
        x, t, sample_weight = self._samples(data)

        w, wrong = self.present(ops.convert_to_tensor(self.w), *gather_over_replicas((x, t, sample_weight)))

        self.w.assign(w)
        self.updates.assign_add(ops.sum(ops.cast(ops.equal(wrong, 1), "int64")))

        return self._count(own_part(wrong, ops.shape(x)[0]), x, t, sample_weight)

    def test_step(self, data):
        x, t, sample_weight = self._samples(data)
        wrong = ops.abs(t - self.sign(ops.matmul(x, self.w))) / 2
        wrong = ops.where(ops.equal(ops.abs(t), 1), wrong, ops.full_like(wrong, np.nan))
        return self._count(wrong, x, t, sample_weight)

    def _samples(self, data):
        x, t, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if t is None:
            raise ValueError("Perceptron learns from labels -1 and +1. Received: y=None")
        x = ops.cast(self.augment(x), self.variable_dtype)  # (B, features + 1)
        t = self._one_a_sample(t, x, "y")
        weight = ops.ones_like(t) if sample_weight is None else self._one_a_sample(sample_weight, x, "sample_weight")
        return x, t, weight

    def _one_a_sample(self, values, x, name):
        if len(values.shape) > 2 or (len(values.shape) == 2 and values.shape[1] != 1):
            raise ValueError(f"Perceptron needs one {name} a sample. Received: {name} of shape {tuple(values.shape)}")
        return ops.cast(ops.reshape(values, (-1,)), x.dtype)  # (B,)

    def _count(self, wrong, x, t, sample_weight):
        wrong = ops.where(sample_weight > 0, wrong, ops.zeros_like(wrong))
        self.mistakes.update_state(wrong)
        self.accuracy.update_state(1 - wrong, sample_weight=sample_weight)
        for metric in self.metrics:
            if metric.name == "loss":  # Keras's tracker: the 0-1 loss
                metric.update_state(wrong * sample_weight)
        return self.compute_metrics(x, t, t * (1 - 2 * wrong), sample_weight)

    def endpoints(self):
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        return {"serving_default": (lambda x: self(x, training=False), [points]), "net": (self.net, [points])}

    def compute_output_shape(self, input_shape):
        return (input_shape[0],)

    def get_config(self):
        return {
            **super().get_config(),
            "features": self.features,
            "learning_rate": self.learning_rate,
            "use_bias": self.use_bias,
            "initializer": keras.initializers.serialize(self.initializer) if self.initializer else None,
        }


class _WatchMistakes(keras.callbacks.Callback):
    """Ends training after an epoch without a mistake; names labels that are none, which XLA cannot do in the step."""

    def on_epoch_end(self, epoch, logs=None):
        self.require_labels(logs)
        if logs["mistakes"] == 0:
            self.model.stop_training = True

    def on_test_end(self, logs=None):
        self.require_labels(logs)

    @staticmethod
    def require_labels(logs):
        if np.isnan(logs["mistakes"]):
            raise InvalidDataError("Perceptron takes labels -1 and +1. Received: labels with other values in y")


def _with_watch(callbacks):
    if isinstance(callbacks, keras.callbacks.CallbackList):
        if not any(isinstance(callback, _WatchMistakes) for callback in callbacks.callbacks):
            callbacks.append(_WatchMistakes())
        return callbacks
    given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
    return [*given, _WatchMistakes()]
