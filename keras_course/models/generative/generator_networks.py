"""The two simplest generator networks: one layer that makes samples, and one that makes their distributions.

    AffineGenerator       x = mu + L z,   z ~ N(0, I)          x ~ N(mu, L L^T)
    BernoulliGenerator    p(x_i = 1 | z) = g(z)_i              p(x) = E_z p(x | z)

Both are trained alone, without an inference network or a judge, on -log p(x): a closed form for the first; for the
second a sum over all codes where they are bits, a mean over draws where they are real numbers.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.scale_watch import ScaleWatch
from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, normal_noise, seed_pair, stateless_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_one_of, require_positive_int
from keras_course.models.generative_model import GenerativeModel
from keras_course.ops.boltzmann import binary_states
from keras_course.ops.generators import (
    affine_generator,
    affine_log_density,
    log_mean_likelihood,
    matched_generator,
    pixel_log_likelihoods,
)

__all__ = ["AffineGenerator", "BernoulliGenerator"]

MOST_CODE_BITS = 12  # 4,096 codes beside every example


@register("AffineGenerator")
class AffineGenerator(GenerativeModel):
    """x = mu + L z: the normal distribution as a generator of one affine layer.

        log p(x) = log N(x; mu, L L^T)

    `model(x)` is log p(x), (B,). `fit` descends on its mean; `match(x)` goes to where that ends, in one step.

    Endpoints: serving_default and log_prob (x), generate (z), sample (seed, n).

    Args:
        features: int D.
        seed: int, part of the config; the model starts at mu = 0, L = I.
        **kwargs: as keras.Model.

    Input shape:
        (B, D).

    Output shape:
        (B,).

    Raises:
        InvalidDataError: in fit, evaluate and match, for values that are not finite.

    Example:
        >>> model = AffineGenerator(2)
        >>> model.match(np.array([[0.0, 0.0], [2.0, 4.0], [0.0, 2.0], [2.0, 2.0]]))
        >>> np.round(model.moments()["covariance"], 4).tolist()
        [[1.0, 1.0], [1.0, 2.0]]

    Source: C 19.3.
    """

    def __init__(self, features: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.autocast = False  # of x: densities lose all meaning in 8 or 11 bits of significand
        require_positive_int("AffineGenerator", features=features)
        self.features, self.event_shape = features, (features,)
        self.likelihood = keras.metrics.Mean(name="log_likelihood")
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        d = self.features
        self.mean = self.add_weight(shape=(d,), initializer="zeros", autocast=False, name="mean")
        self.log_diagonal = self.add_weight(shape=(d,), initializer="zeros", autocast=False, name="log_diagonal")
        self.below = self.add_weight(shape=(d * (d - 1) // 2,), initializer="zeros", autocast=False, name="below")
        rows, columns = np.tril_indices(d, -1)
        self._place_of_entry = np.zeros((d, d), "int32")
        self._place_of_entry[rows, columns] = np.arange(1, len(rows) + 1)
        self.built = True

    @property
    def factor(self) -> Any:
        """L, (D, D): lower triangular, its diagonal positive."""
        below = ops.convert_to_tensor(self.below)
        strict = ops.take(ops.concatenate([ops.zeros((1,), below.dtype), below]), self._place_of_entry)
        return strict + ops.diag(ops.exp(ops.convert_to_tensor(self.log_diagonal)))

    def call(self, inputs: Any) -> Any:
        x = ops.cast(self.checked(inputs), self.variable_dtype)
        return affine_log_density(x, ops.convert_to_tensor(self.mean), self.factor)

    def log_prob(self, x: Any) -> Any:
        """log p(x), (B,), nats."""
        return self(x)

    def generate(self, z: Any) -> Any:
        """x = mu + L z, (B, D), for z (B, D)."""
        return affine_generator(ops.cast(z, self.variable_dtype), self.mean, self.factor)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of x, (n, D); the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("AffineGenerator.sample", n=n)
        return self.generate(normal_noise((n, self.features), seed_pair(seed), self.variable_dtype))

    def moments(self) -> dict[str, Any]:
        """{"mean" (D,), "covariance" (D, D)} of x."""
        factor = self.factor
        return {"mean": ops.convert_to_tensor(self.mean), "covariance": ops.matmul(factor, ops.transpose(factor))}

    def watches(self, x: Any) -> tuple[Any, ...]:
        return (ScaleWatch(x if isinstance(x, np.ndarray | tf.Tensor) else None),)

    def conditional_scale(self, x: Any = None) -> Any:
        """Deviation of each x_d given all others, (D,): 1 / sqrt P_dd of the precision P; the same for every x."""
        inverse = ops.solve_triangular(self.factor, ops.eye(self.features, dtype=self.factor.dtype), lower=True)
        return ops.rsqrt(ops.sum(ops.square(inverse), axis=0))

    def match(self, x: Any, ridge: float = 0.0) -> None:
        """Sets mu and L where the likelihood of x is greatest: mean, and Cholesky factor of the covariance.

        Args:
            x: array (N, D).
            ridge: float >= 0, added to every variance.

        Raises:
            InvalidDataError: if the covariance is singular; more rows or a ridge help.
        """
        self.require_possible(x)
        try:
            mean, factor = map(np.asarray, matched_generator(np.asarray(self.checked(x), "float64"), ridge))
        except ValueError as error:
            if "Cholesky" not in str(error):
                raise
            raise InvalidDataError(
                "AffineGenerator needs data of a full covariance, or a ridge. "
                f"Received: {len(x)} rows of {self.features} features with a singular one, ridge={ridge}"
            ) from None
        self.mean.assign(mean)
        self.log_diagonal.assign(np.log(np.diag(factor)))
        self.below.assign(factor[np.tril_indices(self.features, -1)])

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        self.likelihood.update_state(y_pred, sample_weight)
        return self.weighted_mean(-y_pred, sample_weight)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="z")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        return {
            "serving_default": (self.call, [x]),
            "log_prob": (self.log_prob, [x]),
            "generate": (self.generate, [z]),
            "sample": (self.sample, [seed, n]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "features": self.features}


@register("BernoulliGenerator")
class BernoulliGenerator(GenerativeModel):
    """A network that turns a code into a probability for each pixel; what x is likely follows by summing codes out.

        p(x) = (1/M) sum_m prod_i g(z_m)_i^x_i (1 - g(z_m)_i)^(1 - x_i)

    `code="binary"`: z are Z fair coins, the sum runs over all M = 2^Z codes and is exact. `code="normal"`: z ~ N(0, I),
    the sum runs over M draws, others in every training step, always the same in evaluation; it bounds log p(x) from
    below on the average of draws, and tends to it with M. The gradient of either is the mean of d log p(x | z) weighted
    by p(z | x), no code being drawn from the data: with many code units most draws explain nothing.

    `model(x)` is log p(x), (B,), in the sense above; `compile()` takes an optimizer.

    Endpoints: serving_default and log_prob (x), generate (z), sample (seed, n); posterior (x) with binary codes.

    Args:
        features: int D.
        latent: int Z, code units; at most 12 of binary codes.
        code: "binary" or "normal".
        units: tuple of ints, widths of the dense layers between code and pixels.
        draws: int M, draws of normal codes.
        activation: of the dense layers.
        seed: int, root of weights and draws.
        **kwargs: as keras.Model.

    Input shape:
        (B, D), values 0 and 1.

    Output shape:
        (B,).

    Raises:
        ValueError: for impossible sizes, or a loss in `compile`.
        InvalidDataError: in fit and evaluate, for an array with values other than 0 and 1.

    Example:
        >>> model = BernoulliGenerator(features=3, latent=2)
        >>> round(float(ops.sum(ops.exp(model(binary_states(3))))), 5)
        1.0

    Source: C 19.3.
    """

    def __init__(
        self,
        features: int,
        latent: int,
        code: str = "binary",
        units: Any = (),
        draws: int = 256,
        activation: Any = "tanh",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        who = "BernoulliGenerator"
        require_positive_int(who, features=features, latent=latent, draws=draws)
        require_one_of(who, ("binary", "normal"), code=code)
        self.units = (units,) if isinstance(units, int) else tuple(units)
        for width in self.units:
            require_positive_int(who, units=width)
        if code == "binary" and latent > MOST_CODE_BITS:
            raise ValueError(f"{who} sums over at most {MOST_CODE_BITS} bits of code. Received: latent={latent}")
        self.features, self.latent, self.code, self.draws = features, latent, code, draws
        self.event_shape = (features,)
        self.activation = keras.activations.get(activation)
        widths = (*self.units, features)
        self.network = [
            keras.layers.Dense(
                width,
                self.activation if number < len(self.units) else None,
                kernel_initializer=keras.initializers.GlorotUniform(derive_seed(seed, f"dense{number}")),
                dtype=self.dtype_policy,
                name=f"dense{number}",
            )
            for number, width in enumerate(widths)
        ]
        self.wide_dtype = "float64" if self.variable_dtype == "float64" else "float32"
        self.likelihood = keras.metrics.Mean(name="log_likelihood")
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        for layer, width in zip(self.network, (self.latent, *self.units), strict=True):
            layer.build((None, width))
        self.built = True

    @property
    def wanted(self) -> str:
        return "values 0 and 1"

    def possible(self, values: np.ndarray) -> np.ndarray:
        return (values == 0) | (values == 1)

    def logits(self, z: Any) -> Any:
        """log g(z) / (1 - g(z)), (M, D), for codes (M, Z)."""
        h = ops.cast(z, self.compute_dtype)
        for layer in self.network:
            h = layer(h)
        return ops.cast(h, self.wide_dtype)

    def generate(self, z: Any) -> Any:
        """g(z) = P(x_i = 1 | z), (M, D)."""
        return ops.sigmoid(self.logits(z))

    def codes(self, training: bool = False) -> Any:
        """The codes that are summed over, (M, Z): all, or draws of this step (in evaluation always the same)."""
        if self.code == "binary":
            return binary_states(self.latent, self.compute_dtype)
        seed = self.step_seed("codes") if training else stateless_seed(self.seed, "evaluation", 0)
        return self.draw_codes(seed, self.draws)

    def draw_codes(self, seed: Any, n: Any) -> Any:
        """Codes from their prior, (n, Z)."""
        if self.code == "binary":
            return ops.cast(uniform_noise((n, self.latent), seed, self.wide_dtype) < 0.5, self.compute_dtype)
        return normal_noise((n, self.latent), seed, self.wide_dtype)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return log_mean_likelihood(self.log_likelihoods(inputs, self.codes(bool(training))))

    def log_likelihoods(self, x: Any, z: Any) -> Any:
        """log p(x_b | z_m), (B, M)."""
        return pixel_log_likelihoods(ops.cast(self.checked(x), self.wide_dtype), self.logits(z))

    def log_prob(self, x: Any) -> Any:
        """log p(x), (B,), nats: exact for binary codes, by the draws of evaluation for normal ones."""
        return self(x, training=False)

    def posterior(self, x: Any) -> Any:
        """p(z | x) of every code, (B, 2^Z), the first bit changing fastest; for binary codes.

        Raises:
            ValueError: for normal codes.
        """
        if self.code != "binary":
            raise ValueError(f"BernoulliGenerator tells p(z | x) of binary codes. Received: code={self.code!r}")
        return ops.softmax(self.log_likelihoods(x, self.codes()), axis=-1)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of x, (n, D): a code, then pixels; the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("BernoulliGenerator.sample", n=n)
        codes, pixels = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        means = ops.cast(self.generate(self.draw_codes(codes, n)), "float64")
        return ops.cast(uniform_noise((n, self.features), pixels, "float64") < means, self.wide_dtype)

    def moments(self) -> dict[str, Any]:
        """{"mean" (D,), "covariance" (D, D)} of x, over the codes of `codes()`.

        E x = E g(z),   Cov x = Cov g(z) + diag E g(z) (1 - g(z))
        """
        g = self.generate(self.codes())
        mean = ops.mean(g, axis=0)
        between = ops.matmul(ops.transpose(g - mean), g - mean) / g.shape[0]
        return {"mean": mean, "covariance": between + ops.diag(ops.mean(g * (1 - g), axis=0))}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        self.likelihood.update_state(y_pred, sample_weight)
        return self.weighted_mean(-y_pred, sample_weight)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.latent), dtype=self.input_dtype, name="z")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        functions: dict[str, Endpoint] = {
            "serving_default": (self.log_prob, [x]),
            "log_prob": (self.log_prob, [x]),
            "generate": (self.generate, [z]),
            "sample": (self.sample, [seed, n]),
        }
        if self.code == "binary":
            functions["posterior"] = (self.posterior, [x])
        return functions

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "latent": self.latent,
            "code": self.code,
            "units": list(self.units),
            "draws": self.draws,
            "activation": keras.activations.serialize(self.activation),
        }
