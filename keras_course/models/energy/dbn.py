"""The deep belief network: directed layers of binary units under a restricted Boltzmann machine.

    P(v, h^1 .. h^L) = P_top(h^(L-1), h^L) prod_l P(h^(l-1) | h^l),   P(h^(l-1)_i = 1 | h^l) = sigmoid(a_i + (G h^l)_i)
    Q(h^l_j = 1 | h^(l-1)) = sigmoid(r_j + (h^(l-1) R)_j)
    pretrain:  RBMs one after the other from below, G = R = W of each
    wake:      h^l ~ Q upwards from x;  G, a climb log P(h^(l-1) | h^l);  the top learns the density of h^(L-1)
    sleep:     h^(L-1) of the top's chains, dreamt down by P;  R, r climb log Q(h^l | h^(l-1)) of what was dreamt

With classes the top's visible side is (h^(L-1), y), of the class units y one on: P(y | x) = P_top(y | h^(L-1)).

Conventions that bite. `loss` in training is the sum of what the three parts of the network follow, no likelihood; it
may well rise. In evaluation it is the cross-entropy of x and its reconstruction by one pass of means up and down, nats.
Means over examples; sums over units.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, seed_pair
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.models.class_labels import one_hot_classes
from keras_course.models.energy.belief_density import BeliefDensity
from keras_course.models.energy.binary_machine import BinaryMachine
from keras_course.models.energy.chains import decision_noise, rows_of, there_after
from keras_course.models.energy.class_units import ClassRBM, ToldClasses
from keras_course.models.energy.greedy import trained_levels
from keras_course.models.energy.rbm import RBM
from keras_course.ops.boltzmann import MOST_ENUMERATED, rbm_hidden_logits, rbm_visible_parameters
from keras_course.ops.deep_belief import MOST_TABULATED, units_log_prob

__all__ = ["DBN"]


@register("DBN")
class DBN(ToldClasses, BeliefDensity, BinaryMachine):
    """A density of binary vectors in layers, each a cause of the one below.

    `pretrain` trains the layers greedily; `fit` tunes all of them by the up-down algorithm, in which `compile()` takes
    an optimizer, no loss. `model(x)` and `predict` give the features of the last layer by one pass of means.
    `classifier` puts a softmax on them, to be trained by backpropagation. Metric: `reconstruction_error`, the squared
    error of `reconstruct`, a mean over units and examples (in training of E[v | h^1] at the drawn h^1, which is
    worse).

    With `classes`, fit(x, y) and pretrain(x, epochs, y=y): the top learns features and classes together, `classify`
    tells P(y | x) from the free energy of each class, `sample_class` holds the class while the top is swept;
    `log_prob`, `bound` and `sampled_bound` are those of x, or with y those of (x, y). Metric `accuracy`: of `classify`,
    in training at the drawn h^(L-1). `model(x)` then hears the means of P(y | x), too.

    Endpoints: serving_default and encode (x), decode (h), reconstruct (x), sample (seed, n), and log_prob (x) where
    all directed layers have at most 12 units and the top a side of at most 20; with classes classify (x) and
    sample_class (seed, labels).

    Args:
        features: int D, visible units.
        units: ints H_1 .. H_L, hidden units; two layers or more, of which the last two are the top machine.
        gibbs_steps: int, sweeps of the top in a training step.
        chains: None for contrastive divergence in the top (its chains start at what the data say), or the number of
            persistent chains, whose states are weights of the model: saved, resumed, the same on every replica.
        sampling_steps: int, sweeps of the top from fair coins to a sample.
        kernel_scale: float > 0, deviation of the first kernels.
        classes: int K >= 2, class units of the top, or None.
        seed: int, root of weights, chains and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, D), values in [0, 1].

    Output shape:
        (B, H_L).

    Raises:
        ValueError: for impossible sizes, or a loss in `compile`.
        InvalidDataError: in fit and evaluate, for an array with values outside [0, 1].

    Example:
        >>> model = DBN(features=4, units=(3, 2))
        >>> x = ops.ones((2, 4))
        >>> tuple(model(x).shape), tuple(model.sample(seed=1, n=5).shape), tuple(model.log_prob(x).shape)
        ((2, 2), (5, 4), (2,))

    Source: R; Hinton, Osindero and Teh 2006.
    """

    own_loss = "the up-down algorithm's"

    def __init__(
        self,
        features: int,
        units: Sequence[int],
        gibbs_steps: int = 1,
        chains: int | None = None,
        sampling_steps: int = 500,
        kernel_scale: float = 0.01,
        classes: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        units = list(units)
        require_positive_int("DBN", features=features, **{f"units[{n}]": size for n, size in enumerate(units)})
        if len(units) < 2:
            raise ValueError(f"DBN needs two hidden layers or more; one is an RBM. Received: units={units}")
        self.features, self.units = features, units
        self.event_shape = (features,)
        self.kernel_scale = float(kernel_scale)
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")
        if classes is not None and (isinstance(classes, bool) or not isinstance(classes, int) or classes < 2):
            raise ValueError(f"DBN needs two classes or more, or None. Received: classes={classes!r}")
        self.classes = classes
        self.accuracy_mean = keras.metrics.Mean(name="accuracy") if classes else None
        machine = RBM if classes is None else partial(ClassRBM, classes=classes)
        self.top = machine(
            units[-2], units[-1], gibbs_steps=gibbs_steps, chains=chains, sampling_steps=sampling_steps,
            kernel_scale=kernel_scale, seed=derive_seed(seed, "top"), dtype=self.dtype_policy, name="top",
        )  # fmt: skip
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        sizes = [self.features, *self.units[:-1]]
        self.generative, self.recognition = [], []
        for layer, (below, above) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
            # One initializer for both: every layer starts tied, as an untrained RBM.
            seed = derive_seed(self.seed, "kernel", layer)
            for pairs, way, size in ((self.generative, "generative", below), (self.recognition, "recognition", above)):
                start = keras.initializers.RandomNormal(0.0, self.kernel_scale, seed=seed)
                kernel = self.add_weight(shape=(below, above), initializer=start, name=f"{way}_kernel_{layer}")
                bias = self.add_weight(shape=(size,), initializer="zeros", name=f"{way}_bias_{layer}")
                pairs.append((kernel, bias))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """P(h^L = 1) by one pass of means, (B, H_L)."""
        return self.encode(inputs)

    def encode(self, x: Any) -> Any:
        """P(h^L = 1) by one pass of means, (B, H_L)."""
        return self.layer_means(x)[-1]

    def layer_means(self, x: Any) -> list[Any]:
        """The means of every hidden layer, each given the means of the one below: tensors (B, H_1) .. (B, H_L)."""
        h, found = ops.cast(self.checked(x), self.variable_dtype), []
        for kernel, bias in self.recognition:
            h = ops.sigmoid(rbm_hidden_logits(h, kernel, bias))
            found.append(h)
        return [*found, self.top.encode(h if self.classes is None else self.joined(h, self.class_probs(h)))]

    def decode(self, h: Any) -> Any:
        """E[v] by one pass of means down from h^L, (B, H_L) in [0, 1] -> (B, D)."""
        return self._means_below(self.top.decode(h)[:, : self.units[-2]])

    def reconstruct(self, x: Any) -> Any:
        """E[v] by one pass of means up and down, the top left out, (B, D)."""
        return self._means_below(self.layer_means(x)[-2])

    def _means_below(self, h: Any) -> Any:
        for kernel, bias in reversed(self.generative):
            h = ops.sigmoid(rbm_visible_parameters(h, kernel, bias))
        return h

    def recognised(self, x: Any, noise: Sequence[Any]) -> list[Any]:
        """v, h^1 .. h^(L-1) ~ Q(. | x), at uniform numbers (B, H_1) .. (B, H_(L-1))."""
        layers = [ops.cast(x, self.variable_dtype)]
        for (kernel, bias), uniforms in zip(self.recognition, noise, strict=True):
            told = ops.sigmoid(rbm_hidden_logits(layers[-1], kernel, bias))
            layers.append(ops.cast(uniforms < told, told.dtype))
        return layers

    def dreamt(self, h: Any, noise: Sequence[Any]) -> list[Any]:
        """v, h^1 .. h^(L-1) ~ P(. | h^(L-1) = h), at uniform numbers (B, D), (B, H_1) .. (B, H_(L-2))."""
        layers = [h]
        for (kernel, bias), uniforms in zip(reversed(self.generative), reversed(noise), strict=True):
            told = ops.sigmoid(rbm_visible_parameters(layers[0], kernel, bias))
            layers.insert(0, ops.cast(uniforms < told, told.dtype))
        return layers

    def wake_losses(self, layers: Sequence[Any]) -> Any:
        """-sum_l log P(h^(l-1) | h^l) of layers that are held fixed, (B,): what the generative kernels follow."""
        return -sum(
            units_log_prob(below, rbm_visible_parameters(above, kernel, bias))
            for below, above, (kernel, bias) in zip(layers[:-1], layers[1:], self.generative, strict=True)
        )

    def sleep_losses(self, layers: Sequence[Any]) -> Any:
        """-sum_l log Q(h^l | h^(l-1)) of layers that are held fixed, (B,): what the recognition kernels follow."""
        return -sum(
            units_log_prob(above, rbm_hidden_logits(below, kernel, bias))
            for below, above, (kernel, bias) in zip(layers[:-1], layers[1:], self.recognition, strict=True)
        )

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        x = ops.cast(x, self.variable_dtype)
        if not training:
            means = self.reconstruct(x)
            if self.classes is not None:
                self.count_right(self.layer_means(x)[-2], y, sample_weight)
            self.reconstruction_error.update_state(ops.mean(ops.square(x - means), axis=-1), sample_weight)
            return self.weighted_mean(self.cross_entropies(x, means), sample_weight)

        rows = ops.shape(x)[0]
        start, total = self.share_of_batch(rows)
        noise = decision_noise(total, tuple(self.units[:-1]), self.step_seed("wake"), self.wide_dtype)
        layers = [ops.stop_gradient(each) for each in self.recognised(x, rows_of(noise, start, rows, total))]
        kernel, bias = self.generative[0]
        means = ops.sigmoid(rbm_visible_parameters(layers[1], kernel, bias))
        self.reconstruction_error.update_state(ops.mean(ops.square(x - means), axis=-1), sample_weight)

        shown = layers[-1]
        if self.classes is not None:
            right = self.count_right(shown, y, sample_weight)
            (shown,) = there_after([right], [shown])
            shown = self.joined(shown, one_hot_classes("DBN", y, self.classes, shown.dtype))
        told = ops.stop_gradient(self.top.hidden_logits(shown))
        h, logits, _ = (ops.stop_gradient(each) for each in self.top.negative_phase(told, self.step_seed("top")))
        contrast = self.top.contrast(shown, told, h, logits, sample_weight)

        sizes = (self.features, *self.units[:-2])
        if self.top.chains is None:
            noise = rows_of(decision_noise(total, sizes, self.step_seed("sleep"), self.wide_dtype), start, rows, total)
        else:
            noise = decision_noise(self.top.chains, sizes, self.step_seed("sleep"), self.wide_dtype)
        (h,) = there_after([*layers, means], [h[:, : self.units[-2]]])
        dreamt = [ops.stop_gradient(each) for each in self.dreamt(h, noise)]
        layers = there_after(dreamt, layers)
        rest = contrast + ops.mean(self.sleep_losses(dreamt))
        return self.weighted_mean(self.wake_losses(layers), sample_weight) + self.mean_over_rows(rest)

    def pretrain(
        self, x: Any, epochs: int, batch_size: int = 32, optimizer: Any = "adam", verbose: Any = 0, y: Any = None
    ) -> list[list[float]]:
        """Trains the layers one after the other as restricted machines, each on what the one below makes of x.

        Args:
            x: array (N, D) in [0, 1].
            epochs: int, of each layer.
            batch_size: int.
            optimizer: name of an optimizer, or a function without arguments that makes one.
            verbose: as keras.Model.fit.
            y: array (N,), with classes.

        Returns:
            The reconstruction errors of every layer's epochs, outermost first.

        Raises:
            ValueError: for a wrong shape.
            InvalidDataError: for values outside [0, 1].
        """
        self.require_possible(x)
        one_hot = None
        if self.classes is not None:
            self.require_labels(y)
            one_hot = np.eye(self.classes, dtype="float32")[np.reshape(y, (-1,)).astype(int)]
        machines, errors = trained_levels(
            x, self.units, [(1.0, 1.0)] * len(self.units), epochs, batch_size, optimizer, verbose, one_hot,
            gibbs_steps=self.top.gibbs_steps, chains=self.top.chains, kernel_scale=self.kernel_scale, seed=self.seed,
            dtype=self.dtype_policy,
        )  # fmt: skip
        for machine, (down, low), (up, high) in zip(machines, self.generative, self.recognition, strict=False):
            for weight in (down, up):
                weight.assign(machine.kernel)
            low.assign(machine.visible_bias)
            high.assign(machine.hidden_bias)
        for own, trained in zip(self.top.weights, machines[-1].weights, strict=True):
            own.assign(trained)
        return errors

    def classifier(self, classes: int) -> keras.Sequential:
        """A softmax on copies of the recognition layers and of the top's hidden units: train it by backpropagation.

        Args:
            classes: int K.

        Returns:
            keras.Sequential (B, D) -> logits (B, K), for a loss on logits; compile and fit it as any other.
        """
        require_positive_int("classifier", classes=classes)
        self.require_untold("classifier")
        pairs = [*self.recognition, (self.top.kernel, self.top.hidden_bias)]
        hidden = [keras.layers.Dense(size, "sigmoid", dtype=self.dtype_policy) for size in self.units]
        start = keras.initializers.GlorotUniform(seed=derive_seed(self.seed, "classifier"))
        head = keras.layers.Dense(classes, kernel_initializer=start, dtype=self.dtype_policy)
        network = keras.Sequential([keras.Input((self.features,)), *hidden, head])
        for layer, (kernel, bias) in zip(hidden, pairs, strict=True):
            layer.kernel.assign(kernel)
            layer.bias.assign(bias)
        return network

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of v, (n, D): Gibbs sweeps in the top, then one pass down; the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("DBN.sample", n=n)
        above, below = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        return self._drawn_below(self.top.sample(above, n), n, below)

    def sample_class(self, seed: Any, labels: Any) -> Any:
        """Draws of v given a class each, (n, D), for labels (n,): the top is swept with the class held."""
        self.require_told("sample_class")
        one_hot = one_hot_classes("DBN", labels, self.classes, self.wide_dtype)
        above, below = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        return self._drawn_below(self.top.sample_class(above, one_hot), ops.shape(one_hot)[0], below)

    def _drawn_below(self, h: Any, n: Any, seed: Any) -> Any:
        noise = decision_noise(n, (self.features, *self.units[:-2]), seed, self.wide_dtype)
        return self.dreamt(h[:, : self.units[-2]], noise)[0]

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        h = keras.InputSpec(shape=(None, self.units[-1]), dtype=self.input_dtype, name="h")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        functions: dict[str, Endpoint] = {
            "serving_default": (self.encode, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [h]),
            "reconstruct": (self.reconstruct, [x]),
            "sample": (self.sample, [seed, n]),
        }
        if self.classes is not None:
            labels = tf.TensorSpec((None,), "int32", name="labels")
            functions["classify"] = (self.classify, [x])
            functions["sample_class"] = (self.sample_class, [seed, labels])
        if max(self.units[:-1]) <= MOST_TABULATED and min(self.units[-2:]) <= MOST_ENUMERATED:
            functions["log_prob"] = (self.log_prob, [x])
        return functions

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.units[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "units": list(self.units),
            "gibbs_steps": self.top.gibbs_steps,
            "chains": self.top.chains,
            "sampling_steps": self.top.sampling_steps,
            "kernel_scale": self.kernel_scale,
            "classes": self.classes,
        }
