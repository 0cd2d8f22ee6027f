"""Networks whose outputs know earlier variables alone."""

from keras_course.layers.autoregressive.masked_dense import MaskedDense
from keras_course.layers.autoregressive.masked_mlp import MaskedMLP

__all__ = ["MaskedDense", "MaskedMLP"]
