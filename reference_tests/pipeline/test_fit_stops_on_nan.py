"""A loss that is not finite stops the run at its step, names the tensor, and leaves the last good weights."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.errors import NonFiniteLossError
from keras_course.pipeline.batches import TrainingBatches, recipe_data
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.fit import compiled_model, fit
from keras_course.pipeline.guard import first_bad_output, state_of

GRAPH, XLA, EAGER = {}, {"jit_compile": True}, {"run_eagerly": True}
FOUR_STEPS, THREE_STEPS_XLA = {"steps_per_execution": 4}, {"steps_per_execution": 3, "jit_compile": True}


class BreaksAfter(keras.layers.Layer):
    """Passes its input on for so many training steps, then NaN."""

    def __init__(self, steps, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps

    def build(self, input_shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, inputs, training=False):
        if training:
            self.count.assign_add(1.0)
        return inputs * ops.where(self.count > self.steps, float("nan"), 1.0)

    def get_config(self):
        return {**super().get_config(), "steps": self.steps}


def breaking(steps):
    return lambda spec, seed: keras.Sequential(
        [
            keras.Input(spec.shape),
            keras.layers.Dense(8, kernel_initializer=keras.initializers.GlorotUniform(seed), name="before"),
            BreaksAfter(steps, name="breaks"),
            keras.layers.Dense(spec.classes, kernel_initializer=keras.initializers.GlorotUniform(seed), name="behind"),
        ]
    )


def weights_after(recipe, steps, seed=0):
    """Weights after so many steps of the recipe, by a plain loop over the same batches."""
    dataset = recipe_data(recipe, seed)
    model = compiled_model(recipe, dataset, seed)
    batches = TrainingBatches(dataset.train, recipe.batch_size, seed)
    for step in range(steps):
        batches.epoch, index = divmod(step, batches.steps)
        x, y = list(batches.dataset())[index]
        model.train_on_batch(x, y)
    return model.get_weights()


def stopped(recipe, folder):
    with pytest.raises(NonFiniteLossError) as caught:
        fit(recipe, out=folder, progress=False)
    config = json.loads((folder / "config.json").read_text())
    assert config["status"] == "failed" and "NonFiniteLossError" in config["error"]
    return caught.value


@pytest.mark.parametrize(
    ("mode", "steps"),  # an epoch has 5 steps: within the second, the first of all, the last and the first of an epoch
    [(GRAPH, 7), (XLA, 7), (THREE_STEPS_XLA, 7), (EAGER, 0), (EAGER, 4), (FOUR_STEPS, 5)],
    ids=str,
)
def test_a_layer_that_breaks_is_named_with_its_step(quadrants, tmp_path, mode, steps):
    recipe = quadrants(
        model=breaking(steps),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(0.01),
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True), **mode,
        },
    )  # fmt: skip
    error = stopped(recipe, tmp_path / "run")
    assert error.step == steps + 1 and "the layer" in error.tensor and "breaks" in error.tensor
    kept = keras.saving.load_model(tmp_path / "run" / "model.keras", custom_objects={"BreaksAfter": BreaksAfter})
    for mine, theirs in zip(kept.get_weights(), weights_after(recipe, max(steps - 1, 0)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=1e-6)


def test_the_kept_model_of_a_stopped_run_can_be_evaluated(quadrants, tmp_path):
    recipe = quadrants(EAGER, model=breaking(7))
    stopped(recipe, tmp_path / "run")
    evaluated = evaluate(tmp_path / "run", recipe=recipe, allow=(BreaksAfter,))
    assert np.isfinite(evaluated.metrics["test"]["loss"]) and evaluated.recorded == {}


@pytest.mark.parametrize("mode", [FOUR_STEPS, XLA], ids=str)
def test_a_batch_that_is_not_finite_is_named_and_the_weights_before_it_stay(quadrants, tmp_path, mode):
    def spoil(x, uniforms):
        return ops.where(ops.logical_and(x[:, :1] == rare, uniforms[:, :1] >= 0), float("nan"), x)

    recipe = quadrants(mode, augment=spoil, augment_draws=1)
    dataset = recipe_data(recipe, 0)
    batches = TrainingBatches(dataset.train, recipe.batch_size, 0)
    index = batches.order(0)[37]  # third batch of 16
    rare = float(dataset.train.x[index, 0])
    error = stopped(recipe, tmp_path / "run")
    assert error.step == 3 and error.tensor == "the input batch"
    kept = keras.saving.load_model(tmp_path / "run" / "model.keras")
    for mine, theirs in zip(kept.get_weights(), weights_after(quadrants(mode), 2), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", [EAGER, THREE_STEPS_XLA], ids=str)
def test_a_learning_rate_far_too_large_leaves_finite_weights_with_a_finite_loss(quadrants, tmp_path, mode):
    recipe = quadrants(
        compile=lambda spec: {
            "optimizer": keras.optimizers.SGD(1e38),
            "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True), "metrics": ["accuracy"], **mode,
        }
    )  # fmt: skip
    error = stopped(recipe, tmp_path / "run")
    assert 1 <= error.step <= 5
    evaluated = evaluate(tmp_path / "run", recipe=recipe)
    assert all(np.isfinite(weight).all() for weight in evaluated.model.get_weights())
    assert np.isfinite(evaluated.metrics["validation"]["loss"])


def test_a_bad_validation_loss_alone_stops_the_run_too(quadrants, tmp_path):
    class BreaksInInference(keras.layers.Layer):
        def call(self, inputs, training=False):
            return inputs if training else inputs / 0.0

    def network(spec, seed):
        return keras.Sequential([keras.Input(spec.shape), BreaksInInference(), keras.layers.Dense(spec.classes)])

    recipe = quadrants(EAGER, model=network)
    error = stopped(recipe, tmp_path / "run")
    assert error.step == 5 and "validation loss" in error.tensor


def test_optimiser_and_seed_counters_go_back_with_the_weights(quadrants, tmp_path):
    models = []

    def remembered(spec, seed):
        models.append(breaking(7)(spec, seed))
        return models[-1]

    stopped(quadrants(EAGER, model=remembered), tmp_path / "run")
    assert int(models[0].optimizer.iterations) == 6  # step 8 broke; the weights after step 6 gave the last finite loss


def test_history_of_the_epochs_before_the_stop_is_kept(quadrants, tmp_path):
    stopped(quadrants(EAGER, model=breaking(7)), tmp_path / "run")
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2


def test_naming_the_bad_layer_leaves_the_model_as_it_was(quadrants):
    recipe = quadrants()
    dataset = recipe_data(recipe, 0)
    model = compiled_model(recipe, dataset, 0)
    before = state_of(model)
    assert first_bad_output(model, dataset.train.x[:4]) is None
    assert "hidden" in first_bad_output(model, np.full((4, 2), np.nan, "float32"))
    assert all("call" not in vars(layer) for layer in model.layers)
    assert all(np.array_equal(before[key], value) for key, value in state_of(model).items())
