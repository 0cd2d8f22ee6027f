"""Weights of Keras's own recurrent layers, taken over and given back; those of TensorFlow Addons' cell, taken over."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_course.layers.recurrent.gru import GRU
from keras_course.layers.recurrent.lstm import LSTM
from keras_course.layers.recurrent.peephole_lstm import PeepholeLSTM
from keras_course.layers.recurrent.recurrent_layer import RecurrentLayer
from keras_course.layers.recurrent.rnn import RNN

__all__ = ["from_addons", "from_keras", "to_keras"]

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


def from_addons(weights: Any, **settings: Any) -> PeepholeLSTM:
    """The layer that computes what a layer of TensorFlow Addons' peephole cells computed, with its weights.

    Columns i, f, g, o become i, f, o, g;  p_i, p_f, p_o of (H,) become (2, H) and (H,)

    Args:
        weights: list of arrays, as `tfa.rnn.PeepholeLSTMCell(H).get_weights()` gave them: kernel (F, 4H), recurrent
            kernel (H, 4H), bias (4H,) unless it had none, and the peepholes of input, forget and output gate.
        **settings: of `PeepholeLSTM` (return_sequences, ...).

    Returns:
        A built PeepholeLSTM with peepholes="full".

    Raises:
        ValueError: for another number of weights, or other shapes.

    Example:
        >>> h = 3
        >>> weights = [np.zeros((2, 4 * h)), np.zeros((h, 4 * h)), np.zeros(4 * h), *np.ones((3, h))]
        >>> from_addons(weights, return_sequences=True).units
        3

    Source: S 9.5; Sak, Senior, Beaufays 2014.
    """
    kernel, recurrent, *bias = list(weights)[:-3] if len(weights) in (5, 6) else [np.zeros(0)] * 2
    units = recurrent.shape[0]
    shapes = [(*kernel.shape[:1], 4 * units), (units, 4 * units), *[(4 * units,)] * len(bias), *[(units,)] * 3]
    if not units or [tuple(np.shape(weight)) for weight in weights] != shapes:
        raise ValueError(
            "from_addons takes kernel (F, 4H), recurrent kernel (H, 4H), bias (4H,) or none, and three peepholes (H,). "
            f"Received: shapes={[tuple(np.shape(weight)) for weight in weights]}"
        )
    layer = PeepholeLSTM(units, peepholes="full", use_bias=bool(bias), **settings)
    layer.build((None, None, kernel.shape[0]))
    *_, of_input, of_forget, of_output = weights
    own = [*map(_swapped, (kernel, recurrent, *bias)), of_output, np.stack([of_input, of_forget])]
    for variable, value in zip(layer.cell.trainable_variables, own, strict=True):
        variable.assign(value)
    return layer


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
