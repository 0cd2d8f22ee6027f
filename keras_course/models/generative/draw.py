"""DRAW: an image drawn in T strokes, each with a code of its own, by a decoder that remembers what it has drawn.

    errors_t = x - sigma(c_{t-1})                              what is still missing
    r_t      = read(x, errors_t; window of h_dec_{t-1})        both, or an N x N look at each
    h_enc_t  = LSTM([r_t, h_dec_{t-1}], h_enc_{t-1})
    z_t      ~ q(z_t | x, z_<t) = N(mean(h_enc_t), diag(scale(h_enc_t)**2)),    prior N(0, I)
    h_dec_t  = LSTM(z_t, h_dec_{t-1})
    c_t      = c_{t-1} + write(h_dec_t)                        logits, on a canvas
    p(x | z) = Bernoulli(sigma(c_T))
    loss     = -log p(x | z) + sum_t KL(q(z_t | x, z_<t) || N(0, I))

Conventions that bite. All is summed over pixels, units and steps: nats an image. The canvas holds logits, so a stroke
adds to log-odds, and strokes may cancel. A step looks through the window that the decoder's state of the step before
says, and draws through that of its state of this step. scale = 1e-5 + softplus(...), 1 at zero, where the paper has an
exponential.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.code_watch import CodeWatch
from keras_course.core.loops import scan, unstacked
from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, normal_noise, seed_pair, stateless_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, normalize_tuple, require_positive_int
from keras_course.distributions import Normal
from keras_course.layers.recurrent.lstm import LSTMCell
from keras_course.models.generative.draws import balanced_noise
from keras_course.models.generative_model import GenerativeModel
from keras_course.ops.draw_attention import Window, read_window, require_filters, window_of, write_window
from keras_course.ops.elbo import (
    bernoulli_log_likelihood,
    diagonal_gaussian_divergence,
    diagonal_gaussian_log_density,
    elbo_from_divergence,
    importance_weighted_bound,
    reparametrised,
)

__all__ = ["DRAW"]


@register("DRAW")
class DRAW(GenerativeModel):
    """Images by a recurrent variational autoencoder that looks at, and draws, one window at a time.

        x_t = what the windows show;   c_T = c_0 + sum_t write(h_dec_t);   p(x | z_1 ... z_T) = Bernoulli(sigma(c_T))

    `model(x)` and `predict` reconstruct: sigma(c_T) at the mean codes. `compile()` takes an optimizer, no loss.
    Metrics: `elbo`, `reconstruction` = E_q log p(x | z) and `divergence`, nats an image. Evaluation takes a fixed bank
    of noise as `VariationalAutoencoder` does, with the same consequences.

    Endpoints: serving_default and reconstruct (x), encode (x: mean and scale of every step), decode (z), canvases (x:
    the reconstruction as it grows), sample (seed, n), draw (seed, n: a sample as it grows, and its windows), elbo (x),
    log_prob_importance_weighted (x, seed, n).

    Args:
        shape: (H, W), rows and columns of an image of 0 and 1.
        steps: int >= 1, T.
        latent: int >= 1, code units a step.
        units: int, or (encoder, decoder), width of the LSTMs.
        read: int >= 2, filters a side of the window that looks; None looks at everything.
        write: int >= 2, filters a side of the window that draws; None draws everywhere.
        samples: int >= 1, draws of the codes an example in a training step.
        evaluation_samples: int >= 1, size of the bank.
        seed: int, root of weights and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, H, W).

    Output shape:
        (B, H, W), probabilities.

    Raises:
        ValueError: for sizes out of range, wrong shapes, or a loss in `compile`.
        InvalidDataError: by `fit` and `evaluate`, for values other than 0 and 1.

    Example:
        >>> model = DRAW(shape=(4, 6), steps=3, latent=2, units=5, read=2, write=2)
        >>> x = ops.ones((2, 4, 6))
        >>> tuple(model(x).shape), tuple(model.elbo(x).shape), tuple(model.draw(seed=1, n=7)["canvases"].shape)
        ((2, 4, 6), (2,), (7, 3, 4, 6))

    Source: C 19.4; Gregor et al. 2015.
    """

    own_loss = "the negative ELBO"

    def __init__(
        self,
        shape: Any,
        steps: int = 8,
        latent: int = 8,
        units: Any = 64,
        read: int | None = None,
        write: int | None = None,
        samples: int = 1,
        evaluation_samples: int = 8,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = normalize_tuple("DRAW", shape, 2, "shape")
        self.units = normalize_tuple("DRAW", units, 2, "units")
        require_positive_int("DRAW", steps=steps, latent=latent, samples=samples, evaluation_samples=evaluation_samples)
        for size in [size for size in (read, write) if size is not None]:
            require_filters(size)
        self.steps, self.latent, self.read, self.write = steps, latent, read, write
        self.samples, self.evaluation_samples = samples, evaluation_samples

        pixels = math.prod(self.event_shape)
        self.encoder, self.decoder = (self._cell(*one) for one in zip(("encoder", "decoder"), self.units, strict=True))
        self.code = Normal(latent, scale_offset=math.log(math.e - 1))
        self.posterior = self._dense("posterior", 2 * latent)
        self.looking = self._dense("looking", 5) if read else None
        self.drawing = self._dense("drawing", 5) if write else None
        self.patch = self._dense("patch", write * write if write else pixels)
        self.first_canvas = self.add_weight(
            shape=self.event_shape, initializer="zeros", dtype=self.wide_dtype, autocast=False, name="first_canvas"
        )
        self.elbo_mean = keras.metrics.Mean(name="elbo")
        self.reconstruction_mean = keras.metrics.Mean(name="reconstruction")
        self.divergence_mean = keras.metrics.Mean(name="divergence")
        self.build((None, *self.event_shape))

    def _dense(self, name: str, units: int) -> keras.layers.Dense:
        initializer = keras.initializers.GlorotUniform(derive_seed(self.seed, name))
        return keras.layers.Dense(units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name)

    def _cell(self, name: str, units: int) -> LSTMCell:
        return LSTMCell(
            units,
            kernel_initializer=keras.initializers.GlorotUniform(derive_seed(self.seed, name, "kernel")),
            recurrent_initializer=keras.initializers.Orthogonal(seed=derive_seed(self.seed, name, "recurrent")),
            learn_initial_state=True,
            dtype=self.dtype_policy,
            name=name,
        )

    @property
    def wide_dtype(self) -> str:
        """Dtype of canvas, codes and densities: at least float32."""
        return "float64" if self.variable_dtype == "float64" else "float32"

    def build(self, input_shape: Any = None) -> None:
        encoder, decoder = self.units
        pixels = math.prod(self.event_shape)
        self.encoder.build((None, 2 * (self.read**2 if self.read else pixels) + decoder))
        self.posterior.build((None, encoder))
        self.decoder.build((None, self.latent))
        for layer in (self.looking, self.drawing, self.patch):
            if layer is not None:
                layer.build((None, decoder))
        self.built = True

    @property
    def wanted(self) -> str:
        return "pixels of 0 and 1"

    def possible(self, values: np.ndarray) -> np.ndarray:
        return (values == 0) | (values == 1)

    def call(self, inputs: Any) -> Any:
        return ops.sigmoid(self._reconstruct(inputs)["canvas"])

    def window(self, layer: Any, h_dec: Any, size: int) -> Window:
        """Where a window lies, by the decoder's state."""
        return window_of(ops.cast(layer(h_dec), self.wide_dtype), *self.event_shape, size)

    def look(self, x: Any, errors: Any, h_dec: Any) -> Any:
        """read(x, errors): (B, 2 N N), or (B, 2 H W) without attention."""
        pair = ops.stack([x, errors], axis=1)  # (B, 2, H, W)
        if self.looking is not None:
            window = self.window(self.looking, h_dec, self.read)
            pair = read_window(pair, Window(*(each[:, None] for each in window)), self.read)
        return ops.reshape(pair, (-1, 2 * math.prod(pair.shape[2:])))

    def stroke(self, h_dec: Any) -> tuple[Any, Any]:
        """write(h_dec), (B, H, W), and its window as (B, 5): x, y, stride, scale, intensity; zeros without one."""
        patch = ops.cast(self.patch(h_dec), self.wide_dtype)
        if self.drawing is None:
            return ops.reshape(patch, (-1, *self.event_shape)), ops.zeros_like(patch[:, :5])
        window = self.window(self.drawing, h_dec, self.write)
        patch = ops.reshape(patch, (-1, self.write, self.write))
        return write_window(patch, window, *self.event_shape), ops.stack(window, axis=-1)

    def _run(self, given: Any, x: Any = None, kept: tuple[str, ...] = ()) -> dict[str, Any]:
        """All strokes.

        Args:
            given: tensor (T, B, Z): noise of the codes where there is an x, else the codes themselves.
            x: tensor (B, H, W), or None to draw freely.
            kept: of "canvases", "windows", "means" and "scales", what to keep of every step.

        Returns:
            {"canvas": (B, H, W) logits, "divergence": (B,), "log_ratio": (B,) sum of log p(z_t) - log q(z_t)}, and
            what was to be kept, (T, B, ...).
        """
        given = ops.cast(given, self.wide_dtype)
        rows = ops.shape(given)[1]
        x = None if x is None else ops.cast(x, self.wide_dtype)
        zero = ops.zeros((rows,), self.wide_dtype)
        canvas = ops.zeros((rows, *self.event_shape), self.wide_dtype) + ops.convert_to_tensor(self.first_canvas)
        h_enc, h_dec = self.encoder.get_initial_state(rows), self.decoder.get_initial_state(rows)

        def step(state: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            canvas, divergence, log_ratio, *memory = state
            h_enc, h_dec = memory[:2], memory[2:]
            z, mean, scale = now[0], now[0], now[0]
            if x is not None:
                seen = self.look(x, x - ops.sigmoid(canvas), h_dec[0])
                seen = ops.cast(seen, self.compute_dtype)
                _, h_enc = self.encoder(ops.concatenate([seen, h_dec[0]], axis=-1), h_enc)
                mean, scale = self.code.location_and_scale(ops.cast(self.posterior(h_enc[0]), self.wide_dtype))
                z = reparametrised(mean, scale, now[0])
                divergence = divergence + diagonal_gaussian_divergence(mean, scale)
                log_q = diagonal_gaussian_log_density(z, mean, scale)
                log_ratio = log_ratio + diagonal_gaussian_log_density(z) - log_q
            _, h_dec = self.decoder(ops.cast(z, self.compute_dtype), h_dec)
            drawn, window = self.stroke(h_dec[0])
            canvas = canvas + drawn
            values = {"canvases": canvas, "windows": window, "means": mean, "scales": scale}
            return [canvas, divergence, log_ratio, *h_enc, *h_dec], [values[name] for name in kept]

        shapes = {"canvases": self.event_shape, "windows": (5,), "means": (self.latent,), "scales": (self.latent,)}
        state, _, steps = scan(
            step, [canvas, zero, zero, *h_enc, *h_dec], [unstacked(given)],
            [(rows, *shapes[name]) for name in kept], length=self.steps,
        )  # fmt: skip
        answers = dict(zip(("canvas", "divergence", "log_ratio"), state, strict=False))
        return answers | {name: one.stack() for name, one in zip(kept, steps, strict=True)}

    def _reconstruct(self, x: Any, kept: tuple[str, ...] = ()) -> dict[str, Any]:
        """All strokes along the mean codes."""
        x = self.checked(x)
        return self._run(ops.zeros((self.steps, ops.shape(x)[0], self.latent), self.wide_dtype), x, kept)

    def terms(self, x: Any, noise: Any) -> tuple[Any, Any, Any]:
        """log p(x | z), the divergence, and log p(z) - log q(z | x), at every draw: (K, B) each.

        Args:
            x: tensor (B, H, W).
            noise: tensor (K, B, T, Z), or (K, 1, T, Z) for the same noise in every row.
        """
        x = self.checked(x)
        draws, rows = ops.shape(noise)[0], ops.shape(x)[0]
        noise = ops.broadcast_to(noise, (draws, rows, self.steps, self.latent))
        given = ops.transpose(ops.reshape(noise, (-1, self.steps, self.latent)), (1, 0, 2))  # (T, K B, Z)
        copies = ops.tile(ops.cast(x, self.wide_dtype), (draws, 1, 1))  # (K B, H, W)
        ran = self._run(given, copies)
        pixels = (ops.reshape(each, (-1, math.prod(self.event_shape))) for each in (copies, ran["canvas"]))
        found = bernoulli_log_likelihood(*pixels), ran["divergence"], ran["log_ratio"]
        return tuple(ops.reshape(each, (draws, rows)) for each in found)  # type: ignore[return-value]

    def reconstruction_and_divergence(self, x: Any, noise: Any) -> tuple[Any, Any]:
        """E_q log p(x | z) and sum_t KL(q(z_t | x, z_<t) || N(0, I)), means over the draws, (B,) each."""
        log_likelihood, divergence, _ = self.terms(x, noise)
        return ops.mean(log_likelihood, axis=0), ops.mean(divergence, axis=0)

    def elbo(self, x: Any, noise: Any = None) -> Any:
        """Reconstruction minus divergence, (B,); noise None takes the fixed bank of evaluation."""
        noise = self.evaluation_noise() if noise is None else noise
        return elbo_from_divergence(*self.reconstruction_and_divergence(x, noise))

    def log_prob_importance_weighted(self, x: Any, seed: Any, n: Any) -> Any:
        """The importance-weighted bound with n draws of all codes: below log p(x) on average, closer the larger n.

        Args:
            x: tensor (B, H, W).
            seed: int, or integer tensor (2,).
            n: int >= 1, or a scalar integer tensor. n B images are drawn at a time.

        Returns:
            Tensor (B,), nats.

        Raises:
            ValueError: for a number n < 1. A served n < 1 is an InvalidArgumentError.
        """
        n = checked_count("log_prob_importance_weighted", 1, n=n)
        noise = normal_noise((n, ops.shape(x)[0], self.steps, self.latent), seed_pair(seed), self.wide_dtype)
        log_likelihood, _, log_ratio = self.terms(x, noise)
        return importance_weighted_bound(log_likelihood + log_ratio, ops.zeros_like(log_ratio))

    def evaluation_noise(self) -> Any:
        """The fixed bank, (evaluation_samples, 1, T, Z): pairs e, -e, a function of the seed alone."""
        count, seed = self.evaluation_samples, stateless_seed(self.seed, "evaluation", 0)
        flat = balanced_noise(count, self.steps * self.latent, seed, self.wide_dtype)
        return ops.reshape(flat, (count, 1, self.steps, self.latent))

    def training_noise(self, rows: Any) -> Any:
        """This step's noise for this replica's examples, (samples, rows, T, Z)."""
        start, total = self.share_of_batch(rows)
        shape = (self.samples, total, self.steps, self.latent)
        return normal_noise(shape, self.step_seed("noise"), self.wide_dtype)[:, start : start + rows]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        noise = self.training_noise(ops.shape(x)[0]) if training else self.evaluation_noise()

        reconstruction, divergence = self.reconstruction_and_divergence(x, noise)  # (B,) each
        elbo = elbo_from_divergence(reconstruction, divergence)

        self.elbo_mean.update_state(elbo, sample_weight)
        self.reconstruction_mean.update_state(reconstruction, sample_weight)
        self.divergence_mean.update_state(divergence, sample_weight)
        return self.weighted_mean(-elbo, sample_weight)

    def watches(self, x: Any) -> tuple[Any, ...]:
        return (CodeWatch(x if isinstance(x, np.ndarray) else None),)

    def code_statistics(self, x: Any) -> dict[str, Any]:
        """What `callbacks.code_watch` looks at, the code units of all strokes side by side."""
        code = {name: ops.reshape(each, (-1, self.steps * self.latent)) for name, each in self.encode(x).items()}
        each = diagonal_gaussian_divergence(code["mean"][..., None], code["scale"][..., None])
        return {**code, "divergence": each, "decoder_scale": None}

    def encode(self, x: Any) -> dict[str, Any]:
        """{"mean", "scale"} of q(z_t | x, z_<t) along the mean codes, (B, T, Z) each; scale is the deviation."""
        ran = self._reconstruct(x, ("means", "scales"))
        return {"mean": ops.swapaxes(ran["means"], 0, 1), "scale": ops.swapaxes(ran["scales"], 0, 1)}

    def decode(self, z: Any) -> Any:
        """E[x | z], (B, H, W), for the codes of all strokes, z (B, T, Z)."""
        return ops.sigmoid(self._run(ops.swapaxes(z, 0, 1))["canvas"])

    def canvases(self, x: Any) -> Any:
        """The reconstruction after every stroke, sigma(c_t), (B, T, H, W), at the mean codes."""
        return ops.sigmoid(ops.swapaxes(self._reconstruct(x, ("canvases",))["canvases"], 0, 1))

    def draw(self, seed: Any, n: Any) -> dict[str, Any]:
        """Images as they grow from codes of the prior; the same for the same seed, and those of `sample`.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.

        Returns:
            {"canvases": (n, T, H, W) probabilities after every stroke, "windows": (n, T, 5) where each was drawn:
            x, y, stride, scale and intensity of `ops.draw_attention.Window`, zeros without attention}.
        """
        codes, _ = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        ran = self._run(self._codes(codes, checked_count("DRAW.draw", n=n)), None, ("canvases", "windows"))
        canvases, windows = (ops.swapaxes(ran[name], 0, 1) for name in ("canvases", "windows"))
        return {"canvases": ops.sigmoid(canvases), "windows": windows}

    def _codes(self, seed: Any, n: Any) -> Any:
        return normal_noise((self.steps, n, self.latent), seed, self.wide_dtype)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of x, (n, H, W), of 0 and 1: codes from the prior, then pixels; the same for the same seed.

        Args:
            seed, n: as `draw`.
        """
        codes, pixels = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        probability = ops.sigmoid(self._run(self._codes(codes, checked_count("DRAW.sample", n=n)))["canvas"])
        uniform = uniform_noise(ops.shape(probability), pixels, self.wide_dtype)
        return ops.cast(uniform < probability, self.wide_dtype)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.steps, self.latent), dtype=self.wide_dtype, name="z")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        return {
            "serving_default": (self.call, [x]),
            "reconstruct": (self.call, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [z]),
            "canvases": (self.canvases, [x]),
            "sample": (self.sample, [seed, n]),
            "draw": (self.draw, [seed, n]),
            "elbo": (self.elbo, [x]),
            "log_prob_importance_weighted": (self.log_prob_importance_weighted, [x, seed, n]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "steps": self.steps,
            "latent": self.latent,
            "units": list(self.units),
            "read": self.read,
            "write": self.write,
            "samples": self.samples,
            "evaluation_samples": self.evaluation_samples,
        }
