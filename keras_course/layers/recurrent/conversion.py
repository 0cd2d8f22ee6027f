"""Weights of Keras's own recurrent layers, taken over and given back."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_course.layers.recurrent.gru import GRU
from keras_course.layers.recurrent.lstm import LSTM
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.layers.recurrent.rnn import RNN

__all__ = ["from_keras", "to_keras"]

SHARED = (
    "units", "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask",
    "dropout", "recurrent_dropout", "seed", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
    "recurrent_constraint", "bias_constraint", "activity_regularizer", "activation", "name", "trainable", "dtype",
)  # fmt: skip
PAIRS = {keras.layers.SimpleRNN: RNN, keras.layers.LSTM: LSTM, keras.layers.GRU: GRU}


def from_keras(layer: Any) -> RecurrentLayer:
    """The layer of this package that computes what a layer of Keras computes, with its weights.

    LSTM: columns i, f, g, o become i, f, o, g;  GRU: the rows of a (2, 3H) bias become b and d;  SimpleRNN: as it is

    Args:
        layer: a built keras.layers.SimpleRNN, LSTM or GRU with logistic gates.

    Returns:
        A built RNN, LSTM or GRU.

    Raises:
        TypeError: for another layer.
        ValueError: for gates that are not logistic.

    Example:
        >>> theirs = keras.layers.GRU(3)
        >>> x = np.ones((2, 5, 4), "float32")
        >>> bool(np.allclose(theirs(x), from_keras(theirs)(x), atol=1e-6))
        True

    Source: C 13.2, 13.3.
    """
    kind = next((ours for theirs, ours in PAIRS.items() if type(layer) is theirs), None)
    if kind is None:
        wanted = ", ".join(theirs.__name__ for theirs in PAIRS)
        raise TypeError(f"from_keras takes keras.layers.{wanted}. Received: {layer!r}")
    config = layer.get_config()
    if config.get("recurrent_activation", "sigmoid") != "sigmoid":
        raise ValueError(
            f"from_keras takes logistic gates. Received: recurrent_activation={config['recurrent_activation']!r}"
        )
    ours = kind(**{key: config[key] for key in SHARED if key in config}, **_own(kind, config))
    ours.build((layer.states[0].shape[0] if layer.stateful else None, None, layer.cell.kernel.shape[0]))
    kernel, recurrent, *bias = layer.get_weights()[: 2 + config["use_bias"]]
    if kind is LSTM:
        kernel, recurrent, *bias = (_swapped(weight) for weight in (kernel, recurrent, *bias))
    if kind is GRU and bias and config["reset_after"]:
        bias = list(bias[0])
    for variable, value in zip(ours.cell.trainable_variables, (kernel, recurrent, *bias), strict=True):
        variable.assign(value)
    return ours


def _own(kind: type, config: Any) -> dict[str, Any]:
    keys = {LSTM: ("unit_forget_bias",), GRU: ("reset_after",)}.get(kind, ())
    return {key: config[key] for key in keys}


def _swapped(weight: Any) -> Any:
    """The last two of four blocks of columns in the other order."""
    blocks = np.split(weight, 4, axis=-1)
    return np.concatenate([*blocks[:2], blocks[3], blocks[2]], axis=-1)


def to_keras(layer: RecurrentLayer) -> Any:
    """The layer of Keras that computes what a layer of this package computes, with its weights.

    Args:
        layer: a built RNN without outputs and skips, LSTM without a variant, or GRU, with either form of weights; none
            that learns its initial state.

    Returns:
        A built keras.layers.SimpleRNN, LSTM or GRU.

    Raises:
        TypeError: for another layer.
        ValueError: for a layer that Keras has not.

    Example:
        >>> ours = LSTM(3, weights="concatenated")
        >>> x = np.ones((2, 5, 4), "float32")
        >>> bool(np.allclose(ours(x), to_keras(ours)(x), atol=1e-6))
        True

    Source: C 13.2, 13.3.
    """
    kind = next((theirs for theirs, ours in PAIRS.items() if type(layer) is ours), None)
    if kind is None:
        raise TypeError(f"to_keras takes an RNN, LSTM or GRU of this package. Received: {layer!r}")
    config = layer.get_config()
    for key in ("variant", "skips", "output_units", "learn_initial_state"):
        if config.get(key):
            raise ValueError(f"Keras has no layer with {key}. Received: {key}={config[key]!r}")
    theirs = kind(**{key: config[key] for key in SHARED if key in config}, **_own(type(layer), config))
    theirs.build((layer.states[0].shape[0] if layer.stateful else None, None, layer.cell.features))
    cell = layer.cell
    kernel, bias = np.asarray(cell.kernel), [] if cell.bias is None else [np.asarray(cell.bias)]
    if cell.recurrent_kernel is None:
        recurrent, kernel = kernel[: layer.units], kernel[layer.units :]
    else:
        recurrent = np.asarray(cell.recurrent_kernel)
    weights = [kernel, recurrent, *bias]
    if type(layer) is LSTM:
        weights = [_swapped(weight) for weight in weights]
    if type(layer) is GRU and bias and config["reset_after"]:
        weights[2] = np.stack([bias[0], np.asarray(cell.recurrent_bias)])
    for variable, value in zip(theirs.cell.trainable_variables, weights, strict=True):
        variable.assign(value)
    return theirs
