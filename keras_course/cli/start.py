"""Starts TensorFlow the way the command line wants it: oneDNN on, and no notes about missing GPUs on stderr."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def start_tensorflow() -> None:
    """Imports TensorFlow; what the user has set in the environment stays.

    oneDNN is the first lever on speed on CPUs; it changes rounding, so a run records it. TensorFlow writes start-up
    notes to stderr before its log level counts; they are shown only if the import fails, or to a user who set
    TF_CPP_MIN_LOG_LEVEL. Python's collector of cycles waits meanwhile: going through all that is imported, again and
    again, is a quarter of the time.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if os.environ["KERAS_BACKEND"] != "tensorflow" and importlib.util.find_spec("tensorflow") is None:
        return  # operations and blocks run, and verify, without it
    if "tensorflow" in sys.modules:
        return
    with _collector_waits():
        if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
            import keras  # brings TensorFlow along where it is the backend
        else:
            os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
            with _held_back_stderr():
                import tensorflow as tf

                tf.config.list_physical_devices()  # looks for GPUs, and would complain about their absence later
                import keras  # noqa: F401


@contextmanager
def _collector_waits() -> Iterator[None]:
    """No collection inside, and none ever of what was made inside; does nothing where the collector is off."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Keeps what native code writes to file descriptor 2; lets it out after an error."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
