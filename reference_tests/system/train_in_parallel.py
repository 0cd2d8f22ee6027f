"""Trains small models and writes their weights and metrics: alone, or as one of two workers.

    python -m reference_tests.system.train_in_parallel OUT.npz alone|worker [examples]

A worker reads TF_CONFIG. TensorFlow's worker server listens on every interface: the tests run workers in a network
namespace of their own.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if __name__ == "__main__":  # a short process: the collector would only be slow while all is imported
    import gc

    gc.disable()

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.model import MultiWorkerStrategy
from keras_course.models.generative import VariationalAutoencoder
from keras_course.models.latent import GaussianMixture, KMeans
from keras_course.models.vision.lenet import LeNet

BATCH, EPOCHS, SIDE, FEATURES = 16, 3, 8, 3


def strategy_for(kind):
    return MultiWorkerStrategy() if kind == "worker" else tf.distribute.get_strategy()


def lenet():
    model = LeNet(seed=3)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def vae():
    """Its noise is drawn for the whole batch, and each worker takes its rows of it."""
    model = VariationalAutoencoder(SIDE * SIDE, latent=2, units=(8,), samples=2, evaluation_samples=4, seed=3)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    return model


def k_means(points):
    model = KMeans(4, FEATURES, centres=points[:4])
    model.compile()
    return model


def gmm(points):
    model = GaussianMixture(2, FEATURES)
    model.start([0.5, 0.5], points[:2], np.stack([np.eye(FEATURES)] * 2))
    model.compile()
    return model


def main(out, kind, examples="51"):
    strategy = strategy_for(kind)
    generator = np.random.Generator(np.random.Philox(7))
    x = generator.normal(size=(int(examples), SIDE, SIDE, 1)).astype("float32")
    y = generator.integers(0, 10, int(examples)).astype("int32")
    black = (x.reshape(len(x), -1) > 0.5).astype("float32")
    points = x[:, :FEATURES, 0, 0] + 2 * (y % 2)[:, None].astype("float32")
    tasks = {
        "lenet": (lenet, (x, y)), "vae": (vae, (black,)),
        "k-means": (lambda: k_means(points), (points,)), "gmm": (lambda: gmm(points), (points,)),
    }  # fmt: skip
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    found = {}
    for name, (make, arrays) in tasks.items():
        with strategy.scope():
            model = make()
        data = tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH).with_options(options)
        history = model.fit(data, epochs=EPOCHS, verbose=0, shuffle=False).history
        measured = model.evaluate(data, verbose=0, return_dict=True)
        found |= {f"{name}/history/{metric}": values for metric, values in history.items()}
        found |= {f"{name}/evaluated/{metric}": value for metric, value in measured.items()}
        found |= {f"{name}/weight/{i}": weight for i, weight in enumerate(model.get_weights())}
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
