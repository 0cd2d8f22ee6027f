"""The kit over every model of the catalogue; checks that need another process share one process for all models."""

import pytest

from keras_course.testing.model import MODEL_CHECKS
from keras_course.testing.model_case import digest_of_weights
from keras_course.testing.model_files import export_with_answers, require_answers_without_the_package
from keras_course.testing.model_processes import found_in_another_process
from keras_course.testing.report import run_checks
from reference_tests.conformance.model_examples import SKIPS, model_cases

ALL = model_cases()
CASES = {slug: case for slug, case in ALL.items() if case is not None}
ON_REPLICAS = "two_replicas_end_where_one_ends"
TOGETHER = {
    "endpoints_answer_without_the_package": "all models in one process, by a test of its own",
    "another_process_gets_the_same_bits": "all models in one process, by a test of its own",
    ON_REPLICAS: "all models in one process, by a test of its own",
}


@pytest.mark.parametrize("slug", ALL)
def test_a_model_of_the_catalogue_keeps_the_contract_of_a_model(slug):
    assert ALL[slug] is not None, f"{slug} needs a line in TRAINING, reference_tests/conformance/model_examples.py"
    print(run_checks(f"check_model({slug})", MODEL_CHECKS, CASES[slug], skip={**TOGETHER, **SKIPS.get(slug, {})}))


def test_every_endpoint_answers_alike_in_a_process_without_the_package(tmp_path):
    exported = {}
    for slug, case in CASES.items():
        (tmp_path / slug).mkdir()
        exported[tmp_path / slug] = export_with_answers(case, tmp_path / slug)
    require_answers_without_the_package(exported)


@pytest.fixture(scope="module")
def elsewhere():
    """What one other process, with two logical CPUs, found for every model."""
    return dict(zip(CASES, found_in_another_process(list(CASES.values())), strict=True))


def test_two_processes_train_the_same_bits(elsewhere):
    own = {slug: digest_of_weights(case.fit(case.compiled(), 3)) for slug, case in CASES.items()}
    assert {slug: found.digest for slug, found in elsewhere.items()} == own


def test_two_replicas_end_where_one_ends(elsewhere):
    held = {slug: found for slug, found in elsewhere.items() if ON_REPLICAS not in SKIPS.get(slug, {})}
    assert {slug: found.difference for slug, found in held.items()} == dict.fromkeys(held, "")
