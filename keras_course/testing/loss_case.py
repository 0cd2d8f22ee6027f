"""The loss or metric under test, with labels and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from keras_course.testing.agreement import require_equal
from keras_course.testing.example_inputs import InputTable, philox
from keras_course.testing.report import NotApplicable
from keras_course.testing.seeding import set_seeds

__all__ = ["LABELLED", "LossCase", "ObjectCase"]

LABELLED = {"y_true": {"shape": (6, 2)}, "y_pred": {"shape": (6, 2)}}


class ObjectCase:
    """A class, constructor arguments and example inputs, taken in the order of the table."""

    def __init__(self, cls: type, init: Mapping[str, Any] | None, inputs: Any) -> None:
        self.cls = cls
        self.init = dict(init or {})
        self.table = InputTable(inputs)
        self.label = cls.__name__

    def make(self, **overrides: Any) -> Any:
        """A new instance; Keras's global seeds are set first."""
        set_seeds(0)
        return self.cls(**{**self.init, **overrides})

    def make_if_taken(self, **overrides: Any) -> Any:
        """A new instance with further arguments, or `NotApplicable` where the class does not take them."""
        try:
            return self.make(**overrides)
        except TypeError as error:
            raise NotApplicable(f"the constructor does not take {', '.join(overrides)} ({error})") from None

    def tensors(self, rows: int | None = None, float_dtype: str = "float32") -> list[Any]:
        """Example inputs in the order of the table."""
        arrays = self.table.arrays(rows, "float32" if float_dtype == "bfloat16" else float_dtype)
        return [
            ops.convert_to_tensor(array, dtype=self.table.entries[name].array_dtype(float_dtype))
            for name, array in arrays.items()
        ]

    def weights(self, rows: int | None = None) -> np.ndarray:
        """One positive sample weight a row."""
        return philox("sample weights").uniform(0.5, 2.0, rows or self.table.rows).astype("float32")


class LossCase(ObjectCase):
    """What the checks of a loss look at; the inputs are y_true and y_pred."""

    def values(self, rows: int | None = None) -> Any:
        """One number a sample, float32."""
        return self.make(reduction=None)(*self.tensors(rows))

    def require_same_behaviour(self, original: Any, rebuilt: Any) -> None:
        """Equal losses of two instances."""
        require_equal(rebuilt(*self.tensors()), original(*self.tensors()), "the rebuilt loss", "exact")

    @property
    def free(self) -> bool:
        """Whether predictions may be moved freely."""
        return self.table.entries["y_pred"].is_differentiable
