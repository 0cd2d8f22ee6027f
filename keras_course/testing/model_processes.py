"""Checks that compare a model's training here with its training in another process, alone and on two replicas."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from keras_course.core.model import Model
from keras_course.testing.agreement import as_array, require, require_equal
from keras_course.testing.model_case import ModelCase, digest_of_weights
from keras_course.testing.model_files import environment_of_a_process
from keras_course.testing.report import Deviation, NotApplicable

__all__ = [
    "Elsewhere",
    "another_process_gets_the_same_bits",
    "difference_on_replicas",
    "found_in_another_process",
    "two_replicas_end_where_one_ends",
]


class Elsewhere(NamedTuple):
    """What another process found.

    Args:
        digest: sha256 of the weights after three steps.
        difference: how training on two replicas differs from training on one; empty if it does not.
    """

    digest: str
    difference: str


# Logical devices must be there before TensorFlow starts, so they are made in a fresh process; one serves both checks.
_TRAIN = """
import json, pickle, sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
for case in pickle.load(sys.stdin.buffer):
    from keras_course.testing.model_case import digest_of_weights
    from keras_course.testing.model_processes import difference_on_replicas
    digest = digest_of_weights(case.fit(case.compiled(), 3))
    print(json.dumps([digest, difference_on_replicas(case)]))
"""


def found_in_another_process(cases: Sequence[ModelCase]) -> list[Elsewhere]:
    """Trains models in one fresh process that has two logical CPUs.

    Raises:
        NotApplicable: if a case cannot be sent to another process (a lambda, a class made inside a function).
        Deviation: if the process fails.
    """
    try:
        sent = pickle.dumps(list(cases))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotApplicable(f"cannot be sent to another process: {error}") from None
    run = subprocess.run(
        [sys.executable, "-c", _TRAIN], input=sent, capture_output=True, env=environment_of_a_process()
    )
    require(run.returncode == 0, f"another process fails: {run.stderr.decode().strip()[-400:]}")
    lines = [line for line in run.stdout.decode().splitlines() if line.startswith("[")]
    return [Elsewhere(*json.loads(line)) for line in lines]


def another_process_gets_the_same_bits(case: ModelCase) -> None:
    """Weights that depend on hash seeds, the clock or what else the process did: no run can be repeated."""
    other, own = _elsewhere(case).digest, digest_of_weights(case.fit(case.compiled(), 3))
    require(own == other, f"weights after three steps: sha256 {own[:12]} here, {other[:12]} in another process")


def two_replicas_end_where_one_ends(case: ModelCase) -> None:
    """A sum or count that every replica keeps for itself: two replicas train another model than one.

    The number of examples does not divide by the batch. A keras.Model gives each replica the same weight, so its share
    of a batch must be of one size; in a `core.model.Model` the shares differ, and with `any_split` one is empty too.
    """
    difference = _elsewhere(case).difference
    require(not difference, difference)


def _elsewhere(case: ModelCase) -> Elsewhere:
    if case.elsewhere is None:
        (case.elsewhere,) = found_in_another_process([case])
    return case.elsewhere  # type: ignore[no-any-return]


def difference_on_replicas(case: ModelCase) -> str:
    """Trains a model on one CPU and on two logical ones; says what differs, or nothing."""
    import tensorflow as tf

    if case.any_split:
        rows, batch_size = 11, 5  # 3 + 2, 3 + 2, 1 + 0 on the replicas
    else:
        rows, batch_size = (12, 5) if issubclass(case.cls, Model) else (10, 4)
    try:
        alone = _trained(case, tf.distribute.get_strategy(), rows, batch_size)
        shared = _trained(case, _two_replicas(), rows, batch_size)
        for what, wanted in alone.items():
            require_equal(shared[what], wanted, f"{what} of two replicas against one", "steps:6")
    except Deviation as deviation:
        return str(deviation)
    except Exception as error:
        return f"training on two replicas raises {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return ""


@cache
def _two_replicas() -> Any:
    """One strategy a process: the collectives of a second one meet those of the first."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def _trained(case: ModelCase, strategy: Any, rows: int, batch_size: int) -> dict[str, list[np.ndarray]]:
    """Weights, history and evaluation after two epochs; eagerly on one replica, which saves tracing."""
    how = {"run_eagerly": True, "jit_compile": False} if strategy.num_replicas_in_sync == 1 else {"jit_compile": False}
    with strategy.scope():
        model = case.compiled(**how)
    arrays = {"x": case.x[:rows]} if case.y is None else {"x": case.x[:rows], "y": case.y[:rows]}
    history = model.fit(**arrays, batch_size=batch_size, epochs=2, shuffle=False, verbose=0).history
    measured = model.evaluate(**arrays, batch_size=batch_size, verbose=0, return_dict=True)
    return {
        "weights": [as_array(variable) for variable in model.variables],
        **{f"{name} in fit": [np.asarray(values)] for name, values in history.items()},
        **{f"{name} in evaluate": [np.asarray(value)] for name, value in measured.items()},
    }
