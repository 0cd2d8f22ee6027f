"""Structured prediction: problems over many labels at once, and solvers that say how good their answer is."""

from keras_course.structured.alpha_expansion import alpha_expansion
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.problem import PairwiseProblem, Solution
from keras_course.structured.segmentation import (
    colour_log_probabilities,
    contrast,
    foreground_problem,
    grid_edges,
)

__all__ = [
    "PairwiseProblem",
    "Solution",
    "alpha_expansion",
    "colour_log_probabilities",
    "contrast",
    "foreground_problem",
    "graph_cut",
    "grid_edges",
]
