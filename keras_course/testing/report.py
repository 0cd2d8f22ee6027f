"""What a conformance run found: one row a check, in words.

A check is a function of a case that returns nothing when all is well, and raises `Deviation` (what is wrong) or
`NotApplicable` (why there is nothing to check). The first line of its docstring says which mistake it catches. Any
other exception inside a check is a failure too: the code under test raised where it should not.
"""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from keras_course.core.errors import KerasCourseError

__all__ = ["CheckResult", "ConformanceError", "Deviation", "NotApplicable", "Report", "run_checks"]

VERDICTS = ("pass", "fail", "skip")


class ConformanceError(KerasCourseError, AssertionError):
    """Code under test that does not keep its contract; the message is the report."""


class Deviation(Exception):
    """Raised by a check: what is wrong."""


class NotApplicable(Exception):
    """Raised by a check: why it has nothing to check here."""


@dataclass(frozen=True)
class CheckResult:
    """The verdict of one check.

    Args:
        check: its name.
        verdict: "pass", "fail" or "skip".
        detail: what is wrong, or why it was skipped; empty for a pass.
    """

    check: str
    verdict: str
    detail: str = ""

    def __str__(self) -> str:
        mark = self.verdict.upper() if self.verdict == "fail" else self.verdict
        return f"  {mark:4}  {self.check}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class Report:
    """All verdicts on one subject.

    Args:
        subject: what was checked, for example "check_layer(PositionalEncoding)".
        rows: one `CheckResult` a check, in the order they ran.

    Example:
        >>> print(Report("check_layer(Doubler)", (CheckResult("same_seed", "skip", "draws nothing"),)))
        check_layer(Doubler): 0 passed, 0 failed, 1 skipped
          skip  same_seed: draws nothing
    """

    subject: str
    rows: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The rows that failed."""
        return tuple(row for row in self.rows if row.verdict == "fail")

    def raise_if_failed(self) -> None:
        """Nothing, or the report as an error.

        Raises:
            ConformanceError: if a check failed; the message holds the failed and the skipped rows.
        """
        if not self.passed:
            shown = [row for row in self.rows if row.verdict != "pass"]
            raise ConformanceError("\n".join([self._headline(), *map(str, shown)]))

    def _headline(self) -> str:
        passed, failed, skipped = (sum(row.verdict == verdict for row in self.rows) for verdict in VERDICTS)
        return f"{self.subject}: {passed} passed, {failed} failed, {skipped} skipped"

    def __str__(self) -> str:
        return "\n".join([self._headline(), *map(str, self.rows)])


def run_checks(
    subject: str,
    checks: Iterable[Callable[[Any], None]],
    case: Any,
    *,
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Runs checks on one case.

    Args:
        subject: headline of the report.
        checks: functions of the case.
        case: what they look at.
        skip: names of checks to leave out, or {name: reason}.
        only: names of the checks to run; all when empty.
        raise_on_failure: False returns the report whatever it says.

    Returns:
        `Report`.

    Raises:
        ConformanceError: if a check failed.
        ValueError: if `skip` or `only` names a check that does not exist.
    """
    checks = tuple(checks)
    reasons = dict(skip) if isinstance(skip, Mapping) else {name: "left out by the caller" for name in skip}
    names = [check.__name__ for check in checks]
    only = tuple(only)
    unknown = sorted({*reasons, *only} - set(names))
    if unknown:
        raise ValueError(f"{subject} has the checks {', '.join(names)}. Received: {unknown}")
    rows = []
    for check in checks:
        if only and check.__name__ not in only:
            continue
        if check.__name__ in reasons:
            rows.append(CheckResult(check.__name__, "skip", reasons[check.__name__]))
        else:
            with _quietly():
                rows.append(_verdict(check, case))
    report = Report(subject, tuple(rows))
    if raise_on_failure:
        report.raise_if_failed()
    return report


@contextmanager
def _quietly() -> Iterator[None]:
    """Checks trace many small functions and drop masks on purpose: TensorFlow's and Keras's remarks are no findings."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _verdict(check: Callable[[Any], None], case: Any) -> CheckResult:
    try:
        check(case)
    except NotApplicable as reason:
        return CheckResult(check.__name__, "skip", str(reason))
    except Deviation as deviation:
        return CheckResult(check.__name__, "fail", str(deviation))
    except Exception as error:
        text = " ".join(str(error).split())
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        return CheckResult(check.__name__, "fail", f"raised {type(error).__name__} at {place}: {text[:300]}")
    return CheckResult(check.__name__, "pass")
