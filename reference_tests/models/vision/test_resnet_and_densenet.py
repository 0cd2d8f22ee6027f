"""ResNet and DenseNet: depths and counts, any image size, Keras's networks with the same weights, training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.losses import SoftmaxLoss
from keras_course.models.vision import DenseNet, ResNet, blueprint


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def small_resnet(**arguments):
    return ResNet(**{"depth": 8, "input_shape": (8, 8, 1), "classes": 3, "form": "cifar", "width": 0.25, **arguments})


def small_densenet(**arguments):
    given = {"depth": None, "blocks": (2, 2), "growth_rate": 4, "small_stem": True, **arguments}
    return DenseNet(**{"input_shape": (8, 8, 1), "classes": 3, **given})


def images(count=4, shape=(8, 8, 1), seed=0):
    return np.random.default_rng(seed).random((count, *shape)).astype("float32")


def test_resnet_18_has_the_parameters_of_torchvision():
    plan = blueprint(ResNet, depth=18)
    assert plan.trainable == 11_689_512
    assert plan.stages == {
        "conv1": (112, 112, 64), "conv2": (56, 56, 64), "conv3": (28, 28, 128), "conv4": (14, 14, 256),
        "conv5": (7, 7, 512),
    }  # fmt: skip


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66)])
def test_networks_for_small_images_have_the_sizes_of_the_paper(depth, millions):
    plan = blueprint(ResNet, depth=depth, input_shape=(32, 32, 3), classes=10, form="cifar")
    assert round(plan.trainable / 1e6, 2) == millions
    assert list(plan.stages.values()) == [(32, 32, 16), (32, 32, 16), (16, 16, 32), (8, 8, 64)]


def test_shortcuts_cost_nothing_a_projection_a_change_or_a_projection_a_block():
    a, b, c = (blueprint(ResNet, depth=18, shortcut=option).trainable for option in "ABC")
    changes = sum(m * 2 * m + 2 * 2 * m for m in (64, 128, 256))
    assert b - a == changes
    assert c - b == sum(m * m + 2 * m for m in (64, 64, 128, 256, 512))


def test_any_image_serves_a_resnet_and_29_pixels_a_densenet_of_four_blocks():
    model = small_resnet()
    assert model.smallest_side == 1
    for shape in ((1, 1, 1), (5, 17, 1)):
        assert model(images(2, shape)).shape == (2, 3)
    with tf.Graph().as_default():
        least = DenseNet(121, (None, 29, 3))
        assert least.smallest_side == 29 and least.stage_shapes(29)["block4"] == (1, 1, 1024)
        with pytest.raises(ValueError, match=r"DenseNet needs an image of at least 29 x 29 pixels. Received: 28 x 40"):
            DenseNet(121, (28, 40, 3))
    assert small_densenet().smallest_side == 2
    with pytest.raises(ValueError, match="at least 2 x 2 pixels"):
        small_densenet()(images(1, (1, 4, 1)))


@pytest.mark.parametrize("make", [small_resnet, small_densenet])
def test_a_few_steps_of_training_lower_the_loss(make):
    x, y = images(24), np.arange(24) % 3
    x[np.arange(24), 2 * y] += 1
    model = make()
    model.compile(keras.optimizers.SGD(0.1, 0.9), SoftmaxLoss(), jit_compile=False)
    losses = model.fit(x, y, batch_size=12, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("make", [small_resnet, small_densenet])
def test_a_frozen_trunk_keeps_its_weights_and_its_statistics(make):
    model = make(freeze_trunk=True)
    model.compile(keras.optimizers.SGD(0.5), SoftmaxLoss(), run_eagerly=True)
    before = model.get_weights()
    model.train_on_batch(images(), np.arange(4) % 3)
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(moved) == 2 and len(model.trainable_variables) == 2  # kernel and bias of the dense layer


def test_dropout_thins_the_means_in_training_alone():
    model, x = small_resnet(dropout=0.5), images()
    np.testing.assert_array_equal(model(x), small_resnet()(x))
    assert not np.allclose(model(x, training=True), small_resnet()(x, training=True))
    assert ResNet.from_config(model.get_config()).dropout == 0.5


def test_networks_that_keras_does_not_have_say_so():
    for model in (small_resnet(), small_densenet()):
        for ask in (model.keras_layers, model.keras_application):
            with pytest.raises(ValueError, match=r"keras.applications has .*Received: "):
                ask()
    with tf.Graph().as_default(), pytest.raises(ValueError, match="use_bias=False"):
        ResNet(50).keras_layers()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small_resnet(depth=9), "6 n \\+ 2 layers.*depth=9"),
        (lambda: small_resnet(form="mnist"), "form='mnist'"),
        (lambda: ResNet(20), "depth=20"),
        (lambda: small_resnet(shortcut="D"), "shortcut='D'"),
        (lambda: DenseNet(120), "depth=120"),
        (lambda: DenseNet(121, blocks=(2,)), "a depth or blocks, not both"),
        (lambda: DenseNet(None), "a depth or blocks, not both"),
        (lambda: DenseNet(None, blocks=(2,)), "growth_rate=None"),
        (lambda: DenseNet(None, blocks=(), growth_rate=2), "blocks=\\(\\)"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_exported_network_answers_for_any_batch_and_image_size(tmp_path):
    model = small_resnet(input_shape=(None, None, 1))
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    for count, shape in ((1, (8, 8, 1)), (3, (11, 5, 1))):
        x = images(count, shape)
        answer = served.signatures["logits"](images=tf.constant(x))
        np.testing.assert_allclose(next(iter(answer.values())), model(x), atol=1e-5)


@pytest.mark.parametrize("network", [(ResNet, 34), (ResNet, 50), (ResNet, 101), (ResNet, 152)] + [
    (DenseNet, depth) for depth in (121, 169, 201, 161)
], ids=lambda network: f"{network[0].__name__}-{network[1]}")  # fmt: skip
def test_every_network_of_the_tables_runs_and_takes_a_step_at_reduced_width(network):
    cls, depth = network
    model = cls(depth, (32, 35, 1), classes=2, width=0.06)
    model.compile(keras.optimizers.SGD(1e-3), SoftmaxLoss(), run_eagerly=True)
    x, y = images(2, (32, 35, 1)), np.array([0, 1])
    before = [[array(v) for layer in layers for v in layer.trainable_variables] for layers in model.stages.values()]
    assert np.isfinite(model.train_on_batch(x, y))
    for stage, layers in zip(before, model.stages.values(), strict=True):
        after = [v for layer in layers for v in layer.trainable_variables]
        assert all(np.all(np.isfinite(array(v))) for v in after)
        assert any(not np.array_equal(a, array(v)) for a, v in zip(stage, after, strict=True))


def test_inference_after_one_long_step_fails_by_its_moving_statistics_alone():
    """They have gone half the way to those of the batch, the weights all of theirs; every block multiplies what is left
    over. So a deep narrow network can answer with NaN after one step. Once the statistics follow, it answers as in
    training: neither weights nor epsilon are at fault."""
    x = images(2)
    model = ResNet(20, (8, 8, 1), classes=3, form="cifar", width=0.25, normalization={"momentum": 0.5})
    model.compile(keras.optimizers.SGD(1.0), SoftmaxLoss(), run_eagerly=True)
    model.train_on_batch(x, np.array([0, 1]))
    assert all(np.isfinite(weight).all() for weight in model.weights)
    wild = np.abs(model(x, training=False)).max()
    for _ in range(16):
        logits = array(model(x, training=True))
    assert wild > 1000 * np.abs(logits).max()
    assert np.allclose(model(x, training=False), logits, rtol=0.01)
