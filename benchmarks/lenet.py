"""LeNet-5 on 28 x 28 images: one epoch of `fit`, 32 steps of 128, momentum, float32, against PyTorch.

Same layers (tanh, average pooling), same first weights, same images in the same shuffled order. Ours is `fit`, with
steps_per_execution=32; the peer is the loop a PyTorch user writes over tensors in memory, given the order. Ours is
timed on the data set of batches that `keras-course fit` trains on, ready made, and on NumPy arrays, which it copies and
shuffles itself in each call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.harness import Contest, main, require_close

SIDE, BATCH, STEPS, RATE, MOMENTUM, SEED = 28, 128, 32, 0.05, 0.9, 0


def contests() -> Iterator[Contest]:
    """Random images and labels; every run starts from the same weights, at rest."""
    try:  # before TensorFlow: torch with CUDA loads a compiler late, and that one's library clashes with TensorFlow's
        import torch
        import torch._dynamo
    except ImportError:
        torch = None
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_course.datasets import Split
    from keras_course.losses import SoftmaxLoss
    from keras_course.models.vision import LeNet
    from keras_course.pipeline.batches import TrainingBatches

    draws = np.random.Generator(np.random.Philox(0))
    images = draws.normal(size=(BATCH * STEPS, SIDE, SIDE, 1)).astype("float32")
    labels = draws.integers(10, size=BATCH * STEPS)

    model = LeNet(input_shape=(SIDE, SIDE, 1), seed=0)
    # XLA's convolutions bypass oneDNN, whose are faster here.
    model.compile(keras.optimizers.SGD(RATE, MOMENTUM), SoftmaxLoss(), jit_compile=False, steps_per_execution=STEPS)
    start = model.get_weights()

    batches = TrainingBatches(Split(images, labels), BATCH, seed=0)
    ready = batches.dataset()
    keras.utils.set_random_seed(SEED)  # then every `fit` shuffles the same way, and the peer can be told how
    drawn = tf.data.Dataset.range(1).map(lambda _: tf.random.shuffle(tf.range(len(images), dtype="int64")))

    def ours(*data: Any, **how: Any) -> Any:
        model.set_weights(start)
        for variable in model.optimizer.variables:
            if variable.path.split("/")[-1] != "learning_rate":
                variable.assign(np.zeros(variable.shape))
        history = model.fit(*data, **how, epochs=1, verbose=0)
        return history.history["loss"][-1], model.get_weights()[-2]

    name = "torch" if torch is None else f"torch {torch.__version__}"

    def peer(order: Any) -> Any:
        return None if torch is None else _peer(torch, start, images, labels, order)

    def agree(ours: Any, peers: Any) -> str:
        require_close("mean losses of the epoch", ours[0], peers[0], 1e-5)
        require_close("last weights", ours[1], peers[1], 1e-4)
        return "loss of the epoch within 1e-5, weights of the last layer within 1e-4"

    choices = f"SGD with momentum {MOMENTUM}, steps_per_execution {STEPS}"
    runs: list[tuple[str, Callable[[], Any], Any]] = [
        ("batches", lambda: ours(ready, shuffle=False), batches.order(0)),
        ("arrays", lambda: ours(images, labels, batch_size=BATCH), next(iter(drawn)).numpy()),  # as `fit` draws it
    ]
    for data, run, order in runs:
        title = f"LeNet on {data}, {STEPS} steps of {BATCH}, {SIDE} x {SIDE}, float32: ms a step, {STEPS} a fit"
        limits = {1: 1.0, 2: 1.0}
        yield Contest(title, run, peer(order), name, xla=False, work=STEPS, limits=limits, agree=agree, choices=choices)


def _peer(torch: Any, start: Any, images: Any, labels: Any, order: Any) -> Any:
    """The same network, channels first; weights and images are turned round once, before the clock starts."""
    import numpy as np

    functional = torch.nn.functional
    x, y = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels)
    order = torch.from_numpy(order)
    convolutions = [torch.nn.Conv2d(1, 6, 5), torch.nn.Conv2d(6, 16, 5)]
    reduced = ((SIDE - 4) // 2 - 4) // 2
    dense = [torch.nn.Linear(16 * reduced * reduced, 120), torch.nn.Linear(120, 84), torch.nn.Linear(84, 10)]
    layers = [*convolutions, *dense]

    def logits(batch: Any) -> Any:
        for layer in convolutions:
            batch = functional.avg_pool2d(torch.tanh(layer(batch)), 2)
        hidden = batch.flatten(1)
        for layer in dense[:-1]:
            hidden = torch.tanh(layer(hidden))
        return dense[-1](hidden)

    turned = [torch.from_numpy(weight.copy()) for weight in start]
    for i in (0, 2):
        turned[i] = turned[i].permute(3, 2, 0, 1)  # height, width, in, out -> out, in, height, width
    rows = (
        start[4].reshape(reduced, reduced, 16, 120).transpose(2, 0, 1, 3).reshape(-1, 120)
    )  # vec: channels come first
    turned[4] = torch.from_numpy(np.ascontiguousarray(rows))
    for i in (4, 6, 8):
        turned[i] = turned[i].T
    parameters = [parameter for layer in layers for parameter in (layer.weight, layer.bias)]

    def run() -> Any:
        with torch.no_grad():
            for parameter, value in zip(parameters, turned, strict=True):
                parameter.copy_(value)
        optimizer = torch.optim.SGD(parameters, RATE, MOMENTUM)
        total = 0.0
        for i in range(0, len(x), BATCH):
            rows = order[i : i + BATCH]
            optimizer.zero_grad()
            loss = functional.cross_entropy(logits(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / STEPS, parameters[-2].detach().numpy().T.copy()

    return run


if __name__ == "__main__":
    sys.exit(main("benchmarks.lenet", contests))
