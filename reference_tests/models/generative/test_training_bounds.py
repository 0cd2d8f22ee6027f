"""Free bits and importance-weighted objectives: exact cases, gradients by hand, what the encoder no longer feels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_course.distributions import CategoricalLevels, DiscretizedLogistic, Mixture, Normal
from keras_course.models.generative import VariationalAutoencoder

X = np.array([[0.5, -1.0], [1.5, 2.0], [-0.25, 0.75]])


def linear(objective, spread, samples=3, tilt=1 / 3):
    """x = (z, z) + e under q = N(tilt (x_1 + x_2), spread^2); the posterior is that of 1/3 and sqrt(1/3)."""
    family = Normal(2, minimum_scale=0.0)
    model = VariationalAutoencoder(
        2, latent=1, units=(), family=family, objective=objective, samples=samples, dtype="float64"
    )
    encoder, decoder = model.codes.encoders[0].head, model.decoder.head
    encoder.projection.kernel.assign([[tilt, 0.0]] * 2)
    encoder.projection.bias.assign(encoder.family.parameters_from(np.zeros(1), np.array([spread])))
    decoder.projection.kernel.assign([[1.0, 1.0, 0.0, 0.0]])
    decoder.projection.bias.assign(family.parameters_from(np.zeros(2), np.ones(2)))
    model.compile(keras.optimizers.SGD(1.0))
    return model


def slopes(model, noise):
    """d bound / d (kernel, bias) of the encoder, and of the decoder."""
    with tf.GradientTape() as tape:
        bound = tf.reduce_sum(model.bound_terms(X, noise, training=True)[2])
    encoder, decoder = model.codes.encoders[0].head.projection, model.decoder.head.projection
    watched = [encoder.kernel.value, encoder.bias.value, decoder.kernel.value, decoder.bias.value]
    return float(bound), [each.numpy() for each in tape.gradient(bound, watched)]


NOISE = np.random.Generator(np.random.Philox(7)).normal(size=(3, 3, 1))


def test_both_objectives_are_the_bound_and_differ_in_the_encoders_gradient_alone():
    plain, double = (linear(objective, 0.9, tilt=0.2) for objective in ("iwae", "dreg"))
    wanted = float(tf.reduce_sum(plain.importance_weighted_bound(X, NOISE)))
    (value, ours), (same, theirs) = slopes(plain, NOISE), slopes(double, NOISE)
    assert value == pytest.approx(wanted, rel=1e-12) and same == pytest.approx(wanted, rel=1e-12)
    for one, other in zip(ours[2:], theirs[2:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)
    assert not np.allclose(ours[0], theirs[0])


def test_the_doubly_reparametrised_gradient_is_the_one_written_out():
    """sum_k v_k^2 (dlog w_k / dz_k) dz_k / dmean, with log w quadratic in z."""
    spread, tilt = 0.9, 0.2
    _, (by_kernel, by_bias, *_) = slopes(linear("dreg", spread, tilt=tilt), NOISE)
    mean = tilt * X.sum(1)
    z = mean + spread * NOISE[..., 0]  # (K, B)
    log_w = stats.norm.logpdf(X[:, 0], z) + stats.norm.logpdf(X[:, 1], z) + stats.norm.logpdf(z)
    log_w = log_w - stats.norm.logpdf(z, mean, spread)
    share = np.exp(log_w) / np.exp(log_w).sum(0)
    slope = X[:, 0] + X[:, 1] - 2 * z - z + (z - mean) / spread**2  # d log w / dz, q's parameters held
    by_mean = (share**2 * slope).sum(0)  # dz / dmean = 1
    np.testing.assert_allclose(by_kernel[:, 0], by_mean @ X, rtol=1e-10)
    np.testing.assert_allclose(by_bias[0], by_mean.sum(), rtol=1e-10)


def test_at_the_posterior_nothing_is_left_to_learn_and_only_dreg_sees_it_in_every_draw():
    spread = np.sqrt(1 / 3)
    evidence = stats.multivariate_normal([0, 0], [[2, 1], [1, 2]]).logpdf(X).sum()
    value, (kernel, bias, *_) = slopes(linear("dreg", spread), NOISE)
    assert value == pytest.approx(evidence, rel=1e-12)
    np.testing.assert_allclose(kernel, 0, atol=1e-12)
    np.testing.assert_allclose(bias, 0, atol=1e-12)
    _, (kernel, *_) = slopes(linear("iwae", spread), NOISE)
    assert np.abs(kernel).max() > 0.1


def test_both_gradients_have_the_same_mean_and_that_of_dreg_varies_less():
    """400 sets of draws: the means within 4.5 standard errors, the spreads more than a factor of 1.3 apart."""
    generator = np.random.Generator(np.random.Philox(9))
    noises = generator.normal(size=(400, 3, 3, 1))
    found = {}
    for objective in ("iwae", "dreg"):
        model = linear(objective, 0.7, tilt=0.25)
        run = tf.function(lambda noise, model=model: _by_bias(model, noise), autograph=False)
        found[objective] = np.stack([run(tf.constant(noise)).numpy() for noise in noises])
    error = np.sqrt(sum(each.var(axis=0) for each in found.values()) / 400)
    assert np.all(np.abs(found["iwae"].mean(0) - found["dreg"].mean(0)) < 4.5 * error)
    assert np.all(found["iwae"].std(0) > 1.3 * found["dreg"].std(0))


def _by_bias(model, noise):
    bias = model.codes.encoders[0].head.projection.bias.value
    with tf.GradientTape() as tape:
        bound = tf.reduce_sum(model.bound_terms(X, noise, training=True)[2])
    return tape.gradient(bound, bias)


def test_the_loss_that_is_evaluated_bounds_the_evidence_tighter_the_more_draws():
    evidence = stats.multivariate_normal([0, 0], [[2, 1], [1, 2]]).logpdf(X).mean()
    losses = []
    for samples in (1, 4, 16):
        model = linear("iwae", 1.5, samples=samples, tilt=0.0)
        measured = model.evaluate(X, verbose=0, return_dict=True)
        losses.append(measured["loss"])
        assert measured["elbo"] == pytest.approx(measured["reconstruction"] - measured["divergence"], rel=1e-6)
    assert losses[0] > losses[1] + 0.05 > losses[2] + 0.1 and losses[2] > -evidence
    assert losses[0] == pytest.approx(-measured["elbo"], rel=1e-6)


def test_groups_of_the_divergence_add_up_to_it_for_every_prior_and_number_of_layers():
    x = np.random.Generator(np.random.Philox(1)).normal(size=(4, 3))
    for latent, prior, groups in ((2, None, 2), (2, "normal", 2), (2, Mixture(2, Normal(2)), 1), ((3, 2), None, 5)):
        model = VariationalAutoencoder(3, latent, (4,), family="normal", prior=prior, dtype="float64")
        z, posteriors = model.codes.infer(x, model.training_noise(4))
        parts = model.codes.divergence_by_group(z, posteriors)
        assert parts.shape[-1] == groups
        np.testing.assert_allclose(tf.reduce_sum(parts, -1), model.codes.divergence(z, posteriors), rtol=1e-10)


def test_a_group_below_its_free_bits_feels_no_pull_and_one_above_feels_all_of_it():
    def pull(free_bits, beta=1.0):
        model = linear("elbo", 0.9, samples=2, tilt=0.2)
        model.free_bits, model.beta = free_bits, beta
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x=X, training=True)
        return float(loss), tape.gradient(loss, model.codes.encoders[0].head.projection.kernel.value).numpy()

    (loss, plain), (free, none), (paid, all_of_it) = pull(0.0), pull(50.0), pull(1e-6)
    np.testing.assert_array_equal(all_of_it, plain)
    assert paid == pytest.approx(loss, rel=1e-12)
    reconstruction, without = pull(0.0, beta=0.0)
    np.testing.assert_allclose(none, without, rtol=1e-10)
    assert free == pytest.approx(reconstruction + 50.0, rel=1e-10)


GREY = (np.random.Generator(np.random.Philox(2)).normal(size=(60, 1)) * 1.5 + [2, 2, 5] + 0.5).clip(0, 7).round()


@pytest.mark.parametrize("family", [CategoricalLevels(3, 8), DiscretizedLogistic(3, 8)], ids=lambda one: one.name)
def test_grey_levels_train_are_drawn_and_reconstructed_as_levels(family):
    model = VariationalAutoencoder(3, latent=1, units=(6,), family=family)
    model.compile(keras.optimizers.Adam(0.05))
    grey = GREY.astype("int32")
    before = model.evaluate(grey, verbose=0, return_dict=True)["elbo"]
    model.fit(grey, epochs=15, verbose=0)
    assert model.evaluate(grey, verbose=0, return_dict=True)["elbo"] > before + 1
    drawn = model.sample(1, 20).numpy()
    assert np.all((drawn >= 0) & (drawn <= 7) & (drawn == np.round(drawn)))
    assert np.abs(model(grey).numpy() - GREY).mean() < np.abs(GREY.mean(0) - GREY).mean()
    with pytest.raises(ValueError, match="can produce. Received: 8"):
        model.fit(grey + 1, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "elbow"}, "Received: objective='elbow'"),
        ({"free_bits": -0.1}, "Received: free_bits=-0.1"),
        ({"objective": "iwae", "beta": 2.0}, "needs beta=1"),
        ({"objective": "dreg", "free_bits": 0.5}, "free_bits=0"),
        ({"objective": "iwae", "samples": 9, "evaluation_samples": 8}, "samples=9"),
        ({"objective": "dreg", "latent": (2, 1)}, "one stochastic layer"),
    ],
)
def test_objectives_that_do_not_go_together_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        VariationalAutoencoder(3, **arguments)
