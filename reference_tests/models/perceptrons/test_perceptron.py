"""The perceptron: its theorem on real flowers, its rule, and its life as a Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_iris

from keras_course.core.backend import compiled, execution_mode
from keras_course.core.errors import InvalidDataError
from keras_course.core.serial import load, save_model
from keras_course.models.perceptrons import Perceptron

MODES = ({}, {"run_eagerly": True}, {"jit_compile": True})


@pytest.fixture(scope="module")
def setosa():
    """Iris, setosa (+1) against the rest (-1): linearly separable."""
    iris = load_iris()
    return iris.data.astype("float32"), np.where(iris.target == 0, 1, -1)


@pytest.fixture(scope="module")
def versicolor():
    """Iris, versicolor (+1) against the rest (-1): not linearly separable."""
    iris = load_iris()
    return iris.data.astype("float32"), np.where(iris.target == 1, 1, -1)


def fitted(x, t, epochs=100, batch_size=16, shuffle=False, **kwargs):
    model = Perceptron(x.shape[1], initializer="zeros", **kwargs)
    model.compile()
    history = model.fit(x, t, epochs=epochs, batch_size=batch_size, shuffle=shuffle, verbose=0)
    return model, history.history


def by_hand(x, t, rate, epochs):
    """The printed algorithm in NumPy, without the augmented vector."""
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(epochs):
        wrong = 0
        for sample, label in zip(x.astype("float64"), t, strict=True):
            out = 1 if w @ sample + b >= 0 else -1
            if out != label:
                w, b, wrong = w + rate * (label - out) * sample, b + rate * (label - out), wrong + 1
        mistakes.append(wrong)
    return np.append(b, w), mistakes


def test_training_on_separable_flowers_ends_by_itself_with_no_mistake(setosa):
    model, history = fitted(*setosa)
    assert len(history["mistakes"]) < 100
    assert history["mistakes"][-1] == 0 and 0 not in history["mistakes"][:-1]
    assert np.array_equal(model.predict(setosa[0], verbose=0), setosa[1])


def test_updates_never_exceed_the_bound_of_the_perceptron_theorem(setosa):
    x, t = setosa
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(t))
        model, history = fitted(x[order], t[order], batch_size=len(t))
        assert int(model.updates) == sum(history["mistakes"])
        assert 0 < int(model.updates) <= float(model.mistake_bound(x, t))


def test_mistake_bound_does_not_change_when_the_weights_are_scaled(setosa):
    model, _ = fitted(*setosa)
    one, ten = (float(model.mistake_bound(*setosa, scale * model.w.numpy())) for scale in (1, 10))
    assert ten == pytest.approx(one, rel=1e-4)


def test_mistake_bound_is_infinite_for_a_plane_that_separates_nothing(setosa):
    assert np.isinf(float(Perceptron(4).mistake_bound(*setosa, np.zeros(5, "float32"))))


def test_weights_and_mistakes_follow_the_printed_algorithm(versicolor):
    x, t = versicolor
    w, mistakes = by_hand(x, t, rate=0.5, epochs=4)
    model, history = fitted(x.astype("float64"), t, epochs=4, learning_rate=0.5, dtype="float64")
    assert history["mistakes"] == mistakes
    np.testing.assert_allclose(model.w.numpy(), w, rtol=1e-12)


@pytest.mark.parametrize("arguments", MODES, ids=("graph", "eager", "xla"))
def test_the_batch_size_changes_nothing(versicolor, arguments):
    x, t = (values[::3] for values in versicolor)
    expected, mistakes = by_hand(x, t, rate=1.0, epochs=2)
    for batch_size in (7, 50):
        model = Perceptron(4, initializer="zeros", dtype="float64")
        model.compile(**arguments)
        history = model.fit(x, t, epochs=2, batch_size=batch_size, shuffle=False, verbose=0).history
        assert history["mistakes"] == mistakes
        assert history["accuracy"] == pytest.approx([1 - wrong / len(t) for wrong in mistakes])
        np.testing.assert_allclose(model.w.numpy(), expected, rtol=1e-9)


def test_flowers_that_no_plane_separates_train_for_all_epochs(versicolor):
    _, history = fitted(*versicolor, epochs=6, shuffle=True)
    assert len(history["mistakes"]) == 6


def test_from_zero_weights_the_learning_rate_changes_no_answer(versicolor):
    models = [fitted(*versicolor, epochs=3, learning_rate=rate)[0] for rate in (1.0, 0.25)]
    np.testing.assert_allclose(models[0].w.numpy(), 4 * models[1].w.numpy(), rtol=1e-5)
    assert np.array_equal(*(model.predict(versicolor[0], verbose=0) for model in models))


def test_one_update_moves_a_wrong_unit_by_twice_the_learning_rate_and_a_right_one_not_at_all():
    model = Perceptron(1, learning_rate=0.5)
    for mode in ("eager", "graph", "xla"):
        with execution_mode(mode):
            w, x = tf.constant([0.0, -1.0]), tf.constant([1.0, 2.0])
            moved, wrong = compiled(model.update)(w, x, tf.constant(1.0))
            assert moved.numpy().tolist() == [1.0, 1.0] and float(wrong) == 1
            kept, right = compiled(model.update)(w, x, tf.constant(-1.0))
            assert kept.numpy().tolist() == [0.0, -1.0] and float(right) == 0


def test_a_net_input_of_zero_answers_plus_one():
    assert Perceptron(2, initializer="zeros").predict(np.zeros((1, 2)), verbose=0).tolist() == [1.0]


def test_train_on_batch_is_one_step_of_fit(versicolor):
    x, t = versicolor
    single, whole = Perceptron(4), Perceptron(4)
    single.compile()
    whole.compile()
    logs = single.train_on_batch(x, t, return_dict=True)
    history = whole.fit(x, t, batch_size=150, shuffle=False, verbose=0).history
    assert logs == {name: values[0] for name, values in history.items()}
    assert np.array_equal(single.w.numpy(), whole.w.numpy())


def test_a_sample_weight_scales_its_step_and_zero_leaves_the_sample_out(versicolor):
    x, t = versicolor
    kept = np.arange(len(t)) % 3 != 0
    weighted, part = Perceptron(4), Perceptron(4, learning_rate=2.0)
    weighted.compile()
    part.compile()
    for_all = weighted.fit(x, t, sample_weight=2.0 * kept, batch_size=150, shuffle=False, verbose=0).history
    for_part = part.fit(x[kept], t[kept], batch_size=150, shuffle=False, verbose=0).history
    assert for_all["mistakes"] == for_part["mistakes"] and for_all["accuracy"] == for_part["accuracy"]
    np.testing.assert_allclose(weighted.w.numpy(), part.w.numpy(), rtol=1e-5)


def test_evaluate_counts_samples_on_the_wrong_side_whatever_the_batch_size(versicolor):
    model, _ = fitted(*versicolor, epochs=2)
    wrong = int(np.sum(model.predict(versicolor[0], verbose=0) != versicolor[1]))
    for batch_size in (7, 64):
        logs = model.evaluate(*versicolor, batch_size=batch_size, verbose=0, return_dict=True)
        assert logs["mistakes"] == wrong and logs["accuracy"] == pytest.approx(1 - wrong / 150)


@pytest.mark.parametrize("arguments", MODES, ids=("graph", "eager", "xla"))
def test_labels_of_zero_and_one_are_refused_and_move_no_weight_for_them(setosa, arguments):
    model = Perceptron(4)
    model.compile(**arguments)
    before = model.w.numpy()
    with pytest.raises(InvalidDataError, match="labels -1 and"):
        model.fit(setosa[0], np.zeros(150), verbose=0)
    assert np.array_equal(before, model.w.numpy())
    with pytest.raises(InvalidDataError):
        model.evaluate(setosa[0], np.zeros(150), verbose=0)


def test_callbacks_of_the_user_still_run(setosa):
    seen = []
    model = Perceptron(4)
    model.compile()
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["mistakes"]))
    history = model.fit(*setosa, epochs=50, verbose=0, callbacks=[watch])
    assert seen == history.history["mistakes"] and seen[-1] == 0


def test_saved_and_loaded_it_answers_the_same_and_trains_on(versicolor, tmp_path):
    model, _ = fitted(*versicolor, epochs=2, learning_rate=0.5)
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    for one in (model, again):
        one.fit(*versicolor, epochs=1, shuffle=False, verbose=0)
    assert np.array_equal(again.w.numpy(), model.w.numpy()) and int(again.updates) == int(model.updates)


def test_exported_endpoints_equal_the_live_model(setosa, tmp_path):
    model, _ = fitted(*setosa)
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    for count in (1, 5):
        x = tf.constant(setosa[0][:count])
        answers = served.signatures["serving_default"](x=x)["output_0"].numpy()
        assert np.array_equal(answers, model.predict(x, verbose=0))
        nets = served.signatures["net"](x=x)["output_0"].numpy()
        np.testing.assert_allclose(nets, model.net(x).numpy(), rtol=1e-6, atol=1e-6)


def test_the_random_start_depends_on_the_seed_alone():
    keras.layers.Dense(3).build((None, 2))
    assert np.array_equal(Perceptron(4, seed=1).w.numpy(), Perceptron(4, seed=1).w.numpy())
    assert not np.array_equal(Perceptron(4, seed=1).w.numpy(), Perceptron(4, seed=2).w.numpy())


@pytest.mark.parametrize(
    "arguments",
    ({"features": 0}, {"features": 2, "learning_rate": 0.0}, {"features": 2, "learning_rate": float("nan")}),
)
def test_bad_arguments_are_refused_with_the_value_that_came(arguments):
    with pytest.raises(ValueError, match="Received: "):
        Perceptron(**arguments)


def test_wrong_shapes_optimizers_and_losses_are_refused():
    model = Perceptron(2)
    with pytest.raises(ValueError, match="Received: "):
        model(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="Received: optimizer='sgd'"):
        model.compile("sgd")
    with pytest.raises(ValueError, match="loss='mse'"):
        model.compile(loss="mse")
    model.compile()
    with pytest.raises(ValueError, match="one y a sample"):
        model.train_on_batch(np.zeros((3, 2)), np.ones((3, 2)))
