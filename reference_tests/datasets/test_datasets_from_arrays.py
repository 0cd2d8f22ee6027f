"""Data sets of one's own arrays: what is refused, and that only training rows enter the statistics."""

import dataclasses

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.datasets import Dataset, Spec, Split, check_split, from_arrays, load, split_rows
from keras_course.datasets.arrays import digest, training_statistics

RNG = np.random.Generator(np.random.Philox(11))
X = RNG.normal(3.0, 2.0, size=(60, 4))
LABELS = np.arange(60) % 3


def test_training_features_have_mean_zero_and_deviation_one():
    for name in ("iris", "wine", "breast-cancer", "diabetes"):
        x = load(name).train.x.astype("float64")
        assert np.abs(x.mean(axis=0)).max() < 1e-6
        assert np.abs(x.std(axis=0) - 1).max() < 1e-6


def test_changing_test_and_validation_rows_does_not_move_the_standardisation():
    rows = split_rows(LABELS, seed=2)
    moved = X.copy()
    moved[rows.test] += 1000
    moved[rows.validation] *= -50
    before = from_arrays(X, LABELS, name="a", classes=3, standardise=True, seed=2)
    after = from_arrays(moved, LABELS, name="a", classes=3, standardise=True, seed=2)
    assert before.spec.feature_mean == after.spec.feature_mean
    assert before.spec.feature_scale == after.spec.feature_scale
    assert np.array_equal(before.train.x, after.train.x)
    assert not np.array_equal(before.test.x, after.test.x)


def test_changing_a_training_row_does_move_it():
    moved = X.copy()
    moved[split_rows(LABELS, seed=2).train[0]] += 1000
    before = from_arrays(X, LABELS, name="a", classes=3, standardise=True, seed=2)
    after = from_arrays(moved, LABELS, name="a", classes=3, standardise=True, seed=2)
    assert before.spec.feature_mean != after.spec.feature_mean


def test_statistics_equal_those_of_numpy():
    mean, scale = training_statistics(X)
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(scale, X.std(axis=0), rtol=1e-14)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300, -1e-300])
def test_a_constant_feature_becomes_zero_and_not_noise(value):
    x = np.column_stack([X[:, 0], np.full(60, value)])
    data = from_arrays(x, LABELS, name="a", classes=3, standardise=True)
    assert data.spec.feature_scale[1] == 1.0
    assert np.all(data.train.x[:, 1] == 0) and np.all(data.test.x[:, 1] == 0)


def test_diabetes_targets_come_back_in_their_own_unit():
    data = load("diabetes")
    everything = np.concatenate([part.y for part in (data.train, data.validation, data.test)])
    restored = data.spec.restore_targets(everything)
    assert restored.min() == 25 and restored.max() == 346
    np.testing.assert_allclose(restored, np.round(restored), atol=1e-4)
    np.testing.assert_allclose(data.spec.standardise_targets(restored), everything, atol=1e-6)


def test_specs_without_statistics_leave_values_alone():
    spec = load("digits").spec
    assert spec.feature_mean is None
    assert np.array_equal(spec.standardise([0.5]), np.float32([0.5]))
    regression = from_arrays(X, X[:, 0], name="a").spec
    assert np.array_equal(regression.restore_targets([[2.5]]), np.float32([[2.5]]))


def test_own_regression_targets_get_a_second_axis():
    data = from_arrays(X, X.sum(axis=1), name="a", standardise=True)
    assert data.train.y.shape == (42, 1) and data.spec.targets == 1 and data.spec.task == "regression"
    assert from_arrays(X, X[:, :2], name="a").spec.targets == 2


def test_own_images_keep_their_axes_and_may_not_be_standardised():
    images = np.zeros((60, 5, 5, 1))
    assert from_arrays(images, LABELS, name="a", classes=3).spec.shape == (5, 5, 1)
    with pytest.raises(ValueError, match=r"Received: x.shape=\(60, 5, 5, 1\)"):
        from_arrays(images, LABELS, name="a", classes=3, standardise=True)


def test_own_arrays_are_recorded_by_their_digests():
    data = from_arrays(X, LABELS, name="a", classes=3)
    assert data.spec.sha256 == {"x": digest(X), "y": digest(LABELS)}
    assert digest(X) != digest(X.T) and digest(X) == digest(np.asfortranarray(X))


def test_own_arrays_are_left_as_they_were():
    x, y = X.copy(), LABELS.copy()
    data = from_arrays(x, y, name="a", classes=3, standardise=True)
    data.train.x[:] = 7
    assert np.array_equal(x, X) and np.array_equal(y, LABELS)


def test_empty_arrays_are_refused():
    with pytest.raises(InvalidDataError, match=r"at least one sample. Received: x.shape=\(0, 4\)"):
        from_arrays(np.zeros((0, 4)), np.zeros(0, int), name="a", classes=3)
    with pytest.raises(InvalidDataError, match="at least one sample"):
        Split(np.zeros((0, 4)), np.zeros(0, int))
    with pytest.raises(InvalidDataError, match=r"at least one sample. Received: x.shape=\(60, 4\), y.shape=\(\)"):
        from_arrays(X, 1.0, name="a")


def test_unequal_lengths_are_refused():
    with pytest.raises(InvalidDataError, match=r"Received: x.shape=\(60, 4\), y.shape=\(59,\)"):
        from_arrays(X, LABELS[:-1], name="a", classes=3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_by_row_and_column(bad):
    x = X.copy()
    x[5, 3] = bad
    with pytest.raises(InvalidDataError, match=rf"x in rows of 'a' must be finite. Received: {bad} at \[5, 3\]"):
        from_arrays(x, LABELS, name="a", classes=3)


def test_a_target_that_is_not_finite_is_refused():
    y = X[:, 0].copy()
    y[7] = np.nan
    with pytest.raises(InvalidDataError, match=r"y in rows of 'a' must be finite. Received: nan at \[7, 0\]"):
        from_arrays(X, y, name="a")


@pytest.mark.parametrize("bad", [-1, 3, 2**40])
def test_a_label_out_of_range_is_refused_by_row(bad):
    labels = LABELS.astype("int64")
    labels[9] = bad
    with pytest.raises(InvalidDataError, match=rf"must lie in \[0, 3\). Received: y\[9\]={bad}$"):
        from_arrays(X, labels, name="a", classes=3)


@pytest.mark.parametrize("labels", [LABELS.astype("float32"), np.eye(3)[LABELS], LABELS[:, None]])
def test_labels_that_are_not_a_list_of_integers_are_refused(labels):
    with pytest.raises(InvalidDataError, match=r"integer class labels of shape \(N,\). Received: y.shape="):
        from_arrays(X, labels, name="a", classes=3)


def test_samples_that_are_not_numbers_are_refused():
    with pytest.raises(InvalidDataError, match="must be real numbers. Received: dtype=<U1"):
        from_arrays(np.full((60, 2), "a"), LABELS, name="a", classes=3)


def test_a_data_set_put_together_by_hand_is_checked_part_by_part():
    spec = Spec("mine", "classification", (4,), classes=3)
    good = Split(X.astype("float32"), LABELS.astype("int32"))
    bad = Split(X.astype("float32"), (LABELS + 1).astype("int32"))
    with pytest.raises(InvalidDataError, match=r"Labels in test of 'mine' must lie in \[0, 3\). Received: y\[2\]=3"):
        Dataset(good, good, bad, spec)
    with pytest.raises(InvalidDataError, match=r"x in train of 'mine' must have shape \(N, 5\). Received: x.shape"):
        Dataset(good, good, good, dataclasses.replace(spec, shape=(5,)))


def test_regression_targets_of_another_width_are_refused():
    spec = Spec("mine", "regression", (4,), targets=2)
    with pytest.raises(InvalidDataError, match=r"must have shape \(N, 2\). Received: y.shape=\(60, 1\)"):
        check_split(Split(X, X[:, :1]), spec, "train")


@pytest.mark.parametrize(
    "arguments",
    [
        {"task": "ranking", "classes": 3},
        {"task": "classification"},
        {"task": "classification", "classes": 3, "targets": 1},
        {"task": "regression", "classes": 3},
        {"task": "regression", "targets": 0},
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(arguments):
    with pytest.raises(ValueError, match="Received: "):
        Spec("mine", shape=(4,), **arguments)


def test_specs_and_splits_are_frozen():
    data = load("iris")
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.spec.name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train.x = X
