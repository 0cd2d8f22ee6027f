"""Tokens, vocabularies, and the same inside a graph."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.errors import InvalidDataError
from keras_course.datasets.text import END, PAD, SPECIAL, START, UNKNOWN, Vocabulary, text_of, tokens_of
from keras_course.models.recurrent.text_tables import TextTables

NASTY = [
    "", "   ", "L'ami d'Élise n'a pas «dormi», dit-il.", "Où est-ce ?!", "a  b\tc\nd", "AUJOURD'HUI’S ’tis", "...",
    "un œuf, s'il vous plaît\u00a0!", "'", " ' a ' ", "3.50 €; non : oui", "ça\u202f?", "日本 語", "[end] [pad] x",
]  # fmt: skip


@pytest.mark.parametrize("unit", ["word", "character"])
def test_tables_in_the_graph_agree_with_python_on_every_text(unit):
    vocabulary = Vocabulary.of([text for text in NASTY[:8]], unit)
    tables = TextTables(vocabulary, "source")
    ids = tables.ids(tf.constant(NASTY)).numpy()
    np.testing.assert_array_equal(ids, vocabulary.encode(NASTY))
    assert [text.decode() for text in tables.texts(ids).numpy()] == vocabulary.decode(ids)
    again = tf.function(lambda texts: tables.texts(tables.ids(texts)), autograph=False)(tf.constant(NASTY))
    assert [text.decode() for text in again.numpy()] == vocabulary.decode(ids)


def test_words_are_lower_case_and_apostrophes_end_them():
    assert tokens_of("L'ami s'arrête, dit-elle.") == ["l'", "ami", "s'", "arrête", ",", "dit-elle", "."]
    assert text_of(tokens_of("Parce qu'il n'y a rien, ici.")) == "parce qu'il n'y a rien, ici."
    assert text_of(tokens_of("Qui est-ce ?")) == "qui est-ce ?"


def test_a_row_ends_and_is_padded_and_comes_back():
    vocabulary = Vocabulary(("b", "a"))
    ids = vocabulary.encode(["a b", "", "b c"], length=4)
    assert ids.tolist() == [[5, 4, END, PAD], [END, PAD, PAD, PAD], [4, UNKNOWN, END, PAD]]
    assert vocabulary.decode(ids) == ["a b", "", "b [unknown]"]
    assert vocabulary.decode([[START, 5, END, 4]]) == ["a"]
    assert vocabulary.names == (*SPECIAL, "b", "a") and len(vocabulary) == 6


def test_the_most_frequent_come_first_and_rare_ones_may_be_left_out():
    assert Vocabulary.of(["b a", "b c", "a b"]).tokens == ("b", "a", "c")
    assert Vocabulary.of(["b a", "b c", "a b"], least=2).tokens == ("b", "a")


def test_what_a_vocabulary_cannot_hold_is_refused_with_what_came():
    for tokens, message in ((("a", "a"), "'a'"), (("[pad]",), r"'\[pad\]'"), (("",), "''"), (("a\nb",), r"'a\\nb'")):
        with pytest.raises(InvalidDataError, match=message):
            Vocabulary(tokens)
    with pytest.raises(ValueError, match="unit='syllable'"):
        tokens_of("a", "syllable")
    with pytest.raises(InvalidDataError, match="at most 1 tokens. Received: 2 in 'a b'"):
        Vocabulary(("a",)).encode(["a b"], length=2)
