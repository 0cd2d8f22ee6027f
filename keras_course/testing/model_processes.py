"""Checks that compare a model's training here with its training in another process, alone and on two replicas."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from keras_course.core.model import Model
from keras_course.testing.agreement import as_array, require, require_equal
from keras_course.testing.model_case import ModelCase
from keras_course.testing.model_files import environment_of_a_process
from keras_course.testing.report import Deviation, NotApplicable

__all__ = [
    "AnotherProcess",
    "Elsewhere",
    "another_process_gets_the_same_bits",
    "difference_on_replicas",
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
# Python's collector goes through all that is imported again and again; here it waits, and then comes less often.
_TRAIN = """
import gc, json, pickle, sys
gc.disable()
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from keras_course.testing.model_processes import difference_on_replicas
gc.freeze()
gc.set_threshold(50_000, 20, 5)
gc.enable()
while True:
    try:
        case = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    print(json.dumps([case.digest(), difference_on_replicas(case)]), flush=True)
"""


class AnotherProcess:
    """A fresh process that has two logical CPUs, started for the first model and asked about one after another.

    Args:
        models: int, after so many a new process takes over: TensorFlow keeps every graph for as long as one lives.
    """

    def __init__(self, models: int = 20) -> None:
        self.models = models
        self._asked = 0
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AnotherProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._running is not None:
            self._running.kill()
            self._running.communicate()
            self._errors.close()
        self._running, self._asked = None, 0

    def ask(self, case: ModelCase) -> Elsewhere:
        """Trains a model over there.

        Raises:
            NotApplicable: if the case cannot be sent to another process (a lambda, a class made inside a function).
            Deviation: if the process fails.
        """
        try:
            sent = pickle.dumps(case)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise NotApplicable(f"cannot be sent to another process: {error}") from None
        if self._asked == self.models:
            self.close()
        if self._running is None:
            self._errors = tempfile.TemporaryFile()  # a pipe that nobody reads would fill
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
            self._running = subprocess.Popen([sys.executable, "-c", _TRAIN], env=environment_of_a_process(), **pipes)
        self._asked += 1
        try:
            self._running.stdin.write(sent)  # type: ignore[union-attr]
            self._running.stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            pass  # it died; what it said is read below
        for line in self._running.stdout:  # type: ignore[union-attr]
            if line.startswith(b"["):
                return Elsewhere(*json.loads(line))
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        self.close()
        raise Deviation(f"another process fails: {said[-400:]}")


def another_process_gets_the_same_bits(case: ModelCase) -> None:
    """Weights that depend on hash seeds, the clock or what else the process did: no run can be repeated."""
    other, own = _elsewhere(case).digest, case.digest()
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
        with AnotherProcess() as process:
            case.elsewhere = process.ask(case)
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
        replicas = _two_replicas if issubclass(case.cls, Model) else _the_two_replicas
        shared = _trained(case, replicas(), rows, batch_size)
        for what, wanted in alone.items():
            require_equal(shared[what], wanted, f"{what} of two replicas against one", "steps:6")
    except Deviation as deviation:
        return str(deviation)
    except Exception as error:
        return f"training on two replicas raises {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return ""


def _two_replicas() -> Any:
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@cache
def _the_two_replicas() -> Any:
    """One strategy a process, for a keras.Model: the collectives of a second one would meet those of the first."""
    return _two_replicas()


@contextmanager
def _graphs_as_traced() -> Iterator[None]:
    """Without TensorFlow's graph optimizer, which takes longer over a graph of all replicas than its few steps."""
    import tensorflow as tf

    before = tf.config.optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": before})


def _trained(case: ModelCase, strategy: Any, rows: int, batch_size: int) -> dict[str, list[np.ndarray]]:
    """Weights, history and evaluation after two epochs; eagerly on one replica, which saves tracing."""
    how = {"run_eagerly": True, "jit_compile": False} if strategy.num_replicas_in_sync == 1 else {"jit_compile": False}
    with strategy.scope():
        model = case.compiled(**how)
    arrays = {"x": case.x[:rows]} if case.y is None else {"x": case.x[:rows], "y": case.y[:rows]}
    with _graphs_as_traced():
        history = model.fit(**arrays, batch_size=batch_size, epochs=2, shuffle=False, verbose=0).history
        measured = model.evaluate(**arrays, batch_size=batch_size, verbose=0, return_dict=True)
    return {
        "weights": [as_array(variable) for variable in model.variables],
        **{f"{name} in fit": [np.asarray(values)] for name, values in history.items()},
        **{f"{name} in evaluate": [np.asarray(value)] for name, value in measured.items()},
    }
