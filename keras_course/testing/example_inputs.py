"""Inputs for conformance checks, the same in every run: NumPy's Philox over the catalogue's plain descriptions.

    (2, 4)                                                    normal numbers of that shape
    {"tokens": {"shape": [2, 4], "dtype": "int32", "max": 7}}  integers 0 <= i < 7, by name

| dtype | values |
|---|---|
| float32 (default), any float | standard normal |
| int32, any integer | 0 <= i < max, max 2 unless given |
| sign | -1 or +1, float |
| probability | positive, sum to 1 over the last axis |
| bool | either |
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["InputTable", "Described", "philox"]

FLOATS = ("float16", "bfloat16", "float32", "float64")


def philox(*path: object) -> np.random.Generator:
    """A generator that depends on its name alone."""
    key = zlib.crc32("/".join(str(part) for part in path).encode())
    return np.random.Generator(np.random.Philox(key))


@dataclass(frozen=True)
class Described:
    """One input: its shape with the batch axis first, its dtype, and how many values an integer has."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    size: int = 2

    @property
    def is_float(self) -> bool:
        """Whether gradients and float policies concern it."""
        return self.dtype in (*FLOATS, "sign", "probability")

    @property
    def is_differentiable(self) -> bool:
        """Whether it may be moved freely: signs and probabilities may not."""
        return self.dtype in FLOATS

    def draw(self, name: str, rows: int, float_dtype: str = "float32") -> np.ndarray:
        """Values of `rows` rows, each row the same whatever `rows` is."""
        one = self.shape[1:]
        drawn = [self._row(philox(name, index), one) for index in range(rows)]
        dtype = self.array_dtype(float_dtype)
        return np.stack(drawn).astype(dtype) if drawn else np.zeros((0, *one), dtype)

    def array_dtype(self, float_dtype: str = "float32") -> str:
        """The dtype of its arrays."""
        return float_dtype if self.is_float else self.dtype

    def _row(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        if self.dtype == "sign":
            return np.asarray(2.0 * generator.integers(0, 2, shape) - 1.0)
        if self.dtype == "probability":
            weights = generator.uniform(0.1, 1.0, shape)
            return np.asarray(weights / weights.sum(-1, keepdims=True))
        if self.dtype == "bool":
            return generator.integers(0, 2, shape).astype(bool)
        if self.dtype in FLOATS:
            return generator.normal(size=shape)
        return generator.integers(0, self.size, shape)


class InputTable:
    """The inputs of one example, by name.

    Args:
        described: a shape (its input is called "inputs"), or {"name": {"shape": ..., "dtype": ..., "max": ...}}.

    Raises:
        ValueError: for a shape without a batch axis or an entry without a shape.

    Example:
        >>> {name: array.shape for name, array in InputTable((2, 3)).arrays(rows=5).items()}
        {'inputs': (5, 3)}
    """

    def __init__(self, described: Sequence[int] | Mapping[str, Any]) -> None:
        entries = described if isinstance(described, Mapping) else {"inputs": {"shape": described}}
        self.entries: dict[str, Described] = {}
        for name, given in entries.items():
            entry: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
            shape = tuple(entry.get("shape", ()))
            if not shape or not all(isinstance(size, int) and size >= 1 for size in shape):
                raise ValueError(
                    f"An example input needs a shape of positive sizes, batch first. Received: {name}={given!r}"
                )
            self.entries[name] = Described(shape, str(entry.get("dtype", "float32")), int(entry.get("max", 2)))
        if not self.entries:
            raise ValueError(f"A check needs at least one example input. Received: inputs={described!r}")

    @property
    def rows(self) -> int:
        """Rows of the example as the catalogue states it."""
        return next(iter(self.entries.values())).shape[0]

    def arrays(self, rows: int | None = None, float_dtype: str = "float32") -> dict[str, np.ndarray]:
        """{name: array} with `rows` rows; row i is the same for every number of rows."""
        rows = self.rows if rows is None else rows
        return {name: entry.draw(name, rows, float_dtype) for name, entry in self.entries.items()}
