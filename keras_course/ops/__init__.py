"""The course's formulas: pure functions of tensors on `keras.ops` alone, one equation a function."""

from keras_course.ops.convolution import convolve, cross_correlate, feature_maps, output_size, receptive_field
from keras_course.ops.pooling import average_pool, max_pool
from keras_course.ops.positional import positional_encoding

__all__ = [
    "average_pool",
    "convolve",
    "cross_correlate",
    "feature_maps",
    "max_pool",
    "output_size",
    "positional_encoding",
    "receptive_field",
]
