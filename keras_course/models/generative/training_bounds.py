"""What a variational autoencoder climbs: the ELBO, with free bits or none, or the importance-weighted bound.

    elbo   E_q log p(x | z) - beta KL(q || p)                        beta-VAE for beta > 1
           ... with sum_g max(lambda, mean_batch KL_g) for the KL    free bits, G groups of code units
    iwae   log 1/K sum_k w_k,  w_k = p(x, z_k) / q(z_k | x)          its gradient through the draws and through log q
    dreg   the same bound; the encoder's gradient is sum_k v_k^2 dlog w_k/dz_k dz_k/dphi,  v_k = w_k / sum_j w_j

iwae and dreg have the same expected gradient. That of dreg leaves out what has the mean 0, and its encoder learns from
more draws better, not worse (the signal of iwae's falls against its noise like 1 / sqrt(K)).
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.ops.elbo import importance_weighted_bound

__all__ = ["OBJECTIVES", "LaterGradient", "bound_of_groups", "mean_over_replicas"]

OBJECTIVES = ("elbo", "iwae", "dreg")


class LaterGradient:
    """The identity, whose gradient is multiplied by what is known only later.

        y = x,   dL/dx = factor * dL/dy

    Example:
        >>> x, later = tf.constant([2.0]), LaterGradient()
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = later(x)
        ...     later.factor = 3.0 * y
        >>> tape.gradient(y, x).numpy().tolist()
        [6.0]

    Source: Tucker et al. 2018.
    """

    factor: Any = 1.0

    def __call__(self, x: Any) -> Any:
        @tf.custom_gradient
        def same(x: Any) -> Any:
            return tf.identity(x), lambda dy: dy * tf.stop_gradient(self.factor)

        return same(x)


def mean_over_replicas(values: Any) -> Any:
    """The mean over rows of the whole batch, without a gradient: tensor (B, ...) -> (...)."""
    total, rows = ops.sum(values, axis=0), ops.cast(ops.shape(values)[0], values.dtype)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        total, rows = context.all_reduce(tf.distribute.ReduceOp.SUM, [total, rows])
    return tf.stop_gradient(total / tf.maximum(rows, 1))


def bound_of_groups(log_weights: Any, draws: int) -> Any:
    """The importance-weighted bound of `draws` draws, the mean over all groups of so many: tensor (G K, B) -> (B,)."""
    groups = ops.reshape(log_weights, (-1, draws, ops.shape(log_weights)[-1]))  # (G, K, B)
    groups = ops.swapaxes(groups, 0, 1)
    return ops.mean(importance_weighted_bound(groups, ops.zeros_like(groups)), axis=0)
