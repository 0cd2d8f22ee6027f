"""Data sets as checked, split arrays: `load("digits")`. Imports NumPy alone; Keras only for the sets it fetches."""

from keras_course.datasets.arrays import from_arrays
from keras_course.datasets.dataset import Dataset, Spec, Split, check_split
from keras_course.datasets.digit_canvas import Scene, digit_scene, digit_scenes
from keras_course.datasets.folds import Fold, hold_out, k_folds, leave_one_out
from keras_course.datasets.photographs import load_photograph
from keras_course.datasets.registry import load, names
from keras_course.datasets.spike_trains import poisson_spikes
from keras_course.datasets.split import SplitRows, epoch_order, split_rows
from keras_course.datasets.time_series import mackey_glass_series, narma10_series

__all__ = [
    "Dataset",
    "Fold",
    "Scene",
    "Spec",
    "Split",
    "SplitRows",
    "check_split",
    "digit_scene",
    "digit_scenes",
    "epoch_order",
    "from_arrays",
    "hold_out",
    "k_folds",
    "leave_one_out",
    "load",
    "load_photograph",
    "mackey_glass_series",
    "names",
    "narma10_series",
    "poisson_spikes",
    "split_rows",
]
