"""Mini-batch against full batch: what the walks show is what the recursion says, and the floor is its fixed point."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from keras_course.datasets import load
from keras_course.experiments.noisy_descent import descend_on_batches, expected_excess, stationary_excess
from keras_course.experiments.sgd_against_gd import Config, costs_to_reach, run


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(5, 2)) * [1.0, 0.5]
    return x, x @ [1.0, -2.0] + rng.normal(size=5)


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert table.headline and np.all(np.isfinite(list(table.headline.values())))


def test_the_walks_scatter_around_the_exact_mean(table):
    noisy = table["schedule"] != "full batch"
    noisy &= table["cost"] > 0
    scores = (table["excess"] - table["expected"])[noisy] / table["deviation"][noisy]
    assert abs(scores.mean()) < 1.0 and 0.5 < scores.std() < 2.0
    walk = table.where(batch_size=10, schedule="decaying")
    np.testing.assert_allclose(walk["excess"], walk["expected"], rtol=1.0)


def test_every_fewer_examples_reach_a_coarse_target_at_less_cost(table):
    costs = costs_to_reach(table, 0.2)
    full = max(costs)
    assert costs[full] > 100 * costs[10] and costs[full] > 100 * costs[1]


def test_a_constant_rate_stays_at_its_floor_and_a_decaying_one_goes_below(table):
    for size in (1, 10):
        constant, decaying = (table.where(batch_size=size, schedule=name) for name in ("constant", "decaying"))
        floor = constant["floor"][0]
        assert constant["expected"][-1] == pytest.approx(floor, rel=0.1)
        late = constant["excess"][constant["cost"] > constant["cost"][-1] / 3]
        assert late.mean() == pytest.approx(floor, rel=0.4)
        assert decaying["excess"][-1] < floor / 3


def test_the_full_batch_has_no_floor(table):
    assert np.all(np.diff(table.where(schedule="full batch")["excess"]) < 0)


def test_the_error_of_a_gradient_falls_with_the_root_of_the_examples(table):
    one, ten = (table.where(batch_size=size) for size in (1, 10))
    assert one["predicted_error"][0] / ten["predicted_error"][0] == pytest.approx(10**0.5)
    for rows in (one, ten):
        assert rows["gradient_error"][0] == pytest.approx(rows["predicted_error"][0], rel=0.1)


def test_the_expected_excess_is_the_mean_over_every_walk(problem):
    x, y = problem
    start, rates = np.array([0.5, 0.5]), np.array([0.3, 0.2, 0.1])
    least = np.mean((x @ np.linalg.lstsq(x, y, rcond=None)[0] - y) ** 2) / 2
    walks = np.array(list(itertools.product(range(5), repeat=3)))  # (125, 3) of one example a step
    loss = descend_on_batches(x, y, start, walks.T[:, :, None], rates[:, None])
    np.testing.assert_allclose(expected_excess(x, y, start, 1, rates), np.mean(loss, (1, 2)) - least, atol=1e-13)


def test_the_floor_is_where_the_recursion_ends(problem):
    x, y = problem
    for size, rate in ((1, 0.2), (4, 0.5)):
        end = tf.function(expected_excess, jit_compile=True)(x, y, np.zeros(2), size, np.full(1000, rate))[-1]
        assert float(stationary_excess(x, y, size, rate)) == pytest.approx(float(end), rel=1e-9)


def test_the_floor_of_small_rates_is_the_rate_times_the_noise_over_four_batches(problem):
    x, y = problem
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    noise = np.mean(residual**2 * (x**2).sum(1))  # tr C
    for size in (1, 8):
        ratios = [float(stationary_excess(x, y, size, rate)) / (rate * noise / (4 * size)) for rate in (1e-2, 1e-4)]
        assert abs(ratios[1] - 1) < 1e-3 and abs(ratios[1] - 1) < abs(ratios[0] - 1) / 20


def test_the_floor_is_infinite_where_second_moments_grow(problem):
    x, y = problem
    rates = np.linspace(0.05, 1.5, 12)
    steps = [[np.eye(2) - rate * np.outer(row, row) for row in x] for rate in rates]
    radii = [np.abs(np.linalg.eigvals(np.mean([np.kron(a, a) for a in each], 0))).max() for each in steps]
    floors = np.array([float(stationary_excess(x, y, 1, rate)) for rate in rates])
    assert np.isinf(floors).any() and np.isfinite(floors).any()
    np.testing.assert_array_equal(np.isinf(floors), np.array(radii) > 1)


def test_a_full_batch_walk_is_gradient_descent():
    train = load("diabetes", seed=0).train
    x, y = np.asarray(train.x[:40], float), np.asarray(train.y[:40, 0], float)
    w, losses = np.zeros(10), []
    for _ in range(6):
        losses.append(np.mean((x @ w - y) ** 2) / 2)
        w -= 0.1 * x.T @ (x @ w - y) / 40
    found = descend_on_batches(x, y, np.zeros(10), np.tile(np.arange(40), (5, 1, 1)), np.full((5, 1), 0.1))
    np.testing.assert_allclose(found[:, 0, 0], losses, rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_sizes": ()}, r"batch_sizes=\(\)"),
        ({"batch_sizes": (0,)}, "batch_sizes=0"),
        ({"shares": (1.5,)}, r"shares=\(1.5,\)"),
        ({"decay_epochs": 0.0}, "decay_epochs=0.0"),
        ({"decay_power": 0.5}, "decay_power=0.5"),
        ({"epochs": 0}, "epochs=0"),
        ({"full_epochs": -1}, "full_epochs=-1"),
        ({"walks": True}, "walks=True"),
        ({"targets": (0.0,)}, r"targets=\(0.0,\)"),
    ],
)
def test_a_bad_setting_is_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        Config(**arguments)


def test_a_classification_set_and_batches_of_all_or_none_are_refused():
    with pytest.raises(ValueError, match="dataset='iris'"):
        run(Config(dataset="iris"))
    with pytest.raises(ValueError, match=r"full batch, 310.*batch_sizes=\(310,\)"):
        run(Config(batch_sizes=(310,)))
    with pytest.raises(ValueError, match="batch_size=0"):
        expected_excess([[1.0]], [1.0], [0.0], 0, [0.1])
    with pytest.raises(ValueError, match="batch_size=0"):
        stationary_excess([[1.0]], [1.0], 0, 0.1)
