"""Recipe in, finished run out: data checked, model trained, measured, drawn, saved and exported.

    fit(recipe, seed) -> Fitted
    on disk: config.json, history.csv, logs/, checkpoints/, model.keras, metrics.json, figures/, export/1

The same seed, wheels, machine, thread count and mode give the same bits. The model is saved before anything is drawn
or exported, so a mistake in a figure costs no training; the status in config.json turns to "finished" last. A run that
was killed goes on from its checkpoints (`pipeline.resume`) and ends with the bits it would have had.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_course.core.backend import require_tensorflow
from keras_course.core.errors import NonFiniteLossError
from keras_course.core.serial import save_model
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import Dataset
from keras_course.pipeline.batches import TrainingBatches, in_order, recipe_data
from keras_course.pipeline.callbacks import EpochData, HistoryFile, ProgressBar
from keras_course.pipeline.early_stopping import EarlyStopping
from keras_course.pipeline.exact_resume import ExactResume
from keras_course.pipeline.export import export_model
from keras_course.pipeline.figures import FigureContext, draw_figures
from keras_course.pipeline.guard import FiniteGuard, guarded
from keras_course.pipeline.recipe import Baseline, Recipe, bounds_of, recipe_of
from keras_course.pipeline.record import data_record, environment, execution_mode_of, set_threads
from keras_course.pipeline.run_folder import (
    CHECKPOINTS,
    FIGURES,
    HISTORY,
    METRICS,
    MODEL,
    RunFolder,
    claim_run_folder,
    now,
    write_json,
)


@dataclass(frozen=True)
class Fitted:
    """A finished run.

    Args:
        run: its folder.
        recipe: what was trained.
        model: the trained Keras model, with the weights that were saved.
        dataset: the data it saw.
        history: {name: one number an epoch}.
        metrics: {"test": {...}, "validation": {...}}.
        baseline: `Baseline`, or None.
        figures: paths of the PNG files.
        export: folder of the SavedModel.
        seconds: training time.
        moved: where an earlier run of this folder was moved to, or None.
    """

    run: Path
    recipe: Recipe
    model: Any
    dataset: Dataset
    history: Mapping[str, Sequence[float]]
    metrics: Mapping[str, Mapping[str, float]]
    baseline: Baseline | None
    figures: tuple[Path, ...]
    export: Path
    seconds: float
    moved: Path | None = None


def fit(
    recipe: Recipe | str,
    *,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    epochs: int | None = None,
    tiny: bool = False,
    threads: int | None = None,
    progress: bool = True,
    checkpoint_steps: int | None = None,
    checkpoint_seconds: float | None = 30.0,
) -> Fitted:
    """Trains a recipe and writes a run folder.

    Args:
        recipe: `Recipe`, or the slug of a catalogue entry that has one.
        out: run folder; None takes runs/<slug>-<date>-<time>. An ended run that lies there is moved aside.
        seed: int in [0, 2**31): decides split, initial weights, order and augmentation.
        epochs: int, instead of the recipe's.
        tiny: seconds instead of minutes: few epochs, few examples (`Recipe.tiny`).
        threads: int, pins TensorFlow's thread pools; only before TensorFlow has run anything.
        progress: whether to show a progress bar (lines, where stderr is no terminal).
        checkpoint_steps: int, a checkpoint every so many steps, or None.
        checkpoint_seconds: float, a checkpoint every so many seconds, or None. The last two are kept until the run has
            finished; with both None there are none, and a killed run starts anew.

    Returns:
        `Fitted`.

    Raises:
        ValueError: for a seed, epochs, threads or checkpoint interval out of range.
        UnknownSlugError: if no system is called so.
        InvalidDataError: if the data cannot be trained on; nothing was written.
        RunFolderError: if the folder cannot be taken; nothing was touched.
        NonFiniteLossError: if the loss became NaN or infinite; model.keras holds the last good weights.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"fit needs an integer seed in [0, 2**31). Received: seed={seed!r}")
    for name, value in {"epochs": epochs, "threads": threads, "checkpoint_steps": checkpoint_steps}.items():
        if value is not None:
            require_positive_int("fit", **{name: value})
    if checkpoint_seconds is not None and not checkpoint_seconds > 0:
        raise ValueError(f"fit needs checkpoint_seconds above 0. Received: checkpoint_seconds={checkpoint_seconds!r}")
    require_tensorflow("fit")
    recipe = recipe_of(recipe) if isinstance(recipe, str) else recipe
    set_threads(threads)

    dataset = recipe_data(recipe, seed, recipe.tiny["examples"] if tiny else None)
    folder = claim_run_folder(out, recipe.slug)
    epochs = epochs or (recipe.tiny["epochs"] if tiny else recipe.epochs)
    every = {"steps": checkpoint_steps, "seconds": checkpoint_seconds}
    folder.write_config(
        "running", **_asked_for(recipe, seed, epochs, tiny, every), **environment(), data=data_record(dataset)
    )
    return fit_in(folder, recipe, dataset, progress)


def fit_in(folder: RunFolder, recipe: Recipe, dataset: Dataset, progress: bool) -> Fitted:
    """Trains what a folder's config.json asks for, from its checkpoints where it holds some.

    Raises:
        Exception: what stopped the run, after config.json was told.
    """
    try:
        return _fit(recipe, dataset, folder, progress)
    except KeyboardInterrupt:
        folder.write_config("interrupted")
        raise
    except Exception as error:
        folder.write_config("failed", error=f"{type(error).__name__}: {error}")
        raise
    finally:
        folder.unlock()


def _fit(recipe: Recipe, dataset: Dataset, folder: RunFolder, progress: bool) -> Fitted:
    seed, epochs, every = (folder.config[name] for name in ("seed", "epochs", "checkpoints"))
    weights = None if recipe.sample_weight is None else recipe.sample_weight(dataset, seed)
    batches = TrainingBatches(dataset.train, recipe.batch_size, seed, recipe.augment, recipe.augment_draws, weights)
    keras.utils.set_random_seed(seed)
    resume = ExactResume(folder.path / CHECKPOINTS, **every) if any(every.values()) else None
    model = compiled_model(recipe, dataset, seed, start=resume is None or not resume.finds_checkpoint())
    folder.write_config(
        "running",
        mode=execution_mode_of(model), parameters=model.count_params(),
        batch_size=batches.batch_size, steps_per_epoch=batches.steps,
    )  # fmt: skip

    started = time.monotonic()
    history, selected = train(model, recipe, dataset, batches, epochs, folder.path, progress, resume)
    seconds = time.monotonic() - started
    save_model(model, folder.path / MODEL)

    metrics = measured(recipe, model, dataset, seed)
    baseline = None if recipe.baseline is None else Baseline(*recipe.baseline(dataset, seed))
    floor, ceiling = bounds_of(recipe, baseline)
    content: dict[str, Any] = {
        **metrics,
        "baseline": {} if baseline is None else dict(baseline.metrics),
        "baseline_name": None if baseline is None else baseline.name,
        "selected_epoch": selected,
        "training_seconds": round(seconds, 3),
        "floor": floor,
        "ceiling": ceiling,
        "missed": missed_bounds(recipe, metrics["test"], baseline),
    }
    write_json(folder.path / METRICS, content)
    context = FigureContext(recipe, model, dataset, history, metrics["test"], seed)
    figures = draw_figures(context, folder.path / FIGURES)
    exported = export_model(model, folder.path / "export", version=1)
    folder.write_config("finished", finished=now(), **_resumption(folder, resume))
    shutil.rmtree(folder.path / CHECKPOINTS, ignore_errors=True)
    return Fitted(
        run=folder.path, recipe=recipe, model=model, dataset=dataset, history=history, metrics=metrics,
        baseline=baseline, figures=tuple(figures), export=exported, seconds=seconds, moved=folder.moved,
    )  # fmt: skip


def compiled_model(recipe: Recipe, dataset: Dataset, seed: int, start: bool = True) -> Any:
    """A new model of the recipe, built and compiled, as it stands before the first step.

    Without `start` it lacks what `recipe.start` would do to its variables, for a run that restores them.
    """
    model = recipe.model(dataset.spec, seed)
    if not model.built:
        model(keras.ops.convert_to_tensor(dataset.train.x[:1]))
    model.compile(**recipe.compile(dataset.spec))
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built and model.trainable_variables:
        optimizer.build(model.trainable_variables)  # else its slots would be missing from the state the guard keeps
    if start and recipe.start is not None:
        recipe.start(model, dataset, seed)
    return model


def train(
    model: Any,
    recipe: Recipe,
    dataset: Dataset,
    batches: TrainingBatches,
    epochs: int,
    folder: Path,
    progress: bool,
    resume: ExactResume | None = None,
) -> tuple[dict[str, list[float]], int | None]:
    """Runs `model.fit` with everything that watches a run.

    Returns:
        The history, and the epoch (from 1) whose weights were kept, None for the last.

    Raises:
        NonFiniteLossError: with the last good weights in the model, and in model.keras.
    """
    guard, history = FiniteGuard(batches), HistoryFile(folder / HISTORY)
    mode = "min" if recipe.selects_minimum else "max"
    best = [] if recipe.select is None else [EarlyStopping(recipe.select, recipe.patience, mode=mode)]
    bar = [ProgressBar(recipe.slug, epochs, batches.steps)] if progress else []
    checkpoints = [] if resume is None else [resume]
    board = keras.callbacks.TensorBoard(str(folder / "logs"), write_graph=False)
    try:
        with guarded(guard):
            model.fit(
                batches.dataset(),
                epochs=epochs,
                shuffle=False,
                verbose=0,
                validation_data=in_order(dataset.validation.x, dataset.validation.y),
                callbacks=[EpochData(batches), guard, history, *best, board, *bar, *checkpoints],
            )
    except NonFiniteLossError:
        save_model(model, folder / MODEL)
        raise
    finally:
        for shown in bar:
            shown.close()
    selected = best[0].best_epoch if best else None
    return history.columns, None if selected is None else selected + 1


def measure(model: Any, split: Any) -> dict[str, float]:
    """Every metric of a compiled model on one split."""
    logs = model.evaluate(in_order(split.x, split.y), verbose=0, return_dict=True)
    return {name: float(value) for name, value in logs.items()}


def measured(recipe: Recipe, model: Any, dataset: Dataset, seed: int) -> dict[str, dict[str, float]]:
    """Test and validation metrics, and with the test metrics what the recipe's `judge` says.

    Raises:
        ValueError: if the judge uses the name of one of the model's own metrics.
    """
    found = {name: measure(model, getattr(dataset, name)) for name in ("test", "validation")}
    if recipe.judge is not None:
        judged = {name: float(value) for name, value in recipe.judge(model, dataset, seed).items()}
        taken = sorted(set(judged) & set(found["test"]))
        if taken:
            raise ValueError(f"The judge of {recipe.slug!r} needs names of its own. Received: {taken}")
        found["test"] |= judged
    return found


def missed_bounds(recipe: Recipe, metrics: Mapping[str, float], baseline: Baseline | None = None) -> list[str]:
    """What the test metrics fail to reach, in words; empty if nothing."""
    missing = float("nan")
    floor, ceiling = bounds_of(recipe, baseline)
    missed = [
        f"{name} {metrics.get(name, missing):.4f} < {bound}"
        for name, bound in floor.items()
        if not metrics.get(name, missing) >= bound
    ]
    missed += [
        f"{name} {metrics.get(name, missing):.4f} > {bound}"
        for name, bound in ceiling.items()
        if not metrics.get(name, missing) <= bound
    ]
    return missed


def _asked_for(recipe: Recipe, seed: int, epochs: int, tiny: bool, every: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "slug": recipe.slug,
        "seed": seed,
        "epochs": epochs,
        "tiny": tiny,
        "select": recipe.select,
        "checkpoints": dict(every),
        "started": now(),
    }


def _resumption(folder: RunFolder, resume: ExactResume | None) -> dict[str, Any]:
    """Whether a resumed run proved that it repeats the killed one, for its last entry in config.json."""
    entries = folder.config.get("resumed", [])
    if not entries or resume is None:
        return {}
    return {
        "resumed": [*entries[:-1], {**entries[-1], "from": resume.resumed_at, "repeats_bit_for_bit": resume.proved}]
    }
