"""Searches in processes of their own, `python search_on_workers.py FOLDER`: one to be killed, three that share trials.

All are forks of this one, which has imported everything and computed nothing: one start of Python and TensorFlow serves
four. The first says its id, then every value that it tries. At the end stand the exit codes of all.
"""

import os
import socket
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import keras_tuner.src.distribute.oracle_chief

from keras_course.pipeline.search import search
from keras_course.pipeline.search_space import Choice

SPACE = {"x": Choice((0, 1, 2, 3))}


def stands_still(values, seed):
    print(values["x"], flush=True)
    time.sleep(0.2 if values["x"] < 2 else 300)
    return float(values["x"])


def slow_bowl(values, seed):
    time.sleep(1.0)
    return {"score": (values["x"] - 2) ** 2, "worker": float(os.environ["KERASTUNER_TUNER_ID"][-1])}


def forked(objective, out, **environment):
    """The id of a new process that searches."""
    process = os.fork()
    if process:
        return process
    os.environ.update(environment)
    try:
        search(objective, SPACE, tuner="grid", out=out)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def main(folder):
    # The chief looks every 20 seconds whether its workers have gone.
    keras_tuner.src.distribute.oracle_chief.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 20))
    running = [forked(stands_still, folder / "killed")]
    print(running[0], flush=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(probe.getsockname()[1])}
    for role in ("chief", "tuner0", "tuner1"):
        running.append(forked(slow_bowl, folder / "shared", KERASTUNER_TUNER_ID=role, **server))
        time.sleep(0.2)
    print([os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in running])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
