"""Two colour photographs, for filters, convolutions and colour clusters.

Decoding JPEG is specified to within one grey level: another build of libjpeg may give pixels that differ by 1, so the
file is pinned by its sha256 and the pixels are not.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import UnknownSlugError
from keras_course.datasets.bundled import read_verified

PHOTOGRAPHS = ("china", "flower")


def load_photograph(name: str) -> NDArray[np.uint8]:
    """A photograph as an array of pixels.

    Args:
        name: "china" (a painted tower above a lake) or "flower" (a dahlia).

    Returns:
        uint8 array (H, W, 3) = (427, 640, 3), red green blue, row 0 on top.

    Raises:
        UnknownSlugError: if there is no such photograph.
        MissingDataError, CorruptDataError: if the file is missing or is not the recorded one.

    Example:
        >>> load_photograph("flower").shape
        (427, 640, 3)
    """
    if name not in PHOTOGRAPHS:
        raise UnknownSlugError(name, PHOTOGRAPHS, what="photograph")
    from PIL import Image

    with Image.open(io.BytesIO(read_verified(f"photographs/{name}.jpg"))) as picture:
        return np.array(picture.convert("RGB"))
