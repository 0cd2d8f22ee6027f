"""The data sets that come with the package, read from `data/` and nowhere else.

    bytes --sha256--> known? --parse--> arrays --from_arrays--> Dataset

A file is hashed before it is parsed, and parsed from the very bytes that were hashed. The recorded digests stand here
and in `data/<set>/README.md`, so the same name means the same numbers whatever else is installed: nothing here needs
scikit-learn, TensorFlow or a network.

digits         1797 images (8, 8, 1), pixels / 16 in [0, 1], ten classes
digits-flat    the same, rows of 64
iris           150 x 4, three classes           wine  178 x 13, three classes
breast-cancer  569 x 30, 0 malignant, 1 benign  diabetes  442 x 10, one real target

All but digits are standardised by the statistics of the training rows, the target of diabetes too; `spec` holds the
means and scales, and `spec.restore_targets` gives back the disease score.
"""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import CorruptDataError
from keras_course.core.resources import data_path
from keras_course.datasets.arrays import from_arrays
from keras_course.datasets.dataset import Dataset

SHA256 = {
    "digits/digits.csv.gz": "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    "english_french/everyday.tsv": "c211d15d3a085d412d2e5b8d0092fbfaa800e03f02fe7908c93ac42d476b5b44",
    "iris/iris.csv": "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449",
    "wine/wine.csv": "10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede",
    "breast_cancer/breast_cancer.csv": "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
    "diabetes/diabetes_data_raw.csv.gz": "7fc0ded571454b1982210d3bb43f0aca44eae01a0b8654a3b24022bdb6b38009",
    "diabetes/diabetes_target.csv.gz": "8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803",
    "hershey/glyphs.tsv.gz": "4021f1e47c7ba9a77bbfe5ebbaaf27daf762e3cb3b98aba3620df4a7a7610134",
    "king_james/king_james.tsv.gz": "474fe5af64d4298c0d018b7072ba3898648026aa49e97d8a051b0122895aa424",
    "photographs/china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "photographs/flower.jpg": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
}

_NUCLEUS = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)


def digits(seed: int, validation: float, test: float) -> Dataset:
    """Handwritten digits as images (8, 8, 1) in [0, 1]: Alpaydin and Kaynak 1998."""
    pixels, labels = _digits()
    return from_arrays(
        pixels.reshape(-1, 8, 8, 1),
        labels,
        name="digits",
        classes=10,
        class_names=tuple("0123456789"),
        sha256=_digests("digits/digits.csv.gz"),
        seed=seed,
        validation=validation,
        test=test,
    )


def digits_flat(seed: int, validation: float, test: float) -> Dataset:
    """Handwritten digits as rows of 64 pixels in [0, 1], row-major; the split is that of `digits`."""
    pixels, labels = _digits()
    return from_arrays(
        pixels,
        labels,
        name="digits-flat",
        classes=10,
        feature_names=tuple(f"pixel {row},{column}" for row in range(8) for column in range(8)),
        class_names=tuple("0123456789"),
        sha256=_digests("digits/digits.csv.gz"),
        seed=seed,
        validation=validation,
        test=test,
    )


def iris(seed: int, validation: float, test: float) -> Dataset:
    """Sepals and petals of three species of iris, with Fisher's own values in rows 35 and 38: Fisher 1936."""
    return _labelled_table(
        "iris",
        "iris/iris.csv",
        feature_names=("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        class_names=("setosa", "versicolor", "virginica"),
        shares=(seed, validation, test),
    )


def wine(seed: int, validation: float, test: float) -> Dataset:
    """Chemical analysis of wines of three cultivars from one region of Italy: Forina et al. 1988."""
    return _labelled_table(
        "wine",
        "wine/wine.csv",
        feature_names=(
            "alcohol",
            "malic acid",
            "ash",
            "alcalinity of ash",
            "magnesium",
            "total phenols",
            "flavanoids",
            "nonflavanoid phenols",
            "proanthocyanins",
            "colour intensity",
            "hue",
            "OD280/OD315 of diluted wines",
            "proline",
        ),
        class_names=("cultivar 1", "cultivar 2", "cultivar 3"),
        shares=(seed, validation, test),
    )


def breast_cancer(seed: int, validation: float, test: float) -> Dataset:
    """Cell nuclei of breast masses, label 0 malignant and 1 benign: Street, Wolberg and Mangasarian 1993."""
    return _labelled_table(
        "breast-cancer",
        "breast_cancer/breast_cancer.csv",
        feature_names=tuple(f"{kind} {name}" for kind in ("mean", "standard error of", "worst") for name in _NUCLEUS),
        class_names=("malignant", "benign"),
        shares=(seed, validation, test),
    )


def diabetes(seed: int, validation: float, test: float) -> Dataset:
    """Disease progression one year after ten baseline measurements, target standardised: Efron et al. 2004."""
    files = ("diabetes/diabetes_data_raw.csv.gz", "diabetes/diabetes_target.csv.gz")
    measurements, progression = (np.loadtxt(io.BytesIO(gzip.decompress(read_verified(file)))) for file in files)
    return from_arrays(
        measurements,
        progression,
        name="diabetes",
        standardise=True,
        feature_names=(
            "age (years)",
            "sex (1 or 2)",
            "body mass index (kg/m^2)",
            "mean blood pressure (mm Hg)",
            "total cholesterol (mg/dl)",
            "LDL (mg/dl)",
            "HDL (mg/dl)",
            "total cholesterol / HDL",
            "log triglycerides",
            "blood sugar (mg/dl)",
        ),
        sha256=_digests(*files),
        seed=seed,
        validation=validation,
        test=test,
    )


def read_verified(file: str) -> bytes:
    """The bytes of a bundled file, if they are the recorded ones.

    Args:
        file: str, path below the data folder with forward slashes, a key of `SHA256`.

    Returns:
        bytes.

    Raises:
        MissingDataError: if the file is nowhere.
        CorruptDataError: if its sha256 is another; the message gives both digests.
    """
    path = data_path(*file.split("/"))
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[file]:
        raise CorruptDataError(f"{path} is not the recorded file: sha256 should be {SHA256[file]}. Received: {found}")
    return content


def _digits() -> tuple[NDArray[Any], NDArray[Any]]:
    text = gzip.decompress(read_verified("digits/digits.csv.gz"))
    table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype="int32")  # (1797, 65)
    return table[:, :-1].astype("float32") / 16, table[:, -1]


def _labelled_table(
    name: str,
    file: str,
    feature_names: tuple[str, ...],
    class_names: tuple[str, ...],
    shares: tuple[int, float, float],
) -> Dataset:
    """A csv whose first line holds counts and class names and whose last column is the label."""
    table = np.loadtxt(io.BytesIO(read_verified(file)), delimiter=",", skiprows=1)
    seed, validation, test = shares
    return from_arrays(
        table[:, :-1],
        table[:, -1].astype("int32"),
        name=name,
        classes=len(class_names),
        standardise=True,
        feature_names=feature_names,
        class_names=class_names,
        sha256=_digests(file),
        seed=seed,
        validation=validation,
        test=test,
    )


def _digests(*files: str) -> dict[str, str]:
    return {file: SHA256[file] for file in files}
