"""Objectives with noise, under tf.distribute: R replicas make the step that one would have made.

    noise      drawn for the whole batch from one seed; each replica takes the rows of its own examples
    gradient   sum_r grad [ 1/N sum_{i on r} l_i ],   N = examples on all replicas together

With one replica both are what they look like.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def share_of_batch(rows: Any) -> tuple[Any, Any]:
    """Where this replica's examples lie in the whole batch.

    Args:
        rows: int32 scalar tensor or int, this replica's number of examples.

    Returns:
        Tuple (first row, rows of all replicas together); (0, rows) with one replica.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return 0, rows
    sizes = context.all_gather(tf.reshape(tf.cast(rows, "int32"), (1,)), axis=0)  # (R,)
    return tf.reduce_sum(sizes[: context.replica_id_in_sync_group]), tf.reduce_sum(sizes)


def mean_over_batch(values: Any) -> Any:
    """What `compute_loss` returns: the mean over the examples of all replicas, divided among them as Keras expects.

    The gradient is that of sum(values) / N. The value is mean(values) / R, from which Keras's loss tracker, which
    multiplies by R and weights by the replica's examples, finds the mean of all; the two differ where the replicas'
    shares differ.

    Args:
        values: tensor (B,), the losses of this replica's examples.

    Returns:
        Scalar tensor.
    """
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    mean = tf.reduce_mean(values) / replicas
    if replicas == 1:
        return mean
    _, total = share_of_batch(tf.shape(values)[0])
    share = tf.reduce_sum(values) / tf.cast(total, values.dtype)
    return share + tf.stop_gradient(mean - share)
