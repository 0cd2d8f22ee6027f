"""Strings to ids and back inside a graph, so that an exported model takes and gives strings.

The vocabulary lies in a file, one token a line, that TensorFlow copies into the assets of a SavedModel. The same text
gets the same ids here as from `datasets.text`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_course.datasets.text import CLEANED, END, JOINED, PAD, START, UNKNOWN, Vocabulary

__all__ = ["TextTables"]


class TextTables(tf.Module):
    """Both directions of one vocabulary as TensorFlow tables.

    Args:
        vocabulary: `datasets.text.Vocabulary`.
        name: str, of the asset: NAME.txt.

    Example:
        >>> tables = TextTables(Vocabulary(("le", "chat")), "french")
        >>> tables.ids(tf.constant(["Le chat", "le rat"])).numpy().tolist()
        [[4, 5, 2], [4, 3, 2]]
        >>> tables.texts(tf.constant([[5, 4, 2, 0]])).numpy().tolist()
        [b'chat le']

    Source: C 10.3.4.
    """

    def __init__(self, vocabulary: Vocabulary, name: str) -> None:
        super().__init__(name=name)
        self.unit = vocabulary.unit
        self._folder = tempfile.TemporaryDirectory(prefix="keras-course-")  # lives as long as the tables
        path = Path(self._folder.name, f"{name}.txt")
        path.write_text("".join(f"{token}\n" for token in vocabulary.names), "utf-8", newline="\n")
        whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        with tf.init_scope():
            self.numbers = tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(str(path), tf.string, whole, tf.int64, number), UNKNOWN
            )
            self.tokens = tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(str(path), tf.int64, number, tf.string, whole), ""
            )

    def ids(self, texts: Any) -> Any:
        """Rows of ids, END after the last token, then PAD: string tensor (B,) -> int32 (B, S)."""
        if self.unit == "character":
            tokens = tf.strings.unicode_split(texts, "UTF-8")
        else:
            texts = tf.strings.lower(texts, encoding="utf-8")
            for pattern, replacement in CLEANED:
                texts = tf.strings.regex_replace(texts, pattern, replacement)
            tokens = tf.strings.split(tf.strings.strip(texts), " ")
            tokens = tf.ragged.boolean_mask(tokens, tokens != "")
        numbers = self.numbers.lookup(tokens)
        ends = tf.fill((tf.shape(texts)[0], 1), tf.constant(END, tf.int64))
        return tf.cast(tf.concat([numbers, ends], axis=1).to_tensor(PAD), tf.int32)

    def texts(self, ids: Any) -> Any:
        """Texts of rows of ids, each up to its END: integer tensor (..., L) -> strings (...)."""
        ids = tf.cast(ids, tf.int64)
        before = tf.cumsum(tf.cast(ids == END, tf.int32), axis=-1) == 0
        shown = before & (ids != PAD) & (ids != START)
        tokens = tf.where(shown, self.tokens.lookup(ids), "")
        if self.unit == "character":
            return tf.strings.reduce_join(tokens, axis=-1)
        text = tf.strings.reduce_join(tokens, axis=-1, separator=" ")
        for pattern, replacement in JOINED:
            text = tf.strings.regex_replace(text, pattern, replacement)
        return tf.strings.strip(text)
