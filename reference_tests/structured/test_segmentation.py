"""Neighbours, contrast and colours of a picture, and the flower found in its photograph."""

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.datasets import load_photograph
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.segmentation import (
    colour_log_probabilities,
    contrast,
    foreground_problem,
    grid_edges,
)


@pytest.mark.parametrize("neighbours", [4, 8])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5), (4, 1), (3, 4)])
def test_every_pair_of_touching_pixels_is_there_once(height, width, neighbours):
    edges = grid_edges(height, width, neighbours)
    found = {frozenset(pair) for pair in edges.tolist()}
    assert len(found) == len(edges)
    wanted = set()
    for p in range(height * width):
        for q in range(p):
            down, right = abs(p // width - q // width), abs(p % width - q % width)
            if max(down, right) == 1 and (neighbours == 8 or down + right == 1):
                wanted.add(frozenset((p, q)))
    assert found == wanted


def test_contrast_is_one_where_even_and_falls_across_an_edge():
    image = np.zeros((4, 6))
    image[:, 3:] = 1.0
    edges = grid_edges(4, 6, 4)
    values = contrast(image, edges)
    across = (edges[:, 0] % 6 == 2) & (edges[:, 1] % 6 == 3)
    assert np.all(values[~across] == 1.0) and np.all(values[across] < 0.01)


def test_contrast_does_not_change_with_the_scale_of_the_image():
    image = np.random.default_rng(0).random((5, 5, 3))
    edges = grid_edges(5, 5)
    np.testing.assert_allclose(contrast(255.0 * image, edges), contrast(image, edges), rtol=1e-12)


def test_diagonal_neighbours_count_for_less():
    values = contrast(np.zeros((2, 2)), grid_edges(2, 2, 8))
    np.testing.assert_allclose(values, [1, 1, 1, 1, 0.5**0.5, 0.5**0.5])


@pytest.mark.parametrize("model", ["histogram", "gaussian"])
def test_colour_probabilities_are_normalised_and_follow_the_scribbles(model):
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(0.25, 0.05, (8, 8, 3)), 0, 1)
    image[:, 4:] += 0.5
    scribbles = np.full((8, 8), -1)
    scribbles[:, 0], scribbles[:, 7] = 0, 1
    scores = colour_log_probabilities(image, scribbles, model)
    np.testing.assert_allclose(np.exp(scores).sum(-1), 1.0)
    assert np.all(scores[:, :4].argmax(-1) == 0) and np.all(scores[:, 4:].argmax(-1) == 1)
    swapped = colour_log_probabilities(image, np.where(scribbles < 0, -1, 1 - scribbles), model)
    np.testing.assert_allclose(swapped, scores[..., ::-1])


def test_a_colour_that_nobody_scribbled_keeps_the_prior():
    image = np.array([[[0.1], [0.9], [0.5]]])
    scores = colour_log_probabilities(image, np.array([[0, 1, -1]]), bins=9, foreground=0.25)
    np.testing.assert_allclose(np.exp(scores[0, 2]), [0.75, 0.25])


def test_the_dahlia_is_cut_out_of_its_photograph():
    image = load_photograph("flower")[::8, ::8]
    height, width = image.shape[:2]
    row, column = np.mgrid[:height, :width] * 8
    from_centre = np.hypot(row - 220, column - 307)
    scribbles = np.full((height, width), -1)
    scribbles[(row < 40) | (column < 100) | (column > 560)] = 0
    scribbles[from_centre < 60] = 1
    problem = foreground_problem(colour_log_probabilities(image, scribbles), image, -8.0, scribbles=scribbles)
    solution = graph_cut(problem)
    mask = solution.assignment.reshape(height, width)
    assert solution.is_optimal
    blossom = mask[row < 360]
    inside = from_centre[row < 360] < 105
    outside = from_centre[row < 360] > 150
    assert blossom[inside].mean() > 0.99 and blossom[outside].mean() < 0.01
    assert np.all(mask[scribbles == 1] == 1) and np.all(mask[scribbles == 0] == 0)


def test_a_heavier_weight_gives_a_shorter_outline():
    rng = np.random.default_rng(4)
    scores = np.log(np.clip(rng.random((20, 20)), 0.05, 0.95))
    scores = np.stack([np.log1p(-np.exp(scores)), scores], -1)
    image = rng.random((20, 20))
    edges, cuts = grid_edges(20, 20), []
    for weight in (0.0, -0.2, -0.5, -1.0, -3.0):
        labels = graph_cut(foreground_problem(scores, image, weight)).assignment
        cuts.append(np.sum(contrast(image, edges)[labels[edges[:, 0]] != labels[edges[:, 1]]]))
    assert all(later <= earlier for earlier, later in zip(cuts, cuts[1:], strict=False)) and cuts[-1] < 0.2 * cuts[0]


def test_a_positive_weight_is_refused_by_the_cut():
    problem = foreground_problem(np.log(np.full((3, 3, 2), 0.5)), np.zeros((3, 3)), 1.0)
    with pytest.raises(InvalidDataError, match="not submodular"):
        graph_cut(problem)


def test_broken_pictures_and_scribbles_are_refused():
    image = np.zeros((3, 3, 3))
    with pytest.raises(InvalidDataError, match="finite image"):
        contrast(np.full((2, 2), np.nan), grid_edges(2, 2))
    with pytest.raises(InvalidDataError, match=r"values \[-1, 1\]"):
        colour_log_probabilities(image, np.array([[1, -1, -1]] * 3))
    with pytest.raises(InvalidDataError, match="Scribbles are 0, 1 or -1"):
        colour_log_probabilities(image, np.array([[1, 0, 2]] * 3))
    with pytest.raises(InvalidDataError, match=r"scores of shape \(3, 3, 2\)"):
        foreground_problem(np.zeros((3, 3, 3)), image, -1.0)
    with pytest.raises(ValueError, match="neighbours=6"):
        grid_edges(3, 3, 6)
    with pytest.raises(ValueError, match="foreground=1.0"):
        colour_log_probabilities(image, np.array([[1, 0, -1]] * 3), foreground=1.0)
