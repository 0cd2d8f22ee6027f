"""Planted bugs in models. `TwoLayers` is the correct twin."""

import random

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Model
from keras_course.core.seeds import derive_seed
from reference_tests.conformance.mutant import Mutant, planted

MODEL_MUTANTS: list[Mutant] = []
INIT = {"features": 3, "width": 4}
INPUTS = (4, 3)


def bug(words, caught_by):
    return planted(MODEL_MUTANTS, "model", words, caught_by, init=INIT, inputs=INPUTS)


def sums(x):
    """Targets of every mutant, (B, 1)."""
    return x.sum(1, keepdims=True)


@keras.saving.register_keras_serializable(package="mutants")
class TwoLayers(Model):
    """A hidden layer of tanh units and a linear output."""

    def __init__(self, features, width=5, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.features, self.width = features, width
        self.hidden = self.dense(width, "tanh", "hidden")
        self.top = self.dense(1, None, "top")
        self.add_parts()
        self.build((None, features))

    def add_parts(self):
        """What a mutant holds besides."""

    def dense(self, units, activation, name):
        start = keras.initializers.GlorotUniform(seed=self.seed_of(name))
        return keras.layers.Dense(units, activation, kernel_initializer=start, dtype=self.dtype_policy, name=name)

    def seed_of(self, name):
        return derive_seed(self.seed, name)

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.top.build((None, self.width))
        self.built = True

    def call(self, inputs, training=False):
        return self.top(self.hidden(inputs))

    def get_config(self):
        return {**super().get_config(), "features": self.features, "width": self.width}


@bug("get_config drops an argument", "config_names_every_argument")
class ModelDropsArgument(TwoLayers):
    def get_config(self):
        config = super().get_config()
        del config["width"]
        return config


@bug("a tf.Variable hidden in a plain object", "every_variable_is_tracked")
class HiddenVariable(TwoLayers):
    def build(self, input_shape):
        super().build(input_shape)
        gain = tf.Variable(1.0)
        self.gain = lambda: gain

    def call(self, inputs, training=False):
        return super().call(inputs) * self.gain()


@bug("gradient ascent", "a_tiny_fit_improves_the_objective")
class ClimbsTheLoss(TwoLayers):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return -loss if training else loss


@bug("train_step unpacks what fit passes and nothing else", "fit_is_train_on_batch")
class UnpacksTwo(TwoLayers):
    def train_step(self, data):
        x, y = data if len(data) == 2 else (data[0], ops.zeros_like(data[1]))
        return super().train_step((x, y))

    def train_on_batch(self, x, y=None, sample_weight=None, **kwargs):
        weight = np.ones(len(x), "float32") if sample_weight is None else sample_weight
        return super().train_on_batch(x, y, weight, **kwargs)


@bug("evaluate reports a mean of batch means", "measures_do_not_depend_on_the_batch_size")
class MeanOfMeans(TwoLayers):
    def add_parts(self):
        self.error = keras.metrics.Mean(name="error")

    @property
    def metrics(self):
        return [*super().metrics, self.error]

    def test_step(self, data):
        x, y = data
        self.error.update_state(ops.mean(ops.square(self(x) - y)))
        return {"error": self.error.result(), **super().test_step(data)}


@bug("noise stays on in predict", "predict_is_the_inference_call")
class NoisyPredictions(TwoLayers):
    def add_parts(self):
        self.noise = keras.layers.GaussianNoise(0.5, seed=3)

    def call(self, inputs, training=False):
        return super().call(self.noise(inputs, training=True))


@bug("a step count in Python, frozen by the graph", "eager_graph_and_xla_fits_agree")
class CountsInPython(TwoLayers):
    count = 0

    def compute_loss(self, *args, **kwargs):
        self.count += 1
        return super().compute_loss(*args, **kwargs) / self.count


@bug("the seed argument is ignored", "same_seed_same_weights")
class ModelIgnoresSeed(TwoLayers):
    def seed_of(self, name):
        return None


@bug("a second optimizer that the file loses", "keras_file_restores_it")
class LosesSecondOptimizer(TwoLayers):
    def compile(self, *args, **kwargs):
        super().compile(*args, **kwargs)
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        optimizer.build(self.top.trainable_variables)
        self.second = lambda: optimizer

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x) - y))
        self.second().apply(tape.gradient(loss, [variable.value for variable in self.top.trainable_variables]))
        return super().train_step(data)


@bug("the weights file lacks a layer", "weights_file_restores_it")
class LayerNotSaved(TwoLayers):
    def build(self, input_shape):
        super().build(input_shape)
        self.hidden.save_own_variables = lambda store: None
        self.hidden.load_own_variables = lambda store: None


@bug("an endpoint frozen to the batch it was traced with", "endpoints_answer_without_the_package")
class FrozenEndpoint(TwoLayers):
    def endpoints(self):
        ((function, specs),) = super().endpoints().values()
        return {"serving_default": (lambda inputs: ops.reshape(function(inputs), (inputs.shape[0] or 2, 1)), specs)}


@bug("initial weights that depend on the process", "another_process_gets_the_same_bits")
class DependsOnProcess(TwoLayers):
    offset = random.SystemRandom().randrange(10**6)

    def seed_of(self, name):
        return derive_seed(self.seed + self.offset, name)


@bug("a running mean that every replica keeps for itself", "two_replicas_end_where_one_ends")
class MeanOfOneReplica(TwoLayers):
    def add_parts(self):
        self.centre = self.add_weight(
            shape=(self.features,), initializer="zeros", trainable=False, aggregation="only_first_replica"
        )

    def train_step(self, data):
        self.centre.assign(0.5 * self.centre + 0.5 * ops.mean(data[0], axis=0))
        return super().train_step(data)

    def call(self, inputs, training=False):
        return super().call(inputs - self.centre)


@bug("the training step depends on a counter that no variable holds", "killed_and_resumed_is_uninterrupted")
class ForgetsItsCounter(TwoLayers):
    steps_done = 0

    def train_step(self, data):
        self.steps_done += 1
        self.optimizer.learning_rate.assign(0.05 / self.steps_done)
        return super().train_step(data)
