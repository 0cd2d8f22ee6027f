"""One SavedModel with every endpoint, and no half-written one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.model import Model


class TwoEndpoints(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)
        self.build((None, 3))

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.built = True

    def call(self, inputs):
        return self.dense(inputs)

    def endpoints(self):
        points = keras.InputSpec(shape=(None, 3), dtype="float32", name="points")
        return {
            "serving_default": (self.call, [points]),
            "doubled": (lambda points: {"twice": 2.0 * self(points)}, [points]),
        }


def test_every_endpoint_answers_for_two_batch_sizes(tmp_path):
    model = TwoEndpoints()
    model.export(tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1"))
    for batch in (1, 5):
        x = np.random.default_rng(0).normal(size=(batch, 3)).astype("float32")
        np.testing.assert_array_equal(served.signatures["serving_default"](points=x)["output_0"], model(x))
        np.testing.assert_array_equal(served.signatures["doubled"](points=x)["twice"], 2 * model(x))


def test_a_model_without_endpoints_of_its_own_serves_its_call(tmp_path):
    model = keras.Sequential([keras.layers.Dense(2)])

    class Plain(Model):
        def __init__(self):
            super().__init__()
            self.inner = model

        def call(self, inputs):
            return self.inner(inputs)

    plain = Plain()
    x = np.ones((4, 3), "float32")
    expected = plain(x)
    plain.export(tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1"))
    np.testing.assert_array_equal(served.serving_default(x), expected)


def test_an_unbuilt_model_says_what_is_missing(tmp_path):
    class Unbuilt(Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="build it, or write its endpoints"):
        Unbuilt().export(tmp_path / "1")


@pytest.mark.parametrize("dtype", ["float32", None], ids=["of a matching dtype", "without a dtype"])
def test_an_endpoint_that_cannot_be_traced_is_named_and_the_old_export_stays(tmp_path, dtype):
    model = TwoEndpoints()
    model.export(tmp_path / "1")
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))

    class Broken(TwoEndpoints):
        def endpoints(self):
            points = keras.InputSpec(shape=(None, 3), dtype=dtype)
            return {**super().endpoints(), "broken": (lambda points: points @ keras.ops.ones((2, 2)), [points])}

    with pytest.raises(ValueError, match="'broken' of Broken"):
        Broken().export(tmp_path / "1")
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_a_second_export_replaces_the_first_whole(tmp_path):
    model = TwoEndpoints()
    model.export(tmp_path / "1")
    model.dense.bias.assign([5.0, 5.0])
    model.export(tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1"))
    np.testing.assert_allclose(served.serving_default(np.zeros((1, 3), "float32")), [[5.0, 5.0]])
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_an_export_traces_each_endpoint_once(tmp_path):
    traces = []

    class Counting(TwoEndpoints):
        def endpoints(self):
            def counted(points):
                traces.append(points)
                return self(points)

            return {"serving_default": (counted, [keras.InputSpec(shape=(None, 3), dtype="float32", name="points")])}

    Counting().export(tmp_path / "1")
    assert len(traces) == 1
