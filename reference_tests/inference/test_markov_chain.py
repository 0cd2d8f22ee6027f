"""Markov chains: both conventions, when they settle and when not, and a walk that follows the matrix."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.core.errors import InvalidDataError
from keras_course.inference.mcmc.markov_chain import MarkovChain

WEATHER = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0, 0.5, 0.5]])
SWAP = [[0.0, 1.0], [1.0, 0.0]]


def random_chain(seed, states=6, share=0.5):
    rng = np.random.default_rng(seed)
    matrix = rng.random((states, states)) * (rng.random((states, states)) < share) + np.eye(states) * 1e-3
    return matrix / matrix.sum(1, keepdims=True)


def test_columns_and_rows_are_transposes_of_each_other():
    rows, columns = MarkovChain(WEATHER), MarkovChain(WEATHER.T, "columns")
    np.testing.assert_array_equal(rows.transition, columns.transition)
    np.testing.assert_array_equal(rows.stationary_distribution(), columns.stationary_distribution())


def test_one_matrix_read_both_ways_is_two_chains():
    matrix = np.array([[0.5, 0.375, 0.125], [0.125, 0.5, 0.375], [0.375, 0.125, 0.5]])
    start = [1.0, 0.0, 0.0]
    there = MarkovChain(matrix, "rows").trajectory(start, 1)[1]
    back = MarkovChain(matrix, "columns").trajectory(start, 1)[1]
    np.testing.assert_array_equal(there, matrix[0])
    np.testing.assert_array_equal(back, matrix[:, 0])


@pytest.mark.parametrize("seed", range(8))
def test_stationary_distribution_is_the_left_eigenvector(seed):
    chain = MarkovChain(random_chain(seed, share=0.9))
    values, vectors = np.linalg.eig(chain.transition.numpy().T)
    leading = np.real(vectors[:, np.argmax(values.real)])
    np.testing.assert_allclose(chain.stationary_distribution(), leading / leading.sum(), atol=1e-13)


def test_rare_states_keep_all_digits():
    tiny = 1e-18
    chain = MarkovChain(np.array([[1.0 - tiny, tiny], [0.5, 0.5]]))
    np.testing.assert_allclose(chain.stationary_distribution()[1], 2 * tiny, rtol=1e-14)


def test_the_swap_has_a_stationary_distribution_but_no_limit():
    chain = MarkovChain(SWAP, "columns")
    assert chain.is_irreducible and not chain.is_aperiodic and chain.periods == [2]
    np.testing.assert_array_equal(chain.stationary_distribution(), [0.5, 0.5])
    with pytest.raises(InvalidDataError, match="goes round in a cycle.*Received: periods"):
        chain.limiting_distribution()
    path = chain.trajectory([0.75, 0.25], 3).numpy()
    np.testing.assert_array_equal(path[1], [0.25, 0.75])
    np.testing.assert_array_equal(path[3], path[1])


def test_a_lazy_swap_converges():
    chain = MarkovChain([[0.1, 0.9], [0.9, 0.1]])
    assert chain.converges
    np.testing.assert_allclose(chain.trajectory([1.0, 0.0], 400)[-1], chain.limiting_distribution(), atol=1e-6)


def test_two_closed_classes_have_no_unique_stationary_distribution():
    chain = MarkovChain([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    assert chain.closed_classes == [[0, 1], [2]] and not chain.converges
    with pytest.raises(InvalidDataError, match=r"closed classes \[\[0, 1\], \[2\]\]"):
        chain.stationary_distribution()


def test_states_that_are_left_for_good_have_probability_zero():
    chain = MarkovChain([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [0.0, 0.75, 0.25]])
    assert not chain.is_irreducible and chain.converges
    np.testing.assert_allclose(chain.limiting_distribution(), [0.0, 0.5, 0.5], atol=1e-7)


@pytest.mark.parametrize("length", [2, 3, 5, 6])
def test_a_ring_has_the_period_of_its_length(length):
    assert MarkovChain(np.roll(np.eye(length), 1, 1)).periods == [length]
    shortcut = np.roll(np.eye(length), 1, 1)
    shortcut[0] = 0.5 * (shortcut[0] + shortcut[1]) if length > 2 else 0.5
    assert MarkovChain(shortcut).periods == [1]


def test_total_variation_never_rises_and_starts_at_the_distance_of_the_start():
    chain = MarkovChain(WEATHER)
    curve = chain.total_variation([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], 30).numpy()
    assert curve.shape == (31, 2)
    np.testing.assert_allclose(curve[0], 1.0 - chain.stationary_distribution().numpy()[[0, 2]], atol=1e-12)
    assert np.all(np.diff(curve, axis=0) <= 1e-15) and curve[-1].max() < 1e-8


def test_paths_follow_the_matrix():
    chain = MarkovChain(WEATHER)
    draw = tf.function(lambda: chain.sample(300, tf.zeros([400], tf.int32), seed=11), jit_compile=True)
    paths = draw().numpy()
    seen = np.zeros((3, 3))
    np.add.at(seen, (paths[:-1].ravel(), paths[1:].ravel()), 1)
    np.testing.assert_allclose(MarkovChain.from_counts(seen).transition, WEATHER, atol=0.01)
    assert seen[2, 0] == 0  # an impossible move is never made
    visits = np.bincount(paths[20:].ravel(), minlength=3) / paths[20:].size
    np.testing.assert_allclose(visits, chain.stationary_distribution(), atol=0.01)


def test_the_kernel_reports_the_probability_of_its_steps():
    chain = MarkovChain(WEATHER)
    state = tf.constant([0, 1, 2, 2, 1, 0])
    moved, results = chain.one_step(state, chain.bootstrap_results(state), seed=[1, 2])
    np.testing.assert_allclose(np.exp(results.log_transition), WEATHER[state.numpy(), moved.numpy()], rtol=1e-12)


def test_the_chain_is_a_kernel_for_sample_chain():
    states, logs = tfp.mcmc.sample_chain(
        5,
        tf.constant([0, 1]),
        kernel=MarkovChain(SWAP),
        seed=[0, 1],
        trace_fn=lambda _, results: results.log_transition,
    )
    np.testing.assert_array_equal(states, [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(logs, np.zeros((5, 2)))


def test_single_precision_comes_back_in_single_precision():
    chain = MarkovChain(WEATHER.astype("float32"))
    assert chain.stationary_distribution().dtype == tf.float32 and chain.transition.dtype == tf.float32


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[0.5, 0.4], [0.5, 0.5]], "row 0 sums to 0.9"),
        ([[1.5, -0.5], [0.5, 0.5]], "never negative. Received: transition"),
        ([[np.nan, 1.0], [0.5, 0.5]], "finite probabilities"),
        ([[0.5, 0.5]], r"square matrix. Received: shape=\(1, 2\)"),
        ([[0.5, 0.25], [0.5, 0.75]], "convention='columns'"),
        (np.zeros((0, 0)), "square matrix"),
    ],
)
def test_what_is_no_transition_matrix_is_refused(matrix, message):
    with pytest.raises(InvalidDataError, match=message):
        MarkovChain(matrix)


def test_wrong_arguments_are_refused_with_what_came():
    chain = MarkovChain(WEATHER)
    with pytest.raises(ValueError, match="convention='diagonal'"):
        MarkovChain(WEATHER, "diagonal")
    with pytest.raises(ValueError, match="steps=-1"):
        chain.trajectory([1.0, 0.0, 0.0], -1)
    with pytest.raises(ValueError, match=r"shape=\(2,\)"):
        chain.trajectory([1.0, 0.0], 3)
    with pytest.raises(ValueError, match="integer states"):
        chain.bootstrap_results(tf.constant([0.0]))
    with pytest.raises(ValueError, match="states 0 to 2"):
        chain.bootstrap_results(tf.constant([3]))
    with pytest.raises(InvalidDataError, match="every state is left"):
        MarkovChain.from_counts([[0, 0], [1, 1]])
