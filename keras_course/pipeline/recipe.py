"""A recipe: one system, wired to real data, with what it must reach. Pure data; importing it loads no TensorFlow.

    recipe = data set + model + compile arguments + how long + baseline + floor + figures

The model is seen as a value: any callable that returns a compiled-able `keras.Model` will do, so the pipeline trains
your models as it trains the course's. Everything random in a run is a pure function of (seed, epoch, example index):
the order of the examples, and the uniform numbers that `augment` receives.

Example of a recipe (lives in `keras_course/recipes/<topic>.py`, a function without arguments):

    def softmax_regression():
        return Recipe(
            slug="softmax-regression",
            dataset="digits-flat",
            model=lambda spec, seed: SoftmaxRegression(spec.shape[0], spec.classes, seed=seed),
            compile=lambda spec: {"optimizer": "adam", "loss": SoftmaxLoss(), "metrics": ["accuracy"]},
            batch_size=64, epochs=30, baseline=majority_class, floor={"accuracy": 0.93}, select="val_loss",
            figures=(learning_curves, confusion_matrix),
        )
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_course.core.errors import KerasCourseError
from keras_course.core.shapes import require_one_of, require_positive_int

if TYPE_CHECKING:
    from keras_course.pipeline.figures import FigureContext

__all__ = [
    "BASELINE",
    "Baseline",
    "Recipe",
    "bounds_of",
    "figure_name",
    "is_experiment",
    "recipe_of",
    "recipe_of_run",
    "recipe_reference",
]

TINY = MappingProxyType({"epochs": 2, "examples": 256})
BASELINE = "baseline"  # as a bound: what the baseline reaches in the same run


class Baseline(NamedTuple):
    """What a simpler method reaches on the same split; a plain tuple `(name, metrics)` will do in its place."""

    name: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Recipe:
    """Everything `pipeline.fit` needs to train one system.

    Args:
        slug: name in the catalogue; names the run folder and finds the recipe again.
        dataset: name for `datasets.load`, or a callable(seed) that returns a `Dataset` (the seed decides the split).
        model: callable(spec, seed) that returns a new Keras model; `spec` is the `Spec` of the (prepared) data.
        compile: callable(spec) that returns the arguments of `model.compile`, new objects on every call;
            `jit_compile`, `steps_per_execution` and `run_eagerly` belong here.
        start: callable(model, dataset, seed), what a new model learns of `dataset.train` before the first step
            (layers trained greedily, say), or None. What it changes lies in the model's variables: a run that goes on
            from a checkpoint takes them from there, and does not start again.
        batch_size: examples a step, the last batch of an epoch may be smaller; None takes the whole training set.
        epochs: passes over the training set.
        baseline: callable(dataset, seed) that returns `Baseline(name, metrics)` measured on `dataset.test`, or None.
        floor: test metric -> least value a full run must reach (accuracies, log-likelihoods); `BASELINE` in the
            place of a number is what the baseline reaches in the same run, where nobody has measured more.
        ceiling: test metric -> greatest value a full run may have (losses, errors), or `BASELINE`.
        figures: callables(FigureContext) that return a matplotlib `Figure`, the text of an SVG document, or None where
            there is nothing to draw; saved as figures/<name of the function>.png, or .svg (`functools.partial` is seen
            through).
        prepare: callable(Dataset) that returns the Dataset the model sees (labels to -1 and +1, targets = inputs);
            applied to the whole set, test split included, and to the baseline's.
        augment: callable(x, uniforms) that returns x changed, for training batches alone. x is a tensor (B, ...);
            uniforms is a float32 tensor (B, augment_draws) in [0, 1), for every example a pure function of
            (seed, epoch, index). Write it with `keras.ops` (it is traced once) and draw nothing inside.
        augment_draws: how many uniform numbers `augment` gets for each example.
        sample_weight: callable(dataset, seed) that returns an array (N, ...), one row a training example, which `fit`
            gets with it (class weights, bootstrap counts); or None. Evaluation is not weighted.
        judge: callable(model, dataset, seed) that returns {name: number}, measured on `dataset.test` and put beside the
            test metrics, for what `evaluate` of the model cannot tell (a linear probe of its features); or None.
        select: validation metric by which the best epoch's weights are kept ("val_loss", "val_accuracy"), or None
            to keep the last.
        patience: epochs without a better `select` after which training ends (early stopping), or None for never.
        select_mode: "max" or "min"; None means "min" for names that end in loss, error or deviance, "max" for others.
        probabilities: callable(model outputs as numpy) that returns class probabilities (N, K) for figures; None takes
            the outputs for logits: softmax over columns, or the logistic function of a single column.
        tiny: {"epochs", "examples"} of a run of seconds (`fit --tiny`): fewer epochs, the first examples of each split.

    Raises:
        ValueError: if a field is out of its range, with the value that came.
    """

    slug: str
    dataset: str | Callable[[int], Any]
    model: Callable[[Any, int], Any]
    compile: Callable[[Any], dict[str, Any]]
    start: Callable[[Any, Any, int], Any] | None = None
    batch_size: int | None = 64
    epochs: int = 20
    baseline: Callable[[Any, int], Baseline | tuple[str, Mapping[str, float]]] | None = None
    floor: Mapping[str, float | str] = field(default_factory=dict)
    ceiling: Mapping[str, float | str] = field(default_factory=dict)
    figures: tuple[Callable[[FigureContext], Any], ...] = ()
    prepare: Callable[[Any], Any] | None = None
    augment: Callable[[Any, Any], Any] | None = None
    augment_draws: int = 4
    sample_weight: Callable[[Any, int], Any] | None = None
    judge: Callable[[Any, Any, int], Mapping[str, float]] | None = None
    select: str | None = None
    patience: int | None = None
    select_mode: str | None = None
    probabilities: Callable[[Any], Any] | None = None
    tiny: Mapping[str, int] = field(default_factory=lambda: TINY)

    def __post_init__(self) -> None:
        if not isinstance(self.slug, str) or not self.slug:
            raise ValueError(f"Recipe needs a slug. Received: slug={self.slug!r}")
        if not (callable(self.dataset) or (isinstance(self.dataset, str) and self.dataset)):
            raise ValueError(f"Recipe needs the name of a data set or a callable. Received: dataset={self.dataset!r}")
        for name in ("model", "compile"):
            if not callable(getattr(self, name)):
                raise ValueError(f"Recipe needs a callable {name}. Received: {name}={getattr(self, name)!r}")
        for name in ("start", "baseline", "prepare", "augment", "sample_weight", "judge", "probabilities"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise ValueError(f"Recipe needs a callable {name} or None. Received: {name}={value!r}")
        require_positive_int("Recipe", epochs=self.epochs, augment_draws=self.augment_draws)
        if self.batch_size is not None:
            require_positive_int("Recipe", batch_size=self.batch_size)
        require_one_of("Recipe", (None, "min", "max"), select_mode=self.select_mode)
        if self.select is not None and not str(self.select).startswith("val_"):
            raise ValueError(f"Recipe selects on a validation metric, 'val_…'. Received: select={self.select!r}")
        if self.patience is not None:
            require_positive_int("Recipe", patience=self.patience)
            if self.select is None:
                raise ValueError(
                    f"Recipe needs select to stop early by. Received: patience={self.patience}, select=None"
                )
        for name in ("floor", "ceiling"):
            for metric, bound in getattr(self, name).items():
                if bound == BASELINE and self.baseline is not None:
                    continue
                if isinstance(bound, str) or not math.isfinite(bound):
                    raise ValueError(
                        f"Recipe needs finite bounds, or {BASELINE!r} where there is one. "
                        f"Received: {name}[{metric!r}]={bound!r}"
                    )
        unknown = sorted(set(self.tiny) - set(TINY))
        if unknown:
            raise ValueError(f"Recipe knows 'epochs' and 'examples' in tiny. Received: tiny has {unknown}")
        object.__setattr__(self, "tiny", MappingProxyType({**TINY, **self.tiny}))
        require_positive_int("Recipe", **{f"tiny_{name}": value for name, value in self.tiny.items()})
        names = [figure_name(figure) for figure in self.figures]
        if len(set(names)) < len(names):
            raise ValueError(f"Recipe needs figures of different names. Received: figures={names}")

    @property
    def selects_minimum(self) -> bool:
        """Whether a smaller value of `select` is better."""
        if self.select_mode is not None:
            return self.select_mode == "min"
        return str(self.select).endswith(("loss", "error", "deviance"))


def figure_name(figure: Callable[..., Any]) -> str:
    """The file name of a figure, without ending: the function's own name.

    Example:
        >>> figure_name(partial(print, "x"))
        'print'
    """
    while isinstance(figure, partial):
        figure = figure.func
    return str(getattr(figure, "__name__", type(figure).__name__))


def bounds_of(recipe: Recipe, baseline: Baseline | None) -> tuple[dict[str, float], dict[str, float]]:
    """Floor and ceiling of a recipe in numbers, `BASELINE` as what the baseline reached (NaN where it has no such).

    Example:
        >>> recipe = Recipe("mine", "digits", print, print, baseline=print, floor={"accuracy": BASELINE})
        >>> bounds_of(recipe, Baseline("majority", {"accuracy": 0.1}))
        ({'accuracy': 0.1}, {})
    """
    reached = {} if baseline is None else baseline.metrics

    def number(metric: str, bound: float | str) -> float:
        return float(reached.get(metric, math.nan) if isinstance(bound, str) else bound)

    floor, ceiling = (
        {name: number(name, bound) for name, bound in each.items()} for each in (recipe.floor, recipe.ceiling)
    )
    return floor, ceiling


def recipe_reference(slug: str, dataset: str | None = None) -> str:
    """Where the recipe of a catalogue entry is, as "module:name"; loads nothing.

    Args:
        slug: name of the system.
        dataset: name of one of its data sets, or None for the first, where the row has several.

    Raises:
        UnknownSlugError: if no system is called so; the message names the nearest.
        KerasCourseError: if the system has no recipe (neither a model to train nor an experiment to run), or none on
            that data set; the message lists those it has.

    Example:
        >>> recipe_reference("bahdanau-attention", "dates")
        'keras_course.recipes.translation:dates_by_attention'
    """
    from keras_course import catalog

    entry = catalog.get(slug)
    if entry.recipe is None:
        trainable = ", ".join(sorted(other.slug for other in catalog.entries() if other.recipe is not None))
        raise KerasCourseError(
            f"{slug!r} has no recipe: it is a part, no model or experiment. Systems to fit: {trainable or 'none'}."
        )
    if dataset is None:
        return entry.recipe
    if not entry.datasets:
        choices = ", ".join(sorted(other.slug for other in catalog.entries() if other.datasets))
        raise KerasCourseError(
            f"{slug!r} has no choice of data sets (these have: {choices}). Received: dataset={dataset!r}"
        )
    if dataset not in entry.datasets:
        known = ", ".join(entry.datasets)
        raise KerasCourseError(f"The data sets of {slug!r} are {known}. Received: dataset={dataset!r}")
    return entry.datasets[dataset]


def is_experiment(slug: str) -> bool:
    """Whether the recipe of a catalogue entry is an experiment's `Config`, and so no `Recipe`; loads nothing.

    Raises:
        UnknownSlugError, KerasCourseError: as `recipe_reference`.

    Example:
        >>> is_experiment("saddle-escape"), is_experiment("lenet")
        (True, False)
    """
    return recipe_reference(slug).endswith(":Config")


def recipe_of(slug: str, dataset: str | None = None) -> Recipe:
    """The recipe of a catalogue entry.

    A function that several data sets of a row share is called with the name of the one wanted, every other without
    arguments.

    Args:
        slug: name of the system.
        dataset: name of one of its data sets, or None for the first.

    Raises:
        UnknownSlugError, KerasCourseError: as `recipe_reference`, and if the entry is an experiment.
        TypeError: if what the catalogue names does not return a `Recipe`.
    """
    from keras_course import catalog

    reference = recipe_reference(slug, dataset)
    if is_experiment(slug):
        raise KerasCourseError(f"{slug!r} is an experiment: it trains no model (pipeline.experiment.run_experiment).")
    shared = list(catalog.get(slug).datasets.values()).count(reference) > 1
    recipe = catalog.resolve_member(reference)(*[dataset] * shared)
    if not isinstance(recipe, Recipe):
        raise TypeError(f"{reference} must return a Recipe. Received: {recipe!r}")
    return recipe


def recipe_of_run(config: Mapping[str, Any]) -> Recipe:
    """The recipe that a run was trained by: of its slug, the one on the data set that the run saw.

    Args:
        config: contents of the run's config.json, which notes the name of the data.

    Raises:
        UnknownSlugError, KerasCourseError, TypeError: as `recipe_of`.
    """
    from keras_course import catalog

    name = (config.get("data") or {}).get("name")
    return recipe_of(config["slug"], name if name in catalog.get(config["slug"]).datasets else None)
