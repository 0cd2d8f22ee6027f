"""Expectation-maximisation for a discrete latent variable, as coordinate ascent on one objective.

    F(q, theta) = sum_i [ H(q_i) + E_{z ~ q_i} log p_theta(x_i, z) ]
                = log p_theta(X) - sum_i KL(q_i || p_theta(z | x_i))
    E-step   q_i <- p_theta(z | x_i)       lifts F to log p_theta(X): the gap closes
    M-step   theta <- argmax F(q, theta)   lifts F with q held, and log p_theta(X) at least as much

So log p_theta(X) never falls. A model enters as log p_theta(x_i, z = k), a matrix (B, M), and its M-step.
The entropy is that of q(z | x); the notes write H(q|z).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.floating import as_floating

__all__ = [
    "divergence_from_posterior",
    "expectation_maximization",
    "expected_log_joint",
    "free_energy",
    "log_evidence",
    "responsibilities",
]


def log_evidence(log_joint: Any) -> Any:
    """log p(x_i) = log sum_k exp(log p(x_i, z = k)), shifted by the largest term.

    The naive log(sum(exp(...))) is -inf where every density underflows.

    Args:
        log_joint: tensor (B, M); -inf for an impossible component.

    Returns:
        Tensor (B,).

    Example:
        >>> float(log_evidence([[-1000.0, -1000.0]])[0]) > -1000.0
        True

    Source: B, R.
    """
    return ops.logsumexp(as_floating(log_joint), axis=-1)


def responsibilities(log_joint: Any) -> Any:
    """p(z = k | x_i) = p(x_i, z = k) / sum_k' p(x_i, z = k'): the prior re-weighted by the likelihood.

    The notes call it a weighted average of prior probabilities; it is none, and may exceed every prior.

    Args:
        log_joint: tensor (B, M).

    Returns:
        Tensor (B, M), rows sum to 1.

    Example:
        >>> responsibilities([[-1000.0, -1000.0]]).numpy().tolist()
        [[0.5, 0.5]]

    Source: B.
    """
    log_joint = as_floating(log_joint)
    share = ops.exp(log_joint - ops.max(log_joint, axis=-1, keepdims=True, initial=-math.inf))
    return share / ops.sum(share, axis=-1, keepdims=True)


def expected_log_joint(log_joint: Any, q: Any) -> Any:
    """Q = E_{z ~ q_i} log p(x_i, z), a number a sample; q = 0 counts nothing, also times -inf.

    Args:
        log_joint: tensor (B, M).
        q: tensor (B, M), rows sum to 1.

    Returns:
        Tensor (B,).

    Example:
        >>> expected_log_joint([[-2.0, -1000.0]], [[1.0, 0.0]]).numpy().tolist()
        [-2.0]

    Source: B.
    """
    log_joint = as_floating(log_joint)
    q = ops.cast(q, log_joint.dtype)
    return ops.sum(ops.where(q > 0, q * ops.where(q > 0, log_joint, ops.zeros_like(q)), ops.zeros_like(q)), axis=-1)


def _expected_log(q: Any) -> Any:
    """E_q log q = -H(q), a number a row."""
    return expected_log_joint(ops.log(ops.where(q > 0, q, ops.ones_like(q))), q)


def free_energy(log_joint: Any, q: Any) -> Any:
    """F_i = H(q_i) + E_{z ~ q_i} log p(x_i, z), the lower bound of log p(x_i) (the ELBO).

    Its negative is the variational free energy of physics.

    Args:
        log_joint: tensor (B, M).
        q: tensor (B, M), rows sum to 1.

    Returns:
        Tensor (B,); equal to `log_evidence` where q are the responsibilities, less elsewhere.

    Example:
        >>> free_energy([[0.0, 0.0]], [[1.0, 0.0]]).numpy().tolist()
        [0.0]

    Source: R.
    """
    log_joint = as_floating(log_joint)
    q = ops.cast(q, log_joint.dtype)
    return expected_log_joint(log_joint, q) - _expected_log(q)


def divergence_from_posterior(log_joint: Any, q: Any) -> Any:
    """KL(q_i || p(z | x_i)), the gap between `log_evidence` and `free_energy`.

    Args:
        log_joint: tensor (B, M).
        q: tensor (B, M), rows sum to 1.

    Returns:
        Tensor (B,), >= 0.

    Example:
        >>> divergence_from_posterior([[0.0, 0.0]], [[0.5, 0.5]]).numpy().tolist()
        [0.0]

    Source: R.
    """
    log_joint = as_floating(log_joint)
    q = ops.cast(q, log_joint.dtype)
    log_posterior = log_joint - log_evidence(log_joint)[..., None]
    return _expected_log(q) - expected_log_joint(log_posterior, q)


def expectation_maximization(
    log_joint: Callable[[Any, Any], Any], m_step: Callable[[Any, Any], Any], x: Any, parameters: Any, steps: int
) -> tuple[Any, Any]:
    """EM for any model with a discrete latent variable, and the objective after every half-step.

    E:  q = p_theta(z | x)               F = log p_theta(X)
    M:  theta = argmax_theta F(q, theta)

    Args:
        log_joint: callable(x, parameters) that returns log p(x_i, z = k), a tensor (B, M).
        m_step: callable(x, q) that returns the parameters of greatest F for these responsibilities.
        x: tensor (B, ...), the samples.
        parameters: where to start, in any nesting of tensors that `log_joint` takes.
        steps: int >= 1, number of E- and M-steps.

    Returns:
        Tuple of the last parameters and a tensor (2 steps,): F, summed over the samples, after E, M, E, M, ... It
        never falls but for rounding; the values after an E-step are the log-likelihood.

    Raises:
        ValueError: if steps < 1 or log_joint gives no matrix.

    Example:
        >>> heads, tosses = ops.convert_to_tensor([5.0, 9.0, 8.0, 4.0, 7.0]), 10.0
        >>> def log_joint(heads, p):                          # two coins, each as likely to be taken
        ...     return heads[:, None] * ops.log(p) + (tosses - heads[:, None]) * ops.log(1 - p) + ops.log(0.5)
        >>> def m_step(heads, q):
        ...     return ops.sum(q * heads[:, None], axis=0) / (tosses * ops.sum(q, axis=0))
        >>> p, objective = expectation_maximization(log_joint, m_step, heads, ops.convert_to_tensor([0.6, 0.5]), 10)
        >>> print(p.numpy().round(2))
        [0.8  0.52]

    Source: B, R.
    """
    require_positive_int("expectation_maximization", steps=steps)
    objective = []
    joint = log_joint(x, parameters)  # (B, M)
    require_rank("expectation_maximization", joint.shape, 2)
    for _ in range(steps):
        q = responsibilities(joint)
        objective.append(ops.sum(free_energy(joint, q)))
        parameters = m_step(x, q)
        joint = log_joint(x, parameters)
        objective.append(ops.sum(free_energy(joint, q)))
    return parameters, ops.stack(objective)
