"""Checks of single steps of a kernel: seeds, modes, results, chains beside each other, rejection, dtypes."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import tensorflow as tf

from keras_course.testing.agreement import as_array, leaves, require, require_equal, require_finite
from keras_course.testing.graphs import lower_precision_operations
from keras_course.testing.kernel_case import CHAINS, OTHER_SEED, SEED, KernelCase, as_state
from keras_course.testing.report import NotApplicable

__all__ = [
    "a_bad_start_is_refused",
    "a_step_depends_on_the_state_alone",
    "chains_do_not_touch_each_other",
    "chains_draw_their_own_noise",
    "eager_and_graph_agree",
    "float64_is_really_float64",
    "is_calibrated_is_a_boolean",
    "one_seed_gives_one_chain",
    "parameters_remake_it",
    "rejected_proposals_leave_the_state_unchanged",
    "results_keep_their_structure",
    "sample_chain_takes_it",
    "xla_agrees_with_eager",
]


def is_calibrated_is_a_boolean(case: KernelCase) -> None:
    """is_calibrated as a method, or None: every caller that asks takes it for True, or for False."""
    kernel, _ = case.example()
    require(isinstance(kernel.is_calibrated, bool), f"is_calibrated is {kernel.is_calibrated!r}, not True or False")


def parameters_remake_it(case: KernelCase) -> None:
    """parameters that lack an argument: copy(), which TFP's wrapping kernels call, makes another kernel."""
    kernel, state = case.example()
    if not isinstance(inspect.getattr_static(case.cls, "parameters", None), property):
        raise NotApplicable("has no property `parameters`, so it cannot be copied")
    lacking = sorted(set(case.init) - set(kernel.parameters))
    require(not lacking, f"parameters lack {', '.join(lacking)}")
    copied, _ = case.step(kernel.copy(), state)
    require_equal(copied, case.step(kernel, state)[0], "a step of kernel.copy()", "exact")


def results_keep_their_structure(case: KernelCase) -> None:
    """Results whose structure, dtype or shape changes after the first step: tf.while_loop refuses them."""
    kernel, state = case.example()
    start = kernel.bootstrap_results(state)
    moved, results = case.step(kernel, state, results=start)
    for what, one, other in (("the state", state, moved), ("the results", start, results)):
        try:
            tf.nest.assert_same_structure(one, other, expand_composites=True)
        except (ValueError, TypeError) as error:
            require(False, f"{what} changes its structure in a step: {' '.join(str(error).split())[:200]}")
        for (name, before), (_, after) in zip(_named_leaves(one), _named_leaves(other), strict=True):
            wanted, came = (f"{leaf.dtype.name} {tuple(leaf.shape)}" for leaf in (before, after))
            require(came == wanted, f"{what}{name} is {wanted} at the start and {came} after a step")


def sample_chain_takes_it(case: KernelCase) -> None:
    """A kernel that runs step by step and stops, or loses its results, under tfp.mcmc.sample_chain."""
    import tensorflow_probability as tfp

    kernel, state = case.example()

    def run(state: Any) -> Any:
        return tfp.mcmc.sample_chain(3, state, kernel=kernel, seed=tf.constant(SEED), trace_fn=lambda _, r: r)

    draws, trace = tf.function(run, autograph=False)(state)
    for part, three in zip(tf.nest.flatten(state), tf.nest.flatten(draws), strict=True):
        require(tuple(three.shape) == (3, *part.shape), f"three draws of {tuple(part.shape)} have shape {three.shape}")
        require(three.dtype == part.dtype, f"draws of a {part.dtype.name} state are {three.dtype.name}")
    require_finite(draws, "draws")
    start = kernel.bootstrap_results(state)
    for (name, one), (_, three) in zip(_named_leaves(start), _named_leaves(trace), strict=True):
        require(tuple(three.shape) == (3, *one.shape), f"three traced results{name} have shape {tuple(three.shape)}")


def one_seed_gives_one_chain(case: KernelCase) -> None:
    """A seed that is ignored: a run cannot be repeated, or every run is the same one."""
    kernel, state = case.example()
    seeds = [tf.constant(seed) for seed in (SEED, SEED, OTHER_SEED)]

    def eager(state: Any, seed: Any) -> Any:
        return case.step(kernel, state, seed)[0]

    for how, step in (("eagerly", eager), ("as a graph", case.compiled_step(kernel))):
        first, again, other = (leaves(step(state, seed)) for seed in seeds)
        same = all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
        require(same, f"the same seed gives other draws {how}")
        differs = any(not np.array_equal(one, two) for one, two in zip(first, other, strict=True))
        require(differs, f"another seed gives the same draws {how}")


def eager_and_graph_agree(case: KernelCase) -> None:
    """A decision in Python, frozen when the graph is traced."""
    _require_same_step(case, "as a graph", jit_compile=False)


def xla_agrees_with_eager(case: KernelCase) -> None:
    """A step that XLA cannot compile, or whose random numbers are others there (pass alg="philox")."""
    _require_same_step(case, "under XLA", jit_compile=True)


def _require_same_step(case: KernelCase, how: str, jit_compile: bool) -> None:
    for dtype in ("float32", "float64"):
        kernel, state = case.example(dtype)
        step = case.compiled_step(kernel, jit_compile)
        for seed in (SEED, OTHER_SEED):
            seed = tf.constant(seed)
            came, wanted = step(state, seed), case.step(kernel, state, seed)[0]
            require_equal(came, wanted, f"a {dtype} step {how} against eager", dtype=dtype)
        if not _floating(state):
            return


def a_step_depends_on_the_state_alone(case: KernelCase) -> None:
    """A log-density or gradient in the results that belongs to another state, for example to a rejected proposal.

    Kernels that adapt while they run are no Markov chains: leave this check out for them.
    """
    kernel, state = case.example()
    results = None
    for index in range(6):
        seed = (index, 7)
        carried, results = case.step(kernel, state, seed, results)
        restarted, _ = case.step(kernel, state, seed)
        require_equal(carried, restarted, f"step {index + 1} of a chain against a chain that starts at its state")
        state = carried


def rejected_proposals_leave_the_state_unchanged(case: KernelCase) -> None:
    """A state that moves although its proposal was refused: a chain that counts no state twice is biased."""
    kernel, state = case.example()
    results, refused = None, 0
    for index in range(12):
        before = leaves(state)
        state, results = case.step(kernel, state, (index, 8), results)
        if not hasattr(results, "is_accepted"):
            raise NotApplicable("the results have no is_accepted")
        accepted = as_array(results.is_accepted).astype(bool)
        refused += int(np.sum(~accepted))
        for old, new in zip(before, leaves(state), strict=True):
            require(accepted.shape == old.shape[: accepted.ndim], f"is_accepted has shape {accepted.shape}")
            stayed = np.array_equal(new[~accepted], old[~accepted])
            require(stayed, f"step {index + 1}: a chain moves though not accepted")
    if not refused:
        raise NotApplicable("every proposal was accepted")


def chains_do_not_touch_each_other(case: KernelCase) -> None:
    """A sum or mean over the chains of a batch: where one chain is changes what the others do."""
    kernel, state = case.example()
    half = CHAINS // 2
    elsewhere = tf.nest.map_structure(
        lambda part, far: tf.concat([tf.zeros_like(part[:half]) + tf.cast(far, part.dtype), part[half:]], 0),
        state,
        case.far_state(),
    )
    for index in range(4):
        alone, beside = (leaves(case.step(kernel, start, (index, 6))[0]) for start in (state, elsewhere))
        what = "the second half of the chains once the first half starts elsewhere"
        require_equal([part[half:] for part in beside], [part[half:] for part in alone], what, "pointwise")


def chains_draw_their_own_noise(case: KernelCase) -> None:
    """One random number for all chains: they move in step and are worth one chain."""
    kernel, state = case.example()
    together = tf.nest.map_structure(lambda part: tf.repeat(part[:1], CHAINS, 0), state)
    results = None
    for index in range(4):
        together, results = case.step(kernel, together, (index, 9), results)
    apart = any(bool(np.any(part != part[:1])) for part in leaves(together))
    require(apart, "chains that start together are still together after four steps")


def float64_is_really_float64(case: KernelCase) -> None:
    """Noise, steps or densities in float32: states in float64 with seven digits."""
    kernel, state = case.example("float64")
    if not _floating(state):
        raise NotApplicable("its states are integers")
    moved, _ = case.step(kernel, state)
    for old, new in zip(tf.nest.flatten(state), tf.nest.flatten(moved), strict=True):
        require(new.dtype == old.dtype, f"a {old.dtype.name} state becomes {new.dtype.name}")
        fresh = as_array(new)[as_array(new) != as_array(old)]
        rounded = old.dtype == tf.float64 and np.array_equal(fresh, fresh.astype("float32"))
        require(not rounded, "the moved states are float32 numbers")
    found = lower_precision_operations(lambda _: case.step(kernel, state)[0], {})
    require(not found, f"a step on float64 casts through a lower precision: {', '.join(found[:3])}")


def _floating(state: Any) -> bool:
    return any(part.dtype.is_floating for part in tf.nest.flatten(state))


def a_bad_start_is_refused(case: KernelCase) -> None:
    """A start of NaN, or outside the target, from which a chain never moves and never says so."""
    if not case.refused:
        raise NotApplicable("no start was named that the kernel promises to refuse")
    kernel, _ = case.example()
    for start in case.refused:
        try:
            kernel.bootstrap_results(as_state(start))
        except Exception as error:
            name = type(error).__name__
            clear = isinstance(error, ValueError) or name == "InvalidDataError"
            require(clear and "Received" in str(error), f"the start {start!r} gives no clear error but {name}: {error}")
        else:
            require(False, f"the start {start!r} is taken")


def _named_leaves(structure: Any) -> list[tuple[str, Any]]:
    """(field, tensor) of every leaf; the field of a named tuple, empty elsewhere."""
    parts = {f".{name}": getattr(structure, name) for name in getattr(structure, "_fields", ())} or {"": structure}
    return [
        (name, tf.convert_to_tensor(leaf))
        for name, part in parts.items()
        for leaf in tf.nest.flatten(part, expand_composites=True)
        if leaf is not None
    ]
