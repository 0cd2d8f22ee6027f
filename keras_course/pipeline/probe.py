"""Looks into a model at its present weights: what its units do, and how large its gradients are.

    dead       a unit whose output is 0 for every example
    saturated  an output where the activation's slope is below 1 % of its greatest: a (1 - a) < 0.0025, 1 - a^2 < 0.01
    copies     units that give the same as an earlier unit of their layer, for every example
    norm_l     length of the gradient with respect to the weights of layer l

Everything runs with training=False (no dropout, fixed statistics), changes nothing that lasts, and takes any compiled
Keras model as a value. A model that is shown a part of the targets while it trains says so by a method
`taught_inputs(x, y)`, which returns what it is then called with (a decoder: the source, and the words before each).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import require_tensorflow

__all__ = [
    "LayerActivity",
    "gradient_norms",
    "is_taught",
    "layer_outputs",
    "loss_and_gradients",
    "loss_of",
    "require_loss",
    "unit_activity",
]

_SLOPES: Mapping[str, Callable[[Any], Any]] = {  # of the output, relative to the greatest
    "sigmoid": lambda a: 4 * a * (1 - a),
    "logistic": lambda a: 4 * a * (1 - a),
    "tanh": lambda a: 1 - a**2,
}
SATURATED = 0.01
_LOOPS = keras.layers.RNN | keras.layers.Bidirectional


@dataclass(frozen=True)
class LayerActivity:
    """What the units of one layer do on some examples; shares in [0, 1].

    Args:
        layer: path of the layer.
        activation: name of its activation, "" where it has none.
        units: size of its last axis.
        dead: share of units that are 0 for every example.
        saturated: share of outputs (unit, example) with hardly any slope; 0 for activations without bounds.
        copies: share of units, dead ones apart, that equal an earlier unit.

    Example:
        >>> LayerActivity("dense", "relu", units=4, dead=0.25, saturated=0.0, copies=0.0).dead
        0.25

    Source: C 9.1.6.
    """

    layer: str
    activation: str
    units: int
    dead: float
    saturated: float
    copies: float


def layer_outputs(model: Any, x: Any, y: Any = None) -> dict[str, Any]:
    """What every layer gives, in the order in which they are called.

    h_l = layer_l(h_{l-1}),   h_0 = x

    Layers inside Keras's recurrent ones are left out: they are called once a time step. A cell in a loop of a model's
    own is shown with its first state after every step, (B, T, units), under TensorFlow. Of two calls the last is shown,
    of several outputs (a sequence and its last states) the first.

    Args:
        model: built Keras model of any kind (subclassed ones too).
        x: tensor (B, ...).
        y: tensor (B, ...), targets, of a model with a loss: its layers are then seen as while its loss is computed,
            which for a model that is shown the targets is another pass than the one without; or None.

    Returns:
        {path of the layer: floating tensor (B, ..., units)}.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(1)])
        >>> [tuple(output.shape) for output in layer_outputs(model, np.ones((4, 2), "float32")).values()]
        [(4, 3), (4, 1)]

    Source: C 9.1.6.
    """
    seen: dict[str, Any] = {}
    with _watched(model, seen):
        if y is None:
            model(ops.convert_to_tensor(x), training=False)
        else:
            loss_of(model, x, y)
    return seen


def unit_activity(model: Any, x: Any, y: Any = None) -> tuple[LayerActivity, ...]:
    """How many units fire at all, and how many are stuck.

    dead_l = share of units j with h_lj(x_i) = 0 for all i

    Args:
        model: built Keras model.
        x: tensor (B, ...), examples to look at: a hundred or more, of all kinds.
        y: as `layer_outputs`.

    Returns:
        A `LayerActivity` for every layer with an activation or weights, in the order of the calls.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, "relu", bias_initializer="ones")])
        >>> model.layers[0].set_weights([np.zeros((1, 2)), np.array([1.0, -1.0])])
        >>> unit_activity(model, np.ones((5, 1), "float32"))[0].dead
        0.5

    Source: C 9.1.6, 7.2.5.
    """
    layers = {layer.path: layer for layer in _layers_of(model)}
    found = []
    for path, output in layer_outputs(model, x, y).items():
        values = ops.convert_to_numpy(output).astype("float64")
        values = values.reshape(-1, values.shape[-1])  # (examples x places, units)
        name = _activation_name(layers[path])
        zero = ~values.any(0)
        slope = _SLOPES[name](values) if name in _SLOPES else np.ones(1)
        alive = np.unique(values[:, ~zero], axis=1).shape[1]
        units = values.shape[1]
        copies = (units - int(zero.sum()) - alive) / units
        found.append(LayerActivity(path, name, units, float(zero.mean()), float((slope < SATURATED).mean()), copies))
    return tuple(found)


def loss_and_gradients(model: Any, x: Any, y: Any) -> tuple[Any, list[Any]]:
    """The compiled loss on one batch, and its gradient for every trainable weight.

    L = compute_loss(x, y, model(x)),   g_w = dL/dw (zeros where w does not matter)

    Args:
        model: compiled Keras model with a loss.
        x, y: tensors (B, ...).

    Returns:
        (L, [g for g in model.trainable_variables]).

    Raises:
        ValueError: if the model was not compiled with a loss.
        BackendError: under another Keras backend than TensorFlow.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.compile(loss="mse"); model.set_weights([np.ones((1, 1))])
        >>> loss, (slope,) = loss_and_gradients(model, np.ones((1, 1), "float32"), np.zeros((1, 1), "float32"))
        >>> float(loss), float(slope[0, 0])
        (1.0, 2.0)

    Source: C 9.1.6.
    """
    require_tensorflow("loss_and_gradients")
    import tensorflow as tf

    weights = model.trainable_variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([weight.value for weight in weights])
        loss = loss_of(model, x, y)
    gradients = tape.gradient(loss, [weight.value for weight in weights], unconnected_gradients="zero")
    return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]  # a table's may come as some of its rows


def gradient_norms(model: Any, x: Any, y: Any) -> dict[str, Any]:
    """The length of the gradient, layer by layer: equal lengths are healthy, falling towards the input they vanish.

    norm_l = sqrt(sum over the weights of layer l of g^2)

    Args:
        model: compiled Keras model with a loss.
        x, y: tensors (B, ...).

    Returns:
        {path of the layer: scalar tensor}, in the order of the weights.

    Raises:
        ValueError: as `loss_and_gradients`.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line", use_bias=False)])
        >>> model.compile(loss="mse"); model.set_weights([np.ones((1, 1))])
        >>> norms = gradient_norms(model, np.ones((1, 1), "float32"), np.zeros((1, 1), "float32"))
        >>> [float(norm) for norm in norms.values()]
        [2.0]

    Source: C 7.2.2, 9.1.6.
    """
    _, gradients = loss_and_gradients(model, x, y)
    squares: dict[str, Any] = {}
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        path = weight.path.rpartition("/")[0]
        squares[path] = squares.get(path, 0.0) + ops.sum(gradient**2)
    return {path: ops.sqrt(square) for path, square in squares.items()}


def loss_of(model: Any, x: Any, y: Any) -> Any:
    """The compiled loss on one batch, without dropout; the words before are shown to a model that wants them."""
    require_loss(model)
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    x = ops.cast(x, model.compute_dtype) if keras.backend.is_float_dtype(x.dtype) else x
    x = model.taught_inputs(x, y) if is_taught(model) else x
    return model.compute_loss(x=x, y=y, y_pred=model(x, training=False), training=False)


def is_taught(model: Any) -> bool:
    """Whether the model is shown a part of the targets while it trains, by a method `taught_inputs(x, y)`."""
    return callable(getattr(model, "taught_inputs", None))


def require_loss(model: Any) -> None:
    """Refuses a model that has none.

    Raises:
        ValueError: if it was not compiled with a loss and computes none itself.
    """
    if getattr(model, "loss", None) is None and type(model).compute_loss is keras.Model.compute_loss:
        raise ValueError(f"A gradient needs a model compiled with a loss. Received: {model.name!r} without one")


def _layers_of(model: Any) -> Iterator[Any]:
    for layer in model._flatten_layers(include_self=False, recursive=False):
        yield layer
        if not isinstance(layer, _LOOPS):
            yield from _layers_of(layer)


def _activation_name(layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "") if activation is not None else type(layer).__name__.lower()
    return "" if name == "linear" else str(name)


@contextmanager
def _watched(model: Any, seen: dict[str, Any]) -> Iterator[None]:
    """Notes what each layer returns while the context lasts."""
    steps: dict[str, list[Any]] = {}

    def noting(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            output = call(*args, **kwargs)
            first = output[0] if isinstance(output, list | tuple) and output else output
            if ops.is_tensor(first) and len(first.shape) >= 2 and keras.backend.is_float_dtype(first.dtype):
                seen[layer.path] = first
                if _is_cell(layer) and hasattr(first, "numpy"):  # a value: in a graph there is none yet
                    steps.setdefault(layer.path, []).append(first)
            return output

        return noted

    watched = [layer for layer in _layers_of(model) if layer.weights or hasattr(layer, "activation")]
    watched = [layer for layer in watched if isinstance(layer, _LOOPS) or not list(_layers_of(layer))]
    for layer in watched:
        name = "step" if _is_cell(layer) else "call"
        object.__setattr__(layer, name, noting(layer, getattr(layer, name)))
    try:
        yield
        for path, each in steps.items():
            seen[path] = ops.stack([one for one in each if one.shape == each[-1].shape], axis=1)
    finally:
        for layer in watched:
            object.__delattr__(layer, "step" if _is_cell(layer) else "call")


def _is_cell(layer: Any) -> bool:
    """Whether it makes one step of a loop, by a method `step` that returns its states."""
    return hasattr(layer, "state_size") and callable(getattr(layer, "step", None))
