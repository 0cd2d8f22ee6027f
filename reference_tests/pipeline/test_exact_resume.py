"""A run that was killed and resumed ends with the bits of one that never was."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.errors import ResumeError, RunFolderError
from keras_course.optimizers import DeltaBarDelta, Nesterov
from keras_course.pipeline import fit as fit_step
from keras_course.pipeline.batches import TrainingBatches, untuned
from keras_course.pipeline.callbacks import EpochData
from keras_course.pipeline.checkpoint import checkpoint_files, read_checkpoint
from keras_course.pipeline.exact_resume import ExactResume
from keras_course.pipeline.fit import fit
from keras_course.pipeline.resume import resume
from keras_course.pipeline.run_folder import CONFIG, claim_run_folder, read_json
from keras_course.pipeline.training_state import arrays_of, restore, state_of
from reference_tests.optimizers import small_net


class Killed(BaseException):
    """Leaves everything as SIGKILL would: no handler of the package catches it."""


class KillAt(keras.callbacks.Callback):
    """Dies after so many executions, before any other callback hears of the last."""

    resume_attributes = ()

    def __init__(self, executions):
        super().__init__()
        self.left = executions

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Killed


def same_bits(one, other):
    return all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
        for (_, a), (_, b) in zip(arrays_of(one), arrays_of(other), strict=True)
    )


@pytest.fixture
def killed_fit(monkeypatch):
    """`fit` that dies after so many executions."""

    def run(recipe, executions, **arguments):
        class DyingEpochData(KillAt, EpochData):
            def __init__(self, batches):
                EpochData.__init__(self, batches)
                self.left = executions

        with monkeypatch.context() as patch:
            patch.setattr(fit_step, "EpochData", DyingEpochData)
            with pytest.raises(Killed):
                fit(recipe, progress=False, **arguments)

    return run


def jitter(x, uniforms):
    return x + 0.1 * (uniforms - 0.5)


@pytest.fixture(scope="module")
def uninterrupted(quadrants, tmp_path_factory):
    made = {}

    def run(compiled):
        key = str(compiled)
        if key not in made:
            recipe = quadrants(compiled, figures=(), select="val_loss", augment=jitter, augment_draws=2)
            made[key] = recipe, fit(recipe, out=tmp_path_factory.mktemp("whole") / "run", seed=3, progress=False)
        return made[key]

    return run


@pytest.mark.parametrize(
    "compiled, executions", [({}, 2), ({}, 6), ({}, 12), ({"steps_per_execution": 2}, 5), ({"jit_compile": True}, 8)]
)
def test_a_run_killed_at_any_step_ends_with_the_bits_of_one_that_never_was(
    uninterrupted, killed_fit, tmp_path, compiled, executions
):
    recipe, whole = uninterrupted(compiled)
    killed_fit(recipe, executions, out=tmp_path / "run", seed=3, checkpoint_steps=2)
    resumed = resume(tmp_path / "run", recipe=recipe, progress=False)
    assert same_bits(whole.model, resumed.model)
    assert whole.history == resumed.history and whole.metrics == resumed.metrics
    config = read_json(tmp_path / "run" / CONFIG)
    assert config["status"] == "finished" and not (tmp_path / "run" / "checkpoints").exists()
    assert config["resumed"][0]["repeats_bit_for_bit"] is (True if executions > 4 else None)
    files = ("history.csv",)
    assert all((whole.run / name).read_bytes() == (resumed.run / name).read_bytes() for name in files)


@pytest.mark.parametrize("damaged", [False, True], ids=["from a checkpoint", "anew, its checkpoint being damaged"])
def test_the_start_of_a_recipe_is_made_again_only_where_no_checkpoint_is_restored(
    quadrants, killed_fit, tmp_path, damaged
):
    started = []

    def far_off(model, dataset, seed):
        started.append(seed)
        model.layers[0].kernel.assign(model.layers[0].kernel + 3.0)

    recipe = quadrants({"run_eagerly": True}, epochs=2, figures=(), start=far_off)
    whole = fit(recipe, out=tmp_path / "whole", seed=3, progress=False)
    killed_fit(recipe, 4, out=tmp_path / "run", seed=3, checkpoint_steps=3)
    assert started == [3, 3]
    if damaged:
        for path in checkpoint_files(tmp_path / "run" / "checkpoints"):
            path.write_bytes(path.read_bytes()[:-7])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        resumed = resume(tmp_path / "run", recipe=recipe, progress=False)
    assert len(started) == (3 if damaged else 2)
    assert sum("it is skipped" in str(one.message) for one in told) == int(damaged)
    assert same_bits(whole.model, resumed.model) and whole.history == resumed.history


def test_a_run_can_be_killed_again_while_it_is_resumed(uninterrupted, killed_fit, tmp_path, monkeypatch):
    recipe, whole = uninterrupted({})
    killed_fit(recipe, 7, out=tmp_path / "run", seed=3, checkpoint_steps=2)
    calls = []

    class Dying(EpochData):
        def on_train_batch_begin(self, batch, logs=None):
            calls.append(batch)
            if len(calls) == 5:
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(fit_step, "EpochData", Dying)
        with pytest.raises(Killed):
            resume(tmp_path / "run", recipe=recipe, progress=False)
    resumed = resume(tmp_path / "run", recipe=recipe, progress=False)
    assert same_bits(whole.model, resumed.model) and whole.history == resumed.history
    assert len(read_json(tmp_path / "run" / CONFIG)["resumed"]) == 2


def test_without_a_sound_checkpoint_the_run_starts_anew(uninterrupted, killed_fit, tmp_path):
    recipe, whole = uninterrupted({})
    killed_fit(recipe, 5, out=tmp_path / "run", seed=3, checkpoint_steps=2)
    for file in checkpoint_files(tmp_path / "run" / "checkpoints"):
        file.write_bytes(file.read_bytes()[:-1])
    with pytest.warns(RuntimeWarning, match="cannot be trusted.*it is skipped"):
        resumed = resume(tmp_path / "run", recipe=recipe, progress=False)
    assert same_bits(whole.model, resumed.model)


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(uninterrupted, killed_fit, tmp_path):
    recipe, whole = uninterrupted({})
    killed_fit(recipe, 7, out=tmp_path / "run", seed=3, checkpoint_steps=2)
    older, newer = checkpoint_files(tmp_path / "run" / "checkpoints")
    newer.write_bytes(newer.read_bytes()[:40])
    with pytest.warns(RuntimeWarning, match=newer.name):
        resumed = resume(tmp_path / "run", recipe=recipe, progress=False)
    assert same_bits(whole.model, resumed.model)
    entry = read_json(tmp_path / "run" / CONFIG)["resumed"][0]
    assert entry["from"] == [*map(int, (older.name[6:14], older.name[20:30]))] and entry["repeats_bit_for_bit"] is None


def test_only_a_run_that_is_neither_running_nor_finished_is_resumed(uninterrupted, killed_fit, tmp_path):
    recipe, whole = uninterrupted({})
    with pytest.raises(RunFolderError, match="finished; there is nothing to resume"):
        resume(whole.run, recipe=recipe)
    killed_fit(recipe, 2, out=tmp_path / "run", seed=3)
    with pytest.raises(RunFolderError, match="is a run of 'quadrants'. Received: slug='lenet'"):
        resume(tmp_path / "run", recipe="lenet")
    running = claim_run_folder(tmp_path / "other", "quadrants")
    running.write_config("running", slug="quadrants")
    with pytest.raises(RunFolderError, match="still running, in another process"):
        resume(tmp_path / "other", recipe=recipe)
    with pytest.raises(RunFolderError, match="There is no run folder"):
        resume(tmp_path / "nowhere", recipe=recipe)


# model.fit with one callback, for a model and a loop of one's own


def noisy_model():
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"], run_eagerly=True)  # graphs and XLA: see above
    return model


X = np.random.default_rng(0).normal(size=(37, 2)).astype("float32")
Y = (X[:, :1] - X[:, 1:] ** 2).astype("float32")


def rows_of(x):
    return untuned(tf.data.Dataset.from_tensor_slices((x, Y)).batch(8))


def watchers(folder):
    return [
        keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5),
        keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
    ]


def user_fit(folder, *before, after=(), epochs=7, x=X, model=None, steps=3):
    model = model or noisy_model()
    resuming = ExactResume(folder / "state", steps=steps)
    history = model.fit(
        rows_of(x), epochs=epochs, shuffle=False, verbose=0, validation_data=rows_of(X),
        callbacks=[*before, *watchers(folder), resuming, *after],
    )  # fmt: skip
    return model, history.history, resuming


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usual")
    return *user_fit(folder), folder


@pytest.mark.parametrize("executions", [4, 9, 14, 19])
def test_a_fit_of_ones_own_resumes_dropout_callbacks_and_history(usual, tmp_path, executions):
    with pytest.raises(Killed):
        user_fit(tmp_path, KillAt(executions))
    model, history, resuming = user_fit(tmp_path)
    assert resuming.resumed_at is not None and resuming.proved in (True, None)
    assert history == usual[1]  # learning rates, validation numbers and the epoch of the early stop
    assert same_bits(model, usual[0])
    best = [keras.saving.load_model(folder / "best.keras").get_weights() for folder in (tmp_path, usual[3])]
    assert all(np.array_equal(a, b) for a, b in zip(*best, strict=True))


@pytest.mark.parametrize("append", [False, True])
def test_a_log_of_rows_is_that_of_one_run(tmp_path, append):
    """Killed in the second epoch: Keras's logger would lose the first one's row, or write the second one's twice."""

    def logged(name, *before):
        log = keras.callbacks.CSVLogger(tmp_path / f"{name}.csv", append=append)
        model, resuming = noisy_model(), ExactResume(tmp_path / name, steps=4)
        model.fit(rows_of(X), epochs=3, shuffle=False, verbose=0, callbacks=[*before, log, resuming])
        return (tmp_path / f"{name}.csv").read_text()

    with pytest.raises(Killed):
        logged("killed", KillAt(11))  # five steps an epoch, the last checkpoint after eight: before the second's row
    assert logged("killed") == logged("whole") and len(logged("another").splitlines()) == 4


def test_another_order_of_the_data_is_told(tmp_path):
    with pytest.raises(Killed):
        user_fit(tmp_path, KillAt(10))
    with pytest.warns(RuntimeWarning, match="does not repeat the killed one bit for bit"):
        _, history, resuming = user_fit(tmp_path, x=X[::-1].copy())
    assert resuming.proved is False and len(history["loss"]) >= 2


def test_checkpoints_of_something_else_are_refused_before_anything_changes(tmp_path):
    with pytest.raises(Killed):
        user_fit(tmp_path, KillAt(10))
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ResumeError, match="state variables"):
        user_fit(tmp_path, model=other)
    with pytest.raises(ResumeError, match="had the callbacks .* Received: callbacks="):
        noisy_model().fit(rows_of(X), verbose=0, callbacks=[ExactResume(tmp_path / "state")])
    with pytest.raises(ResumeError, match="was in epoch 2. Received: epochs=1"):
        user_fit(tmp_path, epochs=1)


def test_no_callback_ever_sees_weights_that_the_killed_run_did_not_have(tmp_path):
    with pytest.raises(Killed):
        user_fit(tmp_path, KillAt(10), steps=4)
    saved = read_checkpoint(checkpoint_files(tmp_path / "state")[-2])
    seen = []

    class Watch(keras.callbacks.Callback):
        resume_attributes = ()

        def on_train_batch_end(self, batch, logs=None):
            seen.append(self.model.get_weights()[0])

    user_fit(tmp_path, after=[Watch()])
    kernel = saved.variables[0][1]
    assert saved.steps > 1 and all(np.array_equal(weights, kernel) for weights in seen[: saved.steps])
    assert not np.array_equal(seen[saved.steps], kernel)


def test_an_order_that_changes_with_the_epoch_needs_no_help(tmp_path, quadrants):
    recipe = quadrants()
    split = fit_step.recipe_data(recipe, 0).train

    def run(folder, *callbacks):
        keras.utils.set_random_seed(2)
        batches = TrainingBatches(split, 16, seed=4)
        model = recipe.model(type("Spec", (), {"shape": (2,), "classes": 4}), 0)
        model.compile(**recipe.compile(type("Spec", (), {"classes": 4})))
        model.fit(
            batches.dataset(), epochs=3, shuffle=False, verbose=0,
            callbacks=[EpochData(batches), *callbacks, ExactResume(folder, steps=1)],
        )  # fmt: skip
        return model

    with pytest.raises(Killed):
        run(tmp_path / "a", KillAt(7))
    assert same_bits(run(tmp_path / "a"), run(tmp_path / "b"))


def test_a_checkpoint_that_cannot_be_written_costs_no_training(tmp_path, usual, monkeypatch):
    import keras_course.pipeline.exact_resume as module

    def full_disk(folder, checkpoint):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_checkpoint", full_disk)
    with pytest.warns(RuntimeWarning, match="could not be written .*No space left on device.*training goes on"):
        model, history, _ = user_fit(tmp_path, steps=9)
    assert same_bits(model, usual[0]) and history == usual[1]


def test_a_fit_without_checkpoints_changes_no_bit(usual, tmp_path):
    model = noisy_model()
    model.fit(rows_of(X), epochs=7, verbose=0, validation_data=rows_of(X), callbacks=watchers(tmp_path))
    assert same_bits(model, usual[0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"steps": 0}, "integer steps of at least 1. Received: steps=0"),
        ({"seconds": -1.0}, "seconds above 0, or None. Received: seconds=-1.0"),
        ({"steps": None, "seconds": None}, "needs steps or seconds. Received: steps=None, seconds=None"),
    ],
)
def test_intervals_out_of_range_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        ExactResume(tmp_path, **arguments)


def test_a_fit_that_is_not_killed_warns_of_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        _, _, resuming = user_fit(tmp_path, epochs=1)
    assert resuming.resumed_at is None and len(checkpoint_files(tmp_path / "state")) == 1


def test_slots_made_after_the_state_was_taken_get_what_they_start_with():
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(DeltaBarDelta(0.1, full_batch=True), "mse", run_eagerly=True)
    before, weights = state_of(model), model.get_weights()
    for _ in range(3):
        model.train_on_batch(x, y)
    assert not np.array_equal(model.optimizer.gains[0], np.ones((2, 1)))
    restore(model, before)
    assert np.array_equal(model.optimizer.gains[0], np.ones((2, 1)))  # zeros would never move again
    assert not model.optimizer.averages[0].numpy().any() and int(model.optimizer.iterations) == 0
    assert all(np.array_equal(*pair) for pair in zip(weights, model.get_weights(), strict=True))


def test_nesterov_resumes_between_two_steps_bit_for_bit(tmp_path):
    def fitted(*callbacks):
        model = small_net.SmallNet()
        model.compile(Nesterov(0.05, 0.9), loss="mse")
        how = {"batch_size": 24, "epochs": 3, "shuffle": False, "verbose": 0}
        model.fit(small_net.X, small_net.Y, callbacks=[*callbacks], **how)
        return model.get_weights()

    class Kill(keras.callbacks.Callback):
        resume_attributes = ()

        def __init__(self, step):
            super().__init__()
            self.left = step

        def on_train_batch_end(self, batch, logs=None):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(ExactResume(tmp_path, steps=1), Kill(3))
    resume = ExactResume(tmp_path, steps=1)
    assert all(np.array_equal(*pair) for pair in zip(fitted(), fitted(resume), strict=True))
    assert resume.proved
