"""Diagnoses a run: its recipe at the start, its model at the end, and what to do next.

at the start   a fresh model of the run's recipe, seed and data, through `diagnose`
at the end     the run's own model: stuck units, worst mistakes, errors on training and validation examples
on disk        diagnosis.json, figures/diagnosis.png, figures/worst_mistakes.png (of images)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_course.core.errors import KerasCourseError
from keras_course.core.serial import write_atomically
from keras_course.datasets import Split
from keras_course.pipeline.diagnose import LOOKED_AT, Diagnosis, advise, diagnose
from keras_course.pipeline.diagnosis_plots import diagnosis_figure
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.figures import DOTS_PER_INCH, FigureContext
from keras_course.pipeline.fit import compiled_model, measure
from keras_course.pipeline.plots import worst_mistakes
from keras_course.pipeline.probe import LayerActivity, loss_of, require_loss, unit_activity
from keras_course.pipeline.recipe import Recipe, recipe_of_run
from keras_course.pipeline.run_folder import open_model_run, write_json
from keras_course.pipeline.segmentation_plots import segmented_images
from keras_course.pipeline.worst_examples import WorstExample, worst_examples

__all__ = ["DiagnosedRun", "diagnose_run"]

DIAGNOSIS = "diagnosis.json"
ADVICE = {
    "capacity": "poor on the training data: more layers or units, or tune the learning rate; more data will not help",
    "data": "good on the training data, poor on others: gather more data, or regularise",
    "done": "good enough on both",
}


@dataclass(frozen=True)
class DiagnosedRun:
    """What was found out about a run.

    Args:
        run: its folder.
        start: `Diagnosis` of a fresh model.
        activity: units of the trained model.
        errors: {"train": ..., "validation": ...} of the recipe's first bound, less is better; empty without bounds.
        advice: "capacity", "data", "done", or None without bounds.
        worst: the worst validation examples.
        figures: paths of the PNG files.
        words: {row: {what: text}} of the worst examples, of a model whose `in_words(x, y, output)` tells them.

    Example:
        >>> DiagnosedRun(Path("run"), Diagnosis((), (), {}, (), None, None), (), {}, None, (), ()).advice is None
        True

    Source: C 9.1.4, 9.1.6.
    """

    run: Path
    start: Diagnosis
    activity: tuple[LayerActivity, ...]
    errors: Mapping[str, float]
    advice: str | None
    worst: tuple[WorstExample, ...]
    figures: tuple[Path, ...]
    words: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


def diagnose_run(
    run: str | os.PathLike[str], *, recipe: Recipe | None = None, allow: Iterable[type] = (), steps: int = 40
) -> DiagnosedRun:
    """Looks for what keeps a run from being better.

    error = 1 - metric for a floor (accuracy), metric for a ceiling (loss);  wanted is the recipe's bound

    Args:
        run: folder of a run that ended.
        recipe: `Recipe`; None finds it by slug and data set in config.json.
        allow: your own classes that the model file may name.
        steps: int >= 1, of the short training of the fresh model.

    Returns:
        `DiagnosedRun`.

    Raises:
        RunFolderError, CorruptArtifact, CorruptDataError: as `evaluate`.
        ValueError: if the recipe's model is trained without a loss.
        KerasCourseError: if its loss is none of what it says of the inputs alone, and it has no `taught_inputs`.

    Example:
        >>> diagnose_run("runs/lenet")  # doctest: +SKIP

    Source: C 9.1.4, 9.1.6.
    """
    folder = open_model_run(run)
    recipe = recipe or recipe_of_run(folder.config)
    seed = int(folder.config["seed"])
    evaluated = evaluate(run, recipe=recipe, allow=allow)
    dataset, model = evaluated.dataset, evaluated.model
    _require_loss_of_outputs(model, dataset.train, recipe.slug)

    keras.utils.set_random_seed(seed)
    fresh = compiled_model(recipe, dataset, seed)
    start = diagnose(fresh, dataset.train, steps=steps, batch_size=recipe.batch_size or len(dataset.train), seed=seed)

    measured = {"train": measure(model, dataset.train), "validation": evaluated.metrics["validation"]}
    errors, wanted = _errors(recipe, measured)
    advice = None if wanted is None else advise(errors["train"], errors["validation"], wanted)
    context = FigureContext(recipe, model, dataset, {}, evaluated.metrics["test"], seed)
    drawn = {"diagnosis": diagnosis_figure(start, recipe.slug), "worst_mistakes": _worst_images(context)}
    (folder.path / "figures").mkdir(exist_ok=True)
    paths = []
    for name, figure in drawn.items():
        if figure is not None:
            paths.append(folder.path / "figures" / f"{name}.png")
            write_atomically(paths[-1], partial(figure.savefig, dpi=DOTS_PER_INCH))
    looked_at = (dataset.train.x[:LOOKED_AT], dataset.train.y[:LOOKED_AT])
    worst = worst_examples(model, dataset.validation.x, dataset.validation.y)
    found = DiagnosedRun(
        run=folder.path, start=start, activity=unit_activity(model, *looked_at), errors=errors,
        advice=advice, worst=worst, figures=tuple(paths), words=_words(model, worst, dataset.validation.x),
    )  # fmt: skip
    write_json(folder.path / DIAGNOSIS, _record(found, wanted))
    return found


def _worst_images(context: FigureContext) -> Figure | None:
    """Images with the worst answers; None where x is no image, or the model tells it no class."""
    spec = context.dataset.spec
    if spec.label_shape:
        images = len(spec.shape) == 3 and len(spec.label_shape) == 2
        return segmented_images(context, worst=True) if images else None
    told = spec.classes is not None and context.probabilities.shape == (len(context.labels), spec.classes)
    return worst_mistakes(context) if told else None


def _words(model: Any, worst: Sequence[WorstExample], x: NDArray[Any]) -> dict[int, dict[str, str]]:
    if not callable(getattr(model, "in_words", None)):
        return {}
    return {one.row: model.in_words(x[one.row], one.target, one.output) for one in worst}


def _require_loss_of_outputs(model: Any, split: Split, slug: str) -> None:
    """Refuses a model that is shown the targets in a way of its own: `diagnose` looks at L(y, model(x)), or at
    L(y, model(taught_inputs(x, y)))."""
    require_loss(model)
    try:
        loss_of(model, split.x[:2], split.y[:2])
    except (ValueError, TypeError, tf.errors.OpError) as error:
        raise KerasCourseError(
            f"{slug!r} cannot be diagnosed: its loss is no function of the targets and of what the model says of the "
            "inputs alone, as where the words before are shown to it in training, and it has no method "
            f"taught_inputs(x, y) that says with what it is called then ({type(error).__name__})."
        ) from error


def _errors(recipe: Recipe, measured: Mapping[str, Mapping[str, float]]) -> tuple[dict[str, float], float | None]:
    """Errors by the recipe's first bound that is measured, and how small they shall be."""
    for bounds, offset, sign in ((recipe.floor, 1.0, -1.0), (recipe.ceiling, 0.0, 1.0)):
        for name, bound in bounds.items():
            if all(name in metrics for metrics in measured.values()):
                errors = {split: offset + sign * metrics[name] for split, metrics in measured.items()}
                return errors, None if isinstance(bound, str) else offset + sign * bound  # BASELINE: not known here
    return {}, None


def _record(found: DiagnosedRun, wanted: float | None) -> dict[str, object]:
    start = found.start
    return {
        "faults_at_the_start": [asdict(finding) for finding in start.findings],
        "gradient_norms": dict(start.gradient_norms),
        "update_ratios": {layer: start.training.ratio(layer) for layer in start.training.ratios}
        if start.training
        else {},
        "tiny_set": asdict(start.tiny) if start.tiny else None,
        "units_at_the_end": [asdict(layer) for layer in found.activity],
        "errors": dict(found.errors),
        "wanted_error": wanted,
        "advice": ADVICE.get(found.advice or ""),
        "worst_validation_examples": [
            {"row": worst.row, "loss": worst.loss, **found.words.get(worst.row, {})} for worst in found.worst
        ],
    }
