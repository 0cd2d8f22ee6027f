"""The most likely hypothesis and the most likely class, which may disagree.

    h_ML  = argmax_h P(D|h)
    h_MAP = argmax_h P(D|h) P(h)
    v*    = argmax_v sum_h P(v|h) P(h|D)

Products are sums of logarithms, so a thousand examples do not underflow. (The notes print the maximum likelihood as
log(argmax ...); it is argmax log(...).) A tie goes to the first.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating, concrete
from keras_course.ops.information import require_distribution

__all__ = [
    "bayes_optimal_class",
    "class_probabilities",
    "log_likelihood",
    "maximum_a_posteriori",
    "maximum_likelihood",
    "posterior_probabilities",
]


def log_likelihood(likelihoods: Any) -> Any:
    """Log-likelihood of independent examples under each hypothesis.

    log P(D|h) = sum_i log p(x_i|h)

    Args:
        likelihoods: tensor (N, H), p(x_i|h) of each example; or (H,), P(D|h) of the data as a whole. Densities may
            exceed 1.

    Returns:
        Tensor (H,); minus infinity where one example is impossible.

    Raises:
        ValueError: for another rank, or a negative likelihood (NaN in compiled code).

    Example:
        >>> [round(float(v), 4) for v in log_likelihood([[0.5, 1.0], [0.5, 0.0]])]
        [-1.3863, -inf]

    Source: C 3.1, C 3.2.1.
    """
    likelihoods = as_floating(likelihoods)
    require_rank("log_likelihood", likelihoods.shape, 1, 2)
    values = concrete(ops.stop_gradient(likelihoods))
    if values is not None and not (values >= 0).all():
        raise ValueError(f"log_likelihood needs likelihoods >= 0. Received: an entry {float(values.min()):g}")
    logs = ops.log(likelihoods)
    return logs if len(logs.shape) == 1 else ops.sum(logs, axis=0)  # (H,)


def maximum_likelihood(likelihoods: Any) -> Any:
    """The hypothesis under which the data is most probable.

    h_ML = argmax_h P(D|h) = argmax_h sum_i log p(x_i|h)

    Args:
        likelihoods: tensor (H,) or (N, H), as in `log_likelihood`.

    Returns:
        int32 scalar, index of the hypothesis.

    Raises:
        ValueError: as `log_likelihood`.

    Example:
        >>> int(maximum_likelihood([0.2, 0.7, 0.1]))
        1

    Source: C 3.1, C 3.2, C 3.2.1.
    """
    return ops.cast(ops.argmax(log_likelihood(likelihoods)), "int32")


def maximum_a_posteriori(likelihoods: Any, priors: Any) -> Any:
    """The hypothesis that is most probable given the data; maximum likelihood where the prior is uniform.

    h_MAP = argmax_h P(h|D) = argmax_h P(D|h) P(h)

    Args:
        likelihoods: tensor (H,) or (N, H), as in `log_likelihood`.
        priors: tensor (H,), P(h), sums to 1.

    Returns:
        int32 scalar, index of the hypothesis.

    Raises:
        ValueError: as `log_likelihood`, or if the priors are no distribution over the same hypotheses.

    Example:
        >>> int(maximum_a_posteriori([0.2, 0.7, 0.1], priors=[0.9, 0.05, 0.05]))
        0

    Source: C 3.2.
    """
    return ops.cast(ops.argmax(_log_joint(likelihoods, priors)), "int32")


def posterior_probabilities(likelihoods: Any, priors: Any) -> Any:
    """Bayes' rule.

    P(h|D) = P(D|h) P(h) / P(D),   P(D) = sum_h P(D|h) P(h)

    Args:
        likelihoods: tensor (H,) or (N, H), as in `log_likelihood`.
        priors: tensor (H,), P(h), sums to 1.

    Returns:
        Tensor (H,), sums to 1; NaN if the data is impossible under every hypothesis.

    Raises:
        ValueError: as `maximum_a_posteriori`.

    Example:
        >>> [round(float(v), 4) for v in posterior_probabilities([0.1, 0.3], priors=[0.5, 0.5])]
        [0.25, 0.75]

    Source: C 3.2.
    """
    joint = _log_joint(likelihoods, priors)  # (H,)
    weights = ops.exp(joint - ops.max(joint))  # the largest is 1: nothing underflows that matters
    return weights / ops.sum(weights)


def class_probabilities(class_given_hypothesis: Any, posterior: Any) -> Any:
    """The vote of all hypotheses, each with the weight of its posterior.

    P(v|D) = sum_h P(v|h) P(h|D)

    Args:
        class_given_hypothesis: tensor (..., H, V), P(v|h), sums to 1 over v; 0 and 1 for hypotheses that are sure.
        posterior: tensor (H,), P(h|D), sums to 1.

    Returns:
        Tensor (..., V), sums to 1.

    Raises:
        ValueError: if the shapes do not fit or the entries are no distributions.

    Example:
        >>> votes = class_probabilities([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], posterior=[0.4, 0.3, 0.3])
        >>> [round(float(v), 6) for v in votes]
        [0.4, 0.6]

    Source: C 3.2.
    """
    conditional, posterior = as_floating(class_given_hypothesis), as_floating(posterior)
    if len(conditional.shape) < 2 or len(posterior.shape) != 1 or conditional.shape[-2] != posterior.shape[0]:
        raise ValueError(
            "class_probabilities needs class_given_hypothesis (..., H, V) and posterior (H,). Received: "
            f"class_given_hypothesis.shape={tuple(conditional.shape)}, posterior.shape={tuple(posterior.shape)}"
        )
    require_distribution("class_probabilities", "class_given_hypothesis", conditional)
    require_distribution("class_probabilities", "posterior", posterior)
    return ops.sum(conditional * posterior[:, None], axis=-2)  # (..., V)


def bayes_optimal_class(class_given_hypothesis: Any, posterior: Any) -> Any:
    """The most probable class, which need not be the class of the most probable hypothesis.

    v* = argmax_v sum_h P(v|h) P(h|D)

    Args:
        class_given_hypothesis: tensor (..., H, V), as in `class_probabilities`.
        posterior: tensor (H,), P(h|D), sums to 1.

    Returns:
        int32 tensor (...), index of the class.

    Raises:
        ValueError: as `class_probabilities`.

    Example:
        The most probable hypothesis says class 0, the vote says class 1.

        >>> int(bayes_optimal_class([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], posterior=[0.4, 0.3, 0.3]))
        1

    Source: C 3.2.
    """
    return ops.cast(ops.argmax(class_probabilities(class_given_hypothesis, posterior), axis=-1), "int32")


def _log_joint(likelihoods: Any, priors: Any) -> Any:
    likelihood, priors = log_likelihood(likelihoods), as_floating(priors)
    if tuple(priors.shape) != tuple(likelihood.shape):
        raise ValueError(
            f"Likelihoods and priors must be of the same hypotheses. Received: {tuple(likelihood.shape)} likelihoods, "
            f"{tuple(priors.shape)} priors"
        )
    require_distribution("maximum_a_posteriori", "priors", priors)
    return likelihood + ops.log(priors)
