"""Memory of a training step of a recurrent layer on long sequences, against Keras's layer.

    python -m benchmarks.recurrent_memory [lstm gru] [--steps 1024] [--threads 1 2]

Batch 64, 64 inputs, 128 units, float32; forward, backward, gradients of all weights. Each figure is from a process of
its own: how far the greatest resident set during two steps lies above the resident set before them, once TensorFlow,
the layer, the data and a short step of the same kind are there. What XLA needs to compile the long step is in it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any

from benchmarks.harness import environment

BATCH, FEATURES, UNITS, SHORT = 64, 64, 128, 16


def resident() -> int:
    """Bytes that this process holds now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(cell: str, who: str, steps: int) -> float:
    """MiB that two training steps add at their greatest."""
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
    before = resident()
    for _ in range(2):
        step(long)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recurrent_memory", description=__doc__)
    parser.add_argument("cells", nargs="*", default=["lstm", "gru"], metavar="CELL", help="lstm, gru")
    parser.add_argument("--steps", type=int, default=1024)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--measure", metavar="WHO", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(measure(chosen.cells[0], chosen.measure, chosen.steps))
        return 0
    print(f"MiB a training step adds, batch {BATCH}, {chosen.steps} steps, {FEATURES} inputs, {UNITS} units, float32")
    print("cell  threads  ours  keras  ratio (asked <= 1)")
    for cell in chosen.cells:
        for threads in chosen.threads:
            found = {}
            for who in ("ours", "keras"):
                words = ["--steps", str(chosen.steps), "--measure", who]
                words = [sys.executable, "-m", "benchmarks.recurrent_memory", cell, *words]
                run = subprocess.run(words, env=environment(threads, True), capture_output=True, text=True)
                if run.returncode:
                    print(run.stderr[-2000:], file=sys.stderr)
                    return 1
                found[who] = float(run.stdout.split()[-1])
            ratio = found["ours"] / found["keras"]
            print(f"{cell:4}  {threads:7}  {found['ours']:4.0f}  {found['keras']:5.0f}  {ratio:.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
