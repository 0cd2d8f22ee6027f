"""Debugging: each planted fault is named, a healthy model has none, and every measure is what it says."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from keras_course.datasets import Split, load
from keras_course.pipeline.diagnose import Diagnosis, Finding, Limits, advise, diagnose, label_relation
from keras_course.pipeline.diagnosis_plots import diagnosis_figure, layer_curves
from keras_course.pipeline.gradient_check import CheckedGradient, gradient_check
from keras_course.pipeline.probe import LayerActivity, gradient_norms, layer_outputs, loss_and_gradients, unit_activity
from keras_course.pipeline.trial_training import ShortTraining, TinyFit, short_training, tiny_set_fit
from keras_course.pipeline.worst_examples import WorstExample, worst_examples
from reference_tests.pipeline.planted_training_faults import FAULTS, digits, network, with_layer


@pytest.fixture(scope="module")
def data():
    return digits()


@pytest.fixture(scope="module")
def healthy(data):
    model = network()
    before = [weight.numpy() for weight in (*model.variables, *model.optimizer.variables)]
    return model, before, diagnose(model, data)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_where_it_lies(fault, data):
    make, change, where = FAULTS[fault]
    found = diagnose(make(), change(data))
    places = [finding.where for finding in found.findings if finding.fault == fault]
    assert places, f"{fault} not named: {found.faults}"
    assert any(where in place for place in places)


def test_a_healthy_model_has_no_fault(healthy):
    _, _, found = healthy
    assert isinstance(found, Diagnosis) and found.faults == ()
    assert isinstance(found.training, ShortTraining) and found.training.after < found.training.before


@pytest.mark.parametrize(("activation", "optimizer", "rate"), [("tanh", keras.optimizers.SGD, 0.1)])
def test_other_healthy_models_have_none_either(activation, optimizer, rate, data):
    assert diagnose(network(activation, optimizer=optimizer, rate=rate), data).faults == ()


def test_a_diagnosis_leaves_weights_and_optimizer_as_they_were(healthy):
    model, before, _ = healthy
    after = [weight.numpy() for weight in (*model.variables, *model.optimizer.variables)]
    for old, new in zip(before, after, strict=False):
        np.testing.assert_array_equal(old, new)
    assert all("call" not in vars(layer) for layer in model.layers)


def test_limits_are_what_decides(data):
    strict = diagnose(network(), data, steps=5, limits=Limits(exploding=1e-6, units=0.0))
    assert "exploding gradient" in strict.faults


def test_gradient_norms_are_those_of_each_layers_weights(data):
    model, x, y = network(), data.x[:20], data.y[:20]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x)))
    slopes = tape.gradient(loss, model.trainable_variables)
    by_hand = [np.sqrt(sum(float(np.sum(slope**2)) for slope in slopes[i : i + 2])) for i in (0, 2, 4)]
    np.testing.assert_allclose([float(norm) for norm in gradient_norms(model, x, y).values()], by_hand, rtol=1e-5)
    assert float(loss_and_gradients(model, x, y)[0]) == pytest.approx(float(loss), rel=1e-6)


def test_dead_saturated_and_copied_units_are_counted(data):
    model = network("tanh", hidden=(8,))
    kernel, bias = (weight.numpy() for weight in model.get_layer("hidden0").weights)
    kernel[:, :2] = 0.0  # two dead units,
    kernel[:, 3] = kernel[:, 2]  # a copy,
    kernel[:, 4], bias[4] = 0.0, 20.0  # and one stuck at 1
    model.get_layer("hidden0").set_weights([kernel, bias])
    first = unit_activity(model, data.x[:100])[0]
    assert isinstance(first, LayerActivity) and (first.units, first.activation) == (8, "tanh")
    assert (first.dead, first.copies) == (0.25, 0.125)
    outputs = np.tanh(data.x[:100].astype("float64") @ kernel + bias)
    assert first.saturated == pytest.approx(np.mean(1 - outputs**2 < 0.01), abs=0.003)


def test_outputs_of_a_subclassed_model_are_seen_too():
    from keras_course.models.vision.lenet import LeNet

    model = LeNet((8, 8, 1), 10)
    seen = layer_outputs(model, np.ones((3, 8, 8, 1), "float32"))
    assert len(seen) >= 5 and all(output.shape[0] == 3 for output in seen.values())


@keras.saving.register_keras_serializable(package="planted")
class SlightlyWrong(keras.layers.Layer):
    """The identity, whose gradient is too large by one part in ten thousand."""

    def call(self, inputs):
        return 1.0001 * inputs - tf.stop_gradient(0.0001 * inputs)


@pytest.mark.parametrize(("middle", "wrong"), [(keras.layers.Identity, False), (SlightlyWrong, True)])
def test_in_float64_a_factor_of_1_0001_shows(middle, wrong, data):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = with_layer(middle())
    checked = gradient_check(model, data.x[:16].astype("float64"), data.y[:16])
    worst = max(found.error for found in checked if "hidden0" in found.weight)
    assert isinstance(checked[0], CheckedGradient) and len(checked) == 12
    assert (worst > 5e-5) == wrong and (wrong or worst < 1e-6)
    assert all(found.error < 1e-6 for found in checked if "hidden0" not in found.weight)


def test_the_tiny_set_is_learnt_and_forgotten_again(data):
    model = network()
    before = model.get_weights()
    found = tiny_set_fit(model, data.x, data.y)
    assert isinstance(found, TinyFit) and found.passed and found.last <= 0.1 * found.first
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    same_inputs = np.repeat(data.x[:1], 8, 0)
    assert not tiny_set_fit(model, same_inputs, np.arange(8)).passed


def test_a_short_training_repeats_and_is_the_models_own(data):
    first, again = (short_training(network(), data, steps=12) for _ in range(2))
    np.testing.assert_array_equal(first.losses, again.losses)
    still = short_training(network(rate=0.0), data, steps=3)
    assert all(not ratios.any() for ratios in still.ratios.values()) and still.before == still.after


def test_the_worst_examples_are_those_with_the_largest_loss(data):
    model = network()
    model.fit(data.x, data.y, epochs=15, verbose=0)
    y = data.y.copy()
    planted = [5, 17, 101]
    y[planted] = (y[planted] + 1) % 10  # three wrong labels
    found = worst_examples(model, data.x, y, count=6)
    logits = model.predict(data.x, verbose=0).astype("float64")
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    theirs = [log_loss([label], row[None], labels=range(10)) for label, row in zip(y, probabilities, strict=True)]
    assert isinstance(found[0], WorstExample)
    assert [worst.row for worst in found] == np.argsort(-np.array(theirs), kind="stable")[:6].tolist()
    np.testing.assert_allclose([worst.loss for worst in found], np.sort(theirs)[::-1][:6], rtol=1e-5)
    assert set(planted) <= {worst.row for worst in found}


def test_labels_relate_to_inputs_unless_they_are_shuffled():
    wine, diabetes, rng = load("wine").train, load("diabetes").train, np.random.default_rng(0)
    assert label_relation(wine.x, wine.y) > 10 and label_relation(diabetes.x, diabetes.y) > 3
    null = [label_relation(wine.x, rng.permutation(wine.y)) for _ in range(200)]
    assert abs(np.mean(null)) < 0.25 and 0.8 < np.std(null) < 1.2  # standard errors are what they are called
    assert label_relation(wine.x, np.zeros(len(wine), int)) == 0.0


@pytest.mark.parametrize(
    ("training", "validation", "advice"), [(0.2, 0.2, "capacity"), (0.01, 0.2, "data"), (0.01, 0.02, "done")]
)
def test_the_advice_is_that_of_the_notes(training, validation, advice):
    assert advise(training, validation, wanted=0.05) == advice


def test_figures_show_every_layer(healthy):
    figure = diagnosis_figure(healthy[2], "digits")
    assert len(figure.axes) == 4 and len(figure.axes[0].get_yticklabels()) == 3
    curves = layer_curves({"a": [1.0, 0.1], "b": [0.0, 0.0]}, "gradient norm")
    assert [line.get_label() for line in curves.axes[0].lines] == ["a", "b"]
    assert "dead" in str(Finding("dead units", "a", "90 % are 0", "lower the rate"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gradient_norms(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), [[1.0]], [[1.0]]),
            "loss",
        ),
        (lambda: tiny_set_fit(network(), np.zeros((8, 64)), np.zeros(8), share=1.5), "share=1.5"),
        (lambda: short_training(network(), Split(np.zeros((8, 64)), np.zeros(8)), steps=0), "steps=0"),
        (lambda: worst_examples(network(), np.zeros((1, 64)), np.zeros(1), count=0), "count=0"),
        (lambda: gradient_check(network(), np.zeros((1, 64)), np.zeros(1), directions=0), "directions=0"),
        (lambda: advise(float("nan"), 0.1, 0.1), "training_error=nan"),
        (lambda: layer_curves({}, "x"), "history={}"),
        (lambda: diagnosis_figure(Diagnosis((), (), {}, (), None, None)), "training=None"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
