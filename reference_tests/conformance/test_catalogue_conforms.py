"""The kit over the catalogue: every layer, loss, metric and optimizer of every row and its members."""

import pytest

from keras_course.distributions.mean_log_likelihood import MeanLogLikelihood
from keras_course.testing import check_layer, check_loss, check_metric, check_optimizer
from reference_tests.conformance.examples import LABELS, examples_of

LAYERS = examples_of("layer")
LOSSES = examples_of("loss")
METRICS = {
    **examples_of("metric"),
    "keras_course.distributions.mean_log_likelihood:MeanLogLikelihood": (
        MeanLogLikelihood, {"family": "normal"}, LABELS, {},
    ),
}  # fmt: skip
OPTIMIZERS = examples_of("optimizer")


def name_of(reference):
    return reference.split(":")[1]


def example(examples, reference):
    assert examples[reference] is not None, f"{reference} needs a line in reference_tests/conformance/examples.py"
    return examples[reference]


@pytest.mark.parametrize("reference", LAYERS, ids=name_of)
def test_a_layer_of_the_catalogue_keeps_the_contract_of_a_layer(reference):
    cls, init, inputs, skip = example(LAYERS, reference)
    print(check_layer(cls, init, inputs, skip=skip))


@pytest.mark.parametrize("reference", LOSSES, ids=name_of)
def test_a_loss_of_the_catalogue_keeps_the_contract_of_a_loss(reference):
    cls, init, inputs, skip = example(LOSSES, reference)
    print(check_loss(cls, init, inputs, skip=skip))


@pytest.mark.parametrize("reference", METRICS, ids=name_of)
def test_a_metric_of_the_package_keeps_the_contract_of_a_metric(reference):
    cls, init, inputs, skip = example(METRICS, reference)
    print(check_metric(cls, init, inputs, skip=skip))


@pytest.mark.parametrize("reference", OPTIMIZERS, ids=name_of)
def test_an_optimizer_of_the_catalogue_keeps_the_contract_of_an_optimizer(reference):
    cls, init, _, skip = example(OPTIMIZERS, reference)
    print(check_optimizer(cls, init, skip=skip))
