"""The losses behave as Keras losses (config, reductions, weights, masks, fit) and equal Keras's where they can."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core import backend
from keras_course.losses import HalfSquaredLoss, LogisticLoss, PreferenceLoss, SoftmaxLoss, TopKRankingLoss

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(6, 4))
CLASSES = np.array([0, 3, 1, 2, 2, 0])
BITS = np.array([0, 1, 1, 0, 1, 0])

CASES = {
    "logistic": (LogisticLoss, {}, 2 * BITS[:, None] - 1, SCORES[:, :1]),
    "softmax": (SoftmaxLoss, {}, CLASSES, SCORES),
    "half_squared": (HalfSquaredLoss, {}, SCORES[::-1].copy(), SCORES),
    "top_k_ranking": (TopKRankingLoss, {"k": 2}, CLASSES, SCORES),
    "preference": (PreferenceLoss, {}, BITS, SCORES[:, :2]),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def test_a_config_round_trip_keeps_every_argument(case):
    cls, arguments, y_true, y_pred = case
    loss = cls(**arguments, reduction="sum", name="mine", dtype="float64")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is cls and again.get_config() == loss.get_config()
    assert (again.name, again.reduction, again.dtype) == ("mine", "sum", "float64")
    assert float(again(y_true, y_pred)) == float(loss(y_true, y_pred))


def test_reductions_are_the_sum_and_the_mean_of_one_number_a_sample(case):
    cls, arguments, y_true, y_pred = case
    each = numbers(cls(**arguments, reduction=None)(y_true, y_pred))
    assert each.shape == (6,)
    assert float(cls(**arguments, reduction="sum")(y_true, y_pred)) == pytest.approx(each.sum(), rel=1e-6)
    assert float(cls(**arguments)(y_true, y_pred)) == pytest.approx(each.mean(), rel=1e-6)


def test_sample_weights_multiply_the_samples(case):
    cls, arguments, y_true, y_pred = case
    weight = np.array([0.0, 1.0, 2.0, 0.5, 0.0, 3.0])
    each = numbers(cls(**arguments, reduction=None)(y_true, y_pred))
    weighted = numbers(cls(**arguments, reduction=None)(y_true, y_pred, sample_weight=weight))
    np.testing.assert_allclose(weighted, weight * each, rtol=1e-6)


def test_the_dtype_is_that_of_the_policy(case):
    cls, arguments, y_true, y_pred = case
    for dtype, computed in (("float64", "float64"), ("mixed_bfloat16", "bfloat16"), (None, "float32")):
        value = cls(**arguments, dtype=dtype)(y_true, y_pred)
        assert keras.backend.standardize_dtype(value.dtype) == computed


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled_losses_equal_eager_ones(case, mode):
    cls, arguments, y_true, y_pred = case
    loss = cls(**arguments, dtype="float64")
    with backend.execution_mode(mode):
        compiled = float(backend.compiled(loss)(y_true, y_pred))
    assert compiled == pytest.approx(float(loss(y_true, y_pred)), rel=1e-14)


def test_labels_may_have_a_last_axis_of_one(case):
    cls, arguments, y_true, y_pred = case
    loss = cls(**arguments)
    if y_true.ndim == 1:
        assert float(loss(y_true[:, None], y_pred)) == float(loss(y_true, y_pred))
    elif y_true.shape[-1] == 1:
        assert float(loss(y_true[:, 0], y_pred)) == float(loss(y_true, y_pred))
        assert float(loss(y_true, y_pred[:, 0])) == float(loss(y_true, y_pred))


def test_a_model_trains_saves_and_loads_with_the_loss(case, tmp_path):
    cls, arguments, y_true, y_pred = case
    x = RNG.normal(size=(6, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(y_pred.shape[-1])])
    model.compile(keras.optimizers.SGD(0.05), loss=cls(**arguments))
    history = model.fit(x, y_true, epochs=8, batch_size=6, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", custom_objects={cls.__name__: cls})
    assert again.loss.get_config() == model.loss.get_config()
    assert again.evaluate(x, y_true, verbose=0) == pytest.approx(model.evaluate(x, y_true, verbose=0), rel=1e-6)


def test_a_mask_leaves_samples_out():
    kept = np.array([[True, True, False], [True, False, False]])
    y_pred = keras.layers.Masking()(SCORES.reshape(2, 3, 4) * kept[..., None])
    each = numbers(SoftmaxLoss(reduction=None)(CLASSES, SCORES))
    assert float(SoftmaxLoss()(CLASSES.reshape(2, 3), y_pred)) == pytest.approx(each[[0, 1, 3]].mean(), rel=1e-6)


def test_the_logistic_loss_is_keras_binary_cross_entropy_on_signs():
    y = np.where(SCORES > RNG.normal(size=SCORES.shape), 1, 0)
    theirs = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)(y, SCORES)
    np.testing.assert_allclose(numbers(LogisticLoss(reduction=None)(2 * y - 1, SCORES)), numbers(theirs), rtol=1e-6)


def test_the_softmax_loss_is_both_of_keras_cross_entropies():
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(CLASSES, SCORES)
    np.testing.assert_allclose(numbers(SoftmaxLoss(reduction=None)(CLASSES, SCORES)), numbers(sparse), rtol=1e-6)
    dense = keras.losses.CategoricalCrossentropy(from_logits=True, reduction=None)(np.eye(4)[CLASSES], SCORES)
    np.testing.assert_allclose(
        numbers(SoftmaxLoss(reduction=None)(np.eye(4)[CLASSES], SCORES)), numbers(dense), rtol=1e-6
    )


def test_the_half_squared_loss_is_half_the_width_times_keras_mean_squared_error():
    y = SCORES[::-1]
    theirs = 4 / 2 * numbers(keras.losses.MeanSquaredError(reduction=None)(y, SCORES))
    np.testing.assert_allclose(numbers(HalfSquaredLoss(reduction=None)(y, SCORES)), theirs, rtol=1e-6)


def test_the_top_one_loss_is_keras_categorical_hinge():
    positive = SCORES + 10  # Keras counts a rival below 0 as 0; this loss depends on differences alone
    theirs = numbers(keras.losses.CategoricalHinge(reduction=None)(np.eye(4)[CLASSES], positive))
    np.testing.assert_allclose(numbers(TopKRankingLoss(1, reduction=None)(CLASSES, positive)), theirs, rtol=1e-5)
    np.testing.assert_allclose(numbers(TopKRankingLoss(1, reduction=None)(CLASSES, SCORES)), theirs, rtol=1e-5)


def test_the_preference_label_says_which_column_is_preferred():
    expected = np.logaddexp(0, np.where(BITS == 1, 1, -1) * (SCORES[:, 0] - SCORES[:, 1]))
    np.testing.assert_allclose(numbers(PreferenceLoss(reduction=None)(BITS, SCORES[:, :2])), expected, rtol=1e-6)


def test_preferences_learn_a_ranking_of_items():
    """One score a item, shared by both places of a pair."""
    strengths = np.array([2.0, 1.0, 0.0, -1.0])
    pairs = np.array([(a, b) for a in range(4) for b in range(4) if a != b] * 20)
    odds = 1 / (1 + np.exp(strengths[pairs[:, 0]] - strengths[pairs[:, 1]]))
    preferred = (RNG.uniform(size=len(pairs)) < odds).astype("int32")
    model = keras.Sequential([keras.Input((2,), dtype="int32"), keras.layers.Embedding(4, 1), keras.layers.Flatten()])
    model.compile(keras.optimizers.Adam(0.1), PreferenceLoss())
    model.fit(pairs, preferred, epochs=30, batch_size=60, verbose=0)
    assert np.argsort(-model.layers[0].get_weights()[0][:, 0]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize(
    ("loss", "labels", "scores"),
    [
        (LogisticLoss(), [1.0, 0.0], [0.5, 0.5]),
        (SoftmaxLoss(), [0, 4], SCORES[:2]),
        (SoftmaxLoss(), [0, -1], SCORES[:2]),
        (TopKRankingLoss(2), [0, 4], SCORES[:2]),
        (PreferenceLoss(), [0, 2], SCORES[:2, :2]),
    ],
)
def test_a_label_without_meaning_makes_the_whole_loss_nan(mode, loss, labels, scores):
    with backend.execution_mode(mode):
        assert np.isnan(float(backend.compiled(loss)(np.array(labels), np.array(scores))))


def test_lists_are_welcome():
    assert float(HalfSquaredLoss()([[1.0, 2.0]], [[0.0, 4.0]])) == 2.5
    assert float(HalfSquaredLoss()([1.0, 3.0], [[0.0], [3.0]])) == 0.25


@pytest.mark.parametrize(
    ("loss", "labels", "scores", "message"),
    [
        (LogisticLoss(), np.ones((6, 2)), SCORES, r"Received: \(6, 2\) and \(6, 4\)"),
        (HalfSquaredLoss(), np.ones(6), SCORES, r"Received: \(6,\) and \(6, 4\)"),
        (SoftmaxLoss(), np.ones((6, 3)), SCORES, r"Received: \(6, 3\) and \(6, 4\)"),
        (SoftmaxLoss(dtype="bfloat16"), np.zeros(2), np.zeros((2, 300)), "Received: y.dtype=bfloat16"),
        (TopKRankingLoss(5), CLASSES, SCORES, "Received: k=5"),
        (PreferenceLoss(), BITS, SCORES, "2 features"),
        (PreferenceLoss(), np.ones((6, 2)), SCORES[:, :2], r"y_true.shape=\(6, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(loss, labels, scores, message):
    with pytest.raises(ValueError, match=message):
        loss(labels, scores)


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "2"])
def test_a_k_that_is_no_count_is_refused(k):
    with pytest.raises(ValueError, match="Received: k="):
        TopKRankingLoss(k)
