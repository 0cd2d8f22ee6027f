"""Pairs of texts as a data set: rows of ids, ended and padded, split like every other set.

    x[i] = source tokens, END, PAD ...        y[i] = target tokens, END, PAD ...

Vocabularies come from the training rows alone; what only validation or test rows hold is [unknown] there.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Sequence
from pathlib import Path

from keras_course.core.errors import MissingDataError
from keras_course.datasets.agreement_grammar import Pair, generated_pairs
from keras_course.datasets.arrays import digest
from keras_course.datasets.bundled import read_verified
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.dates import generated_dates
from keras_course.datasets.split import split_rows
from keras_course.datasets.text import Vocabulary

__all__ = ["dates", "english_french", "everyday_pairs", "installed_messages", "sentence_dataset"]

GENERATED = 4500
DATES = 4000


def sentence_dataset(
    pairs: Sequence[tuple[str, str]],
    *,
    name: str,
    unit: str = "word",
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.2,
    least: int = 1,
) -> Dataset:
    """Makes a data set of pairs of texts.

    Args:
        pairs: (source, target) strings.
        name: str, what to call it.
        unit: "word" or "character".
        seed: int, of the split.
        validation, test: floats, shares of the pairs.
        least: int, how often a token must occur in the training rows to get a number of its own.

    Returns:
        `Dataset`: x int32 (N, S), y int32 (N, T), `spec.vocabulary` the source's tokens and `spec.class_names` the
        target's, each with the four special ones first.

    Raises:
        ValueError: if the shares leave a part empty.

    Example:
        >>> data = sentence_dataset([(f"{n} cats", f"{n} chats") for n in range(10)], name="counted")
        >>> data.train.x.shape, data.spec.class_names[:5]
        ((7, 3), ('[pad]', '[start]', '[end]', '[unknown]', 'chats'))
    """
    rows = split_rows(len(pairs), seed, validation, test)
    vocabularies, arrays = [], []
    for side in range(2):
        texts = [pair[side] for pair in pairs]
        vocabularies.append(Vocabulary.of([texts[row] for row in rows.train], unit, least))
        arrays.append(vocabularies[-1].encode(texts))
    x, y = arrays
    spec = Spec(
        name, task="classification", shape=x.shape[1:], classes=len(vocabularies[1]), label_shape=y.shape[1:],
        class_names=vocabularies[1].names, vocabulary=vocabularies[0].names, seed=seed,
        sha256={"x": digest(x), "y": digest(y)},
    )  # fmt: skip
    train, validation_part, test_part = (Split(x[part], y[part]) for part in rows)
    return Dataset(train, validation_part, test_part, spec)


def everyday_pairs() -> list[Pair]:
    """The sentences of data/english_french: what people say every day, English and French.

    Raises:
        MissingDataError: if the file is not there.
        CorruptDataError: if it is not the recorded one.

    Example:
        >>> everyday_pairs()[0]
        Pair(source='Good morning.', target='Bonjour.')
    """
    lines = read_verified("english_french/everyday.tsv").decode("utf-8").splitlines()
    return [Pair(*line.split("\t")) for line in lines]


def english_french(seed: int, validation: float, test: float) -> Dataset:
    """247 everyday sentences and 4,500 of `agreement_grammar` (generated), English to French, words."""
    pairs = [*everyday_pairs(), *generated_pairs(GENERATED, seed=0)]
    return sentence_dataset(pairs, name="english-french", seed=seed, validation=validation, test=test)


def dates(seed: int, validation: float, test: float) -> Dataset:
    """4,000 dates as people write them, to ISO 8601 (generated), characters."""
    pairs = generated_dates(DATES, seed=0)
    return sentence_dataset(pairs, name="dates", unit="character", seed=seed, validation=validation, test=test)


def installed_messages(
    language: str = "fr", folder: str | os.PathLike[str] = "/usr/share/locale", words: int = 12
) -> list[Pair]:
    """What programs of this machine say in English, and in another language, from their GNU message catalogues.

    The catalogues stay under the licences of their programs: use them where they lie, do not pass them on.

    Args:
        language: str, "fr" or any other that is installed.
        folder: where the catalogues are: FOLDER/LANGUAGE/LC_MESSAGES/*.mo.
        words: int, the longest text taken; those with line breaks or places to fill in (%s, {}) are left out.

    Returns:
        List of `Pair`, sorted, no English text twice.

    Raises:
        MissingDataError: if there is no catalogue, or none with a text that fits.

    Example:
        >>> installed_messages("fr", folder="no/such/folder")
        Traceback (most recent call last):
            ...
        keras_course.core.errors.MissingDataError: No message catalogue of language 'fr': looked for \
no/such/folder/fr/LC_MESSAGES/*.mo. Install a program with its translations, or name another folder.
    """
    place = Path(folder, language, "LC_MESSAGES")
    found: dict[str, str] = {}
    for path in sorted(place.glob("*.mo")):
        try:
            with path.open("rb") as file:
                catalogue = gettext.GNUTranslations(file)
        except (OSError, ValueError, LookupError):
            continue  # damaged, or of an encoding that Python does not know: the others may serve
        for message, translation in vars(catalogue)["_catalog"].items():
            if isinstance(message, str) and _fits(message, words) and _fits(translation, words):
                found.setdefault(message.strip(), translation.strip())
    if not found:
        raise MissingDataError(
            f"No message catalogue of language {language!r}: looked for {place}/*.mo. "
            "Install a program with its translations, or name another folder."
        )
    return [Pair(message, found[message]) for message in sorted(found)]


def _fits(text: str, words: int) -> bool:
    plain = re.fullmatch(r"[^\n\t%{}<>|\\$=_]*[^\W\d_]{2}[^\n\t%{}<>|\\$=_]*", text.strip())
    return plain is not None and len(text.split()) <= words
