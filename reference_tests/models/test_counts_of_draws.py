"""What models of the catalogue answer to a number of draws, or a seed, that cannot be."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from reference_tests.conformance.model_examples import model_cases

TOPICS = ("autoencoders", "energy", "generative", "latent")


def cases_that_draw():
    """{slug: case} of every class with draws of n examples."""
    by_class = {}
    for name, case in model_cases().items():
        if case.cls.__module__.split(".")[2] in TOPICS and hasattr(case.cls, "sample"):
            by_class.setdefault(case.cls, (name, case))
    return dict(by_class.values())


CASES = cases_that_draw()


@functools.cache
def built(name):
    return CASES[name].built()


def test_the_models_that_draw_are_these():
    assert {"dbn", "dbm", "rbm", "boltzmann-machine", "energy-model", "gan", "wgan", "vae", "draw", "made"} <= {*CASES}
    assert {"maf", "nice", "pixel-cnn", "AffineGenerator", "generator-networks", "gmm"} <= {*CASES}


@pytest.mark.parametrize("name", CASES)
def test_impossible_counts_and_seeds_are_named(name):
    model = built(name)
    for n in (-2, 2.5, True, "3", np.array([3]), tf.constant(-1), tf.constant(2.0)):
        with pytest.raises(ValueError, match=r"sample needs an integer n of at least 0\. Received: n="):
            model.sample(0, n)
    for seed in (0.5, None, [1, 2, 3], tf.constant([0.5, 1.0])):
        with pytest.raises(ValueError, match=r"A seed is an int or a pair of them\. Received: seed="):
            model.sample(seed, 1)


@pytest.mark.parametrize("name", CASES)
def test_a_client_gets_an_empty_answer_of_the_right_shape_or_the_same_words(name):
    model = built(name)
    function, specs = model.endpoints()["sample"]
    served = tf.function(function, input_signature=specs, autograph=False)
    given = [tf.constant({"seed": [0, 3], "steps": 1}.get(spec.name, 0)) for spec in specs]
    event = getattr(model, "event_shape", None) or (model.features,)
    assert served(*given).shape == (0, *event)
    given[1] = tf.constant(-2)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)sample needs an integer n of at least 0\..*-2"):
        served(*given)
