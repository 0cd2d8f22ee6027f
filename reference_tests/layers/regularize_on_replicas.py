"""Normalizes, decays weights and drops units on two logical CPUs, and writes what came of it.

python -m reference_tests.layers.regularize_on_replicas OUT.npz
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

from keras_course.layers import BatchNormalization
from keras_course.models.regularized import DropoutMLP
from keras_course.optimizers import DecoupledWeightDecay


def main(out):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    generator = np.random.Generator(np.random.Philox(3))
    x = generator.normal(size=(8, 5, 3)).astype("float32")
    mask = np.ones((8, 5), "float32")
    mask[5:, 2:] = 0.0
    found = {"x": x, "mask": mask}

    def per_replica(array):
        halves = np.split(array, 2)
        place = lambda context: tf.constant(halves[context.replica_id_in_sync_group])  # noqa: E731
        return strategy.experimental_distribute_values_from_function(place)

    for name, synchronized in (("synchronized", True), ("local", False)):
        with strategy.scope():
            layer = BatchNormalization(synchronized=synchronized, momentum=0.0)
            layer.build((None, 5, 3))

        @tf.function(autograph=False)
        def normalize(x, mask, layer=layer):
            return strategy.run(lambda x, mask: layer(x, training=True, mask=mask), args=(x, mask))

        normalize(per_replica(x), per_replica(mask))
        found[f"{name}_mean"], found[f"{name}_variance"] = (v.numpy() for v in layer.non_trainable_variables)

    with strategy.scope():
        weights = keras.Variable(np.ones(2), dtype="float32", name="kernel")
        optimizer = DecoupledWeightDecay(keras.optimizers.SGD(0.5), decay=0.1, form="fixed")
        optimizer.build([weights])
        model = DropoutMLP(6, (4, 3))

    @tf.function(autograph=False)
    def step():
        strategy.run(lambda: optimizer.apply([tf.zeros(2)], [weights]))
        return strategy.run(lambda: model.step_masks(10)[0])

    for _ in range(3):
        masks = step()
    found["decayed"] = weights.numpy()
    found["masks"] = np.stack([part.numpy() for part in strategy.experimental_local_results(masks)])
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
