"""Trains one small model and writes its weights and metrics: alone, or as one of two workers.

    python -m reference_tests.system.train_in_parallel OUT.npz alone|worker [examples]

A worker reads TF_CONFIG. TensorFlow's worker server listens on every interface: the tests run workers in a network
namespace of their own.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.model import MultiWorkerStrategy
from keras_course.models.vision.lenet import LeNet


def strategy_for(kind):
    return MultiWorkerStrategy() if kind == "worker" else tf.distribute.get_strategy()


def main(out, kind, examples="50"):
    strategy = strategy_for(kind)
    generator = np.random.Generator(np.random.Philox(7))
    x = generator.normal(size=(int(examples), 8, 8, 1)).astype("float32")
    y = generator.integers(0, 10, int(examples)).astype("int32")
    with strategy.scope():
        model = LeNet(seed=3)
        model.compile(
            keras.optimizers.SGD(0.05, momentum=0.9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    data = data.with_options(options)
    history = model.fit(data, epochs=3, verbose=0, shuffle=False).history
    measured = model.evaluate(data, verbose=0, return_dict=True)
    weights = {f"weight{i}": weight for i, weight in enumerate(model.get_weights())}
    np.savez(out, loss=history["loss"], accuracy=history["accuracy"], evaluated=list(measured.values()), **weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
