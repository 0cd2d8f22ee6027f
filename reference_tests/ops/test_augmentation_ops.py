"""Images moved and changed, sound, noise, typos: against NumPy, SciPy and Keras, and by enumeration."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage, stats

from keras_course.core.backend import jacobian
from keras_course.ops import (
    add_echo,
    bilinear,
    blur_images,
    choose,
    in_range,
    keyboard_neighbours,
    mix_noise,
    neighbour_table,
    omit_tokens,
    rotate_images,
    scale_images,
    select_by_example,
    sharpen_images,
    shift_colours,
    shift_images,
    standard_normals,
    substitute_neighbours,
    substitute_others,
)
from keras_course.ops.augmentation_warps import affine_images

IMAGES = np.random.default_rng(0).normal(size=(4, 5, 6, 2)).astype("float32")


def array(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32") if "float" in str(tensor.dtype) else tensor))


def repeated(image, times):
    return np.repeat(np.asarray(image, "float32")[None, :, :, None], times, axis=0)


def test_a_shift_by_whole_pixels_is_a_roll_with_fill():
    image = np.arange(1.0, 31.0).reshape(5, 6)
    shifts = list(itertools.product((-6, -2, -1, 0, 1, 3, 7), repeat=2))
    came = array(shift_images(repeated(image, len(shifts)), *np.float32(shifts).T, fill=-1.0))[..., 0]
    for (down, right), moved in zip(shifts, came, strict=True):
        wanted = np.full((5, 6), -1.0)
        rolled = np.roll(image, (down, right), axis=(0, 1))
        rows, columns = (np.arange(size) - by for size, by in ((5, down), (6, right)))
        kept = ((rows >= 0) & (rows < 5))[:, None] & ((columns >= 0) & (columns < 6))[None]
        wanted[kept] = rolled[kept]
        np.testing.assert_array_equal(moved, wanted)


def test_a_shift_by_half_a_pixel_is_the_mean_of_two():
    came = array(shift_images(IMAGES, np.zeros(4), np.full(4, 0.5)))
    np.testing.assert_allclose(came[:, :, 1:], (IMAGES[:, :, 1:] + IMAGES[:, :, :-1]) / 2, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [4, 5])
def test_a_quarter_turn_is_numpys_rot90_and_anticlockwise(size):
    image = np.random.default_rng(1).normal(size=(size, size))
    angles = np.float32([0, 1, 2, 3, -1]) * np.pi / 2
    came = array(rotate_images(repeated(image, 5), angles))[..., 0]
    for turned, quarters in zip(came, (0, 1, 2, 3, -1), strict=True):
        np.testing.assert_allclose(turned, np.rot90(image, quarters), atol=2e-6)
    assert np.abs(came[1] - np.rot90(image, -1)).max() > 0.1  # the other direction would show


def test_half_a_turn_flips_both_axes_of_an_oblong_image():
    came = array(rotate_images(IMAGES, np.full(4, np.pi)))
    np.testing.assert_allclose(came, IMAGES[:, ::-1, ::-1], atol=3e-6)


def test_scaling_by_two_is_the_middle_of_scipys_zoom():
    image = np.random.default_rng(2).normal(size=(5, 7))
    zoomed = ndimage.zoom(image, (9 / 5, 13 / 7), order=1)
    np.testing.assert_allclose(array(scale_images(repeated(image, 1), [2.0]))[0, :, :, 0], zoomed[2:7, 3:10], rtol=1e-5)


def test_what_shrinks_is_surrounded_by_fill():
    came = array(scale_images(np.ones((1, 7, 7, 1), "float32"), [0.5], fill=3.0))[0, :, :, 0]
    assert np.all(came[2:5, 2:5] == 1) and np.all(came[[0, -1]] == 3) and np.all(came[:, [0, -1]] == 3)


def test_a_turn_is_kerass_affine_transform():
    angle = np.float32([0.4, -1.1, 2.0, 0.1])
    cosine, sine, zero = np.cos(angle), np.sin(angle), np.zeros(4)
    x, y = 2.5, 2.0  # Keras maps output (x, y) to input places: x' = a0 x + a1 y + a2
    rows = [cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y, zero, zero]
    transform = np.stack(rows, axis=1).astype("float32")
    theirs = ops.image.affine_transform(IMAGES, transform, "bilinear", "constant", 0.25, data_format="channels_last")
    np.testing.assert_allclose(array(rotate_images(IMAGES, angle, fill=0.25)), array(theirs), atol=2e-6)


def test_all_at_once_is_scipys_affine_transform():
    down, right, angle, factor, shear = 0.7, -0.4, 0.5, 1.3, 0.25
    image = np.random.default_rng(5).normal(size=(6, 7))
    sine, cosine = np.sin(angle), np.cos(angle)
    matrix, centre = np.array([[cosine, sine + shear], [-sine, cosine]]) / factor, np.array([2.5, 3.0])
    offset = centre - matrix @ centre - [down, right]
    wanted = ndimage.affine_transform(image, matrix, offset, order=1, mode="grid-constant", cval=0.25)
    amounts = ([value] * 2 for value in (down, right, angle, factor, shear))
    came = array(affine_images(repeated(image, 2), *amounts, fill=0.25))[1, :, :, 0]
    np.testing.assert_allclose(came, wanted, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
def test_nothing_done_changes_no_bit_in_any_dtype(dtype):
    x, zero = ops.cast(IMAGES, dtype), np.zeros(4)
    sound = ops.reshape(x, (4, 60))
    for came, was in (
        (shift_images(x, zero, zero, fill=9.0), x),
        (scale_images(x, zero + 1, fill=9.0), x),
        (rotate_images(x, zero, fill=9.0), x),
        (affine_images(x, zero, zero, zero, zero + 1, zero, fill=9.0), x),
        (shift_colours(x, np.zeros((4, 2))), x),
        (blur_images(x, zero), x),
        (sharpen_images(x, zero), x),
        (add_echo(sound, [0, 1, 5, 90], zero), sound),
        (add_echo(sound, [60, 61, 75, 90], zero + 1), sound),  # an echo after the end is not heard
    ):
        assert keras.backend.standardize_dtype(came.dtype) == dtype
        assert bool(ops.all(came == was))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_places_are_not_rounded_with_the_images_they_belong_to(dtype):
    image = ops.cast(np.random.default_rng(3).integers(0, 2, (1, 1, 900, 1)), dtype)  # bfloat16 counts to 256
    moved = array(shift_images(image, [0.0], [1.0]))
    np.testing.assert_array_equal(moved[:, :, 1:], array(image)[:, :, :-1])


def test_every_pixel_of_a_moved_image_is_linear_in_the_image():
    image = np.random.default_rng(4).normal(size=(1, 3, 4, 1))
    for move in (lambda x: shift_images(x, [0.3], [-1.2]), lambda x: rotate_images(x, [0.7])):
        matrix = array(jacobian(move, ops.convert_to_tensor(image))).reshape(12, 12)
        np.testing.assert_allclose(matrix @ image.ravel(), array(move(image)).ravel(), rtol=1e-5, atol=1e-6)
        assert matrix.min() >= 0 and matrix.sum(1).max() <= 1 + 1e-6  # each a mean of at most four


def test_far_outside_there_is_nothing_but_fill():
    places = np.full((4, 2, 2), 1e9, "float32")
    assert np.all(array(bilinear(IMAGES, places, -places, fill=2.0)) == 2)


def test_blurring_keeps_the_mean_of_any_image_and_every_constant_one():
    for sigma, radius in ((0.3, 1), (1.0, 2), (4.0, 5)):
        blurred = array(blur_images(IMAGES.astype("float64"), np.full(4, sigma), radius))
        np.testing.assert_allclose(blurred.mean((1, 2)), IMAGES.mean((1, 2)), rtol=1e-5, atol=1e-6)
        assert blurred.var() < IMAGES.var()
        np.testing.assert_allclose(array(blur_images(np.full((1, 5, 6, 1), 3.0), [sigma], radius)), 3, rtol=1e-6)


def test_each_image_is_blurred_by_its_own_width():
    sigmas = np.float32([0.0, 0.5, 1.0, 2.0])
    came = array(blur_images(IMAGES, sigmas))
    for image, sigma, blurred in zip(IMAGES, sigmas, came, strict=True):
        if sigma:
            image = ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="reflect", radius=(2, 2, 0))
        np.testing.assert_allclose(blurred, image, atol=1e-6)


def test_sharpening_by_minus_one_blurs_and_by_more_steepens_an_edge():
    wanted = array(blur_images(IMAGES, np.ones(4)))
    np.testing.assert_allclose(array(sharpen_images(IMAGES, np.full(4, -1.0))), wanted, atol=1e-6)
    edge = repeated([[0, 0, 0, 1, 1, 1.0]] * 2, 1)
    sharp = array(sharpen_images(edge, [1.5]))[0, 0, :, 0]
    assert sharp[3] - sharp[2] > 1 and sharp[2] < 0 < 1 < sharp[3]


def test_an_echo_of_many_channels_is_that_of_each():
    sound = np.random.default_rng(5).normal(size=(3, 7, 2)).astype("float32")
    delay, gain = np.array([0, 2, 6]), np.float32([0.5, -0.25, 2.0])
    came = array(add_echo(sound, delay, gain))
    for channel in range(2):
        np.testing.assert_array_equal(came[..., channel], array(add_echo(sound[..., channel], delay, gain)))
    np.testing.assert_allclose(came[0], 1.5 * sound[0], rtol=1e-6)
    np.testing.assert_allclose(came[2, 6], sound[2, 6] + 2 * sound[2, 0], rtol=1e-6)


def test_noise_has_exactly_the_stated_ratio_and_silence_stays_silent():
    generator = np.random.default_rng(6)
    sound, noise = generator.normal(size=(3, 50, 2)), 7 * generator.normal(size=(3, 50, 2))
    sound[2] = 0
    snr = np.array([0.0, 20.0, 5.0])
    added = np.asarray(mix_noise(sound, noise, snr)) - sound
    ratio = (sound[:2] ** 2).mean((1, 2)) / (added[:2] ** 2).mean((1, 2))
    np.testing.assert_allclose(10 * np.log10(ratio), snr[:2], atol=1e-9)
    assert not added[2].any()
    slope = array(jacobian(lambda x: mix_noise(x, noise[2:, :3], snr[2:]), ops.zeros((1, 3, 2), dtype="float64")))
    np.testing.assert_array_equal(slope.reshape(6, 6), np.eye(6))  # finite at silence


def test_normals_are_normal_and_finite_at_both_ends():
    generator = np.random.default_rng(7)
    first, second = generator.random((2, 5000))
    came = np.asarray(standard_normals(first, second))
    assert stats.kstest(came, "norm").pvalue > 1e-6  # false alarm 1e-6
    assert abs(np.corrcoef(came[:5000], came[5000:])[0, 1]) < 5 / np.sqrt(5000)  # false alarm 6e-7
    last = np.float32(1 - 2.0**-24)
    assert np.abs(array(standard_normals(np.float32([0, last, last]), np.float32([last, 0, last])))).max() < 5.8


def test_the_share_of_each_choice_is_its_relevance():
    relevance = [1.0, 0.0, 4.0, 3.0, 0.0]
    even = (np.arange(800) + 0.5) / 800  # one number from each of 800 equal pieces: shares come out exactly
    assert np.bincount(array(choose(even, relevance)), minlength=5).tolist() == [100, 0, 400, 300, 0]
    drawn = array(choose(np.random.default_rng(8).random(8000), relevance))
    counts = np.bincount(drawn, minlength=5)
    assert counts[1] == counts[4] == 0
    assert stats.chisquare(counts[[0, 2, 3]], [1000, 4000, 3000]).pvalue > 1e-6  # false alarm 1e-6
    assert set(array(choose([0.0, 1 - 2.0**-24], [0.0, 2.0, 0.0]))) == {1}


def test_selection_takes_each_example_from_its_own_candidate():
    candidates = [np.full((3, 2), value, "float32") for value in (0, 1, 2)]
    assert array(select_by_example(candidates, np.array([2, 0, 1])))[:, 0].tolist() == [2, 0, 1]
    assert array(select_by_example([np.float32([1, np.nan]), np.float32([2, 3])], np.array([0, 1]))).tolist() == [1, 3]


def test_typos_come_at_the_stated_rate_and_every_neighbour_as_often():
    table, counts = neighbour_table([[], [2, 3, 4], [1], [], [1, 2]])
    tokens = np.tile(np.array([[1, 2, 3, 4, 0]], "int32"), (8000, 1))
    uniforms = np.random.default_rng(9).random((8000, 5, 2))
    came = array(substitute_neighbours(tokens, uniforms, 0.25, table, counts))
    for place, expected in ((0, {1: 0.75, 2: 1 / 12, 3: 1 / 12, 4: 1 / 12}), (3, {4: 0.75, 1: 0.125, 2: 0.125})):
        found = np.bincount(came[:, place], minlength=5)
        wanted = np.array([expected.get(token, 0.0) for token in range(5)]) * 8000
        assert not found[wanted == 0].any()
        assert stats.chisquare(found[wanted > 0], wanted[wanted > 0]).pvalue > 1e-6  # false alarm 1e-6
    assert np.all(came[:, 2] == 3) and np.all(came[:, 4] == 0)  # no neighbours; padding


@pytest.mark.parametrize("pad", [0, 2, -1])
def test_without_neighbours_every_other_id_but_padding_is_as_likely(pad):
    ids = [token for token in range(5) if token != pad]
    pieces = len(ids) - 1
    uniforms = np.zeros((1, pieces, 2))
    uniforms[0, :, 1] = (np.arange(pieces) + 0.5) / pieces
    for token in ids:
        came = array(substitute_others(np.full((1, pieces), token), uniforms, 1.0, vocabulary=5, pad=pad))
        assert sorted(came[0]) == [other for other in ids if other != token]
    if pad >= 0:
        assert np.all(array(substitute_others(np.full((1, 3), pad), np.zeros((1, 3, 2)), 1.0, 5, pad)) == pad)


def test_ids_outside_the_vocabulary_are_left_alone():
    table, counts = neighbour_table([[], [2], [1]])
    strange, uniforms = np.array([[-1, 3, 99]]), np.zeros((1, 3, 2))
    assert array(substitute_neighbours(strange, uniforms, 1.0, table, counts)).tolist() == strange.tolist()
    assert array(substitute_others(strange, uniforms, 1.0, 3)).tolist() == strange.tolist()


def test_the_largest_uniform_number_still_picks_a_neighbour():
    table, counts = neighbour_table([[], [2, 3], [1], [1]])
    last = np.full((1, 1, 2), 1 - 2.0**-24, "float32")
    last[..., 0] = 0
    assert array(substitute_neighbours([[1]], last, 0.5, table, counts)).tolist() == [[3]]
    assert array(substitute_others([[1]], last, 0.5, 2**24 + 1)).item() <= 2**24


def test_omissions_close_every_pattern_of_gaps():
    patterns = list(itertools.product((0, 1), repeat=5))
    uniforms = np.where(np.array(patterns) == 1, 0.1, 0.9)
    text = [4, 7, 0, 5, 6]  # padding inside moves to the end
    came = array(omit_tokens(np.tile(text, (32, 1)), uniforms, 0.5))
    for pattern, row in zip(patterns, came.tolist(), strict=True):
        kept = [token for token, gone in zip(text, pattern, strict=True) if not gone and token]
        assert row == kept + [0] * (5 - len(kept))
    assert array(omit_tokens([[1, 2]], [[0.0, 0.0]], 0.0)).tolist() == [[1, 2]]
    assert array(omit_tokens([[1, 2]], [[0.9, 0.9]], 1.0, pad=9)).tolist() == [[9, 9]]


def test_keys_that_touch_touch_each_other():
    letters = "abcdefghijklmnopqrstuvwxyz"
    near = {
        letter: {letters[i] for i in row} for letter, row in zip(letters, keyboard_neighbours(letters), strict=True)
    }
    assert near["g"] == set("fhtyvb") and near["q"] == set("wa") and near["p"] == set("ol")
    assert all(letter in near[other] for letter in letters for other in near[letter])
    assert keyboard_neighbours(["w", "W", "E", "?", "ß"]) == ((), (2,), (1,), (), ())


def test_bad_arguments_are_refused_with_the_value_that_came():
    for make, message in (
        (lambda: in_range([0.5], 2.0, 1.0), r"range=\(2.0, 1.0\)"),
        (lambda: in_range([0.5], 0.0, float("inf")), "inf"),
        (lambda: choose([0.5], [1.0, -1.0]), r"relevance=\[1.0, -1.0\]"),
        (lambda: choose([0.5], [0.0, 0.0]), "not all 0"),
        (lambda: choose([0.5], []), r"relevance=\[\]"),
        (lambda: shift_images(IMAGES[0], [0.0], [0.0]), r"rank 4. Received: shape=\(5, 6, 2\)"),
        (lambda: blur_images(IMAGES, np.ones(4), radius=6), "radius=6"),
        (lambda: blur_images(IMAGES, np.ones(4), radius=0), "radius=0"),
        (lambda: add_echo(IMAGES, [1], [1.0]), "rank 2 or 3"),
        (lambda: omit_tokens([[1]], [[0.5]], 1.5), "rate=1.5"),
        (lambda: substitute_others([[1]], [[[0.5, 0.5]]], 0.5, 2), "vocabulary=2"),
        (lambda: neighbour_table([[1], [2]]), r"neighbours\[1\]=\[2\]"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
