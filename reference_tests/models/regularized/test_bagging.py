"""Bagging: scikit-learn on the same bootstrap, resampling against counting, out-of-bag, its life as a Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_wine
from sklearn.ensemble import BaggingClassifier
from sklearn.tree import DecisionTreeClassifier

from keras_course.core.serial import load, save_model
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons import MLP, LinearRegression, Perceptron, SoftmaxRegression
from keras_course.models.regularized import Bagging, DecisionStump


@pytest.fixture(scope="module")
def wines():
    """Four measurements of 178 wines, no two values alike, so that no two questions are equally good."""
    data, generator = load_wine(), np.random.Generator(np.random.Philox(2))
    x = data.data[:, [0, 6, 9, 11]] / data.data[:, [0, 6, 9, 11]].std(axis=0)
    return (x + 1e-4 * generator.normal(size=x.shape)).astype("float32"), data.target


def linearly_separable(rows=20, seed=0):
    generator = np.random.Generator(np.random.Philox(seed))
    x = generator.normal(size=(rows, 2)).astype("float32")
    x += 0.3 * np.sign(x[:, :1] + x[:, 1:])
    return x, np.where(x.sum(axis=1) > 0, 1.0, -1.0)


@pytest.mark.filterwarnings("ignore")  # scikit-learn warns of examples that every member has seen
def test_stumps_on_the_bootstrap_of_scikit_learn_answer_as_its_bagging(wines):
    x, y = wines
    peer = BaggingClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=7, oob_score=True, random_state=0)
    peer.fit(x, y)
    counts = np.stack([np.bincount(rows, minlength=178) for rows in peer.estimators_samples_], axis=1)
    model = Bagging(DecisionStump(4, 3), members=7, combination="average")
    model.compile(run_eagerly=True)
    model.fit(x, y, batch_size=178, sample_weight=counts, shuffle=False, verbose=0)
    trees = [tree.tree_ for tree in peer.estimators_]
    assert [int(stump.feature) for stump in model.ensemble] == [tree.feature[0] for tree in trees]
    assert np.allclose([float(stump.threshold) for stump in model.ensemble], [tree.threshold[0] for tree in trees])
    assert np.allclose(model.predict(x, verbose=0), peer.predict_proba(x), atol=1e-6)
    answer, left_out = model.out_of_bag(x, counts)
    assert np.allclose(answer[left_out], peer.oob_decision_function_[left_out], atol=1e-6)


def test_counts_as_weights_are_training_on_the_resampled_set():
    x, _ = linearly_separable()
    y = x @ [[1.0], [-2.0]] + 0.5
    model = Bagging(LinearRegression(2, 1), members=2, combination="average", seed=5)
    starts = [member.get_weights() for member in model.ensemble]
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), HalfSquaredLoss())
    model.fit(x, y, batch_size=20, epochs=4, shuffle=False, verbose=0)
    for member, start, counts in zip(model.ensemble, starts, model.bootstrap(20).T, strict=True):
        alone = LinearRegression(2, 1)
        alone.set_weights(start)
        alone.compile(keras.optimizers.SGD(0.1, momentum=0.5), HalfSquaredLoss())
        rows = np.repeat(np.arange(20), counts.astype(int))
        alone.fit(x[rows], y[rows], batch_size=20, epochs=4, shuffle=False, verbose=0)
        for came, wanted in zip(member.get_weights(), alone.get_weights(), strict=True):
            assert np.allclose(came, wanted, atol=1e-5)


def test_perceptrons_on_bootstrap_samples_separate_by_majority_what_each_separates():
    x, t = linearly_separable()
    model = Bagging(Perceptron(2), members=5, seed=1)
    model.compile(run_eagerly=True)
    history = model.fit(x, t, epochs=30, verbose=0).history
    assert history["loss"][-1] == model.evaluate(x, t, verbose=0) == 0
    assert model.predict(x, verbose=0).shape == (20,)
    assert len({tuple(member.get_weights()[0]) for member in model.ensemble}) == 5
    assert np.array_equal(np.sign(model(x)), t)
    assert model.out_of_bag_error(x, t) <= 0.2


def test_error_of_the_averaged_networks_is_not_above_the_members_mean():
    x, _ = linearly_separable(30)
    y = np.sin(3 * x[:, :1]) + 0.1 * x[:, 1:]
    model = Bagging(MLP(2, (6, 1), activation="tanh"), members=4, combination="average")
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(x, y, batch_size=30, epochs=10, verbose=0)
    errors = np.mean((np.asarray(model.member_outputs(x)) - y) ** 2, axis=(1, 2))
    assert model.evaluate(x, y, verbose=0) < errors.mean()


def test_loss_of_the_mean_distribution_is_what_softmax_loss_makes_of_it(wines):
    x, y = wines
    model = Bagging(SoftmaxRegression(4, 3), members=3, combination="distribution")
    model.compile(keras.optimizers.SGD(0.01), SoftmaxLoss(), metrics=["accuracy"])
    mean = np.mean(np.asarray(keras.ops.softmax(model.member_outputs(x))), axis=0)
    measured = model.evaluate(x, y, verbose=0, return_dict=True)
    assert measured["loss"] == pytest.approx(-np.log(mean[np.arange(178), y]).mean(), rel=1e-5)
    assert measured["accuracy"] == pytest.approx(np.mean(mean.argmax(axis=1) == y))


def test_any_keras_model_is_a_template_and_its_seeds_are_the_ensembles():
    template = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    one, again, other = (Bagging(template, members=2, seed=seed) for seed in (1, 1, 2))
    kernels = [[member.get_weights()[0] for member in model.ensemble] for model in (one, again, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2]) and not np.array_equal(*kernels[0])
    rebuilt = Bagging.from_config(one.get_config())
    assert np.array_equal(rebuilt.ensemble[1].get_weights()[0], kernels[0][1])


@keras.saving.register_keras_serializable(package="bagging_tests")
class Plain(keras.Model):
    """As a user writes one: no compute_output_shape, no seed."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.top = keras.layers.Dense(2)

    def build(self, input_shape):
        self.top.build(input_shape)
        self.built = True

    def call(self, inputs):
        return self.top(inputs)


def test_a_subclass_without_seed_or_output_shape_will_do(wines):
    x, y = wines
    template = Plain()
    template(x[:1])
    model = Bagging(template, members=3)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    model.fit(x, y > 0, batch_size=178, verbose=0)
    assert model.compute_output_shape((None, 4)) == (None, 2)
    assert model.predict(x, verbose=0).sum(axis=1) == pytest.approx(1)


def test_a_saved_ensemble_of_networks_with_moments_trains_on_alike(tmp_path, wines):
    x, y = wines
    model = Bagging(SoftmaxRegression(4, 3), members=2, combination="distribution")
    model.compile(keras.optimizers.Adam(0.1), SoftmaxLoss(), run_eagerly=True)
    model.fit(x, y, epochs=1, shuffle=False, verbose=0)
    save_model(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, y, epochs=1, shuffle=False, verbose=0)
    for came, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.allclose(came, wanted, atol=1e-6)


def test_an_example_of_weight_zero_teaches_nobody_and_held_out_rows_are_never_drawn():
    x, t = linearly_separable()
    weight = np.ones(20)
    weight[3] = 0
    model = Bagging(Perceptron(2), members=3)
    assert np.all(model.counts_for(20, weight)[3] == 0)
    model.compile(run_eagerly=True)
    history = model.fit(x, t, validation_split=0.25, epochs=2, verbose=0).history
    assert set(history) == {"loss", "val_loss"}
    assert model.bootstrap(15).shape == (15, 3)


@pytest.mark.parametrize("data", [lambda x, t: (x, t), lambda x, t: (x, t, np.ones((20, 2)))])
def test_a_dataset_without_counts_is_refused_and_told_what_to_bring(data):
    x, t = linearly_separable()
    model = Bagging(Perceptron(2), members=3)
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=r"counts \(B, 3\).*bootstrap\(N\)"):
        model.fit(tf.data.Dataset.from_tensors(data(x, t)), verbose=0)
    counted = tf.data.Dataset.from_tensors((x, t, model.bootstrap(20)))
    assert model.fit(counted, verbose=0).history


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Bagging("tree"), "Received: 'tree'"),
        (lambda: Bagging(keras.Sequential([keras.layers.Dense(1)])), "built Keras model"),
        (lambda: Bagging(Perceptron(2), members=0), "members=0"),
        (lambda: Bagging(Perceptron(2), combination="mean"), "combination='mean'"),
        (lambda: Bagging(SoftmaxRegression(2, 3)).compile(), "optimizer=None, loss=None"),
        (lambda: Bagging(Perceptron(2)).fit(np.ones((2, 2)), np.ones(2), class_weight={1: 2}), "class_weight"),
    ],
)
def test_what_cannot_be_bagged_is_refused_with_what_came(make, words):
    with pytest.raises(ValueError, match=words):
        make()
