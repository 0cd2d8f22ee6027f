"""AdaBoost (discrete; SAMME for K classes): how much a member may say, and whom the next one must look at.

    e     = sum_i D_i [h(x_i) != y_i] / sum_i D_i
    alpha = nu (log((1 - e) / e) + log(K - 1))
    D_i  <- D_i exp(alpha [h(x_i) != y_i]),  divided by their sum
    H(x)  = argmax_c sum_m alpha_m [h_m(x) = c]

For K = 2 alpha is twice the 1/2 log((1 - e)/e) of the first papers; since only ratios of the weights and of the alphas
matter, the classifier is the same. A member no better than chance (e >= 1 - 1/K) has no say: alpha = 0.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.ops.floating import as_floating, concrete

__all__ = ["member_weight", "reweighted", "training_error_bound", "weighted_error"]


def weighted_error(weights: Any, wrong: Any) -> Any:
    """e = sum_i D_i [h(x_i) != y_i] / sum_i D_i

    Args:
        weights: tensor (N,), D, of positive sum.
        wrong: tensor (N,), 1 where the member is wrong, else 0.

    Returns:
        Scalar tensor in [0, 1].

    Example:
        >>> round(float(weighted_error([0.5, 0.25, 0.25], [0, 1, 0])), 6)
        0.25

    Source: C 6.12; Freund and Schapire 1997.
    """
    weights = as_floating(weights)
    return ops.sum(weights * ops.cast(ops.convert_to_tensor(wrong), weights.dtype)) / ops.sum(weights)


def member_weight(error: Any, classes: int = 2, learning_rate: float = 1.0) -> Any:
    """alpha = nu (log((1 - e) / e) + log(K - 1)), 0 for e >= 1 - 1/K, infinite for e = 0.

    Args:
        error: number or tensor, weighted errors e in [0, 1].
        classes: int >= 2, K.
        learning_rate: float > 0, nu.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: for fewer than 2 classes, a rate that is not positive, or (in eager code) an error outside [0, 1].

    Example:
        >>> [round(float(member_weight(*given)), 4) for given in [(0.5,), (0.2,), (0.5, 3)]]
        [0.0, 1.3863, 0.6931]

    Source: C 6.12; Freund and Schapire 1997; Zhu et al. 2009 (SAMME).
    """
    require_positive_int("member_weight", classes=classes)
    if classes < 2 or not learning_rate > 0:
        raise ValueError(
            "member_weight needs at least 2 classes and learning_rate > 0. "
            f"Received: classes={classes}, learning_rate={learning_rate}"
        )
    e = as_floating(error)
    value = concrete(e)
    if value is not None and not ((value >= 0) & (value <= 1)).all():
        raise ValueError(f"member_weight needs errors in [0, 1]. Received: error={error}")
    alpha = ops.log1p(-e) - ops.log(e) + ops.log(ops.cast(classes - 1, e.dtype))
    return learning_rate * ops.maximum(alpha, ops.zeros_like(alpha))


def reweighted(weights: Any, wrong: Any, alpha: Any) -> Any:
    """D_i <- D_i exp(alpha [wrong_i]), divided by their sum.

    After it the member that was just added (nu = 1) has weighted error 1 - 1/K: it says nothing about the new weights.

    Args:
        weights: tensor (N,).
        wrong: tensor (N,), 0 and 1.
        alpha: number or scalar tensor.

    Returns:
        Tensor (N,) of sum 1.

    Example:
        >>> [round(float(d), 4) for d in reweighted([0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0], member_weight(0.25))]
        [0.5, 0.1667, 0.1667, 0.1667]

    Source: C 6.12; Freund and Schapire 1997.
    """
    weights = as_floating(weights)
    alpha = ops.cast(ops.convert_to_tensor(alpha), weights.dtype)
    grown = weights * ops.exp(alpha * ops.cast(ops.convert_to_tensor(wrong), weights.dtype))
    return grown / ops.sum(grown)


def training_error_bound(errors: Any, alphas: Any) -> Any:
    """What the ensemble's training error cannot exceed, after each member.

    B_M = prod_m ((1 - e_m) exp(-alpha_m / 2) + e_m exp(alpha_m / 2))

    For nu = 1 this is prod_m K sqrt(e_m (1 - e_m) / (K - 1)), and for K = 2 the well-known
    prod_m 2 sqrt(e_m (1 - e_m)), which falls with every member better than chance. Why: an example that H gets wrong
    was wrong with members of at least half the sum of the alphas, so its weight before division is at least
    exp(sum_m alpha_m / 2), and the mean of those weights is prod_m (1 - e_m + e_m exp(alpha_m)).

    Args:
        errors: tensor (M,), weighted errors e_m.
        alphas: tensor (M,), finite.

    Returns:
        Tensor (M,).

    Example:
        >>> [round(float(bound), 4) for bound in training_error_bound([0.5, 0.2], [0.0, member_weight(0.2)])]
        [1.0, 0.8]

    Source: C 6.12 ("zero error on training set"); Freund and Schapire 1997, theorem 6.
    """
    errors = as_floating(errors)
    alphas = ops.cast(ops.convert_to_tensor(alphas), errors.dtype)
    return ops.cumprod((1 - errors) * ops.exp(-alphas / 2) + errors * ops.exp(alphas / 2))
