"""Bootstrap, votes, averages, boosting weights and stumps: counted, enumerated, and held against scikit-learn."""

from itertools import product

import numpy as np
import pytest
from keras import ops
from scipy import stats
from sklearn.tree import DecisionTreeClassifier

from keras_course.models.regularized.bagging import draw_bootstrap
from keras_course.ops.boosting import member_weight, reweighted, training_error_bound, weighted_error
from keras_course.ops.decision_stump import best_stump
from keras_course.ops.ensembles import (
    bootstrap_counts,
    ensemble_output,
    ensemble_squared_errors,
    expected_squared_error,
    mistakes,
    out_of_bag_output,
    predicted_class,
)


@pytest.fixture(scope="module")
def generator():
    return np.random.Generator(np.random.Philox(7))


def test_counts_are_those_of_numpy_for_the_same_draws(generator):
    uniforms = generator.random((3, 40))
    counts = ops.convert_to_numpy(bootstrap_counts(uniforms))
    wanted = [np.bincount(np.floor(row * 40).astype(int), minlength=40) for row in uniforms]
    assert np.array_equal(counts, wanted)


def test_a_uniform_number_next_to_one_draws_the_last_example():
    counts = ops.convert_to_numpy(bootstrap_counts(np.full((1, 3), np.nextafter(np.float32(1), np.float32(0)))))
    assert counts.tolist() == [[0, 0, 3]]


def test_drawn_counts_are_multinomial_and_a_function_of_the_seed():
    counts = draw_bootstrap(50, 400, seed=3)
    assert np.array_equal(counts, draw_bootstrap(50, 400, seed=3))
    assert not np.array_equal(counts, draw_bootstrap(50, 400, seed=4))
    assert np.array_equal(counts[:, :10], draw_bootstrap(50, 10, seed=3))  # a member's sample is its own
    assert np.all(counts.sum(axis=0) == 50)
    observed = [np.sum(counts == c) for c in range(4)] + [np.sum(counts >= 4)]
    chances = [*stats.binom.pmf(range(4), 50, 1 / 50), stats.binom.sf(3, 50, 1 / 50)]
    assert stats.chisquare(observed, 20000 * np.array(chances)).pvalue > 1e-4


def test_the_majority_of_all_ballots_is_the_counted_one():
    ballots = np.array(list(product((0, 1, 2), repeat=3)))  # (27, 3 members)
    outputs = np.eye(3)[ballots.T]  # (3, 27, 3)
    shares = ops.convert_to_numpy(ensemble_output(outputs, "vote"))
    wanted = np.stack([np.sum(ballots == c, axis=1) / 3 for c in range(3)], axis=1)
    assert np.allclose(shares, wanted)
    assert np.array_equal(predicted_class(shares), [np.bincount(row, minlength=3).argmax() for row in ballots])


def test_a_single_column_votes_by_its_sign_and_zero_counts_as_positive():
    outputs = np.array([[[-3.0], [0.0]], [[0.5], [2.0]], [[-0.1], [-9.0]]])
    assert np.allclose(ensemble_output(outputs, "vote"), [[-1 / 3], [1 / 3]])
    assert np.allclose(ensemble_output(outputs, "vote", [0.0, 1.0, 0.0]), [[1.0], [1.0]])
    assert np.allclose(ensemble_output(outputs, "vote", [0.0, 0.0, 0.0]), [[0.0], [0.0]])


def test_the_mean_distribution_is_safe_where_the_naive_one_is_zero():
    logits = np.array([[[800.0, -800.0]], [[900.0, -700.0]]])
    log_mean = ops.convert_to_numpy(ensemble_output(logits, "distribution"))
    assert np.allclose(log_mean, [[0.0, -1600.0]])
    single = ops.convert_to_numpy(ensemble_output(np.array([[[2.0]], [[-1.0]]]), "distribution"))
    mean = np.mean(1 / (1 + np.exp([-2.0, 1.0])))
    assert np.allclose(single, np.log(mean / (1 - mean)))


def test_cross_entropy_of_the_mean_distribution_is_below_the_members_mean(generator):
    logits, y = generator.normal(size=(5, 30, 4)), generator.integers(0, 4, 30)
    ensemble = -np.asarray(ensemble_output(logits, "distribution"))[np.arange(30), y]
    members = -np.asarray(ops.log_softmax(logits, axis=-1))[:, np.arange(30), y]
    assert np.all(ensemble < members.mean(axis=0))


def test_out_of_bag_answers_do_not_move_when_a_member_that_saw_the_example_does(generator):
    outputs, counts = generator.normal(size=(4, 6, 3)), generator.integers(0, 2, (6, 4))
    counts[0] = 1  # nobody left it out
    for combination in ("average", "distribution", "vote"):
        before, left_out = out_of_bag_output(outputs, counts, combination)
        changed = outputs + 50 * generator.normal(size=outputs.shape) * (counts.T > 0)[:, :, None]
        after, _ = out_of_bag_output(changed, counts, combination)
        assert np.array_equal(left_out, (counts == 0).any(axis=1)) and not left_out[0]
        assert np.allclose(before[1:][left_out[1:]], after[1:][left_out[1:]])


def test_expected_error_is_that_of_sampled_correlated_errors(generator):
    v, c, k = 2.0, 0.5, 4
    errors = generator.multivariate_normal(np.zeros(k), np.full((k, k), c) + (v - c) * np.eye(k), 40_000)
    squares = errors.mean(axis=1) ** 2
    standard_error = squares.std() / 200
    assert abs(float(expected_squared_error(v, c, k)) - squares.mean()) < 4.5 * standard_error


def test_error_of_the_average_is_the_mean_error_less_the_disagreement(generator):
    average, mean, disagreement = ensemble_squared_errors(generator.normal(size=(6, 20)), generator.normal(size=20))
    assert np.allclose(average, mean - disagreement)
    assert np.all(np.asarray(average) <= np.asarray(mean))


@pytest.mark.parametrize("given", [(1.0, 1.5, 3), (1.0, -0.6, 3), (-1.0, 0.0, 2)])
def test_covariances_that_no_errors_have_are_refused(given):
    with pytest.raises(ValueError, match="Received: variance="):
        expected_squared_error(*given)


def test_labels_of_every_form_are_compared_with_answers_of_every_form():
    assert mistakes([0, 2], np.array([[2.0, 1.0, 0.0], [5.0, 1.0, 0.0]])).numpy().tolist() == [0.0, 1.0]
    assert mistakes([[-1.0], [1.0]], np.array([0.5, 0.5])).numpy().tolist() == [1.0, 0.0]
    assert mistakes([0, 1], np.array([[-0.5], [0.5]])).numpy().tolist() == [0.0, 0.0]
    assert mistakes([0, 1], np.array([[[-0.5], [0.5]], [[0.5], [0.5]]])).numpy().tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_added_member_says_nothing_about_the_new_weights(generator, classes):
    weights, wrong = generator.random(12), np.arange(12) < 4
    alpha = member_weight(weighted_error(weights, wrong), classes)
    new = reweighted(weights, wrong, alpha)
    assert np.isclose(float(ops.sum(new)), 1)
    assert np.isclose(float(weighted_error(new, wrong)), 1 - 1 / classes)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_a_member_no_better_than_chance_has_no_say(classes):
    chance = 1 - 1 / classes
    assert float(member_weight(chance, classes)) == pytest.approx(0, abs=1e-6)
    assert float(member_weight(0.99, classes)) == 0
    assert float(member_weight(chance - 0.01, classes)) > 0


def test_bound_of_two_classes_is_the_product_of_two_roots(generator):
    errors = generator.uniform(0.05, 0.45, 6)
    bound = training_error_bound(errors, member_weight(errors))
    assert np.allclose(bound, np.cumprod(2 * np.sqrt(errors * (1 - errors))))
    turned_round = training_error_bound(errors, -np.asarray(member_weight(errors)))
    assert np.all(np.asarray(turned_round) > np.asarray(bound))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: member_weight(0.2, 1), "at least 2 classes"),
        (lambda: member_weight(0.2, 2, 0.0), "learning_rate > 0"),
        (lambda: member_weight(1.2), r"errors in \[0, 1\]"),
        (lambda: ensemble_output(np.ones((1, 1, 1)), "product"), "combination='product'"),
        (lambda: bootstrap_counts(np.ones(3) / 2), "rank 2"),
        (lambda: best_stump(np.ones(3), np.ones((3, 2))), "rank 2"),
    ],
)
def test_what_makes_no_ensemble_is_refused_with_what_came(call, words):
    with pytest.raises(ValueError, match=f"{words}.*Received|Received.*{words}"):
        call()


@pytest.mark.parametrize("classes", [2, 4])
def test_best_question_is_that_of_a_tree_of_depth_one(generator, classes):
    for _ in range(10):
        x = generator.normal(size=(25, 3)).astype("float32")
        y, weights = generator.integers(0, classes, 25), generator.random(25)
        y[:classes] = range(classes)
        tree = DecisionTreeClassifier(max_depth=1).fit(x, y, weights).tree_
        j, threshold, sides = best_stump(x.astype("float64"), np.eye(classes)[y] * weights[:, None])
        assert (int(j), float(threshold)) == (tree.feature[0], pytest.approx(tree.threshold[0]))
        shares = np.asarray(sides) / np.sum(sides, axis=1, keepdims=True)
        assert np.allclose(shares, tree.value[1:, 0] / tree.value[1:, 0].sum(axis=1, keepdims=True))


def test_equal_examples_leave_nothing_to_ask():
    j, threshold, sides = best_stump(np.ones((3, 2)), [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert (int(j), float(threshold)) == (0, 0.0)
    assert np.array_equal(sides, [[1, 2], [1, 2]])


def test_an_example_of_weight_zero_is_not_there(generator):
    x, y = generator.normal(size=(12, 3)), generator.integers(0, 2, 12)
    weights = np.eye(2)[y] * (np.arange(12) % 3 > 0)[:, None]
    there = weights.sum(axis=1) > 0
    for came, wanted in zip(best_stump(x, weights), best_stump(x[there], weights[there]), strict=True):
        assert np.allclose(came, wanted)


def test_values_that_are_equal_are_never_separated():
    x = np.array([[1.0], [1.0], [2.0], [2.0]])
    _, threshold, sides = best_stump(x, np.eye(2)[[0, 1, 1, 1]])
    assert float(threshold) == 1.5 and np.array_equal(sides, [[1, 1], [0, 2]])
