"""From text to numbers and back, inside the graph: an exported model takes and gives strings.

    code of a character = its place in the alphabet

Characters are Unicode code points, found by binary search among the sorted ones. No table, so nothing to initialise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["Alphabet"]


class Alphabet:
    """The characters that a model knows, in the order of their codes.

    Args:
        characters: str of different characters, at least two.

    Raises:
        ValueError: for anything else.

    Example:
        >>> alphabet = Alphabet("ab!")
        >>> codes, lengths = alphabet.encode(tf.constant(["ba", "!"]))
        >>> codes.numpy().tolist(), lengths.numpy().tolist()
        ([[1, 0], [2, 0]], [2, 1])
        >>> alphabet.decode(codes[0]).numpy().decode()
        'ba'
    """

    def __init__(self, characters: str) -> None:
        if not isinstance(characters, str) or len(set(characters)) < max(2, len(characters)):
            raise ValueError(f"An alphabet is a string of different characters, at least two. Received: {characters!r}")
        self.characters = characters
        self.points = np.array([ord(character) for character in characters], "int32")
        self.order = np.argsort(self.points).astype("int32")

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, texts: Any) -> tuple[Any, Any]:
        """Strings as rows of codes, those behind a text's end 0.

        Args:
            texts: string tensor (B,), UTF-8.

        Returns:
            Tuple of codes int32 (B, T) and lengths int32 (B,), T the longest of them.

        Raises:
            InvalidArgumentError: for a character that is not of the alphabet.
        """
        points = tf.strings.unicode_decode(texts, "UTF-8")  # ragged (B, T)
        lengths = tf.cast(points.row_lengths(), "int32")
        flat, ordered = points.flat_values, self.points[self.order]
        place = tf.minimum(tf.searchsorted(ordered, flat), len(self) - 1)
        unknown = tf.boolean_mask(flat, tf.not_equal(tf.gather(ordered, place), flat))
        wanted = f"Texts need characters of {self.characters!r}. Received code points:"
        known = tf.debugging.Assert(tf.equal(tf.size(unknown), 0), [wanted, unknown])
        with tf.control_dependencies([] if known is None else [known]):
            codes = tf.gather(self.order, place)
        return points.with_flat_values(codes).to_tensor(), lengths

    def decode(self, codes: Any) -> Any:
        """The text that codes (T,) or (B, T) spell: a string tensor without the last axis."""
        return tf.strings.unicode_encode(tf.gather(self.points, codes), "UTF-8")
