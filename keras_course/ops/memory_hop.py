"""A memory of sentences, asked again and again: the parts of an end-to-end memory network.

    sentence      m = sum_j l_j * e_j,   l_jk = (1 - j/J) - (k/d)(1 - 2 j/J)      words by their place
    hop           p = softmax_i(u . m_i),   u' = u + sum_i p_i c_i                the question, richer by what was found

Letters of shapes: B batch, S sentences, J words of a sentence, d width.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = ["memory_hop", "position_encoded", "story_attention"]


def position_encoded(embedded: Any, words: Any, positions: bool = True) -> Any:
    """A vector for each sentence: the sum of its words' vectors, weighted by their place.

    m_k = sum_j l_jk e_jk,   l_jk = (1 - j/J) - (k/d) (1 - 2 j/J),   j = 1 ... J,   k = 1 ... d

    J is the number of words of that very sentence, so that filling it up changes nothing. Without positions l = 1, a
    bag of words. The first half of the coordinates listens to early words, the second half to late ones.

    Args:
        embedded: tensor (..., W, d), vectors e of the words.
        words: bool tensor (..., W), true where a word stands; those come first.
        positions: whether words are weighted by their place.

    Returns:
        Tensor (..., d); zeros where there is no word.

    Example:
        >>> import numpy as np
        >>> vectors = np.ones((3, 2))
        >>> [float(m) for m in position_encoded(vectors, np.array([True, True, False]))]
        [1.0, 1.5]

    Source: S 9.5; Sukhbaatar et al. 2015, section 4.1.
    """
    embedded = ops.convert_to_tensor(embedded)
    there = ops.cast(words, embedded.dtype)  # (..., W)
    if not positions:
        return ops.sum(there[..., None] * embedded, axis=-2)
    width = embedded.shape[-1]
    place = ops.cumsum(there, axis=-1) / ops.maximum(ops.sum(there, axis=-1, keepdims=True), 1)  # j/J
    k = ops.convert_to_tensor(np.arange(1, width + 1) / width, dtype=embedded.dtype)
    # l is linear in j/J, so two weighted sums do: sum_j e_j and sum_j (j/J) e_j.
    plain = ops.sum(there[..., None] * embedded, axis=-2)
    placed = ops.sum((there * place)[..., None] * embedded, axis=-2)
    return (1 - k) * plain + (2 * k - 1) * placed


def story_attention(question: Any, memories: Any, present: Any, linear: Any = False) -> Any:
    """How much each sentence is listened to.

    p = softmax_i(u . m_i) over the sentences that are there;   linear: p_i = u . m_i

    Args:
        question: tensor (B, d), u.
        memories: tensor (B, S, d), m.
        present: bool tensor (B, S), false where there is no sentence.
        linear: bool, or scalar bool tensor, whether the softmax is left out (the linear start of training).

    Returns:
        Tensor (B, S), 0 where there is no sentence, and all 0 where there is none at all.

    Example:
        >>> import numpy as np
        >>> u, m = np.array([[1.0]]), np.array([[[2.0], [2.0], [9.0]]])
        >>> [float(p) for p in story_attention(u, m, np.array([[True, True, False]]))[0]]
        [0.5, 0.5, 0.0]

    Source: S 9.5; Sukhbaatar et al. 2015, equation 1 and section 5 (linear start).
    """
    memories = ops.convert_to_tensor(memories)
    scores = ops.sum(memories * ops.cast(question, memories.dtype)[:, None], axis=-1)  # (B, S)
    there = ops.cast(present, scores.dtype)
    lowest = float(np.finfo(keras.backend.standardize_dtype(scores.dtype)).min)
    softmax = there * ops.softmax(ops.where(present, scores, lowest), axis=-1)  # none there: even shares, times 0
    scores = there * scores
    if isinstance(linear, bool):
        return scores if linear else softmax
    return ops.where(linear, scores, softmax)


def memory_hop(question: Any, memories: Any, outputs: Any, present: Any, linear: Any = False) -> tuple[Any, Any]:
    """One look at the story: what is found there is added to the question.

    p = softmax_i(u . m_i),   o = sum_i p_i c_i,   u' = u + o

    Args:
        question: tensor (B, d), u; with layer-wise tying H u takes its place in the sum.
        memories: tensor (B, S, d), m.
        outputs: tensor (B, S, d), c.
        present: bool tensor (B, S).
        linear: as `story_attention`.

    Returns:
        Tuple of o (B, d) and p (B, S).

    Example:
        >>> import numpy as np
        >>> one = np.array([[[1.0], [3.0]]])
        >>> found, attention = memory_hop(np.array([[0.0]]), one, one, np.array([[True, True]]))
        >>> float(found[0, 0])
        2.0

    Source: S 9.5; Sukhbaatar et al. 2015, equations 1 and 2.
    """
    attention = story_attention(question, memories, present, linear)
    return ops.sum(attention[:, :, None] * ops.convert_to_tensor(outputs), axis=1), attention
