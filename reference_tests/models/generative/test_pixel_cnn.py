"""PixelCNN against enumeration of all its images, against sampling the slow way, and what each pixel hangs on."""

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from keras_course.core.errors import InvalidDataError
from keras_course.distributions.families.levels import DiscretizedLogistic
from keras_course.layers import masked_convolution
from keras_course.models.generative.pixel_cnn import PixelCNN


def network(shape=(2, 3), levels=2, filters=6, blocks=1, first_kernel=3, spread=0.6, **kwargs):
    """A model whose weights are all well away from zero."""
    model = PixelCNN(shape, levels, filters, blocks, first_kernel=first_kernel, **kwargs)
    draws = np.random.Generator(np.random.Philox(3))
    for weight in model.trainable_variables:
        weight.assign(draws.normal(scale=spread, size=weight.shape))
    return model


def all_images(shape, levels=2):
    images = np.array(list(itertools.product(range(levels), repeat=int(np.prod(shape)))), "float32")
    return images.reshape(-1, *shape)


def hangs_on(model):
    """[here, there]: whether changing the number at `there` changes the parameters at `here`, both in reading order."""
    draws = np.random.Generator(np.random.Philox(4))
    x = draws.integers(0, 2, size=(6, *model.event_shape)).astype("float32")
    size = x[0].size
    turned = np.repeat(x[None], size + 1, axis=0).reshape(size + 1, 6, size)
    turned[np.arange(size), :, np.arange(size)] = 1 - turned[np.arange(size), :, np.arange(size)]
    parameters = np.asarray(model(turned.reshape(-1, *model.event_shape))).reshape(size + 1, 6, size, -1)
    return (parameters[:-1] != parameters[-1]).any(axis=(1, 3)).T


EARLIER = np.tril(np.ones((25, 25), bool), -1)
PLACES = np.array(list(np.ndindex(5, 5)))
RISE, RIGHT = (PLACES[:, None] - PLACES[None])[..., 0], (PLACES[None] - PLACES[:, None])[..., 1]


def test_a_gated_pixel_hangs_on_all_earlier_ones_and_on_no_other():
    model = network((5, 5), blocks=2, first_kernel=5)
    np.testing.assert_array_equal(hangs_on(model), EARLIER)


def test_the_residual_form_is_blind_for_a_wedge_to_the_upper_right():
    """First windows reach two to the right from a row above; every further row above adds one."""
    model = network((5, 5), blocks=2, first_kernel=5, gated=False)
    blind = (RISE > 0) & (RIGHT > RISE + 1)
    assert blind.any()
    np.testing.assert_array_equal(hangs_on(model), EARLIER & ~blind)


@pytest.mark.parametrize("gated", [True, False])
def test_colours_come_one_after_the_other(gated, monkeypatch):
    """B hears of R and G, G of R; with mask A everywhere G hears of nothing, with B a pixel sees itself."""
    earlier = np.tril(np.ones((6, 6), bool), -1)
    shape = (1, 2, 3)
    np.testing.assert_array_equal(hangs_on(network(shape, filters=12, gated=gated)), earlier)
    ours = masked_convolution.convolution_mask
    for kind in "AB":

        def wrong(size, inputs, outputs, _, *rest, kind=kind):
            return ours(size, inputs, outputs, kind, *rest)

        monkeypatch.setattr(masked_convolution, "convolution_mask", wrong)
        found = hangs_on(network(shape, filters=12, gated=gated))
        assert found[np.diag_indices(6)].any() == (kind == "B")
        assert (found != earlier).any()


@pytest.mark.parametrize("gated", [True, False])
def test_probabilities_of_all_images_sum_to_one(gated):
    for shape, levels in (((2, 3), 2), ((1, 2, 2), 3)):
        total = np.exp(np.asarray(network(shape, levels, gated=gated).log_prob(all_images(shape, levels)))).sum()
        np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_bells_of_grey_levels_are_a_density_too_and_are_drawn_as_often():
    model = network((1, 2), 3, spread=0.3, family=DiscretizedLogistic(1, 3, components=2))
    wanted = np.exp(np.asarray(model.log_prob(all_images((1, 2), 3)), "float64"))
    np.testing.assert_allclose(wanted.sum(), 1, rtol=1e-5)
    drawn = np.asarray(model.sample(seed=1, n=2000)).reshape(-1, 2) @ [3, 1]
    assert chisquare(np.bincount(drawn.astype(int), minlength=9), 2000 * wanted / wanted.sum()).pvalue > 1e-3


def test_bits_count_dimensions():
    model, x = network(), all_images((2, 3))[5:9]
    np.testing.assert_allclose(model.bits_per_dimension(x), -np.asarray(model.log_prob(x)) / np.log(2) / 6, rtol=1e-6)
    model.compile("sgd")
    found = model.evaluate(x, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["bits_per_dimension"], np.mean(model.bits_per_dimension(x)), rtol=1e-5)
    np.testing.assert_allclose(found["loss"], -found["log_likelihood"], rtol=1e-5)


@pytest.mark.parametrize(("gated", "classes"), [(True, 3), (False, 3), (True, None)])
def test_cached_samples_are_those_of_the_whole_network_run_for_every_number(gated, classes):
    model = network((3, 4, 2), levels=3, filters=4, blocks=2, gated=gated, classes=classes)
    condition = None if classes is None else np.array([0, 1, 2, 1, 0])
    images, parameters = model.complete_with_parameters(np.zeros((5, 3, 4, 2)), 0, seed=9, condition=condition)
    np.testing.assert_allclose(parameters, model.parameters(images, condition), rtol=1e-4, atol=1e-5)
    slow = np.zeros((5, 3, 4, 2), "float32")
    for index, place in enumerate(np.ndindex(3, 4, 2)):
        now = model.parameters(slow, condition)[(slice(None), *place)]
        slow[(slice(None), *place)] = model.family.from_uniforms(now, model.noise(9, index, 5))
    np.testing.assert_array_equal(images, slow)
    again = model.sample(9, None if classes else 5, condition)
    np.testing.assert_array_equal(images, again)


def test_samples_come_as_often_as_their_probability_says():
    """A wrong model fails; a right one with probability 1e-6."""
    model, n = network((2, 2), first_kernel=3, spread=0.8), 20_000
    samples = np.asarray(model.sample(1, n)).reshape(n, 4)
    counts = np.bincount((samples @ [8, 4, 2, 1]).astype(int), minlength=16)
    expected = n * np.exp(np.asarray(model.log_prob(all_images((2, 2))), "float64"))
    assert chisquare(counts, expected * n / expected.sum()).pvalue > 1e-6


def test_a_completion_keeps_what_is_given_and_draws_the_rest_from_the_conditional():
    model, n = network((2, 2), first_kernel=3, spread=0.8), 10_000
    x = np.tile(np.array([[1.0, 0.0], [1.0, 1.0]], "float32"), (n, 1, 1))
    images = np.asarray(model.complete(x, 2, seed=2))
    np.testing.assert_array_equal(images[:, 0], x[:, 0])
    pairs = (images[:, 1] @ [2, 1]).astype(int)
    ends = np.array([[[1, 0], [a, b]] for a in (0, 1) for b in (0, 1)], "float32")
    joint = np.exp(np.asarray(model.log_prob(ends), "float64"))
    assert chisquare(np.bincount(pairs, minlength=4), n * joint / joint.sum()).pvalue > 1e-6
    np.testing.assert_array_equal(model.complete(x[:3], 4, seed=0), x[:3])


def test_every_class_and_every_vector_has_a_density_of_its_own():
    images = all_images((2, 2))
    for told, rows in (({"classes": 2}, [0, 1]), ({"condition": 2}, [[0.5, -1.0], [2.0, 0.0]])):
        model = network((2, 2), **told)
        found = [np.asarray(model.log_prob(images, np.array([row] * 16, "float32"))) for row in rows]
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)
        assert np.abs(found[0] - found[1]).max() > 0.1


def test_impossible_arguments_and_data_are_refused_with_what_came():
    with pytest.raises(ValueError, match=r"shape \(H, W\).*Received: shape=4"):
        PixelCNN(4)
    with pytest.raises(ValueError, match="levels >= 2.*levels=1"):
        PixelCNN((2, 2), levels=1)
    with pytest.raises(ValueError, match="all 3 colours alike. Received: filters=4"):
        PixelCNN((2, 2, 3), filters=4)
    with pytest.raises(ValueError, match="classes or a condition"):
        PixelCNN((2, 2), classes=2, condition=3)
    with pytest.raises(ValueError, match="discrete Family of one number.*normal"):
        PixelCNN((2, 2), family="normal", filters=2, blocks=0)
    model = PixelCNN((2, 2), levels=4, filters=2, blocks=0, first_kernel=3)
    model.compile("sgd")
    with pytest.raises(InvalidDataError, match="levels 0 to 3. Received: 0.5 in row 1"):
        model.fit(np.array([[[0, 1], [2, 3]], [[0.5, 1], [2, 3]]]), verbose=0)
    with pytest.raises(ValueError, match="takes none"):
        model.log_prob(np.zeros((1, 2, 2)), np.zeros(1))
    told = PixelCNN((2, 2), filters=2, blocks=0, first_kernel=3, classes=2)
    told.compile("sgd")
    with pytest.raises(ValueError, match=r"classes \(B,\) as condition, and needs one"):
        told.fit(np.zeros((1, 2, 2)), verbose=0)
    with pytest.raises(InvalidDataError, match="classes 0 ... 1. Received: 2 in row 0"):
        told.fit(np.zeros((1, 2, 2)), np.array([2]), verbose=0)
