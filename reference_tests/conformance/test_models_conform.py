"""The kit over every model of the catalogue; checks that need another process share a few."""

import pytest

from keras_course.testing.model import MODEL_CHECKS
from keras_course.testing.model_files import export_with_answers, require_answers_without_the_package
from keras_course.testing.model_processes import AnotherProcess
from keras_course.testing.report import run_checks
from reference_tests.conformance.model_examples import SKIPS, model_cases

ALL = model_cases()
CASES = {slug: case for slug, case in ALL.items() if case is not None}
PARTS = 2  # processes for all models, one for each worker
TOGETHER = {"endpoints_answer_without_the_package": "many models in one process, by a test of its own"}


def cases_of(part):
    return dict(list(CASES.items())[part::PARTS])


@pytest.mark.parametrize("part", range(PARTS))
def test_every_endpoint_answers_alike_in_a_process_without_the_package(part, tmp_path):
    exported = {}
    for slug, case in cases_of(part).items():
        (tmp_path / slug).mkdir()
        exported[tmp_path / slug] = export_with_answers(case, tmp_path / slug)
    require_answers_without_the_package(exported)


@pytest.fixture(scope="module")
def another_process():
    with AnotherProcess(models=40) as process:
        yield process


@pytest.mark.parametrize("slug", ALL)
def test_a_model_of_the_catalogue_keeps_the_contract_of_a_model(slug, another_process):
    assert ALL[slug] is not None, f"{slug} needs a line in TRAINING, reference_tests/conformance/model_examples.py"
    CASES[slug].elsewhere = another_process.ask(CASES[slug])
    print(run_checks(f"check_model({slug})", MODEL_CHECKS, CASES[slug], skip={**TOGETHER, **SKIPS.get(slug, {})}))
