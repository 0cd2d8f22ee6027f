"""Echo states: the read-out is scikit-learn's ridge, a stream ends where the whole ends, reservoirpy says the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from reservoirpy.nodes import Reservoir as TheirReservoir
from reservoirpy.nodes import Ridge as TheirRidge
from sklearn.linear_model import Ridge

from keras_course.core.errors import InvalidDataError
from keras_course.datasets import mackey_glass_series, narma10_series
from keras_course.models import EchoStateNetwork
from keras_course.ops.reservoir_measures import linear_memory_curve, normalised_rmse

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (3, 60, 2))
Y = np.stack([np.roll(X[..., 0], 2, axis=1) * X[..., 1], X[..., 1]], axis=-1)
WASHOUT, RIDGE = 10, 1e-4


@pytest.fixture(autouse=True)
def _keras_hands_on_float64():
    keras.config.set_floatx("float64")  # fit casts arrays to it; reset by conftest


def made(dtype="float64", **settings):
    model = EchoStateNetwork(
        2, 2, **{"units": 25, "density": 0.3, "leak": 0.7, "bias_scaling": 0.2, "ridge": RIDGE, "washout": WASHOUT,
        "dtype": dtype, **settings},
    )  # fmt: skip
    model.compile()
    return model


def of_scikit_learn(model, x, y, weight=None):
    states = np.asarray(model.reservoir(x))[:, WASHOUT:]
    rows = states.reshape(-1, states.shape[-1])
    alpha = RIDGE * (len(rows) if weight is None else weight.sum())
    return Ridge(alpha=alpha).fit(rows, y[:, WASHOUT:].reshape(len(rows), -1), weight)


def test_the_read_out_is_scikit_learn_s_ridge_whatever_the_batches():
    for batch_size in (2,):
        model = made()
        model.fit(X, Y, batch_size=batch_size, verbose=0)
        theirs = of_scikit_learn(model, X, Y)
        np.testing.assert_allclose(model.read_out_kernel, theirs.coef_.T, atol=1e-9)
        np.testing.assert_allclose(model.read_out_bias, theirs.intercept_, atol=1e-9)
        assert model.rows_seen == 3 * (60 - WASHOUT)


def test_sample_weights_count_rows_and_zeros_leave_padding_out():
    weight = RNG.integers(0, 3, (3, 60)).astype("float64")
    model = made()
    model.fit(X, Y, sample_weight=weight, verbose=0)
    theirs = of_scikit_learn(model, X, Y, weight[:, WASHOUT:].reshape(-1))
    np.testing.assert_allclose(model.read_out_kernel, theirs.coef_.T, atol=1e-9)
    padded, weight = made(), np.ones((3, 60))
    weight[:, 40:] = 0
    filled = np.where(weight[..., None] > 0, Y, 1e6)
    padded.fit(X, filled, sample_weight=weight, verbose=0)
    short = made()
    short.fit(X[:, :40], Y[:, :40], verbose=0)
    np.testing.assert_allclose(padded.read_out_kernel, short.read_out_kernel, atol=1e-9)


def test_the_same_data_again_change_nothing_and_forget_begins_anew():
    model = made()
    model.fit(X, Y, epochs=1, verbose=0)
    once = np.asarray(model.read_out_kernel)
    model.fit(X, Y, epochs=3, verbose=0)
    np.testing.assert_allclose(model.read_out_kernel, once, atol=1e-9)
    model.forget()
    model.fit(X[:1], Y[:1], verbose=0)
    np.testing.assert_allclose(model.read_out_kernel, of_scikit_learn(model, X[:1], Y[:1]).coef_.T, atol=1e-9)


def test_the_penalised_gradient_vanishes_at_the_read_out_and_is_true_in_float64():
    model = made()
    model.fit(X, Y, verbose=0)
    kernel, bias = model.read_out_kernel, model.read_out_bias
    assert [each.path for each in model.trainable_variables] == [kernel.path, bias.path]

    def cost():
        error = (model(X) - Y)[:, WASHOUT:]
        squares = tf.reduce_sum(tf.reduce_mean(error**2, axis=(0, 1)))
        return squares + RIDGE * tf.reduce_sum(tf.convert_to_tensor(kernel) ** 2)

    with tf.GradientTape() as tape:
        value = cost()
    for slope in tape.gradient(value, [kernel.value, bias.value]):
        np.testing.assert_allclose(slope, 0.0, atol=1e-12)
    moved = np.asarray(kernel) + 0.1
    kernel.assign(moved)
    with tf.GradientTape() as tape:
        value = cost()
    slope = np.asarray(tape.gradient(value, kernel.value))
    for index in ((0, 0), (7, 1)):
        pair = []
        for sign in (1, -1):
            nudged = moved.copy()
            nudged[index] += sign * 1e-5
            kernel.assign(nudged)
            pair.append(float(cost()))
        np.testing.assert_allclose((pair[0] - pair[1]) / 2e-5, slope[index], rtol=1e-7)


@pytest.mark.parametrize("settings", [{}, {"inputs_to_read_out": True}, {"feedback_scaling": 0.4}], ids=str)
def test_chunks_and_single_steps_end_where_the_whole_sequence_ends(settings):
    model = made(**settings)
    model.fit(X, Y, verbose=0)
    whole = np.asarray(model(X))
    state = np.zeros((3, model.state_width))
    said = []
    for first, last in ((0, 1), (1, 20), (20, 60)):
        found = model.run(X[:, first:last], state)
        state, said = found["state"], [*said, found["outputs"]]
    np.testing.assert_allclose(np.concatenate(said, axis=1), whole, atol=1e-10)
    state = np.zeros((3, model.state_width))
    for t in range(60):
        found = model.step(X[:, t], state)
        state = found["state"]
    np.testing.assert_allclose(found["outputs"], whole[:, -1], atol=1e-10)
    assert model.run(X[:, :0], state)["outputs"].shape == (3, 0, 2)
    np.testing.assert_array_equal(model.run(X[:, :0], state)["state"], state)


@pytest.mark.parametrize("settings", [{}, {"feedback_scaling": 0.4, "inputs_to_read_out": True}], ids=str)
def test_a_series_learned_in_chunks_gives_the_read_out_of_the_whole(settings):
    whole, chunked = made(**settings), made(**settings)
    whole.fit(X, Y, verbose=0)
    chunked.fit_series(X, Y, chunk=7)
    np.testing.assert_allclose(chunked.read_out_kernel, whole.read_out_kernel, atol=1e-8)
    assert chunked.rows_seen == whole.rows_seen


def test_feedback_is_taught_by_the_truth_and_runs_on_what_the_network_says():
    """A sine of its own past: no input tells the phase, the fed-back output does."""
    t = np.arange(400)
    wave, quiet = np.sin(0.3 * t)[None, :, None], np.zeros((1, 400, 1))
    model = EchoStateNetwork(
        1, 1, units=40, density=0.3, feedback_scaling=1.0, bias_scaling=0.2, ridge=1e-10, washout=50, dtype="float64"
    )
    model.compile()
    model.fit(quiet, wave, verbose=0)
    taught = np.concatenate([np.zeros((1, 1, 1)), wave[:, :-1]], axis=1)
    h = np.asarray(model.states(np.concatenate([quiet, taught], axis=-1)))
    np.testing.assert_allclose(model.read(h)[0, 50:], wave[0, 50:], atol=1e-3)
    start = np.concatenate([h[:, 199], wave[:, 199]], axis=-1)
    free = np.asarray(model.run(quiet[:, :100], start)["outputs"])
    np.testing.assert_allclose(free[0, :, 0], wave[0, 200:300, 0], atol=0.02)


def test_a_chaotic_series_is_continued_by_feeding_outputs_back():
    x = (mackey_glass_series(1, 1600, seed=1) - 1.0)[:, :, None]
    model = EchoStateNetwork(
        1, 1, units=150, leak=0.4, spectral_radius=0.95, bias_scaling=0.2, ridge=1e-10, washout=100, dtype="float64"
    )
    model.compile()
    model.fit_series(x[:, :1399], x[:, 1:1400])
    ahead = np.asarray(model.generate(x[:, 1000:1400], 100))
    assert float(normalised_rmse(x[0, 1400:1500, 0], ahead[0, :, 0])) < 0.3
    with pytest.raises(ValueError, match="outputs as wide as inputs"):
        EchoStateNetwork(2, 1, units=5, density=0.5).generate(x, 3)


def peers(model, x, y):
    """reservoirpy's states, and its predictions of the last series from the others, with this model's matrices."""
    cell = model.reservoir.cell
    theirs = TheirReservoir(
        W=np.asarray(cell.recurrent_kernel, "float64").T, Win=np.asarray(cell.kernel, "float64").T,
        bias=np.asarray(cell.bias, "float64"), lr=cell.leak,
    )  # fmt: skip
    states = []
    for k, series in enumerate(x):
        if k:
            theirs.reset()
        states.append(theirs.run(series))
    rows = sum(len(each) - model.washout for each in states[:-1])
    ridge = TheirRidge(ridge=model.ridge * rows)
    ridge.fit([each[model.washout :] for each in states[:-1]], [each[model.washout :] for each in y[:-1]])
    return np.stack(states), ridge.run(states[-1])


def narma():
    u, y = narma10_series(3, 900, seed=0)
    return u[:, :, None], y[:, :, None], {"input_scaling": 0.5, "spectral_radius": 0.95}


def mackey():
    x = mackey_glass_series(3, 984, seed=0) - 1.0
    return x[:, :900, None], x[:, 84:, None], {"leak": 0.4, "spectral_radius": 0.95}


@pytest.mark.parametrize("task", [narma, mackey], ids=["NARMA-10", "Mackey-Glass"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_are_within_a_twentieth_of_reservoirpy_s_on_the_same_matrices(task, dtype):
    x, y, settings = task()
    model = EchoStateNetwork(1, 1, units=100, bias_scaling=0.2, ridge=1e-8, washout=100, dtype=dtype, **settings)
    model.compile()
    model.fit(x[:-1], y[:-1], verbose=0)
    states, predicted = peers(model, x, y)
    np.testing.assert_allclose(model.states(x), states, atol=1e-10 if dtype == "float64" else 1e-5)
    true = y[-1, 100:]
    ours = float(normalised_rmse(true, np.asarray(model(x[-1:]), "float64")[0, 100:]))
    theirs = float(normalised_rmse(true, predicted[100:]))
    print(f"NRMSE {ours:.5f}, reservoirpy {theirs:.5f}, ratio {ours / theirs:.4f}")
    assert ours <= 1.05 * theirs


def test_memory_is_bounded_by_the_number_of_units_and_estimated_as_the_closed_form_says():
    model = EchoStateNetwork(
        1, 1, units=20, activation="linear", density=0.3, spectral_radius=0.9, ridge=1e-12, dtype="float64"
    )
    cell = model.reservoir.cell
    exact = np.asarray(linear_memory_curve(cell.recurrent_kernel.value, cell.kernel.value[0], 300))
    assert exact.sum() <= 20 + 1e-9
    estimated = model.memory_curve(60, length=8000)
    np.testing.assert_allclose(estimated[:15], exact[:15], atol=0.05)
    assert estimated.sum() <= 20 and estimated[50:].max() < 0.01
    bent = EchoStateNetwork(1, 1, units=20, density=0.3, input_scaling=2.0, ridge=1e-9, dtype="float64")
    assert 0.5 < bent.memory_curve(60, length=4000).sum() < estimated.sum()


def test_intrinsic_plasticity_brings_outputs_nearer_to_an_exponential_and_forgets():
    from keras_course.ops.reservoir_measures import exponential_divergence

    u = narma10_series(1, 500, seed=3)[0][:, :, None].astype("float32")
    model = EchoStateNetwork(1, 1, units=30, activation="sigmoid", density=0.2, input_scaling=4.0, washout=50)
    model.compile()
    model.fit(u, u, verbose=0)
    gaps = [float(exponential_divergence(model.reservoir(u)[:, 50:], 0.2))]
    for _ in range(3):
        model.adapt_plasticity(u, mean=0.2, rate=5e-3, passes=3)
        gaps.append(float(exponential_divergence(model.reservoir(u)[:, 50:], 0.2)))
    assert gaps[0] > gaps[1] > gaps[2] > gaps[3] and gaps[3] < gaps[0] / 3
    assert model.rows_seen == 0
    model.fit(u, u, verbose=0)
    assert model.evaluate(u, u, verbose=0, return_dict=True)["mean_squared_error"] < 1e-3


def test_one_export_serves_any_length_and_streams(tmp_path):
    model = made("float32")
    model.fit(X, Y, verbose=0)
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    x = X.astype("float32")
    for rows, length in ((1, 1), (3, 60), (2, 17)):
        np.testing.assert_allclose(served.serving_default(x[:rows, :length]), model(x[:rows, :length]), atol=1e-5)
    state = np.zeros((3, model.state_width), "float32")
    for first in (0, 25):
        found = served.run(x[:, first : first + 25], state)
        state = found["state"]
    found = served.step(x[:, 50], state)
    np.testing.assert_allclose(found["outputs"], model(x[:, :51])[:, -1], atol=1e-5)


def test_a_reservoir_serves_under_any_keras_read_out():
    from keras_course.layers import Reservoir

    inputs = keras.Input((None, 2))
    outputs = keras.layers.Dense(2)(Reservoir(25, density=0.3, return_sequences=True)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.03), "mse")
    losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2 and len(model.trainable_variables) == 2


def test_bad_arguments_and_data_are_refused_with_what_came():
    for settings, words in (
        ({"leak": 0.0}, "leak=0.0"), ({"ridge": 0.0}, "ridge=0.0"), ({"washout": -1}, "washout=-1"),
        ({"leak_form": "summed"}, "leak_form='summed'"),
        ({"input_scaling": (1.0, 2.0, 3.0)}, "one input_scaling, or 2"),
        ({"density": 0.0}, "density=0.0"), ({"units": 0}, "units=0"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            made(**settings)
    model = made()
    with pytest.raises(ValueError, match="takes no optimizer"):
        model.compile("adam")
    with pytest.raises(InvalidDataError, match="in y"):
        model.fit(X, np.where(Y > 0.9, np.nan, Y), verbose=0)
    with pytest.raises(ValueError, match="leaves out the first 10 steps"):
        model.fit(X[:, :10], Y[:, :10], verbose=0)
    with pytest.raises(ValueError, match="y of shape"):
        model.fit_series(X, Y[:, :-1])
    with pytest.raises(ValueError, match="state of EchoStateNetwork expects"):
        model.run(X, np.zeros((len(X), model.state_width + 1), "float32"))
    with pytest.raises(ValueError, match="logistic units without a leak"):
        model.adapt_plasticity(X)
