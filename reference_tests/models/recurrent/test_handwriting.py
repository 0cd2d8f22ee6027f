"""Handwriting synthesis: densities, streams, masks, seeds, and lines that an exported model writes again."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.serial import load_exported
from keras_course.datasets.pen_lines import pack_lines
from keras_course.models.recurrent import HandwritingSynthesis
from keras_course.models.recurrent.writing import codes_of

ALPHABET = "abc d"


def made(cell="peephole-lstm", levels=3, seed=3, **options):
    sizes = {"units": 5, "levels": levels, "components": 2, "window": 2}
    return HandwritingSynthesis(ALPHABET, cell=cell, seed=seed, **sizes, **options)


def points_of(rows, seed=0):
    generator = np.random.default_rng(seed)
    moved = generator.normal(size=(rows, 2))
    return np.column_stack([moved, generator.integers(0, 2, rows)]).astype("float32")


@pytest.fixture(scope="module")
def model():
    return made()


@pytest.fixture(scope="module")
def lines():
    """Three lines of unequal lengths: (points, text)."""
    return [(points_of(7, 1), "ab c"), (points_of(3, 2), "d"), (points_of(5, 3), "bb")]


def test_lines_of_unequal_lengths_have_the_density_each_has_alone(model, lines):
    packed = pack_lines(lines, ALPHABET)
    together = model.log_prob(packed[:, :, :3], [text for _, text in lines])
    alone = [model.log_prob(points[None], [text])[0] for points, text in lines]
    np.testing.assert_allclose(together, alone, rtol=2e-6)
    nats, counts = model.nats_of_lines(packed, model(packed))
    np.testing.assert_allclose(-nats, alone, rtol=2e-6)
    assert list(counts) == [7, 3, 5]


@pytest.mark.parametrize("cell", ["peephole-lstm", "lstm"])
def test_a_stream_of_points_gives_what_the_whole_line_gives(cell, lines):
    model = made(cell)
    points, text = lines[0]
    whole = model(pack_lines([lines[0]], ALPHABET))[0]
    state, last, streamed = np.zeros((1, sum(model.state_sizes)), "float32"), np.zeros((1, 3), "float32"), []
    for point in points:
        found = model.step(last, [text], state)
        streamed.append(found["parameters"][0])
        state, last = found["state"], point[None]
    np.testing.assert_allclose(streamed, whole, rtol=1e-5, atol=1e-6)


def test_training_mode_computes_what_inference_computes(model, lines):
    packed = pack_lines(lines, ALPHABET)
    np.testing.assert_allclose(model(packed, training=True), model(packed, training=False), rtol=1e-5, atol=1e-6)


def test_a_line_without_points_or_text_costs_nothing_and_yields_no_nan():
    model = made()
    empty = np.zeros((2, 4, 4), "float32")
    empty[:, :, 2] = -1
    lines = np.concatenate([empty, pack_lines([(points_of(4), "ab")], ALPHABET, 4)])
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = model.evaluate(lines, verbose=0, return_dict=True)["nats_per_point"]
    alone = model.evaluate(lines[2:], verbose=0, return_dict=True)["nats_per_point"]
    np.testing.assert_allclose(before, alone, rtol=1e-6)
    model.fit(lines, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert model(lines[:, :0]).shape == (3, 0, 13)


def test_gradient_equals_finite_differences_in_float64(lines):
    model = made(dtype="float64")
    packed = pack_lines(lines, ALPHABET).astype("float64")

    def loss():
        nats, _ = model.nats_of_lines(packed, model(packed, training=True))
        return tf.reduce_sum(nats)

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, model.trainable_weights)
    generator = np.random.default_rng(0)
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        direction = generator.normal(size=weight.shape)
        start, step = weight.numpy(), 1e-5
        ends = []
        for sign in (1, -1):
            weight.assign(start + sign * step * direction)
            ends.append(float(loss()))
        weight.assign(start)
        slope = (ends[0] - ends[1]) / (2 * step)
        ours = np.sum(np.asarray(gradient) * direction)
        np.testing.assert_allclose(ours, slope, rtol=2e-6, atol=2e-7, err_msg=weight.path)


def test_every_weight_learns(lines):
    model = made()
    packed = pack_lines(lines, ALPHABET)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(model.nats_of_lines(packed, model(packed, training=True))[0])
    for weight, gradient in zip(model.trainable_weights, tape.gradient(value, model.trainable_weights), strict=True):
        assert gradient is not None and np.abs(np.asarray(gradient)).max() > 0, weight.path


def test_the_text_matters_to_every_point(model):
    one, other = (np.asarray(model(pack_lines([(points_of(6), text)], ALPHABET)))[0] for text in ("ab", "cb"))
    assert np.abs(one[0] - other[0]).max() > 1e-5  # upper levels see the window of their own step
    blank = np.asarray(model(pack_lines([(points_of(6), "")], ALPHABET)))[0]
    assert np.abs(one - blank).max(axis=1).min() > 1e-5


def test_a_point_says_nothing_of_those_after_it(model):
    points = points_of(6)
    changed = points.copy()
    changed[4:, :2] += 1.0
    one, other = (np.asarray(model(pack_lines([(each, "ab")], ALPHABET)))[0] for each in (points, changed))
    np.testing.assert_array_equal(one[:5], other[:5])
    assert np.abs(one[5] - other[5]).max() > 1e-4


def test_the_same_seed_writes_the_same_and_more_lines_begin_with_the_same(model):
    one, two = model.write("abc", seed=5, n=1), model.write("abc", seed=5, n=3)
    length = one["points"].shape[1]
    np.testing.assert_allclose(two["points"][0, :length], one["points"][0], rtol=1e-5, atol=1e-6)
    assert np.abs(model.write("abc", seed=6)["points"][0, :2] - one["points"][0, :2]).max() > 1e-3
    assert len({tuple(np.asarray(line[0]).tolist()) for line in two["points"]}) == 3


def test_a_great_bias_writes_the_likeliest_stroke_alone(model):
    drawn = model.write("abc", seed=1, bias=30.0, n=4)["points"][:, 0, :2]
    state = np.zeros((1, sum(model.state_sizes)), "float32")
    parameters = model.step(np.zeros((1, 3), "float32"), ["abc"], state)["parameters"]
    parts = model.family.parts(parameters)
    best = int(np.argmax(parts.logits[0]))
    np.testing.assert_allclose(drawn, np.repeat(parts.mean[0, best][None], 4, axis=0), atol=1e-5)


def test_priming_reads_the_points_before_it_writes(model):
    points, spoken = points_of(6), "ab"
    one = model.prime(points, spoken, "c", seed=2, bias=0.5, n=2)
    state, last = np.zeros((1, sum(model.state_sizes)), "float32"), np.zeros((1, 3), "float32")
    for point in points:  # by hand: every point, then the first that is drawn
        state, last = model.step(last, [spoken + "c"], state)["state"], point[None]
    parameters = model.step(last, [spoken + "c"], state)["parameters"]
    pair = tf.random.experimental.stateless_fold_in(tf.constant([0, 2]), 0, alg="philox")
    wanted = model.family.sample(np.repeat(parameters, 2, axis=0), pair, bias=0.5)
    np.testing.assert_allclose(one["points"][:, 0], wanted, rtol=1e-5, atol=1e-5)
    other = model.prime(points[:3], spoken, "c", seed=2, bias=0.5, n=2)
    assert np.abs(other["points"][:, 0] - one["points"][:, 0]).max() > 1e-5


def test_writing_ends_at_the_limit_if_the_window_never_leaves_the_text():
    model = made(most_points=3, first_step=0.01)
    assert model.write("ab", seed=0)["points"].shape == (1, 6, 3)
    assert model.write("ab", seed=0)["window"].shape == (1, 6, 3)


def test_writing_ends_where_the_pen_is_up_and_the_window_past_the_last_character():
    found = made(most_points=30, first_step=0.2).write("ab", seed=0, n=3)
    counts = []
    for points, weights in zip(np.asarray(found["points"]), np.asarray(found["window"]), strict=True):
        place = weights @ np.arange(3) / weights.sum(axis=1)
        count = int((points[:, 2] >= 0).sum())
        assert 1 < count < 60 and points[count - 1, 2] == 1 and (points[count:] == [0, 0, -1]).all()
        lifted = np.flatnonzero(points[: count - 1, 2] == 1)
        assert (place[lifted + 1] <= 1).all() and (place[count : count + 1] > 1).all()
        counts.append(count)
    assert max(counts) == found["points"].shape[1] == found["window"].shape[1] and len(set(counts)) > 1


def test_nothing_is_written_of_an_empty_text_or_in_no_lines(model):
    def shapes(text, n):
        return tf.shape(model.write(text, tf.constant([0, 1]), 0.0, n)["points"])

    for run in (shapes, tf.function(shapes)):
        assert list(run(tf.constant(""), tf.constant(2))) == [2, 0, 3]
        assert list(run(tf.constant("ab"), tf.constant(0))) == [0, 0, 3]


def test_characters_outside_the_alphabet_are_named():
    with pytest.raises(ValueError, match=r"The alphabet has 'abc d'. Received: text=\['xyz'\]"):
        made().write("xyz", seed=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="The alphabet has"):
        tf.function(lambda text: codes_of(text, ALPHABET))(tf.constant(["xyz"]))
    assert codes_of(["b a"], ALPHABET).numpy().tolist() == [[2, 4, 1]]


def test_letters_of_several_bytes_count_once():
    assert codes_of(["éa", "a"], "aé").numpy().tolist() == [[2, 1], [1, 0]]


_SERVE = """
import gc, sys
gc.disable()
for name in ("keras_course", "tensorflow_probability", "keras"):
    sys.modules[name] = None
import numpy as np, tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
found = [served.write(tf.constant(text), tf.constant([0, 7]), tf.constant(0.5), tf.constant(2))["points"]
         for text in ("ab", "abc d")]
lengths = [served.serving_default(tf.zeros((2, rows, 4))).shape[1] for rows in (1, 9)]
np.savez(sys.argv[2], a=found[0], b=found[1], lengths=lengths)
"""


def test_a_process_without_the_package_writes_the_same_lines(model, tmp_path):
    model.export(tmp_path / "export")
    assert load_exported(tmp_path / "export") is not None
    subprocess.run([sys.executable, "-c", _SERVE, tmp_path / "export", tmp_path / "found.npz"], check=True)
    found = np.load(tmp_path / "found.npz")
    for key, text in (("a", "ab"), ("b", "abc d")):
        np.testing.assert_allclose(found[key], model.write(text, seed=7, bias=0.5, n=2)["points"], rtol=1e-5, atol=1e-5)
    assert list(found["lengths"]) == [1, 9]


def test_the_full_size_has_three_and_two_thirds_million_weights():
    letters = "".join(map(chr, range(65, 122)))  # 57 characters, as many as Graves's
    h, v, k, m = 400, 57, 10, 20
    first = 4 * h * (3 + v + h + 1) + 3 * h
    other = 4 * h * (3 + h + v + h + 1) + 3 * h
    wanted = first + 2 * other + (h + 1) * 3 * k + (3 * h + 1) * (6 * m + 1)
    assert HandwritingSynthesis(letters).count_params() == wanted == 3_653_751


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphabet": "aa"}, "every character once. Received: alphabet='aa'"),
        ({"alphabet": ""}, "needs an alphabet"),
        ({"cell": "gru"}, "Received: cell='gru'"),
        ({"units": 0}, "Received: units=0"),
        ({"text_length": 0}, "Received: text_length=0"),
        ({"window": 0}, "Received: window=0"),
        ({"first_step": 0.0}, "Received: first_step=0.0"),
        ({"components": 0}, "Received: components=0"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        HandwritingSynthesis(**{"units": 2, "components": 1, "window": 1, **options})


def test_inputs_of_another_width_are_refused(model):
    with pytest.raises(ValueError):
        model(np.zeros((1, 2, 3), "float32"))
    with pytest.raises(ValueError, match="state of HandwritingSynthesis expects"):
        model.step(np.zeros((1, 3), "float32"), ["a"], np.zeros((1, 2), "float32"))
    for points in (points_of(0), points_of(2)[:, :2]):
        with pytest.raises(ValueError, match=r"points \(P, 3\), P >= 1. Received: shape="):
            model.prime(points, "a", "b", seed=0)


def test_a_bias_that_is_not_0_or_more_is_refused_in_a_graph_too(model):
    for bias in (-0.5, float("nan")):
        with pytest.raises(ValueError, match=f"Received: bias={bias}"):
            model.write("a", seed=0, bias=bias)
    graph = tf.function(model.write)
    assert graph("a", tf.constant([0, 1]), tf.constant(0.5))["points"].shape[0] == 1  # one line, a constant
    with pytest.raises(tf.errors.InvalidArgumentError, match="bias of 0 or more"):
        graph("a", tf.constant([0, 1]), tf.constant(-0.5))
