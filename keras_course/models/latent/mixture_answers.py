"""What a mixture answers, whatever its components: all of it follows from log p(x, z = k).

log p(x)         = log sum_k p(x, k)
p(z_k = 1 | x)   = p(x, k) / p(x)
F(q, theta)      = H(q) + E_q log p(x, z)
"""

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.shapes import require_features, require_rank
from keras_course.models.latent.closed_form import value_of
from keras_course.ops.expectation_maximization import free_energy, log_evidence, responsibilities


class MixtureAnswers:
    """Mixed into a mixture model, before `ClosedFormTraining`, whose training it watches by the log-likelihood.

    The model has `components`, `features` and `tolerance`, calls `add_log_likelihood` in its `__init__`, and writes
    log_joint(x) -> (B, M) and sample(seed, n) -> (n, features).
    """

    parts_name = "components"

    def add_log_likelihood(self):
        """Creates the metric and `last`, the mean log-likelihood of the iteration before."""
        self.last = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(-np.inf), dtype="float64", autocast=False,
            name="last_log_likelihood", trainable=False, aggregation="only_first_replica",
        )  # fmt: skip
        self.log_likelihood = keras.metrics.Mean(name="log_likelihood", dtype=self.variable_dtype)

    @property
    def parts(self):
        return self.components

    def build(self, input_shape):
        require_rank(type(self).__name__, input_shape, 2)
        require_features(type(self).__name__, input_shape, self.features)
        self.built = True

    def call(self, inputs):
        return self.e_step(inputs)

    def e_step(self, x):
        """p(z_k = 1 | x_i), (B, M)."""
        return responsibilities(self.log_joint(x))

    def log_prob(self, x):
        """log p(x_i), (B,)."""
        return log_evidence(self.log_joint(x))

    def free_energy(self, x, q):
        """F(q_i, theta) = H(q_i) + E_q log p(x_i, z), (B,)."""
        return free_energy(self.log_joint(x), q)

    def watch(self, log_likelihood, total):
        """Shows a batch's mean log-likelihood, of weighted sum and total weight, as the metric."""
        self.log_likelihood.update_state(tf.math.divide_no_nan(log_likelihood, total), sample_weight=total)

    def at_rest(self, log_likelihood):
        """Whether the mean log-likelihood has moved by no more than the tolerance since it was last asked."""
        before = float(value_of(self.last))
        self.last.assign(log_likelihood)
        return abs(float(log_likelihood) - before) <= self.tolerance

    def test_step(self, data):
        x, y, weight = self.samples(data)
        log_joint = self.log_joint(x)
        self.log_likelihood.update_state(log_evidence(log_joint), sample_weight=weight)
        return self.logs(x, y, responsibilities(log_joint), weight)

    def endpoints(self):
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        return {
            "serving_default": (self.e_step, [points]),
            "responsibilities": (self.e_step, [points]),
            "log_prob": (self.log_prob, [points]),
            "sample": (self.sample, [seed, n]),
        }

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.components)
