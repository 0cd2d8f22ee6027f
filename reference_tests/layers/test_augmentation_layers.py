"""Augmentation layers: pure functions of an example and its numbers, fresh in training, absent in inference."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy import stats

from keras_course.core.serial import load, save_model
from keras_course.layers import (
    Augmentation,
    RandomAffine,
    RandomBlur,
    RandomColourShift,
    RandomEcho,
    RandomNoise,
    RandomOmissions,
    RandomRotation,
    RandomScale,
    RandomSharpen,
    RandomShift,
    RandomTypos,
    WeightedChoice,
)

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.normal(size=(12, 5, 6, 3)).astype("float32")
SOUND = GENERATOR.normal(size=(12, 9)).astype("float32")
TEXT = GENERATOR.integers(0, 7, (12, 8)).astype("int32")

LAYERS = {
    "shift": (lambda **k: RandomShift(2, 1.5, **k), IMAGES),
    "scale": (lambda **k: RandomScale(0.5, **k), IMAGES),
    "rotation": (lambda **k: RandomRotation(1.0, **k), IMAGES),
    "affine": (lambda **k: RandomAffine(1.0, 0.5, 0.6, 0.4, 0.3, **k), IMAGES),
    "colour": (lambda **k: RandomColourShift(0.4, **k), IMAGES),
    "blur": (lambda **k: RandomBlur(1.5, **k), IMAGES),
    "sharpen": (lambda **k: RandomSharpen(2.0, **k), IMAGES),
    "echo": (lambda **k: RandomEcho((1, 4), (0.2, 0.6), **k), SOUND),
    "noise": (lambda **k: RandomNoise((0.0, 10.0), **k), SOUND),
    "typos": (lambda **k: RandomTypos(0.4, 7, **k), TEXT),
    "omissions": (lambda **k: RandomOmissions(0.4, **k), TEXT),
    "choice": (lambda **k: WeightedChoice([RandomShift(2), RandomBlur(1.5)], [3.0, 1.0], **k), IMAGES),
}
every_layer = pytest.mark.parametrize("make, x", LAYERS.values(), ids=LAYERS)


def array(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32") if "float" in str(tensor.dtype) else tensor))


def uniforms_for(layer, x, seed=1):
    return np.random.default_rng(seed).random((len(x), layer.draws(x.shape))).astype("float32")


@every_layer
def test_an_example_and_its_numbers_give_the_same_bits_in_any_batch(make, x):
    layer = make()
    u = uniforms_for(layer, x)
    whole = array(layer(x, u))
    assert np.mean([not np.array_equal(a, b) for a, b in zip(whole, x, strict=True)]) > 0.7  # it does change examples
    for size in (1, 5):
        parts = [array(layer(x[i : i + size], u[i : i + size])) for i in range(0, len(x), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    back = array(layer(x[::-1], u[::-1]))[::-1]
    np.testing.assert_array_equal(back, whole)


@every_layer
def test_inference_returns_the_examples_and_wins_over_uniforms(make, x):
    layer = make(seed=0)
    for came in (layer(x), layer(x, training=False), layer(x, uniforms_for(layer, x), training=False)):
        np.testing.assert_array_equal(array(came), x)
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=str(x.dtype)), layer])
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)
    first, second = array(model(x, training=True)), array(model(x, training=True))
    assert not np.array_equal(first, x) and not np.array_equal(first, second)


@every_layer
def test_draws_of_the_layers_own_are_those_of_its_seed_and_resume_from_a_file(make, x, tmp_path):
    model, twin = (keras.Sequential([keras.Input(x.shape[1:], dtype=str(x.dtype)), make(seed=5)]) for _ in range(2))
    for _ in range(2):
        np.testing.assert_array_equal(array(model(x, training=True)), array(twin(x, training=True)))
    save_model(model, tmp_path / "model.keras")
    wanted = [array(model(x, training=True)) for _ in range(2)]
    resumed = load(tmp_path / "model.keras")
    for draw in wanted:
        np.testing.assert_array_equal(array(resumed(x, training=True)), draw)


@every_layer
def test_graph_and_xla_change_what_eager_code_changes(make, x):
    layer = make()
    u = uniforms_for(layer, x)
    layer.build(x.shape)
    eager = array(layer(x, u))
    for jit in (False, True):
        came = tf.function(layer, jit_compile=jit, autograph=False)(tf.constant(x), tf.constant(u))
        # Places round to 5e-7 of a pixel, and the images change by up to 5 from one to the next.
        np.testing.assert_allclose(array(came), eager, atol=1e-5)


@pytest.mark.parametrize("policy, roundoff", [("mixed_float16", 2.0**-11), ("mixed_bfloat16", 2.0**-8)])
@pytest.mark.parametrize("name", [name for name, (_, x) in LAYERS.items() if x is not TEXT])
def test_half_precision_rounds_the_examples_and_not_the_numbers(name, policy, roundoff):
    make, x = LAYERS[name]
    layer, half = make(), make(dtype=policy)
    u = uniforms_for(layer, x)
    came = half(x, u)
    assert keras.backend.standardize_dtype(came.dtype) == half.compute_dtype
    error = np.abs(array(came) - array(layer(x, u))).max()
    assert 0 < error < 8 * roundoff * np.abs(x).max()


def test_a_served_model_holds_no_operation_of_its_augmentation(tmp_path):
    def operations(*layers):
        keras.utils.set_random_seed(0)
        stack = [keras.Input((5, 6, 3)), *layers, keras.layers.Flatten(), keras.layers.Dense(2)]
        model = keras.Sequential(stack)
        model.export(tmp_path / str(len(layers)), verbose=False)
        served = tf.saved_model.load(tmp_path / str(len(layers)))
        answer = served.serve(IMAGES)
        graph = served.signatures["serving_default"].graph
        inner = [function.graph for function in graph._functions.values() if hasattr(function, "graph")]
        return answer.numpy(), sorted({op.type for each in (graph, *inner) for op in each.get_operations()})

    plain, wanted = operations()
    came, found = operations(*(make() for make, x in LAYERS.values() if x is IMAGES))
    np.testing.assert_array_equal(came, plain)
    assert found == wanted and not any("Random" in kind or "Gather" in kind for kind in found)


def test_a_fit_trains_on_changed_examples_and_validates_on_the_real_ones():
    seen = {True: [], False: []}

    class Watch(keras.layers.Layer):
        def call(self, inputs, training=None):
            seen[bool(training)].append(array(inputs))
            return inputs

    model = keras.Sequential([keras.Input((5, 6, 3)), RandomShift(2, seed=1), Watch(), keras.layers.Flatten()])
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(IMAGES, np.zeros(12), validation_data=(IMAGES, np.zeros(12)), batch_size=12, shuffle=False, verbose=0)
    assert not np.array_equal(seen[True][-1], IMAGES) and np.array_equal(seen[False][-1], IMAGES)


def test_the_ends_of_the_uniform_numbers_are_the_ends_of_the_ranges():
    middle = np.full((1, 9, 9, 1), 0.0, "float32")
    middle[0, 4, 4] = 1.0
    ends = ops.convert_to_tensor([[0.0, 1.0 - 2.0**-24]])
    moved = array(RandomShift(down=2, right=3)(middle, ends))[0, :, :, 0]
    np.testing.assert_allclose(moved[2, 7], 1, atol=1e-5)
    x = np.tile(np.linspace(-4, 4, 9, dtype="float32")[None, None, :, None], (1, 9, 1, 1))
    factors = [array(RandomScale(1.0)(x, ops.convert_to_tensor([[u]])))[0, 4, 6, 0] for u in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(factors, [4, 2, 1], rtol=1e-6)  # half size, the same, twice the size
    click = np.zeros((3, 8), "float32")
    click[:, 0] = 1
    echoes = array(RandomEcho((2, 4), (0.5, 1.0))(click, ops.convert_to_tensor([[0.0, 0.0], [0.34, 0.5], [0.99, 1.0]])))
    assert [row.nonzero()[0].tolist() for row in echoes] == [[0, 2], [0, 3], [0, 4]]
    assert echoes[[0, 1, 2], [2, 3, 4]].tolist() == [0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("ranges", "place", "alone"),
    [
        ({"down": 2, "right": 1.5}, slice(0, 2), RandomShift(2, 1.5)),
        ({"angle": 1.0}, slice(2, 3), RandomRotation(1.0)),
        ({"amount": 0.7}, slice(3, 4), RandomScale(0.7)),
    ],
)
def test_an_affine_layer_with_one_range_is_the_layer_of_that_kind(ranges, place, alone):
    layer = RandomAffine(**{"down": 0, "angle": 0, "amount": 0, "shear": 0, **ranges})
    u = uniforms_for(layer, IMAGES)
    np.testing.assert_allclose(array(layer(IMAGES, u)), array(alone(IMAGES, u[:, place])), atol=1e-5)


def test_the_ends_of_the_shear_are_that_many_rows_a_column():
    layer = RandomAffine(down=0, angle=0, amount=0, shear=1.0)
    x = np.tile(np.arange(9, dtype="float32")[None, :, None, None], (2, 1, 9, 1))  # each pixel tells its row
    down, up = array(layer(x, ops.convert_to_tensor([[0.5, 0.5, 0.5, 0.5, end] for end in (1.0, 0.0)])))[..., 0]
    np.testing.assert_allclose(down[4], np.arange(9), atol=1e-5)
    np.testing.assert_allclose(up[4], np.arange(9)[::-1], atol=1e-5)


def test_colours_beyond_the_range_are_clipped_and_others_are_not():
    layer = RandomColourShift(0.5, value_range=(0, 1))
    came = array(layer(np.full((1, 2, 2, 3), 0.75, "float32"), ops.convert_to_tensor([[0.0, 0.75, 0.9]])))
    np.testing.assert_allclose(came[0, 0, 0], [0.25, 1, 1])


def test_a_transform_is_chosen_as_often_as_its_relevance_says():
    steps = [RandomShift(0), *(RandomColourShift(amount) for amount in (1.0, 10.0, 100.0))]
    relevance = [4.0, 1.0, 0.0, 3.0]
    layer = WeightedChoice(steps, relevance, seed=2)
    came = np.abs(array(layer(np.zeros((8000, 1, 1, 1), "float32"), training=True))).ravel()
    # A colour shift of at most 100 lies within 1 in a hundredth of the cases.
    within = [np.mean(came == 0), np.mean((came > 0) & (came < 1)), np.mean(came >= 1)]
    wanted = np.array([4 / 8, 1 / 8 + 0.01 * 3 / 8, 0.99 * 3 / 8])
    assert stats.chisquare(np.array(within) * 8000, wanted * 8000).pvalue > 1e-6  # false alarm 1e-6


def test_a_choice_does_to_each_example_what_its_transform_alone_does():
    steps = [RandomRotation(1.0), RandomColourShift(0.5), RandomShift(2)]
    layer = WeightedChoice(steps)
    assert layer.draws(IMAGES.shape) == 4
    u = uniforms_for(layer, IMAGES)
    came = array(layer(IMAGES, u))
    chosen = (u[:, 0] * 3).astype(int)
    assert set(chosen) == {0, 1, 2}
    for row, index in enumerate(chosen):
        step = steps[index]
        alone = step(IMAGES[row : row + 1], u[row : row + 1, 1 : 1 + step.draws(IMAGES.shape)])
        np.testing.assert_array_equal(came[row], array(alone)[0])


def test_choices_nest_and_come_back_from_their_config():
    inner = WeightedChoice([RandomTypos(0.3, 7, [[], [2], [1], [], [5, 6], [], []]), RandomOmissions(0.5)], [1.0, 2.0])
    layer = WeightedChoice([inner, RandomTypos(0.5, 7)], seed=4)
    again = WeightedChoice.from_config(layer.get_config())
    u = uniforms_for(layer, TEXT)
    np.testing.assert_array_equal(array(again(TEXT, u)), array(layer(TEXT, u)))
    assert again.get_config() == layer.get_config()


def test_images_of_whole_numbers_are_taken_and_given_back_as_floats():
    came = RandomShift(1)(np.full((1, 3, 3, 1), 200, "uint8"), ops.convert_to_tensor([[0.5, 0.75]]))
    assert array(came)[0, 0, :, 0].tolist() == [100.0, 200.0, 200.0]


def test_a_subclass_of_ones_own_needs_draws_and_a_transform():
    class Negative(Augmentation):
        ranks = (2,)

        def draws(self, shape):
            return 1

        def transform(self, inputs, uniforms):
            return ops.where(uniforms < 0.5, -inputs, inputs)

    layer = Negative(seed=1)
    assert array(layer(np.ones((2, 1)), ops.convert_to_tensor([[0.1], [0.9]]))).tolist() == [[-1], [1]]
    assert set(array(layer(np.ones((50, 1)), training=True)).ravel()) == {-1, 1}
    with pytest.raises(TypeError, match="does not define draws"):
        Augmentation().draws((1, 2))
    with pytest.raises(TypeError, match="does not define transform"):
        Augmentation().transform(np.ones((1, 2)), None)


def test_bad_arguments_are_refused_with_what_came():
    for make, message in (
        (lambda: RandomShift(-1), "down=-1"),
        (lambda: RandomShift(1, float("nan")), "right=nan"),
        (lambda: RandomScale(-0.5), "amount=-0.5"),
        (lambda: RandomRotation("0.1"), "angle='0.1'"),
        (lambda: RandomAffine(shear=-1), "shear=-1"),
        (lambda: RandomColourShift(0.1, value_range=(1, 0)), r"value_range=\(1, 0\)"),
        (lambda: RandomBlur(1.0, radius=0), "radius=0"),
        (lambda: RandomSharpen(1.0, sigma=-1), "sigma=-1"),
        (lambda: RandomEcho((0.5, 2)), r"delay=\(0.5, 2\)"),
        (lambda: RandomEcho((-1, 2)), r"delay=\(-1, 2\)"),
        (lambda: RandomNoise(20), "snr=20"),
        (lambda: RandomTypos(1.1, 5), "rate=1.1"),
        (lambda: RandomTypos(0.1, 2), "vocabulary=2"),
        (lambda: RandomTypos(0.1, 3, [[]]), r"vocabulary=3, len\(neighbours\)=1"),
        (lambda: RandomOmissions(-0.1), "rate=-0.1"),
        (lambda: WeightedChoice([]), "at least one"),
        (lambda: WeightedChoice([keras.layers.Dense(1)]), "augmentation layers"),
        (lambda: WeightedChoice([RandomBlur()], [1.0, 2.0]), "1 transforms"),
        (lambda: WeightedChoice([RandomBlur()], [0.0]), "not all 0"),
        (lambda: WeightedChoice([RandomBlur(), RandomEcho()]), "one kind of input"),
        (lambda: WeightedChoice([RandomTypos(0.1, 5), RandomEcho()]), "one kind of input"),
        (lambda: RandomShift()(IMAGES[0]), r"rank 4. Received: shape=\(5, 6, 3\)"),
        (lambda: RandomShift()(keras.Input((None, 6, 3))), "every axis but the batch"),
        (lambda: RandomShift()(IMAGES, IMAGES[:, 0, 0]), r"shape \(batch, 2\).*Received: shape=\(12, 3\)"),
        (lambda: RandomOmissions(0.1)(SOUND), "integer ids. Received: dtype="),
    ):
        with pytest.raises(ValueError, match=message):
            make()
