"""From a story in words to numbers and back, inside a graph: what a SavedModel answers strings with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["StoryText"]


class StoryText(tf.Module):
    """Sentences to rows of word numbers, as `datasets.stories.encode_stories` makes them, by string operations alone.

    The vocabulary is a constant of the graph: a served model needs no file beside it.

    Args:
        vocabulary: sequence of V words in lower case.
        answers: sequence of strings.
        sentences: int S.
        words: int W.
    """

    def __init__(self, vocabulary: Sequence[str], answers: Sequence[str], sentences: int, words: int) -> None:
        super().__init__(name="story_text")
        self.vocabulary, self.answers = tuple(vocabulary), tuple(answers)
        self.sentences, self.words = sentences, words
        with tf.init_scope():
            pairs = tf.lookup.KeyValueTensorInitializer(
                list(self.vocabulary), tf.range(1, 1 + len(self.vocabulary), dtype=tf.int64)
            )
            self.table = tf.lookup.StaticHashTable(pairs, default_value=0)

    def numbers(self, story: Any, question: Any) -> Any:
        """Integers (B, S + 1, W) of strings (B,) and (B,)."""
        story, question = tf.convert_to_tensor(story, tf.string), tf.convert_to_tensor(question, tf.string)
        lines = tf.strings.split(tf.strings.regex_replace(story, r"[.!?\n]+", "\n"), "\n")  # ragged (B, sentences)
        lines = tf.ragged.boolean_mask(lines, tf.strings.regex_full_match(lines, r"(?s).*[0-9A-Za-z].*"))
        told = self._rows(lines[:, -self.sentences :])  # (B, s, W), s <= S
        told = tf.pad(told, [[0, 0], [self.sentences - tf.shape(told)[1], 0], [0, 0]])
        # Ragged rows begin at the left; the latest sentence belongs to the right.
        missing = self.sentences - tf.cast(tf.minimum(lines.row_lengths(), self.sentences), tf.int32)
        longest = tf.reduce_max(tf.minimum(lines.row_lengths(), self.sentences))
        shift = tf.cast(longest, tf.int32) - (self.sentences - missing)
        places = tf.range(self.sentences)[None] - shift[:, None]  # (B, S)
        told = tf.gather(told, tf.maximum(places, 0), batch_dims=1) * tf.cast(places >= 0, told.dtype)[:, :, None]
        return tf.concat([told, self._rows(question[:, None])], axis=1)

    def _rows(self, lines: Any) -> Any:
        """Word numbers (B, sentences, W) of ragged or plain lines; unknown words leave no gap."""
        plain = tf.strings.regex_replace(tf.strings.lower(getattr(lines, "flat_values", lines)), "[^0-9a-z]+", " ")
        flat = tf.strings.split(tf.strings.strip(tf.reshape(plain, [-1])))  # ragged (lines, words)
        numbers = flat.with_flat_values(tf.cast(self.table.lookup(flat.flat_values), tf.int32))
        numbers = tf.ragged.boolean_mask(numbers, numbers > 0)
        dense = numbers.to_tensor(shape=[None, self.words])  # (lines, W)
        if isinstance(lines, tf.RaggedTensor):
            return tf.RaggedTensor.from_row_lengths(dense, lines.row_lengths()).to_tensor(
                shape=[None, None, self.words]
            )
        return dense[:, None]

    def answer(self, places: Any) -> Any:
        """Strings (B,) of answer numbers (B,)."""
        return tf.gather(tf.constant(list(self.answers)), tf.cast(places, tf.int32))
