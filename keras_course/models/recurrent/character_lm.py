"""A language model that reads and writes one character at a time.

    h_t     = levels(embedding of c_t, h_(t-1))
    p(c_(t+1) | c_1 ... c_t) = softmax(V h_t + c)
    loss    = mean over t of -log p(c_(t+1) | c_1 ... c_t)

The first character of a text is given, not modelled: T characters have T - 1 probabilities. The state starts at zero
with every text or window of training (`step` carries it on). With truncation k a window is trained on piece by piece:

    for pieces of k characters:  h_0 = last state of the piece before, as a number;  a step down the slope of its loss
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.loops import while_loop
from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, seed_pair
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.models.recurrent.alphabet import Alphabet
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.ops import decoding
from keras_course.ops.language import bits_of_symbols

__all__ = ["CharacterLM"]


@register("CharacterLM")
class CharacterLM(Model):
    """Recurrent levels over embedded characters; `call` returns the logits of the next one at every step.

    p(c_(t+1) | c_1 ... c_t) = softmax(logits_t)

    Train it on windows of codes with the codes one step later as targets (`datasets.load("king-james")` has both) and
    `losses.SoftmaxLoss`. A code outside the alphabet is what TensorFlow's gather makes of it: encode texts with
    `alphabet.encode`, which refuses strangers.

    Endpoints: serving_default (codes), step (codes, state: the next character's logits, one at a time), log_prob
    (texts), sample (prompt, temperature, seed, n). Texts are strings there.

    Args:
        alphabet: str of V different characters; a character's code is its place.
        units: sequence of ints, width of each level, lowest first.
        embedding: int, width of a character's vector.
        cell: "rnn", "lstm", "peephole-lstm" or "gru".
        dropout: float in [0, 1), share of each level's inputs left out in training, the same for all steps of a piece.
        truncation: int k, or None. Windows longer than k are trained on by truncated backpropagation through time: in
            pieces of k characters, an optimizer step each, the state carried from piece to piece and no gradient. The
            windows' length has to be known, and is at best a multiple of k. Everything but training reads all at once.
        seed: int, root of initial weights and dropout.
        **kwargs: as keras.Model.

    Input shape:
        (B, T), integers below V.

    Output shape:
        (B, T, V).

    Raises:
        ValueError: for a bad argument, or inputs of another rank.

    Example:
        >>> model = CharacterLM("ab \\n", units=(8,))
        >>> text = model.sample("a", temperature=1.0, seed=1, n=5).numpy().decode()
        >>> len(text), text == model.sample("a", temperature=1.0, seed=1, n=5).numpy().decode()
        (5, True)

    Source: C 15.3, 10.3; S 9.5 (text as a sequence of symbols); Graves 2013.
    """

    keras_step = True

    def __init__(
        self,
        alphabet: str,
        units: Sequence[int] = (128,),
        embedding: int = 32,
        cell: str = "lstm",
        dropout: float = 0.0,
        truncation: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int(
            "CharacterLM", embedding=embedding, **({} if truncation is None else {"truncation": truncation})
        )
        self.truncation = truncation
        self._carried = threading.local()  # `state` of the pieces before; replicas are threads that take turns
        self.alphabet = Alphabet(alphabet)
        self.embedding_width = embedding
        self.embedding = keras.layers.Embedding(
            len(self.alphabet),
            embedding,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.5, seed=derive_seed(seed, "embedding")),
            dtype=self.dtype_policy,
            name="embedding",
        )
        self.network = DeepRNN(
            embedding, len(self.alphabet), units, cell, return_sequences=True, dropout=dropout,
            seed=derive_seed(seed, "network"), dtype=self.dtype_policy, name="network",
        )  # fmt: skip
        self.build((None, None))

    def build(self, input_shape: Any = None) -> None:
        self.embedding.build((None, None))
        self.input_spec = keras.InputSpec(ndim=2)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        require_rank("CharacterLM", inputs.shape, 2)
        state = getattr(self._carried, "state", None)
        if state is None:
            return self.network(self.embedding(inputs), training=training)
        logits, state = self.network.carry(self.embedding(inputs), state, training)
        self._carried.state = ops.stop_gradient(state)
        return logits

    def train_step(self, data: Any) -> Any:
        """A step; with `truncation` one for each piece of the windows, the state carried on."""
        if self.truncation is None:
            return super().train_step(data)
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        if x.shape[1] is None:
            raise ValueError(f"CharacterLM cuts windows of known length alone. Received: x.shape={tuple(x.shape)}")
        logs = {}
        try:
            self._carried.state = self.network.start(ops.shape(x)[0])
            for first in range(0, x.shape[1], self.truncation):
                piece = slice(first, first + self.truncation)
                by_place = weights is not None and len(weights.shape) > 1
                logs = super().train_step((x[:, piece], y[:, piece], weights[:, piece] if by_place else weights))
        finally:
            self._carried.state = None
        return logs

    @property
    def state_width(self) -> int:
        """Numbers in the states of all levels together."""
        return self.network.state_width

    def step(self, codes: Any, state: Any) -> dict[str, Any]:
        """One more character: what the whole text so far would give.

        Args:
            codes: int tensor (B,).
            state: tensor (B, state_width), zeros at the start.

        Returns:
            {"logits": of the character after it, (B, V), "state": tensor (B, state_width)}.
        """
        found = self.network.step(self.embedding(codes), state)
        return {"logits": found["outputs"], "state": found["state"]}

    def log_prob(self, texts: Any) -> dict[str, Any]:
        """How probable texts are, all but their first character.

        Args:
            texts: string tensor (B,), or a list of strings, each of two characters or more.

        Returns:
            {"log_prob": nats of each text, (B,); "bits_per_character": (B,), their mean in bits}.

        Raises:
            InvalidArgumentError: for a character that is not of the alphabet, or a text that is too short.
        """
        codes, lengths = self.alphabet.encode(tf.convert_to_tensor(texts))
        long_enough = tf.debugging.assert_greater_equal(lengths, 2, "log_prob needs texts of two characters or more")
        with tf.control_dependencies([] if long_enough is None else [long_enough]):
            bits = bits_of_symbols(self(codes[:, :-1]), codes[:, 1:])  # (B, T - 1)
        bits = ops.sum(ops.where(tf.sequence_mask(lengths - 1, tf.shape(bits)[1]), bits, ops.zeros_like(bits)), axis=1)
        return {
            "log_prob": -bits * math.log(2.0),
            "bits_per_character": bits / ops.cast(lengths - 1, bits.dtype),
        }

    def sample(self, prompt: Any, temperature: Any, seed: Any, n: Any) -> Any:
        """Text that goes on from a prompt; the same for the same seed.

        Args:
            prompt: str or scalar string tensor, one character or more.
            temperature: float or scalar tensor >= 0: 1 draws from the model, 0 takes the likeliest character.
            seed: int, or integer tensor (2,).
            n: int >= 1 or scalar integer tensor, characters to draw.

        Returns:
            Scalar string tensor of the n characters after the prompt.

        Raises:
            ValueError: for a number n < 1 or a negative temperature.
            InvalidArgumentError: for a prompt that is empty or has a stranger in it.
        """
        if not tf.is_tensor(n):
            require_positive_int("sample", n=n)
        if not tf.is_tensor(temperature) and not temperature >= 0:
            raise ValueError(f"sample needs a temperature >= 0. Received: temperature={temperature!r}")
        seed = seed_pair(seed)
        codes, lengths = self.alphabet.encode(tf.reshape(prompt, (1,)))
        checks = [
            tf.debugging.assert_positive(lengths, "sample needs a prompt of one character or more"),
            tf.debugging.assert_positive(n, "sample needs n >= 1 characters"),
            tf.debugging.assert_non_negative(temperature, "sample needs a temperature >= 0"),
        ]
        with tf.control_dependencies([check for check in checks if check is not None]):
            codes = tf.identity(codes)

        def step(codes: Any, state: Any) -> tuple[Any, Any]:
            found = self.step(codes, state)
            return found["logits"], found["state"]

        state = self._after(codes[:, :-1])
        drawn = decoding.sample(step, state, codes[:, -1], seed, length=n, temperature=temperature)
        return self.alphabet.decode(drawn.tokens[0])

    def _after(self, codes: Any) -> Any:
        """The state behind codes (B, T), all of which are read."""

        def body(t: Any, state: Any) -> Any:
            return t + 1, self.step(codes[:, t], state)["state"]

        start = tf.zeros((tf.shape(codes)[0], self.state_width), self.compute_dtype)
        return while_loop(lambda t, _: t < tf.shape(codes)[1], body, (0, start))[1]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape, len(self.alphabet))

    def endpoints(self) -> dict[str, Endpoint]:
        codes = tf.TensorSpec((None, None), "int32", name="codes")
        state = tf.TensorSpec((None, self.state_width), self.compute_dtype, name="state")
        sampling = [
            tf.TensorSpec((), "string", name="prompt"),
            tf.TensorSpec((), "float32", name="temperature"),
            tf.TensorSpec((2,), "int32", name="seed"),
            tf.TensorSpec((), "int32", name="n"),
        ]
        return {
            "serving_default": (lambda codes: self(codes, training=False), [codes]),
            "step": (self.step, [tf.TensorSpec((None,), "int32", name="codes"), state]),
            "log_prob": (self.log_prob, [tf.TensorSpec((None,), "string", name="texts")]),
            "sample": (self.sample, sampling),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alphabet": self.alphabet.characters,
            "units": list(self.network.units),
            "embedding": self.embedding_width,
            "cell": self.network.cell,
            "dropout": self.network.dropout,
            "truncation": self.truncation,
        }
