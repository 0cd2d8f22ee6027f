"""Falling rates as Keras schedules, and the constraint that keeps weights in a box."""

import keras
import numpy as np
import pytest

from keras_course.core.serial import load, save_model
from keras_course.optimizers import ExponentialDecay, GradientDescent, LinearDecay, PolynomialDecay, WeightClip
from reference_tests.optimizers.small_net import X, Y

SCHEDULES = {
    "linear": LinearDecay(0.5, 0.125, steps=4),
    "polynomial": PolynomialDecay(0.5, offset=2.0, power=0.75),
    "exponential": ExponentialDecay(0.5, rate=0.25),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_optimizer_takes_the_rate_of_its_step(name):
    schedule, theta = SCHEDULES[name], keras.Variable([0.0])
    optimizer = GradientDescent(schedule)
    for _ in range(6):
        optimizer.apply([keras.ops.ones((1,))], [theta])
    assert float(theta[0]) == pytest.approx(-sum(float(schedule(k)) for k in range(6)), rel=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_fall_from_the_first_step_on_and_stay_positive(name):
    rates = [float(SCHEDULES[name](k)) for k in range(5)]
    assert all(a > b > 0 for a, b in zip(rates[:-1], rates[1:], strict=True))


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_model_file_carries_the_schedule(name, tmp_path):
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_constraint=WeightClip(0.25))])
    net.compile(GradientDescent(SCHEDULES[name]), loss="mse")
    net.fit(X, Y, batch_size=24, verbose=0)
    save_model(net, tmp_path / "net.keras")
    loaded = load(tmp_path / "net.keras")
    assert type(loaded.optimizer) is GradientDescent
    assert loaded.optimizer.get_config() == net.optimizer.get_config()
    assert float(loaded.optimizer.learning_rate) == pytest.approx(float(SCHEDULES[name](2)), rel=1e-6)
    assert loaded.layers[0].kernel_constraint.limit == 0.25


def test_exponential_decay_is_the_stock_schedule_with_its_factor_written_out():
    stock = keras.optimizers.schedules.ExponentialDecay(0.5, decay_steps=1, decay_rate=float(np.exp(-0.25)))
    for k in (0, 1, 7, 30):
        assert float(SCHEDULES["exponential"](k)) == pytest.approx(float(stock(k)), rel=1e-5)


def test_linear_decay_is_the_stock_polynomial_of_power_one():
    stock = keras.optimizers.schedules.PolynomialDecay(0.5, 4, 0.125, power=1.0)
    for k in (0, 1, 3, 4, 5, 100):
        assert float(SCHEDULES["linear"](k)) == pytest.approx(float(stock(k)), rel=1e-6)


def test_the_exponential_rates_add_up_to_the_farthest_that_descent_can_come():
    total = sum(float(SCHEDULES["exponential"](k)) for k in range(200))
    assert total == pytest.approx(0.5 / (1 - np.exp(-0.25)), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "came"),
    [
        (lambda: LinearDecay(-0.1, 0.0, 5), "initial_rate=-0.1"),
        (lambda: LinearDecay(0.1, 0.0, 0), "steps=0"),
        (lambda: PolynomialDecay(0.1, offset=0.0), "offset=0.0"),
        (lambda: PolynomialDecay(0.1, power=-1.0), "power=-1.0"),
        (lambda: ExponentialDecay(0.1, rate=-0.5), "rate=-0.5"),
        (lambda: WeightClip(0.0), "limit=0.0"),
        (lambda: WeightClip(float("inf")), "limit=inf"),
    ],
)
def test_a_schedule_or_limit_out_of_range_is_refused(make, came):
    with pytest.raises(ValueError) as refused:
        make()
    assert str(refused.value).endswith(f"Received: {came}")


@pytest.mark.parametrize("jit", [False, True])
def test_weights_stay_in_the_box_through_a_fit_that_would_diverge(jit):
    net = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, kernel_constraint=WeightClip(0.5), bias_constraint=WeightClip(0.5))]
    )
    net.compile(GradientDescent(5.0), loss="mse", jit_compile=jit)
    losses = net.fit(X, Y, batch_size=24, epochs=10, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert max(np.abs(weight).max() for weight in net.get_weights()) == 0.5


def test_an_infinite_weight_comes_back_to_the_border_and_an_undefined_one_stays_undefined():
    weights = keras.ops.convert_to_numpy(WeightClip(2.0)(keras.ops.convert_to_tensor([np.inf, -np.inf, np.nan, 1.0])))
    assert weights[:2].tolist() == [2.0, -2.0] and np.isnan(weights[2]) and weights[3] == 1.0
