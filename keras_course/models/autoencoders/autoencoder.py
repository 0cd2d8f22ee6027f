"""The autoencoder: a network that copies its input to its output through a code.

    h = f(x),   r = g(h),   J = mean over examples of L(x, g(f(x))) + Omega(x, h)
    L = |x - r|^2                                            likelihood "squared"
    L = -sum_j x_j log r_j + (1 - x_j) log(1 - r_j)          likelihood "bernoulli", r = sigmoid of the last layer

Conventions that bite. L is a sum over the values of x, J a mean over examples; so a penalty's weight is per example.
The metric `reconstruction_error` is the MEAN over values of (x - r)^2, whatever L is: it compares across models. Both
likelihoods are -log p(x | h) up to constants: of a Gaussian of variance 1/2, and of Bernoulli values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, normal_noise, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.layers.sub_networks import require_shape
from keras_course.models.autoencoders.dense_coder import DenseCoder
from keras_course.ops.dropout import drop_units, dropout_mask, require_rate
from keras_course.ops.noise import require_stddev
from keras_course.ops.reconstruction import bernoulli_errors, mean_squared_errors, squared_errors

__all__ = ["Autoencoder"]

LIKELIHOODS = {"squared": squared_errors, "bernoulli": bernoulli_errors}


@register("Autoencoder")
class Autoencoder(Model):
    """Code and reconstruction, any encoder and decoder; base of the regularised ones of this folder.

    J = mean_i L(x_i, g(f(x_i)))

    `model(x)` and `predict` reconstruct. `fit(x)` needs no labels; a y that comes is not looked at. `compile()` takes
    an optimizer, no loss. With linear activations and squared errors the code spans the subspace of the principal
    components (`PCA`), in other coordinates. `pretrain` trains the layers one after the other before `fit` trains all.

    Noise on the code in training makes the encoder stochastic, p(h | x) = N(f(x), code_noise^2); dropout leaves code
    units out. Both are drawn from (seed, step), so a resumed run repeats them and replicas share them.

    Endpoints: serving_default and reconstruct (x), encode (x), decode (z).

    Args:
        shape: int D or tuple, the shape of one x.
        code: int, width of the code.
        units: sequence of ints, widths of the dense layers between x and code; the decoder has them in reverse.
        activation: of those layers.
        code_activation: of the code; None is linear.
        output_activation: of the reconstruction, for "squared"; None is linear.
        tied: whether the decoder's kernels are the encoder's, transposed.
        encoder, decoder: Keras layers or models instead of the dense layers, x -> (B, code) and code -> (B, *shape);
            both or none.
        likelihood: "squared" or "bernoulli" (x in [0, 1]; the decoder's last layer gives logits).
        code_noise: float >= 0, standard deviation of Gaussian noise on the code in training.
        dropout: float in [0, 1), share of code units left out in training.
        seed: int, root of weights and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B, *shape), the reconstruction.

    Raises:
        ValueError: for sizes below 1, networks that do not fit, tied weights of given networks, a loss in `compile`.

    Example:
        >>> model = Autoencoder(6, code=2, units=(4,), tied=True)
        >>> x = ops.ones((3, 6))
        >>> tuple(model(x).shape), tuple(model.encode(x).shape), len(model.trainable_weights)
        ((3, 6), (3, 2), 6)

    Source: C 16.1, 16.2, 16.3; R; S 9.3.
    """

    def __init__(
        self,
        shape: Any,
        code: int,
        units: Sequence[int] = (),
        activation: Any = "relu",
        code_activation: Any = None,
        output_activation: Any = None,
        tied: bool = False,
        encoder: Any = None,
        decoder: Any = None,
        likelihood: str = "squared",
        code_noise: float = 0.0,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        who = type(self).__name__
        self.event_shape = require_shape(who, shape)
        self.units = (units,) if isinstance(units, int) else tuple(units)
        require_positive_int(who, code=code, **{f"units[{level}]": width for level, width in enumerate(self.units)})
        require_one_of(who, LIKELIHOODS, likelihood=likelihood)
        require_stddev(who, code_noise)
        require_rate(who, dropout)
        if (encoder is None) != (decoder is None) or (encoder is not None and (self.units or tied)):
            raise ValueError(
                f"{who} takes both encoder and decoder, untied and without units, or neither. Received: "
                f"encoder={encoder!r}, decoder={decoder!r}, units={self.units}, tied={tied}"
            )
        if likelihood == "bernoulli" and output_activation not in (None, "linear"):
            raise ValueError(
                f"{who} puts a sigmoid on the logits of a bernoulli likelihood itself. "
                f"Received: output_activation={output_activation!r}"
            )
        self.code, self.tied, self.likelihood = code, bool(tied), likelihood
        self.code_noise, self.dropout = float(code_noise), float(dropout)
        self.activation = keras.activations.get(activation)
        self.code_activation = keras.activations.get(code_activation)
        self.output_activation = keras.activations.get(output_activation)
        self.encoder, self.decoder, self.coder = encoder, decoder, None
        if encoder is None:
            self.coder = DenseCoder(
                math.prod(self.event_shape), (*self.units, code),
                [*[self.activation] * len(self.units), self.code_activation, self.output_activation],
                self.tied, seed, dtype=self.dtype_policy, name="coder",
            )  # fmt: skip
        self.error = keras.metrics.Mean(name="reconstruction_error")
        self.build((None, *self.event_shape))

    def build(self, input_shape: Any = None) -> None:
        if self.coder is not None:
            self.coder.build((None, math.prod(self.event_shape)))
        else:
            x = keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype)
            h = self.encoder(x)
            r = self.decoder(h)
            if tuple(h.shape)[1:] != (self.code,) or tuple(r.shape)[1:] != self.event_shape:
                raise ValueError(
                    f"{type(self).__name__} needs an encoder to (B, {self.code}) and a decoder back to "
                    f"{(None, *self.event_shape)}. Received: {tuple(h.shape)} and {tuple(r.shape)}"
                )
        self.built = True

    def call(self, inputs: Any) -> Any:
        # Without noise and in inference mode, in training too: there it only serves metrics, and graphs leave it out.
        return self.decode(self.encode(inputs))

    def encode(self, x: Any, training: bool = False) -> Any:
        """The code f(x), (B, code), of x (B, *shape)."""
        x = self._checked(x)
        if self.coder is None:
            return self.encoder(x, training=training)
        return self.coder.encode(ops.reshape(x, (-1, math.prod(self.event_shape))))

    def decode(self, z: Any) -> Any:
        """The reconstruction g(h), (B, *shape), of codes z (B, code)."""
        return self.mean_of(self.output_of(ops.cast(z, self.compute_dtype)))

    def output_of(self, code: Any, training: bool = False) -> Any:
        """What the decoder's last layer gives, (B, *shape): the reconstruction, or its logits."""
        if self.coder is None:
            return self.decoder(code, training=training)
        return ops.reshape(self.coder.decode(code), (-1, *self.event_shape))

    def mean_of(self, output: Any) -> Any:
        """The reconstruction from `output_of`."""
        return ops.sigmoid(output) if self.likelihood == "bernoulli" else output

    def errors(self, x: Any, output: Any) -> Any:
        """L(x, r) of each row, (B,)."""
        return LIKELIHOODS[self.likelihood](x, output)

    def examples(self, x: Any, training: bool) -> tuple[Any, Any]:
        """(what is to come out, what goes in): the same here; R rows of each for one of x where R > 1 are averaged."""
        return x, x

    def penalties(self, seen: Any, code: Any, training: bool) -> Any:
        """Omega of each row (B,), or None; for models that have one."""
        return None

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        if loss is not None:
            raise ValueError(f"{type(self).__name__} brings its own loss: choose a likelihood. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        rows = ops.shape(x)[0]
        wanted, seen = self.examples(self._checked(x), training)

        code = self.encode(seen, training)
        output = self.output_of(self._disturbed(code, rows) if training else code, training)
        costs = self.errors(wanted, output)
        penalties = self.penalties(seen, code, training)
        if penalties is not None:
            costs = costs + penalties
        found = mean_squared_errors(wanted, self.mean_of(output))
        costs, found = (ops.mean(ops.reshape(each, (-1, rows)), axis=0) for each in (costs, found))  # (B,)
        if sample_weight is not None:
            costs = costs * ops.reshape(ops.cast(sample_weight, costs.dtype), (-1,))

        self.error.update_state(found, sample_weight)
        return self.mean_over_rows(costs) + sum(self._aggregate_additional_loss(penalty) for penalty in self.losses)

    def _disturbed(self, code: Any, rows: Any) -> Any:
        """The code under this step's noise and dropout."""
        first, total = self.share_of_batch(rows)
        if self.code_noise:
            noise = normal_noise((total, self.code), self.step_seed("code noise"))[first : first + rows]
            code = code + self.code_noise * ops.cast(noise, code.dtype)
        if self.dropout:
            drawn = uniform_noise((total, self.code), self.step_seed("dropout"))[first : first + rows]
            code = drop_units(code, dropout_mask(drawn, self.dropout), self.dropout)
        return code

    def pretrain(
        self, x: Any, epochs: int, batch_size: int = 32, optimizer: Any = "adam", verbose: Any = 0
    ) -> list[list[float]]:
        """Trains the dense layers one after the other, each pair to reconstruct what the encoder below makes of x.

        min over (W_l, V_l):  |h_(l-1) - act(act(h_(l-1) W_l) V_l)|^2,   h_(l-1) held fixed

        Args:
            x: array (N, *shape).
            epochs: int, of each layer.
            batch_size: int.
            optimizer: name of an optimizer, or a function without arguments that makes one.
            verbose: as keras.Model.fit.

        Returns:
            The losses of every layer's epochs, outermost first.

        Raises:
            ValueError: for given networks, which have no layers to tell apart, or a wrong shape.
            InvalidDataError: for values that `fit` refuses.
        """
        if self.coder is None:
            raise ValueError("pretrain needs dense layers. Received: a model of given encoder and decoder")
        require_positive_int("pretrain", epochs=epochs)
        self.require_possible(x)
        h = ops.reshape(self._checked(np.asarray(x)), (-1, math.prod(self.event_shape)))
        losses = []
        for level, (below, above) in enumerate(zip(self.coder.sizes[:-1], self.coder.sizes[1:], strict=True)):
            pair = Autoencoder(
                below, above, code_activation=self.coder.activations[level], tied=self.tied,
                output_activation=self.coder.activations[level - 1 if level else -1],
                likelihood="squared" if level else self.likelihood,
                seed=derive_seed(self.seed, "pretrain", level), dtype=self.dtype_policy,
            )  # fmt: skip
            own = [self.coder.kernels[level], self.coder.biases[level], self.coder.back_biases[level]]
            theirs = [pair.coder.kernels[0], pair.coder.biases[0], pair.coder.back_biases[0]]
            if not self.tied:
                own.append(self.coder.back_kernels[level])
                theirs.append(pair.coder.back_kernels[0])
            for here, there in zip(own, theirs, strict=True):
                there.assign(here)
            pair.compile(optimizer() if callable(optimizer) else optimizer)
            history = pair.fit(ops.convert_to_numpy(h), batch_size=batch_size, epochs=epochs, verbose=verbose)
            losses.append(history.history["loss"])
            for here, there in zip(own, theirs, strict=True):
                here.assign(there)
            h = pair.encode(h)
        return losses

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.require_possible(x)
        # Keras would drop sample weights that came without a y, in silence.
        return super().fit(x, x if y is None and kwargs.get("sample_weight") is not None else y, *args, **kwargs)

    def require_possible(self, x: Any) -> None:
        """Refuses an array of values that are not finite, or outside [0, 1] for the Bernoulli likelihood.

        Raises:
            InvalidDataError: names the first row.
        """
        if not isinstance(x, np.ndarray):
            return
        values = np.reshape(x, (len(x), -1)) if len(x) else x
        binary = self.likelihood == "bernoulli"
        possible = (values >= 0) & (values <= 1) if binary else np.isfinite(values)
        if not possible.all():
            row, place = np.argwhere(~possible)[0]
            wanted = "values in [0, 1] for the Bernoulli likelihood" if binary else "finite x"
            raise InvalidDataError(f"{type(self).__name__} needs {wanted}. Received: {values[row, place]} in row {row}")

    def _checked(self, x: Any) -> Any:
        x = ops.cast(x, self.compute_dtype)
        came = tuple(x.shape)[1:]
        if len(came) != len(self.event_shape) or any(
            size not in (None, want) for size, want in zip(came, self.event_shape, strict=True)
        ):
            raise ValueError(
                f"{type(self).__name__} expects x of shape {(None, *self.event_shape)}. Received: {tuple(x.shape)}"
            )
        return x

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.code), dtype=self.compute_dtype, name="z")
        return {
            "serving_default": (self.call, [x]),
            "reconstruct": (self.call, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [z]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        given = {} if self.encoder is None else {"encoder": self.encoder, "decoder": self.decoder}
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "code": self.code,
            "units": list(self.units),
            **{
                name: keras.activations.serialize(getattr(self, name))
                for name in ("activation", "code_activation", "output_activation")
            },
            "tied": self.tied,
            "encoder": None,
            "decoder": None,
            **{name: keras.saving.serialize_keras_object(network) for name, network in given.items()},
            "likelihood": self.likelihood,
            "code_noise": self.code_noise,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Autoencoder:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("encoder", "decoder")
            if config.get(name) is not None
        }
        return cls(**{**config, **parts})
