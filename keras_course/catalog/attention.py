"""Rows of the chapters on attention and transformers."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "positional-encoding", "Sinusoidal positional encoding", shape="block",
        object="keras_course.layers.positional_encoding:PositionalEncoding", init={"base": 100.0}, inputs=(2, 4, 4),
        sources=("C 14.3",), members=("keras_course.ops.positional:positional_encoding",),
    ),
)  # fmt: skip
