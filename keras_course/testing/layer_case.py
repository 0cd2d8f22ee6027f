"""The layer under test, with weights away from their initial zeros, and the ways to call it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras
from keras import ops, tree

from keras_course.testing.agreement import require_equal
from keras_course.testing.example_inputs import InputTable, philox
from keras_course.testing.seeding import set_seeds

__all__ = ["LayerCase"]


class LayerCase:
    """What the checks of a layer look at.

    Args:
        cls: the layer class.
        init: constructor arguments.
        inputs: as `check_layer`.
    """

    def __init__(self, cls: type, init: Mapping[str, Any] | None, inputs: Any) -> None:
        self.cls = cls
        self.init = dict(init or {})
        self.table = InputTable(inputs)
        self.label = cls.__name__
        names = list(self.table.entries)
        parameters = inspect.signature(cls.call).parameters  # type: ignore[attr-defined]
        self._by_keyword = len(names) > 1 and all(name in parameters for name in names)
        self.takes_training = "training" in parameters
        self.takes_mask = "mask" in parameters

    def make(self, **overrides: Any) -> Any:
        """A new, unbuilt layer; Keras's global seeds are set first."""
        set_seeds(0)
        return self.cls(**{**self.init, **overrides})

    def arrange(self, named: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Named inputs as call arguments: alone, by keyword where call names them all, else as one dict."""
        if len(named) == 1:
            return tuple(named.values()), {}
        if self._by_keyword:
            return (), dict(named)
        return (dict(named),), {}

    def call(self, layer: Any, named: Mapping[str, Any], **kwargs: Any) -> Any:
        """layer(inputs), in inference mode unless training is given."""
        args, keywords = self.arrange(named)
        if self.takes_training:
            kwargs.setdefault("training", False)
        else:
            kwargs.pop("training", None)
        return layer(*args, **keywords, **kwargs)

    def tensors(self, rows: int | None = None, float_dtype: str = "float32") -> dict[str, Any]:
        """Example inputs as tensors."""
        arrays = self.table.arrays(rows, "float32" if float_dtype == "bfloat16" else float_dtype)
        dtypes = {name: entry.array_dtype(float_dtype) for name, entry in self.table.entries.items()}
        return {name: ops.convert_to_tensor(array, dtype=dtypes[name]) for name, array in arrays.items()}

    def symbols(self, float_dtype: str = "float32", rows: int | None = None) -> dict[str, Any]:
        """Inputs of a functional model, batch size unknown unless given."""
        return {
            name: keras.Input(batch_shape=(rows, *entry.shape[1:]), dtype=entry.array_dtype(float_dtype), name=name)
            for name, entry in self.table.entries.items()
        }

    @cached_property
    def weights(self) -> list[Any]:
        """Weights of every instance that the checks compare: initial ones, each moved a little."""
        layer = self.make()
        self.call(layer, self.symbols())
        for index, variable in enumerate(layer.trainable_variables):
            noise = philox("weights", index).normal(size=tuple(variable.shape))
            moved = variable.value + ops.cast(0.1 * noise, variable.dtype)
            variable.assign(variable.constraint(moved) if variable.constraint is not None else moved)
        return list(layer.get_weights())

    def fresh(self, **overrides: Any) -> Any:
        """A built layer that carries `weights`."""
        layer = self.make(**overrides)
        policy = overrides.get("dtype", "float32")
        wide = policy if policy in ("float64", "float32") else "float32"
        self.call(layer, self.symbols(wide))
        layer.set_weights(self.weights)
        return layer

    @cached_property
    def outputs(self) -> Any:
        """What the layer returns in float32, eagerly: the reference of most checks."""
        return self.call(self.fresh(), self.tensors())

    def functional(self, layer: Any, float_dtype: str = "float32") -> Any:
        """A functional model that is this layer alone."""
        symbols = self.symbols(float_dtype)
        return keras.Model(self.packed(symbols), self.call_in_model(layer, symbols))

    def packed(self, named: Mapping[str, Any]) -> Any:
        """Named inputs as a functional model takes them: one alone, several as a list."""
        return list(named.values()) if len(named) > 1 else next(iter(named.values()))

    def call_in_model(self, layer: Any, symbols: Mapping[str, Any]) -> Any:
        """The layer on symbols, leaving the training mode to the model."""
        args, keywords = self.arrange(symbols)
        return layer(*args, **keywords)

    def require_same_behaviour(self, original: Any, rebuilt: Any) -> None:
        """Equal outputs of two instances once they have equal weights."""
        for layer in (original, rebuilt):
            self.call(layer, self.symbols())
            layer.set_weights(self.weights)
        self.require_reference(self.call(rebuilt, self.tensors()), "the rebuilt layer's output")

    def require_reference(self, outputs: Any, what: str) -> None:
        """Outputs on `tensors()` equal to the reference, within float32 rounding."""
        require_equal(outputs, self.outputs, what)

    def float_outputs(self, outputs: Any) -> list[Any]:
        """The floating outputs, which gradients flow from."""
        return [leaf for leaf in tree.flatten(outputs) if leaf is not None and "float" in str(leaf.dtype)]
