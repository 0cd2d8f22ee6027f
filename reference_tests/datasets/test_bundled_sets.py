"""The bundled sets: the files are the recorded ones, and hold what their READMEs and scikit-learn say."""

import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from keras_course.core import resources
from keras_course.core.errors import CorruptDataError, MissingDataError, UnknownSlugError
from keras_course.core.resources import data_path
from keras_course.datasets import load, load_photograph, names
from keras_course.datasets.bundled import SHA256, read_verified

ROWS = {
    "digits": 1797,
    "digits-flat": 1797,
    "iris": 150,
    "wine": 178,
    "breast-cancer": 569,
    "diabetes": 442,
    "photograph-crops": 1800,
    "hershey-words": 2560,
}
SHAPES = {
    "digits": (8, 8, 1),
    "digits-flat": (64,),
    "iris": (4,),
    "wine": (13,),
    "breast-cancer": (30,),
    "diabetes": (10,),
    "photograph-crops": (16, 16, 3),
    "hershey-words": (77, 4),
}
CLASSES = {
    "digits": 10,
    "digits-flat": 10,
    "iris": 3,
    "wine": 3,
    "breast-cancer": 2,
    "diabetes": None,
    "photograph-crops": 2,
    "hershey-words": 24,
}


def in_file_order(dataset):
    """All rows of the three parts, in the order of (x, y) sorted as bytes: comparable to another loader's."""
    parts = (dataset.train, dataset.validation, dataset.test)
    return np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])


def sorted_rows(x, y):
    table = np.column_stack([x.reshape(len(x), -1), y])
    return table[np.lexsort(table.T)]


@pytest.fixture
def copied_data(tmp_path, monkeypatch):
    """A private data folder that a test may damage, and that is looked in first."""
    for file in SHA256:
        target = tmp_path / file
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data_path(*file.split("/")).read_bytes())
    monkeypatch.setenv("KERAS_COURSE_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("file", SHA256)
def test_digest_in_the_code_is_that_of_the_file_and_of_the_readme(file):
    path = data_path(*file.split("/"))
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256[file]
    row = f"| {path.name} | {len(content)} | {SHA256[file]} |"
    assert row in (path.parent / "README.md").read_text(encoding="utf-8")


def test_every_data_file_is_recorded_and_every_folder_has_a_readme():
    root = data_path("README.md").parent
    files = {path.relative_to(root).as_posix() for path in root.glob("*/*") if path.name != "README.md"}
    assert files == set(SHA256)
    for folder in {Path(file).parent for file in files}:
        text = (root / folder / "README.md").read_text(encoding="utf-8")
        assert re.search(r"\*\*(Origin|Origin and attribution)\.\*\*", text), folder
        assert "**Licence.**" in text, folder
        assert "**Sizes.**" in text, folder


@pytest.mark.parametrize("name", ROWS)
def test_counts_shapes_and_dtypes_are_as_documented(name):
    data = load(name)
    x, y = in_file_order(data)
    assert len(x) == ROWS[name]
    assert x.shape[1:] == SHAPES[name] == data.spec.shape
    assert x.dtype == np.float32
    assert data.spec.classes == CLASSES[name]
    assert data.spec.features == np.prod(SHAPES[name])
    if CLASSES[name]:
        assert y.dtype == np.int32 and y.shape == (ROWS[name],)
        assert set(y) == set(range(CLASSES[name]))
        assert len(data.spec.class_names) == CLASSES[name]
    else:
        assert y.dtype == np.float32 and y.shape == (ROWS[name], data.spec.targets)
    assert len(data.spec.feature_names) in (0, data.spec.features)
    assert data.spec.name == name
    assert all(SHA256[file] == found for file, found in data.spec.sha256.items()) and data.spec.sha256


def test_digit_pixels_are_sixteenths_between_zero_and_one():
    x, _ = in_file_order(load("digits"))
    assert x.min() == 0 and x.max() == 1
    assert np.array_equal(x * 16, np.round(x * 16))


def test_flat_digits_are_the_same_rows_as_the_images():
    images, flat = load("digits", seed=4), load("digits-flat", seed=4)
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(images, part).x.reshape(-1, 64), getattr(flat, part).x)
        assert np.array_equal(getattr(images, part).y, getattr(flat, part).y)


def test_iris_holds_fishers_values_where_the_uci_file_has_slips():
    lines = read_verified("iris/iris.csv").decode().splitlines()
    assert lines[35] == "4.9,3.1,1.5,0.2,0"
    assert lines[38] == "4.9,3.6,1.4,0.1,0"


@pytest.mark.parametrize(
    ("name", "loader", "arguments"),
    [
        ("digits-flat", "load_digits", {}),
        ("iris", "load_iris", {}),
        ("wine", "load_wine", {}),
        ("breast-cancer", "load_breast_cancer", {}),
        ("diabetes", "load_diabetes", {"scaled": False}),
    ],
)
def test_values_and_labels_equal_those_of_scikit_learn(name, loader, arguments):
    peers = pytest.importorskip("sklearn.datasets", reason="scikit-learn is the peer of this comparison")
    peer = getattr(peers, loader)(**arguments)
    data = load(name)
    ours_x, ours_y = in_file_order(data)
    if name == "digits-flat":
        wanted_x, wanted_y = peer.data / 16, peer.target
    else:
        wanted_x, wanted_y = data.spec.standardise(peer.data), peer.target
    if name == "diabetes":
        wanted_y = data.spec.standardise_targets(peer.target[:, None])
    assert np.array_equal(sorted_rows(ours_x, ours_y), sorted_rows(wanted_x.astype("float32"), wanted_y))


@pytest.mark.parametrize(("name", "loader"), [("iris", "load_iris"), ("breast-cancer", "load_breast_cancer")])
def test_class_names_stand_in_the_order_of_scikit_learn(name, loader):
    peers = pytest.importorskip("sklearn.datasets", reason="scikit-learn is the peer of this comparison")
    assert load(name).spec.class_names == tuple(getattr(peers, loader)().target_names)


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photograph_is_a_colour_image_of_bytes(name):
    picture = load_photograph(name)
    assert picture.shape == (427, 640, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 20


def test_unknown_photograph_suggests_the_nearest():
    with pytest.raises(UnknownSlugError, match="Did you mean 'flower'"):
        load_photograph("flowers")


def test_unknown_data_set_suggests_the_nearest():
    with pytest.raises(UnknownSlugError, match="No data set is called 'digit'. Did you mean 'digits'"):
        load("digit")


def test_names_list_every_set_once():
    others = {
        "cifar10",
        "dates",
        "digit-canvas",
        "digit-captions",
        "english-french",
        "fashion-mnist",
        "king-james",
        "mackey-glass",
        "mnist",
        "narma-10",
    }
    assert set(ROWS) | others == set(names())
    assert len(set(names())) == len(names())


@pytest.mark.parametrize("file", SHA256)
def test_one_changed_bit_in_a_file_is_refused_with_both_digests(file, copied_data):
    content = bytearray((copied_data / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copied_data / file).write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(CorruptDataError) as error:
        read_verified(file)
    message = str(error.value)
    assert str(copied_data / file) in message and SHA256[file] in message and message.endswith(f"Received: {found}")
    assert "\n" not in message


def test_truncated_file_is_refused_by_load(copied_data):
    path = copied_data / "digits" / "digits.csv.gz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CorruptDataError, match=r"digits\.csv\.gz"):
        load("digits")


def test_missing_folder_is_named_with_the_places_looked_in(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "keras_course")
    monkeypatch.setenv("KERAS_COURSE_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(MissingDataError) as error:
        load("wine")
    assert "wine/wine.csv" in str(error.value) and str(tmp_path / "elsewhere") in str(error.value)


def test_loading_digits_imports_neither_a_framework_nor_scikit_learn():
    code = (
        "import sys; from keras_course.datasets import load, load_photograph\n"
        "load('digits'); load('diabetes')\n"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'pandas', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_digits_takes_less_than_three_tenths_of_a_second():
    fastest = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        load("digits")
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 0.3
