"""Early stopping ends where the rule says and returns the best epoch's parameters, killed or not."""

import itertools

import keras
import numpy as np
import pytest

from keras_course.callbacks import EarlyStopping, ExactResume
from keras_course.ops.early_stopping import stopping_point
from keras_course.pipeline.batches import in_order


class Replay(keras.Model):
    """Its validation error after epoch e is errors[e], its weight e + 1."""

    def __init__(self, errors):
        super().__init__()
        self.errors = [*errors]
        self.weight = self.add_weight(shape=(), initializer="zeros", name="weight")
        self.build((None, 1))

    def call(self, x):
        return x

    def train_step(self, data):
        self.weight.assign_add(1.0)
        return {"error": self.weight + 0.0}

    def test_step(self, data):
        return {"error": keras.ops.convert_to_tensor(self.errors)[keras.ops.cast(self.weight, "int32") - 1]}


def replay(errors, *callbacks, epochs=None):
    model = Replay(errors)
    model.compile(run_eagerly=True)
    x = in_order(np.zeros((1, 1)))
    history = model.fit(
        x, epochs=epochs or len(errors), verbose=0, shuffle=False, validation_data=x, callbacks=[*callbacks]
    )
    return model, len(history.history["val_error"])


def brute_force(errors, patience, min_delta):
    """Straight from the sentence: no better than the best recorded for `patience` epochs."""
    recorded, best, since = np.inf, -1, 0
    for epoch, error in enumerate(errors):
        if error < recorded - min_delta:
            recorded, best, since = error, epoch, 0
        else:
            since += 1
            if since >= max(patience, 1):
                return best, epoch
    return best, len(errors) - 1


@pytest.mark.parametrize("min_delta", [0.0, 1.5])
def test_the_rule_holds_for_every_ordering_of_five_errors(min_delta):
    for errors in itertools.permutations([1.0, 2.0, 2.0, 3.0, 4.0]):
        for patience in (0, 1, 2, 3):
            assert stopping_point(errors, patience, min_delta) == brute_force(errors, patience, min_delta)


@pytest.mark.parametrize(
    "errors, patience", [([3, 2, 4, 5, 1], 2), ([3, 2, 2, 2, 1], 3), ([1, 2, 3], None), ([5, 4], 1)]
)
def test_fit_ends_and_returns_what_the_rule_says(errors, patience):
    best, last = stopping_point(errors, patience)
    stopping = EarlyStopping("val_error", patience)
    model, epochs = replay(errors, stopping)
    assert epochs == last + 1 and float(model.weight) == best + 1
    assert stopping.best_epoch == best and stopping.best == errors[best]
    ended_early = patience is not None and last - best >= patience
    assert stopping.stopped_epoch == (last if ended_early else None)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", [{"patience": 2}, {"patience": 1, "min_delta": 0.2}, {"start_from_epoch": 3}])
def test_it_agrees_with_the_callback_of_keras_when_that_returns_the_best(seed, options):
    errors = np.random.default_rng(seed).uniform(size=9).round(2).tolist()
    ours = replay(errors, EarlyStopping("val_error", **options))
    theirs = replay(
        errors, keras.callbacks.EarlyStopping("val_error", mode="min", restore_best_weights=True, **options)
    )
    assert ours[1] == theirs[1] and float(ours[0].weight) == float(theirs[0].weight)


def test_scores_are_watched_upwards_and_nan_is_no_improvement():
    model, epochs = replay([0.5, np.nan, 0.9, 0.8, 0.7], EarlyStopping("val_error", 2, mode="max"))
    assert epochs == 5 and float(model.weight) == 3
    assert stopping_point([np.nan, np.nan, 0.1], 2) == (-1, 1)


def test_a_killed_run_stops_where_it_would_have_stopped(tmp_path):
    errors = [5.0, 3.0, 4.0, 3.5, 3.2, 1.0]
    whole, last = replay(errors, EarlyStopping("val_error", 3), ExactResume(tmp_path / "whole", steps=1))
    for killed_after in (1, 2, 3, 4):  # a fit of fewer epochs leaves the checkpoints of a run killed in its last
        folder = tmp_path / str(killed_after)
        replay(errors, EarlyStopping("val_error", 3), ExactResume(folder, steps=1), epochs=killed_after)
        stopping = EarlyStopping("val_error", 3)
        model, _ = replay(errors, stopping, ExactResume(folder, steps=1))
        assert stopping.stopped_epoch == last - 1 and float(model.weight) == float(whole.weight) == 2.0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"patience": -1}, "at least 0. Received: patience=-1"),
        ({"min_delta": -0.5}, "min_delta=-0.5"),
        ({"mode": "up"}, "one of 'auto', 'min', 'max' as mode"),
        ({"monitor": "val_surprise"}, "mode='min' or 'max' for this metric. Received: monitor='val_surprise'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)


def test_a_number_that_is_not_logged_is_named():
    with pytest.raises(ValueError, match="no 'val_loss' to watch. Received: logs="):
        replay([1.0, 2.0], EarlyStopping())
    with pytest.raises(ValueError, match="Received: 0 errors, patience=1"):
        stopping_point([], 1)
