"""A mixture of Gaussians, trained by EM in closed form."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed, normal_noise, seed_pair
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_one_of, require_positive_int
from keras_course.models.latent.ancestral import draw_components
from keras_course.models.latent.closed_form import ClosedFormTraining, value_of
from keras_course.models.latent.mixture_answers import MixtureAnswers
from keras_course.models.latent.sums_over_rows import sums_over_chunks
from keras_course.ops.clustering import k_means_plus_plus, lloyd_step
from keras_course.ops.mixtures import (
    COVARIANCES,
    covariances_of,
    gaussian_log_joint,
    gaussian_m_step,
    log_joint_of_whitened,
    moments_of_whitened,
    scale_of,
    updated_gaussians,
    whitened,
)

STARTS = ("k-means++", "k-means")
LLOYD_STEPS = 300  # k-means rests long before
CHUNK = 128  # rows whose (components, features, rows) residuals stay in cache


@register("GaussianMixture")
class GaussianMixture(MixtureAnswers, ClosedFormTraining, Model):
    """Points from one of M Gaussians; which one is hidden.

    p(x) = sum_k pi_k N(x; mu_k, Sigma_k),   p(z_k = 1 | x) = pi_k N(x; mu_k, Sigma_k) / p(x)
    E-step  q_ik = p(z_k = 1 | x_i)
    M-step  N_k = sum_i q_ik,  pi_k = N_k / n,  mu_k = 1/N_k sum_i q_ik x_i,
            Sigma_k = 1/N_k sum_i q_ik (x_i - mu_k)(x_i - mu_k)^T

    An epoch of `fit` is one EM iteration over all samples, whatever the batch size. With regularisation=0 the
    log-likelihood never falls; a positive one (added to the diagonals, as scikit-learn's reg_covar) keeps covariances
    regular and may lower it by about its own size. `compile()` needs no arguments; jit_compile=True is fastest.

    Metrics: `log_likelihood`, the mean of log p(x) over the samples, with the parameters of the epoch's beginning.

    Args:
        components: int, M.
        features: int, D.
        covariance: "full", "tied" (one matrix for all), "diagonal" or "spherical".
        regularisation: float >= 0, in squared units of x.
        tolerance: float >= 0; `fit` ends when the mean log-likelihood changes by no more in one iteration.
        initial: what EM starts from. "k-means++": its seeds as means, the covariance of all data, equal weights.
            "k-means": Lloyd's algorithm from these seeds to its rest, then weights, means and covariances of its
            clusters. The second start is nearer to the end, and where many features are correlated (`covariance`
            "full", "tied") EM ends in better optima from there.
        seed: int, root of the start.
        **kwargs: as keras.Model (dtype="float64" computes in float64).

    Input shape:
        (B, features).

    Output shape:
        (B, components), the responsibilities.

    Raises:
        ValueError: for sizes below 1, an unknown covariance, negative numbers, or shapes that do not fit.
        InvalidDataError: by `fit`: fewer samples than components, NaN among them, or a covariance that became singular
            (a component on too few or on identical samples); the parameters stay as they were before that iteration.

    Example:
        >>> x = np.concatenate([np.linspace(-1, 1, 9), np.linspace(9, 11, 9)])[:, None]
        >>> model = GaussianMixture(2, 1)
        >>> model.compile()
        >>> history = model.fit(x, epochs=50, verbose=0)
        >>> print(np.abs(np.sort(model.means.numpy()[:, 0])).round(2))
        [ 0. 10.]

    Source: B, R.
    """

    def __init__(
        self,
        components,
        features,
        covariance="full",
        regularisation=1e-6,
        tolerance=1e-6,
        seed=0,
        initial="k-means++",
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("GaussianMixture", components=components, features=features)
        require_one_of("GaussianMixture", COVARIANCES, covariance=covariance)
        require_one_of("GaussianMixture", STARTS, initial=initial)
        for name, value in {"regularisation": regularisation, "tolerance": tolerance}.items():
            if not value >= 0:
                raise ValueError(f"GaussianMixture needs {name} >= 0. Received: {name}={value!r}")
        self.components = components
        self.features = features
        self.covariance = covariance
        self.regularisation = regularisation
        self.tolerance = tolerance
        self.initial = initial
        m, d = components, features
        shape = {"full": (m, d, d), "tied": (d, d), "diagonal": (m, d), "spherical": (m,)}[covariance]
        kept = {"trainable": False, "aggregation": "only_first_replica"}
        equal = keras.initializers.Constant(1 / m)
        anywhere = keras.initializers.RandomNormal(seed=derive_seed(seed, "means"))
        self.mixing = self.add_weight(shape=(m,), initializer=equal, name="weights", **kept)
        self.means = self.add_weight(shape=(m, d), initializer=anywhere, name="means", **kept)
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale", **kept)
        if covariance in ("full", "tied"):
            self.scale.assign(np.broadcast_to(np.eye(d), shape))
        self.add_log_likelihood()
        seconds = {"full": (m, d, d), "tied": (d, d)}.get(covariance, (m, d))
        self.add_sums(sizes=(m,), shifts=(m, d), seconds=seconds, log_likelihood=())
        self.build((None, features))

    @property
    def parameters(self):
        """(pi (M,), mu (M, D), L), what `log_joint` and `m_step` pass on."""
        return tuple(ops.convert_to_tensor(each) for each in (self.mixing, self.means, self.scale))

    @property
    def covariances(self):
        """Sigma, always (M, D, D)."""
        return covariances_of(self.scale, self.covariance, self.components, self.features)

    def log_joint(self, x, parameters=None):
        """log pi_k N(x_i; mu_k, Sigma_k), (B, M); parameters None takes the model's own."""
        x = tf.cast(x, self.variable_dtype)
        return gaussian_log_joint(x, *(self.parameters if parameters is None else parameters), self.covariance)

    def m_step(self, x, q):
        """The parameters of greatest F(q, theta), as the notes print them; the model's own stay as they are."""
        return gaussian_m_step(tf.cast(x, self.variable_dtype), q, self.covariance, self.regularisation)

    def sample(self, seed, n):
        """Ancestral samples: z ~ pi, then x ~ N(mu_z, Sigma_z).

        Args:
            seed: int, or integer tensor (2,); the same seed draws the same samples.
            n: int >= 0, or a scalar integer tensor.

        Returns:
            Tensor (n, features).
        """
        n = checked_count("GaussianMixture.sample", n=n)
        which, noise = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        weights, means, scale = self.parameters
        z = draw_components(weights, which, n)
        e = normal_noise((n, self.features), noise, keras.backend.standardize_dtype(means.dtype))
        if self.covariance in ("full", "tied"):
            factor = tf.gather(scale, z) if self.covariance == "full" else scale
            e = tf.linalg.matvec(factor, e)
        else:
            deviation = tf.gather(scale, z)
            e = e * (deviation if self.covariance == "diagonal" else deviation[:, None])
        return tf.gather(means, z) + e

    def start(self, weights, means, covariances):
        """Sets the parameters, instead of a start from the data.

        Args:
            weights: array (M,), positive, sums to 1.
            means: array (M, D).
            covariances: array (M, D, D), symmetric positive definite; the kind's own part of them is taken (the first
                matrix if "tied").

        Raises:
            ValueError: for wrong shapes, weights that are no distribution, covariances that are not definite.
        """
        weights, means, covariances = (np.asarray(each, "float64") for each in (weights, means, covariances))
        m, d = self.components, self.features
        shapes = (weights.shape, means.shape, covariances.shape)
        if shapes != ((m,), (m, d), (m, d, d)):
            raise ValueError(f"GaussianMixture starts from shapes {(m,)}, {(m, d)}, {(m, d, d)}. Received: {shapes}")
        if not (np.all(weights >= 0) and abs(weights.sum() - 1) < 1e-4):
            raise ValueError(f"GaussianMixture needs weights that sum to 1. Received: weights={weights.tolist()}")
        symmetric = np.allclose(covariances, np.swapaxes(covariances, 1, 2))
        if not (symmetric and np.isfinite(means).all() and np.min(np.linalg.eigvalsh(covariances)) > 0):
            raise ValueError(
                "GaussianMixture needs finite means and positive definite covariances. "
                f"Received: least eigenvalues {np.linalg.eigvalsh(covariances).min(axis=1).tolist()}"
            )
        self.mixing.assign(weights)
        self.means.assign(means)
        self.scale.assign(scale_of(covariances[0] if self.covariance == "tied" else covariances, self.covariance))
        self.last.assign(-np.inf)
        self.started.assign(1)
        self.forget()

    def start_from(self, x):
        """From the seeds of k-means++, or what Lloyd's algorithm makes of them: a pure function of seed and x."""
        x = x.astype("float64")
        draws = np.random.Generator(np.random.Philox(key=derive_seed(self.seed, "k-means++")))
        means = np.asarray(k_means_plus_plus(x, draws.random(self.components))[0])
        covariance = np.cov(x, rowvar=False, bias=True).reshape(self.features, self.features)
        covariance = covariance + self.regularisation * np.eye(self.features)
        least = np.linalg.eigvalsh(covariance)[0] if self.covariance in ("full", "tied") else np.diag(covariance).min()
        if not least > np.finfo("float64").eps * np.diag(covariance).max():
            raise InvalidDataError(
                f"The covariance of the data is singular ({self.covariance}): a feature is constant or a "
                f"combination of others. Give regularisation > 0. Received: "
                f"regularisation={self.regularisation}, {len(x)} samples"
            )
        if self.initial == "k-means":
            self.start(*self._of_clusters(x, means))
            return
        if self.covariance not in ("full", "tied"):
            covariance = np.diag(np.diag(covariance))
        self.start(np.full(self.components, 1 / self.components), means, np.stack([covariance] * self.components))

    def _of_clusters(self, x, centres):
        """Weights, means and covariances of the clusters around these centres, once they rest."""
        q = None
        for _ in range(LLOYD_STEPS):
            before, (centres, r) = q, lloyd_step(x, centres)
            q = np.array(r)
            if before is not None and np.array_equal(q, before):
                break
        q[:, q.sum(axis=0) == 0] = 1 / len(x)  # a cluster without samples starts as a component of one, spread over all
        try:
            weights, means, scale = gaussian_m_step(x, q, self.covariance, self.regularisation)
            covariances = np.asarray(covariances_of(scale, self.covariance, self.components, self.features))
        except ValueError:  # Keras's, of a matrix without a Cholesky factor
            covariances = np.zeros((1, 1, 1))
        if not np.all(np.diagonal(covariances, axis1=1, axis2=2) > 0):
            raise InvalidDataError(
                f"A cluster of k-means has a singular covariance ({self.covariance}): it holds too few samples. Give "
                f"regularisation > 0, fewer components or initial='k-means++'. Received: "
                f"regularisation={self.regularisation}, sizes={q.sum(axis=0).round(3).tolist()}"
            )
        return weights, means, covariances

    def expected_sums(self, x, weight):
        """What one batch adds to the M-step, by the model's own responsibilities, and its log-likelihood.

        Args:
            x: tensor (B, features).
            weight: tensor (B,), weights of the samples.

        Returns:
            List of the three sums of `moments_of_whitened` and the sum of weight x log p(x).
        """
        weights, means, scale = self.parameters

        def of_chunk(x, weight):
            y = whitened(x, means, scale, self.covariance)  # (M, D, B)
            joint = log_joint_of_whitened(y, weights, scale, self.covariance)  # (M, B)
            top = ops.max(joint, axis=0, initial=-np.inf)
            share = ops.exp(joint - top)
            total = ops.sum(share, axis=0)  # (B,)
            moments = moments_of_whitened(y, share * (weight / total), self.covariance)
            return [*moments, ops.sum(weight * (top + ops.log(total)))]

        return sums_over_chunks(of_chunk, x, weight, CHUNK)

    def train_step(self, data):
        x, y, weight = self.samples(data)

        work = self.components * self.features**2
        sizes, shifts, seconds, log_likelihood = self.sums_of_batch(self.expected_sums, x, weight, work)

        self.accumulate(tf.shape(x)[0], sizes=sizes, shifts=shifts, seconds=seconds, log_likelihood=log_likelihood)

        total = ops.sum(weight)
        self.watch(log_likelihood, total)
        return self.logs(x, y, self.call(x), weight) if y is not None else self.get_metrics_result()

    def update(self, sums):
        """The M-step; True if the log-likelihood has come to rest."""
        moments = tuple(sums[name] for name in ("sizes", "shifts", "seconds"))
        weights, means, sigma, about = (
            np.asarray(each)
            for each in updated_gaussians(
                moments, value_of(self.means), value_of(self.scale), self.covariance, self.regularisation
            )
        )
        scale = self._factorised(sigma, about, sums["sizes"])
        for variable, value in ((self.mixing, weights), (self.means, means), (self.scale, scale)):
            variable.assign(value)
        return self.at_rest(sums["log_likelihood"] / sums["sizes"].sum())

    def _factorised(self, sigma, about, sizes):
        """L of Sigma; a pivot that is lost in the rounding of the second moment it came from makes Sigma singular."""
        matrices = self.covariance in ("full", "tied")
        parts = sigma if self.covariance != "tied" else sigma[None]
        scale = np.array([_cholesky(part) for part in parts]) if matrices else np.sqrt(np.maximum(sigma, 0.0))
        pivots = np.diagonal(scale, axis1=-2, axis2=-1) if matrices else scale
        noise = 4 * np.finfo(keras.backend.standardize_dtype(self.variable_dtype)).eps * about
        lost = np.argwhere(~(pivots**2 > noise))
        if len(lost):
            which = "shared by all components" if self.covariance == "tied" else f"of component {lost[0][0]}"
            raise InvalidDataError(
                f"GaussianMixture: the covariance {which} became singular; the parameters stay as they were. Give "
                f"regularisation > 0, fewer components or another start. Received: "
                f"regularisation={self.regularisation}, N_k={np.round(sizes, 3).tolist()}"
            )
        return scale[0] if self.covariance == "tied" else scale

    def get_config(self):
        return {
            **super().get_config(),
            "components": self.components,
            "features": self.features,
            "covariance": self.covariance,
            "regularisation": self.regularisation,
            "tolerance": self.tolerance,
            "initial": self.initial,
        }


def _cholesky(sigma):
    """Lower factor, or NaN where there is none."""
    try:
        return np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return np.full_like(sigma, np.nan)
