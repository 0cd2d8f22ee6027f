"""Encoder and decoder with one vector between them: all that the decoder ever knows of the source.

    h_1 ... h_S = encoder(x_1 ... x_S),   c = h_S
    s_0 = last state of the encoder,      s_t = decoder([E y_{t-1}, c], s_{t-1})
    p(y_t | y_1 ... y_{t-1}, x) = softmax(V maxout([s_t, E y_{t-1}, c]) + b)

c has one width whatever the length of the source, so long sources lose more in it; compare `RNNSearch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_course.core.serial import register
from keras_course.datasets.text import PAD
from keras_course.models.recurrent.encoder_decoder import EncoderDecoder

__all__ = ["Seq2Seq"]


@register("Seq2Seq")
class Seq2Seq(EncoderDecoder):
    """Encoder-decoder with a fixed context (RNNenc).

    c = h_S,   s_t = decoder([E y_{t-1}, c], s_{t-1}),   p(y_t | ...) = softmax(V maxout([s_t, E y_{t-1}, c]) + b)

    `fit(x, y)` takes ids, x (B, S) and y (B, T), each row with END after its last token and then PAD, as
    `datasets.text.Vocabulary.encode` makes them. `translate(strings)` answers in strings.

    Args:
        source_vocabulary: strings, tokens of the sources without the four special ones (`datasets.text.SPECIAL`).
        target_vocabulary: the same of the targets.
        units: int, width H of encoder and decoder.
        embedding: int, width E of a token's vector.
        cell: "rnn", "lstm" or "gru" (with a tanh candidate).
        unit: "word" or "character", what the tokens are; of sources and targets alike.
        max_length: int, tokens of an answer at most, its end included.
        beam_width: int, beginnings that the endpoint `beam` keeps.
        length_power: number, as `ops.decoding.beam`.
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
        >>> model = Seq2Seq(["cat", "dog"], ["chat", "chien"], units=8, embedding=4, max_length=5)
        >>> ids = model.source_vocabulary.encode(["cat", "dog cat"])
        >>> tuple(model(ids).shape), tuple(model([ids, ids]).shape)
        ((2, 5), (2, 3, 6))

    Source: C 10.3.4, B; Cho et al. 2014; Sutskever, Vinyals and Le 2014.
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
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            source_vocabulary, target_vocabulary, units, embedding, cell, unit, max_length, beam_width, length_power,
            seed, **kwargs,
        )  # fmt: skip
        self.encoder = self.recurrent("encoder")
        self.decoder = self.recurrent("decoder")
        self.build((None, None))

    def build(self, input_shape: Any = None) -> None:
        self.encoder.build((None, None, self.embedding))
        self.decoder.build((None, None, self.embedding + self.units))
        self.build_output(2 * self.units + self.embedding)

    def encode(self, source: Any, training: bool = False) -> tuple[Any, Any]:
        """Ids (B, S) -> the encoder's last states, and c (B, H)."""
        _, *state = self.encoder(self.source_embedding(source), mask=source != PAD, training=training)
        return state, state[0]

    def step(self, tokens: Any, state: Any, context: Any) -> tuple[Any, Any]:
        """One more word: ids (B,) -> logits (B, V), next state."""
        word = self.target_embedding(tokens)
        s, state = self.decoder.cell(ops.concatenate([word, context], axis=-1), state)
        return self.scores(s, word, context), state

    def teach(self, source: Any, fed: Any, training: bool = False) -> Any:
        """Logits (B, T, V) when the words before are known."""
        state, context = self.encode(source, training)
        words = self.target_embedding(fed)  # (B, T, E)
        context = ops.broadcast_to(context[:, None], (*ops.shape(words)[:2], self.units))
        s, *_ = self.decoder(ops.concatenate([words, context], axis=-1), initial_state=state, training=training)
        return self.scores(s, words, context)
