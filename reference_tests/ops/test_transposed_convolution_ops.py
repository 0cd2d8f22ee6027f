"""The transposed convolution is the transpose of the convolution's matrix, and bilinear with a tent for its kernel."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_course.core.backend import jacobian
from keras_course.initializers.bilinear import Bilinear
from keras_course.ops.convolution import feature_maps, output_size
from keras_course.ops.transposed_convolution import (
    TRANSPOSED_PADDINGS,
    bilinear_weights,
    transposed_maps,
    transposed_size,
)

SIZES = [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2), (4, 2), (2, 3), (5, 3), (2, 4)]  # kernel, stride


@pytest.mark.parametrize("padding", TRANSPOSED_PADDINGS)
def test_it_is_the_adjoint_of_the_convolution(padding):
    """<K x, y> = <x, K' y> for every x and y."""
    rng = np.random.default_rng(0)
    for (k, s), m in itertools.product(SIZES, (1, 2, 4)):
        y, kernel = rng.normal(size=(2, m, m + 1, 3)), rng.normal(size=(k, k, 2, 3))
        back = ops.convert_to_numpy(transposed_maps(y, kernel, s, padding))
        x = rng.normal(size=back.shape)
        forth = ops.convert_to_numpy(feature_maps(x, kernel, s, 1, padding))
        np.testing.assert_allclose(np.sum(forth * y), np.sum(x * back), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("padding", TRANSPOSED_PADDINGS)
def test_its_matrix_is_the_convolutions_matrix_transposed(padding):
    rng = np.random.default_rng(1)
    kernel, s = rng.normal(size=(3, 2, 1, 2)), (2, 1)
    sides = [transposed_size(n, k, stride, padding) for n, k, stride in zip((2, 3), (3, 2), s, strict=True)]
    zeros = np.zeros((1, *sides, 1)), np.zeros((1, 2, 3, 2))
    matrix = jacobian(lambda x: feature_maps(x, kernel, s, 1, padding), zeros[0])
    transpose = jacobian(lambda y: transposed_maps(y, kernel, s, padding), zeros[1])
    columns = zeros[0].size
    np.testing.assert_allclose(
        np.reshape(matrix, (-1, columns)), np.reshape(transpose, (columns, -1)).T, rtol=1e-12, atol=1e-12
    )


def test_the_convolution_of_the_size_it_gives_has_the_size_it_came_from():
    for padding, (k, s), n in itertools.product(TRANSPOSED_PADDINGS, SIZES, (1, 2, 5)):
        assert output_size(transposed_size(n, k, s, padding), k, s, 1, padding) == n
    assert transposed_size(None, 3, 2) is None


def test_with_a_flipped_kernel_it_is_another_operation():
    rng = np.random.default_rng(2)
    y, kernel = rng.normal(size=(1, 3, 3, 1)), rng.normal(size=(3, 3, 1, 1))
    x = rng.normal(size=(1, 5, 5, 1))
    product = np.sum(ops.convert_to_numpy(feature_maps(x, kernel)) * y)
    flipped = np.sum(x * ops.convert_to_numpy(transposed_maps(y, kernel[::-1, ::-1])))
    assert abs(product - flipped) > 0.1


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
def test_the_bilinear_kernel_enlarges_as_resizing_does_away_from_the_border(factor):
    image = np.random.default_rng(3).normal(size=(1, 5, 6, 2))
    size = 2 * factor - factor % 2
    kernel = Bilinear()((size, size, 2, 2), dtype="float64")
    ours = ops.convert_to_numpy(transposed_maps(image, kernel, factor, "same"))
    peer = ops.convert_to_numpy(ops.image.resize(image, (5 * factor, 6 * factor), interpolation="bilinear"))
    inner = slice(factor // 2, -(factor // 2) or None)
    assert ours.shape == peer.shape
    np.testing.assert_allclose(ours[:, inner, inner], peer[:, inner, inner], atol=1e-5)  # its places are float32
    if factor > 1 and factor // 2:
        assert np.abs(ours - peer).max() > 0.01  # zeros come in at the border, where resizing repeats it


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8])
def test_the_tents_shifted_by_the_factor_sum_to_one(size):
    factor, tent = (size + 1) // 2, bilinear_weights(size)
    total = np.zeros(6 * factor + size)
    for start in range(0, 6 * factor + 1, factor):
        total[start : start + size] += tent
    np.testing.assert_allclose(total[size:-size], 1.0)
    np.testing.assert_allclose(tent, tent[::-1])


def test_bilinear_sends_no_channel_into_another_and_refuses_other_shapes():
    kernel = ops.convert_to_numpy(Bilinear()((3, 5, 4, 4)))
    assert kernel.shape == (3, 5, 4, 4) and np.all(kernel[..., ~np.eye(4, dtype=bool)] == 0)
    assert Bilinear.from_config(Bilinear().get_config())((2, 2, 1, 1)).dtype == "float32"
    with pytest.raises(ValueError, match=r"as many channels out as in. Received: shape=\(3, 3, 2, 1\)"):
        Bilinear()((3, 3, 2, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inputs": np.ones((1, 2, 3))}, "rank 4"),
        ({"kernel": np.ones((2, 2, 1, 2))}, r"Received: inputs.shape=\(1, 2, 3, 1\), kernel.shape=\(2, 2, 1, 2\)"),
        ({"strides": 0}, "strides=0"),
        ({"padding": "replicate"}, "padding='replicate'"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        transposed_maps(**{"inputs": np.ones((1, 2, 3, 1)), "kernel": np.ones((2, 2, 1, 1)), **arguments})
    with pytest.raises(ValueError, match="size=0"):
        bilinear_weights(0)
