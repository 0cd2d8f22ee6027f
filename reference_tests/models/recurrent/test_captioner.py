"""Images told in words: step by step as in one pass, probabilities that add up, strings out of an export."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.datasets.text import END, PAD
from keras_course.models import Captioner
from keras_course.models.recurrent import captioner

WORDS = ("a", "small", "7")
SIZES = {"units": 5, "embedding": 3, "annotation": 6, "attention": 4}
DRAWS = np.random.default_rng(4)
IMAGES = DRAWS.uniform(size=(3, 2, 3, 2)).astype("float32")
CAPTIONS = np.array([[4, 6, END, PAD], [4, 5, 6, END], [5, END, PAD, PAD]], "int32")


def small(vocabulary=WORDS, **how):
    """The feature map is the image itself; weights far from zero."""
    settings = {"trunk": keras.layers.Activation("linear"), "length": 4, **SIZES, **how}
    model = Captioner((2, 3, 2), vocabulary, **settings)
    for k, weight in enumerate(model.trainable_variables):
        weight.assign(np.random.default_rng(k).normal(size=weight.shape))
    return model


def spoken(logits, words):
    log_p = ops.convert_to_numpy(ops.log_softmax(logits, axis=-1))
    return np.take_along_axis(log_p, words[..., None], axis=-1)[..., 0]


@pytest.mark.parametrize("attention", [4, None])
def test_words_one_at_a_time_are_those_of_the_whole_caption(attention):
    model = small(attention=attention)
    logits, maps = model.taught(IMAGES, CAPTIONS)
    annotations, grid = model.annotations(tf.constant(IMAGES))
    state, context = model.prepared(annotations)
    assert grid == (2, 3) and tuple(maps.shape) == (3, 4, 2, 3)
    tokens = np.ones(3, "int32")  # the start
    for t in range(4):
        _, alpha = model.look(state[0], context)
        np.testing.assert_allclose(ops.reshape(alpha, (3, 2, 3)), maps[:, t], atol=1e-6)
        now, state = model.step(tokens, state, context)
        np.testing.assert_allclose(now, logits[:, t], atol=1e-5)
        tokens = CAPTIONS[:, t]
    np.testing.assert_allclose(np.sum(maps, axis=(2, 3)), 1.0, atol=1e-6)


def test_the_probabilities_of_all_captions_add_up_to_one_and_the_widest_beam_finds_the_best():
    model = small(WORDS[:2], length=2)  # six tokens, 36 captions
    every = np.array(list(itertools.product(range(6), repeat=2)), "int32")
    image = np.repeat(IMAGES[:1], len(every), axis=0)
    log_p = spoken(model.taught(image, every)[0], every)
    assert np.sum(np.exp(log_p.sum(axis=1))) == pytest.approx(1.0, abs=1e-5)
    ended = every[:, 0] == END  # nothing follows the end, so what does counts for nothing
    total = np.where(ended, log_p[:, 0], log_p.sum(axis=1))
    best = every[np.argmax(total)]
    found = model.beam(IMAGES[:1], width=6)
    said = ops.convert_to_numpy(found.tokens)[0, 0]
    np.testing.assert_array_equal(said, [END, PAD] if best[0] == END else best)
    assert float(found.log_probs[0, 0]) == pytest.approx(total.max(), abs=1e-5)
    assert float(model.greedy(IMAGES[:1]).log_probs[0]) <= float(found.log_probs[0, 0]) + 1e-6


def test_the_gradient_of_the_loss_is_its_slope_in_float64():
    model = small(dtype="float64")
    x, y = tf.constant(IMAGES.astype("float64")), tf.constant(CAPTIONS)
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, None, training=False)
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    start = [weight.numpy() for weight in weights]
    for k, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        direction = np.random.default_rng(k).normal(size=weight.shape)
        found = []
        for step in (1e-5, -1e-5):
            weight.assign(start[k] + step * direction)
            found.append(float(model.compute_loss(x, y, None, training=False)))
        weight.assign(start[k])
        slope = float(np.sum(np.asarray(tf.convert_to_tensor(gradient)) * direction))
        assert (found[0] - found[1]) / 2e-5 == pytest.approx(slope, rel=1e-6, abs=1e-8), weight.path


def test_a_scorer_that_finds_all_places_alike_is_no_attention():
    with_it, without = small(), small(attention=None)
    own = [weight for weight in with_it.trainable_variables if "attend" not in weight.path]
    for one, other in zip(own, without.trainable_variables, strict=True):
        other.assign(one)
    with_it.attend.vector.assign(np.zeros((4, 1)))
    (one, maps), (other, even) = (model.taught(IMAGES, CAPTIONS) for model in (with_it, without))
    np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_allclose(maps, even, atol=1e-6)
    np.testing.assert_allclose(even, 1 / 6, atol=1e-6)


def test_maps_lie_as_the_image_does_and_a_place_knows_where_it_is():
    model = small(annotation=4)
    for weight in model.trainable_variables:
        weight.assign(np.zeros(weight.shape))
    kernel = np.zeros((4, 4))
    kernel[0, 0] = kernel[2, 1] = kernel[3, 2] = 1.0  # brightness; how far below the middle; how far right
    model.annotate.kernel.assign(kernel)
    places = np.asarray(model.annotations(tf.zeros((1, 2, 3, 2)))[0][0])
    np.testing.assert_array_equal(places[:, 1], [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(places[:, 2], [0, 0, 1, 0, 0, 1])
    model.attend.annotation_kernel.assign(np.eye(4)[:, :1] @ np.full((1, 4), 3.0))
    model.attend.vector.assign(np.full((4, 1), 5.0))
    image = np.zeros((1, 2, 3, 2), "float32")
    image[0, 1, 2, 0] = 1.0
    _, maps = model.score(image, CAPTIONS[:1])
    assert np.all(np.asarray(maps)[0, :3, 1, 2] > 0.99) and not np.any(maps[0, 3])  # nothing after the end


def test_padding_counts_for_nothing():
    longer = np.pad(CAPTIONS, ((0, 0), (0, 3)))
    model, found = small(length=7), []
    for y in (CAPTIONS, longer):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(IMAGES, tf.constant(y), None, training=True)
        slopes = tape.gradient(loss, [weight.value for weight in model.trainable_variables])
        measured = [metric.result() for metric in (model.word_accuracy, model.exact_match)]
        for metric in (model.word_accuracy, model.exact_match):
            metric.reset_state()
        found.append([loss, *measured, *(tf.convert_to_tensor(slope) for slope in slopes)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_an_exact_match_is_a_caption_that_is_said_right_to_the_end():
    model = small()
    said = model.predict(IMAGES, verbose=0)
    said[0, 1:] = (END, PAD, PAD) if said[0, 0] != END else PAD
    ends = [np.flatnonzero(row == END) for row in said]
    y = np.array([row if len(end) else [*row[:3], END] for row, end in zip(said, ends, strict=True)], "int32")
    model.compile("sgd")
    found = model.evaluate(IMAGES, y, verbose=0, return_dict=True)
    assert found["exact_match"] == pytest.approx(np.mean(np.all(model.predict(IMAGES, verbose=0) == y, axis=1)))
    log_p, _ = model.score(IMAGES, y)
    assert found["loss"] == pytest.approx(-float(np.mean(log_p)), rel=1e-5)
    taught = np.argmax(model.taught(IMAGES, y)[0], axis=-1)
    assert found["word_accuracy"] == pytest.approx(np.mean((taught == y)[y != PAD]))


def test_a_loop_in_the_graph_computes_what_the_steps_laid_out_do(monkeypatch):
    model = small()
    weights = [weight.value for weight in model.trainable_variables]
    found = []
    for most in (32, 0):
        monkeypatch.setattr(captioner, "UNROLLED", most)

        @tf.function(autograph=False)
        def run():
            with tf.GradientTape() as tape:
                loss = model.compute_loss(tf.constant(IMAGES), tf.constant(CAPTIONS), None, training=False)
            return loss, [tf.convert_to_tensor(each) for each in tape.gradient(loss, weights)]

        loops = [op for op in run.get_concrete_function().graph.get_operations() if "While" in op.type]
        assert bool(loops) == (most == 0)
        found.append(run())
    for one, other in zip(*(keras.tree.flatten(each) for each in found), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_one_export_answers_in_strings_and_needs_no_file_of_ours(tmp_path):
    model = small(beam_width=3)
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    assert [path.name for path in (tmp_path / "served" / "assets").iterdir()] == ["vocabulary.txt"]
    for rows in (3, 1):
        images = IMAGES[:rows]
        told = served.serving_default(images)
        said = model.vocabulary.decode(model.predict(images, verbose=0))
        assert [text.decode() for text in told["captions"].numpy()] == said
        looked = served.attend(images, tf.constant(["A  small 7"] * rows))
        log_p, maps = model.score(images, np.tile([4, 5, 6, END], (rows, 1)))
        np.testing.assert_allclose(looked["log_probs"], log_p, atol=1e-5)
        np.testing.assert_allclose(looked["attention"], maps, atol=1e-6)
        best = served.beam(images)
        assert tuple(best["captions"].shape) == (rows, 3)
        assert np.all(np.asarray(best["log_probs"])[:, 0] >= np.asarray(told["log_probs"]) - 1e-5)
    cold = served.sample(IMAGES, tf.constant([1, 2]), tf.constant(0.0))
    assert np.all(cold["captions"] == served.caption(IMAGES)["captions"])
    many, hot = np.repeat(IMAGES, 20, axis=0), tf.constant(3.0)
    one, same, other = (served.sample(many, tf.constant([1, k]), hot) for k in (2, 2, 3))
    assert np.all(one["captions"] == same["captions"]) and np.any(one["captions"] != other["captions"])


def test_a_trunk_of_yours_may_be_frozen_and_take_images_of_any_size():
    trunk = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(3, 3, strides=2, padding="same")])
    trunk.trainable = False
    model = Captioner((None, None, 1), WORDS, 4, trunk=trunk, **SIZES)
    model.compile(keras.optimizers.SGD(0.1))
    before = trunk.get_weights()
    model.fit(np.ones((3, 9, 6, 1)), CAPTIONS, verbose=0)
    for one, other in zip(before, trunk.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for size in ((5, 5), (8, 12)):
        _, maps = model.score(np.ones((3, *size, 1), "float32"), CAPTIONS)
        assert tuple(maps.shape) == (3, 4, (size[0] + 1) // 2, (size[1] + 1) // 2)
    again = Captioner.from_config(model.get_config())
    again.set_weights(model.get_weights())
    images = np.ones((2, 6, 6, 1), "float32")
    np.testing.assert_allclose(again.taught(images, CAPTIONS[:2])[0], model.taught(images, CAPTIONS[:2])[0], atol=1e-6)
    assert not again.trunk.trainable_weights


def test_it_learns_which_corner_is_bright_and_looks_there():
    keras.utils.set_random_seed(0)
    corners = np.arange(200) % 4
    images = DRAWS.uniform(0, 0.2, size=(200, 8, 8, 1)).astype("float32")
    for image, corner in zip(images, corners, strict=True):
        image[4 * (corner // 2) :, 4 * (corner % 2) :][:4, :4] += 0.7
    names = ("top", "bottom", "left", "right")
    y = np.stack([4 + corners // 2, 6 + corners % 2, np.full(200, END)], axis=1).astype("int32")
    model = Captioner((8, 8, 1), names, 3, units=8, embedding=3, annotation=8, attention=6)
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(images, y, batch_size=50, epochs=25, verbose=0)
    assert model.evaluate(images, y, verbose=0, return_dict=True)["exact_match"] > 0.95
    assert model.vocabulary.decode(model.predict(images[:2], verbose=0)) == ["top left", "top right"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(units=0), "units=0"),
        (lambda: small(attention=0), "attention=0"),
        (lambda: small(dropout=1.0), "dropout=1.0"),
        (lambda: Captioner((8, 8), WORDS, 4), "rank 3"),
        (lambda: small(trunk=keras.layers.Flatten()), "feature maps"),
        (lambda: small(("a", "a")), "'a'"),
        (lambda: small().compile("sgd", loss="mse"), "loss='mse'"),
        (lambda: small().compute_loss(IMAGES), "y=None"),
        (lambda: small().taught(IMAGES, CAPTIONS[0]), "rank 2"),
    ],
)
def test_what_cannot_be_is_refused_with_what_came(make, message):
    with pytest.raises(ValueError, match=message):
        make()
