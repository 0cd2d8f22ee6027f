"""Trains a variational autoencoder alone and on two logical CPUs and prints where the two differ.

python -m reference_tests.models.generative.train_on_replicas OUT.npz
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_course.models.generative import VariationalAutoencoder


def main(out):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    x = (np.random.Generator(np.random.Philox(7)).random((51, 6)) < 0.4).astype("float32")
    found = {}
    for kind in ("alone", "replicas"):
        strategy = tf.distribute.get_strategy()
        if kind == "replicas":
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            model = VariationalAutoencoder(6, latent=(3, 2), units=(4,), samples=2)
            model.compile(keras.optimizers.SGD(0.02, momentum=0.9))
        history = model.fit(x, batch_size=16, epochs=3, shuffle=False, verbose=0).history  # the last batch is of 3
        measured = model.evaluate(x, batch_size=16, verbose=0, return_dict=True)
        found |= {f"{kind}/history {name}": values for name, values in history.items()}
        found |= {f"{kind}/evaluate {name}": value for name, value in measured.items()}
        found |= {f"{kind}/weight {index}": weight for index, weight in enumerate(model.get_weights())}
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
