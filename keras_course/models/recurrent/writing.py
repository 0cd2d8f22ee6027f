"""The loop that writes: draw a point, tell the network, look whether the text is done.

u_t = family.draw(parameters_t, noise_t),   noise_t a pure function of (seed, t)
a line ends where the pen is up and the window's mean place is past the last character:
    sum_u (u - (U - 1)) phi(t, u) > 0,   u = 0 ... U, place U being the one after the text

Graves ends a line where phi(t, U) is the greatest; a network that reads ahead would leave its last letter unfinished.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.seeds import seed_pair, uniform_noise

__all__ = ["codes_of", "write_on"]


def codes_of(text: Any, alphabet: str) -> Any:
    """Codes of the characters of strings, inside a graph too.

    Args:
        text: strings (B,), UTF-8.
        alphabet: str.

    Returns:
        int32 tensor (B, U), U that of the longest: 1 + place in the alphabet, 0 beyond a text's end.

    Raises:
        ValueError: for a character that is not in the alphabet; in a graph, tf.errors.InvalidArgumentError.

    Example:
        >>> codes_of(["ba", "c"], "abc").numpy().tolist()
        [[2, 1], [3, 0]]

    Source: B.
    """
    text = tf.convert_to_tensor(text)
    found = tf.strings.unicode_decode(text, "UTF-8").to_tensor(0)  # (B, U) code points
    own = tf.strings.unicode_decode(tf.constant(alphabet), "UTF-8")  # (V,)
    same = tf.equal(found[:, :, None], own)
    known = tf.reduce_all(tf.logical_or(tf.equal(found, 0), tf.reduce_any(same, axis=-1)))
    said = f"The alphabet has {alphabet!r}. Received:"
    if tf.executing_eagerly() and not known:
        raise ValueError(f"{said} text={[each.decode() for each in text.numpy()]}")
    held = tf.debugging.Assert(known, [said, text], summarize=4)
    with tf.control_dependencies([held] if held is not None else []):
        places = tf.cast(tf.range(1, len(alphabet) + 1), "int32")
        return tf.reduce_sum(tf.where(same, places, 0), axis=-1)


def _not_negative(bias: Any) -> Any:
    """The bias; NaN and what would spread the strokes are refused, in a graph when it runs."""
    fine = bias >= 0
    if tf.executing_eagerly() and not fine:
        raise ValueError(f"Writing takes a bias of 0 or more. Received: bias={float(bias)}")
    held = tf.debugging.Assert(fine, ["Writing takes a bias of 0 or more. Received: bias =", bias])
    with tf.control_dependencies([held] if held is not None else []):
        return tf.identity(bias)


def write_on(
    model: Any, text: Any, seed: Any, bias: Any, n: Any, points: Any = None, spoken: Any = ""
) -> dict[str, Any]:
    """A text in n lines, after points that say `spoken`; see `HandwritingSynthesis.write` and `prime`."""
    seed = seed_pair(seed)
    bias, n = _not_negative(tf.cast(bias, model.head.dtype)), tf.cast(n, "int32")
    before, wanted = tf.convert_to_tensor(spoken), tf.convert_to_tensor(text)
    codes = codes_of(tf.strings.join([before, wanted])[None], model.alphabet)  # (1, U)
    length, letters = tf.shape(codes)[1], tf.strings.length(wanted, "UTF8_CHAR")
    characters = model.characters_of(tf.pad(codes, [[0, 0], [0, 1]]))  # (1, U + 1, V): one place after the last
    if points is None:
        point = tf.zeros((1, 3), model.compute_dtype)
        states = [tf.zeros((1, size), model.compute_dtype) for size in model.state_sizes]
    else:
        given = ops.cast(points, model.compute_dtype)[None]
        if given.shape.rank != 3 or given.shape[1] == 0 or given.shape[2] != 3:
            raise ValueError(f"Priming takes points (P, 3), P >= 1. Received: shape={tuple(given.shape[1:])}")
        _, _, states = model.unroll(model.shifted(given), characters)
        point = given[:, -1]
    repeated = [tf.repeat(each, n, axis=0) for each in (point, characters, *states)]
    point, characters, *states = repeated
    wide, uniforms = model.head.dtype, model.family.uniforms
    limit = model.most_points * tf.maximum(letters, 1)

    def write(t: Any, done: Any, point: Any, states: Any, written: Any, looked: Any) -> tuple[Any, ...]:
        parameters, weights, states = model.advance(point, characters, states)
        noise = uniform_noise((n, uniforms), tf.random.experimental.stateless_fold_in(seed, t, alg="philox"), "float64")
        drawn = ops.cast(model.family.from_uniforms(parameters, noise, bias), wide)  # (n, 3)
        past = tf.linalg.matvec(weights, tf.cast(tf.range(length + 1) - (length - 1), weights.dtype)) > 0
        lifted = tf.logical_and(point[:, 2] > 0, t > 0)
        done = tf.logical_or(done, tf.logical_and(past, lifted))
        nothing = tf.constant([0.0, 0.0, -1.0], wide)
        written = written.write(t, tf.where(done[:, None], nothing, drawn))
        return t + 1, done, ops.cast(drawn, model.compute_dtype), list(states), written, looked.write(t, weights)

    start = (
        tf.constant(0),
        tf.fill([n], tf.equal(letters, 0)),
        point,
        list(states),
        tf.TensorArray(wide, 0, dynamic_size=True, element_shape=(None, 3)),
        tf.TensorArray(model.compute_dtype, 0, dynamic_size=True, element_shape=(None, None)),
    )
    rows = [tf.TensorShape((None, size)) for size in (3, *model.state_sizes)]  # any number, where n is a constant too
    # One step in any case: an array of no tensors cannot be stacked in a graph.
    t, _, _, _, written, looked = tf.while_loop(
        lambda t, done, *_: tf.logical_or(t < 1, tf.logical_and(t < limit, tf.logical_not(tf.reduce_all(done)))),
        write,
        start,
        shape_invariants=(
            tf.TensorShape(()),
            tf.TensorShape((None,)),
            rows[0],
            rows[1:],
            tf.TensorShape(None),
            tf.TensorShape(None),
        ),
    )
    window = tf.reshape(looked.stack(), (t, n, length + 1))
    points = tf.transpose(tf.reshape(written.stack(), (t, n, 3)), (1, 0, 2))
    counts = tf.reduce_sum(tf.cast(points[:, :, 2] > -0.5, "int32"), axis=1)
    longest = tf.reduce_max(tf.concat([counts, [0]], axis=0))  # of no lines too
    return {"points": points[:, :longest], "window": tf.transpose(window, (1, 0, 2))[:, :longest]}
