"""Principal component analysis as a Keras model: the best linear code of K numbers, in closed form."""

import keras
import numpy as np
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.models.latent.closed_form import ClosedFormTraining, value_of
from keras_course.ops.principal_components import from_components, principal_components, to_components

__all__ = ["PCA"]


@register("PCA")
class PCA(ClosedFormTraining, Model):
    """The K directions of greatest variance: encode projects on them, decode comes back.

    z = U (x - m),   x' = U^T z + m
    m = mean of x,   rows of U = eigenvectors of the K greatest eigenvalues v_k of the covariance (divisor n)

    No affine code of K numbers has a smaller mean squared error; a linear autoencoder ends in the same subspace, with
    other coordinates in it. One epoch of `fit` is all there is, whatever the batch size: sums are accumulated over it,
    in float64, and the eigenvectors taken at its end. `compile()` needs no arguments. Before `fit` the components are
    random and the mean is 0.

    `model(x)` and `predict` reconstruct. Metric: `reconstruction_error`, the mean over samples AND features of
    (x' - x)^2, with the parameters of the epoch's beginning.

    Endpoints: serving_default and reconstruct (x), encode (x), decode (z).

    Args:
        components: int, K, from 1 to features.
        features: int, D.
        whiten: whether codes are divided by sqrt(v_k): unit variance along every component. A direction in which the
            data do not vary gets code 0.
        seed: int, of the random components before `fit`.
        **kwargs: as keras.Model (dtype="float64" computes in float64).

    Input shape:
        (B, features).

    Output shape:
        (B, features).

    Raises:
        ValueError: for sizes below 1, more components than features, or a wrong shape.
        InvalidDataError: by `fit`, if there are fewer samples than components, or NaN among them.

    Example:
        >>> x = np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])
        >>> model = PCA(1, 2)
        >>> model.compile()
        >>> history = model.fit(x, verbose=0)
        >>> [round(float(v), 4) for v in model.variances.numpy()], bool(np.allclose(model(x), x, atol=1e-5))
        ([5.3333, 0.0], True)

    Source: C 16.2, 16.2.1; S 9.3.
    """

    parts_name = "components"

    def __init__(self, components, features, whiten=False, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_positive_int("PCA", components=components, features=features)
        if components > features:
            raise ValueError(
                f"PCA has no more components than features. Received: components={components}, features={features}"
            )
        self.count, self.features, self.whiten = components, features, bool(whiten)
        fixed = {"trainable": False, "aggregation": "only_first_replica"}
        self.components = self.add_weight(
            shape=(components, features), name="components",
            initializer=keras.initializers.Orthogonal(seed=derive_seed(seed, "components")), **fixed,
        )  # fmt: skip
        self.mean = self.add_weight(shape=(features,), initializer="zeros", name="mean", **fixed)
        self.variances = self.add_weight(shape=(features,), initializer="ones", name="variances", **fixed)
        self.origin = self.add_weight(shape=(features,), initializer="zeros", name="origin", **fixed)
        self.add_sums(shifts=(features,), seconds=(features, features), sizes=(1,))
        self.error = keras.metrics.Mean(name="reconstruction_error", dtype=self.variable_dtype)
        self.build((None, features))

    @property
    def parts(self):
        return self.count

    def build(self, input_shape):
        require_rank("PCA", input_shape, 2)
        require_features("PCA", input_shape, self.features)
        self.built = True

    def call(self, inputs):
        x = ops.cast(inputs, self.variable_dtype)
        return from_components(to_components(x, self.mean, self.components), self.mean, self.components)

    def encode(self, x):
        """z = U (x - m), (B, components); divided by the standard deviations where whiten is set."""
        z = to_components(ops.cast(x, self.variable_dtype), self.mean, self.components)
        if not self.whiten:
            return z
        scale = self._deviations()
        return ops.where(scale > 0, z / ops.where(scale > 0, scale, ops.ones_like(scale)), ops.zeros_like(z))

    def decode(self, z):
        """x' = U^T z + m, (B, features), for codes as `encode` makes them."""
        z = ops.cast(z, self.variable_dtype)
        return from_components(z * self._deviations() if self.whiten else z, self.mean, self.components)

    def _deviations(self):
        return ops.sqrt(ops.convert_to_tensor(self.variances)[: self.count])

    def reconstruction_errors(self, x):
        """Mean over features of (x' - x)^2, (B,)."""
        x = ops.cast(x, self.variable_dtype)
        return ops.mean(ops.square(self(x) - x), axis=-1)

    def start_from(self, x):
        """Sums are taken around the mean of the first data: far from 0, squares would lose the digits that matter."""
        self.origin.assign(np.mean(x, axis=0, dtype="float64"))

    def train_step(self, data):
        x, y, weight = self.samples(data)

        around = x - self.origin
        seconds = ops.matmul(ops.transpose(around) * weight, around)  # (D, D)
        shifts = ops.matmul(weight[None], around)[0]

        self.accumulate(ops.shape(x)[0], shifts=shifts, seconds=seconds, sizes=ops.sum(weight))

        self.error.update_state(self.reconstruction_errors(x), sample_weight=weight)
        return self.logs(x, y, self.call(x), weight) if y is not None else self.get_metrics_result()

    def update(self, sums):
        """Mean and eigenvectors; there is nothing left for another epoch to find."""
        size = sums["sizes"][0]
        shift = sums["shifts"] / size
        components, variances = principal_components(
            sums["seconds"] / size - np.outer(shift, shift), self.count
        )  # float64
        self.mean.assign(ops.cast(value_of(self.origin).astype("float64") + shift, self.mean.dtype))
        self.components.assign(ops.cast(components, self.components.dtype))
        self.variances.assign(ops.cast(variances, self.variances.dtype))
        return True

    def test_step(self, data):
        x, y, weight = self.samples(data)
        self.error.update_state(self.reconstruction_errors(x), sample_weight=weight)
        return self.logs(x, y, self.call(x), weight)

    def endpoints(self):
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.count), dtype=self.variable_dtype, name="z")
        return {
            "serving_default": (lambda x: self(x, training=False), [x]),
            "reconstruct": (lambda x: self(x, training=False), [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [z]),
        }

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "components": self.count,
            "features": self.features,
            "whiten": self.whiten,
        }
