"""The kit over every model of the catalogue; checks that need another process share one process for all models."""

import pytest

from keras_course.testing.model import MODEL_CHECKS
from keras_course.testing.model_case import digest_of_weights
from keras_course.testing.model_files import (
    digests_in_another_process,
    export_with_answers,
    require_answers_without_the_package,
)
from keras_course.testing.report import run_checks
from reference_tests.conformance.model_examples import SKIPS, model_cases

ALL = model_cases()
CASES = {slug: case for slug, case in ALL.items() if case is not None}
TOGETHER = {
    "endpoints_answer_without_the_package": "all models in one process, by a test of its own",
    "another_process_gets_the_same_bits": "all models in one process, by a test of its own",
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


def test_two_processes_train_the_same_bits():
    others = digests_in_another_process(list(CASES.values()))
    own = [digest_of_weights(case.fit(case.compiled(), 3)) for case in CASES.values()]
    assert dict(zip(CASES, own, strict=True)) == dict(zip(CASES, others, strict=True))
