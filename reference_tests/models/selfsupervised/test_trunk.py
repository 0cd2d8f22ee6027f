"""The shared trunk: images of any size, seeds of its own, and labels as the yardstick."""

import keras
import numpy as np
import pytest

from keras_course.models.selfsupervised.trunk import image_trunk, require_images, train_supervised, trunk_of

X = np.random.default_rng(0).uniform(size=(24, 6, 6, 1)).astype("float32")


def test_a_trunk_takes_images_of_any_size_and_gives_one_row_of_features_each():
    trunk = image_trunk(1, ((3, 4), (5,)))
    assert tuple(trunk(X).shape) == tuple(trunk(np.zeros((24, 9, 4, 1))).shape) == (24, 5)
    assert trunk.count_params() == (9 * 1 * 3 + 3) + (9 * 3 * 4 + 4) + (9 * 4 * 5 + 5)


def test_one_stage_is_a_convolution_a_relu_and_a_maximum():
    trunk = image_trunk(1, ((3,),), seed=2)
    stock = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 3, padding="same", activation="relu"),
         keras.layers.GlobalMaxPooling2D()]
    )  # fmt: skip
    stock.set_weights(trunk.get_weights())
    assert np.allclose(trunk(X), stock(X), atol=1e-6)


def test_the_same_seed_starts_alike_whatever_was_built_before():
    first = image_trunk(1, ((3,), (4,)), seed=5).get_weights()
    keras.layers.Dense(3).build((None, 2))
    for one, other in zip(first, image_trunk(1, ((3,), (4,)), seed=5).get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(first[0], image_trunk(1, ((3,), (4,)), seed=6).get_weights()[0])


def test_labels_teach_a_trunk_what_they_tell_apart():
    y = (X.mean((1, 2, 3)) > np.median(X.mean((1, 2, 3)))).astype("int32")
    x = X + y[:, None, None, None]
    trunk = image_trunk(1, ((4,),))
    before = trunk.get_weights()[0]
    features = np.asarray(train_supervised(trunk, x, y, 2, epochs=20)(x))
    assert not np.array_equal(before, trunk.get_weights()[0])
    middle = [features[y == k].mean(0) for k in (0, 1)]
    nearer = np.linalg.norm(features - middle[1], axis=1) < np.linalg.norm(features - middle[0], axis=1)
    assert np.mean(nearer == y) == 1.0


def test_a_layer_of_yours_is_taken_as_it_is_and_anything_else_is_refused():
    mine = keras.layers.Flatten()
    assert trunk_of("Pretext", mine, 1, 0, None) is mine
    with pytest.raises(ValueError, match="as trunk. Received: trunk='big'"):
        trunk_of("Pretext", "big", 1, 0, None)
    with pytest.raises(ValueError, match=r"stages=\(3, 4\)"):
        image_trunk(1, (3, 4))
    with pytest.raises(ValueError, match=r"expects images \(B, 6, 6, 1\)"):
        require_images("Pretext", (None, 6, 6, 3), (6, 6, 1))
