"""Digits drawn row by row by a network that is told which."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.datasets import load
from keras_course.pipeline.figures import FigureContext
from keras_course.recipes.vector_to_sequence import (
    drawn_digits,
    independent_pixels,
    read_backwards,
    rows_of_named_digits,
    vector_to_sequence,
)


@pytest.fixture(scope="module")
def dataset():
    return rows_of_named_digits(0)


def test_a_step_sees_the_row_above_and_the_digit_s_name(dataset):
    x, y = dataset.test.x, dataset.test.y
    assert not np.any(x[:, 0, :8])
    np.testing.assert_array_equal(x[:, 1:, :8], y[:, :-1])
    np.testing.assert_array_equal(x[:, 5, 8:].argmax(-1), load("digits").test.y)
    np.testing.assert_array_equal(y, load("digits").test.x[..., 0] > 0.5)


def test_no_row_sees_itself_or_what_lies_below(dataset):
    model = vector_to_sequence().model(dataset.spec, 0)
    x = dataset.test.x[:4]
    changed = x.copy()
    changed[:, 5:, :8] = 1 - changed[:, 5:, :8]
    before, after = model.predict(x, verbose=0), model.predict(changed, verbose=0)
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert np.all(np.any(before[:, 5:] != after[:, 5:], axis=2))


def test_the_baseline_is_what_counting_gives(dataset):
    baseline = independent_pixels(dataset, 0)
    train, test = dataset.train, dataset.test
    kind = test.x[0, 0, 8:].argmax()
    rows = train.y[train.x[:, 0, 8:].argmax(-1) == kind]
    black = (rows.sum(0) + 1) / (len(rows) + 2)
    own = -np.mean(np.log(np.where(test.y[0] == 1, black, 1 - black)))
    one = type(dataset)(train, dataset.validation, type(test)(test.x[:1], test.y[:1]), dataset.spec)
    assert independent_pixels(one, 0).metrics["loss"] == pytest.approx(own)
    recipe = vector_to_sequence()
    assert recipe.ceiling["loss"] < baseline.metrics["loss"] and 0.8 < baseline.metrics["bayes_accuracy"] < 0.95


def test_an_untrained_net_reads_at_chance_and_draws_something_for_every_digit(dataset):
    recipe = vector_to_sequence()
    model = recipe.model(dataset.spec, 0)
    few = type(dataset)(dataset.train, dataset.validation, type(dataset.test)(dataset.test.x[:90], dataset.test.y[:90]),
                        dataset.spec)  # fmt: skip
    assert read_backwards(model, few, 0)["bayes_accuracy"] < 0.35
    context = FigureContext(recipe, model, few, {}, seed=0)
    figure = drawn_digits(context, count=2)
    assert isinstance(figure, Figure) and len(figure.axes) == 40
