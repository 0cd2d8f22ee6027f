"""The conformance kit: one call says whether a class of yours keeps what its users expect of its kind.

    check_layer(MyLayer, {"units": 3}, (2, 4))
    check_kernel(MyKernel, {"step_size": 0.5})
    check_solver(my_solver, make_a_small_problem)

Each check catches one kind of mistake that trains, saves, samples or serves wrongly without an error; the report has a
row a check, a skipped one says why. The kit runs over every system of this package in its own tests.
docs/CONFORMANCE.md shows it on classes of your own, docs/MUTANTS.md which check sees which planted mistake.
"""

from keras_course.testing.kernel import check_kernel
from keras_course.testing.kernel_case import Target
from keras_course.testing.layer import check_layer
from keras_course.testing.loss import check_loss
from keras_course.testing.metric import check_metric
from keras_course.testing.model import check_model
from keras_course.testing.optimizer import check_optimizer
from keras_course.testing.report import CheckResult, ConformanceError, Report
from keras_course.testing.solver import check_solver

__all__ = [
    "CheckResult",
    "ConformanceError",
    "Report",
    "Target",
    "check_kernel",
    "check_layer",
    "check_loss",
    "check_metric",
    "check_model",
    "check_optimizer",
    "check_solver",
]
