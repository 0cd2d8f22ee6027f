"""Text with random typos and omissions, as ids of characters or tokens."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.ops.augmentation_text import (
    neighbour_table,
    omit_tokens,
    require_probability,
    substitute_neighbours,
    substitute_others,
)

__all__ = ["RandomOmissions", "RandomTypos"]


@register("RandomTypos")
class RandomTypos(Augmentation):
    """Replaces some tokens of each text by neighbours: keys hit by mistake.

    with probability rate:  t' = one of the neighbours of t, each equally likely;   else t' = t

    Two uniform numbers a token and example: whether, and which.

    Args:
        rate: float in [0, 1], probability of a typo at each token that is no padding.
        vocabulary: int >= 1, ids are below it.
        neighbours: `vocabulary` sequences of ids, the t-th what t may become; for letters
            `ops.augmentation_text.keyboard_neighbours` makes them. None allows every other id but padding.
        pad: int, the id of padding, which is never changed; -1 if there is none.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, time), integers.

    Output shape:
        That of the input, of its dtype.

    Raises:
        ValueError: for a rate outside [0, 1], neighbours that do not fit the vocabulary, or inputs that are no integers
            of rank 2.

    Example:
        >>> layer = RandomTypos(0.5, vocabulary=4, neighbours=[[], [2], [1, 3], [2]])
        >>> uniforms = ops.convert_to_tensor([[0.9, 0.0, 0.1, 0.6, 0.1, 0.0]])
        >>> ops.convert_to_numpy(layer(ops.convert_to_tensor([[1, 2, 0]]), uniforms)).tolist()
        [[1, 3, 0]]

    Source: S 9.3.
    """

    ranks = (2,)
    integers = True

    def __init__(
        self, rate: float, vocabulary: int, neighbours: Any = None, pad: int = 0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_probability("RandomTypos", rate)
        require_positive_int("RandomTypos", vocabulary=vocabulary)
        if neighbours is None and vocabulary - (0 <= pad < vocabulary) < 2:
            raise ValueError(
                f"RandomTypos needs at least 2 ids besides padding. Received: vocabulary={vocabulary}, pad={pad}"
            )
        if neighbours is not None and len(neighbours) != vocabulary:
            raise ValueError(
                f"RandomTypos needs one list of neighbours an id. "
                f"Received: vocabulary={vocabulary}, len(neighbours)={len(neighbours)}"
            )
        self.rate = rate
        self.vocabulary = vocabulary
        self.neighbours = None if neighbours is None else tuple(tuple(row) for row in neighbours)
        self.pad = pad
        self._table = None if self.neighbours is None else neighbour_table(self.neighbours)

    def draws(self, shape: Any) -> int:
        return 2 * int(shape[1])

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        pairs = ops.reshape(uniforms, (-1, inputs.shape[1], 2))
        if self._table is None:
            return substitute_others(inputs, pairs, self.rate, self.vocabulary, self.pad)
        table, counts = self._table
        return substitute_neighbours(inputs, pairs, self.rate, table, counts, self.pad)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "vocabulary": self.vocabulary,
            "neighbours": self.neighbours,
            "pad": self.pad,
        }


@register("RandomOmissions")
class RandomOmissions(Augmentation):
    """Leaves some tokens of each text out; the rest moves up, and padding fills the end.

    token t is left out with probability rate, each by itself

    One uniform number a token and example.

    Args:
        rate: float in [0, 1], probability of leaving a token out.
        pad: int, the id of padding.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, time), integers.

    Output shape:
        That of the input, of its dtype.

    Raises:
        ValueError: for a rate outside [0, 1], or inputs that are no integers of rank 2.

    Example:
        >>> layer = RandomOmissions(0.5)
        >>> uniforms = ops.convert_to_tensor([[0.9, 0.1, 0.9, 0.9]])
        >>> ops.convert_to_numpy(layer(ops.convert_to_tensor([[5, 6, 7, 0]]), uniforms)).tolist()
        [[5, 7, 0, 0]]

    Source: S 9.3.
    """

    ranks = (2,)
    integers = True

    def __init__(self, rate: float, pad: int = 0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_probability("RandomOmissions", rate)
        self.rate = rate
        self.pad = pad

    def draws(self, shape: Any) -> int:
        return int(shape[1])

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        return omit_tokens(inputs, uniforms, self.rate, self.pad)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "pad": self.pad}
