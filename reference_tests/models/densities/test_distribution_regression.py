"""A network with a distribution for its output: trains, repeats itself, saves, and serves without this package."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.serial import load, save_model
from keras_course.distributions import Mixture, Normal
from keras_course.models.densities import DistributionRegression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
Y = (X[:, :1] + np.where(RNG.random((60, 1)) < 0.5, 1, -1) + 0.1 * RNG.normal(size=(60, 1))).astype("float32")


def mixture_network(**arguments):
    return DistributionRegression(4, (8,), "mixture", components=2, **arguments)


def test_compile_without_a_loss_takes_the_heads_own_and_training_lowers_it():
    model = mixture_network(dropout=0.1, weight_decay=1e-3)
    model.start_at(Y)
    before = model.get_weights()
    model.compile(keras.optimizers.Adam(0.02))
    history = model.fit(X, Y, epochs=8, batch_size=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert all(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))


def test_the_same_seed_starts_and_trains_the_same_dropout_included():
    def trained(seed):
        model = mixture_network(dropout=0.5, seed=seed)
        model.compile(keras.optimizers.SGD(0.01))
        model.fit(X, Y, epochs=2, batch_size=60, shuffle=False, verbose=0)
        return model.get_weights()

    keras.layers.Dense(3).build((None, 3))  # an unrelated layer built before changes nothing
    first = trained(3)
    for one, again, other in zip(first, trained(3), trained(4), strict=True):
        np.testing.assert_array_equal(one, again)
        assert np.any(one != other)


def test_save_and_load_give_an_equal_compiled_model(tmp_path):
    model = mixture_network(seed=1)
    model.compile("adam")
    model.fit(X, Y, epochs=1, verbose=0)
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.evaluate(X, Y, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)
    assert again.get_config() == model.get_config()


def test_any_network_may_stand_under_the_head_and_comes_back_from_the_config():
    network = keras.Sequential([keras.layers.Reshape((2, 2)), keras.layers.LSTM(3)])
    model = DistributionRegression(4, network=network, family="poisson", event_size=2)
    again = DistributionRegression.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.mean(X), model.mean(X))


def test_images_are_flattened_and_no_hidden_layer_is_a_linear_model():
    model = DistributionRegression((3, 3, 2), units=(), family="categorical", event_size=5)
    assert [tuple(w.shape) for w in model.weights] == [(18, 5), (5,)]
    assert model.mode(np.ones((2, 3, 3, 2), "float32")).shape == (2,)


def test_every_endpoint_answers_equally_where_neither_this_package_nor_tfp_can_be_imported(tmp_path):
    model = mixture_network()
    model.export(tmp_path / "export")
    x, y = X[:3], Y[:3]
    q, seed = np.float32([0.05, 0.5, 0.95]), np.int32([0, 7])
    np.savez(tmp_path / "asked.npz", x=x, y=y, q=q, seed=seed)
    script = f"""
        import gc, sys
        gc.disable()
        sys.modules["keras_course"] = sys.modules["tensorflow_probability"] = sys.modules["tf_keras"] = None
        import numpy as np, tensorflow as tf
        served = tf.saved_model.load({str(tmp_path / "export")!r})
        asked = np.load({str(tmp_path / "asked.npz")!r})
        alone = ("serving_default", "parameters", "mode", "stddev")
        answers = {{name: getattr(served, name)(asked["x"]) for name in alone}}
        answers["log_prob"] = served.log_prob(asked["x"], asked["y"])
        answers["quantile"] = served.quantile(asked["x"], asked["q"])
        answers["sample"] = served.sample(asked["x"], asked["seed"])
        answers["one row"] = served.serving_default(asked["x"][:1])
        np.savez({str(tmp_path / "answers.npz")!r}, **answers)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, cwd=tmp_path)
    answers = np.load(tmp_path / "answers.npz")
    wanted = {
        "serving_default": model.mean(x),
        "parameters": model.predict(x, verbose=0),
        "mode": model.mode(x),
        "stddev": model.stddev(x),
        "log_prob": model.log_prob(x, y),
        "quantile": model.quantile(x, q),
        "sample": model.sample(x, seed),
        "one row": model.mean(x[:1]),
    }
    for name, value in wanted.items():
        np.testing.assert_allclose(answers[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_classifier_serves_modes_and_no_mean():
    served = DistributionRegression(4, family="categorical", event_size=3).endpoints()
    assert set(served) == {"serving_default", "parameters", "log_prob", "sample", "mode"}


def test_a_graph_may_be_asked_for_no_draws_and_refuses_fewer():
    model = DistributionRegression(4, units=(), family="poisson")
    asked = [tf.TensorSpec((None, 4)), tf.TensorSpec((2,), "int32"), tf.TensorSpec((), "int32")]
    drawn, seed = tf.function(model.sample, input_signature=asked, autograph=False), np.int32([0, 7])
    assert drawn(X[:2], seed, 0).shape == model.sample(X[:2], 7, 0).shape == (0, 2, 1)
    np.testing.assert_array_equal(drawn(X[:2], seed, 3), model.sample(X[:2], 7, 3))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)Poisson.sample needs an integer n .* least 0.*-1"):
        drawn(X[:2], seed, -1)
    with pytest.raises(ValueError, match=r"Poisson.sample .* Received: n=-1"):
        model.sample(X[:2], seed, -1)


def test_samples_lie_as_the_quantiles_say():
    """600 x 60 draws: the share below each row's 0.2 quantile has a standard error of 0.0021; 4.5 of them."""
    model = mixture_network(seed=2)
    below = ops.convert_to_numpy(model.sample(X, seed=0, n=600) <= model.quantile(X, 0.2))
    assert abs(below.mean() - 0.2) < 4.5 * np.sqrt(0.2 * 0.8 / below.size)


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"units": (0,)}, "Received: units=0"),
        ({"features": 0}, "Received: features=0"),
        ({"weight_decay": -1.0}, "Received: weight_decay=-1.0"),
        ({"dropout": 1.0}, "Received: dropout=1.0"),
        ({"family": "cauchy"}, "Received: family='cauchy'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DistributionRegression(**{"features": 4, **arguments})


def test_a_family_instance_is_taken_as_it_is():
    family = Mixture(3, Normal(2, minimum_scale=0.1))
    assert DistributionRegression(4, family=family).family == family
