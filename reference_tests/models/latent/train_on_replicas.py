"""Trains k-means and a mixture alone or on two logical CPUs and writes what they learned.

python -m reference_tests.models.latent.train_on_replicas OUT.npz alone|replicas
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from keras_course.models.latent import GaussianMixture, KMeans


def strategy_for(kind):
    if kind == "alone":
        return tf.distribute.get_strategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def main(out, kind):
    strategy = strategy_for(kind)
    x = np.random.Generator(np.random.Philox(7)).normal(size=(251, 3)).astype("float32")
    learned = {}
    for make in (lambda: KMeans(4, 3), lambda: GaussianMixture(2, 3, tolerance=0.0)):
        with strategy.scope():
            model = make()
            model.compile()
        history = model.fit(x, batch_size=60, epochs=4, verbose=0).history
        name = model.name
        learned |= {f"{name}_{key}": values for key, values in history.items()}
        learned |= {f"{name}_{i}": weight for i, weight in enumerate(model.get_weights())}
    np.savez(out, **learned)


if __name__ == "__main__":
    main(*sys.argv[1:])
