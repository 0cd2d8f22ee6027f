"""The mutation suite: what the conformance kit must catch, and which check catches it.

`python -m reference_tests.conformance.mutants` runs every check on every mutant and prints the table (minutes); the
tests run the check that each mutant names (seconds).
"""

from __future__ import annotations

from reference_tests.conformance.mutant import Mutant
from reference_tests.conformance.mutants_of_layers import INPUTS, LAYER_MUTANTS, LEAKY, Leaky, Noise
from reference_tests.conformance.mutants_of_losses import LOSS_MUTANTS, METRIC_MUTANTS, SIGNED, Logistic, MeanDistance
from reference_tests.conformance.mutants_of_models import INIT as MODEL_INIT
from reference_tests.conformance.mutants_of_models import INPUTS as MODEL_INPUTS
from reference_tests.conformance.mutants_of_models import MODEL_MUTANTS, TwoLayers, sums
from reference_tests.conformance.mutants_of_optimizers import INIT, OPTIMIZER_MUTANTS, Momentum

MUTANTS: tuple[Mutant, ...] = (*LAYER_MUTANTS, *LOSS_MUTANTS, *METRIC_MUTANTS, *OPTIMIZER_MUTANTS, *MODEL_MUTANTS)

TWINS = (
    Mutant("none: the correct layer", "layer", Leaky, "", LEAKY, INPUTS),
    Mutant("none: the correct random layer", "layer", Noise, "", {"scale": 0.5, "seed": 3}, INPUTS),
    Mutant("none: the correct loss", "loss", Logistic, "", {"slope": 2.0}, SIGNED),
    Mutant("none: the correct metric", "metric", MeanDistance, ""),
    Mutant("none: the correct optimizer", "optimizer", Momentum, "", INIT),
    Mutant("none: the correct model", "model", TwoLayers, "", MODEL_INIT, MODEL_INPUTS),
)


def report_on(mutant: Mutant, only: tuple[str, ...] = ()):
    """The kit's report on one mutant."""
    from keras_course.testing import check_layer, check_loss, check_metric, check_model, check_optimizer

    options = {"only": only, "raise_on_failure": False}
    if mutant.shape == "optimizer":
        return check_optimizer(mutant.cls, mutant.init, **options)
    if mutant.shape == "model":
        return check_model(mutant.cls, mutant.init, mutant.inputs, targets=sums, **options)
    check = {"layer": check_layer, "loss": check_loss, "metric": check_metric}[mutant.shape]
    return check(mutant.cls, mutant.init, mutant.inputs, **options)


def table_row(mutant: Mutant, caught: tuple[str, ...]) -> str:
    """One line: the mutant, its bug, and the checks that see it."""
    found = ", ".join(caught) or "NOT CAUGHT"
    return f"{mutant.shape:9}  {mutant.cls.__name__:24}  {mutant.bug:58}  {found}"


if __name__ == "__main__":
    for one in (*TWINS, *MUTANTS):
        print(table_row(one, tuple(row.check for row in report_on(one).failures)), flush=True)
