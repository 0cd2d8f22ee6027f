"""Model selection: every example is tested once, scores are those of scikit-learn, seeds and folds repeat."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression as SklearnRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from keras_course.core.seeds import derive_seed
from keras_course.datasets import Split, hold_out, k_folds, leave_one_out, load
from keras_course.models.perceptrons.linear_regression import LinearRegression
from keras_course.pipeline.cross_validation import (
    CrossValidated,
    Selected,
    cross_validate,
    cross_validate_recipe,
    keras_scorer,
    select_model,
)


def constant(value):
    return lambda train, held_out, seed: float(np.mean((held_out.y - value) ** 2))


def least_squares(train, held_out, seed):
    keras.config.set_dtype_policy("float64")
    model = LinearRegression(train.x.shape[1]).solve(train.x, train.y)
    predicted = keras.ops.convert_to_numpy(model(held_out.x))[:, 0]
    return {"mean_squared_error": np.mean((predicted - held_out.y) ** 2)}


@pytest.fixture(scope="module")
def diabetes():
    train = load("diabetes").train
    return train.x.astype("float64"), train.y[:, 0].astype("float64")


@pytest.mark.parametrize(("rows", "k"), [(10, 3), (7, 7), (101, 10), (2, 2)])
@pytest.mark.parametrize("seed", [None, 0, 5])
def test_k_folds_hold_every_row_out_exactly_once(rows, k, seed):
    folds = k_folds(rows, k, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.held_out for fold in folds])), np.arange(rows))
    sizes = [len(fold.held_out) for fold in folds]
    assert len(folds) == k and max(sizes) - min(sizes) <= 1
    for fold in folds:
        np.testing.assert_array_equal(np.sort(np.concatenate(fold)), np.arange(rows))


def test_stratified_folds_hold_as_many_of_each_class_as_scikit_learn():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [53, 17, 4]))
    counts = [np.bincount(labels[fold.held_out], minlength=3) for fold in k_folds(74, 5, seed=1, labels=labels)]
    assert np.all(np.ptp(counts, axis=0) <= 1) and np.ptp(np.sum(counts, 1)) <= 1
    theirs = [np.bincount(labels[test], minlength=3) for _, test in StratifiedKFold(5).split(labels, labels)]
    np.testing.assert_array_equal(np.sort(counts, axis=0), np.sort(theirs, axis=0))


def test_without_a_seed_the_folds_are_those_of_scikit_learn():
    for ours, (train, test) in zip(k_folds(23, 4, seed=None), KFold(4).split(np.zeros(23)), strict=True):
        np.testing.assert_array_equal(ours.train, train)
        np.testing.assert_array_equal(ours.held_out, test)


def test_seeds_repeat_and_differ():
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(k_folds(50, 5, 3), k_folds(50, 5, 3), strict=True))
    assert not np.array_equal(k_folds(50, 5, 3)[0].held_out, k_folds(50, 5, 4)[0].held_out)
    result = cross_validate(constant(0.0), np.zeros((6, 1)), np.zeros(6), leave_one_out(6), seed=9)
    assert result.seeds == tuple(derive_seed(9, "fold", index) for index in range(6)) and len(set(result.seeds)) == 6


def test_hold_out_keeps_the_share_of_every_class():
    labels = np.repeat([0, 1], [80, 20])
    (fold,) = hold_out(100, 0.25, seed=2, labels=labels)
    assert np.bincount(labels[fold.held_out]).tolist() == [20, 5]
    assert np.intersect1d(*fold).size == 0 and len(fold.train) == 75


@pytest.mark.parametrize("k", [5, "leave one out"])
def test_scores_of_a_closed_form_are_those_of_scikit_learn(k, diabetes):
    x, y = (part[:60] for part in diabetes)
    folds = leave_one_out(60) if k == "leave one out" else k_folds(60, k, seed=4)
    ours = cross_validate(least_squares, x, y, folds)
    theirs = -cross_val_score(SklearnRegression(), x, y, cv=[tuple(f) for f in folds], scoring="neg_mean_squared_error")
    np.testing.assert_allclose(ours.scores["mean_squared_error"], theirs, rtol=1e-8)
    assert ours.mean("mean_squared_error") == pytest.approx(theirs.mean(), rel=1e-8)
    standard_error = theirs.std(ddof=1) / np.sqrt(len(theirs))
    assert ours.standard_error("mean_squared_error") == pytest.approx(standard_error, rel=1e-8)


def test_unequal_folds_have_a_plain_and_a_pooled_mean():
    result = CrossValidated({"score": np.array([1.0, 0.0])}, np.array([3, 1]), (0, 1), ())
    assert (result.mean(), result.pooled()) == (0.5, 0.75)
    assert result.table() == [
        {"fold": 1, "examples": 3, "seed": 0, "score": 1.0}, {"fold": 2, "examples": 1, "seed": 1, "score": 0.0},
    ]  # fmt: skip
    single = cross_validate(constant(0.0), np.zeros((4, 1)), np.ones(4), hold_out(4, 0.25))
    assert single.mean() == 1.0 and np.isnan(single.standard_error())


def test_a_model_that_remembers_is_found_out():
    x = np.arange(40.0)[:, None]
    y = np.random.default_rng(0).normal(size=40)

    def remembers(train, held_out, seed):
        known = dict(zip(train.x[:, 0], train.y, strict=True))
        return float(
            np.mean(
                [
                    (known.get(value, 0.0) - target) ** 2
                    for value, target in zip(held_out.x[:, 0], held_out.y, strict=True)
                ]
            )
        )

    result = select_model({"remembers": remembers, "mean": constant(y.mean())}, x, y, k_folds(40, 8))
    assert isinstance(result, Selected) and result.name == "mean"
    assert select_model({"a": constant(0.0), "b": constant(9.0)}, x, y, k_folds(40, 8), mode="max").name == "b"


def test_a_keras_model_trains_anew_in_every_fold_and_repeats():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    built = []

    def build(seed):
        built.append(seed)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.5), loss, metrics=["accuracy"])
        return model

    folds = k_folds(60, 3, seed=0, labels=y)
    first = cross_validate(keras_scorer(build, epochs=4, batch_size=16), x, y, folds, seed=1)
    again = cross_validate(keras_scorer(build, epochs=4, batch_size=16), x, y, folds, seed=1)
    assert tuple(built[:3]) == first.seeds
    np.testing.assert_array_equal(first.scores["loss"], again.scores["loss"])
    assert first.mean("accuracy") > 0.8 and first.sizes.tolist() == [20, 20, 20]


def test_a_recipe_is_validated_on_rows_that_shape_no_statistic(monkeypatch):
    seen = []
    from keras_course.pipeline import fit

    measured = fit.measure
    monkeypatch.setattr(fit, "measure", lambda model, split: seen.append(split) or measured(model, split))
    result = cross_validate_recipe("linear-regression", k=4, epochs=2)
    data = load("diabetes")
    assert result.sizes.sum() == len(data.train) + len(data.validation)
    assert any(abs(split.x.mean(0)).max() > 1e-3 for split in seen)  # standardised by other rows than its own
    assert len({float(split.x.std()) for split in seen}) == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: k_folds(3, 4), "k=4, rows=3"),
        (lambda: k_folds(3, 1), "k=1"),
        (lambda: k_folds(4, 2, seed=None, labels=[0, 0, 1, 1]), "seed=None"),
        (lambda: k_folds(4, 2, labels=[0, 1]), "shape=(2,)"),
        (lambda: leave_one_out(1), "rows=1"),
        (lambda: hold_out(10, 0.01), "validation=0.01"),
        (lambda: cross_validate(constant(0), np.zeros((3, 1)), np.zeros(3), []), "folds=()"),
        (lambda: cross_validate(constant(0), np.zeros((3, 1)), np.zeros(3), [([0, 1], [1])]), "row 1 in both"),
        (lambda: cross_validate(constant(0), np.zeros((3, 1)), np.zeros(3), [([0], [])]), "1 and 0"),
        (lambda: cross_validate(constant(0), np.zeros((3, 1)), np.zeros(3), [([0], [3])]), "0 to 3"),
        (lambda: cross_validate(constant(np.nan), np.zeros((3, 1)), np.zeros(3), k_folds(3, 3)), "fold 1 gave"),
        (lambda: select_model({}, np.zeros((3, 1)), np.zeros(3), k_folds(3, 3)), "candidates={}"),
        (
            lambda: select_model({"a": constant(0)}, np.zeros((3, 1)), np.zeros(3), k_folds(3, 3), "loss"),
            "score='loss'",
        ),
        (lambda: keras_scorer(lambda seed: None, epochs=0), "epochs=0"),
    ],
)
def test_wrong_folds_are_refused_with_what_came(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)


def test_the_data_are_left_as_they_were():
    x = np.arange(8.0).reshape(4, 2)
    kept = Split(x.copy(), np.zeros(4))
    cross_validate(constant(0.0), kept.x, kept.y, k_folds(4, 2))
    np.testing.assert_array_equal(kept.x, x)
