"""Search for hyper-parameters on KerasTuner: grid, random, Bayesian; resumable after a kill, on several workers.

    best = argmin_v score(v),   v in the grid, drawn at random, or proposed by a Gaussian process

Every finished trial is one small file, written whole: trials/<digest of the values>/trial.json. A search started
again asks the tuner the same questions, reads the answers that are there and computes the others; so a killed search
continues, and ends as an uninterrupted one. KerasTuner's own files are scratch.

Several workers are KerasTuner's: start a chief and workers with KERASTUNER_TUNER_ID=chief | tuner0 | tuner1 ...,
KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT, each running the same search on the same folder.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keras_course.core.errors import KerasCourseError, NonFiniteLossError, RunFolderError
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import write_atomically
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.pipeline.run_folder import read_json, write_json
from keras_course.pipeline.search_space import Choice, Range, grid_points

__all__ = ["SearchResult", "SearchTrial", "search"]

TUNERS = ("grid", "random", "bayesian")
SEARCH = "search.json"
TRIAL = "trial.json"
Objective = Callable[[dict[str, Any], int], Mapping[str, float] | float]
Space = Mapping[str, Choice | Range]


@dataclass(frozen=True)
class SearchTrial:
    """One setting that was tried.

    Args:
        number: from 0, in the order of the tuner.
        values: {hyper-parameter: value}.
        score: what is minimised or maximised; None where the trial failed.
        metrics: whatever else the objective reported.
        seconds: how long it took.
        error: why it failed, "" where it did not.

    Example:
        >>> SearchTrial(0, {"rate": 0.1}, 0.5, {}, 1.0, "").score
        0.5

    Source: C 9.1.5.
    """

    number: int
    values: Mapping[str, Any]
    score: float | None
    metrics: Mapping[str, float]
    seconds: float
    error: str


@dataclass(frozen=True)
class SearchResult:
    """All trials of a search.

    Args:
        trials: in the order of the tuner.
        mode: "min" or "max".
        folder: where it lies.

    Example:
        >>> two = tuple(SearchTrial(i, {"x": i}, float(i), {}, 0.0, "") for i in range(2))
        >>> SearchResult(two, "max", Path(".")).best.values
        {'x': 1}

    Source: C 9.1.5.
    """

    trials: tuple[SearchTrial, ...]
    mode: str
    folder: Path

    @property
    def best(self) -> SearchTrial:
        """The trial with the best score, the first among equals.

        Raises:
            KerasCourseError: if every trial failed.
        """
        scored = [trial for trial in self.trials if trial.score is not None]
        if not scored:
            why = self.trials[0].error if self.trials else "there was none"
            raise KerasCourseError(f"Every trial of the search in {self.folder} failed; the first: {why}")
        return min(scored, key=lambda trial: _signed(trial.score, self.mode))

    def to_csv(self) -> str:
        """The table: trial, hyper-parameters, score, metrics, seconds, error."""
        names = list(dict.fromkeys(name for trial in self.trials for name in trial.values))
        metrics = list(dict.fromkeys(name for trial in self.trials for name in trial.metrics))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", *names, "score", *metrics, "seconds", "error"])
        for trial in self.trials:
            measured = [trial.metrics.get(name, "") for name in metrics]
            values = [trial.values.get(name, "") for name in names]
            writer.writerow([trial.number, *values, trial.score, *measured, f"{trial.seconds:.3f}", trial.error])
        return text.getvalue()


def search(
    objective: Objective,
    space: Space,
    *,
    tuner: str = "random",
    trials: int | None = None,
    out: str | os.PathLike[str],
    seed: int = 0,
    mode: str = "min",
    progress: bool = False,
) -> SearchResult:
    """Tries settings and returns what came of each.

    Args:
        objective: callable(values, seed) that returns the score, or {"score": ..., other metrics}. A score that is not
            finite, and a `NonFiniteLossError`, FloatingPointError or OverflowError, is a failed trial; other errors end
            the search.
            Every trial gets the same seed, so that settings differ and luck does not.
        space: {name: `Choice` or `Range`}.
        tuner: "grid" (every combination), "random", "bayesian" (a Gaussian process proposes the next).
        trials: int >= 1; None for the whole grid, 10 for the others.
        out: folder of the search; one that lies there is continued.
        seed: int, of the draws and of every trial.
        mode: "min" or "max".
        progress: whether to say a line a trial on stderr.

    Returns:
        `SearchResult`; trials.csv and search.json lie in `out`.

    Raises:
        ValueError: for an unknown tuner or mode, an empty space, trials below 1.
        RunFolderError: if another search lies in `out`, or something that is no search.
        KerasCourseError: if KerasTuner is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
        ...     bowl = lambda values, seed: (values["x"] - 3) ** 2
        ...     search(bowl, {"x": Choice((1, 2, 3, 4))}, tuner="grid", out=folder).best.values
        {'x': 3}

    Source: C 9.1.5, S 9.4.
    """
    require_one_of("search", TUNERS, tuner=tuner)
    require_one_of("search", ("min", "max"), mode=mode)
    if not space:
        raise ValueError("search needs at least one hyper-parameter. Received: space={}")
    if trials is not None:
        require_positive_int("search", trials=trials)
    tuner_module = _keras_tuner()
    folder = _claim(Path(out), space, tuner, seed, mode)

    known = {name: part.grid if tuner == "grid" or isinstance(part, Choice) else None for name, part in space.items()}
    count = trials or (len(grid_points(space)) if tuner == "grid" else 10)
    oracle = _oracle(tuner_module, space, known, tuner, count, seed, mode)
    oracle.verbose = 0
    worker = os.environ.get("KERASTUNER_TUNER_ID", "tuner0")

    class Journal(tuner_module.engine.base_tuner.BaseTuner):  # type: ignore[name-defined]
        """Answers the oracle from the trials on disk, or else by the objective."""

        def run_trial(self, trial: Any) -> dict[str, float]:
            values = {name: _decoded(trial.hyperparameters.get(name), known[name]) for name in space}
            try:
                record = _recorded(folder, objective, values, seed, int(trial.trial_id))
            except Exception as failure:  # KerasTuner would note it and go on; a mistake must be heard
                raise tuner_module.errors.FatalError(f"{type(failure).__name__}: {failure}") from failure
            if progress:
                line = f"trial {record['number'] + 1} of {count}: {values} -> {record['score']}"
                print(line, file=sys.stderr, flush=True)
            return {"score": math.nan if record["score"] is None else float(record["score"])}  # NaN marks it as failed

    scratch = folder / "keras_tuner" / worker
    journal = Journal(oracle, directory=str(scratch), project_name="oracle", overwrite=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN axis encountered")  # what KerasTuner says of a failed trial
            journal.search()
    except tuner_module.errors.FatalError as error:
        raise (error.__cause__ or error) from None
    result = _read(folder, mode)
    write_atomically(folder / "trials.csv", result.to_csv())
    return result


def _recorded(folder: Path, objective: Objective, values: dict[str, Any], seed: int, number: int) -> dict[str, Any]:
    """The trial as it lies on disk, or measured now and written."""
    path = folder / "trials" / _digest(values) / TRIAL  # a folder each: workers do not share a manifest
    record = read_json(path) if path.exists() else _measured(objective, values, seed)
    if record.get("number") != number:
        record["number"] = number
        path.parent.mkdir(exist_ok=True)
        write_json(path, record)
    return record


def _measured(objective: Objective, values: dict[str, Any], seed: int) -> dict[str, Any]:
    started, metrics, error = time.monotonic(), {}, ""
    score: float | None = None
    try:
        found = objective(dict(values), seed)
        named = found if isinstance(found, Mapping) else {"score": found}
        metrics = {name: float(value) for name, value in named.items()}
        score = metrics.pop("score")
        if not math.isfinite(score):
            score, error = None, "the score is not finite"
    except (NonFiniteLossError, FloatingPointError, OverflowError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    return {"values": values, "score": score, "metrics": metrics, "seconds": time.monotonic() - started, "error": error}


def _oracle(module: Any, space: Space, known: Mapping[str, Any], tuner: str, trials: int, seed: int, mode: str) -> Any:
    asked = module.HyperParameters()
    for name, part in space.items():
        values = known[name]
        if values is not None:
            asked.Choice(name, list(range(len(values))), ordered=True)
        elif isinstance(part, Range) and part.integer:
            asked.Int(name, int(part.low), int(part.high), sampling="log" if part.log else "linear")
        elif isinstance(part, Range):
            asked.Float(name, part.low, part.high, sampling="log" if part.log else "linear")
    oracles = {
        "grid": module.oracles.GridSearchOracle,
        "random": module.oracles.RandomSearchOracle,
        "bayesian": module.oracles.BayesianOptimizationOracle,
    }
    return oracles[tuner](
        objective=module.Objective("score", mode),
        max_trials=trials,
        hyperparameters=asked,
        seed=derive_seed(seed, "search") % 10**6 + 1,  # KerasTuner takes a seed of 0 for none at all
        max_consecutive_failed_trials=trials + 1,  # a range of rates ends in several that diverge
    )


def _claim(folder: Path, space: Space, tuner: str, seed: int, mode: str) -> Path:
    """The folder of this very search, new or begun."""
    parts = {name: {"kind": type(part).__name__, **asdict(part)} for name, part in space.items()}
    asked = json.loads(json.dumps({"tuner": tuner, "seed": seed, "mode": mode, "space": parts}))
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / SEARCH).is_file():
            raise RunFolderError(
                f"{folder} is not empty and holds no search; nothing was touched. Choose another folder."
            )
        if read_json(folder / SEARCH) != asked:
            raise RunFolderError(f"{folder} holds another search; nothing was touched. Choose another folder.")
    try:
        (folder / "trials").mkdir(parents=True, exist_ok=True)
        write_json(folder / SEARCH, asked)
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be written: {error.strerror}. Choose another folder.") from None
    return folder


def _read(folder: Path, mode: str) -> SearchResult:
    records = [read_json(path) for path in (folder / "trials").glob(f"*/{TRIAL}")]
    return SearchResult(
        tuple(SearchTrial(**record) for record in sorted(records, key=lambda r: int(r["number"]))), mode, folder
    )


def _decoded(value: Any, known: tuple[Any, ...] | None) -> Any:
    return value if known is None else known[int(value)]


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _signed(score: float | None, mode: str) -> float:
    return math.inf if score is None else score if mode == "min" else -score


def _keras_tuner() -> Any:
    try:
        import keras_tuner
        import keras_tuner.engine.base_tuner
    except ImportError:
        raise KerasCourseError(
            'A search needs KerasTuner, which is not installed: python -m pip install "keras-course[search]"'
        ) from None
    return keras_tuner
