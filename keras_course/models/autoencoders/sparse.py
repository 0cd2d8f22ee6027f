"""The sparse autoencoder: a code of many units, few of which are at work for any one example.

    J = mean_i L(x_i, g(h_i)) + strength Omega,   h_i = f(x_i)
    "l1":  Omega = mean_i sum_j |h_ij|
    "kl":  Omega = sum_j KL(Bernoulli(target) || Bernoulli(m_j)),   m_j = mean_i h_ij over the batch

"kl" wants codes in (0, 1), a logistic code; each unit is to be on for a share `target` of the examples. Its m_j are
those of the whole batch, of all replicas; so in evaluation it depends on which examples make a batch.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.models.autoencoders.autoencoder import Autoencoder
from keras_course.ops.code_penalties import absolute_codes, activity_divergence

__all__ = ["SparseAutoencoder"]


@register("SparseAutoencoder")
class SparseAutoencoder(Autoencoder):
    """An autoencoder whose code units are penalised for being at work.

    J = mean_i L(x_i, g(f(x_i))) + strength Omega(h)

    Args:
        shape, code, units: as `Autoencoder`; the code may be wider than x.
        penalty: "l1" or "kl".
        strength: float >= 0, weight of the penalty, per example.
        target: float in (0, 1), wanted mean activity of a unit, for "kl".
        code_activation: of the code; None is "relu" for "l1", "sigmoid" for "kl".
        **kwargs: as `Autoencoder`.

    Input shape:
        (B, *shape).

    Output shape:
        (B, *shape), the reconstruction.

    Raises:
        ValueError: as `Autoencoder`, and for a strength or target out of range.

    Example:
        >>> model = SparseAutoencoder(4, code=8, penalty="kl", strength=0.1, target=0.05)
        >>> tuple(model.encode(ops.ones((3, 4))).shape)
        (3, 8)

    Source: C 16.4, R; Ng 2011.
    """

    def __init__(
        self,
        shape: Any,
        code: int,
        units: Any = (),
        penalty: str = "l1",
        strength: float = 0.1,
        target: float = 0.05,
        code_activation: Any = None,
        **kwargs: Any,
    ) -> None:
        require_one_of("SparseAutoencoder", ("l1", "kl"), penalty=penalty)
        if not 0 <= strength < float("inf"):
            raise ValueError(f"SparseAutoencoder needs a finite strength >= 0. Received: strength={strength!r}")
        if not 0 < target < 1:
            raise ValueError(f"SparseAutoencoder needs a target in (0, 1). Received: target={target!r}")
        if code_activation is None:
            code_activation = "relu" if penalty == "l1" else "sigmoid"
        super().__init__(shape, code, units, code_activation=code_activation, **kwargs)
        self.penalty, self.strength, self.target = penalty, float(strength), float(target)

    def penalties(self, seen: Any, code: Any, training: bool) -> Any:
        """Omega of each row, (B,): its own for "l1"; for "kl" the batch's, with the gradient of this row's share."""
        if self.penalty == "l1":
            return self.strength * absolute_codes(code)
        means = self._means(code)
        omega = activity_divergence(means, self.target)
        slopes = (means - self.target) / (means * (1 - means))  # of omega by each mean
        moves = ops.sum(slopes * (code - ops.stop_gradient(code)), axis=-1)  # 0, but for its gradient
        return self.strength * (omega + moves)

    def _means(self, code: Any) -> Any:
        """The mean code over the batch, of all replicas, (K,); nothing flows back through it."""
        code = ops.stop_gradient(code)
        total, rows = ops.sum(code, axis=0), ops.cast(ops.shape(code)[0], code.dtype)
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            total, rows = context.all_reduce(tf.distribute.ReduceOp.SUM, [total, rows])
        return total / rows

    def active_share(self, x: Any, threshold: float = 1e-3) -> Any:
        """The share of code units above a threshold, (B,)."""
        code = self.encode(x)
        return ops.mean(ops.cast(ops.abs(code) > threshold, code.dtype), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "penalty": self.penalty,
            "strength": self.strength,
            "target": self.target,
        }
