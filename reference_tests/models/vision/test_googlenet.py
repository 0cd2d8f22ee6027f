"""GoogLeNet: the table counted, auxiliary classifiers that teach in training and are silent afterwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.vision.googlenet import MODULES, Decisions, GoogLeNet
from keras_course.models.vision.image_classifier import blueprint

SHALLOW = {"input_shape": (24, 24, 1), "classes": 3, "width": 1 / 16, "modules": ("3a", "4a", "4d")}


def images(count=6, side=24, seed=0):
    return np.random.default_rng(seed).random((count, side, side, 1)).astype("float32")


def labels(count=6):
    return np.arange(count, dtype="int32") % 3


def compiled(**arguments):
    model = GoogLeNet(**{**SHALLOW, **arguments})
    model.compile(keras.optimizers.SGD(0.1), SoftmaxLoss(), metrics=["accuracy"])
    return model


def test_sizes_and_parameters_of_the_table():
    counted, plain = blueprint(GoogLeNet), blueprint(GoogLeNet, auxiliary=False)
    assert (plain.parameters, counted.parameters) == (6_998_552, 13_378_280)
    assert counted.layers["inception_3a"] == 163_696 and counted.layers["inception_5b"] == 1_444_080
    assert counted.stages["pool2"] == (28, 28, 192) and counted.stages["inception_4d"] == (14, 14, 528)
    assert counted.stages == plain.stages and list(counted.stages)[-1] == "inception_5b"
    assert counted.layers["auxiliary_4a_hidden"] == (4 * 4 * 128 + 1) * 1024


def test_all_nine_modules_learn_in_one_step_at_reduced_width():
    model = compiled(modules=None, width=1 / 4, kernel_initializer="he_normal", seed=1)
    model.run_eagerly = True
    before = {name: getattr(model, f"inception_{name}").get_weights() for name in MODULES}
    assert np.isfinite(model.train_on_batch(images(), labels())[0])
    for name, weights in before.items():
        after = getattr(model, f"inception_{name}").get_weights()
        moved = [not np.array_equal(a, b) for a, b in zip(weights, after, strict=True)]
        assert all(moved[::2]), name


def test_the_whole_network_runs_at_small_width_and_any_size():
    model = GoogLeNet((None, None, 3), 4, auxiliary=False, width=1 / 32)
    for side in (17, 40):
        assert model(np.ones((2, side, side + 3, 3), "float32")).shape == (2, 4)
    assert model.stage_shapes(224, 97)["inception_5b"] == (7, 4, 32)


def test_the_stem_is_that_of_stock_layers_with_the_same_weights():
    model, x = GoogLeNet(**SHALLOW, seed=2), images()

    def convolution(maps, layer, **kwargs):
        own = keras.layers.Conv2D(layer.filters, layer.kernel_size, activation="relu", **kwargs)
        own.build(maps.shape)
        own.set_weights(layer.get_weights())
        return own(maps)

    pool = keras.layers.MaxPooling2D(3, 2, padding="same")
    h = convolution(np.pad(x, ((0, 0), (3, 3), (3, 3), (0, 0))), model.conv1, strides=2)
    h = tf.nn.local_response_normalization(pool(h), 2, 2.0, 1e-4, 0.75)
    h = convolution(convolution(h, model.conv2_reduce), model.conv2, padding="same")
    h = pool(tf.nn.local_response_normalization(h, 2, 2.0, 1e-4, 0.75))
    for layer in (model.inception_3a, pool, model.inception_4a, model.inception_4d):
        h = layer(h)
    np.testing.assert_allclose(model.features(x), h, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.code(x), np.mean(h, axis=(1, 2)), rtol=1e-5, atol=1e-6)


def test_training_says_three_things_and_inference_one():
    model, x = GoogLeNet(**SHALLOW, dropout=0.0), images()
    decisions = model(x, training=True)
    assert isinstance(decisions, Decisions) and len(decisions.auxiliary) == 2
    np.testing.assert_allclose(decisions.logits, model(x), rtol=1e-5, atol=1e-6)
    maps = x
    for layer in model.trunk[: model.trunk.index(model.inception_4a) + 1]:
        maps = layer(maps)
    np.testing.assert_allclose(decisions.auxiliary[0], model.auxiliary_logits("4a", maps), rtol=1e-5, atol=1e-6)
    assert GoogLeNet(**SHALLOW, auxiliary=False)(x, training=True).shape == (6, 3)


@pytest.mark.parametrize("penalty", [None, 0.1])
def test_the_loss_is_j_plus_three_tenths_of_each_auxiliary_one_and_penalties_count_once(penalty):
    model, x, y = compiled(dropout=0.0), images(), labels()
    if penalty:
        model.predictions.kernel_regularizer = keras.regularizers.L2(penalty)
        model.predictions.kernel.regularizer = model.predictions.kernel_regularizer
    decisions = model(x, training=True)
    losses = [float(SoftmaxLoss()(y, logits)) for logits in (decisions.logits, *decisions.auxiliary)]
    wanted = losses[0] + 0.3 * (losses[1] + losses[2])
    wanted += (penalty or 0.0) * float(np.sum(np.square(model.predictions.get_weights()[0])))
    assert float(model.compute_loss(x, y, decisions, None, training=True)) == pytest.approx(wanted, rel=1e-5)
    other = GoogLeNet.from_config({**model.get_config(), "auxiliary_weight": 0.0})
    other.compile("sgd", SoftmaxLoss())
    assert float(other.compute_loss(x, y, decisions, None)) == pytest.approx(losses[0], rel=1e-5)


def test_auxiliary_classifiers_and_the_layers_below_them_get_gradients_from_their_losses():
    model, x, y = compiled(dropout=0.0, width=1 / 4, seed=1), images(), labels()
    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = sum(SoftmaxLoss()(y, logits) for logits in model(x, training=True).auxiliary)
    largest = {
        variable.path: None if gradient is None else float(tf.reduce_max(tf.abs(gradient)))
        for variable, gradient in zip(model.trainable_variables, tape.gradient(loss, variables), strict=True)
    }
    untouched = {path.split("/")[-2] for path, value in largest.items() if value is None}
    assert untouched == {"predictions"}
    assert all(value > 0 for path, value in largest.items() if path.endswith("kernel") and value is not None)


def test_a_step_of_fit_moves_them_and_evaluate_does_not_ask_them():
    model, x, y = compiled(), images(), labels()
    before = model.auxiliary_4a_logits.get_weights()[0]
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert set(history) == {"accuracy", "loss"}
    assert np.abs(model.auxiliary_4a_logits.get_weights()[0] - before).max() > 0
    measured = model.evaluate(x, y, verbose=0, return_dict=True)
    model.auxiliary_4a_logits.set_weights([np.full_like(before, 1e3), np.zeros(3)])
    assert model.evaluate(x, y, verbose=0, return_dict=True) == measured
    assert measured["loss"] == pytest.approx(float(SoftmaxLoss()(y, model(x))), rel=1e-5)


def test_the_export_answers_for_any_size_and_holds_no_auxiliary_classifier(tmp_path):
    model, x = GoogLeNet(**SHALLOW, seed=4), images(3, 31)
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    np.testing.assert_allclose(served.signatures["logits"](images=tf.constant(x))["output_0"], model(x), atol=1e-5)
    plain = model.without_auxiliary()
    assert sum(int(np.prod(v.shape)) for v in served.variables) == plain.count_params() < model.count_params()
    np.testing.assert_array_equal(plain(x), model(x))


def test_a_frozen_trunk_leaves_the_head_and_the_auxiliary_classifiers_learning():
    model = GoogLeNet(**SHALLOW, freeze_trunk=True)
    names = {variable.path.split("/")[-2] for variable in model.trainable_variables}
    assert names == {"predictions"} | {
        f"auxiliary_{at}_{part}" for at in ("4a", "4d") for part in ("conv", "hidden", "logits")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"modules": ("4a", "3a")}, "in order"),
        ({"modules": ("3a", "6a")}, "in order"),
        ({"modules": ()}, "modules="),
        ({"modules": ("3a",)}, "auxiliary=False"),
        ({"input_shape": (None, 24, 1)}, "known height and width"),
        ({"auxiliary_weight": -0.1}, "auxiliary_weight=-0.1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GoogLeNet(**{**SHALLOW, **arguments})
