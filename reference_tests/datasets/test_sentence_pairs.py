"""Pairs of sentences: written, generated, read from message catalogues; dates."""

import datetime
import re
import struct

import numpy as np
import pytest

from keras_course.core.errors import MissingDataError
from keras_course.datasets import load
from keras_course.datasets.agreement_grammar import generated_pair, generated_pairs
from keras_course.datasets.dates import FORMATS, generated_dates
from keras_course.datasets.sentence_pairs import everyday_pairs, installed_messages, sentence_dataset
from keras_course.datasets.text import END, PAD, SPECIAL, UNKNOWN, tokens_of

VOWEL = "[aeiouyâàéèêîôœh]"


@pytest.fixture(scope="module")
def generated():
    return generated_pairs(1500, seed=3)


def test_french_elides_contracts_and_agrees(generated):
    french = [f" {pair.target.lower()[:-1]} " for pair in generated]
    for wrong in (
        rf" (le|la|je|ne|de|que|parce que|pendant que) {VOWEL}", rf"(l|j|n|d|qu)'(?!{VOWEL})", " de les? ", " si ils? ",
        rf" (ce|ma|beau|nouveau) {VOWEL}", rf" (cet|bel|nouvel|vieil) (?!{VOWEL})",
        rf" (un|ce|mon|notre) vieux {VOWEL}", r" (un|le|ce) \w+(eaux|aux) ", r" (je|j'|il|elle|nous|vous|ils) pas ",
    ):  # fmt: skip
        found = [sentence for sentence in french if re.search(wrong, sentence)]
        assert not found, (wrong, found[:3])
    text = "".join(french)
    for right in ("l'ami ", " cet ", " bel ", " s'il", " qu'", " du ", " n'", " pas d'", " de grands ", " j'"):
        assert right in text, right


def test_negation_stands_around_the_verb_where_english_has_not(generated):
    for source, target in generated:
        assert len(re.findall(r" not ", source)) == len(re.findall(r" pas( |\.)", target))
        assert len(re.findall(r"\b(ne |n')", target.lower())) == len(re.findall(r" pas( |\.)", target))


def test_english_and_french_have_the_same_number_of_clauses_and_verbs_agree(generated):
    for source, target in generated:
        assert len(re.findall(r" (because|while) ", source)) == len(re.findall(r" (parce qu|pendant qu)", target))
        assert not re.search(r"\b(he|she) (do|see|love|find)\b", source.lower())
        assert not re.search(r"\b(they|we) (does|\w+s) ", source.lower())
        verbs = target.lower().replace(" ne ", " ").replace(" n'", " ")
        assert not re.search(r"\bils \w*[^t\W] |\bnous \w*[^s\W] |\bvous \w*[^z\W] ", verbs)


def test_a_seed_repeats_more_begin_alike_and_no_sentence_comes_twice(generated):
    assert generated_pairs(40, seed=3) == generated[:40]
    assert generated_pairs(40, seed=4) != generated[:40]
    assert len({pair.source for pair in generated}) == len(generated)
    lengths = [len(tokens_of(pair.source)) for pair in generated]
    assert min(lengths) <= 5 and max(lengths) >= 25  # long ones occur, for attention to show its worth
    with pytest.raises(ValueError, match="clauses=5"):
        generated_pair(0, 0, clauses=5)


def test_everyday_sentences_are_pairs_without_double(checkout):
    pairs = everyday_pairs()
    assert len(pairs) == 247 and len({pair.source for pair in pairs}) == 247
    for source, target in pairs:
        assert source[0].isupper() and source[-1] in ".?!" and target[-1] == source[-1]
        assert not re.search(r"\w[?!]$", target), "French has a space before ? and !"


def test_english_french_is_ids_split_and_never_sees_the_test_sentences():
    data = load("english-french")
    parts = (data.train, data.validation, data.test)
    assert sum(map(len, parts)) == 4747
    assert data.spec.vocabulary[:4] == data.spec.class_names[:4] == SPECIAL
    assert data.spec.classes == len(data.spec.class_names) and data.spec.label_shape == data.train.y.shape[1:]
    trained = {row.tobytes() for row in data.train.x}
    known = [row for row in data.test.x if not np.any(row == UNKNOWN)]
    assert not any(row.tobytes() in trained for row in known)
    assert not np.any(data.train.x == UNKNOWN) and np.any(data.test.x == UNKNOWN)
    for part in parts:
        for ids in (part.x, part.y):
            assert ids.dtype == np.int32
            assert np.all((ids == END).sum(1) == 1)
            assert np.all(np.where(np.cumsum(ids == END, 1) - (ids == END) > 0, ids == PAD, ids != PAD))


def test_every_way_to_write_a_date_means_its_target():
    pairs = generated_dates(1500, seed=1)
    assert generated_dates(30, seed=1) == pairs[:30]
    for source, target in pairs:
        day = datetime.date.fromisoformat(target)
        assert 1900 <= day.year <= 2099
        written = {style(day).lower() for style in FORMATS}
        assert source.lower() in written
        words = source.lower().replace(",", " ").replace(".", " ").split()
        names = [word for word in words if word.endswith("day")]
        assert all(name == day.strftime("%A").lower() for name in names)
    numbers = [pair for pair in pairs if "/" in pair.source]
    assert any(int(source.split("/")[0]) > 12 for source, _ in numbers)  # day first
    assert load("dates").spec.class_names[4:] == tuple(sorted("0123456789-", key=load("dates").spec.class_names.index))


def catalogue(path, messages):
    """A .mo file: the empty message holds the header."""
    messages = {"": "Content-Type: text/plain; charset=UTF-8\n", **messages}
    pairs = [(key.encode(), value.encode()) for key, value in sorted(messages.items())]
    count = len(pairs)
    place, tables, body = 28 + 16 * count, [b"", b""], b""
    for side in range(2):
        for pair in pairs:
            tables[side] += struct.pack("<II", len(pair[side]), place + len(body))
            body += pair[side] + b"\0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0) + b"".join(tables) + body)


def test_messages_are_read_where_they_are_installed_and_only_sentences_taken(tmp_path):
    folder = tmp_path / "fr" / "LC_MESSAGES"
    catalogue(folder / "one.mo", {"File not found": "Fichier introuvable", "%s: no": "%s : non"})
    catalogue(folder / "two.mo", {"Good bye": "Au revoir", "File not found": "autre", "two\nlines": "deux\nlignes"})
    (folder / "three.mo").write_bytes(b"no catalogue")
    pairs = installed_messages("fr", tmp_path)
    assert pairs == [("File not found", "Fichier introuvable"), ("Good bye", "Au revoir")]
    data = sentence_dataset([*pairs] * 5, name="messages", seed=1)
    assert data.spec.name == "messages" and len(data.train) == 7
    with pytest.raises(MissingDataError, match="'de'.*Install"):
        installed_messages("de", tmp_path)
