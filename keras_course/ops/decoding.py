"""Sequences from a network that says, token by token, what may come next.

    log p(y_1 ... y_L) = sum_t log p(y_t | y_1 ... y_{t-1})

    greedy   y_t = argmax log p(y_t | ...)                                  the best token, not the best sequence
    beam     the k best beginnings, each step lengthened by every token     exact once k covers all beginnings
    sample   y_t ~ softmax(logits / temperature)                            temperature 0 is greedy

The network is a function of yours, `step(tokens, state) -> (logits, state)`: tokens (B,) int32, logits (B, V), and a
state of nested tensors whose first axis is the batch (scalars, such as a counter, are shared by all rows). What stays
the same at every step (annotations of the source) goes into `context`: step(tokens, state, context). `beam` repeats
both for its k beginnings, so a step sees k B rows.

All run as one loop that ends when every sequence has ended, alike eagerly, in graphs, under XLA and in a SavedModel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_course.core.loops import while_loop
from keras_course.core.seeds import fold_in, uniform_noise
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.floating import as_floating, concrete

__all__ = ["Decoded", "beam", "greedy", "sample", "sampled_tokens"]

Step = Callable[..., tuple[Any, Any]]


class Decoded(NamedTuple):
    """Sequences, and how likely they are.

    Args:
        tokens: int32 (B, L); of `beam` (B, k, L), best first. After the end token all is `pad`.
        log_probs: (B,) or (B, k), log p of the tokens up to and with the end token, by the network itself.
        lengths: int32 (B,) or (B, k), tokens up to and with the end token.
    """

    tokens: Any
    log_probs: Any
    lengths: Any


def greedy(
    step: Step, state: Any, first: Any, *, length: Any, end: int | None = None, pad: int = 0, context: Any = None
) -> Decoded:
    """The likeliest token at every step.

    y_t = argmax_y log p(y | y_1 ... y_{t-1})

    Args:
        step: (tokens, state[, context]) -> (logits, state), see the module.
        state: nested tensors with a batch axis, before the first step.
        first: integer tensor (B,), what the first step is fed (a start token); no part of the result.
        length: int or scalar tensor >= 1, tokens at most.
        end: int, the token that ends a sequence and is its last; None for sequences of full length.
        pad: int, what fills a sequence after its end.
        context: nested tensors with a batch axis that every step sees, or None.

    Returns:
        `Decoded`.

    Raises:
        ValueError: for a length below 1, or `first` of another rank.

    Example:
        >>> def step(tokens, state):  # counts down from 3
        ...     return ops.one_hot(ops.maximum(tokens - 1, 0), 4, dtype="float32") * 9.0, state
        >>> found = greedy(step, (), ops.array([3]), length=5, end=0, pad=0)
        >>> ops.convert_to_numpy(found.tokens).tolist(), int(found.lengths[0])
        ([[2, 1, 0, 0, 0]], 3)

    Source: C 10.3.4.
    """
    return _one_by_one(step, state, first, length, end, pad, context, lambda logits, t: ops.argmax(logits, axis=-1))


def sample(
    step: Step,
    state: Any,
    first: Any,
    seed: Any,
    *,
    length: Any,
    temperature: Any = 1.0,
    top_k: int | None = None,
    end: int | None = None,
    pad: int = 0,
    context: Any = None,
) -> Decoded:
    """Tokens drawn at random, a pure function of the seed.

    y_t ~ softmax(logits / temperature), among the top_k likeliest

    Args:
        step, state, first, length, end, pad, context: as `greedy`.
        seed: integer tensor (2,).
        temperature: number or scalar tensor >= 0; below 1 likelier tokens gain, 0 is `greedy`.
        top_k: int, how many of the likeliest tokens may come, those that tie with the last among them; None for all.

    Returns:
        `Decoded`; `log_probs` are those of the network, not of the distribution that temperature and top_k make of it.

    Raises:
        ValueError: as `greedy`; for a negative temperature or top_k below 1.

    Example:
        >>> def step(tokens, state):
        ...     return ops.zeros((ops.shape(tokens)[0], 3)), state
        >>> one, other = (sample(step, (), ops.array([0]), [0, 1], length=6).tokens for _ in range(2))
        >>> bool(ops.all(one == other))
        True

    Source: C 10.3.4.
    """
    temperature = as_floating(temperature)
    value = concrete(temperature)
    if value is not None and not value >= 0:
        raise ValueError(f"sample needs a temperature of at least 0. Received: temperature={value}")

    def choose(logits: Any, t: Any) -> Any:
        dtype = keras.backend.standardize_dtype(logits.dtype)
        uniforms = uniform_noise(ops.shape(logits), fold_in(seed, t), dtype)
        return sampled_tokens(logits, uniforms, temperature, top_k)

    return _one_by_one(step, state, first, length, end, pad, context, choose)


def sampled_tokens(logits: Any, uniforms: Any, temperature: Any = 1.0, top_k: int | None = None) -> Any:
    """One draw of each row's distribution, by Gumbel's trick.

    y = argmax_y logits_y + temperature g_y,   g = -log(-log(u))        ~ softmax(logits / temperature)

    No division, so that temperature 0 is the argmax.

    Args:
        logits: tensor (..., V).
        uniforms: tensor of the same shape, strictly between 0 and 1.
        temperature: number or scalar tensor >= 0.
        top_k: int, only tokens at least as likely as the k-th are drawn; None for all.

    Returns:
        int32 tensor (...).

    Raises:
        ValueError: if top_k is below 1.

    Example:
        >>> u = [[0.5, 0.99, 0.5], [0.5, 0.99, 0.5]]
        >>> ops.convert_to_numpy(sampled_tokens([[1.0, 0.0, 0.0], [9.0, 0.0, 0.0]], u)).tolist()
        [1, 0]

    Source: Gumbel 1954; Fan, Lewis and Dauphin 2018 (top k).
    """
    logits = as_floating(logits)
    gumbel = -ops.log(-ops.log(as_floating(uniforms, logits.dtype)))
    noisy = logits + ops.cast(temperature, logits.dtype) * gumbel
    if top_k is not None:
        require_positive_int("sample", top_k=top_k)
        kth = ops.min(ops.top_k(logits, min(top_k, logits.shape[-1]))[0], axis=-1, keepdims=True)
        noisy = ops.where(logits >= kth, noisy, ops.full_like(noisy, -float("inf")))
    return ops.cast(ops.argmax(noisy, axis=-1), "int32")


def _one_by_one(
    step: Step, state: Any, first: Any, length: Any, end: Any, pad: int, context: Any, choose: Callable[..., Any]
) -> Decoded:
    first, limit = _checked(first, length)
    call = step if context is None else lambda tokens, state: step(tokens, state, context)
    batch = ops.shape(first)[0]
    dtype = _dtype()
    start = (
        ops.cast(0, "int32"), first, state, ops.full((batch, length), pad, "int32"), ops.zeros((batch,), dtype),
        ops.zeros((batch,), "int32"), ops.zeros((batch,), "bool"),
    )  # fmt: skip

    def running(t: Any, tokens: Any, state: Any, kept: Any, log_probs: Any, lengths: Any, ended: Any) -> Any:
        return ops.logical_and(t < limit, ops.logical_not(ops.all(ended)))

    def body(t: Any, tokens: Any, state: Any, kept: Any, log_probs: Any, lengths: Any, ended: Any) -> Any:
        logits, state = call(tokens, state)
        logits = ops.cast(logits, dtype)
        chosen = ops.cast(choose(logits, t), "int32")
        log_p = ops.take_along_axis(ops.log_softmax(logits, axis=-1), chosen[:, None], axis=-1)[:, 0]
        kept = _written(kept, t, ops.where(ended, pad, chosen))
        log_probs = log_probs + ops.where(ended, ops.zeros_like(log_p), log_p)
        lengths = lengths + ops.cast(ops.logical_not(ended), "int32")
        if end is not None:
            ended = ops.logical_or(ended, chosen == end)
        return t + 1, chosen, state, kept, log_probs, lengths, ended

    _, _, _, kept, log_probs, lengths, _ = while_loop(running, body, start)
    return Decoded(kept, log_probs, lengths)


def beam(
    step: Step,
    state: Any,
    first: Any,
    *,
    width: int,
    length: Any,
    length_power: float = 0.0,
    end: int | None = None,
    pad: int = 0,
    context: Any = None,
) -> Decoded:
    """The best of many sequences: k beginnings are kept, lengthened by every token, and the k best kept again.

    score(y) = log p(y) / length(y)**length_power

    Length counts the end token. With power 0 the score is log p itself, which shorter sequences win; 1 compares means
    a token. Ended sequences stay among the k and are compared with unfinished ones by the same score. If k is at least
    the number of beginnings of every length, nothing is lost and the result is exact.

    Args:
        step, state, first, length, end, pad, context: as `greedy`; step is called with k B rows, those of one sequence
            side by side.
        width: int k >= 1; 1 is `greedy`.
        length_power: number >= 0.

    Returns:
        `Decoded` of k sequences a row, in falling score; where fewer exist than k, the rest have log p -inf.

    Raises:
        ValueError: as `greedy`; for a width below 1 or a negative power.

    Example:
        >>> table = ops.log(ops.array([[0.6, 0.4, 0.0], [0.4, 0.3, 0.3], [0.0, 0.0, 1.0]]) + 1e-9)
        >>> def step(tokens, state):  # the best first token, 0, has no certain successor
        ...     return ops.take(table, tokens, axis=0), state
        >>> found = beam(step, (), ops.array([1]), width=3, length=3)
        >>> ops.convert_to_numpy(found.tokens[0, 0]).tolist(), round(float(ops.exp(found.log_probs[0, 0])), 2)
        ([2, 2, 2], 0.3)

    Source: C 10.3.4; Sutskever, Vinyals and Le 2014.
    """
    require_positive_int("beam", width=width)
    if not length_power >= 0:
        raise ValueError(f"beam needs a length_power of at least 0. Received: length_power={length_power!r}")
    first, limit = _checked(first, length)
    batch = ops.shape(first)[0]
    first, state, context = _repeated((first, state, context), width)
    call = step if context is None else lambda tokens, state: step(tokens, state, context)
    dtype = _dtype()
    low = ops.convert_to_tensor(-float("inf"), dtype)
    alone = ops.where(_count(width) == 0, ops.zeros((), dtype), low)  # all beginnings are the same: keep one
    start = (
        ops.cast(0, "int32"), first, state, ops.full((batch, width, length), pad, "int32"),
        ops.broadcast_to(alone, (batch, width)), ops.zeros((batch, width), "int32"), ops.zeros((batch, width), "bool"),
    )  # fmt: skip

    def score(log_probs: Any, lengths: Any) -> Any:
        if not length_power:
            return log_probs
        return log_probs / ops.power(ops.cast(ops.maximum(lengths, 1), dtype), length_power)

    def running(t: Any, tokens: Any, state: Any, kept: Any, log_probs: Any, lengths: Any, ended: Any) -> Any:
        settled = ops.logical_or(ended, log_probs == low)
        return ops.logical_and(t < limit, ops.logical_not(ops.all(settled)))

    def body(t: Any, tokens: Any, state: Any, kept: Any, log_probs: Any, lengths: Any, ended: Any) -> Any:
        logits, state = call(tokens, state)
        size = logits.shape[-1]
        log_p = ops.reshape(ops.log_softmax(ops.cast(logits, dtype), axis=-1), (batch, width, size))
        stays = ops.where(_count(size) == 0, ops.zeros((), dtype), low)  # an ended one has one successor: itself
        log_p = ops.where(ended[:, :, None], stays, log_p)
        all_log_probs = log_probs[:, :, None] + log_p  # (B, k, V)
        all_lengths = ops.broadcast_to(
            (lengths + ops.cast(ops.logical_not(ended), "int32"))[:, :, None], ops.shape(all_log_probs)
        )
        flat = ops.reshape(score(all_log_probs, all_lengths), (batch, width * size))
        chosen = ops.cast(ops.top_k(flat, width)[1], "int32")  # (B, k), best first
        parent, token = chosen // size, chosen % size
        log_probs = ops.take_along_axis(ops.reshape(all_log_probs, (batch, width * size)), chosen, axis=1)
        lengths, ended = (ops.take_along_axis(each, parent, axis=1) for each in (all_lengths[:, :, 0], ended))
        kept = ops.take_along_axis(kept, parent[:, :, None], axis=1)
        kept = _written(kept, t, ops.where(ended, pad, token))
        rows = ops.reshape(_count(batch)[:, None] * width + parent, (-1,))
        state = keras.tree.map_structure(lambda each: ops.take(each, rows, axis=0) if len(each.shape) else each, state)
        if end is not None:
            ended = ops.logical_or(ended, token == end)
        return t + 1, ops.reshape(token, (-1,)), state, kept, log_probs, lengths, ended

    _, _, _, kept, log_probs, lengths, _ = while_loop(running, body, start)
    exists = log_probs > low
    return Decoded(ops.where(exists[:, :, None], kept, pad), log_probs, ops.where(exists, lengths, 0))


def _checked(first: Any, length: Any) -> tuple[Any, Any]:
    first = ops.cast(first, "int32")
    require_rank("decoding", first.shape, 1)
    value = concrete(length) if not isinstance(length, int) else length
    if value is not None and (isinstance(length, bool) or int(value) != value or value < 1):
        raise ValueError(f"decoding needs an integer length of at least 1. Received: length={value}")
    return first, ops.cast(length, "int32")


def _dtype() -> str:
    """Sums of logarithms are kept in float32 at least, whatever the network computes in."""
    return "float64" if keras.config.floatx() == "float64" else "float32"


def _count(size: Any) -> Any:
    """0, 1, ... size - 1 in the dtype of tokens."""
    return ops.arange(size, dtype="int32")


def _written(kept: Any, t: Any, tokens: Any) -> Any:
    """`kept` (..., L) with `tokens` (...) in column t."""
    return ops.where(_count(ops.shape(kept)[-1]) == t, tokens[..., None], kept)


def _repeated(nested: Any, times: int) -> Any:
    """Each row of each tensor `times` times, side by side; scalars stay."""

    def repeat(each: Any) -> Any:
        if each is None:
            return None
        each = ops.convert_to_tensor(each)
        return ops.repeat(each, times, axis=0) if len(each.shape) else each

    return keras.tree.map_structure(repeat, nested)
