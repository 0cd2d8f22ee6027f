"""Reports of a training: each once, by its own name, and kept over a resumption; what is not finite is an error."""

import warnings

import keras
import numpy as np
import pytest

from keras_course.callbacks import DiscriminatorWatch, ReportingCallback, TrainingReport
from keras_course.callbacks.training_reports import require_finite_logs, with_reports
from keras_course.core.errors import NonFiniteLossError
from keras_course.pipeline.training_state import callback_state, restore_callback


class NothingMoves(TrainingReport):
    pass


def reporting(**how):
    callback = ReportingCallback(**how)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)], name="toy")
    model.compile("sgd")
    callback.set_model(model)
    return callback


def test_each_kind_is_reported_once_under_its_own_name():
    callback = reporting()
    with pytest.warns(NothingMoves, match="'toy', epoch 3: nothing moves"):
        callback.report(NothingMoves, 2, "nothing moves")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        callback.report(NothingMoves, 3, "nothing moves")
        with pytest.raises(TrainingReport, match="something else"):
            callback.report(TrainingReport, 3, "something else")
    assert callback.reported == {"NothingMoves": 2, "TrainingReport": 3}


def test_a_resumed_training_does_not_report_again():
    first, second = reporting(), reporting()
    with pytest.warns(NothingMoves):
        first.report(NothingMoves, 0, "nothing moves")
    restore_callback(second, callback_state(first))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second.report(NothingMoves, 1, "nothing moves")


def test_numbers_that_must_be_finite_are_and_others_are_let_alone():
    callback = reporting(finite=("scale",))
    callback.on_epoch_end(0, {"loss": np.nan, "scale": 1.0})
    for value in (np.nan, -np.inf):
        with pytest.raises(NonFiniteLossError, match="step 0: first non-finite tensor is 'scale' of the model 'toy'"):
            callback.on_epoch_end(1, {"scale": value})
        with pytest.raises(NonFiniteLossError, match="'loss'.*end of epoch 2"):
            require_finite_logs(callback.model, 1, {"scale": 1.0, "loss": value})


def test_a_model_adds_its_report_where_the_user_brought_none():
    own, theirs, other = DiscriminatorWatch(), DiscriminatorWatch(patience=7), keras.callbacks.TerminateOnNaN()
    assert with_reports(None, own) == [own] and with_reports(other, own) == [other, own]
    assert with_reports((other, theirs), own) == [other, theirs]
    model = reporting().model
    given = keras.callbacks.CallbackList([other], model=model)
    assert with_reports(given, own) is given and given.callbacks[-1] is own and own.model is model
    assert with_reports(given, theirs).callbacks[-1] is own
