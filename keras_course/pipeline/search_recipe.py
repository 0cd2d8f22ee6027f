"""Hyper-parameters of a recipe: changed by name, measured on the validation split, the best trained again.

optimizer.NAME   an argument of the optimiser (learning_rate of a schedule: where it starts)
model.NAME       an argument of the model, as its get_config names it
batch_size, epochs

score = best epoch of the recipe's `select`, or the last val_loss; the test split takes no part
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_course.core.serial import write_atomically
from keras_course.core.shapes import require_positive_int
from keras_course.pipeline.batches import TrainingBatches, in_order, recipe_data
from keras_course.pipeline.callbacks import EpochData
from keras_course.pipeline.early_stopping import EarlyStopping
from keras_course.pipeline.figures import DOTS_PER_INCH
from keras_course.pipeline.fit import Fitted, compiled_model, fit
from keras_course.pipeline.guard import FiniteGuard, guarded
from keras_course.pipeline.plots import BLUE, GREY, ORANGE
from keras_course.pipeline.recipe import Recipe, recipe_of
from keras_course.pipeline.search import Objective, SearchResult, search
from keras_course.pipeline.search_space import Choice, Range

__all__ = [
    "SearchedRecipe",
    "default_space",
    "experiment_objective",
    "recipe_objective",
    "recipe_with",
    "search_figure",
    "search_recipe",
]


@dataclass(frozen=True)
class SearchedRecipe:
    """A search over a recipe.

    Args:
        result: `SearchResult`.
        fitted: `Fitted`, the best setting trained and exported by `fit`, or None.
        figure: path of the PNG file.

    Example:
        >>> SearchedRecipe(SearchResult((), "min", Path(".")), None, Path("search.png")).fitted is None
        True

    Source: C 9.1.5.
    """

    result: SearchResult
    fitted: Fitted | None
    figure: Path


def recipe_with(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe with some hyper-parameters changed.

    Args:
        recipe: `Recipe`.
        values: {"optimizer.learning_rate": 0.1, "model.units": 16, "batch_size": 32, "epochs": 5}.

    Returns:
        A new `Recipe`.

    Raises:
        ValueError: for another kind of name; when a model is made, for an argument that it does not have.

    Example:
        >>> recipe = recipe_of("softmax-regression")
        >>> recipe_with(recipe, {"batch_size": 16, "optimizer.learning_rate": 0.1}).batch_size
        16

    Source: C 9.1.5.
    """
    direct = {name: value for name, value in values.items() if name in ("batch_size", "epochs")}
    parts: dict[str, dict[str, Any]] = {"model": {}, "optimizer": {}}
    for name, value in values.items():
        part, _, argument = name.partition(".")
        if name not in direct:
            if part not in parts or not argument:
                raise ValueError(
                    "A hyper-parameter of a recipe is optimizer.NAME, model.NAME, batch_size or epochs. "
                    f"Received: {name!r}"
                )
            parts[part][argument] = value

    def model(spec: Any, seed: int) -> Any:
        made = recipe.model(spec, seed)
        return _rebuilt(made, parts["model"]) if parts["model"] else made

    def arguments(spec: Any) -> dict[str, Any]:
        given = recipe.compile(spec)
        if parts["optimizer"]:
            given["optimizer"] = _rebuilt(keras.optimizers.get(given.get("optimizer", "rmsprop")), parts["optimizer"])
        return given

    return replace(recipe, model=model, compile=arguments, **direct)


def recipe_objective(
    recipe: Recipe, *, seed: int = 0, epochs: int | None = None, examples: int | None = None
) -> tuple[Objective, str]:
    """What a search over a recipe measures, and whether more or less of it is better.

    score(values) = best over the epochs of recipe.select on the validation split;  without `select`, the last val_loss

    Args:
        recipe: `Recipe` with loss and optimiser.
        seed: int, decides the split.
        epochs: int, instead of the recipe's.
        examples: int, keep the first so many of each split; None keeps all.

    Returns:
        (objective for `search`, "min" or "max").

    Raises:
        ValueError: for epochs below 1.

    Example:
        >>> objective, mode = recipe_objective(recipe_of("softmax-regression"), epochs=1, examples=64)
        >>> sorted(objective({"optimizer.learning_rate": 0.01}, 0)), mode
        (['accuracy', 'loss', 'score', 'val_accuracy', 'val_loss'], 'min')

    Source: C 9.1.5.
    """
    if epochs is not None:
        require_positive_int("recipe_objective", epochs=epochs)
    dataset = recipe_data(recipe, seed, examples)
    monitor, least = (recipe.select, recipe.selects_minimum) if recipe.select else ("val_loss", True)

    def objective(values: dict[str, Any], own: int) -> Mapping[str, float]:
        changed = recipe_with(recipe, values)
        keras.utils.set_random_seed(own)
        model = compiled_model(changed, dataset, own)
        batches = TrainingBatches(dataset.train, changed.batch_size, own, recipe.augment, recipe.augment_draws)
        guard = FiniteGuard(batches)
        rounds = values.get("epochs") or epochs or recipe.epochs
        stop = [EarlyStopping(monitor, recipe.patience, mode="min" if least else "max")] if recipe.select else []
        with guarded(guard):
            history = model.fit(
                batches.dataset(), epochs=rounds, shuffle=False, verbose=0,
                validation_data=in_order(dataset.validation.x, dataset.validation.y),
                callbacks=[EpochData(batches), guard, *stop],
            ).history  # fmt: skip
        if monitor not in history:
            raise ValueError(f"There is no {monitor!r} to search by. Received: metrics={sorted(history)}")
        course = history[monitor]
        score = course[-1] if recipe.select is None else min(course) if least else max(course)
        return {**{name: float(numbers[-1]) for name, numbers in history.items()}, "score": float(score)}

    return objective, "min" if least else "max"


def experiment_objective(
    run: Callable[[Any], Any], config: Any, column: str, reduce: Callable[[Any], float] = np.mean
) -> Objective:
    """Makes an experiment something that can be searched: its Config's fields are the hyper-parameters.

    score(values) = reduce(run(config with values)[column])

    Args:
        run: the experiment's run(config).
        config: frozen dataclass, the fields that are not searched.
        column: of the experiment's table.
        reduce: callable(column) -> number.

    Returns:
        An objective for `search`. The Config's own seeds stay.

    Raises:
        ValueError: for a config that is no dataclass; at a trial, for a field that it does not have.

    Example:
        >>> @dataclass(frozen=True)
        ... class Config:
        ...     rate: float = 0.1
        >>> experiment_objective(lambda config: {"loss": [config.rate, 1.0]}, Config(), "loss")({"rate": 3.0}, 0)
        2.0

    Source: C 9.1.5.
    """
    if not is_dataclass(config) or isinstance(config, type):
        raise ValueError(f"experiment_objective needs the Config of an experiment. Received: config={config!r}")
    known = {field.name for field in fields(config)}

    def objective(values: dict[str, Any], seed: int) -> float:
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"The experiment has the settings {sorted(known)}. Received: {unknown}")
        return float(reduce(run(replace(config, **values))[column]))

    return objective


def default_space(recipe: Recipe) -> dict[str, Choice | Range]:
    """The hyper-parameter that matters most: the learning rate, a hundredfold to either side of the recipe's.

    rate / 100 ... 100 rate,   nine values in equal ratios on a grid

    Args:
        recipe: `Recipe`.

    Returns:
        {"optimizer.learning_rate": `Range`}.

    Raises:
        ValueError: if the recipe compiles no optimiser.

    Example:
        >>> list(default_space(recipe_of("softmax-regression")))
        ['optimizer.learning_rate']

    Source: C 9.1.5.
    """
    dataset = recipe_data(recipe, 0, 8)
    optimizer = recipe.compile(dataset.spec).get("optimizer")
    if optimizer is None or "learning_rate" not in keras.optimizers.get(optimizer).get_config():
        raise ValueError(f"The recipe of {recipe.slug!r} has no optimiser: say what to search. Received: space=None")
    rate = keras.optimizers.get(optimizer).get_config()["learning_rate"]
    rate = rate["config"]["initial_learning_rate"] if isinstance(rate, Mapping) else rate
    rate = float(f"{float(rate):.6g}")  # Keras keeps it in float32: 0.003 comes back as 0.003000000026
    return {"optimizer.learning_rate": Range(rate / 100, rate * 100, log=True, points=9)}


def search_recipe(
    recipe: Recipe | str,
    space: Mapping[str, Choice | Range] | None = None,
    *,
    tuner: str = "random",
    trials: int | None = None,
    out: str | os.PathLike[str],
    seed: int = 0,
    epochs: int | None = None,
    tiny: bool = False,
    refit: bool = True,
    progress: bool = True,
) -> SearchedRecipe:
    """Searches a recipe's hyper-parameters on its validation split, then trains and exports the best.

    Args:
        recipe: `Recipe`, or the slug of a system that has one.
        space: {name: `Choice` or `Range`}, names as in `recipe_with`; None searches the learning rate.
        tuner, trials, seed: as `search`.
        out: folder: trials, table, figures/search.png, and the run folder best/.
        epochs: int, of every trial, instead of the recipe's.
        tiny: trials (and the last training) of seconds, see `Recipe.tiny`.
        refit: whether the best setting is trained by `fit`, as long as the recipe says, into best/.
        progress: whether to say a line a trial.

    Returns:
        `SearchedRecipe`. On a worker of a search on several (KERASTUNER_TUNER_ID) nothing is trained again.

    Raises:
        as `search`, `recipe_with` and `fit`.

    Example:
        >>> search_recipe("softmax-regression", tuner="grid", out="runs/search")  # doctest: +SKIP

    Source: C 9.1.5, S 9.4.
    """
    recipe = recipe_of(recipe) if isinstance(recipe, str) else recipe
    space = default_space(recipe) if space is None else space
    rounds = epochs or (recipe.tiny["epochs"] if tiny else None)
    objective, mode = recipe_objective(
        recipe, seed=seed, epochs=rounds, examples=recipe.tiny["examples"] if tiny else None
    )
    result = search(objective, space, tuner=tuner, trials=trials, out=out, seed=seed, mode=mode, progress=progress)
    folder = result.folder
    (folder / "figures").mkdir(exist_ok=True)
    path = folder / "figures" / "search.png"
    figure = search_figure(result, space, f"{recipe.slug}, {tuner} search", recipe.select or "val_loss")
    write_atomically(path, partial(figure.savefig, dpi=DOTS_PER_INCH))
    fitted = None
    worker = os.environ.get("KERASTUNER_TUNER_ID", "chief")
    if refit and "chief" in worker:
        best = recipe_with(recipe, result.best.values)
        fitted = fit(best, out=folder / "best", seed=seed, tiny=tiny, progress=progress)
    return SearchedRecipe(result, fitted, path)


def search_figure(
    result: SearchResult, space: Mapping[str, Choice | Range], title: str = "", label: str = "score"
) -> Any:
    """The score against each hyper-parameter: for the learning rate, the U of the notes.

    Args:
        result: `SearchResult` with at least one trial that did not fail.
        space: what was searched.
        title: of the figure.
        label: of the score.

    Returns:
        matplotlib `Figure`, one panel a hyper-parameter; failed trials are crosses at the worst score.

    Example:
        >>> from keras_course.pipeline.search import SearchTrial
        >>> result = SearchResult((SearchTrial(0, {"x": 1.0}, 0.5, {}, 0.0, ""),), "min", Path("."))
        >>> len(search_figure(result, {"x": Range(0.0, 2.0)}).axes)
        1

    Source: C 9.1.5.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.6 * len(space) + 1.6, 3.8), layout="constrained")
    good = [trial for trial in result.trials if trial.score is not None]
    bad = [trial for trial in result.trials if trial.score is None]
    for axes, (name, part) in zip(figure.subplots(1, len(space), squeeze=False)[0], space.items(), strict=True):
        texts = isinstance(part, Choice) and not all(isinstance(value, int | float) for value in part.values)
        places = {json.dumps(value): index for index, value in enumerate(part.grid)}

        def at(trial: Any, name: str = name, texts: bool = texts, places: dict[str, int] = places) -> Any:
            return places[json.dumps(trial.values[name])] if texts else trial.values[name]

        axes.plot([at(trial) for trial in good], [trial.score for trial in good], "o", color=BLUE, markersize=5)
        axes.plot([at(result.best)], [result.best.score], "o", color=ORANGE, markersize=9, label="best")
        if bad:
            scores = [trial.score for trial in good if trial.score is not None]
            worst = max(scores) if result.mode == "min" else min(scores)
            axes.plot([at(trial) for trial in bad], [worst] * len(bad), "x", color=GREY, label="failed")
        if isinstance(part, Range) and part.log:
            axes.set_xscale("log")
        if texts:
            axes.set_xticks(range(len(part.grid)), [str(value) for value in part.grid], rotation=30, ha="right")
        axes.set_xlabel(name)
        axes.set_ylabel(label)
        axes.legend(frameon=False, fontsize=8, loc="upper center")
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{title}: {len(result.trials)} trials" if title else f"{len(result.trials)} trials", fontsize=11)
    return figure


def _rebuilt(made: Any, changes: Mapping[str, Any]) -> Any:
    """A new object of the same class, some arguments changed; refuses one that the class does not have."""
    config = made.get_config()
    unknown = sorted(set(changes) - set(config))
    if unknown:
        raise ValueError(f"{type(made).__name__} has the arguments {sorted(config)}. Received: {unknown}")
    for name, value in changes.items():
        old = config[name]
        if name == "learning_rate" and isinstance(old, Mapping) and "initial_learning_rate" in old["config"]:
            config[name] = {**old, "config": {**old["config"], "initial_learning_rate": value}}
        else:
            config[name] = value
    return type(made).from_config(config)
