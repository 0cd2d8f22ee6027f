"""The walk over similar digits settles where and as fast as theory says, and where it cannot settle it does not."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.core.errors import InvalidDataError
from keras_course.experiments import neighbour_walk
from keras_course.experiments.neighbour_walk import neighbour_links, second_modulus, walk_on


@pytest.fixture(scope="module")
def table():
    return neighbour_walk.run(neighbour_walk.Config.tiny())


def random_links(seed, points=7):
    """A connected weighted graph."""
    rng = np.random.default_rng(seed)
    links = np.triu(rng.random((points, points)) * (rng.random((points, points)) < 0.5), 1)
    links[np.arange(points - 1), np.arange(1, points)] += 0.1
    return links + links.T


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert neighbour_walk.run(neighbour_walk.Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure) and table.name == "markov-chain"


def test_the_measured_rate_is_the_second_modulus_of_every_chain(table):
    np.testing.assert_allclose(table["rate"], table["modulus"], rtol=1e-3)
    settled = table["converges"]
    assert np.all(table["modulus"][settled] < 0.99) and np.all(table["modulus"][~settled] > 1 - 1e-12)


def test_the_stationary_share_of_a_picture_is_its_share_of_links(table):
    unique = table["closed_classes"] == 1
    assert np.all(table["degree_error"][unique] < 1e-15) and np.all(np.isnan(table["degree_error"][~unique]))


def test_a_walk_between_two_camps_goes_round_for_ever_unless_it_rests(table):
    """The correction of the notes: repeating the update converges only without a period and a second closed class."""
    round_trip, lazy = (table.where(chain=name) for name in ("other camp", "other camp, lazy"))
    assert round_trip["period"][0] == 2 and abs(round_trip["distance"][0] - 0.5) < 1e-12
    assert lazy["period"][0] == 1 and lazy["distance"][0] < 1e-9
    assert abs(lazy["modulus"][0] - 1.0) > 0.05


def test_a_walk_among_pictures_of_one_digit_never_leaves_it(table):
    row = table.where(chain="own digit")
    assert row["closed_classes"][0] >= 10 and not row["converges"][0]
    assert row["distance"][0] > 0.8 and row["visits"][0] > 0.8


def test_time_averages_follow_the_links_even_where_the_distribution_does_not_settle(table):
    """Walkers between two camps alternate for ever, and still spend their time in proportion to the links."""
    assert np.all(table["visits"][table["closed_classes"] == 1] < 0.15)


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


def test_wrong_points_links_and_settings_are_refused_with_what_came():
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
    with pytest.raises(ValueError, match=r"neighbours=\(0,\)"):
        neighbour_walk.Config(neighbours=(0,))
    with pytest.raises(ValueError, match="images=5000"):
        neighbour_walk.run(neighbour_walk.Config(images=5000))
