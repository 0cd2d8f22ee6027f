"""MADE: an autoencoder whose masks make it a product of conditionals, all of them from one pass.

    p_k(x) = prod_d p(x_d | variables before d in order k),   each factor's parameters from a masked network
    p(x)   = 1/K sum_k p_k(x)                                 K mask sets of the same kernels
    loss   = mean over examples of -log p_k(x) in step k, k + K, ... of training;  -log p(x) in evaluation

Conventions that bite. With K > 1 the model is the mixture of its mask sets: `log_prob`, evaluation and samples are of
the mixture, and the loss of training is that of one set a step, greater on average. Log-likelihoods are summed over
variables and averaged over examples: nats an example, densities for real x.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.scale_watch import ScaleWatch
from keras_course.core.loops import while_loop
from keras_course.core.model import Endpoint
from keras_course.core.seeds import fold_in, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.distributions.families import Categorical, Family, get_family
from keras_course.layers.autoregressive import MaskedMLP
from keras_course.models.generative_model import GenerativeModel

__all__ = ["MADE"]


@register("MADE")
class MADE(GenerativeModel):
    """A density of D variables by a masked autoencoder.

        log p(x) = log 1/K sum_k prod_d p(x_d | x[before d in order k])

    `model(x)` and `predict` give log p(x). `compile()` takes an optimizer, no loss. Metric: `log_likelihood`, nats an
    example. Training takes the mask sets in turn, by `optimizer.iterations`, so that a resumed run goes on with the
    set that comes next. A sigma that runs to 0 is reported by `callbacks.ScaleWatch`, which `fit` brings.

    Endpoints: serving_default and log_prob (x), conditionals (x: the parameters of p(x_d | before d) in the first mask
    set), sample (seed, n).

    Args:
        features: int D.
        family: p(x_d | before d): "bernoulli" for x of 0 and 1, "normal" for real x, or a `Family` of one value,
            `Categorical(K)` (x of classes 0 ... K - 1, told to the network as zeros and a one) or a mixture, say.
        units: ints, widths of the hidden layers.
        order: "forward" (variable 0 first), "backward", "random", or the variables, first to last.
        degrees: of hidden units: "even" or "random".
        masks: int K, mask sets. order="random" trains a model of K orders, degrees="random" alone one of K
            connectivities of the same order.
        direct: bool, direct connections from x to the parameters.
        activation: of the hidden layers.
        seed: int, root of kernels, orders and degrees.
        **kwargs: as keras.Model.

    Input shape:
        (B, D).

    Output shape:
        (B,), log p(x).

    Raises:
        ValueError: for sizes below 1, a family of several values, an impossible order, or a loss in `compile`.
        InvalidDataError: by `fit` and `evaluate`, for NaN or values that the family calls impossible.

    Example:
        >>> model = MADE(features=4, units=(8,), order="random", masks=3)
        >>> x = ops.ones((2, 4))
        >>> tuple(model(x).shape), tuple(model.conditionals(x).shape), tuple(model.sample(seed=1, n=5).shape)
        ((2,), (2, 4, 1), (5, 4))

    Source: R; Germain et al. 2015.
    """

    def __init__(
        self,
        features: int,
        family: Any = "bernoulli",
        units: Any = (64,),
        order: Any = "forward",
        degrees: str = "even",
        masks: int = 1,
        direct: bool = False,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("MADE", features=features)
        self.features, self.event_shape = features, (features,)
        self.family: Family = get_family(family)
        if self.family.event_shape not in ((), (1,)):
            raise ValueError(f"MADE needs a family of one value, for each variable. Received: family={self.family!r}")
        self.classes = self.family.event_size if isinstance(self.family, Categorical) else None
        self.network = MaskedMLP(
            features, self.family.parameter_size, units, order=order, degrees=degrees, masks=masks, direct=direct,
            activation=activation, inputs=self.classes or 1, seed=seed, dtype=self.dtype_policy, name="network",
        )  # fmt: skip
        self.log_likelihood = keras.metrics.Mean(name="log_likelihood")
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        self.network.build()
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """log p(x), (B,); in training log p_k(x) of this step's mask set, for the loss."""
        return self.log_prob_of_masks(inputs, self.step_masks()) if training else self.log_prob(inputs)

    def step_masks(self) -> Any:
        """Number k of the mask set that this step trains."""
        optimizer = getattr(self, "optimizer", None)
        if self.network.masks == 1 or optimizer is None:
            return 0
        return ops.cast(optimizer.iterations, "int32") % self.network.masks

    def log_prob(self, x: Any) -> Any:
        """log p(x), (B,): of the mixture of all mask sets."""
        if self.network.masks == 1:
            return self.log_prob_of_masks(x, 0)
        each = self.log_prob_of_masks(x, ops.arange(self.network.masks, dtype="int32"))  # (K, B)
        return ops.logsumexp(each, axis=0) - math.log(self.network.masks)

    def log_prob_of_masks(self, x: Any, which: Any) -> Any:
        """log p_k(x), (B,), of one mask set k; of several, (S,), at once: (S, B)."""
        parameters = self.conditionals(x, which)  # (..., B, D, P)
        x = ops.broadcast_to(ops.cast(x, parameters.dtype), ops.shape(parameters)[:-1])
        values = x if self.family.event_shape == () else ops.expand_dims(x, -1)
        return ops.sum(self.family.log_prob(parameters, values), axis=-1)

    def conditionals(self, x: Any, which: Any = 0) -> Any:
        """The parameters of p(x_d | before d), (B, D, P), of mask set `which`; of several, (S,): (S, B, D, P)."""
        told = self.told(self.checked(x))
        if len(getattr(which, "shape", ())):
            told = ops.expand_dims(told, 0)
        return self.widened(self.network(told, which=which))

    def told(self, x: Any) -> Any:
        """x as the network reads it: classes as zeros and a one, (..., D K)."""
        if self.classes is None:
            return ops.cast(x, self.compute_dtype)
        one_hot = ops.one_hot(ops.cast(x, "int32"), self.classes, dtype=self.compute_dtype)  # (..., D, K)
        return ops.reshape(one_hot, (*ops.shape(x)[:-1], self.features * self.classes))

    def widened(self, parameters: Any) -> Any:
        """In at least float32, where densities are sums of many logarithms."""
        return ops.cast(parameters, self.variable_dtype)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of x, (n, D), each in the order of a mask set drawn for it; the same for the same seed.

        Variable by variable, so D passes; with K > 1 the cut kernels of all n draws are in memory at a time.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("MADE.sample", n=n)
        sets, draws = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        network, bank = self.network, tf.constant(self.network.input_degrees)  # (K, D)
        if network.masks == 1:
            which: Any = 0
            degrees = tf.repeat(bank, n, axis=0)  # (n, D)
        else:
            which = tf.cast(uniform_noise((n,), sets) * float(network.masks), "int32")
            degrees = tf.gather(bank, which)
        kernels = network.masked_kernels(which)

        def next_variable(place: Any, x: Any) -> Any:
            told = self.told(x)
            if network.masks > 1:
                told = told[:, None]  # each draw by kernels of its own
            outputs = network.by_variable(network.respond(told, kernels))  # (n, [1,] D, P)
            parameters = self.widened(tf.reshape(outputs, (-1, self.features, network.outputs)))
            its = tf.cast(degrees == place, parameters.dtype)  # (n, D), a one in each row
            value = self.family.sample(tf.einsum("nd,ndp->np", its, parameters), fold_in(draws, place))
            value = tf.reshape(tf.cast(value, x.dtype), (-1, 1))
            return place + 1, tf.where(degrees == place, value, x)

        x = tf.zeros((n, self.features), self.variable_dtype)
        return while_loop(lambda place, _: place <= self.features, next_variable, (1, x))[1]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        self.log_likelihood.update_state(y_pred, sample_weight)
        return self.weighted_mean(-y_pred, sample_weight)

    @property
    def wanted(self) -> str:
        return f"finite x that its {self.family.name} family can produce"

    def possible(self, values: np.ndarray) -> np.ndarray:
        finite = np.isfinite(values)
        supported = self.family.in_support(np.where(finite, values, self.family.support_point))
        return finite & np.asarray(supported)

    def watches(self, x: Any) -> tuple[Any, ...]:
        return (ScaleWatch(x if isinstance(x, np.ndarray | tf.Tensor) else None),)

    def conditional_scale(self, x: Any) -> Any:
        """The narrowest sigma of p(x_d | before d), (K, B, D), K mask sets; None where x is discrete."""
        if not self.family.continuous or not self.family.defines("stddev"):
            return None
        parameters = self.conditionals(x, ops.arange(self.network.masks, dtype="int32"))
        return self.family.narrowest_scale(parameters)[..., 0]

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        return {
            "serving_default": (self.log_prob, [x]),
            "log_prob": (self.log_prob, [x]),
            "conditionals": (self.conditionals, [x]),
            "sample": (self.sample, [seed, n]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        network = self.network.get_config()
        shared = ("units", "order", "degrees", "masks", "direct", "activation")
        return {
            **super().get_config(),
            "features": self.features,
            "family": keras.saving.serialize_keras_object(self.family),
            **{name: network[name] for name in shared},
        }
