"""Checks that a kernel samples what it says: exact draws stay exact, or nearly so where no proposal is refused.

Started from exact draws, a kernel that leaves its target unchanged is at exact draws after any number of steps. Two
comparisons look for a difference, coordinate by coordinate:

    Kolmogorov and Smirnov    the states after k steps against fresh exact draws
    paired moments            mean of f(after) - f(before) over the chains, f = x, x^2 and products of neighbours

The smallest of all p-values of a check, times their number, must exceed FALSE_ALARM: a correct kernel fails with a
probability below one in a million, and, the random numbers being fixed, then fails always. The p-values are asymptotic;
in 1,500 runs that took exact draws for both sides, 4.1 % of these products lay under 0.05 and 0.8 % under 0.01.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_course.testing.agreement import require
from keras_course.testing.kernel_case import KernelCase, Target, as_state, columns
from keras_course.testing.report import NotApplicable

__all__ = ["bias_shrinks_with_the_step", "exact_draws_stay_exact"]

FALSE_ALARM = 1e-6
CHAINS, STEPS, LONG = 20_000, 10, 200
COORDINATES = 8  # of a state, the first ones, compared one by one
LARGEST_BIAS = 0.25  # standard deviations, of a moment under the smaller step


def exact_draws_stay_exact(case: KernelCase) -> None:
    """A missing Hastings term or Jacobian, a wrong prior, a density read at the wrong point: chains settle elsewhere.

    Only for kernels that say is_calibrated. Geweke's exact test where the target's draws come with data.
    """
    if not _calibrated(case):
        raise NotApplicable("is_calibrated is False: see bias_shrinks_with_the_step")
    found = []
    for target in case.targets:
        before, after = _before_and_after(case, target, STEPS)
        require(bool(np.any(before != after)), f"{target.name}: no chain moves in {STEPS} steps")
        fresh = columns(case.states(target, CHAINS, "fresh")[0])[:, :COORDINATES]
        found += [(p, f"{target.name}: {what}") for p, what in _differences(before, after, fresh)]
    smallest, what = min(found)
    require(
        smallest * len(found) > FALSE_ALARM,
        f"{what} after {STEPS} steps from exact draws (p = {smallest:.1e}, the smallest of {len(found)}; a correct "
        f"kernel fails here with probability {FALSE_ALARM:.0e})",
    )


def bias_shrinks_with_the_step(case: KernelCase) -> None:
    """A drift downhill, a step squared once too often: a bias that no smaller step removes.

    Only for kernels without acceptance, is_calibrated False, whose whole promise this is: under the smaller step every
    moment lies within a quarter of its standard deviation, and its bias is at most half of what the larger step gives.
    """
    if _calibrated(case):
        raise NotApplicable("is_calibrated is True: see exact_draws_stay_exact")
    if not case.smaller:
        raise NotApplicable("no arguments for a smaller step were given")
    smooth = [target for target in case.targets if target.smooth]
    runs = [(_before_and_after(case, t, LONG), _before_and_after(case, t, LONG, **case.smaller)) for t in smooth]
    margin = _normal_quantile(FALSE_ALARM / (3 * COORDINATES * len(runs)))
    for target, ((before, after), (same, finer)) in zip(smooth, runs, strict=True):
        require(bool(np.any(same != finer)), f"{target.name}: no chain moves in {LONG} steps")
        for (name, start), (_, coarse), (_, fine) in zip(
            _moments(before), _moments(after), _moments(finer), strict=True
        ):
            require(bool(np.all(np.isfinite(fine))), f"{target.name}: {name} is not finite under the smaller step")
            spread, bias = float(np.std(start)), float(np.mean(fine - start))
            error = margin * float(np.std(fine - start)) / len(start) ** 0.5
            what = f"{target.name}: under the smaller step the mean of {name} is off by {bias:.3g}"
            require(abs(bias) <= LARGEST_BIAS * spread + error, f"{what}, its standard deviation is {spread:.3g}")
            larger = float(np.mean(coarse - start))
            shrinks = not np.isfinite(larger) or abs(bias) <= 0.5 * abs(larger) + error
            require(shrinks, f"{what}, under the larger one by {larger:.3g}")


def _calibrated(case: KernelCase) -> bool:
    return bool(case.example()[0].is_calibrated)


def _before_and_after(case: KernelCase, target: Target, steps: int, **overrides: Any) -> tuple[Any, Any]:
    states, arguments = case.states(target, CHAINS)
    state = as_state(states)
    after = case.walk(case.kernel(arguments, **overrides), state, steps)
    return columns(state)[:, :COORDINATES], columns(after)[:, :COORDINATES]


def _moments(states: Any) -> Iterator[tuple[str, Any]]:
    with np.errstate(over="ignore", invalid="ignore"):
        for index, column in enumerate(states.T):
            yield f"x[{index}]", column
            yield f"x[{index}]^2", column**2
            if index:
                yield f"x[{index - 1}] x[{index}]", states[:, index - 1] * column


def _differences(before: Any, after: Any, fresh: Any) -> Iterator[tuple[float, str]]:
    """(p-value, what differs) of every comparison."""
    from scipy import stats

    require(bool(np.all(np.isfinite(after))), f"a state is not finite after {STEPS} steps")
    for index, (column, other) in enumerate(zip(after.T, fresh.T, strict=True)):
        p = stats.ks_2samp(column, other, method="asymp").pvalue
        yield float(p), f"x[{index}] no longer follows the target"
    for (name, start), (_, end) in zip(_moments(before), _moments(after), strict=True):
        change = end - start
        error = float(np.std(change)) / len(change) ** 0.5
        z = abs(float(np.mean(change))) / error if error else 0.0
        yield float(2.0 * stats.norm.sf(z)), f"the mean of {name} drifts by {float(np.mean(change)):.3g}"


def _normal_quantile(false_alarm: float) -> float:
    """z that a standard normal exceeds, to either side, with this probability."""
    from scipy import stats

    return float(stats.norm.isf(false_alarm / 2.0))
