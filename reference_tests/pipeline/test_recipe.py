"""What a recipe accepts."""

from functools import partial

import pytest

from keras_course.core.errors import KerasCourseError, UnknownSlugError
from keras_course.pipeline.recipe import figure_name, recipe_of, recipe_of_run, recipe_reference


def test_a_recipe_cannot_be_changed(quadrants):
    recipe = quadrants()
    with pytest.raises(AttributeError):
        recipe.epochs = 7
    with pytest.raises(TypeError):
        recipe.tiny["epochs"] = 7


@pytest.mark.parametrize(
    "fault",
    [
        {"slug": ""}, {"dataset": 3}, {"model": "lenet"}, {"compile": {}}, {"batch_size": 0}, {"epochs": 0},
        {"epochs": 1.5}, {"augment": 3}, {"augment_draws": 0}, {"select": "loss"}, {"select_mode": "best"},
        {"floor": {"accuracy": float("nan")}},
        {"tiny": {"epoch": 1}}, {"tiny": {"examples": 0}}, {"figures": (figure_name, figure_name)},
    ],
    ids=lambda fault: next(iter(fault)),
)  # fmt: skip
def test_a_field_out_of_range_is_refused_with_the_value_that_came(quadrants, fault):
    with pytest.raises(ValueError, match="Received: "):
        quadrants(**fault)


def test_the_direction_of_selection_follows_from_the_name(quadrants):
    assert quadrants(select="val_loss").selects_minimum
    assert not quadrants(select="val_accuracy").selects_minimum
    assert not quadrants(select="val_loss", select_mode="max").selects_minimum


def test_a_figure_is_named_after_its_function():
    def error_bars(context, width):
        return None

    assert figure_name(partial(error_bars, width=2)) == "error_bars"


def test_a_system_without_recipe_says_so_and_names_those_that_have_one():
    with pytest.raises(KerasCourseError, match="'pooling' has no recipe.*lenet"):
        recipe_reference("pooling")


def test_an_unknown_slug_suggests_the_nearest():
    with pytest.raises(UnknownSlugError, match="Did you mean 'lenet'"):
        recipe_reference("lenett")


def test_a_row_with_several_data_sets_has_a_recipe_on_each_and_the_first_is_its_own():
    assert recipe_of("bahdanau-attention").dataset == recipe_of("bahdanau-attention", "english-french").dataset
    assert recipe_of("bahdanau-attention", "dates").floor == {"exact_match": 0.9}
    with pytest.raises(KerasCourseError, match="'lenet' are digits, mnist, fashion-mnist. Received: dataset='minst'"):
        recipe_of("lenet", "minst")


def test_a_run_s_recipe_is_the_one_on_the_data_it_noted():
    found = {name: recipe_of_run({"slug": "seq2seq", "data": {"name": name}}) for name in ("dates", "mine")}
    assert found["dates"].dataset == "dates"
    assert found["mine"].dataset == recipe_of_run({"slug": "seq2seq"}).dataset == "english-french"
