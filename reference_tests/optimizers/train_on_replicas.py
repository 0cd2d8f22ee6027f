"""Trains a small net with each kind of optimizer, alone or on two logical CPUs, and writes the weights.

python -m reference_tests.optimizers.train_on_replicas OUT.npz alone|replicas
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

from keras_course.optimizers import Adam, DeltaBarDelta, Nesterov, WeightClip, WindowedAdaGrad
from reference_tests.optimizers.small_net import SmallNet, X, Y

MAKERS = {
    "nesterov": lambda: Nesterov(0.05),
    "nesterov, scaled": lambda: keras.optimizers.LossScaleOptimizer(Nesterov(0.05)),
    "windowed adagrad": lambda: WindowedAdaGrad(0.05, window=2, delta=0.1),
    "adam": lambda: Adam(0.01, delta=1e-2, weight_decay=0.01),
    "delta-bar-delta": lambda: DeltaBarDelta(0.02),
}


def strategy_for(kind):
    if kind == "alone":
        return tf.distribute.get_strategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def main(out, kind):
    strategy, learned = strategy_for(kind), {}
    for name, make in MAKERS.items():
        with strategy.scope():
            net = SmallNet()
            net.hidden.kernel_constraint = WeightClip(0.6)
            net.compile(make(), loss="mse")
        net.fit(X, Y, batch_size=len(X), epochs=3, shuffle=False, verbose=0)
        learned |= {f"{name} {i}": weight for i, weight in enumerate(net.get_weights())}
    np.savez(out, **learned)


if __name__ == "__main__":
    main(*sys.argv[1:])
