"""Expansions never lower the score, stay within the known factor of the best, and are refused where no metric holds."""

import itertools

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.datasets import load_photograph
from keras_course.structured.alpha_expansion import alpha_expansion
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.problem import PairwiseProblem
from keras_course.structured.segmentation import grid_edges

LINE = [[0, 1, 2], [1, 0, 1], [2, 1, 0]]


def every_score(problem):
    """All labellings of a small problem and their scores, by the formula."""
    labellings = np.array(list(itertools.product(range(problem.labels), repeat=problem.places)))
    scores = problem.unary[np.arange(problem.places), labellings].sum(1)
    for (i, j), weight in zip(problem.edges, problem.weights, strict=True):
        scores = scores + weight * problem.distances[labellings[:, i], labellings[:, j]]
    return labellings, scores


def random_grid(seed):
    """A 3 x 3 problem with three labels: Potts, or on a line for every third seed."""
    rng = np.random.default_rng(seed)
    edges = grid_edges(3, 3, 8 if seed % 2 else 4)
    unary, weights = rng.normal(size=(9, 3)), -(0.2 + 0.8 * rng.random(len(edges)))
    return PairwiseProblem(unary, edges, weights, None if seed % 3 else LINE)


def costs(problem, labelling):
    """(cost of labels, each place's best at 0; cost of pairs) of one labelling."""
    own = problem.unary.max(1) - problem.unary[np.arange(problem.places), labelling]
    apart = problem.distances[labelling[problem.edges[:, 0]], labelling[problem.edges[:, 1]]]
    return float(own.sum()), float(-(problem.weights * apart).sum())


@pytest.mark.parametrize("seed", range(12))
def test_where_expansions_reach_the_best_of_all_19683_labellings_they_return_it(seed):
    problem = random_grid(seed)
    labellings, scores = every_score(problem)
    solution = alpha_expansion(problem)
    assert abs(solution.value - scores.max()) < 1e-12
    np.testing.assert_array_equal(solution.assignment, labellings[scores.argmax()])
    assert solution.value == problem.score(solution.assignment)


@pytest.mark.parametrize("seed", [0, 3, 17, 144])
def test_value_and_bound_enclose_the_best_even_where_expansions_miss_it(seed):
    problem = random_grid(seed)
    _, scores = every_score(problem)
    solution = alpha_expansion(problem)
    assert solution.value <= scores.max() + 1e-12 <= solution.bound + 2e-12
    assert (solution.value < scores.max() - 0.05) == (seed in (17, 144))
    assert solution.bound < problem.unary.max(1).sum() - 0.1  # tighter than everyone's own best


@pytest.mark.parametrize("seed", [3, 17, 144])
def test_energy_is_within_twice_the_ratio_of_distances_of_the_optimum(seed):
    problem = random_grid(seed)
    labellings, scores = every_score(problem)
    own, pairs = costs(problem, labellings[scores.argmax()])
    different = problem.distances[problem.distances > 0]
    factor = 2.0 * different.max() / different.min()
    assert sum(costs(problem, alpha_expansion(problem).assignment)) <= own + factor * pairs + 1e-12


@pytest.mark.parametrize("seed", [0, 9, 17, 144])
def test_no_expansion_of_any_label_improves_the_result(seed):
    problem = random_grid(seed)
    solution = alpha_expansion(problem)
    takers = np.array(list(itertools.product((False, True), repeat=problem.places)))
    for alpha in range(problem.labels):
        moved = np.where(takers, alpha, solution.assignment)
        assert max(problem.score(each) for each in moved) <= solution.value + 1e-12


@pytest.mark.parametrize("seed", [2, 6, 17])
def test_the_score_never_falls_with_another_expansion_and_the_limit_is_kept(seed):
    problem = random_grid(seed)
    best = every_score(problem)[1].max()
    steps = alpha_expansion(problem).steps
    runs = [alpha_expansion(problem, limit=limit) for limit in range(steps + 1)]
    assert [run.steps for run in runs] == list(range(steps + 1))
    assert np.all(np.diff([run.value for run in runs]) >= 0) and runs[-1].value > runs[0].value
    assert all(run.value <= best + 1e-12 <= run.bound + 2e-12 for run in runs)
    np.testing.assert_array_equal(runs[0].assignment, problem.unary.argmax(1))


def test_on_two_labels_no_expansion_contradicts_the_exact_cut():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        problem = PairwiseProblem(rng.normal(size=(9, 2)), grid_edges(3, 3), -rng.random(20), [[0, 0.7], [0.7, 0]])
        exact, solution = graph_cut(problem), alpha_expansion(problem)
        assert solution.value <= exact.value + 1e-12 and exact.bound <= solution.bound + 1e-12
        assert abs(exact.value - every_score(problem)[1].max()) < 1e-12  # graph_cut counts the distance 0.7, too


def test_edges_have_a_direction_in_name_only():
    problem = random_grid(9)
    turned = PairwiseProblem(problem.unary, problem.edges[:, ::-1], problem.weights, problem.distances)
    assert abs(alpha_expansion(turned).value - alpha_expansion(problem).value) < 1e-12


def test_a_forbidden_label_is_never_taken_however_the_others_pull():
    unary = np.tile([0.0, -50.0, -50.0], (9, 1))
    unary[4] = [-np.inf, -3.0, -4.0]
    problem = PairwiseProblem(unary, grid_edges(3, 3), -20.0, LINE)
    solution = alpha_expansion(problem)
    assert solution.assignment[4] == 1 and abs(solution.value - every_score(problem)[1].max()) < 1e-9


def test_places_without_neighbours_take_their_own_best_and_prove_it():
    solution = alpha_expansion(PairwiseProblem([[0.0, 1.0, 0.5], [2.0, 1.0, 3.0]], [], []))
    assert solution.assignment.tolist() == [1, 2] and solution.is_optimal and solution.steps == 0
    only = alpha_expansion(PairwiseProblem([[1.0], [2.0]], [[0, 1]], -1.0))
    assert only.assignment.tolist() == [0, 0] and only.value == only.bound == 3.0


def test_grey_levels_of_a_noisy_photograph_come_back_with_fewer_mistakes():
    """Real pixels in eight grey levels, a third of them replaced; the truncated distance keeps edges."""
    image = load_photograph("flower")[160:220, 230:305].mean(-1)
    levels = np.floor(image / 32).astype(int)
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(levels.shape) < 1 / 3, rng.integers(0, 8, levels.shape), levels)
    far = np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    unary = -2.0 * (noisy.reshape(-1, 1) != np.arange(8))
    edges = grid_edges(*levels.shape, 4)
    solution = alpha_expansion(PairwiseProblem(unary, edges, -0.5, np.minimum(far, 3)))
    wrong = [np.mean(answer.reshape(levels.shape) != levels) for answer in (noisy, solution.assignment)]
    assert wrong[1] < 0.7 * wrong[0]
    again = alpha_expansion(PairwiseProblem(unary, edges, -0.5, np.minimum(far, 3)))
    np.testing.assert_array_equal(again.assignment, solution.assignment)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        ([[0, 1, 4], [1, 0, 1], [4, 1, 0]], r"triangle.*V\(0, 2\) = 4 above V\(0, 1\) \+ V\(1, 2\) = 2"),
        ([[0, 1, 2], [1, 0, 1], [3, 1, 0]], r"as far there as back.*V\(0, 2\) = 2, V\(2, 0\) = 3"),
        ([[0, 1, 1], [1, 0.5, 1], [1, 1, 0]], r"distance 0 from itself.*V\(1, 1\) = 0.5"),
        ([[0, 1, 1], [1, 0, 0], [1, 0, 0]], r"above 0.*V\(1, 2\) = 0"),
        ([[0, -1, 1], [-1, 0, 1], [1, 1, 0]], r"above 0.*V\(0, 1\) = -1"),
    ],
)
def test_distances_that_are_no_metric_are_refused_with_the_labels(distances, message):
    with pytest.raises(InvalidDataError, match=message):
        alpha_expansion(PairwiseProblem(np.zeros((3, 3)), [[0, 1]], -1.0, distances))


def test_without_the_triangle_inequality_a_move_would_be_no_cut():
    """Squared differences: to keep costs V(0, 2) = 4, the two ways round by label 1 cost 2: no cut has such arcs."""
    squares = np.subtract.outer(np.arange(3), np.arange(3)) ** 2
    assert squares[0, 2] > squares[0, 1] + squares[1, 2]
    with pytest.raises(InvalidDataError, match="no metric"):
        alpha_expansion(PairwiseProblem([[0, -9, -9], [-9, -9, 0]], [[0, 1]], -1.0, squares))


def test_a_flat_triangle_of_decimals_is_a_metric():
    line = np.abs(np.subtract.outer([0.0, 0.1, 0.30000000000000004], [0.0, 0.1, 0.30000000000000004]))
    alpha_expansion(PairwiseProblem(np.eye(3), [[0, 1], [1, 2]], -1.0, line))


def test_rewards_for_disagreement_and_wrong_limits_and_tables_are_refused():
    with pytest.raises(InvalidDataError, match=r"w C <= 0.*weight 0.5 on edge \[1, 2\]"):
        alpha_expansion(PairwiseProblem(np.zeros((3, 3)), [[0, 1], [1, 2]], [-1.0, 0.5]))
    for limit in (-1, True, 2.0):
        with pytest.raises(ValueError, match=f"limit={limit}"):
            alpha_expansion(random_grid(0), limit=limit)
    with pytest.raises(InvalidDataError, match=r"distances \(3, 3\).*shape=\(2, 2\)"):
        PairwiseProblem(np.zeros((2, 3)), [[0, 1]], -1.0, np.eye(2))
    with pytest.raises(InvalidDataError, match="finite=False"):
        PairwiseProblem(np.zeros((2, 2)), [[0, 1]], -1.0, [[0, np.inf], [np.inf, 0]])
    with pytest.raises(InvalidDataError, match=r"equally far.*distances=\[\[0.0, 1.0\], \[2.0, 0.0\]\]"):
        graph_cut(PairwiseProblem(np.zeros((2, 2)), [[0, 1]], -1.0, [[0, 1], [2, 0]]))
