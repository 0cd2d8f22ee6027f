"""Recipes that give every pixel a class."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from keras_course.datasets import digit_scenes
from keras_course.layers.convolution import Convolution2D
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.metrics.mean_iou import MeanIoU
from keras_course.models.vision.fcn import FCN
from keras_course.pipeline.plots import learning_curves, show_image
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.pipeline.segmentation_plots import iou_of_classes, name_colours, segmented_images, show_labels

__all__ = ["fully_convolutional", "larger_canvas", "pixel_weights", "softmax_regression_on_patches"]

EPOCHS, BATCH, STEPS_AN_EPOCH = 12, 16, 88  # 1,400 training scenes
PATCH, BASELINE_STEPS, BASELINE_BATCH = 9, 200, 50


def fully_convolutional() -> Recipe:
    """An FCN down to stride 8, with skips from strides 4 and 2, on digits that lie anywhere on a canvas.

    Nine pixels of ten are background, so pixels are weighted by the inverse root of their class's share: unweighted,
    the rarest digits are learned last. Adam's rate falls along a cosine, and the last weights are kept.
    """
    return Recipe(
        slug="fully-convolutional",
        dataset="digit-canvas",
        model=lambda spec, seed: FCN((None, None, spec.shape[-1]), spec.classes, (24, 48, 96), seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * STEPS_AN_EPOCH)),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy", MeanIoU(spec.classes)],
            "jit_compile": False,  # XLA bypasses oneDNN's convolutions, which are faster here
            "steps_per_execution": STEPS_AN_EPOCH,
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        sample_weight=pixel_weights,
        baseline=softmax_regression_on_patches,
        floor={"mean_iou": 0.68},
        figures=(learning_curves, segmented_images, iou_of_classes, larger_canvas),
        tiny={"examples": 64},
    )


def pixel_weights(dataset: Any, seed: int) -> NDArray[np.float32]:
    """A weight for every training pixel: rare classes count more, the mean over all pixels is 1.

    w(pixel) = f_k^(-1/2) / sum_j f_j^(1/2),   f_k the share of its class k among the training pixels

    Args:
        dataset: `Dataset` with label maps.
        seed: unused.

    Returns:
        float32 array (N, H, W).

    Source: C 8.1.12; Eigen and Fergus 2015 (balance by frequency; the root of it is a choice made here).
    """
    labels = dataset.train.y
    share = np.bincount(labels.reshape(-1), minlength=dataset.spec.classes) / labels.size
    root = np.sqrt(share)
    return np.divide(1.0, root * root.sum(), out=np.zeros_like(root), where=root > 0)[labels].astype("float32")


def softmax_regression_on_patches(dataset: Any, seed: int) -> Baseline:
    """What one linear score a class reaches on the 9 x 9 pixels around each pixel.

    Written as a convolution with one filter a class, which is that regression at every pixel at once.
    """
    train, test, classes = dataset.train, dataset.test, dataset.spec.classes
    linear = Convolution2D(classes, PATCH, padding="zero", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((None, None, train.x.shape[-1])), linear])
    steps = BASELINE_STEPS
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, steps)), SoftmaxLoss(),
        metrics=["accuracy", MeanIoU(classes)], steps_per_execution=steps, jit_compile=False,
    )  # fmt: skip
    rows = min(BASELINE_BATCH, len(train))
    weights = pixel_weights(dataset, seed)
    batches = tf.data.Dataset.from_tensor_slices((train.x, train.y, weights)).repeat().batch(rows).take(steps)
    # The examples lie in random order; one long epoch, because an epoch of Keras costs more than a step.
    model.fit(batches, shuffle=False, verbose=0)
    measured = model.evaluate(test.x, test.y, batch_size=rows, verbose=0, return_dict=True)
    metrics = {name: float(measured[name]) for name in ("accuracy", "mean_iou")}
    return Baseline(f"softmax regression on {PATCH} x {PATCH} pixels", metrics)


def larger_canvas(context: Any) -> Any:
    """What the network, trained on 40 x 40 pixels, says of larger scenes with more digits by unseen hands."""
    from matplotlib.figure import Figure

    scenes = digit_scenes(context.seed, "test", 2, side=96, counts=(9, 9))
    classes = context.dataset.spec.classes
    figure = Figure(figsize=(9.0, 5.8), layout="constrained")
    grid = figure.subplots(2, 3)
    shown: Any = None
    for row, scene in zip(grid, scenes, strict=True):
        scores = ops.convert_to_numpy(context.model(scene.image[None], training=False))[0]
        guess = scores.argmax(-1)
        show_image(row[0], scene.image)
        show_labels(row[1], scene.labels, classes)
        shown = show_labels(row[2], guess, classes)
        row[2].set_xlabel(f"{100 * np.mean(guess == scene.labels):.1f} % of the pixels right", fontsize=9)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    for axes, title in zip(grid[0], ("96 x 96 pixels", "truth", "prediction"), strict=True):
        axes.set_title(title, fontsize=10)
    name_colours(figure, shown, grid, context.class_names)
    figure.suptitle(f"{context.recipe.slug}: trained on 40 x 40 pixels, read on 96 x 96", fontsize=11)
    return figure
