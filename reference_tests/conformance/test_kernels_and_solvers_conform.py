"""The kit over every kernel and every solver of the catalogue, and over kernels that TFP brings."""

import pytest
import tensorflow_probability as tfp

from keras_course.inference.mcmc import MetropolisLangevin
from keras_course.testing import Target, check_kernel
from keras_course.testing.kernel import KERNEL_CHECKS
from keras_course.testing.report import run_checks
from keras_course.testing.solver import SOLVER_CHECKS
from reference_tests.conformance import kernel_examples, solver_examples

KERNELS = kernel_examples.kernel_cases()
SOLVERS = solver_examples.solver_cases()


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_of_the_catalogue_keeps_the_contract_of_a_kernel(name):
    assert KERNELS[name] is not None, f"{name} needs a line in reference_tests/conformance/kernel_examples.py"
    print(run_checks(f"check_kernel({name})", KERNEL_CHECKS, KERNELS[name], skip=kernel_examples.SKIPS.get(name, {})))


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_of_the_catalogue_keeps_the_contract_of_a_solver(name):
    assert SOLVERS[name] is not None, f"{name} needs a line in reference_tests/conformance/solver_examples.py"
    print(run_checks(f"check_solver({name})", SOLVER_CHECKS, SOLVERS[name], skip=solver_examples.SKIPS.get(name, {})))


def test_a_kernel_of_tfp_passes_but_for_what_xla_draws():
    """XLA on a CPU picks another generator for random numbers that do not name one."""
    report = check_kernel(
        tfp.mcmc.HamiltonianMonteCarlo, {"step_size": 0.5, "num_leapfrog_steps": 2}, raise_on_failure=False
    )
    assert [row.check for row in report.failures] == ["xla_agrees_with_eager"]


def test_a_kernel_on_a_state_of_two_parts_with_a_step_for_each_passes():
    target = Target("two parts of different width", kernel_examples.two_parts)
    print(check_kernel(MetropolisLangevin, {"step_size": [0.8, 0.1]}, [target]))


def test_the_catalogue_has_the_kernels_and_solvers_that_the_course_names():
    assert {"MarkovChain", "MetropolisLangevin", "UnadjustedLangevin", "StochasticGradientLangevin"} <= set(KERNELS)
    assert "graph_cut" in SOLVERS
