"""Initial weights: uniform in the printed interval, with the variance that the rule is for."""

import keras
import numpy as np
import pytest
import scipy.stats

from keras_course.core.serial import load, save_model
from keras_course.initializers import NormalizedInitialization, UniformFanIn, seeded
from keras_course.ops.initial_scale import fans, normalized_limit, uniform_fan_in_limit

SHAPES = [(200, 50), (3, 3, 8, 16), (40,)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cls", [UniformFanIn, NormalizedInitialization], ids=lambda cls: cls.__name__)
def test_weights_are_uniform_up_to_the_limit(cls, shape):
    limit = cls().limit(shape)
    weights = keras.ops.convert_to_numpy(cls(seed=3)(shape)).ravel()
    assert np.abs(weights).max() <= limit
    # False alarm: 1e-4.
    assert scipy.stats.kstest(weights, scipy.stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_the_limits_are_those_of_the_stock_initializers(shape):
    pairs = (
        (UniformFanIn(seed=5), keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=5)),
        (NormalizedInitialization(seed=5), keras.initializers.GlorotUniform(seed=5)),
    )
    for ours, theirs in pairs:
        difference = keras.ops.convert_to_numpy(ours(shape)) - keras.ops.convert_to_numpy(theirs(shape))
        assert np.abs(difference).max() < 1e-7


def test_a_net_of_inputs_of_variance_one_has_the_variance_the_rule_promises():
    draws = np.random.Generator(np.random.Philox(1)).normal(size=(2000, 400)).astype("float32")
    for cls, variance in ((UniformFanIn, 1 / 3), (NormalizedInitialization, 1.0)):
        weights = keras.ops.convert_to_numpy(cls(seed=2)((400, 400)))
        assert np.var(draws @ weights) == pytest.approx(variance, rel=0.03)


def test_equal_units_stay_equal_and_random_ones_do_not():
    """Why weights are drawn at random: the symmetry between two hidden units is never broken by descent."""
    draws = np.random.Generator(np.random.Philox(4))
    x, y = draws.normal(size=(64, 3)).astype("float32"), draws.normal(size=(64, 1)).astype("float32")
    apart = {}
    for name, initializer in (("constant", keras.initializers.Constant(0.1)), ("random", UniformFanIn(seed=1))):
        net = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(2, "tanh", kernel_initializer=initializer), keras.layers.Dense(
                1, kernel_initializer=initializer)]
        )  # fmt: skip
        net.compile(keras.optimizers.SGD(0.1), loss="mse")
        net.fit(x, y, epochs=5, verbose=0)
        kernel = net.layers[0].get_weights()[0]
        apart[name] = np.abs(kernel[:, 0] - kernel[:, 1]).max()
    assert apart["constant"] < 1e-7 < 1e-2 < apart["random"]


@pytest.mark.parametrize("cls", [UniformFanIn, NormalizedInitialization], ids=lambda cls: cls.__name__)
def test_the_same_seed_draws_the_same_weights_and_configs_rebuild(cls):
    first = cls(seed=7)
    rebuilt = cls.from_config(first.get_config())
    assert np.array_equal(first((4, 3)), rebuilt((4, 3)))
    assert not np.array_equal(first((4, 3)), cls(seed=8)((4, 3)))
    generator = cls(seed=keras.random.SeedGenerator(1))
    assert not np.array_equal(generator((4, 3)), generator((4, 3)))
    again = cls.from_config(generator.get_config())
    assert isinstance(again.seed, keras.random.SeedGenerator)
    assert str(cls()((2, 2), dtype="float64").dtype).endswith("float64'>")


def test_a_model_file_carries_the_initializer(tmp_path):
    layer = keras.layers.Dense(2, kernel_initializer=UniformFanIn(seed=1), bias_initializer=NormalizedInitialization())
    net = keras.Sequential([keras.Input((3,)), layer])
    save_model(net, tmp_path / "net.keras")
    loaded = load(tmp_path / "net.keras").layers[0]
    assert type(loaded.kernel_initializer) is UniformFanIn and loaded.kernel_initializer.seed == 1
    assert type(loaded.bias_initializer) is NormalizedInitialization


def test_fans_count_the_receptive_field():
    assert fans((784, 100)) == (784, 100)
    assert fans((5, 5, 6, 16)) == (150, 400)
    assert fans((7,)) == (7, 7)


@pytest.mark.parametrize(
    ("call", "came"),
    [
        (lambda: fans(()), "shape=()"),
        (lambda: fans((3, 0)), "size=0"),
        (lambda: uniform_fan_in_limit(0), "fan_in=0"),
        (lambda: normalized_limit(3, 0), "fan_out=0"),
    ],
)
def test_a_layer_without_units_has_no_scale(call, came):
    with pytest.raises(ValueError) as refused:
        call()
    assert str(refused.value).endswith(f"Received: {came}")


def test_each_layer_of_a_block_draws_weights_of_its_own_from_one_initializer():
    first, again, other = (seeded(UniformFanIn(), 7, name, "kernel") for name in ("a", "a", "b"))
    assert type(first) is UniformFanIn
    np.testing.assert_array_equal(first((3, 2)), again((3, 2)))
    assert not np.array_equal(first((3, 2)), other((3, 2)))
    unseeded = UniformFanIn()
    assert seeded(unseeded, None, "a") is unseeded
