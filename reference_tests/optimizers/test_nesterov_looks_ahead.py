"""Nesterov's gradient is the one at theta + alpha v: in every mode of fit, and never silently another."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.serial import load, save_model
from keras_course.optimizers import Momentum, Nesterov
from reference_tests.optimizers.small_net import SmallNet, X, Y, compiled_net, largest_difference

RATE, MOMENTUM, BATCH, EPOCHS = 0.05, 0.9, 24, 3


def nesterov_by_hand(epochs=EPOCHS, parts=1, decay=0.0):
    """The algorithm as the notes print it, on explicit copies of the weights."""
    net = SmallNet()
    net(X[:1])
    theta = [tf.identity(w.value) for w in net.trainable_variables]
    v = [tf.zeros_like(w) for w in theta]
    batches = [slice(start, start + BATCH) for start in range(0, len(X), BATCH)] * epochs
    for group in range(0, len(batches), parts):
        gradients = []
        for rows in batches[group : group + parts]:
            for variable, t, velocity in zip(net.trainable_variables, theta, v, strict=True):
                variable.assign(t + MOMENTUM * velocity)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((net(X[rows]) - Y[rows]) ** 2)
            gradients.append(tape.gradient(loss, [w.value for w in net.trainable_variables]))
        mean = [sum(each) / parts for each in zip(*gradients, strict=True)]
        v = [MOMENTUM * velocity - RATE * g for velocity, g in zip(v, mean, strict=True)]
        theta = [t - decay * RATE * t + velocity for t, velocity in zip(theta, v, strict=True)]
    return [t.numpy() for t in theta]


def fitted(net, epochs=EPOCHS):
    net.fit(X, Y, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0)
    return net.get_weights()


@pytest.mark.parametrize(
    "options",
    [{"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}, {"steps_per_execution": 2}],
    ids=["eager", "graph", "xla", "several steps an execution"],
)
def test_fit_follows_the_printed_algorithm_from_an_unbuilt_model_on(options):
    weights = fitted(compiled_net(Nesterov(RATE, MOMENTUM), **options))
    assert largest_difference(weights, nesterov_by_hand()) < 1e-5
    assert largest_difference(weights, fitted(compiled_net(Momentum(RATE, MOMENTUM)))) > 1e-3


def test_weight_decay_acts_on_theta_and_not_on_the_interim_point():
    weights = fitted(compiled_net(Nesterov(RATE, MOMENTUM, weight_decay=0.5)))
    assert largest_difference(weights, nesterov_by_hand(decay=0.5)) < 1e-5


def test_a_weight_that_gets_no_gradient_stays_where_it_was():
    moving, resting = keras.Variable([1.0, -2.0]), keras.Variable([0.1, 0.3])
    optimizer = Nesterov(RATE, MOMENTUM)
    for gradient in (resting * 2.0, None, None):
        before = resting.numpy()
        optimizer.look_ahead([moving, resting])
        optimizer.apply([moving.value * 2.0, gradient], [moving, resting])
        assert np.array_equal(resting.numpy(), before) == (gradient is None)


def test_accumulated_gradients_are_all_taken_at_the_interim_point():
    weights = fitted(compiled_net(Nesterov(RATE, MOMENTUM, gradient_accumulation_steps=2)))
    assert largest_difference(weights, nesterov_by_hand(parts=2)) < 1e-5


def test_loss_scaling_changes_nothing_and_an_overflow_leaves_the_weights_where_they_were():
    net = compiled_net(keras.optimizers.LossScaleOptimizer(Nesterov(RATE, MOMENTUM)))
    weights = fitted(net)
    assert largest_difference(weights, nesterov_by_hand()) < 1e-5
    net.fit(np.full_like(X, np.inf), Y, batch_size=len(X), verbose=0)
    assert largest_difference(net.get_weights(), weights) == 0.0


def test_train_on_batch_looks_ahead_as_well():
    net = compiled_net(Nesterov(RATE, MOMENTUM))
    for start in range(0, len(X), BATCH):
        net.train_on_batch(X[start : start + BATCH], Y[start : start + BATCH])
    assert largest_difference(net.get_weights(), nesterov_by_hand(epochs=1)) < 1e-5


def test_a_saved_model_goes_on_where_it_stopped(tmp_path):
    net = compiled_net(Nesterov(RATE, MOMENTUM))
    fitted(net, epochs=1)
    save_model(net, tmp_path / "net.keras")
    loaded = load(tmp_path / "net.keras", allow=(SmallNet,))
    assert largest_difference(fitted(loaded, epochs=2), fitted(net, epochs=2)) == 0.0


def test_the_weights_between_steps_are_theta_so_that_evaluation_sees_theta():
    net = compiled_net(Nesterov(RATE, MOMENTUM))
    weights = fitted(net, epochs=1)
    before = net.evaluate(X, Y, verbose=0)
    assert largest_difference(net.get_weights(), weights) == 0.0
    assert before == pytest.approx(float(np.mean((net.predict(X, verbose=0) - Y) ** 2)), rel=1e-5)


def test_an_error_in_a_step_leaves_theta_and_not_the_interim_point():
    net = compiled_net(Nesterov(RATE, MOMENTUM), run_eagerly=True)
    weights = fitted(net, epochs=1)
    with pytest.raises(Exception, match="shape|dimension|compatible"):
        net.train_on_batch(X, Y[:, :1].repeat(3, axis=1))
    assert largest_difference(net.get_weights(), weights) == 0.0


def test_a_plain_keras_model_is_refused_and_told_what_to_do():
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    net.compile(Nesterov(RATE, MOMENTUM), loss="mse")
    with pytest.raises(ValueError, match=r"look_ahead\(variables\)[\s\S]*Received: apply\(\) without look_ahead"):
        net.fit(X, Y, verbose=0)


def test_a_second_step_without_a_second_look_ahead_is_refused():
    theta, optimizer = keras.Variable([1.0]), Nesterov(RATE, MOMENTUM)
    optimizer.look_ahead([theta])
    optimizer.apply([theta.value], [theta])
    with pytest.raises(ValueError, match="Received: apply"):
        optimizer.apply([theta.value], [theta])


def test_looking_twice_before_a_step_is_looking_once():
    paths = []
    for looks in (1, 2):
        theta, optimizer = keras.Variable([1.0, -2.0]), Nesterov(RATE, MOMENTUM)
        for _ in range(3):
            for _ in range(looks):
                optimizer.look_ahead([theta])
            optimizer.apply([theta.value * 2.0], [theta])
        paths.append(theta.numpy())
    assert np.array_equal(*paths)


def test_stepping_back_without_a_step_leaves_theta_and_the_next_step_as_they_were():
    theta, optimizer = keras.Variable([1.0, -2.0]), Nesterov(RATE, MOMENTUM)
    optimizer.look_ahead([theta])
    optimizer.apply([theta.value], [theta])
    before = theta.numpy()
    optimizer.look_ahead([theta])
    assert not np.array_equal(theta.numpy(), before)
    optimizer.step_back([theta])
    assert np.array_equal(theta.numpy(), before)


def test_frozen_weights_stay_where_they_are():
    net = compiled_net(Nesterov(RATE, MOMENTUM))
    fitted(net, epochs=1)
    net.hidden.trainable = False
    net.compile(Nesterov(RATE, MOMENTUM), loss="mse")
    before = net.hidden.get_weights()
    fitted(net, epochs=1)
    assert largest_difference(net.hidden.get_weights(), before) == 0.0


def test_mixed_precision_trains_with_the_loss_scale_that_compile_wraps_around():
    keras.config.set_dtype_policy("mixed_float16")
    net = compiled_net(Nesterov(RATE, MOMENTUM))
    assert isinstance(net.optimizer, keras.optimizers.LossScaleOptimizer)
    history = net.fit(X, Y, batch_size=BATCH, epochs=4, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
