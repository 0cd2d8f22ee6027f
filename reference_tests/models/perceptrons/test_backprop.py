"""The delta recursion: equal to automatic differentiation, to the printed pseudo-code, and a model like any other."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.backend import compiled, execution_mode
from keras_course.core.serial import load, save_model
from keras_course.models.perceptrons import BackpropMLP

MODES = ({}, {"run_eagerly": True}, {"jit_compile": True})


@pytest.fixture
def samples():
    """Float64 numbers that float32 holds exactly: fit passes arrays on in Keras's floatx."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(23, 3)), rng.random((23, 2))
    return x.astype("float32").astype("float64"), t.astype("float32").astype("float64")


def by_tape(model, x, t):
    with tf.GradientTape() as tape:
        error = tf.reduce_sum((t - model(x)) ** 2) / (2 * t.shape[1] * t.shape[0])
    return tape.gradient(error, model.matrices)


@pytest.mark.parametrize("units", ((2,), (4, 2), (5, 4, 2), (5, 4, 3, 2)), ids=lambda units: f"{len(units) - 1}-hidden")
@pytest.mark.parametrize("mode", ("eager", "graph", "xla"))
def test_gradients_equal_automatic_differentiation_to_rounding(samples, units, mode):
    x, t = samples
    model = BackpropMLP(3, units, dtype="float64")

    def written_out(x, t):
        activations = model.forward(x)
        return model.gradients(activations, model.deltas(activations, t))

    with execution_mode(mode):
        ours = compiled(written_out)(x, t)
    for gradient, expected in zip(ours, by_tape(model, x, t), strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-15, rtol=1e-12)


def test_a_wrong_sign_in_the_recursion_would_be_seen(samples):
    x, t = samples
    model = BackpropMLP(3, (4, 2), dtype="float64")
    activations = model.forward(x)
    flipped = model.deltas(activations, t)
    flipped[0] = -flipped[0]
    wrong = model.gradients(activations, flipped)[0]
    assert np.abs(wrong - by_tape(model, x, t)[0]).max() > 1e-4


def test_one_online_step_is_the_printed_pseudo_code(samples):
    x, t = samples
    model = BackpropMLP(3, (4, 2), learning_rate=0.7, update="online", dtype="float64")
    first, second = (matrix.numpy() for matrix in model.matrices)
    for sample, target in zip(x, t, strict=True):
        with_one = np.append(1.0, sample)
        y = np.append(1.0, 1 / (1 + np.exp(-with_one @ first)))
        z = 1 / (1 + np.exp(-y @ second))
        delta_k = z * (1 - z) * (target - z)
        delta_j = np.array([y[j] * (1 - y[j]) * sum(second[j, k] * delta_k[k] for k in range(2)) for j in range(1, 5)])
        second = second + 0.7 * np.outer(y, delta_k)
        first = first + 0.7 * np.outer(with_one, delta_j)
    model.compile()
    model.fit(x, t, batch_size=5, shuffle=False, verbose=0)
    for matrix, expected in zip(model.matrices, (first, second), strict=True):
        np.testing.assert_allclose(matrix.numpy(), expected, rtol=1e-12)


def test_a_batch_step_descends_the_gradient_of_the_mean(samples):
    x, t = samples
    model = BackpropMLP(3, (4, 2), learning_rate=0.7, dtype="float64")
    expected = [w.numpy() - 0.7 * g.numpy() for w, g in zip(model.matrices, by_tape(model, x, t), strict=True)]
    model.compile()
    model.fit(x, t, batch_size=len(x), verbose=0)
    for matrix, wanted in zip(model.matrices, expected, strict=True):
        np.testing.assert_allclose(matrix.numpy(), wanted, rtol=1e-12)


def test_with_one_output_and_one_sample_online_and_batch_are_the_same_step(samples):
    x, t = samples
    models = [BackpropMLP(3, (4, 1), 0.5, update=update, dtype="float64") for update in ("batch", "online")]
    for model in models:
        model.compile()
        model.fit(x, t[:, 0], batch_size=1, shuffle=False, verbose=0)
    for one, other in zip(models[0].matrices, models[1].matrices, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)


@pytest.mark.parametrize("update", ("batch", "online"))
def test_graph_eager_and_xla_train_alike(samples, update):
    x, t = samples
    trained = []
    for arguments in MODES:
        model = BackpropMLP(3, (4, 2), 0.5, update=update, dtype="float64")
        model.compile(**arguments)
        losses = model.fit(x, t, epochs=2, batch_size=8, shuffle=False, verbose=0).history["loss"]
        trained.append(np.concatenate([w.numpy().ravel() for w in model.matrices] + [losses]))
    np.testing.assert_allclose(trained[1], trained[0], rtol=1e-6)
    np.testing.assert_allclose(trained[2], trained[0], rtol=1e-6)


def test_batch_gradient_descent_never_raises_the_error_with_a_small_rate(samples):
    model = BackpropMLP(3, (4, 2), learning_rate=0.5)
    model.compile()
    losses = model.fit(*samples, epochs=30, batch_size=23, verbose=0).history["loss"]
    assert all(later < earlier for earlier, later in zip(losses, losses[1:], strict=False))


def test_the_xor_points_are_learned():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
    t = np.array([0, 1, 1, 0], "float32")
    model = BackpropMLP(2, (3, 1), learning_rate=2.0, update="online", seed=1)
    model.compile(jit_compile=True, steps_per_execution=50)
    model.fit(np.tile(x, (2000, 1)), np.tile(t, 2000), batch_size=40, epochs=2, shuffle=False, verbose=0)
    assert np.array_equal(model.predict(x, verbose=0)[:, 0] > 0.5, t == 1)


def test_a_reported_loss_is_the_error_whatever_the_batch_size(samples):
    x, t = samples
    model = BackpropMLP(3, (4, 2), dtype="float64")
    model.compile()
    expected = float(np.mean((t - model(x).numpy()) ** 2) / 2)
    for batch_size in (4, 23):
        assert model.evaluate(x, t, batch_size=batch_size, verbose=0) == pytest.approx(expected, rel=1e-6)


def test_integer_classes_stand_for_their_one_hot_vectors(samples):
    x, _ = samples
    classes = np.arange(len(x)) % 3
    models = [BackpropMLP(3, (4, 3)), BackpropMLP(3, (4, 3))]
    for model, y in zip(models, (classes, np.eye(3)[classes]), strict=True):
        model.compile(metrics=["accuracy"])
        history = model.fit(x, y, batch_size=23, verbose=0).history
        assert set(history) == {"loss", "accuracy"}
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(*(m.matrices for m in models), strict=True))


def test_a_class_out_of_range_makes_the_loss_not_a_number(samples):
    model = BackpropMLP(3, (4, 3))
    model.compile(jit_compile=True)
    assert np.isnan(model.evaluate(samples[0], np.full(23, 3), verbose=0))


@pytest.mark.parametrize("update", ("batch", "online"))
def test_sample_weights_multiply_the_deltas(samples, update):
    x, t = samples
    kept = np.arange(len(x)) < 10
    part = BackpropMLP(3, (4, 2), learning_rate=0.5, update=update)
    rate = 0.5 if update == "online" else 0.5 * len(x) / 10
    weighted = BackpropMLP(3, (4, 2), learning_rate=rate, update=update)
    for model in (part, weighted):
        model.compile()
    part.train_on_batch(x[kept], t[kept])
    weighted.train_on_batch(x, t, sample_weight=kept.astype("float32"))
    for one, other in zip(part.matrices, weighted.matrices, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


def test_train_on_batch_is_one_step_of_fit(samples):
    single, whole = BackpropMLP(3, (4, 2)), BackpropMLP(3, (4, 2))
    single.compile()
    whole.compile()
    logs = single.train_on_batch(*samples, return_dict=True)
    history = whole.fit(*samples, batch_size=23, shuffle=False, verbose=0).history
    assert logs["loss"] == history["loss"][0]
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(single.matrices, whole.matrices, strict=True))


def test_saved_loaded_and_exported_it_answers_the_same(samples, tmp_path):
    x, t = samples
    model = BackpropMLP(3, (4, 2), learning_rate=0.5, update="online", seed=5)
    model.compile(metrics=["mae"])
    model.fit(x, t, epochs=2, shuffle=False, verbose=0)
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.evaluate(x, t, verbose=0) == model.evaluate(x, t, verbose=0)

    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    for count in (1, 7):
        answer = served.signatures["serving_default"](inputs=tf.constant(x[:count], "float32"))["output_0"]
        np.testing.assert_allclose(answer, model(x[:count]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "arguments",
    (
        {"features": 0, "units": (2,)},
        {"features": 2, "units": ()},
        {"features": 2, "units": 3},
        {"features": 2, "units": (3, 0)},
        {"features": 2, "units": (3, 1), "learning_rate": -1.0},
        {"features": 2, "units": (3, 1), "update": "mini-batch"},
    ),
)
def test_bad_arguments_are_refused_with_the_value_that_came(arguments):
    with pytest.raises(ValueError, match="Received: "):
        BackpropMLP(**arguments)


def test_targets_that_do_not_fit_and_foreign_optimizers_are_refused(samples):
    model = BackpropMLP(3, (4, 2))
    with pytest.raises(ValueError, match="takes no optimizer"):
        model.compile("sgd", "mse")
    model.compile()
    for targets in (np.zeros((23, 3)), np.zeros(23), np.zeros((23, 1), int)):
        with pytest.raises(ValueError, match="needs targets"):
            model.train_on_batch(samples[0], targets)
    with pytest.raises(ValueError, match="Received: "):
        model(np.zeros((3, 4)))
