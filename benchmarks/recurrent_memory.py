"""Memory of a training step of a recurrent layer on long sequences, against Keras's layer.

    python -m benchmarks.recurrent_memory [lstm gru] [--steps 1024] [--threads 1 2] [--readings 5]

Batch 64, 64 inputs, 128 units, float32; forward, backward, gradients of all weights. Two measures, each reading in a
process of its own, ours and Keras's in turn, the same for both; median and extremes over the readings.

live        bytes that the process has asked for and not given back, at their greatest during four steps, above those
            before them. glibc counts them, and they are read every 0.2 milliseconds. TensorFlow takes its tensors
            straight from glibc here (TF_ONEDNN_USE_SYSTEM_ALLOCATOR=1). Counts of every single request agreed within
            one in a hundred.
resident    greatest resident set during two steps above the one before them, everything as a user has it.

Both begin once TensorFlow, the layer, the data and a short step of the same kind are there. The tracing of the long
step is in both, what XLA needs to compile it, and the programs themselves.

Why resident memory moves by a tenth between processes and live bytes hardly do: with oneDNN, TensorFlow takes larger
tensors out of regions that double in size and are never given back, and a tensor may get a piece of up to twice its
size. Which pieces are free depends on the order in which operations happen to end, on two threads above all. Keras's
layer keeps thousands of tensors of a step each besides, whose room glibc keeps after them. What does move live bytes is
the order in which TensorFlow runs operations that are ready: whether the squares of the loss (32 MiB) are summed before
the backward pass begins or after it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

from benchmarks.harness import environment

BATCH, FEATURES, UNITS, SHORT = 64, 64, 128, 16
MEASURES = {"live": {"TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "1"}, "resident": {}}
PEERS = ("ours", "keras")


def live() -> int:
    """Bytes that this process has asked of glibc and not given back."""
    import ctypes

    names = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")

    class Counts(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in names]

    try:
        count = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        raise SystemExit(
            "live bytes are counted by glibc 2.33 or later. Received: a C library without mallinfo2"
        ) from None
    count.restype = Counts
    found = count()
    return int(found.uordblks + found.hblkhd)


def resident() -> int:
    """Bytes that this process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def greatest_live(run: Any) -> int:
    """The most that `live` says while a function runs."""
    found, done = [live()], threading.Event()

    def watch() -> None:
        while not done.is_set():
            found[0] = max(found[0], live())
            time.sleep(0.0002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    run()
    done.set()
    watcher.join()
    return found[0]


def measure(measure: str, cell: str, who: str, steps: int) -> float:
    """MiB that training steps add at their greatest."""
    import resource

    import keras
    import numpy as np
    import tensorflow as tf

    from keras_course import layers

    kind = {"lstm": "LSTM", "gru": "GRU"}[cell]
    layer: Any = getattr(keras.layers, kind)(UNITS, return_sequences=True)
    layer.build((BATCH, steps, FEATURES))
    if who == "ours":
        layer = layers.from_keras(layer)
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function(autograph=False)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        return loss, tape.gradient(loss, weights)

    draws = np.random.default_rng(0)
    short, long = (
        tf.constant(draws.normal(size=(BATCH, length, FEATURES)).astype("float32")) for length in (SHORT, steps)
    )
    step(short)

    def run(count: int) -> None:
        for _ in range(count):
            step(long)

    if measure == "live":
        before = live()
        return (greatest_live(lambda: run(4)) - before) / 2**20
    before = resident()
    run(2)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 2**20


def reading(measure: str, cell: str, who: str, steps: int, threads: int) -> float:
    """One figure, from a process of its own."""
    words = ["-m", "benchmarks.recurrent_memory", cell, "--steps", str(steps), "--measure", measure, who]
    variables = {**environment(threads, True), **MEASURES[measure]}
    run = subprocess.run([sys.executable, *words], env=variables, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(run.stderr[-2000:])
    return float(run.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recurrent_memory", description=__doc__.split("\n")[0])
    parser.add_argument("cells", nargs="*", default=["lstm", "gru"], metavar="CELL", help="lstm, gru")
    parser.add_argument("--steps", type=int, default=1024)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--readings", type=int, default=5, help="processes of each peer, in turn")
    parser.add_argument("--of", nargs="+", choices=MEASURES, default=list(MEASURES), help="what to measure")
    parser.add_argument("--measure", nargs=2, metavar=("MEASURE", "WHO"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.readings < 1:
        parser.error(f"at least 1 reading. Received: --readings {chosen.readings}")
    if chosen.measure:
        print(measure(chosen.measure[0], chosen.cells[0], chosen.measure[1], chosen.steps))
        return 0
    print(f"MiB a training step adds, batch {BATCH}, {chosen.steps} steps, {FEATURES} inputs, {UNITS} units, float32")
    print(f"median (least to greatest) of {chosen.readings}; ratio: of a turn each, asked <= 1")
    print("cell  threads  measure   ours              keras             ratio")
    for cell in chosen.cells:
        for threads in chosen.threads:
            for what in chosen.of:
                turns = [
                    [reading(what, cell, who, chosen.steps, threads) for who in PEERS] for _ in range(chosen.readings)
                ]
                ours, keras = ([turn[k] for turn in turns] for k in (0, 1))
                ratios = [a / b for a, b in turns]
                shown = [f"{_spread(values, '.0f'):16}" for values in (ours, keras)]
                print(f"{cell:4}  {threads:7}  {what:8}  {'  '.join(shown)}  {_spread(ratios, '.2f')}", flush=True)
    return 0


def _spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


if __name__ == "__main__":
    sys.exit(main())
