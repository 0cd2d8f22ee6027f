"""Stroke fonts, words composed of them, packed lines, and the reader of the IAM on-line database."""

import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError, MissingDataError, UnknownSlugError
from keras_course.datasets import (
    Hand,
    PenLine,
    font_names,
    iam_lines,
    iam_on_db,
    load,
    pack_lines,
    stroke_font,
    unpack_lines,
    word_lines,
    write_by_hand,
    writer_hands,
)
from keras_course.datasets.hershey import Glyph
from keras_course.datasets.hershey_words import ALPHABET, UNIT, words_of_parts


def places(points):
    return np.cumsum(points[:, :2], axis=0)


def test_every_font_has_its_glyphs_and_the_latin_ones_stand_on_the_line():
    assert sum(len(stroke_font(name)) for name in font_names()) == 3170
    for name in ("rowmans", "futural", "scripts", "cursive"):
        font = stroke_font(name)
        assert {chr(code) for code in range(32, 127)} <= set(font)
        assert isinstance(font["a"], Glyph) and font[" "].strokes == ()
        lowest = min(stroke[:, 1].min() for stroke in font["m"].strokes)
        assert abs(lowest) <= 1 and max(stroke[:, 1].max() for stroke in font["L"].strokes) == 21
        descender = min(stroke[:, 1].min() for stroke in font["g"].strokes)
        assert descender < -5


def test_the_same_strokes_as_the_hershey_fonts_package_draws():
    peer = pytest.importorskip("HersheyFonts", reason="Hershey-Fonts is the peer of this comparison").HersheyFonts()
    peer.load_default_font("rowmans")
    for character in "agkxQ7&":
        theirs = [np.array(list(stroke)) for glyph in peer.glyphs_for_text(character) for stroke in glyph.strokes]
        ours = stroke_font("rowmans")[character].strokes
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(np.diff(one, axis=0) * (1, -1), np.diff(other, axis=0))


def test_an_unknown_font_suggests_the_nearest():
    with pytest.raises(UnknownSlugError, match="Did you mean 'scripts'"):
        stroke_font("script")


def test_a_steady_hand_writes_the_glyphs_themselves():
    line = write_by_hand("it", Hand(), seed=0)
    font = stroke_font("rowmans")
    start, wanted = 0.0, []
    for character in "it":
        glyph = font[character]
        wanted += [stroke - (glyph.left, 0) + (start, 0) for stroke in glyph.strokes]
        start += glyph.right - glyph.left
    np.testing.assert_allclose(places(line.points) * UNIT, np.concatenate(wanted), atol=1e-4)
    ends = np.flatnonzero(line.points[:, 2]) + 1
    assert ends.tolist() == np.cumsum([len(stroke) for stroke in wanted]).tolist()


def test_slant_size_and_aspect_are_those_of_the_hand():
    plain = places(write_by_hand("l", Hand(), seed=0).points)
    leaning = places(write_by_hand("l", Hand(size=2.0, aspect=0.5, slant=0.25), seed=0).points)
    np.testing.assert_allclose(leaning[:, 1], 2 * plain[:, 1], rtol=1e-6)
    np.testing.assert_allclose(leaning[:, 0], 2 * (0.5 * plain[:, 0] + 0.25 * plain[:, 1]), rtol=1e-6)


def test_jitter_has_its_deviation_and_differs_by_index_alone():
    hand = Hand(jitter=0.5)
    steady = places(write_by_hand("o", Hand(), seed=0).points)
    away = np.concatenate([places(write_by_hand("o", hand, 0, index).points) - steady for index in range(200)])
    assert np.std(away * UNIT) == pytest.approx(0.5, rel=0.03)
    assert np.array_equal(write_by_hand("o", hand, 0, 3).points, write_by_hand("o", hand, 0, 3).points)
    assert not np.array_equal(write_by_hand("o", hand, 0, 3).points, write_by_hand("o", hand, 0, 4).points)


def test_writers_differ_and_lines_repeat():
    hands = writer_hands(0, 6, ("rowmans", "scripts"))
    assert len(set(hands)) == 6 and [hand.font for hand in hands[:2]] == ["rowmans", "scripts"]
    lines, writers = word_lines(0, "train", 5, words=2, hands=hands)
    again, _ = word_lines(0, "train", 3, words=2, hands=hands)
    for one, other in zip(lines, again, strict=False):
        assert one.text == other.text and np.array_equal(one.points, other.points)
    assert all(len(line.text.split()) == 2 and line.text.endswith(".") for line in lines)
    assert writers.shape == (5,) and writers.max() < 6


def test_no_word_is_in_two_parts_and_training_has_every_letter():
    for seed in range(5):
        words = words_of_parts(seed)
        every = [word for part in words.values() for word in part]
        assert len(set(every)) == len(every)
        assert set("".join(words["train"])) == set("abcdefghijklmnopqrstuvwxyz")


def test_the_set_is_packed_lines_by_known_writers():
    data = load("hershey-words", seed=1)
    assert data.spec.classes == 24 and len(data.train) + len(data.validation) + len(data.test) == 2560
    texts = {part: {line.text for line in unpack_lines(getattr(data, part).x, ALPHABET)} for part in ("train", "test")}
    assert not texts["train"] & texts["test"]
    x = data.train.x
    counts = x[:, :, 2] > -0.5
    assert (np.diff(counts.astype(int), axis=1) <= 0).all()  # points first, then none
    assert 0.5 < x[counts][:, :2].std() < 1.5


def test_a_line_that_is_packed_comes_back():
    points = np.array([[0.5, 1.0, 0.0], [0.25, -1.0, 1.0]], "float32")
    found = unpack_lines(pack_lines([PenLine(points, "ab"), (points[1:], "b.")], "ab."), "ab.")
    assert found[0].text == "ab" and np.array_equal(found[0].points, points)
    assert found[1].text == "b." and np.array_equal(found[1].points, points[1:])
    assert pack_lines([(points, "abab")], "ab").shape == (1, 4, 4)  # a text longer than its points


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([([[0.0, 0.0, 0.0]], "x")], "Received: 'x' in line 0"),
        ([([[0.0, 0.0, 0.5]], "a")], "up 0 or 1"),
        ([([[np.nan, 0.0, 1.0]], "a")], "finite"),
        ([([[0.0, 0.0]], "a")], r"Received: line 0 of shape \(1, 2\)"),
        ([([[0.0, 0.0, 1.0]] * 9, "a")], "at most 4 points and characters. Received: 9"),
    ],
)
def test_lines_that_cannot_be_packed_are_named(lines, message):
    with pytest.raises(InvalidDataError, match=message):
        pack_lines(lines, "ab", length=4)


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match="once"):
        pack_lines([], "aa")
    with pytest.raises(InvalidDataError, match="shape"):
        unpack_lines(np.zeros((2, 3)), "a")
    with pytest.raises(InvalidDataError, match="cannot write"):
        write_by_hand("é", Hand(), 0)
    with pytest.raises(InvalidDataError, match="cannot write"):
        write_by_hand(" ", Hand(), 0)
    with pytest.raises(ValueError, match="part='dev'"):
        word_lines(0, "dev", 1)


_LINE = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession>
  <WhiteboardDescription>
    <SensorLocation corner="top_left"/>
    <DiagonallyOppositeCoords x="6512" y="1376"/>
  </WhiteboardDescription>
  <StrokeSet>
    <Stroke colour="black" start_time="769.05" end_time="769.64">
      <Point x="{a}" y="1058" time="769.05"/><Point x="1083" y="1048" time="769.07"/>
    </Stroke>
    <Stroke colour="black" start_time="770.19" end_time="770.22"><Point x="1103" y="1068" time="770.19"/></Stroke>
  </StrokeSet>
</WhiteboardCaptureSession>
"""
_TEXT = "OCR:\n\nA MOVE to\nstop Mr.\n\nCSR:\n\nA MOVE to\nstop Mr. \n"


@pytest.fixture
def database(tmp_path):
    """Ten forms of two lines in the database's layout."""
    for number in range(10):
        form = f"a01-{number:03}"
        strokes, texts = tmp_path / "lineStrokes" / "a01" / form, tmp_path / "ascii" / "a01" / form
        strokes.mkdir(parents=True)
        texts.mkdir(parents=True)
        (texts / f"{form}u.txt").write_text(_TEXT)
        for line in (1, 2, 3):  # the third has no text
            (strokes / f"{form}u-{line:02}.xml").write_text(_LINE.format(a=1073 - line))
    return tmp_path


def test_iam_lines_have_offsets_turned_up_strokes_and_texts(database):
    forms = iam_lines(database, unit=10.0)
    assert len(forms) == 10 and [line.text for line in forms["a01-000u"]] == ["A MOVE to", "stop Mr."]
    wanted = [[0.0, 0.0, 0.0], [1.1, 1.0, 1.0], [2.0, -2.0, 1.0]]
    np.testing.assert_allclose(forms["a01-000u"][0].points, wanted, rtol=1e-6)
    every = np.concatenate([line.points for lines in iam_lines(database).values() for line in lines])
    assert every[:, :2].std() == pytest.approx(1.0, rel=1e-5)


def test_iam_data_set_keeps_forms_apart_and_knows_its_alphabet(database, monkeypatch):
    monkeypatch.setenv("KERAS_COURSE_DATA", str(database.parent))
    database.rename(database.parent / "iam_on_db")
    data, alphabet = iam_on_db(seed=0)
    assert alphabet == " .AEMOVoprst"
    assert [len(part) for part in (data.train, data.validation, data.test)] == [14, 2, 4]
    assert not set(data.train.y) & set(data.test.y)
    assert unpack_lines(data.train.x, alphabet)[0].text in ("A MOVE to", "stop Mr.")


def test_iam_faults_are_named(database, tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_COURSE_DATA", raising=False)
    with pytest.raises(MissingDataError, match="KERAS_COURSE_DATA"):
        iam_lines()
    with pytest.raises(MissingDataError, match="it has no lineStrokes and no ascii"):
        iam_lines(tmp_path / "nowhere")
    line = database / "lineStrokes" / "a01" / "a01-000" / "a01-000u-01.xml"
    good = line.read_text()
    for content in ("<Whiteboard", good.replace('x="1083"', ""), good.replace("Point", "Dot")):
        line.write_text(content)
        with pytest.raises(InvalidDataError, match="a01-000u-01.xml is no line of strokes"):
            iam_lines(database)
    line.write_text(good)
    text = database / "ascii" / "a01" / "a01-000" / "a01-000u.txt"
    text.write_text("OCR:\nA")
    with pytest.raises(InvalidDataError, match="no line 'CSR:'"):
        iam_lines(database)
    text.unlink()
    with pytest.raises(MissingDataError, match="lacks a text"):
        iam_lines(database)
