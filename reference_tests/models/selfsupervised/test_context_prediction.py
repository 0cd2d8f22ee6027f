"""ContextPrediction: one trunk for all pieces, chance for pieces that are alike, and puzzles that it can solve."""

import itertools
import math

import keras
import numpy as np
import pytest

from keras_course.core.seeds import uniform_noise
from keras_course.layers import RandomRotation, RandomShift
from keras_course.models.selfsupervised import ContextPrediction
from keras_course.ops.jigsaw import image_pieces

X = np.random.default_rng(0).uniform(size=(12, 6, 6, 1)).astype("float32")


def made(task="jigsaw", arrangements="all", trunk=((4,),), **how):
    how = {"grid": 2, "orders": 6, **how} if task == "jigsaw" else how
    model = ContextPrediction((6, 6, 1), trunk, task, units=8, arrangements=arrangements, seed=1, **how)
    model.compile(keras.optimizers.Adam(0.02), run_eagerly=True)
    return model


@pytest.mark.parametrize(("task", "count"), [("jigsaw", 6), ("position", 8)])
def test_pieces_that_are_alike_leave_chance_at_best(task, count):
    flat = np.ones((5, 6, 6, 1), "float32") * np.arange(5)[:, None, None, None]
    model = made(task, gap=0)
    answers = model.pretext(flat)
    costs = np.asarray(model.question_costs(answers["labels"], answers["logits"]))
    assert np.all(costs >= math.log(count) - 1e-5)
    assert model.evaluate(flat, verbose=0, return_dict=True)["accuracy"] == pytest.approx(1 / count)


@pytest.mark.parametrize("task", ["jigsaw", "position"])
def test_all_arrangements_at_once_are_the_arrangements_one_by_one(task):
    model = made(task)
    pieces = np.asarray(image_pieces(X, model.grid))
    features = np.stack([np.asarray(model.trunk(pieces[:, j])) for j in range(pieces.shape[1])], axis=1)
    logits = np.asarray(model.pretext(X)["logits"])
    for k, shown in enumerate(model.table):
        joined = features[:, shown].reshape(len(X), -1)
        assert np.allclose(model.head(model.hidden(joined)), logits[:, k], atol=1e-5)
    wanted = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(
        np.tile(np.arange(len(model.table)), len(X)), logits.reshape(-1, len(model.table))
    )
    assert model.evaluate(X, verbose=0, return_dict=True)["loss"] == pytest.approx(float(wanted), rel=1e-5)


def test_an_image_as_it_is_shows_its_pieces_in_the_first_order():
    model = made()
    assert np.array_equal(model.table[0], np.arange(4))
    assert np.allclose(model(X), np.asarray(model.pretext(X)["logits"])[:, 0], atol=1e-6)


def test_the_eight_neighbours_are_asked_for_beside_the_centre():
    table = made("position").table
    assert table[:, 0].tolist() == [4] * 8 and table[:, 1].tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


@pytest.mark.parametrize(("task", "count"), [("jigsaw", 6), ("position", 8)])
def test_drawn_arrangements_are_uniform_and_repeat_with_the_step(task, count):
    model = made(task, "one")
    many = np.zeros((3000, 6, 6, 1), "float32")
    labels = np.asarray(model.pretext(many, True)["labels"])
    assert labels.shape == (3000, 1)
    expected = 3000 / count
    assert np.all(np.abs(np.bincount(labels[:, 0], minlength=count) - expected) < 5 * math.sqrt(expected))
    assert np.array_equal(labels, model.pretext(many, True)["labels"])
    model.optimizer.iterations.assign(1)
    assert not np.array_equal(labels, model.pretext(many, True)["labels"])


@pytest.mark.parametrize("task", ["jigsaw", "position"])
def test_a_drawn_arrangement_is_the_one_of_all_that_its_label_names(task):
    one, every = made(task, "one").pretext(X, True), np.asarray(made(task).pretext(X)["logits"])
    for row, (label, logits) in enumerate(zip(np.asarray(one["labels"]), np.asarray(one["logits"]), strict=True)):
        assert np.allclose(logits[0], every[row, label[0]], atol=1e-5)


def test_pieces_marked_by_their_place_are_put_in_order():
    """Each quarter has a grey level of its own, so every order can be told."""
    x = X * 0.1
    for k, (row, column) in enumerate(itertools.product(range(2), repeat=2)):
        x[:, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3] += k
    model = made(orders=24)
    model.fit(np.tile(x, (4, 1, 1, 1)), epochs=40, batch_size=48, verbose=0)
    assert model.evaluate(x, verbose=0, return_dict=True)["accuracy"] > 0.9
    assert np.mean(np.argmax(model(x), axis=1) == 0) > 0.9


def test_a_representation_is_of_the_whole_image_or_of_its_pieces():
    whole, parts = made(), made(representation="pieces")
    assert tuple(whole.encode(X).shape) == (12, 4) and tuple(parts.encode(X).shape) == (12, 16)
    assert np.allclose(whole.encode(X), whole.trunk(X))
    assert np.allclose(parts.encode(X)[:, 4:8], parts.trunk(X[:, :3, 3:]), atol=1e-6)


def test_the_penultimate_layer_is_the_strongest_answer_over_all_neighbours():
    model = made("position", representation="penultimate")
    features = np.asarray(model.piece_features(X))  # (B, 9, F)
    pairs = [np.concatenate([features[:, 4], features[:, near]], axis=1) for near in (0, 1, 2, 3, 5, 6, 7, 8)]
    wanted = np.max([np.asarray(model.hidden(pair)) for pair in pairs], axis=0)
    assert np.ptp(wanted) > 0 and np.allclose(model.encode(X), wanted, atol=1e-6)


def test_the_penultimate_layer_of_a_jigsaw_is_that_of_the_image_as_it_lies():
    model = made(representation="penultimate")
    hidden = model.encode(X)
    assert tuple(hidden.shape) == (12, model.units) and np.allclose(model.head(hidden), model(X), atol=1e-6)


DISTORTIONS = (RandomShift(1.0, seed=0), RandomRotation(0.5, seed=0))


@pytest.mark.parametrize("arrangements", ["all", "one"])
def test_images_are_distorted_before_they_are_cut_by_numbers_of_the_step(arrangements):
    model, plain = made(arrangements=arrangements, augmentation=DISTORTIONS), made(arrangements=arrangements)
    uniforms = uniform_noise((len(X), 3), model.step_seed("distortion"))
    shift, turn = DISTORTIONS
    seen = turn(shift(X, uniforms[:, :2]), uniforms[:, 2:])
    found, wanted = (np.asarray(it["logits"]) for it in (model.pretext(X, True), plain.pretext(seen, True)))
    assert np.allclose(found, wanted, atol=1e-6)
    assert not np.allclose(found, plain.pretext(X, True)["logits"], atol=1e-3)
    assert np.array_equal(found, model.pretext(X, True)["logits"])
    model.optimizer.iterations.assign(1)
    assert not np.allclose(model.distorted(X), seen, atol=1e-3)


def test_distortions_are_of_training_alone():
    model, plain = made(augmentation=DISTORTIONS), made()
    assert np.array_equal(model.encode(X), plain.encode(X)) and np.array_equal(model(X), plain(X))
    assert model.evaluate(X, verbose=0) == plain.evaluate(X, verbose=0)
    assert np.array_equal(plain.distorted(X), X)


def test_distortions_are_in_the_config():
    model = made(augmentation=DISTORTIONS[0])
    again = ContextPrediction.from_config(model.get_config())
    again.compile()
    again.set_weights(model.get_weights())
    assert np.array_equal(model.distorted(X), again.distorted(X)) and not np.array_equal(again.distorted(X), X)
    assert made(augmentation=[]).get_config()["augmentation"] == made().get_config()["augmentation"] == []


def test_a_trunk_for_one_size_serves_pieces():
    mine = keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Flatten(), keras.layers.Dense(5)])
    assert tuple(made(trunk=mine, representation="pieces").encode(X).shape) == (12, 20)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"task": "colour"}, "task='colour'"),
        ({"task": "position", "grid": 2}, "3 x 3 pieces. Received: grid=2"),
        ({"task": "jigsaw", "grid": 2, "orders": 25}, "pieces=4, count=25"),
        ({"task": "jigsaw", "grid": 2, "arrangements": "two"}, "arrangements='two'"),
        ({"augmentation": "shift"}, "an Augmentation layer, or a list of them. Received: augmentation='shift'"),
    ],
)
def test_a_puzzle_that_cannot_be_is_refused_with_what_came(how, message):
    with pytest.raises(ValueError, match=message):
        ContextPrediction((6, 6, 1), ((4,),), **how)


def test_a_loss_of_yours_and_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="brings its own loss. Received: loss='mse'"):
        made().compile("adam", loss="mse")
    with pytest.raises(ValueError, match=r"expects images \(B, 6, 6, 1\)"):
        made().encode(np.zeros((2, 5, 5, 1)))
