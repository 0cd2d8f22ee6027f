"""The kit catches planted bugs, and raises no alarm over their correct twins."""

import pytest

from reference_tests.conformance.mutants import MUTANTS, TWINS, report_on, table_row

LEAST_SHARE = 0.9


def name_of(mutant):
    return mutant.cls.__name__


@pytest.mark.parametrize("twin", TWINS, ids=name_of)
def test_a_correct_class_passes_every_check(twin):
    report = report_on(twin)
    assert report.passed, str(report)


def test_planted_bugs_are_caught_by_the_check_that_names_them():
    caught, rows = [], []
    for mutant in MUTANTS:
        report = report_on(mutant, only=(mutant.caught_by,))
        found = tuple(row.check for row in report.failures)
        rows.append(table_row(mutant, found))
        caught.append(bool(found))
    print("\n".join(rows))
    missed = [mutant.cls.__name__ for mutant, seen in zip(MUTANTS, caught, strict=True) if not seen]
    assert len(MUTANTS) >= 30
    assert sum(caught) >= LEAST_SHARE * len(MUTANTS), f"missed: {', '.join(missed)}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_a_mutant_can_be_made_so_that_only_its_bug_is_caught(mutant):
    mutant.cls(**mutant.init)


def test_every_mutant_is_a_class_of_its_own():
    names = [mutant.cls.__name__ for mutant in MUTANTS]
    assert len(set(names)) == len(names)
