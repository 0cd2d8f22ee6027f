"""Parity of sequences of any length: what is asked, and which nets can answer."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.experiments.parity import Config, parity_task, run


def test_targets_count_the_ones_of_each_sequence_and_nothing_behind_its_end():
    x, y = parity_task([1, 2, 5, 5, 3], 5, seed=4)
    assert x.shape == (5, 5, 1)
    assert [int((row != 0).sum()) for row in x] == [1, 2, 5, 5, 3]
    assert set(np.unique(x)) <= {-1.0, 0.0, 1.0}
    for row, target in zip(x[..., 0], y, strict=True):
        bits = row[row != 0]
        assert np.all(row[: len(bits)] != 0)  # zeros behind the end alone
        assert target == (np.prod(-bits) < 0)  # an odd number of +1 turns the sign of the product of the -bits


def test_both_answers_are_equally_likely_at_every_length():
    for length in (1, 2, 7):
        _, y = parity_task([length] * 4000, 8, seed=length)
        assert abs(y.mean() - 0.5) < 5 * 0.5 / np.sqrt(4000)


def test_a_tiny_run_repeats_exactly_and_draws_its_figure():
    table = run(Config.tiny())
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert set(table["length"]) == {1, 2, 3, 4, 5, 6}
    assert len(table.headline) == 10 and np.all(np.isfinite(list(table.headline.values())))


def test_a_gated_net_answers_for_lengths_it_never_saw_and_a_window_guesses():
    config = Config(longest_taught=5, longest_asked=20, units=8, rows=40, steps=700, asked=200, learning_rate=0.02)
    headline = run(config).headline
    assert headline["lstm: accuracy on longer ones"] > 0.95
    assert headline["feed-forward: accuracy on taught lengths"] > 0.95
    for net in ("feed-forward", "linear"):
        assert abs(headline[f"{net}: accuracy on longer ones"] - 0.5) < 0.1
    assert headline["linear: accuracy on taught lengths"] < 0.8


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="longest_taught=5, longest_asked=5"):
        Config(longest_taught=5, longest_asked=5)
    with pytest.raises(ValueError, match="learning_rate=0"):
        Config(learning_rate=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().units = 3
    with pytest.raises(ValueError, match="lengths from 1 to 3. Received: 2 to 4"):
        parity_task([2, 4], 3, seed=0)
