"""PCA: scikit-learn's, the least error of all linear codes, any batch size, angles between subspaces."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA as PeerPCA

from keras_course.core.errors import InvalidDataError
from keras_course.models import PCA
from keras_course.ops.principal_components import (
    from_components,
    principal_angles,
    principal_components,
    to_components,
)


@pytest.fixture(scope="module")
def digits():
    return load_digits().data / 16


def fitted(x, components, batch_size=None, dtype="float64", **how):
    model = PCA(components, x.shape[1], dtype=dtype, **how)
    model.compile()
    model.fit(x, batch_size=batch_size, verbose=0)
    return model


@pytest.mark.parametrize("whiten", [False, True])
def test_components_codes_and_variances_are_those_of_scikit_learn(digits, whiten):
    ours, peer = fitted(digits, 10, whiten=whiten), PeerPCA(10, whiten=whiten).fit(digits)
    n = len(digits)  # scikit-learn divides by n - 1
    np.testing.assert_allclose(ours.components, peer.components_, atol=1e-10)
    np.testing.assert_allclose(ours.variances[:10], peer.explained_variance_ * (n - 1) / n, rtol=1e-10)
    codes = peer.transform(digits) * (np.sqrt(n / (n - 1)) if whiten else 1.0)
    np.testing.assert_allclose(ours.encode(digits), codes, atol=1e-9)
    np.testing.assert_allclose(ours(digits), peer.inverse_transform(peer.transform(digits)), atol=1e-10)
    np.testing.assert_allclose(ours.decode(ours.encode(digits)), ours(digits), atol=1e-10)


def test_any_batch_size_gives_the_components_of_the_whole_set(digits):
    whole, parts = fitted(digits, 4), fitted(digits, 4, batch_size=100)
    np.testing.assert_allclose(whole.components, parts.components, atol=1e-10)
    np.testing.assert_allclose(whole.variances, parts.variances, atol=1e-12)


def test_data_far_from_the_origin_keep_their_components_in_float32(digits):
    near, far = fitted(digits, 4), fitted(digits + 1000.0, 4, dtype="float32")
    assert (
        float(np.max(principal_angles(np.transpose(near.components), np.transpose(far.components).astype("float64"))))
        < 1e-2
    )
    np.testing.assert_allclose(far.variances[:4], near.variances[:4], rtol=1e-3)


def test_the_error_is_what_the_left_out_variances_sum_to_and_no_other_projection_has_less(digits):
    model = fitted(digits, 6)
    error = model.evaluate(digits, verbose=0, return_dict=True)["reconstruction_error"]
    left = np.asarray(model.variances, "float64")[6:].sum()
    assert error == pytest.approx(left / digits.shape[1], rel=1e-6)
    for seed in range(3):
        basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(64, 6)))[0].T
        turned = np.linalg.qr(np.transpose(model.components) + 0.05 * basis.T)[0].T
        for other in (basis, turned):
            mean = digits.mean(axis=0)
            back = from_components(to_components(digits, mean, other), mean, other)
            assert np.mean((np.asarray(back) - digits) ** 2) > error


def test_weights_count_as_repeated_rows(digits):
    x, counts = digits[:60], np.arange(60) % 3
    weighted = PCA(3, 64, dtype="float64")
    weighted.compile()
    weighted.fit(x, sample_weight=counts.astype("float64"), verbose=0)
    repeated = fitted(np.repeat(x, counts, axis=0), 3)
    np.testing.assert_allclose(weighted.variances, repeated.variances, atol=1e-10)
    np.testing.assert_allclose(np.abs(weighted.components), np.abs(repeated.components), atol=1e-8)


def test_components_are_eigenvectors_and_their_largest_entry_is_positive():
    a = np.random.default_rng(1).normal(size=(9, 5))
    c = a.T @ a / 9
    u, v = (np.asarray(each) for each in principal_components(c, 3))
    np.testing.assert_allclose(c @ u.T, u.T * v[:3], atol=1e-12)
    assert np.all(np.diff(v) <= 0) and np.sum(v) == pytest.approx(np.trace(c))
    assert np.all(u[range(3), np.abs(u).argmax(axis=1)] > 0)


@pytest.mark.parametrize("columns", [(2, 3), (3, 2), (1, 1), (4, 4)])
def test_angles_are_those_of_scipy_however_small(columns):
    draws = np.random.default_rng(0)
    one, other = (draws.normal(size=(6, k)) for k in columns)
    np.testing.assert_allclose(principal_angles(one, other), subspace_angles(one, other), atol=1e-12)
    near = one + 1e-9 * draws.normal(size=one.shape)
    np.testing.assert_allclose(principal_angles(one, near), subspace_angles(one, near), rtol=1e-4, atol=1e-15)


def test_a_direction_without_variance_is_whitened_to_zero():
    x = np.array([[1.0, 2.0], [3.0, 2.0], [5.0, 2.0]])
    model = fitted(x, 2, whiten=True)
    np.testing.assert_allclose(np.asarray(model.encode(x))[:, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(np.mean(np.asarray(model.encode(x))[:, 0] ** 2), 1.0)


def test_what_has_no_components_is_refused():
    with pytest.raises(ValueError, match="components=4, features=3"):
        PCA(4, 3)
    with pytest.raises(ValueError, match="count=3"):
        principal_components(np.eye(2), 3)
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 1\)"):
        principal_angles(np.ones((2, 3)), np.ones((2, 1)))
    model = PCA(3, 2 + 1)
    model.compile()
    with pytest.raises(InvalidDataError, match="2 samples"):
        model.fit(np.eye(3)[:2], verbose=0)
