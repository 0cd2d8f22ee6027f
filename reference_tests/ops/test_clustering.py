"""Lloyd's half-steps and k-means++: their laws, on enumerable cases."""

import keras
import numpy as np
import pytest

from keras_course.ops.clustering import (
    cluster_cost,
    k_means_plus_plus,
    lloyd_step,
    mean_of_clusters,
    nearest_centre,
    one_hot_of_nearest,
    seeding_probabilities,
    squared_distances,
)


@pytest.fixture
def cloud():
    return np.random.default_rng(3).normal(size=(200, 4)), np.random.default_rng(4).normal(size=(5, 4))


def test_distances_are_those_of_the_differences(cloud):
    x, centres = cloud
    direct = ((x[:, None] - centres) ** 2).sum(-1)
    assert np.allclose(squared_distances(x, centres), direct, rtol=1e-12)


def test_distances_keep_their_digits_far_from_the_origin(cloud):
    x, centres = (values.astype("float32") + np.float32(4096) for values in cloud)
    direct = ((x[:, None].astype("float64") - centres) ** 2).sum(-1)
    assert np.allclose(squared_distances(x, centres), direct, atol=1e-5 * direct.max())


def test_the_first_of_equal_centres_takes_the_point():
    assert nearest_centre([[0.0]], [[1.0], [-1.0], [1.0]]).numpy().tolist() == [0]
    assert one_hot_of_nearest([[0.0]], [[1.0], [1.0]]).numpy().tolist() == [[1.0, 0.0]]


def test_neither_half_step_raises_the_cost(cloud):
    x, centres = cloud
    last = np.inf
    for _ in range(12):
        moved, r = lloyd_step(x, centres)
        assigned, updated = float(cluster_cost(x, centres, r)), float(cluster_cost(x, moved, r))
        assert updated <= assigned * (1 + 1e-12) and assigned <= last * (1 + 1e-12)
        centres, last = moved, updated


def test_an_empty_cluster_keeps_its_centre():
    kept = mean_of_clusters(np.zeros((1, 2)), np.zeros(1), np.array([[3.0, 4.0]]))
    assert kept.numpy().tolist() == [[3.0, 4.0]]
    moved, _ = lloyd_step(np.array([[0.0], [1.0]]), np.array([[0.0], [50.0]]))
    assert moved.numpy().tolist() == [[0.5], [50.0]]


def test_seeding_odds_are_the_squared_distances_over_their_sum(cloud):
    x, centres = cloud
    least = ((x[:, None] - centres) ** 2).sum(-1).min(1)
    assert np.allclose(seeding_probabilities(x, centres), least / least.sum())


def test_seeding_odds_are_equal_when_every_point_is_a_centre():
    assert seeding_probabilities([[1.0], [2.0]], [[2.0], [1.0]]).numpy().tolist() == [0.5, 0.5]


def test_seeding_draws_as_often_as_the_odds_say():
    x = np.array([[0.0], [1.0], [3.0]])
    grid = (np.arange(2000) + 0.5) / 2000
    second = [int(k_means_plus_plus(x, np.array([0.1, u]))[1][1]) for u in grid[::20]]
    assert np.allclose(np.bincount(second, minlength=3) / len(second), [0.0, 0.1, 0.9], atol=0.011)


def test_seeding_never_takes_a_point_twice_while_others_are_apart(cloud):
    x, _ = cloud
    rows = k_means_plus_plus(x.astype("float32"), np.random.default_rng(0).random(40))[1].numpy()
    assert len(set(rows.tolist())) == 40


def test_integers_are_taken_as_numbers_and_float64_stays(cloud):
    assert keras.backend.standardize_dtype(squared_distances([[1, 2]], [[0, 0]]).dtype) == "float32"
    assert keras.backend.standardize_dtype(lloyd_step(*cloud)[0].dtype) == "float64"


@pytest.mark.parametrize("function", [squared_distances, nearest_centre, lloyd_step, seeding_probabilities])
def test_other_numbers_of_features_are_refused_with_the_shape_that_came(function):
    with pytest.raises(ValueError, match=r"features.*Received: shape=\(2, 3\)"):
        function(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="rank 2"):
        function(np.zeros(3), np.zeros((2, 3)))
