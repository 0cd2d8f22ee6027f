"""Encoder and decoder with attention between them: at every word the decoder looks where it needs to.

h_j     = [forward_j, backward_j]                        annotation of place j: the whole sentence, seen from j
e_tj    = v . tanh(W s_{t-1} + U h_j),   alpha_t = softmax(e_t)
c_t     = sum_j alpha_tj h_j
s_0     = tanh(W_0 backward_1),          s_t = decoder([E y_{t-1}, c_t], s_{t-1})
p(y_t | y_1 ... y_{t-1}, x) = softmax(V maxout([s_t, E y_{t-1}, c_t]) + b)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan, sizes_of, unstacked
from keras_course.core.model import Endpoint
from keras_course.core.serial import register
from keras_course.datasets.text import PAD, START
from keras_course.layers.additive_attention import AdditiveAttention
from keras_course.layers.recurrent import Bidirectional
from keras_course.models.recurrent.encoder_decoder import EncoderDecoder

__all__ = ["RNNSearch"]


@register("RNNSearch")
class RNNSearch(EncoderDecoder):
    """Encoder-decoder that searches the source at every word (Bahdanau's).

    c_t = sum_j alpha_tj h_j,   s_t = decoder([E y_{t-1}, c_t], s_{t-1})

    `fit(x, y)` takes ids, x (B, S) and y (B, T), each row with END after its last token and then PAD, as
    `datasets.text.Vocabulary.encode` makes them. `translate(strings)` answers in strings, `align` says where the
    decoder looked.

    Args:
        source_vocabulary: strings, tokens of the sources without the four special ones (`datasets.text.SPECIAL`).
        target_vocabulary: the same of the targets.
        units: int, width H of the decoder and of each direction of the encoder.
        embedding: int, width E of a token's vector.
        cell: "rnn", "lstm" or "gru" (with a tanh candidate).
        unit: "word" or "character", what the tokens are; of sources and targets alike.
        max_length: int, tokens of an answer at most, its end included.
        beam_width: int, beginnings that the endpoint `beam` keeps.
        length_power: number, as `ops.decoding.beam`.
        attention_units: int, width A of the network that scores places; None takes `units`.
        seed: int, root of initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, S) ids, or a pair of (B, S) and (B, T).

    Output shape:
        (B, max_length) ids of the greedy answer; of a pair (B, T, V) logits.

    Raises:
        ValueError: for a bad argument, ids of another rank, or training without y.
        InvalidDataError: for a vocabulary with a token twice.

    Example:
        >>> model = RNNSearch(["cat", "dog"], ["chat", "chien"], units=8, embedding=4, max_length=5)
        >>> ids = model.source_vocabulary.encode(["cat", "dog cat"])
        >>> tuple(model(ids).shape), tuple(model.align(ids, ids).shape)
        ((2, 5), (2, 3, 3))

    Source: B; Bahdanau, Cho and Bengio 2015.
    """

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
        attention_units: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            source_vocabulary, target_vocabulary, units, embedding, cell, unit, max_length, beam_width, length_power,
            seed, **kwargs,
        )  # fmt: skip
        self.attention_units = attention_units
        self.encoder = Bidirectional(self.recurrent("encoder"), name="encoder", dtype=self.dtype_policy)
        backward = self.recurrent("backward").get_config()  # the two directions start apart
        for name in ("kernel_initializer", "recurrent_initializer"):
            setattr(self.encoder.backward_layer.cell, name, keras.initializers.get(backward[name]))
        self.first_state = keras.layers.Dense(
            units, "tanh", kernel_initializer=self._glorot("first_state"), name="first_state", dtype=self.dtype_policy
        )
        self.attention = AdditiveAttention(
            units if attention_units is None else attention_units, kernel_initializer=self._glorot("attention"),
            vector_initializer=self._glorot("attention", "vector"), name="attention", dtype=self.dtype_policy,
        )  # fmt: skip
        self.decoder = self.recurrent("decoder").cell
        self.build((None, None))

    def build(self, input_shape: Any = None) -> None:
        width = 2 * self.units
        self.encoder.build((None, None, self.embedding))
        self.first_state.build((None, self.units))
        self.attention.build((None, self.units), (None, None, width))
        self.decoder.build((None, self.embedding + width))
        self.build_output(self.units + self.embedding + width)

    def encode(self, source: Any, training: bool = False) -> tuple[Any, Any]:
        """Ids (B, S) -> first states, and (annotations (B, S, 2H), keys (B, S, A), which places count (B, S))."""
        counts = source != PAD
        annotations, *last = self.encoder(self.source_embedding(source), mask=counts, training=training)
        backward = last[len(last) // 2]  # h of the direction that ends at the first word
        first = self.first_state(backward)
        state = [first, *(ops.zeros_like(first) for _ in range(self.decoder.state_count - 1))]
        return state, (annotations, self.attention.keys(annotations), counts)

    def _look(self, s: Any, context: Any) -> tuple[Any, Any]:
        annotations, keys, counts = context
        return self.attention(s, annotations, keys=keys, annotations_mask=counts)

    def step(self, tokens: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """One more word: ids (B,) -> logits (B, V), next state."""
        word = self.target_embedding(tokens)
        c, _ = self._look(state[0], context)
        s, state = self.decoder(ops.concatenate([word, c], axis=-1), state)
        return self.scores(s, word, c), state

    def teach(self, source: Any, fed: Any, training: bool = False) -> Any:
        """Logits (B, T, V) when the words before are known."""
        s, words, c, _ = self._search(source, fed, training)
        return self.scores(s, words, c)

    def align(self, source: Any, target: Any) -> Any:
        """Where the decoder looked: source (B, S), target (B, T) -> weights (B, T, S), a row a word of the target."""
        source, target = self._ids(source), self._ids(target)
        fed = ops.concatenate([ops.full_like(target[:, :1], START), target[:, :-1]], axis=1)
        return self._search(source, fed)[-1]

    def _search(self, source: Any, fed: Any, training: bool = False) -> tuple[Any, Any, Any, Any]:
        """States (B, T, H), words (B, T, E), contexts (B, T, 2H), weights (B, T, S) of all steps."""
        state, context = self.encode(source, training)
        words = self.target_embedding(fed)
        kernel = ops.convert_to_tensor(self.decoder.kernel)
        of_word, of_context = kernel[: self.embedding], kernel[self.embedding :]
        projected = ops.matmul(ops.transpose(words, (1, 0, 2)), of_word)  # the words' share of all steps, (T, B, G H)
        if self.decoder.bias is not None:
            projected = projected + self.decoder.bias

        def step(state: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            c, weights = self._look(state[0], context)
            state = self.decoder.step(now[0] + ops.matmul(c, of_context), state)
            return state, [state[0], c, weights]

        batch, places, width = sizes_of(context[0])
        sizes = [(batch, self.units), (batch, width), (batch, places)]
        _, _, kept = scan(step, state, [unstacked(projected)], sizes, length=sizes_of(fed)[1])
        s, c, weights = (ops.transpose(each.stack(), (1, 0, 2)) for each in kept)
        return s, words, c, weights

    def endpoints(self) -> dict[str, Endpoint]:
        """Those of every encoder-decoder, and `align`: the greedy answer and where the decoder looked, (B, T, S)."""
        text = keras.InputSpec(shape=(None,), dtype="string", name="text")
        source, target = self.tables

        def aligned(text: Any) -> dict[str, Any]:
            ids = source.ids(text)
            tokens = self.greedy(ids).tokens
            return {"text": target.texts(tokens), "weights": self.align(ids, tokens)}

        return {**super().endpoints(), "align": (aligned, [text])}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "attention_units": self.attention_units}
