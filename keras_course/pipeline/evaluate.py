"""Measures the saved model of a run again, on the data of its config."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_course.core.errors import CorruptDataError
from keras_course.core.serial import load
from keras_course.datasets import Dataset
from keras_course.pipeline.batches import recipe_data
from keras_course.pipeline.fit import measured
from keras_course.pipeline.recipe import Recipe, recipe_of_run
from keras_course.pipeline.record import data_record
from keras_course.pipeline.run_folder import METRICS, MODEL, RunFolder, open_model_run, read_json


@dataclass(frozen=True)
class Evaluated:
    """A run, measured again.

    Args:
        run: its folder.
        model: the model as loaded from model.keras.
        dataset: the data, split as in the run.
        metrics: {"test": {...}, "validation": {...}} measured now.
        recorded: contents of metrics.json, empty for a run that failed before it was measured.
    """

    run: Path
    model: Any
    dataset: Dataset
    metrics: Mapping[str, Mapping[str, float]]
    recorded: Mapping[str, Any]


def evaluate(run: str | os.PathLike[str], *, recipe: Recipe | None = None, allow: Iterable[type] = ()) -> Evaluated:
    """Loads a run's model and measures it on the run's own split.

    Args:
        run: folder of a run that ended.
        recipe: `Recipe`; None finds it by slug and data set in config.json.
        allow: your own classes that the model file may name.

    Returns:
        `Evaluated`.

    Raises:
        RunFolderError: if there is no run, it has not ended, or it is an experiment's.
        CorruptArtifact: if config.json or model.keras is damaged.
        CorruptDataError: if the data are no longer those of the run.
    """
    folder = open_model_run(run)
    recipe = recipe or recipe_of_run(folder.config)
    model = load(folder.path / MODEL, allow=allow)
    dataset = data_of_run(folder, recipe)
    model.compile(**recipe.compile(dataset.spec))
    metrics = measured(recipe, model, dataset, int(folder.config["seed"]))
    recorded = read_json(folder.path / METRICS) if (folder.path / METRICS).exists() else {}
    return Evaluated(folder.path, model, dataset, metrics, recorded)


def data_of_run(folder: RunFolder, recipe: Recipe) -> Dataset:
    """The data a run saw, split as it was.

    Raises:
        CorruptDataError: if name or sha256 differ from those in config.json.
    """
    config = folder.config
    examples = recipe.tiny["examples"] if config.get("tiny") else None
    dataset = recipe_data(recipe, int(config["seed"]), examples)
    then, now = config.get("data", {}), data_record(dataset)
    for key in ("name", "sha256", "examples"):
        if then.get(key) != now[key]:
            raise CorruptDataError(
                f"The data are not those of the run {folder.path}: {key} was {then.get(key)}. "
                f"Received: {key}={now[key]}"
            )
    return dataset
