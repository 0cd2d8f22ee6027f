"""The noise of Gibbs sweeps: uniform on its grid, each row's own, and shared low bits that no decision can see."""

import numpy as np
import pytest
from scipy import stats

from keras_course.core.seeds import uniform_noise
from keras_course.models.energy.chains import decision_noise


def test_every_column_is_uniform_and_no_two_columns_or_rows_agree():
    hidden, visible = (np.asarray(each, "float64") for each in decision_noise(4001, (3, 5), [0, 7]))
    both = np.concatenate([hidden, visible], axis=1)
    assert stats.kstest(both.ravel(), "uniform").pvalue > 1e-3
    for column in both.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-4
    correlations = np.corrcoef(np.concatenate([both[:-1], both[1:]], axis=1).T) - np.eye(16)
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)


def test_the_grid_is_that_of_uniform_noise_with_low_bits_of_the_column():
    (u,) = (np.asarray(each, "float64") for each in decision_noise(50, (9,), [1, 2]))
    assert 0 < u.min() and u.max() < 1
    places = u * 2**23 - 0.5
    np.testing.assert_array_equal(places, np.round(places))
    own, low = np.divmod(places.astype(int), 2**7)
    assert len(np.unique(own)) > 440 and all(len(np.unique(column)) == 1 for column in low.T)
    assert len(np.unique(low)) > 5


@pytest.mark.parametrize("rows", [1, 7])
def test_odd_sizes_and_float64_have_their_own_bits(rows):
    first, second = decision_noise(rows, (1, 2), [0, 3])
    assert first.shape == (rows, 1) and second.shape == (rows, 2)
    (wide,) = decision_noise(rows, (3,), [0, 3], "float64")
    np.testing.assert_array_equal(np.asarray(wide).ravel(), uniform_noise((rows * 3,), [0, 3], "float64"))
