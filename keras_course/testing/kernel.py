"""check_kernel: does a transition kernel keep what `tfp.mcmc` and its callers expect?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keras_course.core.backend import require_tensorflow
from keras_course.testing import kernel_steps, kernel_targets
from keras_course.testing.kernel_case import KernelCase, Target
from keras_course.testing.report import Report, run_checks

__all__ = ["KERNEL_CHECKS", "check_kernel"]

KERNEL_CHECKS = (
    kernel_targets.exact_draws_stay_exact,
    kernel_targets.bias_shrinks_with_the_step,
    kernel_steps.is_calibrated_is_a_boolean,
    kernel_steps.parameters_remake_it,
    kernel_steps.results_keep_their_structure,
    kernel_steps.sample_chain_takes_it,
    kernel_steps.one_seed_gives_one_chain,
    kernel_steps.eager_and_graph_agree,
    kernel_steps.xla_agrees_with_eager,
    kernel_steps.a_step_depends_on_the_state_alone,
    kernel_steps.rejected_proposals_leave_the_state_unchanged,
    kernel_steps.chains_do_not_touch_each_other,
    kernel_steps.chains_draw_their_own_noise,
    kernel_steps.float64_is_really_float64,
    kernel_steps.a_bad_start_is_refused,
)


def check_kernel(
    cls: type,
    init: Mapping[str, Any] | None = None,
    targets: Iterable[Target] | None = None,
    *,
    smaller: Mapping[str, Any] | None = None,
    refused: Iterable[Any] = (),
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds a kernel class against the contract of `tfp.mcmc.TransitionKernel`, and its draws against exact ones.

    Calibrated kernels must leave known targets unchanged (Geweke's exact test among them; a correct kernel fails with
    probability 1e-6). Kernels that say is_calibrated False have a weaker contract: their bias shrinks with the step.
    Then single steps: seeds, execution modes, results, rejection, chains beside each other, float64. Takes a few
    seconds.

    Args:
        cls: subclass of tfp.mcmc.TransitionKernel that moves several chains at once, on the first axis of its state.
        init: constructor arguments besides those that state the target. Choose a step at which some proposals are
            refused and a bias would show.
        targets: `Target`s, distributions with exact draws; None takes a correlated normal, a posterior and the
            exponential, for kernels that take `target_log_prob_fn`.
        smaller: for a kernel without acceptance, the arguments that make its step several times smaller.
        refused: arrays of states that `bootstrap_results` promises to refuse with an error, when it runs eagerly.
        skip, only, raise_on_failure: as `check_layer`.

    Returns:
        `Report`, one row a check.

    Raises:
        ConformanceError: if a check failed; the message lists what and where.
        ValueError: if targets are needed and none came, or for names of checks that do not exist.

    Example:
        >>> from keras_course.inference.mcmc import MetropolisLangevin
        >>> check_kernel(MetropolisLangevin, {"step_size": 0.9}, only=["results_keep_their_structure"]).passed
        True
    """
    require_tensorflow("check_kernel")
    case = KernelCase(cls, init, targets, smaller, refused)
    return run_checks(
        f"check_kernel({case.label})", KERNEL_CHECKS, case, skip=skip, only=only, raise_on_failure=raise_on_failure
    )
