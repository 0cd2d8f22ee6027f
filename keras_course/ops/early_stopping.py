"""When early stopping ends training, and which epoch's parameters it returns.

    best epoch  e* = the first e with error_e < error_best before it - min_delta, the last such one
    stops after     e  = the first epoch with e - e* = patience, else the last

The convention that bites: an epoch that only equals the best is no improvement, so among equals the earliest is
returned, and patience counts the epochs without one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def stopping_point(errors: Sequence[float], patience: int | None, min_delta: float = 0.0) -> tuple[int, int]:
    """The best epoch and the one after which training ends, for a list of validation errors.

    Args:
        errors: validation error after each epoch; one that is not finite is no improvement.
        patience: int >= 0, epochs without improvement after which training ends (0 as 1: at the first), or None for
            never.
        min_delta: float >= 0, an improvement must be larger than this.

    Returns:
        (best, last): epochs counted from 0. Best is -1 if no error was finite.

    Raises:
        ValueError: without errors, or for patience or min_delta below 0.

    Example:
        >>> stopping_point([0.9, 0.5, 0.6, 0.4, 0.7, 0.8, 0.1], patience=2)
        (3, 5)

    Source: C 6.9.
    """
    if len(errors) == 0 or (patience is not None and patience < 0) or min_delta < 0:
        raise ValueError(
            f"stopping_point needs errors, patience >= 0 and min_delta >= 0. "
            f"Received: {len(errors)} errors, patience={patience}, min_delta={min_delta}"
        )
    best, best_error = -1, math.inf
    for epoch, error in enumerate(errors):
        if improves(error, best_error, min_delta):
            best, best_error = epoch, error
        elif patience_ends(epoch, best, patience):
            return best, epoch
    return best, len(errors) - 1


def improves(error: float, best: float, min_delta: float = 0.0) -> bool:
    """Whether an error is finite and better than the best before it by more than min_delta.

    error < best - min_delta

    Args:
        error: float.
        best: float, infinity if there was none before.
        min_delta: float >= 0.

    Returns:
        bool.

    Example:
        >>> improves(0.5, 0.5), improves(0.4, 0.5), improves(0.4, 0.5, min_delta=0.2)
        (False, True, False)

    Source: C 6.9.
    """
    return math.isfinite(error) and error < best - min_delta


def patience_ends(epoch: int, best: int, patience: int | None) -> bool:
    """Whether training ends after an epoch that brought no improvement.

    epoch - best >= max(patience, 1)

    Args:
        epoch: int, this epoch.
        best: int, the best one; the one before the first if there is none.
        patience: int >= 0, or None for never.

    Returns:
        bool.

    Example:
        >>> patience_ends(4, 3, 2), patience_ends(5, 3, 2), patience_ends(5, 3, None)
        (False, True, False)

    Source: C 6.9.
    """
    return patience is not None and epoch - best >= max(patience, 1)
