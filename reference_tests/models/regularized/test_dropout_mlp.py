"""DropoutMLP: masks that repeat, and its ensembles against enumeration."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.serial import load, save_model
from keras_course.losses import SoftmaxLoss
from keras_course.models.regularized import DropoutMLP
from keras_course.ops.dropout import all_masks, arithmetic_ensemble, geometric_ensemble

X = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0)


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def compiled(**kwargs):
    model = DropoutMLP(4, (8, 3), seed=2, **kwargs)
    model.compile(keras.optimizers.Adam(0.01), SoftmaxLoss())
    return model


@pytest.mark.parametrize("rule", ["inverted", "weight-scaling"])
def test_without_hidden_layers_the_geometric_mean_of_all_masks_is_one_pass(rule):
    model = DropoutMLP(4, (3,), input_rate=0.5, rule=rule, dtype="float64")
    model.dense[0].bias.assign([0.5, -1.0, 0.25])
    x = 4 * X[0].astype("float64")
    members = ops.log_softmax(model.logits_under(np.tile(x, (16, 1)), [all_masks(4)]), axis=-1)
    np.testing.assert_allclose(array(geometric_ensemble(members)), array(model.probabilities(x[None]))[0], rtol=1e-12)
    assert np.abs(array(arithmetic_ensemble(ops.exp(members))) - array(model.probabilities(x[None]))[0]).max() > 1e-3


def test_drawn_masks_come_near_the_mean_over_all_masks():
    model = DropoutMLP(4, (3,), input_rate=0.5)
    members = ops.log_softmax(model.logits_under(np.tile(X[0], (16, 1)), [all_masks(4)]), axis=-1)
    drawn = array(model.mask_averaged(np.tile(X[0], (500, 1)), members=10, seed=(1, 2))).mean(0)  # 5000 masks
    spread = array(ops.exp(members)).std(0) / np.sqrt(5000)
    assert np.all(np.abs(drawn - array(arithmetic_ensemble(ops.exp(members)))) < 5 * spread)  # false alarm 2e-6
    geometric = array(model.geometric_mean(np.tile(X[0], (500, 1)), members=10, seed=(1, 2)))
    np.testing.assert_allclose(geometric.sum(-1), 1, rtol=1e-5)


def test_the_ensemble_is_a_function_of_its_seed():
    model = compiled()
    one, again, other = (array(model.mask_averaged(X, 5, seed)) for seed in ((3, 4), (3, 4), (3, 5)))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_masks_change_with_the_step_and_differ_between_examples_and_layers():
    model = compiled()
    first = [array(mask) for mask in model.step_masks(200)]
    assert [mask.shape for mask in first] == [(200, 4), (200, 8)]
    assert abs(first[0].mean() - 0.8) < 4 * np.sqrt(0.16 / 800) and abs(first[1].mean() - 0.5) < 4 * 0.5 / np.sqrt(1600)
    model.optimizer.iterations.assign(1)
    assert not np.array_equal(first[1], array(model.step_masks(200)[1]))
    assert len(np.unique(first[1], axis=0)) > 100


@pytest.mark.parametrize("how", [{"run_eagerly": True}, {"jit_compile": False}])
def test_a_resumed_run_is_the_uninterrupted_one_in_any_mode(how, tmp_path):
    def epochs(model, first, last):
        model.fit(X, Y, batch_size=16, epochs=last, initial_epoch=first, shuffle=False, verbose=0)
        return model

    def started():
        model = DropoutMLP(4, (8, 3), seed=2)
        model.compile(keras.optimizers.Adam(0.01), SoftmaxLoss(), **how)
        return model

    whole = epochs(started(), 0, 3)
    save_model(epochs(started(), 0, 1), tmp_path / "killed.keras")
    resumed = epochs(load(tmp_path / "killed.keras"), 1, 3)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_with_rates_of_zero_nothing_is_dropped():
    model = compiled(input_rate=0.0, hidden_rate=0.0)
    assert np.array_equal(array(model(X, training=True)), array(model(X, training=False)))
    np.testing.assert_allclose(array(model.mask_averaged(X, 2)), array(model.probabilities(X)), rtol=1e-5)


def test_bad_arguments_are_refused_with_what_came():
    for arguments, message in (
        ({"features": 0, "units": (3,)}, "features=0"),
        ({"features": 4, "units": ()}, r"units=\(\)"),
        ({"features": 4, "units": (8, 1)}, "2 classes"),
        ({"features": 4, "units": (3,), "input_rate": 1.0}, "rate=1.0"),
        ({"features": 4, "units": (3,), "rule": "mean"}, "rule='mean'"),
    ):
        with pytest.raises(ValueError, match=message):
            DropoutMLP(**arguments)
    with pytest.raises(ValueError, match="members=0"):
        compiled().mask_averaged(X, 0)
