"""A window that slides over a text while something else is written: attention that can only move on.

(a, b, k)_t = h_t W + bias,   alpha = exp(a),   beta = exp(b),   kappa_t = kappa_{t-1} + exp(k)
phi(t, u) = sum_k alpha_k exp(-beta_k (kappa_k - u)^2),   w_t = sum_u phi(t, u) c_u
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.handwriting import soft_window

__all__ = ["SoftWindow"]

LARGEST = 10.0  # of a, b and k: 22,026 characters a step are more than any text has, and their squares are finite


@register("SoftWindow")
class SoftWindow(keras.layers.Layer):
    """Where a writer looks in a text: K Gaussians over character positions, which never go back.

    kappa_t = kappa_{t-1} + exp(h_t W_k + b_k),   w_t = sum_u phi(t, u) c_u

    All steps at once, for states h that are known; `look` takes one step, for a network whose next state depends on
    what the window showed it (`WindowedLSTM`). It starts with one bump of height 1 that goes `first_step` characters a
    step.

    Args:
        components: int, number of Gaussians K.
        first_step: float > 0, characters that every kappa moves on in a step where h is 0, at the beginning.
        kernel_initializer: of W.
        **kwargs: as keras.layers.Layer.

    Call arguments:
        hidden: tensor (B, T, H).
        characters: tensor (B, U, V), one-hot or any vectors; zeros beyond a text's end.
        hidden_mask: bool tensor (B, T), or None; a step that does not count moves no kappa.

    Returns:
        Tuple: what is seen, w (B, T, V), and the weights phi (B, T, U), which need not sum to 1.

    Raises:
        ValueError: for sizes below 1, first_step <= 0, or tensors of another rank.

    Example:
        >>> seen, weights = SoftWindow(2)(ops.ones((1, 5, 4)), ops.ones((1, 3, 6)))
        >>> tuple(seen.shape), tuple(weights.shape)
        ((1, 5, 6), (1, 5, 3))

    Source: B; Graves 2013.
    """

    def __init__(
        self, components: int = 10, first_step: float = 0.1, kernel_initializer: Any = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        require_positive_int("SoftWindow", components=components)
        if not 0 < first_step < math.inf:
            raise ValueError(f"SoftWindow needs a finite first_step > 0. Received: first_step={first_step!r}")
        self.components = int(components)
        self.first_step = float(first_step)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.supports_masking = True

    def build(self, hidden_shape: Any, characters_shape: Any = None) -> None:
        require_rank("SoftWindow", hidden_shape, 3)
        if hidden_shape[-1] is None:
            raise ValueError(f"SoftWindow needs a known width. Received: hidden_shape={tuple(hidden_shape)}")
        if characters_shape is not None:
            require_rank("SoftWindow", characters_shape, 3)
        k = self.components
        self.kernel = self.add_weight(
            name="kernel", shape=(hidden_shape[-1], 3 * k), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(3 * k,), initializer=self._start)
        self.built = True

    def _start(self, shape: Any, dtype: Any = None) -> Any:
        k, ones = self.components, ops.ones((self.components,), dtype=dtype)
        return ops.concatenate([-math.log(k) * ones, 0 * ones, math.log(self.first_step) * ones])

    def call(self, hidden: Any, characters: Any, hidden_mask: Any = None) -> tuple[Any, Any]:
        require_rank("SoftWindow", hidden.shape, 3)
        alpha, beta, step = self._shape_and_step(hidden)
        if hidden_mask is not None:
            step = step * ops.cast(hidden_mask, step.dtype)[:, :, None]
        return soft_window(alpha, beta, ops.cumsum(step, axis=1), ops.cast(characters, hidden.dtype))

    def look(self, h: Any, place: Any, characters: Any) -> tuple[Any, Any, Any]:
        """One step.

        Args:
            h: tensor (B, H).
            place: tensor (B, K), kappa of the step before, zeros at the start.
            characters: tensor (B, U, V).

        Returns:
            Tuple: w (B, V), phi (B, U), kappa (B, K).
        """
        alpha, beta, step = self._shape_and_step(h)
        place = place + step
        seen, weights = soft_window(alpha[:, None], beta[:, None], place[:, None], characters)
        return seen[:, 0], weights[:, 0], place

    def _shape_and_step(self, h: Any) -> list[Any]:
        """alpha, beta and the way of kappa, (..., K) each."""
        raw = ops.matmul(h, ops.convert_to_tensor(self.kernel)) + self.bias
        return ops.split(ops.exp(ops.minimum(raw, LARGEST)), 3, axis=-1)  # type: ignore[no-any-return]

    def compute_output_shape(self, hidden_shape: Any, characters_shape: Any) -> tuple[Any, Any]:
        batch = tuple(hidden_shape[:2])
        return (*batch, characters_shape[2]), (*batch, characters_shape[1])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        mask = keras.tree.flatten(previous_mask)[0] if previous_mask is not None else None
        return mask, mask

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "components": self.components,
            "first_step": self.first_step,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
