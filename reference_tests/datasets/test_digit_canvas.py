"""Digits on a canvas: repeatable, every pixel labelled by what lies there, other hands in every part."""

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.datasets import Spec, Split, check_split, digit_scene, digit_scenes, from_arrays, load
from keras_course.datasets.arrays import digest

RECORDED = ("7c4faa568bab96d8", "bc97497c4f9db8aa")  # sha256 of images and labels


@pytest.fixture(scope="module")
def canvases():
    return load("digit-canvas", seed=3)


def test_counts_shapes_and_classes(canvases):
    spec = canvases.spec
    assert [len(part) for part in (canvases.train, canvases.validation, canvases.test)] == [1400, 200, 400]
    assert canvases.train.x.shape[1:] == spec.shape == (40, 40, 1) and canvases.train.x.dtype == np.float32
    assert canvases.train.y.shape[1:] == spec.label_shape == (40, 40) and canvases.train.y.dtype == np.int32
    assert spec.classes == len(spec.class_names) == 11 and set(np.unique(canvases.test.y)) == set(range(11))
    assert 0 <= canvases.train.x.min() and canvases.train.x.max() <= 1 and spec.sha256


def test_a_scene_is_a_pure_function_of_seed_part_and_index(canvases):
    scenes = digit_scenes(3, "test", 4)
    assert np.array_equal(scenes[3].image, canvases.test.x[3]) and np.array_equal(scenes[3].labels, canvases.test.y[3])
    again, other = digit_scenes(3, "test", 2), digit_scenes(4, "test", 2)
    assert np.array_equal(again[1].image, scenes[1].image) and not np.array_equal(other[1].image, scenes[1].image)
    assert not np.array_equal(digit_scenes(3, "train", 1)[0].image, scenes[0].image)


def test_the_bits_are_the_recorded_ones():
    """Whatever machine: raw bits of Philox, sums and products."""
    scenes = digit_scenes(0, "train", 20)
    assert digest(np.stack([scene.image for scene in scenes])).startswith(RECORDED[0])
    assert digest(np.stack([scene.labels for scene in scenes])).startswith(RECORDED[1])


def test_labels_are_where_the_digits_are_and_say_which():
    for scene in digit_scenes(0, "validation", 30, noise=0.0):
        covered = np.zeros(scene.labels.shape, int)
        for digit, top, left, size in zip(scene.digits, scene.top, scene.left, scene.size, strict=True):
            box = (slice(top, top + size), slice(left, left + size))
            covered[box] += 1
            assert set(np.unique(scene.labels[box])) <= {0, 1 + digit} and np.any(scene.labels[box])
            assert 10 <= size <= 16
        assert covered.max() == 1  # no two overlap
        assert not np.any(scene.labels[covered == 0]) and not np.any(scene.image[covered == 0])
        ink = scene.image[..., 0]
        assert ink[scene.labels > 0].min() > 0.35 - 1e-6 and ink[scene.labels == 0].max() < 0.35 + 1e-6  # float32


def test_parts_draw_from_the_handwriting_of_their_own_part():
    """A digit drawn at its own size without noise is an image of the part's split, and of no other."""
    digits = load("digits", seed=5)
    drawn = {}
    for part in ("train", "validation", "test"):
        scenes = digit_scenes(5, part, 40, side=8, sizes=(8, 8), counts=(1, 1), noise=0.0)
        drawn[part] = {scene.image.tobytes() for scene in scenes}
        own = {image.tobytes() for image in getattr(digits, part).x}
        assert drawn[part] <= own
    assert not drawn["train"] & {image.tobytes() for image in digits.test.x}
    assert not drawn["test"] & {image.tobytes() for image in digits.train.x}


def test_all_digits_sizes_and_numbers_come_about_equally_often():
    scenes = digit_scenes(1, "train", 600, side=64)
    digits = np.concatenate([scene.digits for scene in scenes])
    sizes = np.concatenate([scene.size for scene in scenes])
    numbers = np.bincount([len(scene.digits) for scene in scenes], minlength=4)
    for counts in (np.bincount(digits), np.bincount(sizes)[10:], numbers[1:]):
        share = len(counts) * counts / counts.sum()
        assert np.all(np.abs(share - 1) < 5 * np.sqrt(len(counts) / counts.sum())), counts  # 5 standard errors


def test_a_full_canvas_leaves_digits_out_and_keeps_at_least_one():
    scene = digit_scene(np.ones((1, 8, 8)), np.array([4]), 0, 0, side=10, sizes=(8, 8), counts=(5, 5))
    assert len(scene.digits) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (10, 50)}, r"sizes=\(10, 50\)"),
        ({"counts": (0, 3)}, r"counts=\(0, 3\)"),
        ({"noise": 1.5}, "noise=1.5"),
        ({"part": "all"}, "part='all'"),
        ({"count": 0}, "count=0"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        digit_scenes(**{"seed": 0, "part": "train", "count": 1, **arguments})


def test_own_label_maps_are_checked_and_split():
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 4, 5, 1)), rng.integers(0, 3, (20, 4, 5))
    data = from_arrays(x, y, name="mine", classes=3, label_shape=(4, 5))
    assert data.train.y.shape == (14, 4, 5) and data.train.y.dtype == np.int32 and data.spec.label_shape == (4, 5)
    y[7, 2, 4] = 3
    with pytest.raises(InvalidDataError, match=r"must lie in \[0, 3\). Received: y\[7, 2, 4\]=3"):
        from_arrays(x, y, name="mine", classes=3, label_shape=(4, 5))
    with pytest.raises(InvalidDataError, match=r"of shape \(N, 5, 4\). Received: y.shape=\(20, 4, 5\)"):
        from_arrays(x, y, name="mine", classes=3, label_shape=(5, 4))
    with pytest.raises(InvalidDataError, match=r"of shape \(N,\). Received: y.shape=\(20, 4, 5\)"):
        check_split(Split(x, y), Spec("mine", "classification", (4, 5, 1), classes=3), "train")
    with pytest.raises(ValueError, match="no label_shape"):
        Spec("mine", "regression", (4,), targets=1, label_shape=(4,))
