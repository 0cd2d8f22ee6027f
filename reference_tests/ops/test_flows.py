"""Couplings, masks, ActNorm and pixel noise against their definitions."""

import numpy as np
import pytest

from keras_course.core.backend import jacobian
from keras_course.ops.dequantization import (
    bits_per_dimension,
    dequantised,
    logit_transform,
    logit_transform_inverse,
    quantised,
)
from keras_course.ops.flows import (
    actnorm,
    actnorm_inverse,
    actnorm_start,
    additive_coupling,
    additive_coupling_inverse,
    affine_coupling,
    affine_coupling_inverse,
    alternating_mask,
    bounded_log_scale,
    checkerboard_mask,
    halves_mask,
    squeeze,
    unsqueeze,
)

DRAWS = np.random.Generator(np.random.Philox(0))
X, S, T = (DRAWS.normal(size=(3, 4)) for _ in range(3))


def log_dets(function, x):
    return [np.linalg.slogdet(jacobian(lambda row: function(row[None])[0], row))[1] for row in x]


@pytest.mark.parametrize("mask", [None, [1.0, 0.0, 1.0, 0.0]])
def test_couplings_undo_themselves_and_leave_what_the_mask_keeps(mask):
    kept = np.zeros(4) if mask is None else np.array(mask)
    z, log_det = affine_coupling(X, S, T, mask)
    np.testing.assert_allclose(z, kept * X + (1 - kept) * (X * np.exp(S) + T), atol=1e-12)
    np.testing.assert_allclose(log_det, ((1 - kept) * S).sum(1), atol=1e-12)
    np.testing.assert_allclose(affine_coupling_inverse(z, S, T, mask), X, atol=1e-12)
    z, log_det = additive_coupling(X, T, mask)
    np.testing.assert_allclose(z, X + (1 - kept) * T, atol=1e-12)
    np.testing.assert_array_equal(log_det, np.zeros(3))
    np.testing.assert_allclose(additive_coupling_inverse(z, T, mask), X, atol=1e-12)


def test_masks_and_their_flips_keep_everything_together():
    for mask, sizes in ((alternating_mask, (5,)), (halves_mask, (5,)), (checkerboard_mask, (3, 2))):
        np.testing.assert_array_equal(np.asarray(mask(*sizes)) + np.asarray(mask(*sizes, flip=True)), 1.0)
    board = np.asarray(checkerboard_mask(4, 4))[:, :, 0]
    assert np.all(board[1:] != board[:-1]) and np.all(board[:, 1:] != board[:, :-1])


def test_a_bounded_log_scale_has_slope_one_at_zero_and_never_leaves_its_bound():
    s = np.asarray(bounded_log_scale(np.array([-1e9, -1e-4, 1e-4, 1e9]), 1.5))
    np.testing.assert_allclose(s, [-1.5, -1e-4, 1e-4, 1.5], rtol=1e-6)
    np.testing.assert_array_equal(bounded_log_scale(S, None), S)


def test_squeezed_channels_are_the_pixels_of_one_block():
    image = np.arange(2 * 4 * 6 * 3, dtype="float64").reshape(2, 4, 6, 3)
    z = np.asarray(squeeze(image))
    np.testing.assert_array_equal(z[1, 1, 2], image[1, 2:4, 4:6].reshape(-1))
    np.testing.assert_array_equal(unsqueeze(z), image)
    with pytest.raises(ValueError, match="multiples of 2"):
        squeeze(image[:, :3])
    with pytest.raises(ValueError, match="multiple of 4"):
        unsqueeze(image)


def test_actnorm_starts_at_mean_zero_and_variance_one_and_counts_every_place():
    x = DRAWS.normal(2.0, 3.0, size=(5, 2, 3, 2))
    s, t = actnorm_start(x, epsilon=0.0)
    z, log_det = actnorm(x, s, t)
    np.testing.assert_allclose(np.mean(z, axis=(0, 1, 2)), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.var(z, axis=(0, 1, 2)), 1.0, atol=1e-12)
    np.testing.assert_allclose(log_det, 6 * np.sum(s), atol=1e-12)
    np.testing.assert_allclose(actnorm_inverse(z, s, t), x, atol=1e-12)


def test_the_logit_has_the_slopes_that_it_says():
    y = DRAWS.uniform(size=(3, 4))
    v, log_det = logit_transform(y, 0.05)
    np.testing.assert_allclose(log_det, log_dets(lambda y: logit_transform(y, 0.05)[0], y), atol=1e-10)
    np.testing.assert_allclose(logit_transform_inverse(v, 0.05), y, atol=1e-12)
    assert np.all(np.isfinite(logit_transform(np.array([[0.0, 1.0]]))[0]))


def test_every_level_comes_back_whatever_the_noise():
    levels = np.arange(17)[None] / 16
    for u in (1e-4, 0.5, 1 - 1e-4):
        y = np.asarray(dequantised(levels, u, 17))
        assert np.all((y > np.arange(17) / 17) & (y < np.arange(1, 18) / 17))
        np.testing.assert_allclose(quantised(y, 17), levels, atol=1e-12)
    np.testing.assert_array_equal(quantised(np.array([[-0.1, 1.1]]), 17), [[0.0, 1.0]])  # a model may err


def test_bits_of_a_uniform_density_are_the_bits_of_the_levels():
    assert float(bits_per_dimension(np.zeros(1), 5, levels=8)[0]) == pytest.approx(3.0)
    assert float(bits_per_dimension(np.array([-5 * np.log(8.0)]), 5)[0]) == pytest.approx(3.0)
    for wrong in (lambda: dequantised(X, 0.5, 1), lambda: logit_transform(X, 0.5)):
        with pytest.raises(ValueError, match="Received"):
            wrong()
