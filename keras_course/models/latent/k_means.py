"""k-means by Lloyd's algorithm, as a Keras model."""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.models.latent.closed_form import ClosedFormTraining
from keras_course.models.latent.sums_over_rows import sums_over_chunks
from keras_course.ops.clustering import k_means_plus_plus, nearest_centre, squared_distances

CHUNK = 960  # rows whose (clusters, rows) scores stay in cache


@register("KMeans")
class KMeans(ClosedFormTraining, Model):
    """k centres, each the mean of the points nearest to it.

    E(c, r) = sum_i sum_k r_i(k) |x_i - c_k|^2
    r_i = one-hot of argmin_k |x_i - c_k|,   c_k = sum_i r_i(k) x_i / sum_i r_i(k)

    An epoch of `fit` is one iteration over all samples, whatever the batch size: the sums are accumulated over the
    epoch and the centres move at its end. `fit` stops by itself when they rest. No optimizer is used: `compile()`
    needs no arguments, and jit_compile=True is fastest. E never rises; a centre that is nobody's nearest stays.

    Metrics: `inertia`, the MEAN of |x - nearest centre|^2 over the samples (scikit-learn's is the sum), with the
    centres of the epoch's beginning.

    Args:
        clusters: int, number k of centres.
        features: int, number of features.
        centres: nested list (clusters, features) to start from, or None: k-means++ on the first data that `fit` or
            `initialise` gets.
        tolerance: float >= 0; the centres rest when sum_k |c_k' - c_k|^2 <= tolerance x inertia. The default tells
            rounding from progress.
        seed: int, root of the k-means++ draws.
        **kwargs: as keras.Model (dtype="float64" computes in float64).

    Input shape:
        (B, features).

    Output shape:
        (B,), int32: the index of the nearest centre.

    Raises:
        ValueError: for sizes below 1, a wrong shape or a negative tolerance.
        InvalidDataError: by `fit`, if there are fewer samples than clusters, or NaN among them.

    Example:
        >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [9.0, 0.0], [9.0, 1.0]])
        >>> model = KMeans(2, 2, centres=[[0.0, 0.0], [1.0, 0.0]])
        >>> model.compile()
        >>> history = model.fit(x, epochs=50, verbose=0)
        >>> model.centres.numpy().tolist(), len(history.epoch)
        ([[0.0, 0.5], [9.0, 0.5]], 2)

    Source: B.
    """

    parts_name = "clusters"
    updates_in_graph = True

    def __init__(self, clusters, features, centres=None, tolerance=1e-10, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("KMeans", clusters=clusters, features=features)
        if not tolerance >= 0:
            raise ValueError(f"KMeans needs tolerance >= 0. Received: tolerance={tolerance!r}")
        self.clusters = clusters
        self.features = features
        self.tolerance = tolerance
        self.initial_centres = None if centres is None else np.array(centres, "float64")
        self.centres = self.add_weight(
            shape=(clusters, features),
            initializer=keras.initializers.RandomNormal(seed=derive_seed(seed, "centres")),
            trainable=False, name="centres", aggregation="only_first_replica",
        )  # fmt: skip
        self.add_sums(points=(clusters, features), sizes=(clusters,), cost=())
        self.inertia = keras.metrics.Mean(name="inertia", dtype=self.variable_dtype)
        self.build((None, features))
        if centres is not None:
            self.start(self.initial_centres)

    @property
    def parts(self):
        return self.clusters

    def build(self, input_shape):
        require_rank("KMeans", input_shape, 2)
        require_features("KMeans", input_shape, self.features)
        self.built = True

    def call(self, inputs):
        return nearest_centre(inputs, self.centres)

    def squared_distances(self, x):
        """|x_i - c_k|^2, (B, clusters)."""
        return squared_distances(tf.cast(x, self.variable_dtype), self.centres)

    def start(self, centres):
        """Sets the centres, instead of k-means++.

        Args:
            centres: array (clusters, features), finite.

        Raises:
            ValueError: for another shape or values that are not finite.
        """
        centres = np.asarray(centres)
        if centres.shape != (self.clusters, self.features) or not np.isfinite(centres).all():
            raise ValueError(
                f"KMeans needs finite centres of shape {(self.clusters, self.features)}. "
                f"Received: centres of shape {centres.shape}"
            )
        self.centres.assign(centres)
        self.started.assign(1)
        self.forget()

    def start_from(self, x):
        """k-means++: each next centre is a sample, drawn with odds D(x)^2; a pure function of (seed, x)."""
        draws = np.random.Generator(np.random.Philox(key=derive_seed(self.seed, "k-means++")))
        self.centres.assign(k_means_plus_plus(x.astype("float64"), draws.random(self.clusters))[0])

    def cluster_sums(self, x, weight, first_of_equals=True):
        """What one batch adds to the c step, and to E, all weighted by the samples' weights.

        Args:
            x: tensor (B, features).
            weight: tensor (B,).
            first_of_equals: False is faster, and counts a sample with each of its nearest centres if it has several;
                the sizes then add up to more than the weights.

        Returns:
            List of sum_i r_i(k) (x_i - m) (clusters, features), sum_i r_i(k) (clusters,) and E (), where m is the
            mean of the centres.
        """
        middle = ops.mean(self.centres, axis=0)
        u = self.centres - middle
        length = ops.sum(u * u, axis=1, keepdims=True) / 2  # (M, 1)
        number = ops.arange(self.clusters, dtype="int32")[:, None]

        def of_chunk(x, weight):
            z = x - middle  # (B, D)
            half = length - ops.matmul(u, ops.transpose(z))  # (M, B): (|x - c_k|^2 - |x - m|^2) / 2
            least = ops.min(half, axis=0)
            nearest = half <= least
            if first_of_equals:
                nearest = number == ops.min(ops.where(nearest, number, self.clusters), axis=0)
            r = ops.where(nearest, weight, ops.zeros_like(weight))  # (M, B)
            sizes = ops.matmul(r, ops.ones_like(weight)[:, None])  # (M, 1); a product sums rows faster than a sum
            squares = ops.sum(weight[:, None] * z * z, axis=0)  # (D,), summed over D last: XLA is slow at scalars
            return [ops.matmul(r, z), sizes, squares, ops.sum(weight * least)]

        points, sizes, squares, least = sums_over_chunks(of_chunk, x, weight, CHUNK)
        cost = ops.sum(squares) + 2 * least
        return [points, sizes[:, 0], ops.maximum(cost, ops.zeros_like(cost))]

    def train_step(self, data):
        x, y, weight = self.samples(data)

        points, sizes, cost = self._sums_of_batch(x, weight, keras.utils.unpack_x_y_sample_weight(data)[2] is None)

        self.accumulate(tf.shape(x)[0], points=points, sizes=sizes, cost=cost)

        total = ops.sum(weight)
        self.inertia.update_state(tf.math.divide_no_nan(cost, total), sample_weight=total)
        return self.logs(x, y, self.call(x), weight) if y is not None else self.get_metrics_result()

    def _sums_of_batch(self, x, weight, unweighted):
        """Fast first; if that counted a sample twice (counts are exact, weights rounded), once more with care."""

        def sums(first_of_equals):
            statistics = functools.partial(self.cluster_sums, first_of_equals=first_of_equals)
            return self.sums_of_batch(statistics, x, weight, self.clusters * self.features)

        if not unweighted:
            return sums(True)
        fast = sums(False)
        once = tf.reduce_sum(tf.cast(fast[1], "float64")) == tf.cast(tf.shape(x)[0], "float64")
        return tf.cond(once, lambda: fast, lambda: sums(True))

    def update(self, sums):
        """The c step; True if the centres rest."""
        old = tf.cast(self.centres, "float64")
        middle, size = tf.reduce_mean(old, axis=0), sums["sizes"][:, None]
        new = tf.where(size > 0, middle + tf.math.divide_no_nan(sums["points"], size), old)  # an empty cluster stays
        self.centres.assign(tf.cast(new, self.centres.dtype))
        moved = tf.reduce_sum((tf.cast(self.centres, "float64") - old) ** 2)
        return moved <= self.tolerance * sums["cost"] / tf.reduce_sum(size)

    def test_step(self, data):
        x, y, weight = self.samples(data)
        distances = self.squared_distances(x)
        self.inertia.update_state(ops.min(distances, axis=1), sample_weight=weight)
        return self.logs(x, y, ops.argmin(distances, axis=1), weight)

    def endpoints(self):
        points = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (lambda x: self(x, training=False), [points]),
            "distances": (self.squared_distances, [points]),
        }

    def compute_output_shape(self, input_shape):
        return (input_shape[0],)

    def get_config(self):
        return {
            **super().get_config(),
            "clusters": self.clusters,
            "features": self.features,
            "centres": None if self.initial_centres is None else self.initial_centres.tolist(),
            "tolerance": self.tolerance,
        }
