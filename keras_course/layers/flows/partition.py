"""Which numbers a coupling keeps and which it moves.

    halves        the first half of the last axis (of units, or channels) | the rest
    alternating   places 0, 2, 4 ... of the last axis                      | places 1, 3, 5 ...
    checkerboard  pixels whose row and column add up to an even number     | the others
    0s and 1s     where the mask is 1                                      | where it is 0

Halves and alternating places are cut apart, so that networks see and say no more than they must; the other two are
masked: the network sees the whole with zeros where it must not look.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.shapes import require_one_of

__all__ = ["MASKS", "Partition", "checked_mask"]

MASKS = ("halves", "alternating", "checkerboard")


def checked_mask(who: str, mask: Any) -> Any:
    """A name in `MASKS`, or an explicit mask as nested lists, as a config holds them.

    Raises:
        ValueError: for another name, or numbers besides 0 and 1.
    """
    if isinstance(mask, str):
        require_one_of(who, MASKS, mask=mask)
        return mask
    array = np.asarray(mask)
    if array.ndim == 0 or not np.isin(array, (0, 1)).all():
        raise ValueError(f"{who} takes a mask of 0 and 1, or one of {', '.join(MASKS)}. Received: mask={mask!r}")
    return array.astype(int).tolist()


class Partition:
    """A mask on events of one shape.

    Args:
        mask: as `checked_mask` returns it.
        flip: bool, whether kept and moved part change places.
        event_shape: tuple of ints.

    Attributes:
        mask: None where the parts are cut apart, else a NumPy array that broadcasts to the event, 1 where it is kept.
        kept_shape: tuple of ints, what the network sees.
        moved_size: int, channels that the network speaks of.

    Raises:
        ValueError: if the mask does not fit the event, or a part would be empty.
    """

    def __init__(self, mask: Any, flip: bool, event_shape: tuple[int, ...]) -> None:
        self.kind = mask if isinstance(mask, str) else "explicit"
        self.flip, self.event_shape = flip, event_shape
        self.mask = None
        width = event_shape[-1]
        if self.kind in ("halves", "alternating"):
            kept = width // 2 if flip else (width + 1) // 2
            self.kept_shape, self.moved_size = (*event_shape[:-1], kept), width - kept
            empty = width < 2
        else:
            self.mask = self._mask_of(mask)
            self.kept_shape, self.moved_size = event_shape, width
            whole = np.broadcast_to(self.mask, event_shape)
            empty = bool(whole.all() or not whole.any())
        if empty:
            raise ValueError(
                f"A coupling needs something to keep and something to move. Received: mask={mask!r} on events of shape "
                f"{event_shape}"
            )

    def _mask_of(self, mask: Any) -> np.ndarray:
        if self.kind == "checkerboard":
            if len(self.event_shape) != 3:
                raise ValueError(f"A checkerboard needs images (H, W, C). Received: events of shape {self.event_shape}")
            kept = np.add.outer(*map(np.arange, self.event_shape[:2]))[:, :, None] % 2 == 0
        else:
            kept = np.asarray(mask) == 1
            try:
                np.broadcast_to(kept, self.event_shape)
            except ValueError:
                raise ValueError(
                    f"A mask must fit what it masks. Received: a mask of shape {kept.shape}, events of shape "
                    f"{self.event_shape}"
                ) from None
        return (kept != self.flip).astype("float32")

    def split(self, x: Any) -> tuple[Any, Any]:
        """What the network sees, and what is moved: parts of x, or b x and x itself."""
        if self.mask is not None:
            return x * ops.cast(self.mask, x.dtype), x
        if self.kind == "halves":
            cut = (self.event_shape[-1] + 1) // 2
            first, second = x[..., :cut], x[..., cut:]
        else:
            first, second = x[..., ::2], x[..., 1::2]
        return (second, first) if self.flip else (first, second)

    def merge(self, kept: Any, moved: Any) -> Any:
        """`split` undone; with a mask the moved one is the whole already."""
        if self.mask is not None:
            return moved
        first, second = (moved, kept) if self.flip else (kept, moved)
        if self.kind == "halves":
            return ops.concatenate([first, second], axis=-1)
        width, rank = self.event_shape[-1], len(self.event_shape)
        if width % 2:
            second = ops.pad(second, [(0, 0)] * rank + [(0, 1)])
        pairs = ops.reshape(ops.stack([first, second], axis=-1), (-1, *self.event_shape[:-1], width + width % 2))
        return pairs[..., :width] if width % 2 else pairs
