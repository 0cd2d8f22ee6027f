"""Clusterability: leave-one-out accuracy of one nearest neighbour, and what leaves it alone."""

import numpy as np
import pytest

from keras_course.ops.clusterability import nearest_neighbour_clusterability, nearest_other

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = RNG.integers(0, 3, 40)


def test_it_is_the_leave_one_out_accuracy_of_scikit_learns_nearest_neighbour():
    model_selection = pytest.importorskip("sklearn.model_selection", reason="scikit-learn is the peer")
    neighbours = pytest.importorskip("sklearn.neighbors", reason="scikit-learn is the peer")
    hits = model_selection.cross_val_score(neighbours.KNeighborsClassifier(1), X, Y, cv=model_selection.LeaveOneOut())
    assert float(nearest_neighbour_clusterability(X, Y)) == pytest.approx(hits.mean(), abs=1e-12)


def test_moving_rotating_and_scaling_all_features_changes_no_neighbour():
    rotation = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    assert np.array_equal(nearest_other(X), nearest_other(7.0 * X @ rotation + 2.0))


def test_separate_clusters_score_one_and_twins_of_other_classes_zero():
    apart = np.repeat([[0.0], [10.0]], 5, axis=0) + np.arange(10)[:, None] / 100
    assert float(nearest_neighbour_clusterability(apart, np.repeat([0, 1], 5))) == 1.0
    twins = np.repeat(np.arange(5.0)[:, None], 2, axis=0)
    assert float(nearest_neighbour_clusterability(twins, np.tile([0, 1], 5))) == 0.0


def test_no_row_is_its_own_neighbour_and_one_row_has_none():
    assert not np.any(np.asarray(nearest_other(np.zeros((4, 2)))) == np.arange(4))
    with pytest.raises(ValueError, match=r"two rows or more. Received: shape=\(1, 2\)"):
        nearest_other(np.zeros((1, 2)))
