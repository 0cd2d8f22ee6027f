"""A mixture of binomials: coins of hidden kind, trained by EM in closed form."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.models.latent.ancestral import draw_components
from keras_course.models.latent.closed_form import ClosedFormTraining, value_of
from keras_course.models.latent.mixture_answers import MixtureAnswers
from keras_course.ops.binomial_mixture import binomial_log_joint, binomial_m_step
from keras_course.ops.expectation_maximization import log_evidence, responsibilities


@register("BinomialMixture")
class BinomialMixture(MixtureAnswers, ClosedFormTraining, Model):
    """Rows of counts from one of M hidden kinds; within a kind the features are independent binomials.

    p(x) = sum_k pi_k prod_d C(n, x_d) p_kd^x_d (1 - p_kd)^(n - x_d)
    E-step  q_ik = p(z_k = 1 | x_i)
    M-step  pi_k = N_k / (samples),   p_kd = sum_i q_ik x_id / (n N_k),   N_k = sum_i q_ik

    One feature and a row a set of n tosses: which coin was tossed? 64 features of n = 16 shades: kinds of digits.
    An epoch of `fit` is one EM iteration over all samples, whatever the batch size; the log-likelihood never falls
    (with smoothing = 0). A kind that nobody is responsible for keeps its probabilities. `compile()` needs no arguments.

    Metrics: `log_likelihood`, the mean of log p(x) over the samples, with the parameters of the epoch's beginning.

    Args:
        components: int, M.
        features: int, D.
        trials: int, n; counts lie in [0, n].
        learn_weights: bool, whether pi is learned; False keeps it (equal unless `start` says otherwise).
        smoothing: float >= 0, successes and failures added to every N_k, so that no p is 0 or 1 (Laplace's rule: 1).
        tolerance: float >= 0; `fit` ends when the mean log-likelihood changes by no more in one iteration.
        seed: int, root of the start.
        **kwargs: as keras.Model.

    Input shape:
        (B, features).

    Output shape:
        (B, components), the responsibilities.

    Raises:
        ValueError: for sizes below 1, negative numbers, or shapes that do not fit.
        InvalidDataError: by `fit`: counts outside [0, n], NaN, or fewer samples than components.

    Example:
        >>> heads = np.array([[5.0], [9.0], [8.0], [4.0], [7.0]])
        >>> model = BinomialMixture(2, 1, trials=10, learn_weights=False)
        >>> model.start([0.5, 0.5], [[0.6], [0.5]])
        >>> model.compile()
        >>> history = model.fit(heads, epochs=10, verbose=0)
        >>> print(model.probabilities.numpy()[:, 0].round(2))
        [0.8  0.52]

    Source: B, R.
    """

    def __init__(
        self, components, features, trials=1, learn_weights=True, smoothing=0.0, tolerance=1e-6, seed=0, **kwargs
    ):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("BinomialMixture", components=components, features=features, trials=trials)
        for name, value in {"smoothing": smoothing, "tolerance": tolerance}.items():
            if not value >= 0:
                raise ValueError(f"BinomialMixture needs {name} >= 0. Received: {name}={value!r}")
        self.components = components
        self.features = features
        self.trials = trials
        self.learn_weights = learn_weights
        self.smoothing = smoothing
        self.tolerance = tolerance
        kept = {"trainable": False, "aggregation": "only_first_replica"}
        self.mixing = self.add_weight(
            shape=(components,), initializer=keras.initializers.Constant(1 / components), name="weights", **kept
        )
        self.probabilities = self.add_weight(
            shape=(components, features), name="probabilities",
            initializer=keras.initializers.RandomUniform(0.25, 0.75, seed=derive_seed(seed, "probabilities")), **kept,
        )  # fmt: skip
        self.add_log_likelihood()
        self.add_sums(sizes=(components,), successes=(components, features), log_likelihood=())
        self.build((None, features))

    @property
    def parameters(self):
        """(pi (M,), p (M, D)), what `log_joint` and `m_step` pass on."""
        return ops.convert_to_tensor(self.mixing), ops.convert_to_tensor(self.probabilities)

    def log_joint(self, x, parameters=None):
        """log p(x_i, z = k), (B, M); parameters None takes the model's own."""
        x = tf.cast(x, self.variable_dtype)
        return binomial_log_joint(x, *(self.parameters if parameters is None else parameters), self.trials)

    def m_step(self, x, q):
        """The parameters of greatest F(q, theta); the model's own stay as they are."""
        weights, probabilities = binomial_m_step(tf.cast(x, self.variable_dtype), q, self.trials)
        return (weights if self.learn_weights else ops.convert_to_tensor(self.mixing)), probabilities

    def sample(self, seed, n):
        """z ~ pi, then n tosses a feature: (n, features) counts; seed is an int, or an integer tensor (2,)."""
        n = checked_count("BinomialMixture.sample", n=n)
        which, noise = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        weights, probabilities = self.parameters
        z = draw_components(weights, which, n)
        uniform = uniform_noise((n, self.features, self.trials), noise, keras.backend.standardize_dtype(weights.dtype))
        return tf.reduce_sum(tf.cast(uniform < tf.gather(probabilities, z)[..., None], weights.dtype), axis=-1)

    def start(self, weights, probabilities):
        """Sets the parameters, instead of a start from the data.

        Args:
            weights: array (M,), sums to 1.
            probabilities: array (M, D) in [0, 1].

        Raises:
            ValueError: for wrong shapes or values out of range.
        """
        weights, probabilities = np.asarray(weights, "float64"), np.asarray(probabilities, "float64")
        shapes, wanted = (weights.shape, probabilities.shape), ((self.components,), (self.components, self.features))
        if shapes != wanted:
            raise ValueError(f"BinomialMixture starts from shapes {wanted}. Received: {shapes}")
        if not (np.all(weights >= 0) and abs(weights.sum() - 1) < 1e-4):
            raise ValueError(f"BinomialMixture needs weights that sum to 1. Received: weights={weights.tolist()}")
        if not np.all((probabilities >= 0) & (probabilities <= 1)):
            raise ValueError("BinomialMixture needs probabilities in [0, 1]. Received: values outside")
        self.mixing.assign(weights)
        self.probabilities.assign(probabilities)
        self.last.assign(-np.inf)
        self.started.assign(1)
        self.forget()

    def checked(self, x):
        """As `ClosedFormTraining.checked`, and refuses counts outside [0, trials]."""
        x = super().checked(x)
        if x.min() < 0 or x.max() > self.trials:
            raise InvalidDataError(
                f"BinomialMixture needs counts in [0, {self.trials}]. Received: values from {x.min()} to {x.max()}"
            )
        return x

    def start_from(self, x):
        """Each kind starts between the mean of all samples and one sample of its own, drawn by the seed."""
        draws = np.random.Generator(np.random.Philox(key=derive_seed(self.seed, "start")))
        rows = draws.choice(len(x), self.components, replace=False)
        share = (x.mean(axis=0) + 0.5 * (x[rows] - x.mean(axis=0)) + 0.5) / (self.trials + 1)
        self.start(np.full(self.components, 1 / self.components), np.clip(share, 0.0, 1.0))

    def expected_sums(self, x, weight):
        """What one batch adds to the M-step, by the model's own responsibilities, and its log-likelihood.

        Args:
            x: tensor (B, features).
            weight: tensor (B,), weights of the samples.

        Returns:
            List of sum_i q_ik (M,), sum_i q_ik x_i (M, D) and the sum of weight x log p(x), with the weights in q.
        """
        log_joint = self.log_joint(x)
        q = responsibilities(log_joint) * weight[:, None]  # (B, M)
        return [ops.sum(q, axis=0), ops.matmul(ops.transpose(q), x), ops.sum(log_evidence(log_joint) * weight)]

    def train_step(self, data):
        x, y, weight = self.samples(data)

        work = self.components * self.features
        sizes, successes, log_likelihood = self.sums_of_batch(self.expected_sums, x, weight, work)

        self.accumulate(tf.shape(x)[0], sizes=sizes, successes=successes, log_likelihood=log_likelihood)

        total = ops.sum(weight)
        self.watch(log_likelihood, total)
        return self.logs(x, y, self.call(x), weight) if y is not None else self.get_metrics_result()

    def update(self, sums):
        """The M-step; True if the log-likelihood has come to rest."""
        sizes, successes = sums["sizes"], sums["successes"]
        filled = sizes > 0
        tosses = self.trials * np.where(filled, sizes, 1.0)[:, None] + 2 * self.smoothing
        new = np.where(filled[:, None], (successes + self.smoothing) / tosses, value_of(self.probabilities))
        self.probabilities.assign(np.clip(new, 0.0, 1.0))
        if self.learn_weights:
            self.mixing.assign(sizes / sizes.sum())
        return self.at_rest(sums["log_likelihood"] / sizes.sum())

    def get_config(self):
        return {
            **super().get_config(),
            "components": self.components,
            "features": self.features,
            "trials": self.trials,
            "learn_weights": self.learn_weights,
            "smoothing": self.smoothing,
            "tolerance": self.tolerance,
        }
