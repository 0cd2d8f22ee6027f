"""A whole chain of a kernel whose step is a function of its noise, with all noise drawn before the first step.

    p_1 ... p_T, c_1 ... c_T = draws(seed),    w_t = step(w_{t-1}, p_t, c_t)

c is what a kernel draws besides the noise of its state: the number that decides whether a proposal is kept, or the rows
of a batch.

The loop that remains under XLA has nothing in it but the step. `tfp.mcmc.sample_chain` splits its seed and draws anew
each time, which takes longer than a step on a cheap target.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import tensorflow as tf

from keras_course.core.seeds import seed_pair
from keras_course.core.shapes import require_positive_int
from keras_course.inference.mcmc.draws import draw_normal_ahead, split_seed

__all__ = ["whole_chain"]


def whole_chain(
    kernel: Any,
    steps: int,
    start: Any,
    seed: Any,
    burn_in: int,
    trace_fn: Callable[[Any, Any], Any] | None,
    *,
    choices: Callable[[Any, Any, int], Any],
    carried: tuple[str, ...],
) -> Any:
    """Runs a Langevin kernel; see its method `sample` for the other arguments, results and errors.

    Args:
        choices: function of (seed, first results, number of steps) that draws c, a row a step.
        carried: names of the results that the next step reads.
    """
    _require_counts(type(kernel).__name__, steps, burn_in)
    state = tf.nest.map_structure(tf.convert_to_tensor, start)
    parts, first = tf.nest.flatten(state), kernel.bootstrap_results(state)
    seed, total = seed_pair(seed), burn_in + steps
    *noise_seeds, choice_seed = split_seed(seed, len(parts) + 1)
    noise = [draw_normal_ahead(own, part, total) for own, part in zip(noise_seeds, parts, strict=True)]
    chosen = choices(choice_seed, first, total)

    def to_keep(state: Any, results: Any) -> Any:
        return state if trace_fn is None else (state, trace_fn(state, results))

    def body(t: Any, parts: Any, read: Any, kept: Any) -> Any:
        previous = first._replace(**dict(zip(carried, read, strict=True)))
        moved, results = kernel.step_with_noise(
            tf.nest.pack_sequence_as(state, parts), previous, [p[t] for p in noise], chosen[t], seed
        )
        row = tf.maximum(t - burn_in, 0)  # row 0 is written anew until the burn-in is over
        values = tf.nest.flatten(to_keep(moved, results))
        kept = [array.write(row, one) for array, one in zip(kept, values, strict=True)]
        return t + 1, tf.nest.flatten(moved), [getattr(results, name) for name in carried], kept

    example = to_keep(state, first)
    empty = [
        tf.TensorArray(one.dtype, steps, element_shape=one.shape)
        for one in map(tf.convert_to_tensor, tf.nest.flatten(example))
    ]
    begin = (tf.constant(0), parts, [getattr(first, name) for name in carried], empty)
    *_, kept = tf.while_loop(lambda t, *_: t < total, body, begin)
    return tf.nest.pack_sequence_as(example, [array.stack() for array in kept])


def _require_counts(who: str, steps: Any, burn_in: Any) -> None:
    require_positive_int(f"{who}.sample", steps=steps)
    if isinstance(burn_in, bool) or not isinstance(burn_in, Integral) or burn_in < 0:
        raise ValueError(f"{who}.sample needs an integer burn_in of at least 0. Received: burn_in={burn_in!r}")
