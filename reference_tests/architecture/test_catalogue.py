"""Every row resolves, has sources, goldens, tests and, for models, a recipe; every class is registered by name."""

import ast
import dataclasses
import functools
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys

import keras
import pytest

import keras_course
from keras_course import catalog
from keras_course.core.errors import CorruptArtifact
from keras_course.core.serial import REGISTERED_NAMES
from keras_course.pipeline.experiment import configured
from keras_course.pipeline.recipe import is_experiment, recipe_of
from keras_course.pipeline.verify import example_of

ENTRIES = catalog.entries()
BASES = {
    "AdversarialGame",
    "BinaryMachine",
    "Augmentation",
    "Coupling",
    "EncoderDecoder",
    "FlowLayer",
    "GenerativeModel",
    "ImageClassifier",
    "Model",
    "PretextTask",
    "RecurrentCell",
    "RecurrentLayer",
}  # to be subclassed: no file names them
PARTS = sorted({part for entry in ENTRIES for part in entry.parts})


def slugs(entry):
    return entry.slug


def test_slugs_are_unique_and_of_the_syllabus_form():
    names = [entry.slug for entry in ENTRIES]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and " " not in name for name in names)


@pytest.mark.parametrize("entry", ENTRIES, ids=slugs)
def test_a_row_resolves_and_says_its_shape_and_sources(entry):
    assert entry.shape in catalog.SHAPES
    assert entry.sources and all(catalog.sources.describe(source) for source in entry.sources)
    for part in entry.parts:
        assert callable(catalog.resolve_member(part))


@pytest.mark.parametrize("entry", ENTRIES, ids=slugs)
def test_a_row_has_goldens(entry, checkout):
    topic = catalog.topic_of(entry.slug)
    folder = checkout / "reference_tests/goldens" / topic
    named = [path.name for path in folder.glob("*.json") if json.loads(path.read_text())["entry"] == entry.slug]
    assert named, f"{entry.slug} has no golden: add reference_tests/goldens/{topic}/<case>.json"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_tests_that_call_it_by_name(part, checkout):
    name = part.split(":")[1]
    files = [path for path in (checkout / "reference_tests").rglob("test_*.py") if "architecture" not in path.parts]
    assert any(name in path.read_text("utf-8") for path in files), f"no test in reference_tests names {name}"


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.shape == "model"], ids=slugs)
def test_a_model_has_a_recipe_on_a_data_set(entry):
    assert entry.recipe, f"{entry.slug} is a model without a recipe"
    recipe = catalog.resolve_member(entry.recipe)()
    assert recipe.slug == entry.slug
    assert recipe.figures and recipe.baseline, f"the recipe of {entry.slug} needs figures and a baseline"
    assert recipe.floor or recipe.ceiling, f"the recipe of {entry.slug} says nothing it must reach"


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.datasets], ids=slugs)
def test_a_choice_of_data_names_them_as_the_data_do_and_begins_with_the_row_s_recipe(entry, small_mnist):
    assert next(iter(entry.datasets.values())) == entry.recipe and len(entry.datasets) > 1
    for name in entry.datasets:
        if is_experiment(entry.slug):
            assert configured(entry.slug, dataset=name).data == name
            continue
        recipe = recipe_of(entry.slug, name)
        assert recipe.slug == entry.slug and recipe.figures and recipe.baseline and (recipe.floor or recipe.ceiling)
        data = recipe.dataset
        assert name == (data if isinstance(data, str) else functools.partial(data, counts=(1, 1, 1))(0).spec.name)


EXPERIMENTS = [entry for entry in ENTRIES if entry.shape == "experiment" or (entry.recipe or "").endswith(":Config")]


@pytest.mark.parametrize("entry", EXPERIMENTS, ids=slugs)
def test_an_experiment_has_frozen_settings_a_tiny_form_and_a_run_beside_them(entry):
    assert entry.recipe, f"{entry.slug} is an experiment without a recipe: name its Config"
    kind = catalog.resolve_member(entry.recipe)
    assert dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen
    assert isinstance(kind.tiny(), kind) and isinstance(kind(), kind)
    assert catalog.resolve_member(f"{entry.recipe.partition(':')[0]}:run")


@pytest.mark.parametrize("part", PARTS)
def test_a_public_part_documents_arguments_and_source(part):
    documented = catalog.resolve_member(part)
    text = inspect.getdoc(documented) or ""
    for section in ("Args:", "Source: "):
        assert section in text, f"{part} has no {section!r} in its docstring"
    assert ">>>" in text, f"{part} has no example in its docstring"


def _modules():
    for found in pkgutil.walk_packages(keras_course.__path__, "keras_course."):
        if not found.name.startswith(("keras_course.data.", "keras_course.goldens", "keras_course.cli.__main__")):
            yield importlib.import_module(found.name)


def test_every_serialisable_class_is_registered_under_its_frozen_name():
    kinds = (keras.layers.Layer, keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer)
    missing, registered = [], set()
    for module in _modules():
        for value in vars(module).values():
            if not (inspect.isclass(value) and value.__module__ == module.__name__):
                continue
            name = keras.saving.get_registered_name(value)
            if name.startswith("keras_course>"):
                registered.add(name.removeprefix("keras_course>"))
            elif issubclass(value, kinds) and value.__name__ not in BASES and not value.__name__.startswith("_"):
                missing.append(f"{module.__name__}.{value.__name__}")
    assert not missing, "decorate with core.serial.register"
    assert registered == set(REGISTERED_NAMES)


def test_public_names_of_a_folder_are_declared():
    for folder in (
        "layers", "losses", "ops", "models", "distributions", "datasets", "optimizers", "initializers",
    ):  # fmt: skip
        module = importlib.import_module(f"keras_course.{folder}")
        assert module.__all__ and all(hasattr(module, name) for name in module.__all__)


def test_every_model_of_the_catalogue_is_found_in_models():
    models = importlib.import_module("keras_course.models")
    found = set()
    for part in PARTS:
        module, _, name = part.partition(":")
        if module.startswith("keras_course.models."):
            value = getattr(importlib.import_module(module), name)
            if inspect.isclass(value) and issubclass(value, keras.Model) and value.__name__ not in BASES:
                found.add(name)
    assert found and not found - set(models.__all__)


def test_every_layer_of_the_catalogue_is_found_in_layers():
    layers = importlib.import_module("keras_course.layers")
    flows = importlib.import_module("keras_course.layers.flows")  # a kit of its own
    rows = [part.partition(":") for part in PARTS if part.startswith("keras_course.layers.")]
    classes = {name for module, _, name in rows if inspect.isclass(catalog.resolve_member(f"{module}:{name}"))}
    assert classes and not classes - {*layers.__all__, *flows.__all__}


def test_every_golden_names_a_worked_example(checkout):
    missing = []
    for path in (checkout / "reference_tests/goldens").glob("*/*.json"):
        golden = json.loads(path.read_text("utf-8"))
        try:
            example_of(golden)
        except CorruptArtifact as error:
            missing.append(str(error))
    assert not missing


def test_every_worked_example_is_pinned_by_a_golden(checkout):
    used = set()
    for path in (checkout / "reference_tests/goldens").glob("*/*.json"):
        golden = json.loads(path.read_text("utf-8"))
        used.add((golden["id"].split("/")[0], golden.get("example") or path.stem.replace("-", "_")))
    own = set()
    for path in (checkout / "keras_course/worked_examples").glob("*.py"):
        module = importlib.import_module(f"keras_course.worked_examples.{path.stem}")
        own |= {
            (path.stem.split("_")[0], name)
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_"
        }
    assert own <= used


def test_the_root_package_offers_every_subpackage(checkout):
    folders = {path.parent.name for path in (checkout / "keras_course").glob("*/__init__.py")}
    assert folders <= set(dir(keras_course))


def test_the_root_package_and_the_catalogue_load_neither_tensorflow_nor_keras(checkout):
    code = (
        "import sys, keras_course; from keras_course import catalog; catalog.entries();"
        "bad = sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)); sys.exit(', '.join(bad) or None)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


# Shortcuts that make the `family`, whose own config holds them.
HELD_BY_AN_ARGUMENT = {
    "distribution-output": {"event_size", "components", "component_family", "minimum_scale", "scale_offset"}
}


def test_constructor_arguments_come_back_from_get_config():
    """Every argument a registered class takes by name is in its config (checked on the catalogue's examples)."""
    for entry in ENTRIES:
        cls = catalog.resolve(entry.slug)
        if entry.shape not in ("block", "model") or not inspect.isclass(cls):
            continue
        if issubclass(cls, keras.callbacks.Callback):  # Keras saves none of them
            continue
        made = cls(**entry.init)
        absorbed = HELD_BY_AN_ARGUMENT.get(entry.slug, set())
        arguments = {
            name
            for name, parameter in inspect.signature(cls.__init__).parameters.items()
            if name != "self" and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        }
        lacking = arguments - absorbed - set(made.get_config())
        assert not lacking, f"{entry.slug}: get_config lacks {lacking}"


def test_modules_state_their_purpose_in_a_docstring(checkout):
    silent = [
        str(path.relative_to(checkout))
        for path in (checkout / "keras_course").rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent
