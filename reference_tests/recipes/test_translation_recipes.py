"""The recipes of translation on few sentences: what they compare, and where attention is better."""

import dataclasses

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.datasets.agreement_grammar import generated_pairs
from keras_course.datasets.sentence_pairs import sentence_dataset
from keras_course.models.recurrent import RNNSearch, Seq2Seq
from keras_course.recipes import translation


@pytest.fixture(scope="module")
def dataset():
    return sentence_dataset(generated_pairs(120, clauses=1), name="few")


def test_the_translation_memory_answers_with_the_source_that_shares_most_words(dataset):
    copied = dataclasses.replace(dataset, test=dataset.train)
    assert translation.most_alike(copied, 0).metrics["exact_match"] == 1.0
    assert translation.most_alike(dataset, 0).metrics["bleu"] < 60


@pytest.mark.parametrize(
    ("recipe", "kind"), [(translation.seq2seq, Seq2Seq), (translation.bahdanau_attention, RNNSearch)]
)
def test_models_fit_the_data_and_their_answers_are_scored(recipe, kind, dataset):
    recipe = recipe()
    model = recipe.model(dataset.spec, 3)
    assert type(model) is kind and len(model.target_vocabulary) == dataset.spec.classes
    assert model.target_vocabulary.names == dataset.spec.class_names
    assert model.max_length > dataset.spec.label_shape[0]
    model.compile(**recipe.compile(dataset.spec))
    found = recipe.judge(model, dataset, 3)
    assert set(found) == {"exact_match", "bleu", "bleu_long"} and 0 <= found["bleu"] < 5  # nothing is learnt yet


def test_dates_are_read_character_by_character():
    recipe = translation.dates_by_attention()
    data = load("dates")
    assert recipe.dataset == "dates"
    model = recipe.model(data.spec, 0)
    assert model.unit == "character"
    assert model.target_vocabulary.decode(data.test.y[:1])[0][4] == "-"
    vocabulary, rows = model.source_vocabulary, data.train.x[:5]
    np.testing.assert_array_equal(vocabulary.encode(vocabulary.decode(rows), rows.shape[1]), rows)
