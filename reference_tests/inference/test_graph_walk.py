"""A walk along links settles in proportion to the links, at the rate of the second eigenvalue, or not at all."""

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.inference.mcmc.graph_walk import neighbour_links, second_modulus, walk_on


def random_links(seed, points=7):
    """A connected weighted graph."""
    rng = np.random.default_rng(seed)
    links = np.triu(rng.random((points, points)) * (rng.random((points, points)) < 0.5), 1)
    links[np.arange(points - 1), np.arange(1, points)] += 0.1
    return links + links.T


@pytest.mark.parametrize("seed", range(4))
def test_the_stationary_distribution_is_each_points_share_of_the_links(seed):
    links = random_links(seed)
    for rest in (0.0, 0.4):
        np.testing.assert_allclose(
            walk_on(links, rest).stationary_distribution(), links.sum(1) / links.sum(), atol=1e-15
        )


@pytest.mark.parametrize(
    ("links", "settles"),
    [
        ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], True),
        ([[0, 1, 0], [1, 0, 1], [0, 1, 0]], False),  # two camps
        ([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], False),  # two pieces
        ([[1, 0], [0, 1]], False),
    ],
)
def test_the_second_modulus_is_one_exactly_where_the_walk_does_not_settle(links, settles):
    assert walk_on(links).converges == settles
    assert (second_modulus(links) < 1 - 1e-9) == settles


@pytest.mark.parametrize("rest", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_second_modulus_is_that_of_the_transition_matrix_itself(seed, rest):
    links = random_links(seed)
    moduli = np.sort(np.abs(np.linalg.eigvals(walk_on(links, rest).transition.numpy())))
    assert abs(second_modulus(links, rest) - moduli[-2]) < 1e-12
    assert abs(moduli[-1] - 1.0) < 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_distance_never_exceeds_its_bound(seed):
    links = random_links(seed)
    chain, share = walk_on(links), links.sum(1) / links.sum()
    curve = chain.total_variation(np.eye(len(links)), 60).numpy()  # (61, N), one start each
    bound = 0.5 * np.sqrt(1 / share - 1) * second_modulus(links) ** np.arange(61)[:, None]
    assert np.all(curve <= bound + 1e-13)


def test_links_are_the_nearest_points_either_way_round():
    points = np.random.default_rng(3).normal(size=(40, 5))
    links = neighbour_links(points, 4)
    far = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.diag(np.full(40, np.inf))
    near = far <= np.sort(far, 1)[:, 3:4]
    np.testing.assert_array_equal(links, near | near.T)
    assert links.sum(1).min() >= 4 and not links.diagonal().any()


def test_only_allowed_pairs_are_linked_and_few_partners_are_all_taken():
    points, group = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    links = neighbour_links(points, 5, group[:, None] == group)
    np.testing.assert_array_equal(links, (group[:, None] == group) & ~np.eye(6, dtype=bool))


def test_wrong_points_links_and_rests_are_refused_with_what_came():
    with pytest.raises(InvalidDataError, match=r"none at point 2"):
        neighbour_links(np.arange(3.0)[:, None], 1, np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    with pytest.raises(InvalidDataError, match=r"shape=\(3,\)"):
        neighbour_links(np.arange(3.0), 1)
    with pytest.raises(InvalidDataError, match="symmetric"):
        walk_on([[0, 1], [2, 0]])
    with pytest.raises(InvalidDataError, match="smallest sum 0"):
        second_modulus([[0, 0], [0, 1]])
    with pytest.raises(ValueError, match="rest=1.0"):
        walk_on([[0, 1], [1, 0]], rest=1.0)
    with pytest.raises(ValueError, match="rest=-0.1"):
        second_modulus([[0, 1], [1, 0]], rest=-0.1)
