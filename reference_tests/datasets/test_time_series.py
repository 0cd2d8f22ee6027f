"""NARMA-10 follows its rule from its own inputs, Mackey-Glass its equation; spikes come at their rates."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from keras_course.datasets import load, mackey_glass_series, narma10_series, poisson_spikes


def test_narma_follows_its_rule_and_repeats():
    u, y = narma10_series(3, 400, seed=5)
    assert u.min() >= 0 and u.max() <= 0.5
    told = np.concatenate([np.zeros((3, 10)), y], axis=1)  # told[:, 10 + t] is y_{t+1}, told[:, 9 + t] is y_t
    for t in (0, 3, 9, 57, 399):
        now = told[:, 9 + t]
        far = u[:, t - 9] if t >= 9 else 0.0
        wanted = 0.3 * now + 0.05 * now * told[:, t : t + 10].sum(axis=1) + 1.5 * far * u[:, t] + 0.1
        np.testing.assert_allclose(y[:, t], wanted, rtol=1e-12)
    again, longer, other = (narma10_series(count, 400, seed=seed) for count, seed in ((3, 5), (5, 5), (3, 6)))
    np.testing.assert_array_equal(again[1], y)
    np.testing.assert_array_equal(longer[1][:3], y)
    assert (other[0] != u).any()


def test_mackey_glass_solves_its_equation():
    """By the method of steps with another integrator: on each interval of length tau the past is known."""
    series = mackey_glass_series(1, 81, seed=2, transient=0)[0]
    tau, past = 17.0, lambda t: series[0]
    found, start = [series[0]], series[0]
    for interval in range(5):
        first = interval * tau

        def slope(t, x, past=past):
            delayed = past(t - tau)
            return 0.2 * delayed / (1 + delayed**10) - 0.1 * x

        times = np.arange(np.floor(first) + 1, first + tau + 1e-9)
        solved = solve_ivp(slope, (first, first + tau), [start], rtol=1e-10, atol=1e-12, dense_output=True)
        found += list(solved.sol(times)[0])
        start = solved.y[0, -1]
        pieces = getattr(past, "pieces", []) + [(first, first + tau, solved.sol)]

        def past(t, pieces=pieces, constant=series[0]):
            for low, high, solution in pieces:
                if low <= t <= high:
                    return solution(t)[0]
            return constant

        past.pieces = pieces
    np.testing.assert_allclose(series, found[:81], atol=2e-5)


def test_both_tasks_load_as_sequences_with_a_target_a_step():
    for name in ("narma-10", "mackey-glass"):
        data = load(name, seed=1)
        assert data.train.x.shape == (14, 600, 1) and data.test.y.shape == (4, 600)
        assert data.spec.targets == 600 and data.spec.shape == (600, 1)
    whole = np.concatenate([getattr(data, part).x for part in ("train", "validation", "test")])
    ahead = np.concatenate([getattr(data, part).y for part in ("train", "validation", "test")])
    np.testing.assert_array_equal(whole[:, 84:, 0], ahead[:, :-84])


def test_spikes_come_at_their_rates_and_a_row_does_not_depend_on_the_others():
    rates = np.array([[[0.0, 0.1, 2.0]]] * 400)
    spikes = poisson_spikes(rates, 25, seed=3)
    assert spikes.shape == (400, 25, 3) and set(np.unique(spikes)) == {0.0, 1.0}
    np.testing.assert_allclose(spikes.mean((0, 1)), 1 - np.exp(-rates[0, 0]), atol=0.02)
    np.testing.assert_array_equal(poisson_spikes(rates[:7], 25, seed=3), spikes[:7])
    assert (poisson_spikes(rates, 25, seed=4) != spikes).any()
    held = poisson_spikes([[[0.0], [60.0]]], 2, seed=0)
    assert held.ravel().tolist() == [0, 0, 1, 1]


def test_bad_sizes_and_rates_are_refused():
    for call, words in (
        (lambda: narma10_series(0, 5), "count=0"),
        (lambda: mackey_glass_series(1, 5, tau=0.55), "tau=0.55"),
        (lambda: mackey_glass_series(1, 5, transient=-1), "transient=-1"),
        (lambda: poisson_spikes([[[-1.0]]], seed=0), "least -1.0"),
        (lambda: poisson_spikes([[1.0]], seed=0), r"shape=\(1, 1\)"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
