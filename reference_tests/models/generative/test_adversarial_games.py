"""GAN and WGAN: who moves when and on what, k steps, classes, boxes, what is reported by name."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.callbacks import DiscriminatorWatch, DiscriminatorWins
from keras_course.core.errors import InvalidDataError, NonFiniteLossError
from keras_course.models.generative import GAN, WGAN, dcgan_networks
from keras_course.ops.adversarial_games import gradient_penalty
from keras_course.optimizers import Nesterov

X = np.random.default_rng(0).normal(size=(9, 3)).astype("float32")
Y = np.arange(9) % 2
SMALL = {"latent": 2, "generator": (4,), "discriminator": (5,), "activation": "tanh", "seed": 1}


def made(kind=GAN, **how):
    return kind(3, **{**SMALL, **how})


def compiled(model, rate=0.1, judge_rate=0.1):
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(judge_rate), run_eagerly=True)
    return model


def moved(model, *data):
    before = {name: getattr(model, name).get_weights() for name in ("generator", "discriminator")}
    model.train_on_batch(*data)
    return {
        name: any(not np.array_equal(a, b) for a, b in zip(weights, getattr(model, name).get_weights(), strict=True))
        for name, weights in before.items()
    }


@pytest.mark.parametrize("kind", [GAN, WGAN])
def test_each_optimizer_moves_its_own_player_alone(kind):
    assert moved(compiled(made(kind, steps=1), 0.0, 0.1), X) == {"generator": False, "discriminator": True}
    assert moved(compiled(made(kind, steps=1), 0.1, 0.0), X) == {"generator": True, "discriminator": False}


def test_every_row_is_seen_once_by_one_of_the_steps():
    model, seen = compiled(made(steps=4)), []
    model._discriminator_step = lambda x, labels, weight, codes, shares, total: seen.append((np.array(x), int(total)))
    model.train_on_batch(X)
    assert [total for _, total in seen] == [len(rows) for rows, _ in seen] == [3, 2, 2, 2]
    rows = np.concatenate([rows for rows, _ in seen])
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], X[np.lexsort(X.T)])
    seen.clear()
    model.train_on_batch(X[:2])  # fewer rows than steps: dealt out again
    assert [total for _, total in seen] == [1, 1, 1, 1]


def test_two_replicas_deal_the_rows_that_one_deals():
    model = made(steps=3)
    for first, rows in ((0, 4), (4, 3), (7, 2)):
        for turn in range(3):
            mine, total = model._dealt(turn, first, 9)
            own = np.arange(9)[first : first + rows][int(mine.start) :: int(mine.step)]
            np.testing.assert_array_equal(own, [g for g in range(first, first + rows) if g % 3 == turn])
            assert int(total) == 3


def test_codes_differ_between_steps_and_players_and_repeat_with_the_step():
    model, seen = compiled(made(), 0.0, 0.0), []
    model.play = lambda x, labels, weight, codes, shares, place: seen.append(np.array(codes))
    for step in (0, 1, 1):
        model.optimizer.iterations.assign(step)
        model.train_step((X,))
    assert not np.allclose(seen[0], seen[1]) and np.array_equal(seen[1], seen[2])
    assert not np.allclose(seen[0][0], seen[0][1])


def test_a_discriminator_step_is_one_of_stock_keras_on_data_and_fakes():
    model, twin = compiled(made(), 0.0, 0.5), made()
    fake = []
    model._count, generate = lambda *_: None, model.generate
    model.generate = lambda *args, **how: fake.append(generate(*args, **how)) or fake[-1]
    model.train_on_batch(X)
    stock = twin.discriminator
    stock.compile(keras.optimizers.SGD(1.0), keras.losses.BinaryCrossentropy(from_logits=True), run_eagerly=True)
    both = np.concatenate([X, np.asarray(fake[0])])
    stock.train_on_batch(both, np.r_[np.ones((9, 1)), np.zeros((9, 1))])  # its mean is of 18 terms, ours of 9 pairs
    for ours, theirs in zip(model.discriminator.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_weights_of_zero_leave_rows_out():
    one, other = compiled(made(), 0.0, 0.1), compiled(made(), 0.0, 0.1)
    weight = np.r_[np.ones(6), np.zeros(3)].astype("float32")
    one.fit(X, sample_weight=weight, batch_size=9, verbose=0)
    other.fit(np.r_[X[:6], 9 * X[6:]], sample_weight=weight, batch_size=9, verbose=0)
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_clipping_keeps_every_weight_of_the_critic_in_its_box():
    model = compiled(made(WGAN, penalty=None, clip=0.05, steps=2))
    model.train_on_batch(X)
    assert max(np.abs(weight).max() for weight in model.discriminator.get_weights()) <= 0.05 + 1e-9
    assert max(np.abs(weight).max() for weight in model.generator.get_weights()) > 0.05
    assert model.evaluate(X, verbose=0, return_dict=True)["penalty"] == 0.0


def test_a_critic_under_spectral_normalization_has_a_bounded_slope_and_needs_neither_penalty_nor_box():
    keras.utils.set_random_seed(2)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    wrapped = [keras.layers.SpectralNormalization(layer, power_iterations=3) for layer in layers]
    critic = keras.Sequential([keras.Input((3,)), *wrapped])
    model = compiled(made(WGAN, discriminator=critic, penalty=None, steps=2), judge_rate=0.01)
    for _ in range(20):
        model.train_on_batch(X + 9.0)
    with tf.GradientTape() as tape:
        x = tf.Variable(X)
        scores = tf.reduce_sum(model.criticise(x))
    assert 0.01 < np.linalg.norm(tape.gradient(scores, x), axis=-1).max() < 1.1
    assert model.evaluate(X, verbose=0, return_dict=True)["penalty"] == 0.0


def test_the_critics_loss_is_minus_the_estimate_and_the_penalty():
    model = compiled(made(WGAN, penalty=3.0))
    found = model.evaluate(X, verbose=0, return_dict=True)
    fakes = model.generate(model._bank())
    wasserstein = np.mean(model.criticise(X)) - np.mean(model.criticise(fakes))
    middle = (X + np.asarray(fakes)[:1]) / 2
    penalty = 3.0 * np.mean(gradient_penalty(model.criticise, middle))
    assert found["wasserstein"] == pytest.approx(wasserstein, abs=1e-6)
    assert found["penalty"] == pytest.approx(penalty, rel=1e-5)
    assert found["discriminator_loss"] == pytest.approx(penalty - wasserstein, abs=1e-5)
    assert found["loss"] == pytest.approx(-np.mean(model.criticise(fakes)), abs=1e-6)


def test_a_class_reaches_both_networks_and_is_asked_for():
    model = compiled(made(classes=2))
    z = np.ones((1, 2), "float32")
    assert not np.allclose(model.generate(z, [0]), model.generate(z, [1]))
    scores = np.asarray(model(X))
    assert scores.shape == (9, 2) and not np.allclose(scores[:, 0], scores[:, 1])
    np.testing.assert_allclose(model.score(X, Y), scores[np.arange(9), Y], atol=1e-6)
    assert moved(model, X, Y) == {"generator": True, "discriminator": True}
    np.testing.assert_array_equal(model.sample(3, 4), model.generate(model.sample_codes(3, 4), [0, 1, 0, 1]))
    bank, fake = model._bank(), []
    for label in (0, 1):
        labels = np.full(64, label)
        fake.append(np.mean(np.log1p(np.exp(np.asarray(model.score(model.generate(bank, labels), labels))))))
    wanted = np.mean(np.log1p(np.exp(-np.asarray(model.score(X, Y)))) + np.array(fake)[Y])
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["discriminator_loss"] == pytest.approx(wanted, rel=1e-5)
    for call in (lambda: model.generate(z), lambda: model.evaluate(X, verbose=0), lambda: model.train_on_batch(X)):
        with pytest.raises(ValueError, match="needs labels"):
            call()


def test_images_carry_their_class_as_channels():
    model = GAN((2, 3, 1), classes=4, **SMALL)
    x = np.zeros((2, 2, 3, 1), "float32")
    judged = np.asarray(model._with_class(tf.constant(x), [3, 0]))
    assert judged.shape == (2, 2, 3, 5)
    np.testing.assert_array_equal(judged[0, 1, 2], [0, 0, 0, 0, 1])
    assert model.sample(0, 3).shape == (3, 2, 3, 1)


def test_the_way_between_two_codes_ends_at_both():
    model = made(output_activation="sigmoid")
    first, second = np.asarray(model.sample_codes(0, 6)).reshape(2, 3, 2)
    for way in ("linear", "spherical"):
        found = np.asarray(model.interpolate(first, second, 5, way=way))
        np.testing.assert_allclose(found[0], model.generate(first), atol=1e-6)
        np.testing.assert_allclose(found[-1], model.generate(second), atol=1e-6)
        assert found.shape == (5, 3, 3) and found.min() > 0 and found.max() < 1
    np.testing.assert_allclose(model.interpolate(first, second, 3)[1], model.generate((first + second) / 2), atol=1e-6)


def test_what_a_discriminator_says_is_a_probability():
    model = made()
    np.testing.assert_allclose(model.discriminate(X), 1 / (1 + np.exp(-np.asarray(model(X)))), atol=1e-6)


def test_a_discriminator_that_wins_is_named_without_being_asked_for():
    model = GAN(3, **{**SMALL, "discriminator": (16,)})
    far = X + np.float32(20.0)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.05))
    with pytest.warns(DiscriminatorWins, match=f"'{model.name}', epoch .*has won outright"):
        model.fit(far, epochs=12, verbose=0)
    own = DiscriminatorWatch(patience=2)
    with pytest.warns(DiscriminatorWins):
        model.fit(far, epochs=2, verbose=0, callbacks=[own])
    assert own.won == 1


@pytest.mark.parametrize("kind", [GAN, WGAN])
def test_a_player_that_breaks_down_is_an_error_with_its_name(kind):
    model = made(kind, steps=1)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(1e38), run_eagerly=True)
    with pytest.raises(NonFiniteLossError, match=f"of the model '{model.name}'"):
        model.fit(100 * X, epochs=4, verbose=0)


def test_convolutional_networks_double_the_grid_and_train():
    networks = dcgan_networks((8, 8, 2), latent=3, maps=2)
    model = GAN((8, 8, 2), latent=3, **networks, seed=1)
    assert model.sample(0, 2).shape == (2, 8, 8, 2)
    kinds = [type(layer).__name__ for layer in model.generator.layers]
    assert kinds.count("Conv2DTranspose") == 2 and kinds.count("BatchNormalization") == 2
    assert moved(compiled(model), np.ones((4, 8, 8, 2), "float32")) == {"generator": True, "discriminator": True}
    bare = dcgan_networks((8, 8, 1), 3, 2, normalization=None)
    assert not any("Normalization" in type(layer).__name__ for net in bare.values() for layer in net.layers)
    with pytest.raises(ValueError, match=r"halve 2 times. Received: shape=\(6, 8, 1\)"):
        dcgan_networks((6, 8, 1), 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: made(steps=0), "steps=0"),
        (lambda: made(generator_loss="hinge"), "generator_loss='hinge'"),
        (lambda: made(WGAN, penalty=1.0, clip=0.1), "penalty=1.0, clip=0.1"),
        (lambda: made(WGAN, penalty=None), "penalty=None, clip=None"),
        (lambda: made(WGAN, penalty=-1.0), "penalty=-1.0"),
        (lambda: made(generator=keras.layers.Dense(2)), r"needs a generator to \(3,\). Received: \(None, 2\)"),
        (lambda: made(discriminator=keras.layers.Dense(2)), r"needs a discriminator to \(B, 1\)"),
        (lambda: GAN(1, **{**SMALL, "discriminator": keras.layers.Activation("tanh")}), "discriminator with weights"),
        (lambda: made().compile("adam", loss="mse"), "brings its own losses. Received: loss='mse'"),
        (lambda: made().compile(Nesterov(0.1)), "step after the gradient"),
        (lambda: made()(np.ones((2, 4), "float32")), r"expects x of shape \(B, 3\)"),
    ],
)
def test_what_makes_no_game_is_refused_with_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_optimizer_for_both_and_data_that_are_not_finite_are_refused():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="two optimizers"):
        made().compile(adam, adam)
    with pytest.raises(InvalidDataError, match="nan in row 2"):
        compiled(made()).fit(np.where(np.arange(9)[:, None] == 2, np.nan, X), verbose=0)


def test_a_file_brings_both_optimizers_back(tmp_path):
    model = made(WGAN, penalty=None, clip=0.05, steps=2)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.RMSprop(0.01))
    model.fit(X, batch_size=9, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.discriminator_optimizer) is keras.optimizers.RMSprop and loaded.clip == 0.05
    for one in (model, loaded):
        one.fit(X, batch_size=9, verbose=0)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
