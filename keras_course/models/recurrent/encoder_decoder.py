"""From sequence to sequence: what every encoder-decoder shares, whatever the decoder may look at.

    loss = -log p(y | x) = -sum_t log p(y_t | y_1 ... y_{t-1}, x)        a sentence; padding counts for nothing

In training the decoder is fed the true word before (teacher forcing), all steps in one pass; afterwards its own words,
chosen by `ops.decoding`. A subclass says how a source is read (`encode`), what one more word costs (`step`), and how
all words of a known target are scored (`teach`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int, require_rank
from keras_course.datasets.text import END, PAD, START, UNITS, Vocabulary
from keras_course.layers.maxout import Maxout
from keras_course.layers.recurrent import GRU, LSTM, RNN
from keras_course.models.recurrent.text_tables import TextTables
from keras_course.ops import decoding

__all__ = ["EncoderDecoder"]

CELLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "rnn": (RNN, {}),
    "lstm": (LSTM, {}),
    "gru": (GRU, {"activation": "tanh"}),
}


class EncoderDecoder(Model):
    """Base of Seq2Seq and RNNSearch; see them for a use.

    Args:
        source_vocabulary: strings, tokens of the sources without the four special ones (`datasets.text.SPECIAL`).
        target_vocabulary: the same of the targets.
        units: int, width H of encoder and decoder.
        embedding: int, width E of a token's vector.
        cell: "rnn", "lstm" or "gru".
        unit: "word" or "character", what the tokens are; of sources and targets alike.
        max_length: int, tokens of an answer at most, its end included.
        beam_width: int, beginnings that the endpoint `beam` keeps.
        length_power: number, as `ops.decoding.beam`.
        seed: int, root of initial weights.
        **kwargs: as keras.Model.
    """

    keras_step = True

    def __init__(
        self,
        source_vocabulary: Sequence[str],
        target_vocabulary: Sequence[str],
        units: int = 64,
        embedding: int = 32,
        cell: str = "gru",
        unit: str = "word",
        max_length: int = 40,
        beam_width: int = 4,
        length_power: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        who = type(self).__name__
        require_positive_int(who, units=units, embedding=embedding, max_length=max_length, beam_width=beam_width)
        require_one_of(who, CELLS, cell=cell)
        require_one_of(who, UNITS, unit=unit)
        for name, tokens in (("source_vocabulary", source_vocabulary), ("target_vocabulary", target_vocabulary)):
            if isinstance(tokens, str) or not len(tokens):
                raise ValueError(f"{who} needs a sequence of tokens as {name}. Received: {name}={tokens!r}")
        self.source_vocabulary = Vocabulary(tuple(source_vocabulary), unit)
        self.target_vocabulary = Vocabulary(tuple(target_vocabulary), unit)
        self.units, self.embedding, self.cell, self.unit = int(units), int(embedding), cell, unit
        self.max_length, self.beam_width, self.length_power = int(max_length), int(beam_width), length_power
        self.source_embedding = self._embedding("source_embedding", len(self.source_vocabulary))
        self.target_embedding = self._embedding("target_embedding", len(self.target_vocabulary))
        self.deep_output = Maxout(
            units, kernel_initializer=self._glorot("deep_output"), name="deep_output", dtype=self.dtype_policy
        )
        self.read_out = keras.layers.Dense(
            len(self.target_vocabulary), kernel_initializer=self._glorot("read_out"), name="read_out",
            dtype=self.dtype_policy,
        )  # fmt: skip
        self.token_accuracy = keras.metrics.Mean(name="token_accuracy")
        self.nats_per_token = keras.metrics.Mean(name="nats_per_token")
        self._tables: tuple[TextTables, TextTables] | None = None

    def _glorot(self, *path: object) -> Any:
        return keras.initializers.GlorotUniform(seed=derive_seed(self.seed, *path))

    def _embedding(self, name: str, size: int) -> Any:
        start = keras.initializers.RandomUniform(-0.1, 0.1, seed=derive_seed(self.seed, name))
        return keras.layers.Embedding(size, self.embedding, start, name=name, dtype=self.dtype_policy)

    def recurrent(self, name: str, **how: Any) -> Any:
        """A recurrent layer of this model's kind and width, with a seed of its own."""
        kind, settings = CELLS[self.cell]
        return kind(
            self.units, return_sequences=True, return_state=True, kernel_initializer=self._glorot(name, "kernel"),
            recurrent_initializer=keras.initializers.Orthogonal(seed=derive_seed(self.seed, name, "recurrent")),
            seed=derive_seed(self.seed, name, "dropout"), name=name, dtype=self.dtype_policy, **settings, **how,
        )  # fmt: skip

    def build_output(self, features: int) -> None:
        """Builds what both kinds have in common; `features`: the decoder's state, its last word, what it looks at."""
        for layer in (self.source_embedding, self.target_embedding):
            layer.build((None, None))
        self.deep_output.build((None, None, features))
        self.read_out.build((None, None, self.units))
        self.built = True

    def scores(self, *seen: Any) -> Any:
        """Logits over the target's tokens, from what is seen at a step."""
        return self.read_out(self.deep_output(ops.concatenate(seen, axis=-1)))

    def encode(self, source: Any, training: bool = False) -> tuple[Any, Any]:
        """Reads a source: ids (B, S) -> the decoder's first state, and what every step may look at."""
        raise TypeError(f"{type(self).__name__} is a base class; take Seq2Seq or RNNSearch.")

    def step(self, tokens: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """One more word, as `ops.decoding` wants it: ids (B,) -> logits (B, V), next state."""
        raise TypeError(f"{type(self).__name__} is a base class; take Seq2Seq or RNNSearch.")

    def teach(self, source: Any, fed: Any, training: bool = False) -> Any:
        """Logits (B, T, V) of every step when the words before are known: source (B, S), fed (B, T)."""
        raise TypeError(f"{type(self).__name__} is a base class; take Seq2Seq or RNNSearch.")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """(source, fed) -> logits (B, T, V) of every next token; source alone -> greedy answers (B, max_length)."""
        if isinstance(inputs, list | tuple):
            source, fed = (self._ids(each) for each in inputs)
            return self.teach(source, fed, training=training)
        return self.greedy(inputs).tokens

    def _ids(self, ids: Any) -> Any:
        require_rank(type(self).__name__, ids.shape, 2)
        return ops.cast(ids, "int32")

    def _decode(self, how: Any, source: Any, *more: Any, **settings: Any) -> decoding.Decoded:
        source = self._ids(source)
        state, context = self.encode(source)
        first = ops.full((ops.shape(source)[0],), START, "int32")

        def step(tokens: Any, state: Any, context: Any) -> tuple[Any, Any]:
            logits, state = self.step(tokens, state, context)
            never = ops.arange(logits.shape[-1])
            never = ops.logical_or(never == PAD, never == START)
            return ops.where(never, ops.full_like(logits, -float("inf")), logits), state

        settings = {"length": self.max_length, "end": END, "pad": PAD, "context": context, **settings}
        return how(step, state, first, *more, **settings)  # type: ignore[no-any-return]

    def greedy(self, source: Any) -> decoding.Decoded:
        """The likeliest token at every step: ids (B, S) -> `Decoded`, tokens (B, max_length)."""
        return self._decode(decoding.greedy, source)

    def beam(self, source: Any, width: int | None = None, length_power: float | None = None) -> decoding.Decoded:
        """The best of many answers: ids (B, S) -> `Decoded`, tokens (B, k, max_length), best first."""
        width = self.beam_width if width is None else width
        power = self.length_power if length_power is None else length_power
        return self._decode(decoding.beam, source, width=width, length_power=power)

    def sample(self, source: Any, seed: Any, temperature: Any = 1.0, top_k: int | None = None) -> decoding.Decoded:
        """Answers drawn at random: ids (B, S), seed (2,) -> `Decoded`, tokens (B, max_length)."""
        return self._decode(decoding.sample, source, seed, temperature=temperature, top_k=top_k)

    @property
    def tables(self) -> tuple[TextTables, TextTables]:
        """Strings to ids and back, of source and target; made when first wanted."""
        if self._tables is None:
            self._tables = TextTables(self.source_vocabulary, "source"), TextTables(self.target_vocabulary, "target")
        return self._tables

    def translate(self, texts: Any, how: str = "greedy", **settings: Any) -> Any:
        """Answers in words.

        Args:
            texts: strings, (B,).
            how: "greedy", "beam" or "sample".
            **settings: of the method of that name (width; seed, temperature, top_k).

        Returns:
            String tensor (B,), or (B, k) of a beam.

        Raises:
            ValueError: for another `how`.
        """
        require_one_of("translate", ("greedy", "beam", "sample"), how=how)
        source, target = self.tables
        return target.texts(getattr(self, how)(source.ids(tf.convert_to_tensor(texts, tf.string)), **settings).tokens)

    def in_words(self, x: Any, y: Any, answer: Any) -> dict[str, str]:
        """One example as a person reads it: ids (S,) of the source, (T,) of the target and of an answer, as texts."""
        (source,), (target,) = self.source_vocabulary.decode([x]), self.target_vocabulary.decode([y])
        (said,) = self.target_vocabulary.decode([answer])
        return {"source": source, "target": target, "answer": said}

    def train_step(self, data: Any) -> Any:
        return super().train_step(self._taught(data))

    def test_step(self, data: Any) -> Any:
        return super().test_step(self._taught(data))

    def _taught(self, data: Any) -> Any:
        """Puts the words before beside the source: (x, y) -> ((x, fed), y)."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if y is None:
            raise ValueError(f"{type(self).__name__} needs the target's ids (B, T) as y. Received: y=None")
        y = self._ids(y)
        return self.taught_inputs(x, y), y, sample_weight

    def taught_inputs(self, x: Any, y: Any) -> tuple[Any, Any]:
        """What the model is called with when the targets are known: (source, the word before each of y)."""
        y = self._ids(y)
        return x, ops.concatenate([ops.full_like(y[:, :1], START), y[:, :-1]], axis=1)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Mean over the sentences of -log p(y | x)."""
        nats = ops.sum(self._nats(y, y_pred), axis=1)  # (B,)
        if sample_weight is not None:
            nats = nats * ops.cast(ops.reshape(sample_weight, ops.shape(nats)), nats.dtype)
        return self.mean_over_rows(nats)

    def _nats(self, y: Any, logits: Any) -> Any:
        """-log p of each token (B, T), 0 where there is padding."""
        log_p = ops.log_softmax(_at_least_float32(logits), axis=-1)
        nats = -ops.take_along_axis(log_p, y[:, :, None], axis=-1)[:, :, 0]
        return ops.where(y == PAD, ops.zeros_like(nats), nats)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Share of right tokens given the true ones before them, and -log p a token, the end's among them."""
        counts = ops.cast(y != PAD, "float32")
        right = ops.cast(ops.equal(ops.cast(ops.argmax(y_pred, axis=-1), y.dtype), y), "float32")
        self.token_accuracy.update_state(right, sample_weight=counts)
        self.nats_per_token.update_state(self._nats(y, y_pred), sample_weight=counts)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        if isinstance(input_shape[0], list | tuple):
            return (*input_shape[1], len(self.target_vocabulary))
        return (input_shape[0], self.max_length)

    def endpoints(self) -> dict[str, Endpoint]:
        """Strings in, strings out: `serving_default` greedy, `beam` best first, `sample`; `tokens` is for ids."""
        text = keras.InputSpec(shape=(None,), dtype="string", name="text")
        ids = keras.InputSpec(shape=(None, None), dtype="int32", name="ids")
        seed = keras.InputSpec(shape=(2,), dtype="int32", name="seed")
        temperature = keras.InputSpec(shape=(), dtype="float32", name="temperature")
        source, target = self.tables

        def said(found: decoding.Decoded) -> dict[str, Any]:
            return {"text": target.texts(found.tokens), "log_prob": found.log_probs}

        def sampled(text: Any, seed: Any, temperature: Any) -> dict[str, Any]:
            return said(self.sample(source.ids(text), seed, temperature))

        return {
            "serving_default": (lambda text: said(self.greedy(source.ids(text))), [text]),
            "beam": (lambda text: said(self.beam(source.ids(text))), [text]),
            "sample": (sampled, [text, seed, temperature]),
            "tokens": (lambda ids: self.greedy(ids)._asdict(), [ids]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "source_vocabulary": list(self.source_vocabulary.tokens),
            "target_vocabulary": list(self.target_vocabulary.tokens),
            "units": self.units,
            "embedding": self.embedding,
            "cell": self.cell,
            "unit": self.unit,
            "max_length": self.max_length,
            "beam_width": self.beam_width,
            "length_power": self.length_power,
        }


def _at_least_float32(tensor: Any) -> Any:
    return tensor if keras.backend.standardize_dtype(tensor.dtype) == "float64" else ops.cast(tensor, "float32")
