"""The same seed gives the same bits; order and augmentation are pure functions of (seed, epoch, index)."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.pipeline.batches import TrainingBatches, recipe_data
from keras_course.pipeline.fit import fit

EAGER = {"run_eagerly": True}


def weights(fitted):
    return fitted.model.get_weights()


def jitter(x, uniforms):
    return x + 0.1 * (uniforms - 0.5)


@pytest.mark.parametrize("compiled", [{"jit_compile": True}, {"steps_per_execution": 4}], ids=str)
def test_two_fits_of_one_seed_end_with_equal_bits(quadrants, tmp_path, compiled):
    recipe = quadrants(compiled, augment=jitter, augment_draws=2, epochs=2, figures=())
    first, second = (fit(recipe, out=tmp_path / name, seed=5, progress=False) for name in "ab")
    assert all(np.array_equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))
    assert first.history == second.history and first.metrics == second.metrics


def test_another_seed_ends_elsewhere(quadrants, tmp_path):
    recipe = quadrants(EAGER, epochs=1, figures=())
    first, second = (fit(recipe, out=tmp_path / str(s), seed=s, progress=False) for s in (5, 6))
    assert not np.array_equal(weights(first)[0], weights(second)[0])


def test_training_goes_on_from_what_the_start_of_a_recipe_made_of_the_training_data(quadrants, tmp_path):
    seen = []

    def centred(model, dataset, seed):
        seen.append((len(dataset.train), seed))
        model.layers[-1].bias.assign(np.full(4, dataset.train.x.mean()))

    still = {**EAGER, "optimizer": keras.optimizers.SGD(0.0)}
    fitted = fit(quadrants(still, start=centred, epochs=1, figures=()), out=tmp_path / "run", seed=5, progress=False)
    train = fitted.dataset.train
    assert seen == [(len(train), 5)]
    np.testing.assert_array_equal(weights(fitted)[-1], np.full(4, train.x.mean(), "float32"))
    with pytest.raises(ValueError, match="callable start or None.*Received: start=3"):
        quadrants(start=3)


def test_several_steps_an_execution_change_no_bit(quadrants, tmp_path):
    one, four = (
        fit(quadrants({"steps_per_execution": n}, epochs=2, figures=()), out=tmp_path / str(n), progress=False)
        for n in (1, 4)
    )
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(four), strict=True))


@pytest.fixture
def batches(quadrants):
    recipe = quadrants(augment=jitter, augment_draws=2)
    return TrainingBatches(recipe_data(recipe, 0).train, 16, 0, recipe.augment, recipe.augment_draws)


def epoch_of(batches, epoch):
    batches.epoch = epoch
    return [(x.numpy(), y.numpy()) for x, y in batches.dataset()]


def test_an_epoch_holds_every_example_once(batches):
    batches.augment = None
    x = np.concatenate([x for x, _ in epoch_of(batches, 2)])
    np.testing.assert_array_equal(x, batches.split.x[batches.order(2)])
    assert sorted(batches.order(2)) == list(range(len(batches.split)))
    assert len(epoch_of(batches, 2)) == batches.steps == int(batches.dataset().cardinality())


def test_an_epoch_can_be_had_without_those_before_it(batches):
    in_order = [epoch_of(batches, epoch) for epoch in range(3)]
    alone = epoch_of(batches, 2)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(in_order[2], alone, strict=True))
    assert not np.array_equal(in_order[1][0][0], alone[0][0])


def test_augmentation_depends_on_the_example_not_on_its_batch(batches):
    whole = TrainingBatches(batches.split, None, 0, jitter, 2)
    joined = np.concatenate([x for x, _ in epoch_of(batches, 1)])
    np.testing.assert_array_equal(epoch_of(whole, 1)[0][0], joined)
    order, uniforms = batches.order(1), batches.uniforms(1)
    np.testing.assert_allclose(joined, ops.convert_to_numpy(jitter(batches.split.x[order], uniforms[order])), rtol=1e-6)


def test_uniforms_lie_in_the_half_open_interval_and_fill_it(batches):
    many = TrainingBatches(batches.split, 16, 0, jitter, 4000).uniforms(0)
    assert many.dtype == np.float32 and many.min() >= 0 and many.max() < 1
    assert abs(many.mean() - 0.5) < 5 / np.sqrt(12 * many.size)  # five standard errors: one false alarm in two million
