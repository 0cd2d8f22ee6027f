"""The deep energy model: chains against the exact law of a quadratic energy, slopes and densities against a grid."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.callbacks import EnergiesRunAway, EnergyWatch
from keras_course.core.errors import InvalidDataError, NonFiniteLossError
from keras_course.models.energy.energy_model import EnergyModel
from keras_course.models.energy.langevin_chains import langevin_chain, langevin_walk
from keras_course.ops.energy_models import conjunction_energy, energy_contrast, negation_energy
from keras_course.ops.langevin import langevin_moments

GENERATOR = np.random.Generator(np.random.Philox(0))
SMALL = {"units": (6,), "base_scale": 1.5, "buffer_size": 8, "negatives": 4, "langevin_steps": 2, "sampling_steps": 3}


def values(tensor):
    """A copy: what NumPy shows of a variable may move with it."""
    return ops.convert_to_numpy(tensor).copy()


@pytest.mark.parametrize("steps", [1, 60])
def test_chains_on_a_quadratic_energy_have_the_moments_of_the_step_size_they_run_at(steps):
    """E = (x - m) A (x - m) / 2 at a step so long that the variance is a quarter too wide; 6 standard errors."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    curvature, m, n, eta = np.array([0.5, 2.0]), np.array([1.0, -0.5]), 20_000, 0.2
    precision = (turn * curvature) @ turn.T

    def energy(x):
        centred = x - m.astype("float32")
        return ops.sum(centred * (centred @ precision.astype("float32")), axis=-1) / 2

    x = np.asarray(langevin_chain(energy, tf.zeros((n, 2)), 1, steps, eta)) @ turn  # in the axes of A
    mean, variance = langevin_moments(np.zeros(2), np.zeros(2), (m @ turn, curvature), eta, steps, form="eta")
    np.testing.assert_array_less(np.abs(x.mean(axis=0) - mean), 6 * np.sqrt(variance / n))
    covariance = np.cov(x.T)
    np.testing.assert_array_less(np.abs(np.diag(covariance) / variance - 1), 6 * np.sqrt(2 / n))
    assert abs(covariance[0, 1]) < 6 * np.sqrt(np.prod(variance) / n)
    if steps > 1:
        assert abs(float(variance[1]) * 2.0 - 1.25) < 1e-6  # 1 / (1 - a eta / 2), not 1: the bias shows


def test_a_chain_is_a_walk_along_the_noise_it_draws_and_at_temperature_0_descent():
    start = GENERATOR.normal(size=(3, 2)).astype("float32")
    descended = langevin_walk(lambda x: ops.sum(x**2, axis=-1), start, tf.zeros((2, 3, 2)), 0.1)
    np.testing.assert_allclose(values(descended), 0.8**2 * start, rtol=1e-5)
    cold = langevin_chain(lambda x: ops.sum(x**2, axis=-1), start, 1, 2, 0.1, temperature=0.0)
    np.testing.assert_allclose(values(cold), values(descended), rtol=1e-5)


def test_the_law_of_the_steps_is_their_recursion():
    mean, variance = np.float64(0.3), np.float64(0.7)
    for steps in range(4):
        found = langevin_moments(0.3 * np.ones(1), 0.7 * np.ones(1), (-1.0, 1.7), 0.4, steps)
        np.testing.assert_allclose(np.ravel(found), [mean, variance], rtol=1e-12)
        mean, variance = mean - 0.08 * 1.7 * (mean + 1.0), (1 - 0.08 * 1.7) ** 2 * variance + 0.16


def test_the_slopes_of_the_contrast_are_those_of_the_log_likelihood_on_a_grid():
    """All points of a grid, weighted by p, in place of chains; both sides by finite differences too."""
    model = EnergyModel(1, units=(3,), base_scale=1.0, buffer_size=1, negatives=1, dtype="float64")
    x = GENERATOR.normal(size=(5, 1))
    grid = np.linspace(-9, 9, 400)[:, None]
    weights = model.trainable_variables

    def likelihood():
        return ops.mean(model.log_prob(x, model.log_partition(-9, 9, 400)))

    p = ops.softmax(-model.energy(grid))
    with tf.GradientTape() as tape:
        contrast = ops.mean(energy_contrast(model.energy(x), 400 * p * model.energy(grid)))
    slopes = tape.gradient(contrast, [weight.value for weight in weights])
    for weight, slope in zip(weights, slopes, strict=True):
        start, slope, wanted = values(weight), values(slope), np.zeros(weight.shape)
        for place in np.ndindex(start.shape):
            sides = []
            for change in (1e-5, -1e-5):
                moved = start.copy()
                moved[place] += change
                weight.assign(moved)
                sides.append(float(likelihood()))
            wanted[place] = -(sides[0] - sides[1]) / 2e-5
            weight.assign(start)
        np.testing.assert_allclose(slope, wanted, atol=1e-8)


def test_the_score_is_the_slope_of_the_log_density():
    model = EnergyModel((2, 2), units=(5,), classes=3, base_scale=2.0, dtype="float64", buffer_size=1, negatives=1)
    x = GENERATOR.normal(size=(3, 2, 2))
    score = values(model.score(x))
    for place in np.ndindex(2, 2):
        ahead, behind = x.copy(), x.copy()
        ahead[:, *place] += 1e-5
        behind[:, *place] -= 1e-5
        slope = -(values(model.energy(ahead)) - values(model.energy(behind))) / 2e-5
        np.testing.assert_allclose(score[:, *place], slope, atol=1e-8)


def test_densities_integrate_to_one_in_one_and_two_dimensions():
    for size in (1, 2):
        model = EnergyModel(size, units=(5,), base_scale=1.0, buffer_size=1, negatives=1, dtype="float64")
        log_partition = model.log_partition(-8, 8, 120)
        axis = np.linspace(-8, 8, 161)  # another grid
        points = np.stack(np.meshgrid(*[axis] * size), axis=-1).reshape(-1, size)
        total = np.exp(values(model.log_prob(points, log_partition))).sum() * 0.1**size
        np.testing.assert_allclose(total, 1, rtol=1e-6)
    with pytest.raises(ValueError, match="1 or 2 values of x. Received: 3"):
        EnergyModel(3, **SMALL).log_partition(-1, 1)


def test_classes_are_summed_out_of_the_joint_density():
    model = EnergyModel(3, classes=4, **SMALL)
    x = GENERATOR.normal(size=(5, 3)).astype("float32")
    joint = np.exp(-values(model.class_energies(x)))
    np.testing.assert_allclose(np.exp(-values(model.energy(x))), joint.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(values(model.classify(x)), joint / joint.sum(axis=1, keepdims=True), rtol=1e-5)


def test_a_step_moves_by_the_contrast_and_its_buffer_by_the_chains():
    model = EnergyModel(3, restart=0.5, **SMALL)
    x = GENERATOR.normal(size=(5, 3)).astype("float32")
    before, buffer = [values(weight) for weight in model.trainable_variables], values(model.buffer)
    model.compile(keras.optimizers.SGD(1.0))
    states = values(model.next_negatives())
    moved = values(model.buffer)
    np.testing.assert_array_equal(moved[:4], states)
    np.testing.assert_array_equal(moved[4:], buffer[4:])  # their turn comes in the next step
    model.buffer.assign(buffer)
    with tf.GradientTape() as tape:
        contrast = ops.mean(model.energy(x)) - ops.mean(model.energy(states))
    slopes = [values(slope) for slope in tape.gradient(contrast, [each.value for each in model.trainable_variables])]
    model.train_on_batch(x)
    for weight, start, slope in zip(model.trainable_variables, before, slopes, strict=True):
        np.testing.assert_allclose(values(weight), start - slope, atol=1e-5)
    np.testing.assert_allclose(values(model.buffer), moved, atol=1e-5)
    model.train_on_batch(x)
    assert not np.array_equal(values(model.buffer)[4:], buffer[4:])


def test_combinations_of_concepts_are_sampled_where_both_or_only_one_hold():
    """Two Gaussian concepts, N(-1, 1) and N(1, 1): their product is N(0, 1/2); the first without the second is left."""
    model = EnergyModel(1, units=(), classes=2, base_scale=1.0, buffer_size=1, negatives=1, step_size=0.1)
    model.network.layers[0].kernel.assign([[1.0, -1.0]])
    both = values(model.sample(1, 2000, 50, conjunction_energy))
    assert abs(both.mean()) < 0.1 and abs(both.var() - 0.5 / (1 - 0.1)) < 0.1
    without = values(model.sample(1, 2000, 80, lambda e: negation_energy(e[:, 0], e[:, 1], 0.5)))
    assert abs(without.mean() + 3) < 0.2  # x + x^2 / 2 - (-x + x^2 / 2) / 2 = (x + 3)^2 / 4 - const
    each = values(model.sample_class(1, np.repeat([0, 1], 1000), 50))
    assert abs(each[:1000].mean() + 1) < 0.2 and abs(each[1000:].mean() - 1) < 0.2


def test_training_finds_two_clumps_and_samples_them():
    """Log-likelihood on a grid above the Gaussian of the same moments, and samples on both sides, none between."""
    generator = np.random.Generator(np.random.Philox(1))
    clump = np.where(generator.random((400, 1)) < 0.5, -1.5, 1.5)
    x = (clump + 0.3 * generator.normal(size=(400, 1))).astype("float32")
    model = EnergyModel(
        1, units=(24,), activation="tanh", base_scale=2.0, start_scale=2.0, step_size=0.03, langevin_steps=10,
        buffer_size=100, negatives=100,
    )  # fmt: skip
    rate = keras.optimizers.schedules.PolynomialDecay(0.02, 240, 0.0005)
    model.compile(keras.optimizers.Adam(rate, beta_1=0.0))
    history = model.fit(x, batch_size=100, epochs=60, verbose=0).history
    likelihood = float(ops.mean(model.log_prob(x, model.log_partition(-9, 9, 500))))
    assert likelihood > -0.5 * np.log(2 * np.pi * np.e * x.var()) + 0.3
    assert abs(np.mean(history["contrast"][-10:])) < 1
    samples = values(model.sample(0, 500, 100))
    assert 0.25 < (samples > 0).mean() < 0.75 and (np.abs(samples) < 0.4).mean() < 0.1


def test_classes_are_learned_with_the_density():
    x = np.concatenate([GENERATOR.normal(-1.5, 0.5, (40, 2)), GENERATOR.normal(1.5, 0.5, (40, 2))]).astype("float32")
    y = np.repeat([0, 1], 40)
    model = EnergyModel(2, classes=2, **SMALL)
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(x, y, batch_size=80, epochs=20, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"] > 0.95


def test_energies_that_run_away_are_named():
    """Gradient steps far too long: the energies of data fall faster than the chains follow."""
    model = EnergyModel(3, **{**SMALL, "base_scale": None}, name="runaway")
    model.compile(keras.optimizers.SGD(300.0))
    x = GENERATOR.normal(2.0, 1.0, size=(20, 3)).astype("float32")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(x, epochs=4, verbose=0)
        except NonFiniteLossError as error:
            assert "runaway" in str(error)
    kinds = [warning.category for warning in caught]
    assert kinds.count(EnergiesRunAway) == 1
    watch = EnergyWatch()
    watch.set_model(model)
    with pytest.raises(NonFiniteLossError, match="'contrast' of the model 'runaway'"):
        watch.on_epoch_end(0, {"contrast": np.nan})
    with pytest.raises(ValueError, match="'contrast' in the logs"):
        watch.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(ValueError, match="positive limit. Received: most=0"):
        EnergyWatch(most=0)


def test_spectral_normalization_bounds_the_slope_where_plain_layers_steepen(tmp_path):
    """Every layer has stretch 1 after a step, up to the power iteration; what is saved goes on alike."""

    def made(wrap):
        keras.utils.set_random_seed(1)
        layers = [keras.Input((2,)), wrap(keras.layers.Dense(8, "relu")), wrap(keras.layers.Dense(1))]
        model = EnergyModel(2, **{**SMALL, "units": keras.Sequential(layers), "restart": 1.0})
        model.compile(keras.optimizers.SGD(0.05))
        model.fit(X + 3.0, epochs=8, batch_size=8, verbose=0)
        return model, [np.linalg.norm(w, 2) for w in model.network.get_weights() if w.ndim == 2 and w.shape[0] > 1]

    X = GENERATOR.normal(size=(32, 2)).astype("float32")
    model, stretches = made(lambda layer: keras.layers.SpectralNormalization(layer, power_iterations=3))
    assert max(stretches) < 1.4 < 2.8 < max(made(lambda layer: layer)[1])
    model.save(tmp_path / "energy.keras")
    loaded = keras.saving.load_model(tmp_path / "energy.keras")
    for each in (model, loaded):
        each.fit(X, epochs=1, batch_size=8, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="multiple of negatives. Received: buffer_size=8, negatives=3"):
        EnergyModel(3, **{**SMALL, "negatives": 3})
    with pytest.raises(ValueError, match="Received: restart=1.5"):
        EnergyModel(3, restart=1.5, **SMALL)
    with pytest.raises(ValueError, match=r"outputs \(B, 2\), an energy a column. Received: \(None, 5\)"):
        EnergyModel(3, classes=2, **{**SMALL, "units": keras.layers.Dense(5)})
    model = EnergyModel(3, classes=2, **SMALL)
    model.compile()
    x = np.zeros((2, 3), "float32")
    with pytest.raises(InvalidDataError, match="classes 0 ... 1. Received: 2 in row 1"):
        model.fit(x, np.array([0, 2]))
    with pytest.raises(InvalidDataError, match="finite values. Received: nan in row 0"):
        model.fit(x * np.nan, np.array([0, 1]))
    with pytest.raises(ValueError, match="learns from pairs"):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match="brings its own loss, the contrast of energies"):
        model.compile(loss="mse")
