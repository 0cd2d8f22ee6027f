"""A layer that turns the output of any network into a conditional distribution p(y | x).

    omega(x) = W h(x) + b,   p(y | x) = p(y; omega(x)),   loss = -log p(y | x)

The convention that bites: the layer returns the parameter tensor omega, not a distribution, because a functional
Keras 3 model can only carry tensors; `head.distribution(parameters)` builds the TFP object wherever it is wanted.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import require_features
from keras_course.distributions.families import get_family


@register("DistributionOutput")
class DistributionOutput(keras.layers.Layer):
    """Output layer whose tensor parametrises a distribution over the label: Keras 3's answer to tfp.layers.

        parameters = features W + b        (B, P)
        p(y | x)   = family(parameters)    batch (B,), event (D,), or () for categorical

    | tfp.layers                    | here                                                              |
    |-------------------------------|-------------------------------------------------------------------|
    | IndependentNormal(D)          | DistributionOutput("normal", D)                                   |
    | MultivariateNormalTriL(D)     | DistributionOutput("full_covariance_gaussian", D)                 |
    | IndependentBernoulli(D)       | DistributionOutput("bernoulli", D)                                |
    | IndependentPoisson(D)         | DistributionOutput("poisson", D)                                  |
    | MixtureNormal(M, D)           | DistributionOutput("mixture", D, components=M)                    |
    | DistributionLambda(f)         | a `Family` of your own with `@register_family("name")`            |
    | X.params_size(...)            | DistributionOutput.parameter_size(...)                            |
    | DenseReparameterization, ...  | not here                                                          |

    The parameter layouts are the same, so a network trained under tfp.layers means the same here. The layer computes
    in its variable dtype, at least float32, under mixed precision too: eight bits are too few for a log-scale.

    Args:
        family: name in `FAMILIES` ("normal", "diagonal_gaussian", "full_covariance_gaussian", "bernoulli",
            "categorical", "categorical_levels", "discretized_logistic", "poisson", "mixture"), or a `Family`.
        event_size: int, coordinates D of y; for "categorical" the number of classes K. None: the family's default.
        components: int, number of mixture components M; for "mixture" alone.
        component_family: name or `Family` of the components; for "mixture" alone, default "normal".
        minimum_scale: float, least standard deviation (or Cholesky diagonal), for the Gaussian ones, default 1e-5.
        scale_offset: float, added before the softplus, default 0; log(e - 1) makes a zero parameter a scale of 1.
        project: False leaves out the Dense projection; the previous layer must then have parameter_size units.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer: of the projection.
        **kwargs: as keras.layers.Layer.

    Input shape: (B, ..., features).

    Output shape: (B, ..., parameter_size), in at least float32.

    Raises:
        ValueError: for an unknown family or arguments it does not take; with project=False, for another input width.

    Example:
        >>> inputs = keras.Input((3,))
        >>> hidden = keras.layers.Dense(16, activation="tanh")(inputs)
        >>> head = DistributionOutput("mixture", event_size=1, components=3)
        >>> model = keras.Model(inputs, head(hidden))
        >>> parameters = model(keras.ops.ones((5, 3)))
        >>> tuple(parameters.shape), tuple(head.quantile(parameters, [0.1, 0.9]).shape)
        ((5, 9), (2, 5, 1))
        >>> head.distribution(parameters).event_shape.as_list()
        [1]

    Source: C 4.3.1.
    """

    def __init__(
        self,
        family: Any,
        event_size: int | None = None,
        components: int | None = None,
        component_family: Any = None,
        minimum_scale: float | None = None,
        scale_offset: float | None = None,
        project: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        policy = keras.dtype_policies.get(kwargs.pop("dtype", None) or keras.config.dtype_policy())
        wide = policy.variable_dtype if policy.variable_dtype in ("float32", "float64") else "float32"
        super().__init__(dtype=wide, **kwargs)
        self.family = get_family(
            family,
            event_size,
            components=components,
            component_family=component_family,
            minimum_scale=minimum_scale,
            scale_offset=scale_offset,
        )
        self.project = bool(project)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.projection = None
        if self.project:
            self.projection = keras.layers.Dense(
                self.family.parameter_size,
                kernel_initializer=self.kernel_initializer,
                bias_initializer=self.bias_initializer,
                kernel_regularizer=self.kernel_regularizer,
                bias_regularizer=self.bias_regularizer,
                dtype=wide,
                name="projection",
            )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"DistributionOutput needs inputs (B, ..., features) with known features. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        if self.projection is not None:
            self.projection.build(input_shape)
        else:
            require_features("DistributionOutput with project=False", input_shape, self.family.parameter_size)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs if self.projection is None else self.projection(inputs)  # (B, ..., P)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.family.parameter_size)

    @staticmethod
    def parameter_size(family: Any, event_size: int | None = None, **options: Any) -> int:
        """P, the units that the layer before a head with project=False must have.

        Args:
            family, event_size, **options: as the layer's (components, component_family).

        Example:
            >>> DistributionOutput.parameter_size("mixture", 2, components=3, component_family="diagonal_gaussian")
            15
        """
        return get_family(family, event_size, **options).parameter_size

    def start_at(self, labels: Any) -> None:
        """Sets the bias so that, where features are 0, p(y | x) is the labels' own distribution.

        Mixture components start on equal shares of the labels, sorted by their first coordinate: apart from each other,
        as they must be to learn different things.

        Args:
            labels: array (N, *event_shape), N >= 1, for example the training labels.

        Raises:
            ValueError: if the layer has no bias of its own (project=False) or is not built.
        """
        if self.projection is None or not self.built:
            raise ValueError(
                f"start_at needs a built layer with a projection. Received: project={self.project}, built={self.built}"
            )
        self.projection.bias.assign(self.family.parameters_of(labels))

    def distribution(self, parameters: Any) -> Any:
        """The TFP distribution, built anew on every call.

        Args:
            parameters: tensor (B, ..., P), as the layer returns it.

        Returns:
            tfp.distributions.Distribution: batch_shape (B, ...), event_shape (D,), or () for categorical.
        """
        return self.family.distribution(parameters)

    def mean(self, parameters: Any) -> Any:
        """E[y | x], (B, ..., D). ValueError for categorical."""
        return self.family.mean(parameters)

    def mode(self, parameters: Any) -> Any:
        """Most probable y, (B, ..., D), for categorical (B, ...). ValueError for mixtures of non-Gaussian families."""
        return self.family.mode(parameters)

    def stddev(self, parameters: Any) -> Any:
        """Standard deviation of each coordinate, (B, ..., D). ValueError for categorical."""
        return self.family.stddev(parameters)

    def quantile(self, parameters: Any, q: Any) -> Any:
        """q-quantile of each coordinate's marginal, (*q.shape, B, ..., D). ValueError for categorical."""
        return self.family.quantile(parameters, q)

    def sample(self, parameters: Any, seed: Any, n: Any = None) -> Any:
        """Draws, (B, ..., D), or (n, B, ..., D), n >= 0: the same for the same seed (int, or integer tensor (2,))."""
        return self.family.sample(parameters, seed, n)

    def log_prob(self, parameters: Any, y: Any) -> Any:
        """log p(y | x) in nats, (B, ...); -inf for labels outside the support; y as the loss takes it."""
        return self.family.log_prob(parameters, y)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "family": keras.saving.serialize_keras_object(self.family),
            "project": self.project,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }
