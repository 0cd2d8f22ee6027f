"""Planted bugs in layers. `Leaky` and `Noise` are the correct twins."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from reference_tests.conformance.mutant import Mutant, planted

LAYER_MUTANTS: list[Mutant] = []
LEAKY = {"units": 3, "slope": 0.3}
INPUTS = (2, 4, 3)


def bug(words, caught_by, init=None, inputs=INPUTS):
    return planted(LAYER_MUTANTS, "layer", words, caught_by, init=LEAKY if init is None else init, inputs=inputs)


@keras.saving.register_keras_serializable(package="mutants")
class Leaky(keras.layers.Layer):
    """leaky(x W + b): a dense layer with a leaky rectifier."""

    def __init__(self, units, slope=0.1, **kwargs):
        super().__init__(**kwargs)
        self.units, self.slope = units, slope
        self.supports_masking = True

    def build(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(f"Leaky needs rank 2 or more. Received: input_shape={input_shape}")
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs):
        z = ops.matmul(inputs, self.kernel) + self.bias
        return ops.maximum(z, 0) + self.slope * ops.minimum(z, 0)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "slope": self.slope}


@keras.saving.register_keras_serializable(package="mutants")
class Noise(keras.layers.Layer):
    """x + scale n in training, n standard normal."""

    def __init__(self, scale, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.seed = scale, seed
        self.seeds = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(f"Noise needs rank 2 or more. Received: input_shape={input_shape}")
        self.built = True

    def call(self, inputs, training=False):
        return inputs + self.scale * self.draw(inputs) if training else inputs

    def draw(self, inputs):
        return keras.random.normal(ops.shape(inputs), dtype=self.compute_dtype, seed=self.seeds)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "seed": self.seed}


@bug("get_config drops an argument", "config_names_every_argument")
class DroppedArgument(Leaky):
    def get_config(self):
        config = super().get_config()
        del config["slope"]
        return config


@bug("get_config writes the default instead of the value", "config_names_every_argument")
class DefaultInConfig(Leaky):
    def get_config(self):
        return {**super().get_config(), "slope": 0.1}


@bug("from_config forgets an argument", "config_rebuilds_an_equal_object")
class ForgetfulFromConfig(Leaky):
    @classmethod
    def from_config(cls, config):
        return cls(units=config["units"])


@bug("the batch size is frozen by the first call", "any_batch_size_serves")
class BatchFrozenByFirstCall(Leaky):
    rows = None

    def call(self, inputs):
        self.rows = self.rows or inputs.shape[0]
        outputs = super().call(inputs)
        return ops.reshape(outputs, (self.rows or -1, *outputs.shape[1:]))


@bug("the batch size is frozen when a graph is traced", "eager_graph_and_xla_agree")
class BatchFrozenInGraph(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        return ops.reshape(outputs, (inputs.shape[0] or 2, -1, self.units))


@bug("the output is cast to float32", "computes_in_mixed_bfloat16")
class HardCodedFloat32(Leaky):
    def call(self, inputs):
        return ops.cast(super().call(inputs), "float32")


@bug("float32 in the middle, cast back at the end", "float64_is_really_float64")
class HiddenFloat32(Leaky):
    def call(self, inputs):
        return ops.cast(ops.cast(super().call(inputs), "float32"), self.compute_dtype)


@bug("a constant that float16 cannot hold", "computes_in_mixed_float16")
class ConstantBeyondFloat16(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs + ops.cast(-1e9, self.compute_dtype) * ops.zeros_like(outputs)


@bug("rows leak into each other by a mean over the batch", "rows_do_not_depend_on_the_batch")
class BatchLeak(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs - ops.mean(outputs, axis=0, keepdims=True)


@bug("a tf.Variable that Keras does not track", "every_variable_is_tracked")
class UntrackedVariable(Leaky):
    def build(self, input_shape):
        super().build(input_shape)
        with tf.init_scope():
            self.gain = tf.Variable(1.0)

    def call(self, inputs):
        return super().call(inputs) * ops.cast(self.gain, self.compute_dtype)


@bug("a weight made in call", "no_weights_are_made_in_call")
class WeightMadeInCall(Leaky):
    gain = None

    def call(self, inputs):
        if self.gain is None:
            with tf.init_scope():
                self.gain = keras.Variable(1.0, dtype=self.variable_dtype)
        return super().call(inputs) * ops.cast(self.gain, self.compute_dtype)


@bug("compute_output_shape promises another width", "symbolic_shape_is_the_eager_shape")
class WrongOutputShape(Leaky):
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units + 1)


@bug("the mask is dropped", "masks_pass_through")
class MaskDropped(Leaky):
    def compute_mask(self, inputs, previous_mask=None):
        return None


@bug("padding leaks through a mean over time", "masked_steps_do_not_matter")
class PaddingLeaks(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs - ops.mean(outputs, axis=1, keepdims=True)


@bug("inference moves state", "inference_repeats_itself")
class StateMovesInInference(Leaky):
    def build(self, input_shape):
        super().build(input_shape)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, inputs):
        self.count.assign_add(1.0)
        return super().call(inputs)


@bug("noise stays on in inference", "inference_repeats_itself", init={"scale": 0.5, "seed": 3})
class NoiseInInference(Noise):
    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


@bug("a stale seed: the same noise every step", "training_draws_are_fresh", init={"scale": 0.5, "seed": 3})
class StaleSeed(Noise):
    def draw(self, inputs):
        return keras.random.normal(ops.shape(inputs), dtype=self.compute_dtype, seed=3)


@bug("the seed argument is ignored", "same_seed_same_draws", init={"scale": 0.5, "seed": 3})
class SeedIgnored(Noise):
    def __init__(self, scale, seed=None, **kwargs):
        super().__init__(scale, seed, **kwargs)
        self.seeds = keras.random.SeedGenerator(keras.random.randint((), 0, 10**6).numpy().item())


@bug("draws from Keras's global generator", "training_draws_are_fresh", init={"scale": 0.5, "seed": 3})
class GlobalGenerator(Noise):
    def draw(self, inputs):
        return keras.random.normal(ops.shape(inputs), dtype=self.compute_dtype)


@bug("0/0 at an input of zeros", "edges_stay_finite")
class NotANumberAtZero(Leaky):
    def call(self, inputs):
        return super().call(inputs / ops.norm(inputs, axis=-1, keepdims=True))


@bug("overflow: exp without subtracting the maximum", "edges_stay_finite")
class OverflowingSoftmax(Leaky):
    def call(self, inputs):
        weights = ops.exp(super().call(inputs))
        return weights / ops.sum(weights, axis=-1, keepdims=True)


@bug("a stop_gradient too many", "gradients_reach_every_weight")
class GradientStopped(Leaky):
    def call(self, inputs):
        z = ops.matmul(inputs, ops.stop_gradient(self.kernel)) + self.bias
        return ops.maximum(z, 0) + self.slope * ops.minimum(z, 0)


@bug("a straight-through rounding without its stop_gradient", "gradients_reach_every_weight")
class StopGradientMissing(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs + (ops.round(outputs) - outputs)


@tf.custom_gradient
def _square(x):
    return x * x, lambda upstream: upstream * 2.002 * x


@bug("a hand-written gradient off by a thousandth", "gradients_are_true")
class WrongGradient(Leaky):
    def call(self, inputs):
        return _square(super().call(inputs))


@bug("a list on self grows with every call", "calls_leave_python_attributes_alone")
class PythonSideEffect(Leaky):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = []

    def call(self, inputs):
        self.seen.append(1)
        return super().call(inputs)


@bug("NumPy inside call", "eager_graph_and_xla_agree")
class NumpyInside(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        scale = np.max(np.abs(outputs.numpy())) * 0 + 1 if hasattr(outputs, "numpy") else 2.0
        return outputs * ops.cast(scale, self.compute_dtype)


@bug("a wrong formula, wrong everywhere alike (goldens are there for that)", "")
class WrongFormula(Leaky):
    def call(self, inputs):
        z = ops.matmul(inputs, self.kernel) - self.bias
        return ops.maximum(z, 0) + self.slope * ops.minimum(z, 0)


@bug("no check of the rank", "wrong_rank_is_refused")
class RankUnchecked(Leaky):
    def build(self, input_shape):
        super().build((None, input_shape[-1]))

    def call(self, inputs):
        return super().call(inputs if len(inputs.shape) > 1 else inputs[None])


@bug("an empty batch stops it", "an_empty_batch_gives_an_empty_output")
class RefusesEmptyBatch(Leaky):
    def call(self, inputs):
        outputs = super().call(inputs)
        return outputs - ops.max(outputs, axis=-1, keepdims=True)


@bug("the weights file lacks the bias", "weights_file_restores_it")
class BiasNotSaved(Leaky):
    def save_own_variables(self, store):
        store["0"] = self.kernel

    def load_own_variables(self, store):
        self.kernel.assign(store["0"])


@keras.saving.register_keras_serializable()
class CatchAllPackage(Leaky):
    pass


LAYER_MUTANTS.append(
    Mutant("registered under Custom", "layer", CatchAllPackage, "registered_under_an_explicit_package", LEAKY, INPUTS)
)
