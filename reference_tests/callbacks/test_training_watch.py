"""Callbacks that watch gradients, units and steps over a training."""

import keras
import numpy as np
import pytest

from keras_course.callbacks import GradientNorms, UnitActivity, UpdateRatios
from keras_course.pipeline.probe import gradient_norms, unit_activity
from reference_tests.pipeline.planted_training_faults import digits, frozen, network

EPOCHS = 3


@pytest.fixture(scope="module")
def watched():
    data, model = digits(), network()
    callbacks = (GradientNorms(data.x[:64], data.y[:64]), UnitActivity(data.x[:64]), UpdateRatios(every=2))
    model.fit(data.x, data.y, epochs=EPOCHS, verbose=0, callbacks=list(callbacks))
    return data, model, callbacks


def test_each_layer_has_a_number_an_epoch(watched):
    _, model, callbacks = watched
    for callback in callbacks:
        assert list(callback.history) == [layer.path for layer in model.layers]
        assert all(len(values) == EPOCHS for values in callback.history.values())


def test_the_last_numbers_are_those_of_the_trained_model(watched):
    data, model, (norms, units, _) = watched
    now = gradient_norms(model, data.x[:64], data.y[:64])
    assert {layer: values[-1] for layer, values in norms.history.items()} == {k: float(v) for k, v in now.items()}
    assert [values[-1] for values in units.history.values()] == [a.dead for a in unit_activity(model, data.x[:64])]


def test_steps_of_adam_are_a_few_thousandths_of_the_weights(watched):
    *_, (_, _, ratios) = watched
    assert all(1e-4 < value < 5e-2 for values in ratios.history.values() for value in values)


def test_a_frozen_layer_does_not_move():
    data, model, watch = digits(), frozen(), UpdateRatios()
    model.fit(data.x, data.y, verbose=0, callbacks=[watch])
    still = {layer.rpartition("/")[2] for layer, values in watch.history.items() if values == [0.0]}
    assert still == {"hidden1"}


def test_the_gradient_vanishes_through_sigmoids_and_not_through_rectifiers():
    data, shares = digits(), {}
    for activation in ("sigmoid", "relu"):
        model = network(activation, hidden=(16,) * 6, rate=1e-4)
        watch = GradientNorms(data.x[:64], data.y[:64])
        model.fit(data.x, data.y, verbose=0, callbacks=[watch])
        first, last = list(watch.history.values())[0][0], list(watch.history.values())[-1][0]
        shares[activation] = first / last
    assert shares["sigmoid"] < 0.01 < 0.1 < shares["relu"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradientNorms(np.zeros((2, 1)), np.zeros(3)), "2 and 3"),
        (lambda: UnitActivity(np.zeros((2, 1)), "asleep"), "share='asleep'"),
        (lambda: UnitActivity(np.zeros((0, 1))), "none"),
        (lambda: UpdateRatios(every=0), "every=0"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_they_are_keras_callbacks():
    assert all(issubclass(cls, keras.callbacks.Callback) for cls in (GradientNorms, UnitActivity, UpdateRatios))
