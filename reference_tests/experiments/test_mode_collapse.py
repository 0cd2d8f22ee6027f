"""Mode collapse: heaps are counted rightly, a short game repeats, and a hurried generator is in one place."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.experiments.mode_collapse import GAMES, Config, heaps_covered, ring_of_heaps, run


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert len(table) == 2 * len(Config.tiny().games) and np.all(np.isfinite(list(table.headline.values())))


def test_the_data_cover_every_heap_and_a_heap_covers_one():
    ring = ring_of_heaps(4000, seed=3)
    covered, share = heaps_covered(ring)
    assert covered == 8 and share == pytest.approx(1 - np.exp(-4.5), abs=0.005)  # P(|e| <= 3) in the plane
    angles = np.round(np.arctan2(ring[:, 1], ring[:, 0]) / (np.pi / 4)).astype(int) % 8
    assert np.bincount(angles).min() > 400
    assert heaps_covered(ring[angles == 2])[0] == 1
    assert heaps_covered(np.zeros((10, 2))) == (0, 0.0)


def test_a_few_stray_samples_are_no_heap():
    one = np.tile([[2.0, 0.0]], (100, 1))
    for strays, wanted in ((3, 1), (4, 2)):
        assert heaps_covered(np.r_[one[strays:], np.tile([[-2.0, 0.0]], (strays, 1))])[0] == wanted


def test_every_game_is_one_of_the_two_models_with_arguments_it_takes():
    for kind, arguments, _, _ in GAMES.values():
        model = kind(2, latent=2, generator=(2,), discriminator=(2,), **arguments)
        assert model.get_config().items() >= arguments.items()


def test_fields_are_checked():
    for how in (
        {"heaps": 0},
        {"spread": 0.0},
        {"seeds": ()},
        {"steps": 10, "every": 3},
        {"radius": float("inf")},
        {"games": ("chess",)},
    ):
        with pytest.raises(ValueError, match=next(iter(how))):
            Config(**how)
