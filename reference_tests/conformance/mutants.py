"""The mutation suite: what the conformance kit must catch, and which check catches it.

    python -m reference_tests.conformance.mutants           runs every check on every mutant and prints (minutes)
    python -m reference_tests.conformance.mutants --write   writes docs/MUTANTS.md from what the mutants name

The tests run the check that each mutant names (seconds), so that the page says nothing untried.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reference_tests.conformance.mutant import Mutant
from reference_tests.conformance.mutants_of_kernels import INIT as KERNEL_INIT
from reference_tests.conformance.mutants_of_kernels import KERNEL_MUTANTS, LENGTHS, REFUSED, LogWalk, Mala, Unadjusted
from reference_tests.conformance.mutants_of_layers import INPUTS, LAYER_MUTANTS, LEAKY, Leaky, Noise
from reference_tests.conformance.mutants_of_losses import LOSS_MUTANTS, METRIC_MUTANTS, SIGNED, Logistic, MeanDistance
from reference_tests.conformance.mutants_of_models import INIT as MODEL_INIT
from reference_tests.conformance.mutants_of_models import INPUTS as MODEL_INPUTS
from reference_tests.conformance.mutants_of_models import MODEL_MUTANTS, TwoLayers, sums
from reference_tests.conformance.mutants_of_optimizers import INIT, OPTIMIZER_MUTANTS, Momentum
from reference_tests.conformance.mutants_of_solvers import OPTIONS, SOLVER_MUTANTS, branch_and_bound, greedy

MUTANTS: tuple[Mutant, ...] = (
    *LAYER_MUTANTS, *LOSS_MUTANTS, *METRIC_MUTANTS, *OPTIMIZER_MUTANTS, *MODEL_MUTANTS, *KERNEL_MUTANTS,
    *SOLVER_MUTANTS,
)  # fmt: skip

TWINS = (
    Mutant("none: the correct layer", "layer", Leaky, "", LEAKY, INPUTS),
    Mutant("none: the correct random layer", "layer", Noise, "", {"scale": 0.5, "seed": 3}, INPUTS),
    Mutant("none: the correct loss", "loss", Logistic, "", {"slope": 2.0}, SIGNED),
    Mutant("none: the correct metric", "metric", MeanDistance, ""),
    Mutant("none: the correct optimizer", "optimizer", Momentum, "", INIT),
    Mutant("none: the correct model", "model", TwoLayers, "", MODEL_INIT, MODEL_INPUTS),
    Mutant("none: the correct kernel", "kernel", Mala, "", KERNEL_INIT, options={"refused": REFUSED}),
    Mutant("none: the correct positive kernel", "kernel", LogWalk, "", KERNEL_INIT, options={"targets": LENGTHS}),
    Mutant(
        "none: the correct unadjusted kernel", "kernel", Unadjusted, "", KERNEL_INIT,
        options={"smaller": {"step_size": 0.2}},
    ),
    Mutant("none: the correct solver", "solver", branch_and_bound, "", options=OPTIONS),
    Mutant("none: the correct approximate solver", "solver", greedy, "", options={**OPTIONS, "exact": False}),
)  # fmt: skip

PAGE = Path(__file__).resolve().parents[2] / "docs" / "MUTANTS.md"
HEADER = """# What the conformance kit catches

Each row is a class or function with one planted mistake, and the check of `keras_course.testing` that sees it; the
correct twins, from which they are made, pass every check. The page is written by
`python -m reference_tests.conformance.mutants --write` from the suite in `reference_tests/conformance/mutants_of_*.py`;
tests run the named check on every mutant and keep the page current.

"""


def report_on(mutant: Mutant, only: tuple[str, ...] = ()):
    """The kit's report on one mutant."""
    from keras_course import testing

    options = {"only": only, "raise_on_failure": False, **mutant.options}
    if mutant.shape == "solver":
        return testing.check_solver(mutant.cls, **options)
    if mutant.shape in ("optimizer", "kernel"):
        return getattr(testing, f"check_{mutant.shape}")(mutant.cls, mutant.init, **options)
    if mutant.shape == "model":
        return testing.check_model(mutant.cls, mutant.init, mutant.inputs, targets=sums, **options)
    check = getattr(testing, f"check_{mutant.shape}")
    return check(mutant.cls, mutant.init, mutant.inputs, **options)


def table_row(mutant: Mutant, caught: tuple[str, ...]) -> str:
    """One line: the mutant, its bug, and the checks that see it."""
    found = ", ".join(caught) or "NOT CAUGHT"
    return f"{mutant.shape:9}  {mutant.name:24}  {mutant.bug:58}  {found}"


def page() -> str:
    """docs/MUTANTS.md: a table for each shape."""
    caught = sum(bool(mutant.caught_by) for mutant in MUTANTS)
    lines = [HEADER, f"{len(MUTANTS)} mutants, {caught} caught.\n"]
    for shape in dict.fromkeys(mutant.shape for mutant in MUTANTS):
        lines += [f"\n## check_{shape}\n\n", "| planted mistake | mutant | caught by |\n", "|---|---|---|\n"]
        for mutant in MUTANTS:
            if mutant.shape == shape:
                seen = f"`{mutant.caught_by}`" if mutant.caught_by else "not caught"
                lines.append(f"| {mutant.bug} | `{mutant.name}` | {seen} |\n")
    return "".join(lines)


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), "utf-8")
    else:
        for one in (*TWINS, *MUTANTS):
            print(table_row(one, tuple(row.check for row in report_on(one).failures)), flush=True)
