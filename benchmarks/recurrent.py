"""A training step of a recurrent layer, forward and backward, against Keras's layer and against PyTorch's.

    python -m benchmarks.recurrent lstm-large keras       lstm or gru, large or small; keras or torch

large: batch 64, 128 steps, 64 inputs, 128 units.  small: batch 32, 50 steps, 32 inputs, 64 units.  All contestants
start from the same weights; the loss is the sum of the squared outputs, and the gradients of all weights are wanted.
The cell and the peer are taken from the first two words of the command line, the rest is the harness's.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close

SIZES = {"large": (64, 128, 64, 128), "small": (32, 50, 32, 64)}
LIMITS = {("lstm", "keras"): 0.95, ("gru", "keras"): 0.85, ("lstm", "torch"): 1.1, ("gru", "torch"): 0.9}
CHOICE = "KERAS_COURSE_BENCHMARK"  # handed to the measuring process
REPEATS = {"large": 2, "small": 10}


def contest() -> Contest:
    """The layers, one made from the other, on random sequences."""
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_course.layers import from_keras
    from keras_course.ops import fuses

    case, peer_kind = os.environ.get(CHOICE, "lstm-large keras").split()
    cell, size = case.split("-")
    batch, steps, features, units = SIZES[size]
    keras.utils.set_random_seed(0)
    theirs = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](units, return_sequences=True)
    theirs.build((batch, steps, features))
    ours = from_keras(theirs)
    x = np.random.default_rng(0).normal(size=(batch, steps, features)).astype("float32")
    work = REPEATS[size]

    def training_step(layer: Any) -> Any:
        weights = [variable.value for variable in layer.trainable_variables]

        @tf.function(autograph=False)
        def step(x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x, training=True) ** 2)
            return loss, tape.gradient(loss, weights)

        tensor = tf.constant(x)

        def run() -> Any:
            for _ in range(work):
                loss, gradients = step(tensor)
            return float(loss), [np.linalg.norm(each) for each in gradients]

        return run

    if peer_kind == "keras":
        peer, name = training_step(theirs), f"keras.layers.{type(theirs).__name__}, keras {keras.__version__}"
    else:
        peer, name = _torch(cell, theirs, x, work)

    def agree(ours: Any, peers: Any) -> str:
        require_close("loss", ours[0], peers[0], 1e-4)
        require_close("norm of the recurrent gradient", ours[1][1], peers[1][1], 1e-3)
        return "loss within 1e-4, norm of the recurrent kernel's gradient within 1e-3"

    limit = 0.75 if (size, peer_kind) == ("small", "keras") else LIMITS[cell, peer_kind]
    if (size, peer_kind) == ("small", "torch"):
        limits = None
    else:
        limits = {1: limit, 2: limit}
    title = f"{cell.upper()}, a training step: batch {batch}, {steps} steps, {features} inputs, {units} units, float32"
    return Contest(
        title, training_step(ours), peer, name, xla=fuses(units, steps), work=work, limits=limits, agree=agree
    )


def _torch(cell: str, theirs: Any, x: Any, work: int) -> tuple[Any, str]:
    """torch.nn.LSTM or GRU with Keras's weights, gates in PyTorch's order (LSTM i f g o; GRU r z n)."""
    import numpy as np

    try:
        import torch
    except ImportError:
        return None, "torch"
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    units = theirs.units
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](x.shape[-1], units, batch_first=True)
    kernel, recurrent, bias = theirs.get_weights()[:3]

    def turned(weight: Any) -> Any:
        blocks = np.split(weight, weight.shape[-1] // units, axis=-1)
        if cell == "gru":
            blocks = [blocks[1], blocks[0], blocks[2]]
        return torch.from_numpy(np.ascontiguousarray(np.concatenate(blocks, axis=-1).T))

    biases = bias if cell == "gru" else np.stack([bias, 0 * bias])
    with torch.no_grad():
        for name, value in (("weight_ih_l0", kernel), ("weight_hh_l0", recurrent)):
            getattr(layer, name).copy_(turned(value))
        layer.bias_ih_l0.copy_(turned(biases[0]))
        layer.bias_hh_l0.copy_(turned(biases[1]))
    data = torch.from_numpy(x)

    def run() -> Any:
        for _ in range(work):
            layer.zero_grad()
            loss = (layer(data)[0] ** 2).sum()
            loss.backward()
        return loss.item(), [float(layer.weight_ih_l0.grad.norm()), float(layer.weight_hh_l0.grad.norm())]

    return run, f"torch {torch.__version__}"


if __name__ == "__main__":
    if len(sys.argv) > 2 and "-" in sys.argv[1] and not sys.argv[1].startswith("--"):
        os.environ[CHOICE] = " ".join(sys.argv[1:3])
        del sys.argv[1:3]
    sys.exit(main("benchmarks.recurrent", contest))
