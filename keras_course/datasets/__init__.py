"""Data sets as checked, split arrays: `load("digits")`. Imports NumPy alone; Keras only for the sets it fetches."""

from keras_course.datasets.arrays import from_arrays
from keras_course.datasets.dataset import Dataset, Spec, Split, check_split
from keras_course.datasets.photographs import load_photograph
from keras_course.datasets.registry import load, names
from keras_course.datasets.split import SplitRows, epoch_order, split_rows

__all__ = [
    "Dataset",
    "Spec",
    "Split",
    "SplitRows",
    "check_split",
    "epoch_order",
    "from_arrays",
    "load",
    "load_photograph",
    "names",
    "split_rows",
]
