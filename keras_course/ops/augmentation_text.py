"""Text as people type it: a wrong key here, a letter left out there, on sequences of token or character ids.

    typo        with probability rate a token becomes one of its neighbours, each as likely as the next
    omission    with probability rate a token is left out; the rest moves up and padding fills the end

Conventions: ids are 0 <= t < vocabulary; padding is never changed, drawn or counted. The neighbours of a token are
those the caller lists (the keys around a key, `keyboard_neighbours`), or all other ids but padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating

__all__ = [
    "keyboard_neighbours",
    "neighbour_table",
    "omit_tokens",
    "require_probability",
    "substitute_neighbours",
    "substitute_others",
]

# Rows of a QWERTY keyboard, and how far each is set in, in widths of a key.
KEYS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))


def substitute_neighbours(tokens: Any, uniforms: Any, rate: float, neighbours: Any, counts: Any, pad: int = 0) -> Any:
    """Replaces tokens by neighbours: typos.

    with probability rate:  t' = neighbours[t, floor(u2 n_t)],  n_t = counts[t];   else t' = t

    Args:
        tokens: integer tensor (B, T); ids outside 0 <= t < V are never changed.
        uniforms: tensor (B, T, 2) in [0, 1): whether, and which.
        rate: number in [0, 1].
        neighbours: integer tensor (V, K), row t starts with the neighbours of t (`neighbour_table`).
        counts: integer tensor (V,), how many they are; a token without any is never changed.
        pad: int, the id of padding, which is never changed; -1 if there is none.

    Returns:
        Tensor like tokens.

    Raises:
        ValueError: if rate is outside [0, 1] or tokens has not rank 2.

    Example:
        >>> table, counts = neighbour_table([[], [2], [1, 3], [2]])
        >>> u = [[[0.9, 0.0], [0.1, 0.6], [0.1, 0.0]]]
        >>> ops.convert_to_numpy(substitute_neighbours([[1, 2, 0]], u, 0.5, table, counts)).tolist()
        [[1, 3, 0]]

    Source: S 9.3.
    """
    require_probability("substitute_neighbours", rate)
    tokens, u = _tokens("substitute_neighbours", tokens), as_floating(uniforms)
    table, counts = ops.convert_to_tensor(neighbours), ops.convert_to_tensor(counts)
    size, width = table.shape
    known = (tokens >= 0) & (tokens < size) & (tokens != pad)
    row = ops.cast(ops.where(known, tokens, ops.zeros_like(tokens)), "int32")
    many = ops.take(counts, row, axis=0)  # (B, T)
    which = ops.minimum(_floor_of(u[..., 1], many), ops.maximum(many - 1, 0))
    other = ops.take(ops.reshape(table, (-1,)), row * width + which, axis=0)
    changed = known & (u[..., 0] < rate) & (many > 0)
    return ops.where(changed, ops.cast(other, tokens.dtype), tokens)


def substitute_others(tokens: Any, uniforms: Any, rate: float, vocabulary: int, pad: int = 0) -> Any:
    """Replaces tokens by any others: typos of somebody who hits every key as easily.

    with probability rate:  t' uniform over all ids but t and padding;   else t' = t

    With padding taken out of the row of ids, a token of place r goes to place (r + 1 + floor(u2 (n - 1))) mod n.

    Args:
        tokens: integer tensor (B, T); ids outside 0 <= t < vocabulary are never changed.
        uniforms: tensor (B, T, 2) in [0, 1): whether, and which.
        rate: number in [0, 1].
        vocabulary: int V; n >= 2 ids remain without padding.
        pad: int, the id of padding, which is never changed nor drawn; -1 if there is none.

    Returns:
        Tensor like tokens.

    Raises:
        ValueError: if rate is outside [0, 1], fewer than 2 ids remain, or tokens has not rank 2.

    Example:
        >>> u = [[[0.1, 0.0], [0.1, 0.9], [0.9, 0.0], [0.1, 0.0]]]
        >>> ops.convert_to_numpy(substitute_others([[1, 1, 1, 0]], u, 0.5, vocabulary=4)).tolist()
        [[2, 3, 1, 0]]

    Source: S 9.3.
    """
    require_probability("substitute_others", rate)
    padded = 0 <= pad < vocabulary
    remaining = vocabulary - padded
    if remaining < 2:
        raise ValueError(
            f"substitute_others needs at least 2 ids besides padding. Received: vocabulary={vocabulary}, pad={pad}"
        )
    tokens, u = _tokens("substitute_others", tokens), as_floating(uniforms)
    known = (tokens >= 0) & (tokens < vocabulary) & (tokens != pad)
    place = ops.cast(tokens, "int32")
    if padded:
        place = place - ops.cast(place > pad, "int32")
    step = ops.minimum(_floor_of(u[..., 1], remaining - 1), remaining - 2)
    place = ops.mod(place + 1 + step, remaining)
    if padded:
        place = place + ops.cast(place >= pad, "int32")
    return ops.where(known & (u[..., 0] < rate), ops.cast(place, tokens.dtype), tokens)


def _tokens(who: str, tokens: Any) -> Any:
    tokens = ops.convert_to_tensor(tokens)
    require_rank(who, tokens.shape, 2)
    return tokens


def _floor_of(u: Any, many: Any) -> Any:
    """floor(u many) as int32; rounding may make it `many`, which callers cut off."""
    return ops.cast(ops.floor(u * ops.cast(many, u.dtype)), "int32")


def omit_tokens(tokens: Any, uniforms: Any, rate: float, pad: int = 0) -> Any:
    """Leaves tokens out, closes the gaps and pads at the end.

    token t is left out where u_t < rate

    Args:
        tokens: integer tensor (B, T).
        uniforms: tensor (B, T) in [0, 1).
        rate: number in [0, 1].
        pad: int, the id of padding; padding that was there, wherever it stood, ends up at the end too.

    Returns:
        Tensor like tokens.

    Raises:
        ValueError: if rate is outside [0, 1] or tokens has not rank 2.

    Example:
        >>> ops.convert_to_numpy(omit_tokens([[5, 6, 7, 0]], [[0.9, 0.1, 0.9, 0.9]], 0.5)).tolist()
        [[5, 7, 0, 0]]

    Source: S 9.3.
    """
    require_probability("omit_tokens", rate)
    tokens, u = _tokens("omit_tokens", tokens), as_floating(uniforms)
    length = tokens.shape[1]
    kept = (u >= rate) & (tokens != pad)
    time = ops.arange(length, dtype="int32")[None, :]
    order = ops.argsort(ops.where(kept, time, time + length), axis=1)  # all keys differ: kept ones first, in order
    moved = ops.take_along_axis(tokens, order, axis=1)
    remaining = ops.sum(ops.cast(kept, "int32"), axis=1, keepdims=True)  # (B, 1)
    return ops.where(time < remaining, moved, ops.cast(ops.full((1, 1), pad), tokens.dtype))


def neighbour_table(neighbours: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Lists of neighbours as a rectangular table.

    Args:
        neighbours: V sequences, the t-th holds the ids that t may become.

    Returns:
        int32 arrays (V, K), rows filled up with the token itself, and (V,), how many of each row count.

    Raises:
        ValueError: if an id is not an integer in [0, V).

    Example:
        >>> table, counts = neighbour_table([[1, 2], [0], []])
        >>> table.tolist(), counts.tolist()
        ([[1, 2], [0, 1], [2, 2]], [2, 1, 0])

    Source: S 9.3.
    """
    size = len(neighbours)
    for token, row in enumerate(neighbours):
        for other in row:
            if isinstance(other, bool) or not isinstance(other, int | np.integer) or not 0 <= other < size:
                raise ValueError(
                    f"neighbour_table needs ids of 0 <= id < {size}, the number of rows. "
                    f"Received: neighbours[{token}]={list(row)!r}"
                )
    counts = np.array([len(row) for row in neighbours], "int32")
    table = np.tile(np.arange(size, dtype="int32")[:, None], (1, max(1, counts.max(initial=0))))
    for token, row in enumerate(neighbours):
        table[token, : len(row)] = row
    return table, counts


def keyboard_neighbours(symbols: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Which symbols lie beside which on a QWERTY keyboard.

    Two keys are neighbours if their centres are at most 1.25 widths of a key apart: at most six for a letter. Symbols
    that are no letters a to z, either case, have none; a capital's neighbours are capitals.

    Args:
        symbols: V strings, the t-th is what id t stands for.

    Returns:
        V tuples of ids, as `neighbour_table` and `RandomTypos` take them.

    Example:
        >>> keyboard_neighbours(["", "q", "w", "e"])
        ((), (2,), (1, 3), (2,))

    Source: S 9.3.
    """
    place = {
        key: (float(row), inset + column) for row, (keys, inset) in enumerate(KEYS) for column, key in enumerate(keys)
    }
    found = {symbol: token for token, symbol in enumerate(symbols)}

    def beside(symbol: str) -> tuple[int, ...]:
        if symbol.lower() not in place:
            return ()
        y, x = place[symbol.lower()]
        near = [key for key, (row, column) in place.items() if 0 < (row - y) ** 2 + (column - x) ** 2 <= 1.25**2]
        cased = [key.upper() if symbol.isupper() else key for key in near]
        return tuple(found[key] for key in cased if key in found)

    return tuple(beside(symbol) for symbol in symbols)


def require_probability(who: str, rate: Any) -> None:
    """Refuses a rate that is not a number in [0, 1]."""
    numeric = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not numeric or not 0 <= rate <= 1:
        raise ValueError(f"{who} needs a rate in [0, 1]. Received: rate={rate!r}")
