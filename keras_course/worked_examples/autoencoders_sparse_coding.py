"""Worked examples of sparse coding, none of which needs a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.ops.sparse_coding import dictionary_update, sparse_codes, sparse_coding_cost, threshold_code

__all__ = ["atoms_after_a_pass", "codes_by_threshold", "proximal_codes"]


def proximal_codes(x: Any, atoms: Any, penalty: float, steps: int) -> dict[str, Any]:
    """Codes after a few steps of ISTA and of FISTA, and what they cost. Source: R."""

    def both(x: Any, atoms: Any) -> dict[str, Any]:
        ista, fista = (sparse_codes(x, atoms, float(penalty), int(steps), method) for method in ("ista", "fista"))
        costs = [sparse_coding_cost(x, codes, atoms, float(penalty)) for codes in (ista, fista)]
        return {"ista": ista, "fista": fista, "costs": ops.stack(costs)}

    return compiled(both)(x, atoms)


def atoms_after_a_pass(codes: Any, x: Any, atoms: Any) -> dict[str, Any]:
    """One pass over a dictionary, codes held. Source: R."""

    def updated(codes: Any, x: Any, atoms: Any) -> Any:
        turned = ops.transpose(codes)
        return dictionary_update(atoms, ops.matmul(turned, codes), ops.matmul(turned, x))

    return {"atoms": compiled(updated)(codes, x, atoms)}


def codes_by_threshold(z: Any, noise: Any, kernel: Any, tau: float) -> dict[str, Any]:
    """x = W z + e coded by thresholds, and how far its reconstruction is from x. Source: R."""

    def coded(z: Any, noise: Any, kernel: Any) -> dict[str, Any]:
        x = ops.matmul(z, ops.transpose(kernel)) + noise
        codes = threshold_code(x, kernel, float(tau))
        missed = x - ops.matmul(codes, ops.transpose(kernel))
        return {"codes": codes, "errors": ops.sqrt(ops.sum(ops.square(missed), axis=-1))}

    return compiled(coded)(z, noise, kernel)
