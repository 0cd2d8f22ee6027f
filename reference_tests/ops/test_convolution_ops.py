"""Convolution on plain arrays, against loops that do what the formula says."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage, signal

from keras_course.core.backend import jacobian
from keras_course.ops.convolution import (
    PADDINGS,
    convolve,
    cross_correlate,
    feature_maps,
    output_size,
)

IMAGE = np.array([[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]])
KERNEL = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]])


def correlate_by_loops(inputs, kernel, strides, dilation, padding):
    """Every output is a sum over every tap, read one by one."""
    rank = kernel.ndim
    strides, dilation = np.broadcast_to(strides, rank), np.broadcast_to(dilation, rank)
    reach = dilation * (np.array(kernel.shape) - 1)
    if padding in ("zero", "replicate"):
        mode = {"zero": "constant", "replicate": "edge"}[padding]
        inputs = np.pad(inputs, [(r // 2, r - r // 2) for r in reach], mode=mode)
    if padding == "same":  # TensorFlow's rule: only as much as the last window needs
        counts = [-(-n // s) for n, s in zip(inputs.shape, strides, strict=True)]
        need = [
            max(0, (c - 1) * s + r + 1 - n) for c, s, r, n in zip(counts, strides, reach, inputs.shape, strict=True)
        ]
        inputs = np.pad(inputs, [(n // 2, n - n // 2) for n in need])
    sizes = [1 + (n - 1 - r) // s for n, r, s in zip(inputs.shape, reach, strides, strict=True)]
    result = np.zeros(sizes)
    for place in itertools.product(*map(range, sizes)):
        for tap in itertools.product(*map(range, kernel.shape)):
            result[place] += kernel[tap] * inputs[tuple(np.array(place) * strides + np.array(tap) * dilation)]
    return result


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_cross_correlation_and_convolution_equal_the_loops(rank, padding):
    rng = np.random.default_rng(rank)
    for stride, dilation, taps in [
        (1, 1, 3),
        (1, 1, 2),
        (2, 1, 3),
        (3, 1, 2),
        (3, 1, 1),
        (1, 2, 3),
        (2, 2, 3),
        (3, 2, 2),
    ]:
        if padding == "same" and stride > 1 and dilation > 1:
            continue
        x = rng.normal(size=(7, 6, 5)[:rank])
        k = rng.normal(size=(taps, 3, 2)[:rank])
        wanted = correlate_by_loops(x, k, stride, dilation, padding)
        came = ops.convert_to_numpy(cross_correlate(x, k, stride, dilation, padding))
        assert came.dtype == "float64"
        np.testing.assert_allclose(came, wanted, atol=1e-12)
        wanted = correlate_by_loops(x, np.flip(k), stride, dilation, padding)
        np.testing.assert_allclose(convolve(x, k, stride, dilation, padding), wanted, atol=1e-12)
        assert came.shape == tuple(
            output_size(n, t, stride, dilation, padding) for n, t in zip(x.shape, k.shape, strict=True)
        )


def test_axes_may_differ_in_stride_and_dilation():
    rng = np.random.default_rng(5)
    x, k = rng.normal(size=(9, 8)), rng.normal(size=(3, 2))
    for padding in ("valid", "zero", "replicate"):
        wanted = correlate_by_loops(x, k, (1, 3), (2, 1), padding)
        np.testing.assert_allclose(cross_correlate(x, k, (1, 3), (2, 1), padding), wanted, atol=1e-12)


def test_the_printed_example_is_cross_correlation_and_not_convolution():
    np.testing.assert_array_equal(cross_correlate(IMAGE, KERNEL), [[12, 12, 17], [10, 17, 19], [9, 6, 14]])
    np.testing.assert_array_equal(convolve(IMAGE, KERNEL), [[18, 20, 19], [10, 9, 17], [11, 8, 14]])


def test_integers_stay_integers_and_floats_keep_their_type():
    assert (
        keras.backend.standardize_dtype(cross_correlate(IMAGE.astype("int32"), KERNEL.astype("int32")).dtype) == "int32"
    )
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        x = ops.cast(IMAGE, dtype)
        assert keras.backend.standardize_dtype(cross_correlate(x, ops.cast(KERNEL, dtype)).dtype) == dtype


def test_integers_of_three_axes_are_convolved_exactly():
    rng = np.random.default_rng(0)
    x, k = rng.integers(-99, 99, (4, 5, 6)), rng.integers(-99, 99, (2, 3, 2))
    np.testing.assert_array_equal(convolve(x, k), signal.convolve(x, k, mode="valid", method="direct"))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolution_equals_scipy(rank):
    rng = np.random.default_rng(rank)
    x, k = rng.normal(size=(8, 7, 6)[:rank]), rng.normal(size=(3, 5, 3)[:rank])
    np.testing.assert_allclose(convolve(x, k), signal.convolve(x, k, mode="valid"), atol=1e-12)
    np.testing.assert_allclose(convolve(x, k, padding="zero"), signal.convolve(x, k, mode="same"), atol=1e-12)
    np.testing.assert_allclose(convolve(x, k, padding="replicate"), ndimage.convolve(x, k, mode="nearest"), atol=1e-12)


def test_full_convolution_commutes_and_cross_correlation_does_not():
    rng = np.random.default_rng(1)
    x, k = rng.normal(size=(6, 5)), rng.normal(size=(3, 4))

    def full(operation, a, b):
        return ops.convert_to_numpy(operation(np.pad(a, [(n - 1, n - 1) for n in b.shape]), b))

    np.testing.assert_allclose(full(convolve, x, k), full(convolve, k, x), atol=1e-12)
    assert np.abs(full(cross_correlate, x, k) - full(cross_correlate, k, x)).max() > 0.1


def test_convolution_is_cross_correlation_with_the_flipped_kernel():
    rng = np.random.default_rng(2)
    x, k = rng.normal(size=(7, 8)), rng.normal(size=(3, 2))
    for padding in PADDINGS:
        np.testing.assert_array_equal(
            convolve(x, k, padding=padding), cross_correlate(x, k[::-1, ::-1], padding=padding)
        )


def test_a_dilated_kernel_is_a_kernel_with_zeros_in_between():
    rng = np.random.default_rng(3)
    x, k = rng.normal(size=(12,)), rng.normal(size=(3,))
    spread = np.zeros(5)
    spread[::2] = k  # three taps over five: rate 1 in the notes, dilation 2 here
    np.testing.assert_allclose(cross_correlate(x, k, dilation=2), cross_correlate(x, spread), atol=1e-12)


def test_what_moves_in_the_image_moves_in_the_feature_map():
    rng = np.random.default_rng(4)
    x, k = np.zeros((12, 12)), rng.normal(size=(3, 3))
    x[3:6, 3:6] = rng.normal(size=(3, 3))
    moved = np.roll(x, (4, 2), axis=(0, 1))
    for padding in ("zero", "replicate"):
        map_of_moved = cross_correlate(moved, k, padding=padding)
        moved_map = np.roll(cross_correlate(x, k, padding=padding), (4, 2), axis=(0, 1))
        np.testing.assert_allclose(map_of_moved, moved_map, atol=1e-12)


def test_with_a_stride_only_moves_by_whole_strides_move_the_map():
    rng = np.random.default_rng(6)
    x, k = np.zeros(24), rng.normal(size=3)
    x[8:12] = rng.normal(size=4)
    for operation, stride in itertools.product((cross_correlate, convolve), (2, 3)):
        maps = [
            ops.convert_to_numpy(operation(np.roll(x, shift), k, stride, padding="zero")) for shift in range(stride + 1)
        ]
        np.testing.assert_allclose(maps[stride], np.roll(maps[0], 1), atol=1e-12)
        for shift in range(1, stride):  # what lies between the samples comes out otherwise, in no place of the old map
            assert min(np.abs(maps[shift] - np.roll(maps[0], move)).max() for move in range(len(maps[0]))) > 0.05


@pytest.mark.parametrize(
    "transform",
    [np.fliplr, np.flipud, np.rot90, lambda image: np.kron(image, np.ones((2, 2)))[3:9, 3:9]],
    ids=["mirrored", "upside-down", "rotated", "enlarged"],
)
def test_convolution_is_equivariant_to_shifts_and_to_nothing_else_of_the_notes(transform):
    rng = np.random.default_rng(7)
    x, k = rng.normal(size=(6, 6)), rng.normal(size=(3, 3))
    map_of_transformed = ops.convert_to_numpy(cross_correlate(transform(x), k, padding="zero"))
    transformed_map = transform(ops.convert_to_numpy(cross_correlate(x, k, padding="zero")))
    assert np.abs(map_of_transformed - transformed_map).max() > 0.1


@pytest.mark.parametrize("transform", [np.fliplr, np.flipud, np.rot90])
def test_a_kernel_that_turns_with_the_image_turns_the_map(transform):
    rng = np.random.default_rng(8)
    x, k = rng.normal(size=(6, 6)), rng.normal(size=(3, 3))
    map_of_both = cross_correlate(transform(x), transform(k), padding="zero")
    wanted = transform(ops.convert_to_numpy(cross_correlate(x, k, padding="zero")))
    np.testing.assert_allclose(map_of_both, wanted, atol=1e-12)
    # turned by half a turn, the kernel of a cross-correlation is that of a convolution
    np.testing.assert_array_equal(convolve(x, k), cross_correlate(x, np.rot90(k, 2)))


def test_zero_padding_centres_every_window_and_same_does_not():
    impulse = np.zeros(6)
    impulse[2] = 1.0
    # stride 2: windows centred on samples 0, 2, 4 under "zero"; TensorFlow pads the end alone and sees 1, 3, 5
    np.testing.assert_array_equal(cross_correlate(impulse, [1.0, 2.0, 3.0], strides=2, padding="zero"), [0, 2, 0])
    np.testing.assert_array_equal(cross_correlate(impulse, [1.0, 2.0, 3.0], strides=2, padding="same"), [3, 1, 0])


def test_replicate_keeps_a_constant_image_constant():
    image = np.full((4, 5), 3.0)
    kernel = np.full((3, 3), 1 / 9)
    np.testing.assert_allclose(cross_correlate(image, kernel, padding="replicate"), image, atol=1e-14)
    assert cross_correlate(image, kernel, padding="zero")[0, 0] < 2.0


@pytest.mark.parametrize("padding", ["valid", "zero", "replicate"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_gradients_equal_finite_differences(padding, stride, dilation):
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=(6, 5)), rng.normal(size=(2, 3))

    operation = convolve if padding == "replicate" else cross_correlate

    def value(x, k):
        return ops.sum(ops.sin(operation(x, k, stride, dilation, padding)))

    for at, along in ((x, lambda v: value(v, k)), (k, lambda v: value(x, v))):
        gradient = ops.convert_to_numpy(jacobian(along, at))
        for _ in range(3):  # along random directions: every entry takes part in each
            direction = rng.normal(size=at.shape)
            slope = (float(along(at + 1e-5 * direction)) - float(along(at - 1e-5 * direction))) / 2e-5
            assert np.vdot(gradient, direction) == pytest.approx(slope, abs=1e-8)


def test_channels_are_summed_and_filters_are_apart():
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 2, 3, 4))
    came = feature_maps(x, k, strides=2, padding="replicate")
    for b, f in itertools.product(range(2), range(4)):
        wanted = sum(correlate_by_loops(x[b, ..., c], k[..., c, f], 2, 1, "replicate") for c in range(3))
        np.testing.assert_allclose(came[b, ..., f], wanted, atol=1e-12)


def test_output_size_of_an_unknown_axis_is_unknown_and_of_a_short_one_is_zero():
    assert output_size(None, 3) is None
    assert output_size(2, 3) == 0
    assert output_size(2, 3, padding="zero") == 2


def test_the_efficiency_table_of_the_notes():
    assert output_size(320, 2) * output_size(280, 1) * 3 == 267_960


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((2, 2, 2, 2)), np.ones((2, 2, 2, 2))), "rank 1 or 2 or 3"),
        ((np.ones((4, 4)), np.ones(3)), "rank 1"),
        ((np.ones((2, 2)), np.ones((3, 3))), "Received: inputs.shape"),
        ((np.ones(5), np.ones(3), 0), "strides=0"),
        ((np.ones(5), np.ones(3), 1, (1, 2)), r"dilation=\(1, 2\)"),
        ((np.ones(5), np.ones(3), 1, 1, "full"), "Received: padding='full'"),
        ((np.ones(9), np.ones(3), 2, 2, "same"), "not both"),
        ((np.ones(4), np.ones(3), 1, 2), "window of 5 samples"),
    ],
)
def test_wrong_arguments_are_refused_with_the_value_that_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        cross_correlate(*arguments)


def test_channels_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"kernel.shape=\(3, 3, 2, 4\)"):
        feature_maps(np.ones((1, 5, 5, 3)), np.ones((3, 3, 2, 4)))
