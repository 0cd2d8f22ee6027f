"""Data sets as checked, split arrays: `load("digits")`. Imports NumPy alone; Keras only for the sets it fetches."""

from keras_course.datasets.arrays import from_arrays
from keras_course.datasets.dataset import Dataset, Spec, Split, check_split
from keras_course.datasets.digit_canvas import Scene, digit_scene, digit_scenes
from keras_course.datasets.folds import Fold, hold_out, k_folds, leave_one_out
from keras_course.datasets.hershey import Glyph, font_names, stroke_font
from keras_course.datasets.hershey_words import Hand, word_lines, write_by_hand, writer_hands
from keras_course.datasets.iam_on_db import iam_lines, iam_on_db
from keras_course.datasets.pen_lines import PenLine, pack_lines, unpack_lines
from keras_course.datasets.photographs import load_photograph
from keras_course.datasets.registry import load, names
from keras_course.datasets.spike_trains import poisson_spikes
from keras_course.datasets.split import SplitRows, epoch_order, split_rows
from keras_course.datasets.time_series import mackey_glass_series, narma10_series

__all__ = [
    "Dataset",
    "Fold",
    "Glyph",
    "Hand",
    "PenLine",
    "Scene",
    "Spec",
    "Split",
    "SplitRows",
    "check_split",
    "digit_scene",
    "digit_scenes",
    "epoch_order",
    "font_names",
    "from_arrays",
    "hold_out",
    "iam_lines",
    "iam_on_db",
    "k_folds",
    "leave_one_out",
    "load",
    "load_photograph",
    "mackey_glass_series",
    "names",
    "narma10_series",
    "pack_lines",
    "poisson_spikes",
    "split_rows",
    "stroke_font",
    "unpack_lines",
    "word_lines",
    "write_by_hand",
    "writer_hands",
]
