"""What an experiment returns: named columns of one length, and how to draw them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.serial import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """Rows of an experiment, column by column.

    Args:
        name: name of the experiment.
        columns: {name: one value a row}, all of one length.
        draw: callable(Table) that returns a matplotlib `Figure`, or None.
        headline: {what: number}, the few figures that say what came out.

    Raises:
        ValueError: if there are no columns or their lengths differ.

    Example:
        >>> table = Table("squares", {"x": [1, 2, 3], "y": [1.0, 4.0, 9.0]})
        >>> len(table), table["y"].tolist(), table.where(x=2)["y"].tolist()
        (3, [1.0, 4.0, 9.0], [4.0])
    """

    name: str
    columns: Mapping[str, Any]
    draw: Callable[[Table], Figure] | None = None
    headline: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = {name: np.asarray(values) for name, values in self.columns.items()}
        lengths = {name: len(values) if values.ndim == 1 else None for name, values in arrays.items()}
        if len(set(lengths.values())) != 1 or None in lengths.values():
            raise ValueError(f"A table has columns of one length. Received: lengths={lengths}")
        object.__setattr__(self, "columns", arrays)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, column: str) -> NDArray[Any]:
        return np.asarray(self.columns[column])

    def where(self, **equal: Any) -> Table:
        """The rows in which every named column has the given value."""
        kept = np.ones(len(self), bool)
        for name, value in equal.items():
            kept &= self[name] == value
        return Table(self.name, {name: values[kept] for name, values in self.columns.items()}, self.draw)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """The table as comma-separated text, with a header; written to `path` if one is given.

        Floats are written with the digits that bring them back exactly.

        Example:
            >>> Table("t", {"n": [1, 2], "x": [0.5, 0.1]}).to_csv()
            'n,x\\n1,0.5\\n2,0.1\\n'
        """
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*(values.tolist() for values in self.columns.values()), strict=True))
        if path is not None:
            write_atomically(Path(path), buffer.getvalue())
        return buffer.getvalue()

    def figure(self) -> Figure:
        """The experiment's picture.

        Raises:
            ValueError: if the experiment draws none.
        """
        if self.draw is None:
            raise ValueError(f"The experiment {self.name!r} draws no figure. Received: draw=None")
        return self.draw(self)
