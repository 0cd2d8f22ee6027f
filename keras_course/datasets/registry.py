"""From a name to a data set: `load("digits")`.

Bundled sets are pure functions of (name, seed, shares): the same bits at every call and on every machine.
"""

from __future__ import annotations

from keras_course.core.errors import UnknownSlugError
from keras_course.datasets import bundled, sentence_pairs
from keras_course.datasets.dataset import Dataset
from keras_course.datasets.digit_canvas import digit_canvas
from keras_course.datasets.digit_captions import digit_captions
from keras_course.datasets.hershey_words import hershey_words
from keras_course.datasets.keras_sets import KERAS_SETS, load_keras_set
from keras_course.datasets.king_james import king_james
from keras_course.datasets.photograph_crops import photograph_crops
from keras_course.datasets.time_series import mackey_glass, narma10

_BUNDLED = {
    "digits": bundled.digits,
    "digits-flat": bundled.digits_flat,
    "digit-canvas": digit_canvas,
    "digit-captions": digit_captions,
    "iris": bundled.iris,
    "wine": bundled.wine,
    "breast-cancer": bundled.breast_cancer,
    "diabetes": bundled.diabetes,
    "photograph-crops": photograph_crops,
    "hershey-words": hershey_words,
    "english-french": sentence_pairs.english_french,
    "dates": sentence_pairs.dates,
    "narma-10": narma10,
    "mackey-glass": mackey_glass,
    "king-james": king_james,
}


def names() -> tuple[str, ...]:
    """Every name that `load` knows: the bundled sets, then those fetched by Keras.

    Example:
        >>> names()[:2]
        ('digits', 'digits-flat')
    """
    return (*_BUNDLED, *KERAS_SETS)


def load(name: str, seed: int = 0, validation: float = 0.1, test: float = 0.2) -> Dataset:
    """Load a data set by name, split and ready to train on.

    Bundled sets need NumPy alone, no network and no TensorFlow; their split is stratified by class. The mnist family
    comes through `keras.datasets` with its official test set, so that `test` is not used there.

    Args:
        name: str, one of `names()`.
        seed: int, which split; never chosen for its score.
        validation: float in (0, 1), share of the validation rows.
        test: float in (0, 1), share of the test rows.

    Returns:
        `Dataset(train, validation, test, spec)`. Images are (N, H, W, C) float32 in [0, 1], tables float32 (N, D)
        standardised by training statistics, labels int32 (N,), label maps (N, H, W), texts int32 ids
        (N, S) with targets (N, T) (`datasets.text`), regression targets
        float32 (N, 1), standardised too (`spec.restore_targets` undoes it).

    Raises:
        UnknownSlugError: if there is no such name; the message suggests the nearest.
        MissingDataError: if a file is not there, or the network is needed and absent.
        CorruptDataError: if a file is not the recorded one.
        ValueError: if a share is out of range.

    Example:
        >>> digits = load("digits", seed=0)
        >>> digits.train.x.shape, digits.validation.x.shape, digits.test.x.shape
        ((1258, 8, 8, 1), (180, 8, 8, 1), (359, 8, 8, 1))
        >>> digits.spec.classes
        10
    """
    if name in KERAS_SETS:
        return load_keras_set(name, seed, validation)
    if name not in _BUNDLED:
        raise UnknownSlugError(name, names(), what="data set")
    if not 0 < test < 1:
        raise ValueError(f"load needs test in (0, 1). Received: test={test}")
    return _BUNDLED[name](seed, validation, test)
