"""The error that reaches earlier steps, cell by cell, and what clipping does to a net that explodes."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from matplotlib.figure import Figure

from keras_course.experiments.gradient_over_time import Config, error_at_each_step, recall_task, run
from keras_course.layers import LSTM, RNN


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert np.all(np.isfinite(list(table.headline.values())))


def test_every_cell_has_an_error_a_step_and_a_loss_a_training_step(table):
    config = Config.tiny()
    for cell in ("rnn", "lstm", "gru"):
        for part, count in (("fresh", config.lag + 1), ("trained", config.lag + 1), ("training", config.steps)):
            assert len(table.where(part=part, cell=cell)) == count
        losses = table.where(part="training", cell=cell)["value"]
        assert losses[-1] < losses[0]


def test_training_brings_more_of_the_error_of_a_gated_cell_to_the_first_step(table):
    for cell in ("lstm", "gru"):
        share = {part: table.headline[f"error at the first step over that at the last, {part} {cell}"]
                 for part in ("fresh", "trained")}  # fmt: skip
        assert share["trained"] > 10 * share["fresh"]


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_error_of_a_linear_net_is_a_power_of_its_matrix(factor):
    layer = RNN(3, activation="linear", recurrent_initializer=keras.initializers.Orthogonal(factor, seed=1))
    layer.build((None, 9, 2))
    error = np.asarray(error_at_each_step(layer, ops.zeros((2, 9, 2)), ops.ones((3,))))
    np.testing.assert_allclose(error, np.sqrt(3) * factor ** np.arange(8, -1, -1.0), rtol=1e-5)


def test_an_open_forget_gate_keeps_the_error_of_the_cell_from_step_to_step():
    layer = LSTM(2, kernel_initializer="zeros", recurrent_initializer="zeros")
    layer.build((None, 9, 2))
    layer.cell.bias.assign([50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 0.0, 0.0])  # i, f, o open
    error = np.asarray(error_at_each_step(layer, ops.zeros((1, 9, 2)), ops.ones((2,))))
    np.testing.assert_allclose(error, error[-1], rtol=1e-5)


def test_the_task_is_balanced_and_its_answer_stands_in_the_first_step_alone():
    x, y = recall_task(8, 5, seed=1)
    assert np.mean(y) == 0.5
    np.testing.assert_array_equal(x[:, 0, 0] > 0, y)
    np.testing.assert_array_equal(x[:, 1:, 1], 0)


def test_a_config_is_frozen_and_its_fields_are_checked():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().lag = 1
    with pytest.raises(ValueError, match="radius=-1"):
        Config(radius=-1)
    with pytest.raises(ValueError, match="lag=0"):
        Config(lag=0)


def test_clipping_rescues_the_net_whose_gradients_explode():
    config = Config(lag=30, units=16, rows=32, steps=120)
    table = run(config)
    free, clipped = table.where(part="free")["value"], table.where(part="clipped")["value"]
    assert free[0] == clipped[0]  # the same net before the first step
    for part in ("free", "clipped"):
        assert table.headline[f"largest norm of a gradient, {part}"] > 50 * config.threshold  # both meet a cliff
    assert np.mean(clipped[-12:]) < 0.02 < 0.2 < np.mean(free[-12:])  # a coin toss has log 2 = 0.69
    assert len(table.figure().axes[2].lines) == 2
