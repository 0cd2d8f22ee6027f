"""Recipes of the chapters on convolutional networks."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons.softmax_regression import SoftmaxRegression
from keras_course.models.vision.lenet import LeNet
from keras_course.pipeline.plots import confusion_matrix, first_layer_filters, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.pipeline.vision_plots import feature_maps, saliency_maps

__all__ = [
    "lenet",
    "lenet_on_fashion_mnist",
    "lenet_on_mnist",
    "slightly_moved",
    "softmax_regression_on_pixels",
]

EPOCHS, BATCH, STEPS_AN_EPOCH = 60, 32, 40  # 1,257 training digits
BASELINE_STEPS = 200
LARGE_EPOCHS, LARGE_BATCH, LARGE_STEPS = 8, 128, 422  # 54,000 training images


def lenet() -> Recipe:
    """LeNet-5, five times as wide, on 1,797 real digits of 8 x 8 pixels.

    The network of S 9.2 with rectifiers and max pooling, its first two layers padded with zeros because the images are
    small. Every epoch sees the digits turned, zoomed and shifted a little (S 9.3), and Adam's rate falls along a
    cosine, so that the last weights are kept and the validation split decides nothing.
    """
    return Recipe(
        slug="lenet",
        dataset="digits",
        model=lambda spec, seed: LeNet(
            spec.shape, spec.classes, filters=(32, 64), pooling="max", activation="relu", seed=seed
        ),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * STEPS_AN_EPOCH)),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "jit_compile": False,  # XLA bypasses oneDNN's convolutions, which are faster here
            "steps_per_execution": STEPS_AN_EPOCH,
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        augment=slightly_moved,
        augment_draws=4,
        baseline=softmax_regression_on_pixels,
        floor={"accuracy": 0.98},
        figures=(learning_curves, confusion_matrix, worst_mistakes, first_layer_filters, feature_maps, saliency_maps),
    )


def lenet_on_mnist() -> Recipe:
    """LeNet-5 in its own width on 60,000 digits of 28 x 28 pixels, where Keras has or can fetch the files.

    The floor is a quarter of the errors that a linear score a class makes (8.4 % in LeCun et al. 1998, whose LeNet-5
    makes 0.95 %).
    """
    return _on_keras_set("mnist", 0.98)


def lenet_on_fashion_mnist() -> Recipe:
    """The same on 60,000 pictures of clothes, which a linear score a class gets right in 84 of 100 cases."""
    return _on_keras_set("fashion-mnist", 0.86)


def _on_keras_set(name: str, floor: float) -> Recipe:
    """Adam along a cosine, nothing moved: so many images need no others."""
    return Recipe(
        slug="lenet",
        dataset=name,
        model=lambda spec, seed: LeNet(
            spec.shape, spec.classes, pooling="max", activation="relu", padding=("zero", "valid"), seed=seed
        ),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(2e-3, LARGE_EPOCHS * LARGE_STEPS)
            ),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "jit_compile": False,  # as above
        },
        batch_size=LARGE_BATCH,
        epochs=LARGE_EPOCHS,
        baseline=softmax_regression_on_pixels,
        floor={"accuracy": floor},
        figures=(learning_curves, confusion_matrix, worst_mistakes, first_layer_filters, feature_maps, saliency_maps),
    )


def slightly_moved(images: Any, uniforms: Any) -> Any:
    """Turns, zooms and shifts each image a little: a digit stays the digit it was.

    output pixel p shows input point  c + A (p - c) + t,   A = e^-z R(angle)
    angle in +-0.15 rad, z in +-0.1, t in +-0.7 pixels along each axis; bilinear, black outside

    Args:
        images: tensor (B, H, W, C).
        uniforms: tensor (B, 4) in [0, 1).

    Returns:
        Tensor (B, H, W, C).

    Source: S 9.3, C 6.4.
    """
    height, width = images.shape[1:3]
    angle, zoom, right, down = ops.unstack((2.0 * uniforms - 1.0) * ops.array([0.15, 0.1, 0.7, 0.7], "float32"), axis=1)
    cosine, sine = ops.exp(-zoom) * ops.cos(angle), ops.exp(-zoom) * ops.sin(angle)
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    shift_x = right + centre_x - cosine * centre_x + sine * centre_y
    shift_y = down + centre_y - sine * centre_x - cosine * centre_y
    zero = ops.zeros_like(angle)
    transform = ops.stack([cosine, -sine, shift_x, sine, cosine, shift_y, zero, zero], axis=1)  # (B, 8)
    return ops.image.affine_transform(images, transform, "bilinear", "constant", 0.0, data_format="channels_last")


def softmax_regression_on_pixels(dataset: Any, seed: int) -> Baseline:
    """What one linear score a class reaches on the raw pixels, by full-batch Adam."""
    train, test = dataset.train, dataset.test
    model = SoftmaxRegression(train.x[0].size, dataset.spec.classes, seed=seed)
    model.compile(keras.optimizers.Adam(0.05), SoftmaxLoss(), metrics=["accuracy"], steps_per_execution=BASELINE_STEPS)
    whole = tf.data.Dataset.from_tensors((train.x.reshape(len(train.x), -1), train.y))
    # One long epoch: an epoch of Keras costs more than a step.
    model.fit(whole.repeat(BASELINE_STEPS), shuffle=False, verbose=0)
    measured = model.evaluate(test.x.reshape(len(test.x), -1), test.y, verbose=0, return_dict=True)
    return Baseline("softmax regression", {"accuracy": float(measured["accuracy"])})
