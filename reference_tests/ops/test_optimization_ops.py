"""The update formulas as pure functions: against NumPy in float64, at their edges, in the dtype they are given."""

import keras
import numpy as np
import pytest

from keras_course.ops import (
    adagrad_step,
    adam_step,
    average_gradient,
    averaged_momentum_step,
    clip_by_global_norm,
    clip_by_norm,
    clip_parameters,
    conjugacy_coefficient,
    conjugate_direction,
    delta_bar_delta_gain,
    exponential_decay,
    gradient_step,
    linear_decay,
    momentum_step,
    past_gradient_weights,
    polynomial_decay,
    rmsprop_step,
    standard_error,
    terminal_speed,
    windowed_adagrad_step,
)

DRAWS = np.random.Generator(np.random.Philox(6))
G, STATE = DRAWS.normal(size=(3, 4)), DRAWS.uniform(0.1, 2.0, size=(3, 4))


def numpy_of(value):
    return keras.ops.convert_to_numpy(value)


def same(came, wanted):
    came = numpy_of(came)
    return came.dtype == "float64" and np.allclose(came, wanted, rtol=1e-13, atol=1e-15)


def test_steps_with_one_rate_equal_numpy():
    assert same(gradient_step(G, 0.1), -0.1 * G)
    assert same(momentum_step(STATE, G, 0.1, 0.9), 0.9 * STATE - 0.1 * G)
    average, step = averaged_momentum_step(STATE, G, 0.1, 0.3, 0.25)
    assert same(average, 0.75 * STATE + 0.25 * G)
    assert same(step, -0.1 * G - 0.3 * (0.75 * STATE + 0.25 * G))


def test_steps_with_adaptive_rates_equal_numpy():
    total = STATE + G**2
    for form, scale in (
        ("outside-root", 0.01 + np.sqrt(total)), ("inside-root", np.sqrt(0.01 + total)), ("no-root", 0.01 + total),
    ):  # fmt: skip
        accumulated, step = adagrad_step(STATE, G, 0.1, 0.01, form)
        assert same(accumulated, total) and same(step, -0.1 * G / scale)
    average, step = rmsprop_step(STATE, G, 0.1, 0.9, 0.01)
    assert same(average, 0.9 * STATE + 0.1 * G**2)
    assert same(step, -0.1 * G / np.sqrt(0.01 + 0.9 * STATE + 0.1 * G**2))
    first, second, step = adam_step(G / 2, STATE, G, 3, 0.1, (0.9, 0.99), 0.01)
    s, r = 0.45 * G + 0.1 * G, 0.99 * STATE + 0.01 * G**2
    assert same(first, s) and same(second, r)
    assert same(step, -0.1 * (s / (1 - 0.9**3)) / (0.01 + np.sqrt(r / (1 - 0.99**3))))


def test_adam_without_memory_is_the_sign_of_the_gradient():
    _, _, step = adam_step(np.zeros(3), np.zeros(3), np.array([2.0, -3.0, 1e-6]), 1, 1.0, (0.0, 0.0), 1e-30)
    assert numpy_of(step) == pytest.approx([-1.0, 1.0, -1.0])


def test_the_window_replaces_the_oldest_square_and_no_other():
    window = np.stack([STATE, 2 * STATE, 3 * STATE])
    new, step = windowed_adagrad_step(window, G, 0.1, 0.01, place=1)
    assert same(keras.ops.stack(new), np.stack([STATE, G**2, 3 * STATE]))
    assert same(step, -0.1 * G / np.sqrt(0.01 + 4 * STATE + G**2))


def test_gains_follow_the_three_cases_of_the_sign():
    d, g = np.array([1.0, 1.0, 0.0]), np.array([2.0, -2.0, 2.0])
    assert numpy_of(delta_bar_delta_gain(np.ones(3), d, g, 0.5, 0.1)).tolist() == [1.5, 0.9, 1.0]
    assert numpy_of(average_gradient(d, g, 0.25)) == pytest.approx([1.25, 0.25, 0.5])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_smallest_partial_derivatives_count_in_full_and_large_gains_too(dtype):
    tiny = {"float16": 6.2e-5}.get(dtype, 1.2e-38)  # the least normal numbers: their product is 0
    start, d = keras.ops.cast([1.0, 1.0, 4096.0], dtype), keras.ops.cast([tiny, -tiny, tiny], dtype)
    gain = delta_bar_delta_gain(start, d, keras.ops.abs(d) * keras.ops.cast([1, 1, -1], dtype), 0.5, 0.25)
    assert numpy_of(keras.ops.cast(gain, "float64")).tolist() == [1.5, 0.75, 3072.0]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_step_keeps_the_dtype_of_its_gradient(dtype):
    g = keras.ops.cast(np.array([0.5, -2.0]), dtype)
    results = [
        gradient_step(g, 0.1), momentum_step(g, g, 0.1, 0.9), *averaged_momentum_step(g, g, 0.1, 0.1, 0.5),
        *adagrad_step(g * g, g, 0.1, 1e-3), *rmsprop_step(g * g, g, 0.1, 0.9, 1e-3),
        *adam_step(g, g * g, g, 1, 0.1, (0.9, 0.999), 1e-3), delta_bar_delta_gain(g * g, g, g, 0.1, 0.1),
        *keras.tree.flatten(windowed_adagrad_step([g, g], g, 0.1, 1e-3, 0)), clip_by_norm(g, 1.0),
        clip_parameters(g, 1.0),
    ]  # fmt: skip
    for result in results:
        assert keras.backend.standardize_dtype(result.dtype) == dtype
        assert np.isfinite(numpy_of(keras.ops.cast(result, "float32"))).all()


def test_past_gradients_weigh_less_and_less_and_add_up_to_the_terminal_speed():
    weights = numpy_of(past_gradient_weights(np.array([0.5, 0.9]), 400))
    assert (np.diff(weights) <= 0).all()
    assert weights.sum(axis=-1) == pytest.approx(numpy_of(terminal_speed(np.array([0.5, 0.9]))))
    with pytest.raises(ValueError, match="Received: steps=0"):
        past_gradient_weights(0.5, 0)


def test_the_standard_error_is_the_spread_of_the_mean():
    means = np.random.Generator(np.random.Philox(8)).normal(scale=3.0, size=(20000, 25)).mean(axis=1)
    assert np.std(means) == pytest.approx(float(standard_error(3.0, 25.0)), rel=0.03)


def test_a_short_gradient_is_not_touched_and_a_long_one_keeps_its_direction():
    assert same(clip_by_norm(G, 100.0), G)
    clipped = numpy_of(clip_by_norm(G, 0.5))
    assert np.linalg.norm(clipped) == pytest.approx(0.5, rel=1e-12)
    assert np.allclose(clipped / 0.5, G / np.linalg.norm(G), rtol=1e-12)


def test_the_common_norm_keeps_the_proportion_of_the_gradients():
    one, other = (numpy_of(each) for each in clip_by_global_norm([G, 3 * STATE], 0.25))
    length = np.sqrt((G**2).sum() + (9 * STATE**2).sum())
    assert np.allclose(one, G * 0.25 / length, rtol=1e-12) and np.allclose(other, STATE * 0.75 / length, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_squares_beyond_float32_do_not_spoil_the_norm(size):
    gradient = np.array([3.0, 4.0], "float32") * np.float32(size)
    assert numpy_of(clip_by_norm(gradient, size)) == pytest.approx(np.array([0.6, 0.8]) * size, rel=1e-6)


def test_a_gradient_of_zero_stays_zero_and_an_infinite_one_becomes_undefined_everywhere():
    assert numpy_of(clip_by_norm(np.zeros(3), 1.0)).tolist() == [0.0, 0.0, 0.0]
    for bad in (np.inf, np.nan):
        assert np.isnan(numpy_of(clip_by_norm(np.array([1.0, bad]), 1.0))).all()
        one, other = clip_by_global_norm([np.array([1.0]), np.array([bad])], 1.0)
        assert np.isnan(numpy_of(one)).all() and np.isnan(numpy_of(other)).all()


def test_bounds_that_are_not_positive_are_refused():
    for call in (lambda: clip_by_norm([1.0], 0.0), lambda: clip_parameters([1.0], -1.0)):
        with pytest.raises(ValueError, match="Received: "):
            call()


def test_rates_of_a_whole_run_come_from_one_call():
    k = np.arange(6.0)
    assert same(linear_decay(k, 0.5, 0.1, 4), [0.5, 0.4, 0.3, 0.2, 0.1, 0.1])
    assert same(polynomial_decay(k, 0.5, 2.0, 0.75), 0.5 / (2 + k) ** 0.75)
    assert same(exponential_decay(k, 0.5, 0.3), 0.5 * np.exp(-0.3 * k))
    with pytest.raises(ValueError, match="Received: steps=0"):
        linear_decay(k, 0.5, 0.1, 0)
    with pytest.raises(ValueError, match="Received: offset=0"):
        polynomial_decay(k, 0.5, 0, 1.0)


def test_directions_by_either_rule_are_conjugate_on_a_quadratic_and_the_printed_sign_is_not():
    matrix = np.array([[4.0, 1.0], [1.0, 3.0]])
    x = np.array([2.0, 1.0])
    g = matrix @ x
    d = numpy_of(conjugate_direction(g, np.zeros(2), 0.0))
    x = x - (g @ d) / (d @ matrix @ d) * d
    new = matrix @ x
    for rule in ("fletcher-reeves", "polak-ribiere"):
        beta = conjugacy_coefficient(new, g, rule)
        following = numpy_of(conjugate_direction(new, d, beta))
        assert abs(following @ matrix @ d) < 1e-12
        assert following @ new < 0
        printed = new + float(beta) * d  # + grad J after a first direction - grad J
        assert abs(printed @ matrix @ d) > 0.1 and printed @ new > 0


def test_polak_and_ribiere_forget_the_past_where_progress_stalls():
    assert float(conjugacy_coefficient(np.array([1.0, 1.0]), np.array([1.0, 1.0]))) == 0.0
    assert float(conjugacy_coefficient(np.array([0.5, 0.0]), np.array([1.0, 0.0]))) == 0.0
    with pytest.raises(ValueError, match="Received: rule='newton'"):
        conjugacy_coefficient([1.0], [1.0], "newton")
