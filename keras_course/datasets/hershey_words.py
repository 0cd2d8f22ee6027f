"""Words in many hands: glyphs of the Hershey stroke fonts, set next to each other as writers would.

    hand = (font, size, aspect, slant, spacing, unsteadiness), drawn once a writer
    point = size [aspect  slant; 0  1] (glyph point scaled a little for every letter + where the letter stands + jitter)

Train, validation and test write different words: a model that only remembers words gains nothing. Writers are the same.

Every line ends with a full stop, so that whoever writes the last letter has somewhere to look next.

Only raw bits of Philox, sums and products are used, so the same arguments give the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets.bundled import SHA256
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.hershey import FILE, stroke_font
from keras_course.datasets.pen_lines import PenLine, pack_lines
from keras_course.datasets.split import epoch_order

__all__ = ["ALPHABET", "Hand", "hershey_words", "word_lines", "words_of_parts", "write_by_hand", "writer_hands"]

ALPHABET = "abcdefghijklmnopqrstuvwxyz ."
FONTS = ("rowmans",)
LINES, WRITERS = 2560, 24
UNIT = 7.0  # Hershey units in one unit of the offsets: half the height of an x
PARTS = ("train", "validation", "test")

WORDS = """
able acid aged also area army away axis baby back ball band bank base bath bear beat been beer bell belt best bird
blue boat body bomb bond bone book boom born boss both bowl bulk burn bush busy cake call calm came camp card care case
cash cast cell chat chip city club coal coat code cold come cook cool cope copy core cost crew crop dark data date dawn
days dead deal dean dear debt deep desk dial diet disc disk does door dose down draw drew drop drug dual duke dust duty
each earn ease east easy edge else even ever evil exit face fact fail fair fall farm fast fate fear feed feel feet fell
felt file fill film find fine fire firm fish five flat flow food foot ford form fort four free from fuel full fund gain
game gate gave gear gift girl give glad goal goes gold golf gone good gray grew grey grow gulf hair half hall hand hang
hard harm hate have head hear heat held help here hero high hill hire hold hole holy home hope host hour huge hung hunt
hurt idea inch into iron item join jump jury just keen keep kept kick kind king knee knew know lack lady laid lake land
lane last late lead left less life lift like line link list live load loan lock logo long look lord lose loss lost love
luck made mail main make male many mark mass meal mean meat meet menu mere mile milk mill mind mine miss mode mood moon
more most move much must name navy near neck need news next nice nine none nose note okay once only onto open oral over
pace pack page paid pain pair palm park part pass past path peak pick pink pipe plan play plot plug plus poll pool poor
port post pull pure push quiz race rail rain rank rare rate read real rear rely rent rest rice rich ride ring rise risk
road rock role roll roof room root rose rule rush safe said sake sale salt same sand save seat seed seek seem seen self
sell send sent ship shop shot show shut sick side sign site size skin slip slow snow soft soil sold sole some song soon
sort soul spot star stay step stop such suit sure take tale talk tall tank tape task team tech tell tend term test text
than that them then they thin this thus till time tiny told toll tone tony took tool tour town tree trip true tune turn
twin type unit upon used user vary vast very vice view vote wage wait wake walk wall want ward warm wash wave ways weak
wear week well went were west what when whom wide wife wild will wind wine wing wire wise wish with wood word wore work
yard yeah year your zero zone jazz joke jail quit quay oxen taxi exam foxy lazy maze haze ajar aqua quad quip quid
quod jade jest jive jolt judo july june junk jibe apex axle flex flux hoax jinx lynx onyx coax calx zeal zest zinc
zoom buzz doze fuzz gaze daze ooze
""".split()


class Hand(NamedTuple):
    """How somebody writes.

    Args:
        font: str, name of a Hershey font.
        size: float, factor on all lengths.
        aspect: float, factor on widths.
        slant: float, tangent of the angle to the vertical, positive to the right.
        spacing: float, Hershey units added between letters.
        jitter: float, standard deviation of every point, in Hershey units.
        wobble: float, standard deviation of a letter's scale, and of its height above the line in tens of units.
    """

    font: str = "rowmans"
    size: float = 1.0
    aspect: float = 1.0
    slant: float = 0.0
    spacing: float = 0.0
    jitter: float = 0.0
    wobble: float = 0.0


def writer_hands(seed: int, writers: int = WRITERS, fonts: Sequence[str] = FONTS) -> tuple[Hand, ...]:
    """The hands of all writers, fonts in turn; more writers begin with the same ones.

    Args:
        seed: int.
        writers: int >= 1.
        fonts: names of fonts.

    Returns:
        Tuple of `Hand`.

    Example:
        >>> writer_hands(0, 3) == writer_hands(0, 5)[:3]
        True
    """
    require_positive_int("writer_hands", writers=writers)
    hands = []
    for writer in range(writers):
        size, aspect, slant, spacing, jitter, wobble = _uniforms(6, seed, "hand", writer)
        hands.append(
            Hand(
                fonts[writer % len(fonts)], 0.85 + 0.3 * size, 0.8 + 0.4 * aspect, -0.1 + 0.5 * slant,
                -1.0 + 2.5 * spacing, 0.15 + 0.25 * jitter, 0.02 + 0.04 * wobble,
            )
        )  # fmt: skip
    return tuple(hands)


def write_by_hand(text: str, hand: Hand, seed: int, index: int = 0) -> PenLine:
    """A text in somebody's hand, another time for every index: a pure function of its arguments.

    Args:
        text: str of characters that the font has.
        hand: `Hand`.
        seed, index: ints, which time.

    Returns:
        `PenLine`: offsets in units of `UNIT` Hershey units, half the height of an x.

    Raises:
        InvalidDataError: if the font lacks a character, or the text leaves no stroke.

    Example:
        >>> write_by_hand("l", Hand(), seed=0).points.tolist()
        [[0.5714285969734192, 3.0, 0.0], [0.0, -3.0, 1.0]]
    """
    font = stroke_font(hand.font)
    unknown = sorted(set(text) - set(font))
    if unknown or not any(font[character].strokes for character in text):
        raise InvalidDataError(f"The font {hand.font!r} cannot write this. Received: text={text!r}")
    points: list[NDArray[np.float64]] = []
    pen: list[float] = []
    start = 0.0
    moved = _normals((len(text), 2), seed, "letters", text, index) * hand.wobble
    for (scale, height), character in zip(moved, text, strict=True):
        glyph = font[character]
        for stroke in glyph.strokes:
            points += list((stroke - (glyph.left, 0)) * (1 + scale) + (start, 10 * height))
            pen += [0.0] * (len(stroke) - 1) + [1.0]
        start += (glyph.right - glyph.left) * (1 + scale) + hand.spacing
    places = np.stack(points) + hand.jitter * _normals((len(points), 2), seed, "points", text, index)
    places = hand.size / UNIT * np.stack([hand.aspect * places[:, 0] + hand.slant * places[:, 1], places[:, 1]], 1)
    offsets = np.diff(places, axis=0, prepend=np.zeros((1, 2)))
    return PenLine(np.column_stack([offsets, pen]).astype("float32"), text)


def words_of_parts(seed: int, validation: float = 0.1, test: float = 0.2) -> dict[str, list[str]]:
    """Which words each part writes: no word is in two.

    Args:
        seed: int, of the split.
        validation, test: floats in (0, 1), shares of the words.

    Returns:
        {"train", "validation", "test": words}.

    Raises:
        ValueError: if a part has no word.

    Example:
        >>> words = words_of_parts(0)
        >>> set(words["train"]) & set(words["test"])
        set()
    """
    n_test, n_validation = round(test * len(WORDS)), round(validation * len(WORDS))
    if min(n_test, n_validation, len(WORDS) - n_test - n_validation) < 1:
        raise ValueError(f"hershey-words needs words in every part. Received: {validation=}, {test=}")
    shuffled = [WORDS[place] for place in epoch_order(derive_seed(seed, "words"), 0, len(WORDS))]
    cuts = (n_test, n_test + n_validation)
    return {"test": shuffled[: cuts[0]], "validation": shuffled[cuts[0] : cuts[1]], "train": shuffled[cuts[1] :]}


def word_lines(
    seed: int,
    part: str,
    count: int,
    *,
    words: int = 1,
    hands: Sequence[Hand] | None = None,
    validation: float = 0.1,
    test: float = 0.2,
) -> tuple[list[PenLine], NDArray[np.int32]]:
    """The first lines of one part, and who wrote each; more of them begin with the same ones.

    Args:
        seed: int, of the split of the words, of the hands and of every line.
        part: "train", "validation" or "test": which words.
        count: int >= 1, number of lines.
        words: int >= 1, words a line, with spaces between them.
        hands: of the writers, None for `writer_hands(seed)`.
        validation, test: floats, shares of the words.

    Returns:
        Tuple (list of `PenLine`, int32 (count,) writers).

    Raises:
        ValueError: for an unknown part or a count below 1.

    Example:
        >>> lines, writers = word_lines(0, "test", 2, words=3)
        >>> len(lines[0].text.split()), lines[0].text[-1], writers.shape
        (3, '.', (2,))
    """
    require_one_of("word_lines", PARTS, part=part)
    require_positive_int("word_lines", count=count, words=words)
    chosen = words_of_parts(seed, validation, test)[part]
    hands = writer_hands(seed) if hands is None else hands
    lines, writers = [], []
    for index in range(count):
        draw = np.asarray(np.random.Philox(key=derive_seed(seed, "line", part, index)).random_raw(1 + words))
        writer = int(draw[0] % np.uint64(len(hands)))
        text = " ".join(chosen[int(each % np.uint64(len(chosen)))] for each in draw[1:]) + "."
        lines.append(write_by_hand(text, hands[writer], derive_seed(seed, "pen", part), index))
        writers.append(writer)
    return lines, np.array(writers, "int32")


def hershey_words(seed: int, validation: float, test: float) -> Dataset:
    """2,560 words of four letters, with a full stop, by 24 writers: packed lines (T, 4); the label is the writer."""
    counts = {"test": round(test * LINES), "validation": round(validation * LINES)}
    counts["train"] = LINES - sum(counts.values())
    drawn = {part: word_lines(seed, part, counts[part], validation=validation, test=test) for part in PARTS}
    length = max(len(line.points) for lines, _ in drawn.values() for line in lines)
    parts = {part: Split(pack_lines(lines, ALPHABET, length), writers) for part, (lines, writers) in drawn.items()}
    spec = Spec(
        "hershey-words",
        task="classification",
        shape=(length, 4),
        classes=WRITERS,
        class_names=tuple(f"writer {writer}" for writer in range(WRITERS)),
        seed=seed,
        sha256={FILE: SHA256[FILE]},
    )
    return Dataset(parts["train"], parts["validation"], parts["test"], spec)


def _uniforms(count: int, seed: int, *path: object) -> NDArray[np.float64]:
    raw = np.asarray(np.random.Philox(key=derive_seed(seed, *path)).random_raw(count))
    return np.asarray((raw >> np.uint64(11)) * 2.0**-53)


def _normals(shape: tuple[int, int], seed: int, *path: object) -> NDArray[np.float64]:
    """Nearly normal numbers of mean 0 and variance 1: sums of four uniform ones, within 3.5."""
    drawn = _uniforms(4 * shape[0] * shape[1], seed, *path).reshape(*shape, 4)
    return np.asarray((drawn[..., 0] + drawn[..., 1] + drawn[..., 2] + drawn[..., 3] - 2) * 3**0.5)
