"""The recipe of digits and their classes under a belief network: its stages on a few digits, floors above baselines."""

import numpy as np

from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.recipe import figure_name, recipe_of
from keras_course.recipes import belief_of_classes as recipes


def test_the_greedy_stage_is_measured_beside_the_network_and_every_class_is_drawn(monkeypatch):
    for name, value in (("GREEDY_EPOCHS", 1), ("DRAWS", 2)):
        monkeypatch.setattr(recipes, name, value)
    recipe = recipe_of("dbn", "digits-by-class")
    data = recipe.prepare(recipe.dataset(0, (100, 20, 40)))
    assert data.spec.name == "digits-by-class"
    model = recipe.model(data.spec, 0)
    recipe.start(model, data, 0)
    measured = recipe.judge(model, data, 0)
    assert measured["bound"] == measured["bound_of_greedy"] and measured["gain"] == 0  # nothing is tuned yet
    told = np.asarray(model.classify(data.test.x)).argmax(axis=1)
    assert measured["accuracy_of_greedy"] == np.mean(told == np.ravel(data.test.y))
    model.top.sampling_steps = 3
    context = FigureContext(recipe, model, data, {}, measured)
    figures = [figure(context) for figure in recipe.figures if figure_name(figure) != "learning_curves"]
    assert [len(figure.axes) for figure in figures] == [2, 25]


def test_the_floors_lie_above_naive_bayes_and_softmax_regression():
    recipe = recipes.dbn_of_classes()
    measured = recipe.baseline(recipe.prepare(recipe.dataset(0)), 0).metrics
    assert set(measured) == set(recipe.floor) - {"gain"}
    assert all(recipe.floor[name] > value + 0.008 for name, value in measured.items())
