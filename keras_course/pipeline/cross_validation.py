"""Model selection: train on a part, test on the rest, and again with other parts.

    score_i = test of h_i, trained on Tr - Va_i, against Va_i
    mean    = sum_i score_i / k                           as printed: every fold counts alike
    pooled  = sum_i |Va_i| score_i / n                    every example counts alike
    standard error = sqrt(sum_i (score_i - mean)^2 / (k - 1) / k)

The standard error treats the folds as independent; their training sets overlap, so it is a guide, not a test (no
unbiased estimate of it exists for k-fold). The model is a value: anything that trains on one split and scores another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets import Dataset, Split
from keras_course.datasets.folds import Fold, k_folds

__all__ = ["CrossValidated", "Selected", "cross_validate", "cross_validate_recipe", "keras_scorer", "select_model"]

Scores = Mapping[str, float]
Scorer = Callable[[Split, Split, int], Scores | float]


@dataclass(frozen=True)
class CrossValidated:
    """Scores of a model on data it was not trained on.

    Args:
        scores: {name of the score: array (k,), one number a fold}.
        sizes: array (k,), examples tested in each fold.
        seeds: the k seeds the models were trained from.
        folds: the folds themselves.

    Example:
        >>> two = CrossValidated({"loss": np.array([1.0, 3.0])}, np.array([10, 30]), (0, 1), ())
        >>> two.mean("loss"), two.pooled("loss"), two.standard_error("loss")
        (2.0, 2.5, 1.0)

    Source: C 1.3.
    """

    scores: Mapping[str, NDArray[np.float64]]
    sizes: NDArray[np.int64]
    seeds: tuple[int, ...]
    folds: tuple[Fold, ...]

    def mean(self, name: str = "score") -> float:
        """Plain mean over the folds."""
        return math.fsum(self.scores[name]) / len(self.sizes)

    def pooled(self, name: str = "score") -> float:
        """Mean over the examples, of a score that is itself a mean over examples."""
        return math.fsum(self.scores[name] * self.sizes) / int(self.sizes.sum())

    def standard_error(self, name: str = "score") -> float:
        """Standard error of the mean over folds; NaN for a single fold."""
        k = len(self.sizes)
        if k < 2:
            return float("nan")
        mean = self.mean(name)
        return math.sqrt(math.fsum((self.scores[name] - mean) ** 2) / (k - 1) / k)

    def table(self) -> list[dict[str, float]]:
        """One row a fold, in order: fold, examples, seed, scores."""
        return [
            {"fold": i + 1, "examples": int(self.sizes[i]), "seed": self.seeds[i]}
            | {name: float(values[i]) for name, values in self.scores.items()}
            for i in range(len(self.sizes))
        ]


@dataclass(frozen=True)
class Selected:
    """The best of several candidates.

    Args:
        name: of the candidate with the best mean score; the first among equals.
        results: {candidate: `CrossValidated`}.

    Example:
        >>> Selected("ridge", {}).name
        'ridge'

    Source: C 1.3.
    """

    name: str
    results: Mapping[str, CrossValidated]


def cross_validate(scorer: Scorer, x: ArrayLike, y: ArrayLike, folds: Sequence[Fold], seed: int = 0) -> CrossValidated:
    """Trains and tests once for every fold.

    score_i = scorer(rows Tr - Va_i, rows Va_i, seed_i),   seed_i = derive_seed(seed, "fold", i)

    Args:
        scorer: callable(train, held_out, seed) that trains a new model on one `Split`, tests it on the other and
            returns a number or {name: number}; `keras_scorer` makes one of a function that builds a Keras model.
        x: array (n, ...).
        y: array (n, ...).
        folds: from `datasets.folds`: `hold_out`, `k_folds`, `leave_one_out`; or pairs of row numbers of your own.
        seed: int, root of the folds' seeds.

    Returns:
        `CrossValidated`.

    Raises:
        ValueError: without folds, for rows outside the data, a fold that tests what it trained on, an empty part, or
            scores whose names change or are not finite.

    Example:
        >>> from keras_course.datasets.folds import leave_one_out
        >>> mean_of_the_rest = lambda train, test, seed: np.mean((test.y - train.y.mean()) ** 2)
        >>> result = cross_validate(mean_of_the_rest, np.zeros((3, 1)), np.array([0.0, 1.0, 2.0]), leave_one_out(3))
        >>> result.scores["score"].tolist(), result.mean()
        ([2.25, 0.0, 2.25], 1.5)

    Source: C 1.3.
    """
    whole = Split(np.asarray(x), np.asarray(y))
    pairs = tuple(_checked_fold(fold, len(whole), index) for index, fold in enumerate(folds))
    if not pairs:
        raise ValueError("cross_validate needs at least one fold. Received: folds=()")
    seeds = tuple(derive_seed(seed, "fold", index) for index in range(len(pairs)))
    rows: list[dict[str, float]] = []
    for fold, own in zip(pairs, seeds, strict=True):
        train, held_out = (Split(whole.x[part], whole.y[part]) for part in fold)
        found = scorer(train, held_out, own)
        row = {
            name: float(value) for name, value in (found if isinstance(found, Mapping) else {"score": found}).items()
        }
        if not row or (rows and row.keys() != rows[0].keys()) or not all(map(math.isfinite, row.values())):
            raise ValueError(
                f"cross_validate needs the same finite scores from all folds. Received: fold {len(rows) + 1} gave {row}"
            )
        rows.append(row)
    scores = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return CrossValidated(scores, np.array([len(fold.held_out) for fold in pairs]), seeds, pairs)


def select_model(
    candidates: Mapping[str, Scorer],
    x: ArrayLike,
    y: ArrayLike,
    folds: Sequence[Fold],
    score: str = "score",
    mode: str = "min",
    seed: int = 0,
) -> Selected:
    """Cross-validates every candidate on the same folds and names the best.

    best = argmin_c mean_i score_i(c)

    The winner's score is the best of several and so too good: measure it on rows that no fold saw.

    Args:
        candidates: {name: scorer}, see `cross_validate`.
        x, y, folds, seed: as `cross_validate`.
        score: the score to choose by.
        mode: "min" for errors and losses, "max" for accuracies.

    Returns:
        `Selected`.

    Raises:
        ValueError: without candidates, for another mode, or a score that no candidate reports.

    Example:
        >>> from keras_course.datasets.folds import leave_one_out
        >>> y = np.array([1.0, 1.5, 2.0])
        >>> guess = {c: lambda train, test, seed, c=c: np.mean(abs(test.y - c)) for c in (0.0, 1.5, 4.0)}
        >>> select_model(guess, np.zeros((3, 1)), y, leave_one_out(3)).name
        1.5

    Source: C 1.3.
    """
    require_one_of("select_model", ("min", "max"), mode=mode)
    if not candidates:
        raise ValueError("select_model needs at least one candidate. Received: candidates={}")
    results = {name: cross_validate(scorer, x, y, folds, seed) for name, scorer in candidates.items()}
    for name, result in results.items():
        if score not in result.scores:
            raise ValueError(f"Candidate {name!r} reports {sorted(result.scores)}. Received: score={score!r}")
    sign = 1.0 if mode == "min" else -1.0
    return Selected(min(results, key=lambda name: sign * results[name].mean(score)), results)


def keras_scorer(
    build: Callable[[int], Any], epochs: int = 1, batch_size: int | None = 32, training: bool = False
) -> Scorer:
    """Makes a scorer of a function that builds a compiled Keras model.

    scorer(train, held_out, seed) = evaluate(fit(build(seed), train), held_out)

    Keras's seeds are set before each build, and the order of examples is a pure function of (seed, epoch).

    Args:
        build: callable(seed) that returns a new, compiled Keras model.
        epochs: int, passes over the training part.
        batch_size: int, or None for the whole part at once.
        training: whether the scores on the training part are reported too, as train_loss and so on.

    Returns:
        A scorer for `cross_validate`; its scores are the model's loss and metrics.

    Raises:
        ValueError: for epochs or a batch size below 1.

    Example:
        >>> import keras
        >>> def build(seed):
        ...     model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> rows = Split(np.ones((4, 1), "float32"), np.ones((4, 1), "float32"))
        >>> sorted(keras_scorer(build, epochs=1)(rows, rows, 0))
        ['loss']

    Source: C 1.3.
    """
    require_positive_int("keras_scorer", epochs=epochs)
    if batch_size is not None:
        require_positive_int("keras_scorer", batch_size=batch_size)

    def scorer(train: Split, held_out: Split, seed: int) -> Scores:
        import keras

        from keras_course.pipeline.batches import TrainingBatches
        from keras_course.pipeline.callbacks import EpochData
        from keras_course.pipeline.fit import measure

        keras.utils.set_random_seed(seed)
        model, batches = build(seed), TrainingBatches(train, batch_size, seed)
        model.fit(batches.dataset(), epochs=epochs, shuffle=False, verbose=0, callbacks=[EpochData(batches)])
        scores = measure(model, held_out)
        if training:
            scores |= {f"train_{name}": value for name, value in measure(model, train).items()}
        return scores

    return scorer


def cross_validate_recipe(recipe: Any, k: int = 5, seed: int = 0, epochs: int | None = None) -> CrossValidated:
    """k-fold cross-validation of a recipe on its training and validation rows; its test rows stay unseen.

    Data that were standardised by their training rows are standardised again by those of each fold, so that no
    held-out row enters a statistic. Classes are stratified.

    Args:
        recipe: `Recipe`, or the slug of a system that has one.
        k: int >= 2, folds.
        seed: int, decides the recipe's split, the folds, and through them the seed of each model.
        epochs: int, instead of the recipe's.

    Returns:
        `CrossValidated`, with the recipe's loss and metrics.

    Raises:
        ValueError: as `k_folds`.
        UnknownSlugError: if no system is called so.

    Example:
        >>> result = cross_validate_recipe("softmax-regression", k=3, epochs=1)
        >>> len(result.scores["accuracy"]), int(result.sizes.sum())
        (3, 1438)

    Source: C 1.3.
    """
    from keras_course.pipeline.batches import TrainingBatches, recipe_data
    from keras_course.pipeline.callbacks import EpochData
    from keras_course.pipeline.fit import compiled_model, measure
    from keras_course.pipeline.recipe import recipe_of

    recipe = recipe_of(recipe) if isinstance(recipe, str) else recipe
    if epochs is not None:
        require_positive_int("cross_validate_recipe", epochs=epochs)
    dataset: Dataset = recipe_data(recipe, seed)
    x = np.concatenate([dataset.train.x, dataset.validation.x])
    y = np.concatenate([dataset.train.y, dataset.validation.y])
    labels = y if dataset.spec.classes is not None and not dataset.spec.label_shape else None

    def scorer(train: Split, held_out: Split, own: int) -> Scores:
        import keras

        if dataset.spec.feature_mean is not None:
            train, held_out = _standardised_again(train, held_out, targets=dataset.spec.target_mean is not None)
        part = replace(dataset, train=train, validation=held_out)
        keras.utils.set_random_seed(own)
        model = compiled_model(recipe, part, own)
        batches = TrainingBatches(train, recipe.batch_size, own, recipe.augment, recipe.augment_draws)
        model.fit(
            batches.dataset(), epochs=epochs or recipe.epochs, shuffle=False, verbose=0, callbacks=[EpochData(batches)]
        )
        return measure(model, held_out)

    return cross_validate(scorer, x, y, k_folds(len(x), k, seed, labels), seed)


def _standardised_again(train: Split, held_out: Split, targets: bool) -> tuple[Split, Split]:
    """Both splits by the statistics of the first."""

    def by(reference: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
        wide = reference.astype("float64")
        mean, scale = wide.mean(0), wide.std(0)
        scale = np.where(scale > 0, scale, 1.0)
        return lambda values: ((values.astype("float64") - mean) / scale).astype(values.dtype)

    change_x, change_y = by(train.x), by(train.y) if targets else lambda values: values
    return tuple(Split(change_x(part.x), change_y(part.y)) for part in (train, held_out))  # type: ignore[return-value]


def _checked_fold(fold: Any, rows: int, index: int) -> Fold:
    train, held_out = (np.asarray(part, "int64").reshape(-1) for part in fold)
    both = np.concatenate([train, held_out])
    if not len(train) or not len(held_out):
        raise ValueError(
            "A fold needs rows to train on and rows to test on. "
            f"Received: fold {index + 1} has {len(train)} and {len(held_out)}"
        )
    if both.min() < 0 or both.max() >= rows:
        raise ValueError(
            f"Rows of a fold lie in [0, {rows}). Received: fold {index + 1} has {both.min()} to {both.max()}"
        )
    if np.intersect1d(train, held_out).size:
        shared = int(np.intersect1d(train, held_out)[0])
        raise ValueError(f"A fold never tests what it trained on. Received: fold {index + 1} has row {shared} in both")
    return Fold(train, held_out)
