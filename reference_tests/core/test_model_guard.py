"""The model base class refuses what fails silently elsewhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.core.errors import ReservedNameError, UntrackedVariableError
from keras_course.core.model import ASSIGNED_BY_KERAS, Model
from keras_course.core.tracking import untracked_variables


class Holder(Model):
    """A trainable layer, and something else that holds a variable."""

    def __init__(self, held=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(1)
        self.held = held

    def call(self, inputs):
        return self.dense(inputs)


class PlainObject:
    def __init__(self):
        self.dense = keras.layers.Dense(2)
        self.dense.build((None, 4))


def closure_over_a_variable():
    scale = tf.Variable(2.0)
    return lambda x: x * scale


def module_with_a_variable():
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    return module


SMUGGLED = {
    "raw variable": lambda: tf.Variable(2.0),
    "layer in a plain object": PlainObject,
    "closure": closure_over_a_variable,
    "distribution": lambda: tfp.distributions.Normal(tf.Variable(0.0), 1.0),
    "bijector": lambda: tfp.bijectors.Scale(tf.Variable(2.0)),
    "module": module_with_a_variable,
    "list of variables": lambda: [tf.Variable(1.0)],
}


@pytest.mark.parametrize("kind", SMUGGLED)
def test_compile_refuses_a_reachable_variable_that_keras_does_not_track(kind):
    with pytest.raises(UntrackedVariableError, match=r"Holder\.held"):
        Holder(SMUGGLED[kind]()).compile("sgd", "mse")


def test_fit_refuses_a_variable_that_arrived_after_compile():
    model = Holder()
    model.compile("sgd", "mse")
    model.held = PlainObject()
    with pytest.raises(UntrackedVariableError, match="dense"):
        model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)


def test_fit_refuses_a_variable_that_the_first_step_creates():
    class Late(Model):
        def build(self, input_shape):
            self.hidden = PlainObject()

        def call(self, inputs):
            return self.hidden.dense(inputs)

    model = Late()
    model.compile("sgd", "mse")
    with pytest.raises(UntrackedVariableError):
        model.fit(np.ones((2, 4), "float32"), np.ones((2, 2), "float32"), verbose=0)


def test_an_ordinary_model_with_every_kind_of_tracked_part_passes():
    class Ordinary(Model):
        def __init__(self):
            super().__init__()
            self.stack = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
            self.named = {"out": keras.Sequential([keras.layers.Dense(1)])}
            self.monitor = keras.metrics.Mean()
            self.own = self.add_weight(shape=(1,), name="own")

        def call(self, inputs, training=False):
            for layer in self.stack:
                inputs = layer(inputs, training=training)
            return self.named["out"](inputs) + self.own

    model = Ordinary()
    for _ in range(2):
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
    assert untracked_variables(model) == {}


@pytest.mark.parametrize("name", ["loss", "optimizer", "layers", "metrics", "inputs"])
def test_a_class_that_defines_a_name_keras_overwrites_is_refused_at_definition(name):
    with pytest.raises(ReservedNameError, match=name):
        type("Clash", (Model,), {name: lambda self: None})


def test_metrics_as_a_property_is_the_keras_way_and_allowed():
    type("Fine", (Model,), {"metrics": property(lambda self: [])})


def test_every_public_attribute_that_keras_assigns_is_on_the_reserved_list():
    class Probe(keras.Model):
        def call(self, inputs):
            return inputs

    probe = Probe()
    probe.compile("sgd", "mse")
    probe.fit(np.ones((2, 3)), np.ones((2, 3)), verbose=0)
    own = {
        "name",
        "autocast",
        "activity_regularizer",
        "call_signature_parameters",
        "build",
        "quantize",
        "quantization_config",
    }
    assigned = {name for name in vars(probe) if not name.startswith("_")} - own
    assert assigned - ASSIGNED_BY_KERAS - {"unrolled_steps_per_execution"} == set()


def test_step_seed_repeats_for_the_same_step_and_differs_between_steps_and_salts():
    model = Holder(seed=3)
    model.compile("sgd", "mse")
    first = model.step_seed("noise").numpy().tolist()
    assert model.step_seed("noise").numpy().tolist() == first
    assert model.step_seed("mask").numpy().tolist() != first
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    assert model.step_seed("noise").numpy().tolist() != first
    assert Holder(seed=4).step_seed("noise").numpy().tolist() != first


def test_the_seed_is_part_of_the_config_and_lost_arguments_are_refused():
    class Bare(Model):
        def call(self, inputs):
            return inputs

    class Sized(Bare):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

    assert Bare.from_config(Bare(seed=5).get_config()).seed == 5
    with pytest.raises(NotImplementedError, match="get_config"):
        Sized(7).get_config()


def test_a_seed_that_is_no_integer_is_refused():
    with pytest.raises(ValueError, match="Received: seed='a'"):
        Holder(seed="a")


def test_a_functional_model_is_refused_before_keras_exchanges_the_base_of_every_model():
    inputs = keras.Input((2,))
    bases = Model.__bases__
    with pytest.raises(TypeError, match="take keras.Model for that.* Received: 2 positional arguments, no others"):
        Model(inputs, keras.layers.Dense(1)(inputs))
    with pytest.raises(TypeError, match="Received: 0 positional arguments, inputs, outputs"):
        Model(inputs=inputs, outputs=inputs)
    assert Model.__bases__ == bases == (keras.Model,)
