"""Worked examples of the chapter on autoencoders that need no model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras_course.core.backend import compiled
from keras_course.ops.principal_components import principal_angles

__all__ = ["angles_of_subspaces"]


def angles_of_subspaces(one: Any, other: Any) -> dict[str, Any]:
    """Principal angles of two subspaces given by columns. Source: S 9.3."""
    return {"angles": compiled(principal_angles)(one, other)}
