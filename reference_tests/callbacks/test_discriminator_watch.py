"""DiscriminatorWatch: an adversary that has won, lost or broken down is named, once."""

import warnings

import keras
import numpy as np
import pytest

from keras_course.callbacks import DiscriminatorWatch
from keras_course.core.errors import NonFiniteLossError


def seen(accuracies, **how):
    watch = DiscriminatorWatch(**how)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)], name="game")
    model.compile("sgd")
    watch.set_model(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch, accuracy in enumerate(accuracies):
            watch.on_epoch_end(epoch, {"discriminator_accuracy": accuracy, "discriminator_loss": 1.0})
    return watch, [str(warning.message) for warning in caught]


def test_an_even_game_is_let_alone():
    watch, messages = seen([0.5, 0.7, 0.45, 0.98, 0.6])
    assert watch.won is None and watch.lost is None and not messages


def test_a_discriminator_that_is_always_right_has_won_and_is_named_once():
    watch, messages = seen([0.9, 1.0, 0.995, 1.0, 1.0, 1.0])
    assert watch.won == 3 and watch.lost is None
    assert len(messages) == 1 and messages[0].startswith("'game', epoch 4: the discriminator has won outright")


def test_an_epoch_of_doubt_starts_the_count_again():
    watch, _ = seen([1.0, 1.0, 0.9, 1.0, 1.0])
    assert watch.won is None


def test_worse_than_a_coin_is_lost():
    watch, messages = seen([0.2, 0.1, 0.3])
    assert watch.reported == {"DiscriminatorLost": 2} and len(messages) == 1 and "more often than a coin" in messages[0]


def test_a_loss_that_is_not_finite_is_raised_with_the_models_name():
    watch, _ = seen([])
    for loss in (np.nan, np.inf):
        with pytest.raises(NonFiniteLossError, match="'discriminator_loss' of the model 'game'"):
            watch.on_epoch_end(0, {"discriminator_accuracy": 0.5, "discriminator_loss": loss})


def test_what_it_cannot_watch_is_refused():
    watch, _ = seen([])
    with pytest.raises(ValueError, match=r"'discriminator_accuracy' in the logs. Received: \['loss'\]"):
        watch.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(ValueError, match="margin=0.5"):
        DiscriminatorWatch(margin=0.5)
