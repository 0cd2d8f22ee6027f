"""What a run must note down so that it can be repeated bit for bit: versions, machine, threads, mode, oneDNN."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import keras_course
from keras_course.core.errors import KerasCourseError


def set_threads(threads: int | None) -> None:
    """Pins TensorFlow's two thread pools; the number of threads changes the last bits of sums.

    Args:
        threads: int >= 1 for both pools, or None to leave them.

    Raises:
        KerasCourseError: if TensorFlow already runs with another number.
    """
    if threads is None:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        raise KerasCourseError(
            f"Threads can be set only before TensorFlow starts; fit in a fresh process. Received: threads={threads}"
        ) from None


def execution_mode_of(model: keras.Model) -> str:
    """ "eager", "graph" or "xla": how a compiled model runs its steps."""
    if model.run_eagerly:
        return "eager"
    return "xla" if model.jit_compile else "graph"


def environment() -> dict[str, Any]:
    """Versions, CPU, threads and switches that decide the bits of a run."""
    return {
        "versions": versions(),
        "cpu": cpu_model(),
        "devices": [device.device_type for device in tf.config.list_physical_devices()],
        "platform": platform.platform(),
        "threads": {
            "intra_op": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter_op": tf.config.threading.get_inter_op_parallelism_threads(),
            "cores": usable_cores(),  # what a 0 above stands for
        },
        "oneDNN": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "floatx": keras.config.floatx(),
        "dtype_policy": keras.config.dtype_policy().name,
        "command": shlex.join(sys.argv),
    }


def versions() -> dict[str, str | None]:
    """Versions of everything that computes; TFP is looked up, not imported (seconds)."""
    try:
        tfp = importlib.metadata.version("tensorflow-probability")
    except importlib.metadata.PackageNotFoundError:
        tfp = None
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tensorflow_probability": tfp,
        "numpy": importlib.metadata.version("numpy"),
        "keras_course": keras_course.__version__,
    }


def cpu_model() -> str:
    """The CPU's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name") and ":" in line]
    return names[0] if names else platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def data_record(dataset: Any) -> Mapping[str, Any]:
    """Name, split seed, sizes and hashes of the data of a run."""
    spec = dataset.spec
    return {
        "name": spec.name,
        "split_seed": spec.seed,
        "sha256": dict(spec.sha256),
        "examples": {name: len(getattr(dataset, name)) for name in ("train", "validation", "test")},
    }
