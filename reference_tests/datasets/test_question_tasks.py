"""Stories whose answers a second reader of the sentences finds too, their numbers, and the text format of bAbI."""

import re

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError, MissingDataError
from keras_course.datasets.bit_sequences import bit_sequences, copy_task, repeat_copy_task
from keras_course.datasets.question_tasks import (
    ANSWERS,
    NUMBERS,
    SENTENCES,
    TASKS,
    VOCABULARY,
    WORDS,
    question_stories,
    question_tasks,
)
from keras_course.datasets.stories import Story, encode_stories, longest, read_babi, vocabulary_of, words_of


def read_again(story):
    """The answer, from the sentences as text alone."""
    place, holder, left, gift = {}, {}, {}, None
    for line in story.sentences:
        if walk := re.fullmatch(r"(\w+) (?:walked|went|ran) to the (\w+)\.", line):
            place[walk[1]] = walk[2]
        elif taken := re.fullmatch(r"(\w+) took the (\w+)\.", line):
            assert taken[2] not in holder, "nobody takes what somebody has"
            assert left.pop(taken[2], place[taken[1]]) == place[taken[1]], "what lies elsewhere cannot be taken here"
            holder[taken[2]] = taken[1]
        elif dropped := re.fullmatch(r"(\w+) dropped the (\w+)\.", line):
            assert holder.pop(dropped[2]) == dropped[1]
            left[dropped[2]] = place[dropped[1]]
        elif given := re.fullmatch(r"(\w+) gave the (\w+) to (\w+)\.", line):
            assert holder[given[2]] == given[1] and place[given[1]] == place[given[3]]
            holder[given[2]], gift = given[3], given
        else:
            raise AssertionError(line)
    words, carried = story.question.rstrip("?").split(), lambda who: sorted(t for t, h in holder.items() if h == who)
    if story.task == "one fact":
        return place[words[-1]]
    if story.task == "two facts":
        return left.get(words[-1]) or place[holder[words[-1]]]
    if story.task == "yes or no":
        return "yes" if place[words[1]] == words[-1] else "no"
    if story.task == "counting":
        return NUMBERS[len(carried(words[-2]))]
    if story.task == "lists":
        return ",".join(carried(words[-2])) or "nothing"
    return {"gave": gift[1], "did": gift[2], "received": gift[3]}[words[1]]


@pytest.mark.parametrize("task", TASKS)
def test_a_second_reader_finds_the_same_answer_from_the_sentences_alone(task):
    for story in question_stories(3, "train", task, 60):
        assert read_again(story) == story.answer, story
        assert 2 <= len(story.sentences) <= SENTENCES
        told = story._replace(sentences=tuple(story.sentences[i] for i in story.supports))
        if task in ("one fact", "yes or no"):  # what it is said to follow from is enough
            assert read_again(told) == story.answer


def test_stories_are_the_first_of_more_and_other_in_other_parts():
    few, more = question_stories(0, "train", "lists", 3), question_stories(0, "train", "lists", 9)
    assert more[:3] == few and question_stories(0, "test", "lists", 3) != few
    with pytest.raises(ValueError, match="task='chess'"):
        question_stories(0, "train", "chess", 1)


def test_vocabulary_and_answers_cover_every_story_and_no_story_is_cut():
    stories = [story for task in TASKS for story in question_stories(1, "train", task, 40)]
    words, answers = vocabulary_of(stories)
    assert set(words) <= set(VOCABULARY) and set(answers) <= set(ANSWERS)
    sentences, length = longest(stories)
    assert sentences <= SENTENCES and length <= WORDS


def test_numbers_spell_the_story_again():
    dataset = question_tasks(0, counts=(4, 2, 2))
    assert dataset.train.x.shape == (24, SENTENCES + 1, WORDS) and dataset.spec.classes == len(ANSWERS)
    story = question_stories(0, "train", "counting", 1)[0]
    x, y = encode_stories([story], VOCABULARY, ANSWERS, SENTENCES, WORDS)
    told = [" ".join(VOCABULARY[number - 1] for number in row if number) for row in x[0]]
    spelt = [" ".join(words_of(line)) for line in (*story.sentences, story.question)]
    assert told == [""] * (SENTENCES + 1 - len(spelt)) + spelt and ANSWERS[y[0]] == story.answer
    short, _ = encode_stories([story], VOCABULARY, ANSWERS, 1, WORDS)
    np.testing.assert_array_equal(short[0], x[0, -2:])
    with pytest.raises(InvalidDataError, match="'nowhere'"):
        encode_stories([story._replace(answer="nowhere")], VOCABULARY, ANSWERS, 3, WORDS)


def test_the_text_format_of_babi_is_read(tmp_path):
    file = tmp_path / "qa1.txt"
    file.write_text(
        "1 Olga sailed to the harbour.\n2 Ravi rowed to the island.\n3 Where is Olga? \tharbour\t1\n"
        "4 Olga took the net.\n5 Where is the net? \tharbour\t4 1\n1 Ravi slept.\n2 Who slept?\tRavi\t1\n"
    )
    first, second, third = read_babi(file)
    assert first == Story(
        ("Olga sailed to the harbour.", "Ravi rowed to the island."), "Where is Olga?", "harbour", (0,), "qa1"
    )
    assert second.sentences[-1] == "Olga took the net." and second.supports == (2, 0)
    assert third.sentences == ("Ravi slept.",) and read_babi(file, task="one")[0].task == "one"
    with pytest.raises(MissingDataError, match=r"qa9\.txt"):
        read_babi(tmp_path / "qa9.txt")
    for text, wrong in (("Olga sailed.\n", "'Olga sailed.'"), ("1 Olga sailed.\n2 Who?\tOlga\t7\n", "'7'")):
        file.write_text(text)
        with pytest.raises(InvalidDataError, match=wrong):
            read_babi(file)


def test_a_copy_is_asked_for_after_the_end_and_repeats_as_often_as_told():
    x, y = bit_sequences(0, "train", 40, bits=3, lengths=(1, 4))
    more, _ = bit_sequences(0, "train", 50, bits=3, lengths=(1, 4))
    np.testing.assert_array_equal(more[:40], x)
    seen = set()
    for given, asked in zip(x, y, strict=True):
        length = int(np.argmax(given[:, 4])) - 1
        seen.add(length)
        np.testing.assert_array_equal(asked[2 + length : 2 + 2 * length], given[1 : 1 + length, :3])
        assert np.all(np.delete(asked, np.s_[2 + length : 2 + 2 * length], axis=0) == 2)
        assert not given[2 + length :].any()
    assert seen == {1, 2, 3, 4}
    x, y = bit_sequences(0, "train", 40, bits=2, lengths=(2, 3), repeats=(1, 3), most=3)
    for given, asked in zip(x, y, strict=True):
        length, times = int(np.argmax(given[:, 3] > 0)) - 1, round(3 * float(given[:, 3].max()))
        said = asked[2 + length :]
        np.testing.assert_array_equal(said[: length * times, :2], np.tile(given[1 : 1 + length, :2], (times, 1)))
        assert said[: length * times + 1, 2].tolist() == [0] * (length * times) + [1]
        assert np.all(said[length * times, :2] == 2) and np.all(said[length * times + 1 :] == 2)


def test_tasks_are_sound_data_sets_and_ranges_are_checked():
    counts = (6, 2, 2)
    assert copy_task(0, counts=counts).train.y.shape == (6, 18, 4)
    assert repeat_copy_task(0, counts=counts).spec.label_shape == (27, 4)
    with pytest.raises(ValueError, match=r"lengths=\(3, 2\)"):
        bit_sequences(0, "train", 1, bits=1, lengths=(3, 2))
    with pytest.raises(ValueError, match="steps=5"):
        bit_sequences(0, "train", 1, bits=1, lengths=(1, 2), steps=5)
