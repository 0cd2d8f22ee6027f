"""LeNet: counts, shapes, sizes of images, and that a saved or exported network answers the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.models.vision.lenet import LeNet


def digits(count=8, shape=(8, 8, 1), seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((count, *shape)).astype("float32"), rng.integers(0, 10, count)


def test_the_network_of_1998_with_full_connections_has_61706_parameters():
    model = LeNet(input_shape=(32, 32, 1))
    layers = (model.conv1, model.conv2, model.dense1, model.dense2, model.dense3)
    assert [layer.count_params() for layer in layers] == [156, 2416, 48120, 10164, 850]
    assert model.count_params() == 61706


@pytest.mark.parametrize(
    ("shape", "padding", "parameters"),
    [
        ((28, 28, 1), ("zero", "valid"), 61706),
        ((28, 28, 1), None, 44426),
        ((28, 28, 1), "replicate", 107786),
        ((32, 32, 3), None, 62006),
        ((8, 8, 1), None, 21386),
    ],
)
def test_parameters_follow_from_image_and_padding(shape, padding, parameters):
    assert LeNet(input_shape=shape, padding=padding).count_params() == parameters


def test_it_equals_the_same_network_of_keras_layers():
    model = LeNet(input_shape=(28, 28, 1), padding=("zero", "valid"), pooling="max", activation="relu")
    stock = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(6, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 5, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(120, "relu"),
            keras.layers.Dense(84, "relu"),
            keras.layers.Dense(10),
        ]
    )
    stock.set_weights(model.get_weights())
    x, _ = digits(4, (28, 28, 1))
    np.testing.assert_array_equal(model(x), stock(x))


def test_too_small_an_image_is_refused_with_the_shape_that_came():
    with pytest.raises(ValueError, match=r"larger image.*input_shape=\(3, 8, 1\)"):
        LeNet(input_shape=(3, 8, 1))
    with pytest.raises(ValueError, match="larger image.*padding='valid'"):
        LeNet(input_shape=(8, 8, 1), padding="valid")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (8, 8)}, "input_shape"),
        ({"classes": 0}, "classes=0"),
        ({"filters": 6}, None),
        ({"filters": (6, 16, 3)}, "filters"),
        ({"pooling": "median"}, "pooling='median'"),
        ({"padding": "same"}, "padding='same'"),
        ({"padding": ("zero",)}, "one padding"),
        ({"seed": 0.5}, "seed=0.5"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    if message is None:
        assert LeNet(**arguments).filters == (6, 6)
        return
    with pytest.raises(ValueError, match=message):
        LeNet(**arguments)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError):
        LeNet()(np.zeros((1, 9, 8, 1), "float32"))


def test_the_seed_alone_decides_the_initial_weights():
    first = LeNet(seed=4)
    keras.layers.Dense(3).build((None, 3))
    for a, b in zip(first.get_weights(), LeNet(seed=4).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(first.get_weights()[0] - LeNet(seed=5).get_weights()[0]).max() > 0.01


def test_config_round_trip_keeps_every_argument():
    model = LeNet((28, 28, 3), 7, (8, 12), (50, 40), "max", "relu", ("zero", "valid"), seed=3, name="reader")
    again = LeNet.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert again.count_params() == model.count_params()


def test_a_few_steps_of_training_lower_the_loss():
    x, y = digits(32)
    model = LeNet(filters=(8, 16), pooling="max", activation="relu")
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, batch_size=16, epochs=3, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before


def test_a_saved_model_answers_the_same(tmp_path):
    x, _ = digits()
    model = LeNet(pooling="max", padding=("zero", "replicate"))
    model.save(tmp_path / "lenet.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "lenet.keras")(x), model(x))


def test_every_endpoint_of_an_export_equals_the_live_model_at_any_batch_size(tmp_path):
    model = LeNet()
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export")).signatures
    assert set(served) == {"serving_default", "logits", "class", "code"}
    for count in (1, 5):
        x, _ = digits(count)
        answers = {name: next(iter(function(images=tf.constant(x)).values())) for name, function in served.items()}
        np.testing.assert_allclose(answers["logits"], model(x), atol=1e-5)
        np.testing.assert_allclose(answers["serving_default"], model.probabilities(x), atol=1e-6)
        np.testing.assert_allclose(np.sum(answers["serving_default"], axis=1), 1.0, atol=1e-6)
        np.testing.assert_array_equal(answers["class"], np.argmax(model(x), axis=1))
        np.testing.assert_allclose(answers["code"], model.code(x), atol=1e-5)
        assert answers["class"].dtype == tf.int32


def test_first_layer_filters_are_the_kernel_of_the_first_convolution():
    model = LeNet(filters=(6, 16))
    assert model.first_layer_filters.shape == (5, 5, 1, 6)


def test_mixed_precision_trains_and_gives_float32_probabilities():
    x, y = digits()
    model = LeNet(dtype="mixed_bfloat16")
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, verbose=0)
    assert model.conv1.kernel.dtype == "float32"
    assert model.probabilities(x).dtype == tf.float32
    assert LeNet(dtype="float64")(x).dtype == tf.float64
