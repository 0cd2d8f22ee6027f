"""A minimum cut is the best of all labellings, its bound is never crossed, and what cannot be cut is refused."""

import itertools

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.problem import PairwiseProblem
from keras_course.structured.segmentation import contrast, grid_edges


def every_score(problem):
    """All labellings of a small problem and their scores, by the formula."""
    labellings = np.array(list(itertools.product((0, 1), repeat=problem.places)))
    scores = problem.unary[np.arange(problem.places), labellings].sum(1)
    for (i, j), weight in zip(problem.edges, problem.weights, strict=True):
        scores = scores + weight * (labellings[:, i] != labellings[:, j])
    return labellings, scores


def random_grid(seed, height=3, width=3):
    rng = np.random.default_rng(seed)
    edges = grid_edges(height, width, 8 if seed % 2 else 4)
    weights = -4.0 * rng.random() * contrast(rng.random((height, width, 3)), edges)
    return PairwiseProblem(3.0 * rng.normal(size=(height * width, 2)), edges, weights)


def test_value_equals_the_best_of_all_65536_labellings():
    problem = random_grid(1, 4, 4)
    _, scores = every_score(problem)
    assert abs(graph_cut(problem).value - scores.max()) < 1e-12


def test_each_round_tightens_the_bound_of_the_one_before():
    problem = random_grid(3, 12, 12)
    gaps = [graph_cut(problem, limit=limit).gap for limit in (0, 1, 2)]
    assert gaps[0] > 1.0 and 1e-12 < gaps[1] < 1e-4 and gaps[2] < 1e-10


def test_of_two_equal_labellings_the_one_with_fewer_ones_is_returned():
    tie = PairwiseProblem([[0.0, -1.0], [-1.0, 0.0]], [[0, 1]], -5.0)
    np.testing.assert_array_equal(graph_cut(tie).assignment, [0, 0])
    np.testing.assert_array_equal(graph_cut(PairwiseProblem(np.zeros((4, 2)), [[0, 1]], 0.0)).assignment, np.zeros(4))


def test_swapping_the_labels_swaps_the_answer():
    problem = random_grid(7)
    swapped = PairwiseProblem(problem.unary[:, ::-1], problem.edges, problem.weights)
    np.testing.assert_array_equal(graph_cut(swapped).assignment, 1 - graph_cut(problem).assignment)


def test_the_wrong_sign_of_the_weight_is_seen_in_the_answer():
    """With the penalty turned round, single pixels would be rewarded for standing out."""
    unary = np.tile([[0.0, -0.1]], (9, 1))
    unary[4] = [-0.5, 0.0]
    edges = grid_edges(3, 3, 4)
    smooth = graph_cut(PairwiseProblem(unary, edges, -1.0))
    np.testing.assert_array_equal(smooth.assignment, np.zeros(9))
    _, rewarded = every_score(PairwiseProblem(unary, edges, 1.0))
    assert rewarded.max() > smooth.value + 5.0


@pytest.mark.parametrize("label", [0, 1])
def test_a_forbidden_label_is_never_given_whatever_the_neighbours_say(label):
    unary = np.tile([[0.0, -50.0]] if label else [[-50.0, 0.0]], (9, 1))
    unary[4] = [-np.inf, -3.0] if label else [-3.0, -np.inf]
    solution = graph_cut(PairwiseProblem(unary, grid_edges(3, 3), -100.0))
    assert solution.assignment[4] == label
    _, scores = every_score(PairwiseProblem(unary, grid_edges(3, 3), -100.0))
    assert abs(solution.value - scores.max()) < 1e-9 and solution.is_optimal


def test_parallel_edges_add_up_and_their_direction_does_not_matter():
    unary = np.random.default_rng(0).normal(size=(4, 2))
    twice = PairwiseProblem(unary, [[0, 1], [1, 0], [2, 3]], [-0.25, -0.5, -1.0])
    once = PairwiseProblem(unary, [[0, 1], [2, 3]], [-0.75, -1.0])
    assert graph_cut(twice).value == graph_cut(once).value


def test_scores_of_very_different_size_are_still_solved_exactly():
    rng = np.random.default_rng(2)
    unary = rng.normal(size=(9, 2)) * 10.0 ** rng.integers(-6, 7, size=(9, 1))
    problem = PairwiseProblem(unary, grid_edges(3, 3), -(10.0 ** rng.uniform(-6, 6, size=20)))
    _, scores = every_score(problem)
    solution = graph_cut(problem)
    assert abs(solution.value - scores.max()) <= 1e-15 * abs(unary).max()
    assert solution.is_optimal


def test_a_problem_without_edges_lets_every_place_decide():
    solution = graph_cut(PairwiseProblem([[0.0, 1.0], [2.0, 1.0]], [], []))
    assert solution.assignment.tolist() == [1, 0] and solution.value == solution.bound == 3.0


def test_a_reward_for_disagreement_is_refused_as_not_submodular():
    with pytest.raises(InvalidDataError, match=r"not submodular.*Received: weight 0.5 on edge \[1, 2\]"):
        graph_cut(PairwiseProblem(np.zeros((3, 2)), [[0, 1], [1, 2]], [-1.0, 0.5]))


@pytest.mark.parametrize(
    ("unary", "edges", "weights", "message"),
    [
        ([[0.0, np.nan]], [], [], "a number or -inf"),
        ([[0.0, np.inf]], [], [], "a number or -inf"),
        ([[-np.inf, -np.inf]], [], [], "none at place 0"),
        ([0.0, 1.0], [], [], r"shape=\(2,\)"),
        (np.zeros((2, 2)), [[0, 2]], -1.0, "two different places of 0 to 1"),
        (np.zeros((2, 2)), [[1, 1]], -1.0, "1 of them loops"),
        (np.zeros((2, 2)), [[0, 1]], np.nan, "finite=False"),
        (np.zeros((2, 2)), [[0, 1]], [-1.0, -1.0], r"shape=\(2,\)"),
    ],
)
def test_broken_problems_are_refused_in_one_line(unary, edges, weights, message):
    with pytest.raises(InvalidDataError, match=message):
        PairwiseProblem(unary, edges, weights)


def test_a_labelling_that_does_not_fit_has_no_score():
    problem = random_grid(0)
    for wrong in (np.zeros(8, int), np.full(9, 2), np.zeros(9)):
        with pytest.raises(InvalidDataError, match="9 labels of 0 to 1"):
            problem.score(wrong)
