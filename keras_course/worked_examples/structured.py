"""Worked examples of the chapter on structured prediction: labelling an image by minimum cuts."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_course.core.backend import arithmetic
from keras_course.structured.alpha_expansion import alpha_expansion
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.problem import PairwiseProblem
from keras_course.structured.segmentation import contrast, foreground_problem, grid_edges

__all__ = ["contrast_of_neighbours", "expanded_labels", "foreground_cut", "pairwise_score"]


@arithmetic
def contrast_of_neighbours(image: Any, neighbours: int) -> dict[str, Any]:
    """The pairs of touching pixels and how alike each pair is. Source: N (Graph Cuts)."""
    image = np.asarray(image)
    edges = grid_edges(image.shape[0], image.shape[1], neighbours)
    return {"edges": edges, "contrast": contrast(image, edges)}


@arithmetic
def pairwise_score(log_probability: Any, edges: Any, contrast: Any, weight: float, assignment: Any) -> dict[str, Any]:
    """g(x, y; w) of one labelling. Source: N (Graph Cuts)."""
    problem = PairwiseProblem(np.asarray(log_probability), np.asarray(edges), weight * np.asarray(contrast, "float64"))
    return {"score": [problem.score(np.asarray(assignment))]}


@arithmetic
def foreground_cut(log_probability: Any, image: Any, weight: float, neighbours: int) -> dict[str, Any]:
    """The foreground of a small picture, found by a minimum cut, and its score. Source: N (Graph Cuts)."""
    image = np.asarray(image)
    solution = graph_cut(foreground_problem(np.asarray(log_probability), image, weight, neighbours))
    return {"assignment": solution.assignment.reshape(image.shape[:2]), "score": [solution.value]}


@arithmetic
def expanded_labels(log_probability: Any, edges: Any, weights: Any, distances: Any) -> dict[str, Any]:
    """A labelling with many labels that no expansion improves, its score and its bound. Source: N (Graph Cuts)."""
    weights, distances = np.asarray(weights, "float64"), np.asarray(distances, "float64")
    solution = alpha_expansion(PairwiseProblem(np.asarray(log_probability), np.asarray(edges), weights, distances))
    return {"assignment": solution.assignment, "score": [solution.value], "bound": [solution.bound]}
