"""The walk over similar digits settles where and as fast as theory says, and where it cannot settle it does not."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.experiments import neighbour_walk


@pytest.fixture(scope="module")
def table():
    return neighbour_walk.run(neighbour_walk.Config.tiny())


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


def test_settings_that_cannot_be_are_refused_with_what_came():
    with pytest.raises(ValueError, match=r"neighbours=\(0,\)"):
        neighbour_walk.Config(neighbours=(0,))
    with pytest.raises(ValueError, match="images=5000"):
        neighbour_walk.run(neighbour_walk.Config(images=5000))
