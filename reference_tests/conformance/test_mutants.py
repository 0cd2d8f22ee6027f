"""The kit catches planted bugs, and raises no alarm over their correct twins."""

import pytest

from reference_tests.conformance.mutants import MUTANTS, PAGE, TWINS, page, report_on, table_row

LEAST_SHARE = 0.9


def name_of(mutant):
    return mutant.name


@pytest.mark.parametrize("twin", TWINS, ids=name_of)
def test_a_correct_class_passes_every_check(twin):
    report = report_on(twin)
    assert report.passed, str(report)


def test_every_planted_bug_is_caught_by_the_check_that_it_names():
    missed, rows = [], []
    for mutant in MUTANTS:
        if mutant.caught_by:
            found = tuple(row.check for row in report_on(mutant, only=(mutant.caught_by,)).failures)
            rows.append(table_row(mutant, found))
            missed += [] if found else [mutant.name]
    print("\n".join(rows))
    assert not missed


def test_a_bug_that_is_named_as_not_caught_passes_every_check():
    for mutant in MUTANTS:
        if not mutant.caught_by:
            report = report_on(mutant)
            assert report.passed, str(report)


def test_nine_in_ten_of_the_planted_bugs_are_caught():
    assert len(MUTANTS) >= 30
    assert sum(bool(mutant.caught_by) for mutant in MUTANTS) >= LEAST_SHARE * len(MUTANTS)


def test_the_page_says_which_check_catches_which_mutant():
    assert PAGE.read_text("utf-8") == page(), "run python -m reference_tests.conformance.mutants --write"


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each.shape not in ("kernel", "solver")], ids=name_of)
def test_a_mutant_can_be_made_so_that_only_its_bug_is_caught(mutant):
    mutant.cls(**mutant.init)


def test_every_mutant_is_a_class_of_its_own():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
