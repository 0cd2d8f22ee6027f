"""Windows of the King James text: every chapter in one part, targets one character later."""

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.datasets import load
from keras_course.datasets.king_james import ALPHABET, codes_of, king_james_texts, text_of, windows


def test_every_chapter_is_in_one_part_and_every_verse_in_some():
    texts = king_james_texts(seed=3)
    chapters = {part: text.rstrip("\n").split("\n\n") for part, text in texts.items()}
    assert {part: len(own) for part, own in chapters.items()} == {"train": 165, "validation": 24, "test": 47}
    assert sum(chapter.count("\n") + 1 for own in chapters.values() for chapter in own) == 5027
    assert len({chapter for own in chapters.values() for chapter in own}) == 236
    assert set("".join(texts.values())) == set(ALPHABET) and list(ALPHABET) == sorted(ALPHABET)


def test_first_and_last_verses_stand_as_the_translators_left_them():
    everything = "\n".join(king_james_texts().values())
    assert "In the beginning God created the heaven and the earth.\n" in everything
    assert "The LORD is my shepherd; I shall not want.\n" in everything
    assert "\nVanity of vanities, saith the Preacher, vanity of vanities; all is vanity.\n" in everything


def test_a_target_is_the_character_after_and_windows_join_to_the_text():
    data, text = load("king-james"), king_james_texts()["test"]
    assert data.test.x.dtype == np.int32 and data.spec.class_names == tuple(ALPHABET)
    assert np.array_equal(data.test.x[:, 1:], data.test.y[:, :-1])
    assert np.array_equal(data.test.x[1:, 0], data.test.y[:-1, -1])
    assert text_of(data.test.x) == text[: data.test.x.size]


def test_codes_spell_the_text_again_and_strangers_are_refused():
    assert text_of(codes_of("Selah.\n")) == "Selah.\n"
    with pytest.raises(InvalidDataError, match=r"\['&', 'é'\]"):
        codes_of("é & a")


def test_shares_and_texts_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match=r"chapters in every part. Received: validation=0.5, test=0.5"):
        load("king-james", validation=0.5, test=0.5)
    with pytest.raises(ValueError, match="Received: 4 characters"):
        windows(codes_of("abcd"), 4)
