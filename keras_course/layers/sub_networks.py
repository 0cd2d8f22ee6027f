"""Networks as arguments: a Keras layer or model of yours, or the widths of dense layers.

    sub_network((64, 32)) = x -> act(act(x W1 + b1) W2 + b2),   sub_network(layer) = layer

What came is what a config tells: widths as a list, a layer as Keras serialises it.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import normalize_tuple, require_positive_int

__all__ = ["require_shape", "restored", "sub_network", "told"]


def sub_network(
    who: str, path: str, given: Any, activation: Any, seed: int, dtype: Any, output: int | None = None
) -> Any:
    """The network itself.

    Args:
        who: name of the model, for messages.
        path: name of the argument; names the network and its initial weights.
        given: a Keras layer or model, or an int or sequence of ints, widths of dense layers (none for a `path` that
            has an output).
        activation: of the dense layers.
        seed: int, root of their initial weights.
        dtype: their policy.
        output: int, width of a last dense layer without activation, or None for no such layer.

    Returns:
        A Keras layer, not built where dense layers were asked for.

    Raises:
        ValueError: for anything else, widths below 1, or no layer at all.
    """
    if isinstance(given, keras.layers.Layer):
        return given
    widths = (given,) if isinstance(given, int) else given
    if not isinstance(widths, list | tuple) or (len(widths) == 0 and output is None):
        raise ValueError(
            f"{who} takes a Keras layer or model, or widths of dense layers, as {path}. Received: {path}={given!r}"
        )
    require_positive_int(who, **{f"{path}[{level}]": width for level, width in enumerate(widths)})
    plan = [(width, activation) for width in widths] + ([] if output is None else [(output, None)])
    return keras.Sequential(
        [
            keras.layers.Dense(
                width,
                act,
                kernel_initializer=keras.initializers.GlorotUniform(derive_seed(seed, path, level, "kernel")),
                dtype=dtype,
                name=f"{path}_{level}",
            )
            for level, (width, act) in enumerate(plan)
        ],
        name=path,
    )


def told(given: Any) -> Any:
    """What a config says of an argument of `sub_network`."""
    if isinstance(given, keras.layers.Layer):
        return keras.saving.serialize_keras_object(given)
    return given if isinstance(given, int) else list(given)


def restored(value: Any) -> Any:
    """`told` undone."""
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value


def require_shape(who: str, shape: Any) -> tuple[int, ...]:
    """The shape of one x, given as an int or a sequence of ints."""
    length = 1 if isinstance(shape, int) else len(tuple(shape))
    return normalize_tuple(who, shape, max(length, 1), "shape")
