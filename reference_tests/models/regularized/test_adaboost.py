"""AdaBoost: scikit-learn on the same stumps, the bound on training mistakes, any learner, its life as a Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from keras_course.core.errors import InvalidDataError
from keras_course.core.serial import load, save_model
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons import LogisticRegression, Perceptron, SoftmaxRegression
from keras_course.models.regularized import AdaBoost, DecisionStump

ROUNDS = 8


def without_ties(x, seed=3):
    """Every feature's values in random order of size, all different: no two questions are equally good."""
    noise = np.random.Generator(np.random.Philox(seed)).normal(size=x.shape)
    return (x + 1e-3 * x.std(axis=0) * noise).astype("float32")


@pytest.fixture(scope="module", params=["two classes", "three classes"])
def case(request):
    data = load_breast_cancer() if request.param == "two classes" else load_wine()
    x, y = without_ties(data.data[:, :6]), data.target
    model = AdaBoost(DecisionStump(x.shape[1], y.max() + 1), members=ROUNDS)
    model.compile(run_eagerly=True)
    history = model.fit(x, y, batch_size=len(x), epochs=50, verbose=0).history
    peer = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=ROUNDS).fit(x, y)
    return model, peer, x, y, history


def test_questions_errors_and_says_are_those_of_scikit_learn(case):
    model, peer, *_ = case
    trees = [tree.tree_ for tree in peer.estimators_]
    assert [int(stump.feature) for stump in model.ensemble] == [tree.feature[0] for tree in trees]
    assert np.allclose([float(s.threshold) for s in model.ensemble], [t.threshold[0] for t in trees], rtol=1e-6)
    assert np.allclose(model.errors.numpy(), peer.estimator_errors_, rtol=1e-4)
    assert np.allclose(model.alphas.numpy(), peer.estimator_weights_, rtol=1e-4)


def test_decisions_after_every_member_are_those_of_scikit_learn(case):
    model, peer, x, _, _ = case
    for scores, wanted in zip(model.staged_scores(x), peer.staged_predict(x), strict=True):
        assert np.array_equal(scores.argmax(axis=1), wanted)
    assert np.array_equal(model.predict(x, verbose=0).argmax(axis=1), peer.predict(x))


def test_mistakes_in_training_never_cross_the_bound(case):
    model, _, x, y, _ = case
    mistakes = np.mean(model.staged_scores(x).argmax(axis=2) != y, axis=1)
    bound = model.training_error_bound()
    assert np.all(mistakes <= bound + 1e-7)
    assert len(bound) == ROUNDS
    if y.max() == 1:
        errors = model.errors.numpy()
        assert np.allclose(bound, np.cumprod(2 * np.sqrt(errors * (1 - errors))))


def test_fit_ends_by_itself_and_weights_stay_of_mean_one(case):
    model, _, x, y, history = case
    assert len(history["loss"]) == ROUNDS and model.complete
    weights = np.asarray(model.example_weights(y, model.member_outputs(x)))
    assert weights.mean() == pytest.approx(1, rel=1e-4)
    last_wrong = np.asarray(model.ensemble[-1](x)).argmax(axis=1) != y
    assert weights[last_wrong].sum() / weights.sum() == pytest.approx(1 - 1 / model.classes, rel=1e-4)


def small(rows=24, seed=1):
    x = np.random.Generator(np.random.Philox(seed)).normal(size=(rows, 2)).astype("float32")
    return x, (x[:, 0] * x[:, 1] > 0).astype("int32")


def test_batches_of_any_size_measure_a_member_alike():
    x, y = small()
    found = []
    for batches in (tf.data.Dataset.from_tensors((x, y)), tf.data.Dataset.from_tensor_slices((x, y)).batch(7)):
        model = AdaBoost(DecisionStump(2), members=2)
        model.compile(run_eagerly=True)
        for number, (feature, threshold) in enumerate([(0, 0.3), (1, -0.2)]):
            model.learner.set_weights([np.array(feature), np.array(threshold), np.array([[0.2, 0.8], [0.7, 0.3]])])
            model.steps.assign(1)
            model.end_epoch(batches)
            assert int(model.trained) == number + 1
        found.append((model.errors.numpy(), model.alphas.numpy(), float(model.log_mean)))
    assert np.allclose(found[0][0], found[1][0]) and np.allclose(found[0][1], found[1][1])
    assert found[0][2] == pytest.approx(found[1][2])


def test_boosted_perceptrons_do_better_than_one_on_what_one_cannot_separate():
    x, y = small(60)
    x = np.concatenate([x, x[:, :1] * x[:, 1:]], axis=1)
    t = np.where(np.abs(x[:, 0]) + 0.5 * x[:, 1] > 0.6, 1, -1)
    model = AdaBoost(Perceptron(3), members=12, epochs_per_member=1, seed=1)
    model.compile(run_eagerly=True)
    history = model.fit(x, t, epochs=12, batch_size=60, shuffle=False, verbose=0).history
    first = np.mean(np.where(np.asarray(model.ensemble[0](x)) >= 0, 1, -1) != t)
    assert model.evaluate(x, t, verbose=0) < first
    assert len(history["loss"]) == 12
    assert np.abs(model.predict(x, verbose=0)).max() <= 1


def test_every_member_starts_anew_with_fresh_moments():
    x, y = small()
    model = AdaBoost(SoftmaxRegression(2, 2), members=2, epochs_per_member=2, seed=4)
    starts = [member.get_weights()[0] for member in model.ensemble]
    assert np.array_equal(model.learner.get_weights()[0], starts[0])
    model.compile(keras.optimizers.Adam(0.1), SoftmaxLoss(), run_eagerly=True)
    model.fit(x, y, epochs=2, verbose=0)
    assert int(model.trained) == 1 and not np.array_equal(model.ensemble[0].get_weights()[0], starts[0])
    assert np.array_equal(model.learner.get_weights()[0], starts[1])
    slots = [variable.numpy() for variable in model.learner.optimizer.variables if "learning_rate" not in variable.path]
    assert all(not slot.any() for slot in slots)
    assert float(model.learner.optimizer.learning_rate) == pytest.approx(0.1)


def test_a_member_without_mistakes_decides_alone_and_ends_training():
    x = np.array([[0.0], [1.0], [2.0], [3.0]], "float32")
    model = AdaBoost(DecisionStump(1), members=5)
    model.compile(run_eagerly=True)
    history = model.fit(x, np.array([0, 0, 1, 1]), batch_size=4, epochs=5, verbose=0).history
    assert len(history["loss"]) == 1 and model.complete
    assert model.alphas.numpy().tolist() == [1, 0, 0, 0, 0]
    assert model.classify(x).numpy().tolist() == [0, 0, 1, 1]


def test_a_member_no_better_than_chance_changes_nothing():
    x, y = small()
    model = AdaBoost(DecisionStump(2), members=3)
    model.compile(run_eagerly=True)
    model.add_member(0.25)
    before = np.asarray(model.example_weights(y, model.member_outputs(x)))
    model.add_member(0.5)
    assert model.alphas.numpy()[1] == 0 and int(model.trained) == 2
    assert np.array_equal(np.asarray(model.example_weights(y, model.member_outputs(x))), before)
    assert model.training_error_bound()[1] == pytest.approx(model.training_error_bound()[0])


def test_a_smaller_rate_lets_every_member_say_less():
    model = AdaBoost(DecisionStump(2), members=2, learning_rate=0.5)
    model.add_member(0.2)
    assert model.alphas.numpy()[0] == pytest.approx(0.5 * np.log(4))


def test_validation_sees_the_member_that_was_just_added():
    x, y = small()
    model = AdaBoost(DecisionStump(2), members=3)
    model.compile(run_eagerly=True)
    history = model.fit(x, y, batch_size=24, epochs=3, validation_data=(x, y), verbose=0).history
    stages = np.mean(model.staged_scores(x).argmax(axis=2) != y, axis=1)
    assert np.allclose(history["val_loss"], stages)


def test_sample_weights_are_where_boosting_starts_from():
    x, y = small()
    weight = np.where(np.arange(24) < 12, 1.0, 0.0)
    found = []
    for arrays in ((x, y, weight), (x[:12], y[:12], None)):
        model = AdaBoost(DecisionStump(2), members=2)
        model.compile(run_eagerly=True)
        model.fit(arrays[0], arrays[1], batch_size=24, epochs=2, sample_weight=arrays[2], verbose=0)
        found.append(model.errors.numpy())
    assert np.allclose(*found)


def test_a_single_logit_is_boosted_and_a_loaded_ensemble_goes_on(tmp_path):
    x, y = small()
    model = AdaBoost(LogisticRegression(2), members=3, epochs_per_member=2)
    model.compile(keras.optimizers.Adam(0.05), keras.losses.BinaryCrossentropy(from_logits=True), run_eagerly=True)
    model.fit(x, y[:, None], epochs=3, shuffle=False, verbose=0)
    save_model(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, y[:, None], epochs=2, shuffle=False, verbose=0)
    assert int(loaded.trained) == int(model.trained) == 2
    assert np.allclose(loaded.errors.numpy(), model.errors.numpy())
    assert model.predict(x, verbose=0).shape == (24, 1)
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_weights_that_sum_to_zero_are_refused():
    x, y = small()
    model = AdaBoost(DecisionStump(2), members=2)
    model.compile(run_eagerly=True)
    with pytest.raises(InvalidDataError, match="Received: sum 0.0"):
        model.fit(x, y, sample_weight=np.zeros(24), verbose=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AdaBoost(DecisionStump(2), members=0), "members=0"),
        (lambda: AdaBoost(DecisionStump(2), epochs_per_member=0), "epochs_per_member=0"),
        (lambda: AdaBoost(DecisionStump(2), learning_rate=0.0), "learning_rate=0.0"),
        (lambda: AdaBoost(42), "Received: 42"),
        (lambda: AdaBoost(DecisionStump(2)).fit(iter([])), "finite tf.data.Dataset"),
        (lambda: AdaBoost(DecisionStump(2)).fit(tf.data.Dataset.from_tensors(1).repeat()), "finite tf.data.Dataset"),
        (lambda: DecisionStump(0), "features=0"),
        (lambda: DecisionStump(2, 1), "classes=1"),
    ],
)
def test_what_cannot_be_boosted_is_refused_with_what_came(make, words):
    with pytest.raises(ValueError, match=words):
        make()
