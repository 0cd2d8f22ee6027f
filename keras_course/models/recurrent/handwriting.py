"""Handwriting from text: a deep LSTM that says where the pen goes next, and a window that says where it is in the text.

    h^1_t = LSTM([x_t, w_{t-1}], h^1_{t-1}),   w_t = window(h^1_t, text)
    h^l_t = LSTM([x_t, h^{l-1}_t, w_t], h^l_{t-1}),   l = 2 ... L
    p(x_{t+1} | x_1 ... x_t, text) = family(W [h^1_t, ..., h^L_t] + b),   x = (dx, dy, up)

Inputs reach every level and every level reaches the output: the skip connections that let it train.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.distributions import DistributionOutput
from keras_course.distributions.families.pen_stroke import PenStroke
from keras_course.layers.recurrent import LSTM, PeepholeLSTM
from keras_course.layers.windowed_lstm import CELLS, WindowedLSTM
from keras_course.models.recurrent.writing import codes_of, write_on

__all__ = ["HandwritingSynthesis"]

POINT = 3  # dx, dy, up


@register("HandwritingSynthesis")
class HandwritingSynthesis(Model):
    """Graves's network for handwriting synthesis; with `units=400` its 3.65 million weights are the notes' "about 3 M".

        -log p(line | text) = -sum_t log p(x_t | x_1 ... x_{t-1}, text),   x_0 = (0, 0, 0)

    A line is one array (T, 4): rows (dx, dy, up, code), up = -1 where there is no point any more, code u + 1 the text's
    character u (`datasets.pack_lines`). `fit` needs no targets: a line is its own. Calling the model gives the
    parameters of every next point; `loss` is -log p a point, averaged over the points of a line and then over lines,
    `nats_per_point` the average over all points.

    Endpoints: `serving_default` (packed lines to parameters), `write`, `prime`, `log_prob` and `step` take strings.

    Args:
        alphabet: str, the characters it can write, each once.
        units: int, width H of every level.
        levels: int, number L of LSTM levels.
        components: int, Gaussians M of the next point's distribution.
        window: int, Gaussians K of the window over the text.
        cell: "peephole-lstm", as Graves's, or "lstm".
        text_length: int, rows of a packed line that may hold a code; None for all of them. Fewer are faster.
        first_step: float > 0, characters the window moves a point at the beginning.
        minimum_scale: float >= 0, least standard deviation of an offset.
        most_points: int, points a character at which `write` gives up waiting for the end of the text.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, T, 4), T may be unknown.

    Output shape:
        (B, T, 1 + 6 M).

    Raises:
        ValueError: for a bad argument, or inputs of another rank or width.

    Example:
        >>> model = HandwritingSynthesis("abc", units=4, components=2, window=2)
        >>> tuple(model(ops.zeros((2, 5, 4))).shape)
        (2, 5, 13)
        >>> lines = model.write("cab", seed=0, bias=0.5, n=2)
        >>> lines["points"].shape[0], lines["points"].shape[2]
        (2, 3)

    Source: B; Graves 2013, sections 4 and 5.
    """

    def __init__(
        self,
        alphabet: str = "abcdefghijklmnopqrstuvwxyz",
        units: int = 400,
        levels: int = 3,
        components: int = 20,
        window: int = 10,
        cell: str = "peephole-lstm",
        text_length: int | None = None,
        first_step: float = 0.1,
        minimum_scale: float = 1e-2,
        most_points: int = 40,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        if not isinstance(alphabet, str) or not alphabet or len(set(alphabet)) != len(alphabet):
            raise ValueError(
                f"HandwritingSynthesis needs an alphabet, every character once. Received: alphabet={alphabet!r}"
            )
        require_positive_int("HandwritingSynthesis", units=units, levels=levels, most_points=most_points)
        if text_length is not None:
            require_positive_int("HandwritingSynthesis", text_length=text_length)
        require_one_of("HandwritingSynthesis", CELLS, cell=cell)
        self.alphabet, self.units, self.levels, self.cell = alphabet, int(units), int(levels), cell
        self.text_length, self.first_step, self.most_points = text_length, float(first_step), int(most_points)
        self.family = PenStroke(components, minimum_scale)
        self.first = WindowedLSTM(
            units, window, cell, first_step, name="level_0", dtype=self.dtype_policy,
            window_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "window")), **self._starts(0),
        )  # fmt: skip
        kind = LSTM if cell == "lstm" else PeepholeLSTM
        full = {} if cell == "lstm" else {"peepholes": "full"}
        self.upper = [
            kind(
                units, return_sequences=True, return_state=True, seed=derive_seed(seed, "level", level, "dropout"),
                name=f"level_{level}", dtype=self.dtype_policy, **full, **self._starts(level),
            )
            for level in range(1, levels)
        ]  # fmt: skip
        self.head = DistributionOutput(
            self.family, kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(seed, "head")),
            name="head", dtype=self.dtype_policy,
        )  # fmt: skip
        self.nats = keras.metrics.Mean(name="nats_per_point")
        self.build((None, None, POINT + 1))

    def _starts(self, level: int) -> dict[str, Any]:
        seeds = [derive_seed(self.seed, "level", level, part) for part in ("kernel", "recurrent", "peephole")]
        starts = {
            "kernel_initializer": keras.initializers.GlorotUniform(seed=seeds[0]),
            "recurrent_initializer": keras.initializers.Orthogonal(seed=seeds[1]),
        }
        if self.cell != "lstm" or level == 0:
            starts["peephole_initializer"] = keras.initializers.GlorotUniform(seed=seeds[2])
        return starts

    def build(self, input_shape: Any = None) -> None:
        letters = len(self.alphabet)
        self.first.build((None, None, POINT), (None, None, letters))
        for level in self.upper:
            level.build((None, None, POINT + self.units + letters))
        self.head.build((None, None, self.levels * self.units))
        self.input_spec = keras.InputSpec(ndim=3, axes={-1: POINT + 1})
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        points, counts, characters = self.parts_of(inputs)
        return self.unroll(self.shifted(points), characters, counts, training=training)[0]

    def parts_of(self, lines: Any) -> tuple[Any, Any, Any]:
        """Packed lines (B, T, 4) as points (B, T, 3), which of them count (B, T), and one-hot texts (B, U, V)."""
        require_rank("HandwritingSynthesis", lines.shape, 3)
        require_features("HandwritingSynthesis", lines.shape, POINT + 1)
        counts = lines[:, :, 2] > -0.5
        up = ops.cast(lines[:, :, 2:3] > 0.5, lines.dtype)
        points = ops.concatenate([lines[:, :, :2], up], axis=-1) * ops.cast(counts, lines.dtype)[:, :, None]
        return points, counts, self.characters_of(ops.cast(lines[:, : self.text_length, 3], "int32"))

    def characters_of(self, codes: Any) -> Any:
        """One-hot characters (B, U, V) of codes (B, U); zeros for code 0 and for what is no code."""
        return ops.one_hot(codes - 1, len(self.alphabet), dtype=self.compute_dtype)

    @staticmethod
    def shifted(points: Any) -> Any:
        """What the network has seen before each point: a zero row, then all but the last."""
        return ops.concatenate([ops.zeros_like(points[:, :1]), points[:, :-1]], axis=1)

    def unroll(
        self, points: Any, characters: Any, counts: Any = None, states: Any = None, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """The network over points it is given.

        Args:
            points: tensor (B, T, 3), the point before each.
            characters: tensor (B, U, V).
            counts: bool tensor (B, T), which steps count, or None for all.
            states: list of state tensors, as returned, or None for zeros.
            training: bool.

        Returns:
            Tuple: parameters (B, T, P), window weights (B, T, U), and the states after the last step.
        """
        points = ops.cast(points, self.compute_dtype)
        first = None if states is None else states[:4]
        h, seen, weights, *kept = self.first(points, characters, initial_state=first, sequences_mask=counts)
        every = [h]
        for number, level in enumerate(self.upper):
            before = None if states is None else states[4 + 2 * number : 6 + 2 * number]
            inputs = ops.concatenate([points, h, seen], axis=-1)
            h, *after = level(inputs, initial_state=before, mask=counts, training=training)
            every.append(h)
            kept = [*kept, *after]
        return self.head(ops.concatenate(every, axis=-1)), weights, kept

    def advance(self, point: Any, characters: Any, states: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
        """The network one point further: `unroll` for a single step, without a loop.

        Args:
            point: tensor (B, 3).
            characters: tensor (B, U, V).
            states: list of state tensors.

        Returns:
            Tuple: parameters (B, P) of the next point, window weights (B, U), and the new states.
        """
        point = ops.cast(point, self.compute_dtype)
        kept, weights = self.first.step(point, characters, list(states[:4]))
        h, _, seen, _ = kept
        every = [h]
        for number, level in enumerate(self.upper):
            h, after = level.cell(ops.concatenate([point, h, seen], axis=-1), states[4 + 2 * number : 6 + 2 * number])
            every.append(h)
            kept = [*kept, *after]
        return self.head(ops.concatenate(every, axis=-1)), weights, kept

    @property
    def state_sizes(self) -> tuple[int, ...]:
        """Widths of the state tensors: h, c, window and kappa of the first level, h and c of the others."""
        return (*self.first.state_sizes, *(self.units for _ in range(2 * len(self.upper))))

    def nats_of_lines(self, lines: Any, parameters: Any) -> tuple[Any, Any]:
        """-log p of each line (B,) under parameters (B, T, P), and its number of points (B,)."""
        points, counts, _ = self.parts_of(ops.cast(lines, parameters.dtype))
        nats = -self.family.log_prob(parameters, points)  # (B, T)
        kept = ops.cast(counts, nats.dtype)
        return ops.sum(ops.where(counts, nats, ops.zeros_like(nats)), axis=1), ops.sum(kept, axis=1)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        nats, count = self.nats_of_lines(x, y_pred)
        mean = nats / ops.maximum(count, 1)
        weight = ops.ones_like(mean)
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, mean.dtype), (-1,))
        self.nats.update_state(mean, sample_weight=weight * count)
        return self.mean_over_rows(mean * weight)

    def write(self, text: Any, seed: Any, bias: Any = 0.0, n: Any = 1) -> dict[str, Any]:
        """A text, written n times: the same for the same seed, here and in an exported model.

        Args:
            text: str of characters of the alphabet, or scalar string tensor.
            seed: int, or integer tensor (2,).
            bias: float >= 0; 0 draws from the model, more keeps nearer to its likeliest strokes.
            n: int, how many times.

        Returns:
            {"points": float (n, T, 3), up = -1 after a line's end, "window": float (n, T, U + 1), the weights over the
            characters and the place after the last}.

        Raises:
            ValueError: for a character that is not in the alphabet, or a bias that is not 0 or more; in a graph,
                tf.errors.InvalidArgumentError.
        """
        return write_on(self, text, seed, bias, n)

    def prime(self, points: Any, spoken: Any, text: Any, seed: Any, bias: Any = 0.0, n: Any = 1) -> dict[str, Any]:
        """A text in the manner of somebody's points: they are read first, as if the model had written them.

        Args:
            points: tensor (P, 3), P >= 1.
            spoken: str, what they say.
            text, seed, bias, n: as `write`.

        Returns:
            As `write`, of the new text alone; the window goes over `spoken` and `text`.

        Raises:
            ValueError: as `write`, and for no points, or points of another width.
        """
        return write_on(self, text, seed, bias, n, points, spoken)

    def log_prob(self, points: Any, text: Any) -> Any:
        """log p(points | text) of whole lines, (B,) nats.

        Args:
            points: tensor (B, T, 3), up = -1 where there is no point any more.
            text: strings (B,).
        """
        points = ops.convert_to_tensor(points)
        lines = ops.concatenate([points, ops.zeros_like(points[:, :, :1])], axis=-1)
        points, counts, _ = self.parts_of(lines)
        characters = self.characters_of(codes_of(text, self.alphabet))
        parameters, _, _ = self.unroll(self.shifted(points), characters, counts)
        return -self.nats_of_lines(lines, parameters)[0]

    def step(self, point: Any, text: Any, state: Any) -> dict[str, Any]:
        """One more point of a stream: what the whole line so far would give.

        Args:
            point: tensor (B, 3), the last point; zeros at the start.
            text: strings (B,), the same at every step.
            state: tensor (B, sum of `state_sizes`), zeros at the start.

        Returns:
            {"parameters": (B, P) of the next point, "window": (B, U), "state": as above}.
        """
        require_features("The state of HandwritingSynthesis", state.shape, sum(self.state_sizes))
        characters = self.characters_of(codes_of(text, self.alphabet))
        cuts = [sum(self.state_sizes[: index + 1]) for index in range(len(self.state_sizes) - 1)]
        states = ops.split(ops.cast(state, self.compute_dtype), cuts, axis=-1)
        parameters, weights, states = self.advance(point, characters, states)
        return {"parameters": parameters, "window": weights, "state": ops.concatenate(states, axis=-1)}

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.family.parameter_size)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` for packed lines of any length; `write`, `prime`, `log_prob` and `step` from strings."""
        wide = self.head.dtype
        lines = keras.InputSpec(shape=(None, None, POINT + 1), dtype=self.input_dtype, name="lines")
        one, texts = tf.TensorSpec((), tf.string, "text"), tf.TensorSpec((None,), tf.string, "text")
        drawn = [
            tf.TensorSpec((2,), "int32", "seed"), tf.TensorSpec((), wide, "bias"), tf.TensorSpec((), "int32", "n"),
        ]  # fmt: skip
        heard = [tf.TensorSpec((None, POINT), wide, "points"), tf.TensorSpec((), tf.string, "spoken")]
        state = tf.TensorSpec((None, sum(self.state_sizes)), self.compute_dtype, "state")
        return {
            "serving_default": (lambda lines: self(lines, training=False), [lines]),
            "write": (self.write, [one, *drawn]),
            "prime": (self.prime, [*heard, one, *drawn]),
            "log_prob": (self.log_prob, [tf.TensorSpec((None, None, POINT), wide, "points"), texts]),
            "step": (self.step, [tf.TensorSpec((None, POINT), wide, "point"), texts, state]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alphabet": self.alphabet,
            "units": self.units,
            "levels": self.levels,
            "components": self.family.components,
            "window": self.first.window_components,
            "cell": self.cell,
            "text_length": self.text_length,
            "first_step": self.first_step,
            "minimum_scale": self.family.minimum_scale,
            "most_points": self.most_points,
        }
