"""`fit` on arrays without tf.data: the same bits, the same History, and Keras's way for everything unusual."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_course.core import array_batches
from keras_course.core.model import Model
from keras_course.pipeline.exact_resume import ExactResume

ROWS = 23


class Small(Model):
    """A dense layer, dropout and batch normalisation: draws, and statistics that depend on the batch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [
            layers.Dense(5, "tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=3),
            layers.Dense(3),
        ]

    def call(self, inputs, training=False):
        x = inputs["a"] if isinstance(inputs, dict) else inputs
        for part in self.parts:
            x = part(x, training=training) if isinstance(part, layers.Dropout | layers.BatchNormalization) else part(x)
        return x


class OwnStep(Small):
    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        logs = super().train_step(data)
        return {**logs, "rows": tf.shape(x)[0], "of": -1 if x.shape[0] is None else x.shape[0]}


class Batches(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, {name: np.asarray(value).tolist() for name, value in logs.items()}))


@pytest.fixture(scope="module")
def data():
    draws = np.random.Generator(np.random.Philox(1))
    return draws.normal(size=(ROWS, 4)).astype("float32"), draws.integers(3, size=ROWS)


@pytest.fixture
def ways(monkeypatch):
    """Counts the fits that read arrays here; `keras` sends them Keras's way."""
    seen = []
    real = array_batches.may_cut_batches

    class Ways:
        fast = property(lambda self: sum(seen))

        def keras_only(self):
            monkeypatch.setattr(array_batches, "may_cut_batches", lambda *_: False)

        def both(self):
            monkeypatch.setattr(array_batches, "may_cut_batches", noted)

    def noted(*arguments):
        seen.append(real(*arguments))
        return seen[-1]

    found = Ways()
    found.both()
    return found


def trained(x, y, kind=Small, compiled=None, seed=7, callbacks=(), **how):
    keras.utils.set_random_seed(seed)
    model = kind(seed=1)
    compiled = {"jit_compile": False, **(compiled or {})}
    if compiled["jit_compile"]:
        model(x[:1])  # a step that makes no variables is compiled once
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, weighted_metrics=["accuracy"], **compiled)
    batches = Batches()
    how = {"epochs": 3, "batch_size": 5, "verbose": 0, **how}
    history = model.fit(x, y, callbacks=[batches, *callbacks], **how)
    state = [np.asarray(each) for each in (*model.get_weights(), *(v.value for v in model.optimizer.variables))]
    return state, history.history, history.epoch, batches.seen, history.params


def require_the_same(ours, keras_way):
    for a, b in zip(ours[0], keras_way[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours[1:] == keras_way[1:]


CASES = {
    "the last batch smaller": {},
    "all batches full, a step of its own": {"rows": 20, "kind": OwnStep, "compiled": {"steps_per_execution": 2}},
    "fewer rows than a batch, float64 data": {"batch_size": 64, "dtype": "float64"},
    "in order, Keras's batch size": {"batch_size": None, "shuffle": False},
    "sample weights, a step of its own": {"sample_weight": np.linspace(0, 2, ROWS), "kind": OwnStep},
    "class weights, more steps an execution than there are": {
        "class_weight": {0: 1.0, 1: 3.0}, "compiled": {"steps_per_execution": 64}
    },
    "validation data, an epoch to begin with": {"validation": True, "validation_freq": 2, "initial_epoch": 1},
    "a dictionary of integers": {"named": True, "dtype": "int32"},
    "compiled by XLA, three steps an execution": {"compiled": {"jit_compile": True, "steps_per_execution": 3}},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_fit_on_arrays_has_the_bits_of_keras_own_way(ways, data, name):
    case = dict(CASES[name])
    rows = case.pop("rows", ROWS)
    x, y = (each[:rows] for each in data)
    x = (x * 3).astype(case.pop("dtype", "float32"))
    if case.pop("named", False):
        x = {"a": x}
    if case.pop("validation", False):
        case["validation_data"] = (data[0][:9], data[1][:9])
    ours = trained(x, y, **case)
    assert ways.fast == 1
    ways.keras_only()
    require_the_same(ours, trained(x, y, **case))


UNUSUAL = {
    "validation split": {"validation_split": 0.3},
    "eager": {"run_eagerly": True},
    "steps an epoch": {"steps_per_epoch": 2},
    "shuffled batches": {"shuffle": "batch"},
    "tensors": {"tensors": True},
    "words": {"words": True},
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_fits_are_left_to_keras(ways, data, name):
    case = dict(UNUSUAL[name])
    x = tf.constant(data[0]) if case.pop("tensors", False) else data[0]
    x = np.array(["a"] * ROWS, object) if case.pop("words", False) else x
    model = Rows()
    model.compile(run_eagerly=case.pop("run_eagerly", False))
    model.fit(x, data[1], batch_size=5, epochs=1, verbose=0, **case)
    assert ways.fast == 0 and model.seen


class Rows(Model):
    """Learns nothing and notes what it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.build(None)

    def build(self, input_shape):
        self.built = True

    def note(self, data):
        x = keras.utils.unpack_x_y_sample_weight(data)[0]
        tf.py_function(lambda x: self.seen.append(x.numpy().tolist()), [x], [])
        return {"rows": tf.shape(x)[0]}

    train_step = test_step = note


def test_epochs_have_different_orders_without_a_seed_and_every_row_once(ways, data):
    tf.random.set_seed(None)
    model = Rows()
    model.compile()
    model.fit(np.arange(50), batch_size=20, epochs=2, verbose=0)
    seen = list(model.seen)
    assert ways.fast == 1
    assert [len(rows) for rows in seen] == [20, 20, 10] * 2
    first, second = sum(seen[:3], []), sum(seen[3:], [])
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second and first != list(range(50))


def test_a_resumed_fit_on_arrays_ends_with_the_bits_of_one_never_killed(ways, data, tmp_path):
    class Killed(Exception):
        pass

    class Kill(keras.callbacks.Callback):
        resume_attributes = ()

        def __init__(self, at):
            super().__init__()
            self.at, self.steps = at, 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == self.at:
                raise Killed

    def run(folder, at):
        return trained(*data, epochs=4, callbacks=[ExactResume(folder, steps=2), Kill(at)])

    whole = run(tmp_path / "whole", None)
    with pytest.raises(Killed):
        run(tmp_path / "killed", 9)
    resumed = run(tmp_path / "killed", None)
    assert ways.fast == 3
    for a, b in zip(whole[0], resumed[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole[1] == resumed[1]


def test_replicas_are_left_to_keras(ways, data):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = Small()
        model.build((None, 4))
        model.compile("sgd", "mse")
    model.fit(data[0], np.zeros((ROWS, 3)), epochs=1, verbose=0)
    assert ways.fast == 0


def test_a_train_function_of_ones_own_is_left_alone(ways, data):
    model = Small()
    model.compile("sgd", "mse")
    model.train_function = lambda iterator: {"rows": len(next(iterator)[0])}
    history = model.fit(data[0], np.zeros((ROWS, 3)), batch_size=8, epochs=1, verbose=0)
    assert ways.fast == 0
    assert history.history == {"rows": [ROWS % 8]}


def test_lengths_that_differ_are_refused_as_keras_refuses_them(ways, data):
    model = Small()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="cardinality"):
        model.fit(data[0], np.zeros((ROWS - 1, 3)), verbose=0)


def test_arrays_changed_while_they_are_learnt_from_change_nothing(data):
    class Spoil(keras.callbacks.Callback):
        def __init__(self, x):
            super().__init__()
            self.x = x

        def on_train_batch_begin(self, batch, logs=None):
            self.x[:] = np.nan

    x = data[0].copy()
    spoiled, untouched = trained(x, data[1], callbacks=[Spoil(x)]), trained(*data)
    for a, b in zip(spoiled[0], untouched[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_of_another_length_do_not_trace_the_step_again(data):
    traced = []

    class Counted(Small):
        def train_step(self, batch):
            traced.append(1)
            return super().train_step(batch)

    model = Counted()
    model.compile("sgd", "mse", jit_compile=False, steps_per_execution=2)
    counts = []
    for rows in (20, 16, 12, 8):
        model.fit(data[0][:rows], np.zeros((rows, 3)), batch_size=4, epochs=1, verbose=0)
        counts.append(len(traced))
    assert len(set(counts)) == 1


@pytest.mark.parametrize("own_step", [False, True])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_step_of_a_built_model_is_traced_once(jit_compile, own_step):
    traced = []

    class Counted(Model):
        keras_step = own_step

        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs):
            traced.append(inputs.shape)
            return self.dense(inputs)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 1)

    class OwnStepOfCounted(Counted):
        def train_step(self, data):
            return super().train_step(data)

    model = OwnStepOfCounted() if own_step else Counted()
    model(np.ones((1, 3), "float32"))
    traced.clear()
    model.compile(
        keras.optimizers.Adam(0.1), "mse", metrics=["mae"], weighted_metrics=["accuracy"], jit_compile=jit_compile
    )
    model.fit(np.ones((8, 3), "float32"), np.ones((8, 1), "float32"), batch_size=4, verbose=0)
    assert len(traced) == 1


class InOneProgram(Small):
    """All steps of an execution in one program; nothing is drawn, so that both ways compute the same."""

    one_program = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [self.parts[0], self.parts[1], self.parts[3]]


class OneByOne(InOneProgram):
    one_program = False


def test_all_steps_in_one_program_train_as_one_by_one(data):
    x, y = data  # four full batches, and one of 3 rows
    compiled = {"jit_compile": True, "steps_per_execution": 3}
    weights, history, epochs, seen, params = trained(x, y, kind=InOneProgram, compiled=compiled)
    state, wanted, theirs, batches, others = trained(x, y, kind=OneByOne, compiled=compiled)
    for a, b in zip(weights, state, strict=True):  # the optimizer's count of steps among them
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert (epochs, params) == (theirs, others) and [step for step, _ in seen] == [step for step, _ in batches]
    for name, values in wanted.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4)
    for (_, ours), (_, keras_way) in zip(seen, batches, strict=True):
        assert ours.keys() == keras_way.keys()
        np.testing.assert_allclose(list(ours.values()), list(keras_way.values()), rtol=1e-4)
