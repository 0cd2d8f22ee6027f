"""Label smoothing: targets that leave a little probability to the other classes.

    notes: 1 - eps for the class, eps / (k - 1) for each other         smooth_labels, convention "notes"
    Keras: 1 - eps + eps / k for the class, eps / k for each other     convention "keras"

Both sum to 1 and are the same for eps_keras = eps k / (k - 1): "notes" counts the mass that leaves the class, "keras"
the mass that is spread over all k, the class among them.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating
from keras_course.ops.losses import softmax_loss

__all__ = ["label_smoothing_loss", "require_epsilon", "smooth_labels"]

CONVENTIONS = ("notes", "keras")


def smooth_labels(targets: Any, epsilon: float, convention: str = "notes") -> Any:
    """Softens one-hot rows, or any distributions over classes.

    notes: q = (1 - eps) p + eps (1 - p) / (k - 1)
    keras: q = (1 - eps) p + eps / k

    Args:
        targets: tensor (..., k), one-hot or distributions p.
        epsilon: number in [0, 1).
        convention: "notes" or "keras".

    Returns:
        Tensor like targets, rows sum to 1.

    Raises:
        ValueError: for an epsilon outside [0, 1), an unknown convention, or fewer than 2 classes.

    Example:
        >>> [round(float(q), 4) for q in smooth_labels([1.0, 0.0, 0.0], 0.1)]
        [0.9, 0.05, 0.05]
        >>> [round(float(q), 4) for q in smooth_labels([1.0, 0.0, 0.0], 0.1, "keras")]
        [0.9333, 0.0333, 0.0333]

    Source: C 6.4.
    """
    p = as_floating(targets)
    share, floor = _shares("smooth_labels", p.shape, epsilon, convention)
    return as_floating(share, p.dtype) * p + as_floating(floor, p.dtype)


def label_smoothing_loss(y: Any, f: Any, epsilon: float, convention: str = "notes") -> Any:
    """Softmax cross-entropy with smoothed targets, from scores.

    l = -sum_j q_j log softmax(f)_j = a l_softmax(y, f) + b sum_j (log sum_i exp(f_i) - f_j),   q = a p + b

    The second term grows with the distance of every score from the log-sum-exp: it keeps scores from running away. The
    least value is the entropy of q, not 0. A score of minus infinity costs infinity.

    Args:
        y: classes (...), integers 0 <= y < k, or distributions (..., k).
        f: scores (..., k).
        epsilon: number in [0, 1); 0 is `softmax_loss`.
        convention: "notes" or "keras".

    Returns:
        Tensor (...). NaN where a label has no meaning, as in `softmax_loss`.

    Raises:
        ValueError: as `smooth_labels`, or if the shapes do not fit.

    Example:
        >>> round(float(label_smoothing_loss(2, [0.0, 0.0, 0.0], epsilon=0.1)), 6)
        1.098612

    Source: C 6.4.
    """
    f = as_floating(f)
    share, floor = _shares("label_smoothing_loss", f.shape, epsilon, convention)
    hard = softmax_loss(y, f)  # (...)
    away = ops.sum(ops.logsumexp(f, axis=-1, keepdims=True) - f, axis=-1)
    return as_floating(share, f.dtype) * hard + as_floating(floor, f.dtype) * away


def require_epsilon(who: str, epsilon: Any) -> None:
    """Refuses a mass that is not a number in [0, 1).

    Args:
        who: name of the caller, for the message.
        epsilon: what came.

    Raises:
        ValueError: if it is out of range.
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 <= epsilon < 1:
        raise ValueError(f"{who} needs epsilon in [0, 1). Received: epsilon={epsilon!r}")


def _shares(who: str, shape: Any, epsilon: float, convention: str) -> tuple[float, float]:
    """a and b of q = a p + b."""
    require_epsilon(who, epsilon)
    require_one_of(who, CONVENTIONS, convention=convention)
    if len(shape) == 0 or shape[-1] is None or shape[-1] < 2:
        raise ValueError(f"{who} needs at least 2 classes on the last axis. Received: shape={tuple(shape)}")
    k = shape[-1]
    if convention == "keras":
        return 1.0 - epsilon, epsilon / k
    return 1.0 - epsilon - epsilon / (k - 1), epsilon / (k - 1)
