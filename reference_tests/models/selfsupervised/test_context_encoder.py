"""ContextEncoder: what each player sees and moves, what is left without an adversary, who is named when it breaks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.callbacks import DiscriminatorWatch, DiscriminatorWins
from keras_course.core.errors import NonFiniteLossError
from keras_course.models.selfsupervised import ContextEncoder
from keras_course.models.selfsupervised.inpainting_networks import filling_decoder, region_discriminator
from keras_course.ops.inpainting import central_block
from keras_course.optimizers import Nesterov
from keras_course.pipeline.fit import fit
from keras_course.pipeline.recipe import Recipe

X = np.random.default_rng(0).uniform(size=(8, 4, 4, 1)).astype("float32")
HOLE = np.asarray(central_block(4, 4, 2))


def made(**how):
    return ContextEncoder((4, 4, 1), ((3,), (5,)), **{"seed": 1, "adversarial": 0.1, **how})


def compiled(model, rate=0.1, judge_rate=0.1):
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(judge_rate), run_eagerly=True)
    return model


def test_seen_pixels_stay_bit_for_bit_and_what_lies_in_the_hole_does_not_matter():
    model = made()
    filled = np.asarray(model.inpaint(X, HOLE))
    seen = np.broadcast_to(HOLE == 0, X.shape)
    assert np.array_equal(filled[seen], X[seen])
    other = np.where(seen, X, 9.0)
    assert np.array_equal(model.inpaint(other, HOLE), filled)
    nan = np.where(seen, X, 3e38)
    assert np.all(np.isfinite(model.inpaint(nan, HOLE)))


def test_the_hole_is_filled_with_the_decoders_image_of_the_context():
    model = made(fill=0.25)
    context = np.where(HOLE > 0, 0.25, X)
    wanted = np.asarray(model.decoder(model.trunk(context)))
    hidden = np.broadcast_to(HOLE > 0, X.shape)
    assert np.allclose(np.asarray(model.inpaint(X, HOLE))[hidden], wanted[hidden], atol=1e-6)


def test_the_discriminator_sees_the_hole_and_its_band_and_nothing_else():
    model = made(side=1, overlap=1)
    mask = np.asarray(central_block(4, 4, 1))
    region = np.asarray(model.weights_of_places(mask)) > 0
    assert region.sum() == 9
    scores = np.asarray(model.score(X, mask))
    assert np.array_equal(model.score(np.where(region, X, 7.0), mask), scores)
    assert not np.allclose(model.score(np.where(region, 7.0, X), mask), scores, atol=1e-3)


def test_each_optimizer_moves_its_own_player_alone():
    for rate, judge_rate in ((0.0, 0.1), (0.1, 0.0)):
        model = compiled(made(), rate, judge_rate)
        parts = {"trunk": model.trunk, "decoder": model.decoder, "discriminator": model.discriminator}
        before = {name: part.get_weights() for name, part in parts.items()}
        model.train_on_batch(X)
        for name, part in parts.items():
            moved = any(not np.array_equal(a, b) for a, b in zip(before[name], part.get_weights(), strict=True))
            assert moved == ((judge_rate if name == "discriminator" else rate) > 0), name


def test_both_players_descend_on_their_own_loss():
    model = compiled(made(adversarial=0.5))
    answers = model.answers(X, HOLE)
    start = {name: float(np.mean(cost)) for name, cost in model.costs(X, answers).items()}
    compiled(model, rate=0.0, judge_rate=0.05).train_on_batch(X)
    assert np.mean(model.costs(X, model.answers(X, HOLE))["discriminator_loss"]) < start["discriminator_loss"]
    again = float(np.mean(model.costs(X, model.answers(X, HOLE))["loss"]))
    compiled(model, rate=0.05, judge_rate=0.0).train_on_batch(X)
    assert np.mean(model.costs(X, model.answers(X, HOLE))["loss"]) < again


def test_adversarial_losses_are_those_of_stock_cross_entropy_and_safe_where_it_is_sure():
    model = made()
    logits = np.array([-2.0, 0.5, 3.0, -1.0], "float32")
    x = X[:4]
    costs = model.costs(x, {"mask": HOLE, "image": x, "real": logits, "filled": -2 * logits})
    stock = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
    ones, zeros = np.ones((4, 1)), np.zeros((4, 1))
    real, filled = logits[:, None], -2 * logits[:, None]
    assert np.allclose(costs["adversarial_loss"], stock(ones, filled), atol=1e-6)
    assert np.allclose(costs["discriminator_loss"], stock(ones, real) + stock(zeros, filled), atol=1e-6)
    assert np.array_equal(costs["discriminator_accuracy"], [0.0, 1.0, 1.0, 0.0])
    sure = model.costs(x, {"mask": HOLE, "image": x, "real": logits * 1e4, "filled": logits * 1e4})
    assert all(np.all(np.isfinite(value)) for value in sure.values())
    assert float(sure["adversarial_loss"][0]) == 2e4


def test_the_trunks_slope_does_not_vanish_where_the_discriminator_is_sure():
    """-log sigma(d) has slope -1 at d = -40, log(1 - sigma(d)) has none."""
    score = tf.Variable(np.full(8, -40.0, "float32"))
    model = made(adversarial=0.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.costs(X, {"mask": HOLE, "image": X, "real": score, "filled": score})["loss"])
    assert np.allclose(tape.gradient(loss, score), -0.5, atol=1e-6)


def test_without_an_adversary_it_is_an_autoencoder_of_holes_as_stock_keras_trains_it():
    model = compiled(made(adversarial=0.0, side=2), rate=0.5)
    assert model.discriminator is None and model.discriminator_optimizer is None
    twin = made(adversarial=0.0, side=2)
    inputs = keras.Input((4, 4, 1))
    stock = keras.Model(inputs, twin.decoder(twin.trunk(inputs)))
    hidden = np.broadcast_to(HOLE > 0, X.shape)
    stock.compile(keras.optimizers.SGD(0.5), "mse", run_eagerly=True)
    # 16 pixels an image, 4 of which count: Keras's mean over all of them, times 4
    stock.train_on_batch(np.where(hidden, 0.0, X), X, sample_weight=4.0 * hidden[..., 0])
    found = model.train_on_batch(X, return_dict=True)
    assert set(found) == {"loss", "reconstruction_error"}
    for one, other in zip(model.trunk.get_weights(), twin.trunk.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("hole", ["blocks", "regions"])
def test_holes_repeat_with_the_step_differ_between_rows_and_steps_and_evaluation_has_its_own(hole):
    model = compiled(made(hole=hole))
    mask = np.asarray(model(X, training=True)["mask"])
    assert mask.shape == (8, 4, 4, 1) and 0 < mask.mean() <= 0.25
    assert np.array_equal(mask, model(X, training=True)["mask"])
    assert len(np.unique(mask.reshape(8, -1), axis=0)) > 1
    model.optimizer.iterations.assign(1)
    assert not np.array_equal(mask, model(X, training=True)["mask"])
    losses = [model.evaluate(X, verbose=0, return_dict=True)["loss"] for _ in range(2)]
    assert losses[0] == losses[1]


def test_the_default_second_optimizer_is_a_copy_with_state_of_its_own():
    model, adam = made(), keras.optimizers.Adam(0.02)
    model.compile(adam, run_eagerly=True)
    judge = model.discriminator_optimizer
    assert judge is not adam and type(judge) is type(adam) and float(judge.learning_rate) == pytest.approx(0.02)
    model.train_on_batch(X)
    assert int(adam.iterations) == int(judge.iterations) == 1
    assert not {id(v) for v in adam.variables} & {id(v) for v in judge.variables}


def test_penalties_of_each_player_reach_that_player_alone():
    trunk = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(1.0)),
        ]
    )
    model = compiled(ContextEncoder((4, 4, 1), trunk, adversarial=0.1, seed=1))
    plain = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    other = compiled(ContextEncoder((4, 4, 1), plain, adversarial=0.1, seed=1))
    plain.set_weights(trunk.get_weights())
    kernel = trunk.get_weights()[0]
    for one in (model, other):
        one.train_on_batch(X)
    assert np.allclose(trunk.get_weights()[0], plain.get_weights()[0] - 0.1 * 2 * kernel, atol=1e-5)
    for one, twin in zip(model.discriminator.get_weights(), other.discriminator.get_weights(), strict=True):
        assert np.array_equal(one, twin)


def test_a_discriminator_that_nothing_fools_is_named_by_the_watch():
    model = compiled(made(), rate=0.0, judge_rate=1.0)
    watch = DiscriminatorWatch(patience=2)
    black = np.ones((8, 4, 4, 1), "float32")
    with pytest.warns(DiscriminatorWins, match=f"'{model.name}', epoch .*the discriminator has won outright"):
        model.fit(black, epochs=12, verbose=0, callbacks=[watch])
    assert watch.won is not None and watch.history[-1] == 1.0


def test_a_discriminator_that_breaks_down_is_named_by_the_guard_of_a_run(tmp_path):
    recipe = Recipe(
        slug="inpainting", dataset="digits", batch_size=64, epochs=2,
        model=lambda spec, seed: ContextEncoder(spec.shape, ((3,), (5,)), adversarial=0.1, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.SGD(0.01), "discriminator_optimizer": keras.optimizers.SGD(1e38),
        },
    )  # fmt: skip
    with pytest.raises(NonFiniteLossError, match="output of the layer context_encoder.*/discriminator/judge"):
        fit(recipe, out=tmp_path / "run", tiny=True, progress=False)


def test_decoders_start_from_vectors_and_from_maps_and_end_in_the_image():
    for features in ((6,), (2, 2, 5), (8, 8, 3)):
        decoder = filling_decoder(features, (8, 8, 3), maps=4)
        assert decoder(np.zeros((2, *features))).shape == (2, 8, 8, 3)
    with pytest.raises(ValueError, match=r"until it is the image's, 8 x 8. Received: features=\(3, 3, 5\)"):
        filling_decoder((3, 3, 5), (8, 8, 1))
    with pytest.raises(ValueError, match=r"of known size. Received: features=\(None, 2, 5\)"):
        filling_decoder((None, 2, 5), (8, 8, 1))
    assert region_discriminator(2)(np.zeros((3, 5, 6, 2))).shape == (3, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (4, 4)}, r"shape of an image, \(H, W, C\). Received: shape=\(4, 4\)"),
        ({"hole": "round"}, "hole='round'"),
        ({"adversarial": 1.0}, "0 <= adversarial < 1.*adversarial=1.0"),
        ({"adversarial": 0.0, "discriminator": region_discriminator()}, "adversarial=0 has no discriminator"),
        ({"side": 5}, "within the image of 4 x 4. Received: side=5"),
        ({"hole": "regions", "share": 0.01}, "share=0.01"),
        ({"overlap": -1}, "overlap=-1"),
        ({"decoder": keras.layers.Dense(3)}, "needs a decoder to"),
        ({"discriminator": keras.layers.Flatten()}, r"needs a discriminator to \(B, 1\)"),
    ],
)
def test_what_fits_no_hole_is_refused_with_what_came(change, message):
    with pytest.raises(ValueError, match=message):
        ContextEncoder(**{"shape": (4, 4, 1), "trunk": ((3,),), **change})


def test_a_loss_of_yours_and_optimizers_that_look_ahead_are_refused():
    with pytest.raises(ValueError, match="brings its own losses. Received: loss='mse'"):
        made().compile("adam", loss="mse")
    with pytest.raises(ValueError, match="step after the gradient"):
        made().compile(Nesterov(0.1))
