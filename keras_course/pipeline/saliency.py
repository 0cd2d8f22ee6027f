"""Which pixels a class score hangs on: the gradient of the score by the image.

    slope(x)[i, j, c] = d score_k(x) / d x[i, j, c]            score_k: the logit of class k, before the softmax
    saliency(x)[i, j] = max_c |slope(x)[i, j, c]|
    smooth(x)         = the same of the mean slope at x + noise: speckle of single points averages out (SmoothGrad)

It says where a small change would move the score most, at this image and these weights; not why the model decides so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from keras_course.core.backend import gradient
from keras_course.core.seeds import normal_noise, stateless_seed
from keras_course.core.shapes import require_positive_int, require_rank

__all__ = ["saliency", "score_slopes", "smooth_saliency"]

Score = Callable[[Any], Any]


def score_slopes(model: Any, images: Any, classes: Any = None, score: Score | None = None) -> Any:
    """The gradient of each image's class score by its own pixels, with signs.

    slope[b] = d score(images)[b, classes[b]] / d images[b]

    The model runs with training=False, so that the rows of a batch do not depend on each other.

    Args:
        model: callable on images with training=False, e.g. a Keras classifier of any kind; gives logits (B, K).
        images: floating array or tensor (B, H, W, C), or (B, ...) of another rank.
        classes: int array (B,), one class an image; None takes the most probable one.
        score: callable(images) -> tensor (B, K), where the model's output is no score, e.g. `model.log_probability`.

    Returns:
        Tensor of the images' shape.

    Raises:
        ValueError: for scores that are not (B, K), or classes that are not (B,) integers below K.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
        >>> model.set_weights([np.array([[1.0, -3.0], [2.0, 0.5]])])
        >>> ops.convert_to_numpy(score_slopes(model, np.ones((1, 2), "float32"), [1])).tolist()
        [[-3.0, 0.5]]

    Source: C 9.1.6; Simonyan, Vedaldi, Zisserman 2014.
    """
    images = _floating(model, images)
    return _slopes("score_slopes", model, images, classes, score)(images)


def _slopes(who: str, model: Any, images: Any, classes: Any, score: Score | None) -> Score:
    """The function from images to slopes of the chosen scores, after all checks."""
    score = score or (lambda x: model(x, training=False))
    scores = ops.convert_to_tensor(score(images))
    require_rank(who, scores.shape, 2)
    count = int(scores.shape[1])
    chosen = ops.convert_to_numpy(ops.argmax(scores, axis=-1)) if classes is None else np.asarray(classes)
    fine = chosen.shape == (images.shape[0],) and chosen.dtype.kind in "iu"
    if not fine or (chosen.size and not (0 <= chosen.min() and chosen.max() < count)):
        raise ValueError(
            f"{who} needs one class in [0, {count}) for each of {images.shape[0]} images. Received: {classes=}"
        )
    one_hot = ops.one_hot(chosen, count, dtype=scores.dtype)  # (B, K)
    return lambda x: gradient(lambda x: ops.sum(one_hot * score(x)), x)


def saliency(model: Any, images: Any, classes: Any = None, score: Score | None = None) -> Any:
    """How strongly each pixel moves the score of a class.

    saliency[b, i, j] = max_c |d score(images)[b, classes[b]] / d images[b, i, j, c]|

    Args:
        model: as `score_slopes`.
        images: array (B, H, W, C).
        classes: as `score_slopes`.
        score: as `score_slopes`.

    Returns:
        Tensor (B, H, W), at least 0.

    Raises:
        ValueError: as `score_slopes`, or for images of another rank than 4.

    Example:
        >>> model = keras.Sequential([keras.Input((1, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> model.set_weights([np.array([[1.0, -3.0], [2.0, 0.5]]), np.zeros(2)])
        >>> ops.convert_to_numpy(saliency(model, np.ones((1, 1, 2, 1), "float32"), [1])).tolist()
        [[[3.0, 0.5]]]

    Source: C 9.1.6; Simonyan, Vedaldi, Zisserman 2014.
    """
    require_rank("saliency", np.shape(images), 4)
    return ops.max(ops.abs(score_slopes(model, images, classes, score)), axis=-1)


def smooth_saliency(
    model: Any,
    images: Any,
    classes: Any = None,
    score: Score | None = None,
    draws: int = 32,
    noise: float = 0.15,
    seed: int = 0,
) -> Any:
    """Saliency of the mean slope around an image, whose single points no longer speckle.

    smooth[b, i, j] = max_c |1/n sum_m slope(x_b + s_b e_m)[i, j, c]|,   e_m ~ N(0, 1)
    s_b = noise (max x_b - min x_b)

    Args:
        model: as `score_slopes`.
        images: array (B, H, W, C).
        classes: as `score_slopes`; None takes the most probable class of the image without noise.
        score: as `score_slopes`.
        draws: int n.
        noise: standard deviation of the noise, as a share of the image's range.
        seed: int; the same seed draws the same noise.

    Returns:
        Tensor (B, H, W), at least 0.

    Raises:
        ValueError: as `saliency`, for draws below 1 or a negative noise.

    Example:
        >>> model = keras.Sequential([keras.Input((1, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
        >>> model.set_weights([np.array([[1.0, -3.0], [2.0, 0.5]]), np.zeros(2)])
        >>> ops.convert_to_numpy(smooth_saliency(model, np.ones((1, 1, 2, 1), "float32"), [1])).tolist()
        [[[3.0, 0.5]]]

    Source: C 9.1.6; Smilkov, Thorat, Kim, Viegas, Wattenberg 2017.
    """
    require_rank("smooth_saliency", np.shape(images), 4)
    require_positive_int("smooth_saliency", draws=draws)
    if not noise >= 0:
        raise ValueError(f"smooth_saliency needs a noise of at least 0. Received: {noise=}")
    images = _floating(model, images)
    slopes = tf.function(
        _slopes("smooth_saliency", model, images, classes, score), autograph=False
    )  # called `draws` times
    width = noise * (ops.max(images, axis=(1, 2, 3), keepdims=True) - ops.min(images, axis=(1, 2, 3), keepdims=True))
    total = ops.zeros_like(images)
    for draw in range(draws):
        drawn = normal_noise(tuple(images.shape), stateless_seed(seed, "smooth_saliency", draw))
        total = total + slopes(images + width * ops.cast(drawn, images.dtype))
    return ops.max(ops.abs(total / draws), axis=-1)


def _floating(model: Any, images: Any) -> NDArray[Any] | Any:
    """The images in the model's own floating type, which a gradient needs."""
    return ops.cast(ops.convert_to_tensor(images), getattr(model, "compute_dtype", None) or keras.config.floatx())
