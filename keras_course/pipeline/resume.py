"""Goes on with a run that was killed, interrupted or failed; it ends with the bits it would have had.

    resume(RUN) = fit(recipe, the seed, epochs, … of RUN/config.json), from RUN/checkpoints

What decides the bits (versions, CPU, threads, oneDNN, dtype) is compared with what config.json noted; differences are
told as warnings, and whether the resumed run repeats the killed one is proved by training from the last checkpoint but
one to the last (`ExactResume`).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from keras_course.core.backend import require_tensorflow
from keras_course.core.errors import CorruptArtifact, KerasCourseError, RunFolderError
from keras_course.pipeline.evaluate import data_of_run
from keras_course.pipeline.fit import Fitted, fit_in
from keras_course.pipeline.recipe import Recipe, recipe_of_run
from keras_course.pipeline.record import environment, set_threads, usable_cores
from keras_course.pipeline.run_folder import CONFIG, now, reopen_run_folder

_DECIDES_BITS = ("versions", "cpu", "devices", "oneDNN", "floatx", "dtype_policy")
_NEEDED = {"seed": int, "epochs": int, "checkpoints": dict, "data": dict}


def resume(run: str | os.PathLike[str], *, recipe: Recipe | str | None = None, progress: bool = True) -> Fitted:
    """Trains a run to its end from its last sound checkpoint, or anew where it holds none.

    Args:
        run: folder of a run that was killed, interrupted or failed.
        recipe: `Recipe`, or the slug the run must be of; None finds it by slug and data set in config.json.
        progress: whether to show a progress bar.

    Returns:
        `Fitted`.

    Raises:
        RunFolderError: if there is no run, it is of another system, it has finished, or it is still running.
        CorruptArtifact: if config.json is damaged.
        CorruptDataError: if the data are no longer those of the run.
        ResumeError: if the checkpoints are of another model.
    """
    require_tensorflow("resume")
    folder = reopen_run_folder(run)
    try:
        slug = recipe if isinstance(recipe, str) else None if recipe is None else recipe.slug
        if slug is not None and slug != folder.config["slug"]:
            raise RunFolderError(f"{folder.path} is a run of {folder.config['slug']!r}. Received: slug={slug!r}")
        for name, kind in _NEEDED.items():
            if not isinstance(folder.config.get(name), kind):
                raise CorruptArtifact(folder.path / CONFIG, f"it does not say with what {name} the run was started")
        recipe = recipe if isinstance(recipe, Recipe) else recipe_of_run(folder.config)
        _take_threads(folder.config)
        for difference in _differences(folder.config, environment()):
            warnings.warn(f"The run's last bits may differ: {difference}.", RuntimeWarning, stacklevel=2)
        dataset = data_of_run(folder, recipe)
        folder.write_config("running", resumed=[*folder.config.get("resumed", []), {"when": now()}])
    except BaseException:
        folder.unlock()
        raise
    return fit_in(folder, recipe, dataset, progress)


def _take_threads(config: Mapping[str, Any]) -> None:
    """Pins the thread pools to the run's: 0 stood for its number of cores."""
    recorded = config.get("threads", {})
    threads = recorded.get("intra_op") or recorded.get("cores")
    if threads is None or (not recorded.get("intra_op") and threads == usable_cores()):
        return
    try:
        set_threads(int(threads))
    except KerasCourseError:
        warnings.warn(
            f"The run's last bits may differ: it had {threads} threads, and TensorFlow already runs with others.",
            RuntimeWarning,
            stacklevel=3,
        )


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What decides bits and is no longer as it was, in words."""
    found = []
    for name in _DECIDES_BITS:
        before, after = then.get(name), now[name]
        if isinstance(before, dict) and isinstance(after, dict):
            found += [f"{key} was {before.get(key)}, is {after[key]}" for key in after if before.get(key) != after[key]]
        elif before != after:
            found.append(f"{name} was {before}, is {after}")
    return found
