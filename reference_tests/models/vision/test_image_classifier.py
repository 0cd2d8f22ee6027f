"""The base of the zoo: any size, frozen trunks, masks that repeat, counts without allocation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.layers.batch_normalization import BatchNormalization
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import MaxPooling
from keras_course.models.vision.image_classifier import ImageClassifier, blueprint, parameter_count
from keras_course.models.vision.lenet import LeNet


@keras.saving.register_keras_serializable(package="tests", name="TwoStages")
class TwoStages(ImageClassifier):
    """Convolution, normalization, pooling; global average, hidden units, logits."""

    def __init__(self, input_shape=(8, 8, 1), classes=3, **kwargs):
        super().__init__(input_shape, classes, **kwargs)
        kernel = keras.initializers.GlorotUniform(self.seed_of("conv", "kernel"))
        self.add_stage(
            "first",
            Convolution2D(self.scaled(4), 3, kernel_initializer=kernel, name="conv"),
            BatchNormalization(name="norm"),
        )
        self.add_stage("second", MaxPooling(2, name="pool"))
        self.add_head(
            keras.layers.GlobalAveragePooling2D(name="mean"),
            keras.layers.Dense(self.scaled(6), "relu", name="hidden"),
            keras.layers.Dense(self.classes, name="logits"),
            dropped=("hidden",),
        )
        self.build((None, *self.image_shape))


def images(count=6, side=8, seed=0):
    return np.random.default_rng(seed).random((count, side, side, 1)).astype("float32")


def test_stages_sizes_and_the_smallest_image_follow_from_the_layers():
    model = TwoStages()
    assert model.stage_shapes() == {"first": (6, 6, 4), "second": (3, 3, 4)}
    assert model.stage_shapes(10, 5) == {"first": (8, 3, 4), "second": (4, 1, 4)}
    assert TwoStages((None, None, 1)).stage_shapes() == {"first": (None, None, 4), "second": (None, None, 4)}
    assert model.smallest_side == 4
    for wrong in (lambda: TwoStages((3, 9, 1)), lambda: model.stage_shapes(3, 9), lambda: model(images(side=3))):
        with pytest.raises(ValueError, match=r"TwoStages needs an image of at least 4 x 4 pixels. Received: 3 x"):
            wrong()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (8, 8)}, r"Received: input_shape=\(8, 8\)"),
        ({"input_shape": (8, 8, None)}, "input_shape"),
        ({"input_shape": (8, 0, 1)}, "input_shape"),
        ({"input_shape": 8}, "input_shape=8"),
        ({"classes": 0}, "classes=0"),
        ({"width": 0.0}, "width=0.0"),
        ({"dropout": 1.0}, "rate"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TwoStages(**arguments)


def test_dense_layers_on_pixels_need_a_known_size():
    with pytest.raises(ValueError, match="LeNet needs a known height and width"):
        LeNet((None, 8, 1))


def test_two_layers_of_one_name_and_names_of_the_model_are_refused():
    for name in ("conv", "layers"):
        with pytest.raises(ValueError, match=f"name='{name}'"):
            TwoStages().add_stage("third", MaxPooling(2, name=name))


def test_width_scales_and_rounds_halves_up():
    assert [TwoStages(width=width).scaled(5) for width in (0.5, 0.01, 2.0)] == [3, 1, 10]
    assert TwoStages(width=0.5).stage_shapes()["first"] == (6, 6, 2)


def test_a_blueprint_counts_what_the_built_network_has_and_allocates_nothing():
    counted = blueprint(TwoStages)
    model = TwoStages()
    assert counted.parameters == parameter_count(TwoStages) == model.count_params()
    assert counted.trainable == counted.parameters - 2 * 4  # moving mean and variance of four maps
    assert counted.layers == {"conv": 40, "norm": 16, "hidden": 30, "logits": 21}
    assert counted.stages == model.stage_shapes()
    assert parameter_count(TwoStages, width=25_000.0) == 10 * 10**5 + 4 * 10**5 + (10**5 + 1) * 150_000 + 450_003
    model(images())  # the graph of the blueprint is gone


def test_a_frozen_trunk_keeps_weights_and_statistics_while_the_head_learns():
    model = TwoStages(freeze_trunk=True)
    model.compile(keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = model.get_weights()
    model.fit(images(), np.arange(6) % 3, epochs=2, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == [False] * 6 + [True] * 4
    np.testing.assert_array_equal(model(images(), training=True), model(images(), training=False))

    model.freeze_trunk = False
    model.compile(keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images(), np.arange(6) % 3, epochs=2, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_frozen_model_is_loaded_frozen(tmp_path):
    model = TwoStages(freeze_trunk=True, dropout=0.25, width=2.0, seed=3)
    model.save(tmp_path / "frozen.keras")
    again = keras.saving.load_model(tmp_path / "frozen.keras")
    assert again.get_config() == model.get_config()
    assert [v.path.split("/")[-2] for v in again.trainable_variables] == ["hidden", "hidden", "logits", "logits"]
    np.testing.assert_array_equal(again(images()), model(images()))


def test_masks_are_those_of_the_step_and_thin_the_named_layers_in_training_only():
    model = TwoStages(dropout=0.5, seed=1)
    model.compile("sgd", "mse")
    whole, thin = model.code(images()), model.code(images(), training=True)
    dropped = (np.asarray(thin) == 0) & (np.asarray(whole) > 0)
    assert 0 < dropped.sum() < (np.asarray(whole) > 0).sum()
    np.testing.assert_allclose(np.asarray(thin)[~dropped], 2.0 * np.asarray(whole)[~dropped], rtol=1e-6)
    np.testing.assert_array_equal(thin, model.code(images(), training=True))
    model.optimizer.iterations.assign(1)
    assert not np.array_equal(thin, model.code(images(), training=True))
    never = TwoStages()
    np.testing.assert_array_equal(never.code(images(), training=True), never.code(images()))


def test_an_export_answers_for_any_batch_and_any_size_of_image(tmp_path):
    model = TwoStages()
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export")).signatures
    for count, side in ((1, 4), (5, 11)):
        x = images(count, side)
        np.testing.assert_allclose(served["logits"](images=tf.constant(x))["output_0"], model(x), atol=1e-5)
    np.testing.assert_array_equal(model.features(x).shape, (5, 4, 4, 4))
    with pytest.raises(ValueError, match="rank 4"):
        model.features(x[0])


def test_lenet_is_one_of_them():
    assert LeNet((32, 32, 1)).stage_shapes() == {
        "conv1": (28, 28, 6), "pool1": (14, 14, 6), "conv2": (10, 10, 16), "pool2": (5, 5, 16),
    }  # fmt: skip
    assert [layer.name for layer in LeNet(freeze_trunk=True).layers if layer.trainable and layer.weights] == [
        "dense1", "dense2", "dense3",
    ]  # fmt: skip
    assert LeNet(width=2.0).stage_shapes()["conv1"] == (8, 8, 12)
