"""One system on another of its data sets: searched and diagnosed there, and the choice is printed."""

import json

import pytest

from keras_course.cli.main import main


def test_a_search_tries_the_recipe_on_the_data_named(monkeypatch):
    pytest.importorskip("keras_tuner")
    from keras_course.pipeline import search_recipe

    asked = []

    def searched(recipe, space, *, out, **settings):
        asked.append((recipe.slug, recipe.dataset, out))
        raise KeyboardInterrupt

    monkeypatch.setattr(search_recipe, "search_recipe", searched)
    assert main(["search", "seq2seq", "--dataset", "dates"]) == 130
    assert asked == [("seq2seq", "dates", "runs/seq2seq-dates-search")]


def test_list_and_show_print_the_choice(capsys):
    assert main(["list", "recurrent"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if "bahdanau" in line).endswith("[english-french, dates]")
    assert not next(line for line in lines if "deep-rnn" in line).endswith("]")
    assert main(["show", "neural-turing-machine"]) == 0
    assert "data sets  copy-task, repeat-copy-task, long-copy-task" in capsys.readouterr().out
    assert main(["show", "seq2seq", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["datasets"]) == ["english-french", "dates"]
