"""Rules that are no sums of gradients, under tf.distribute: what a replica must know of the others.

A sample-by-sample rule has one order of presentation. With several replicas each one gathers the whole batch, in
replica order, and makes the same pass; so the weights stay equal and two replicas repeat what one would have done.
With one replica every function here returns its argument.
"""

import tensorflow as tf


def replica_count():
    """Number of replicas in step; 1 outside a strategy."""
    return tf.distribute.get_replica_context().num_replicas_in_sync


def gather_over_replicas(tensors):
    """The samples of all replicas, in replica order.

    Args:
        tensors: tuple of tensors (B, ...), this replica's samples.

    Returns:
        Tuple of tensors (sum of all B, ...).
    """
    if replica_count() == 1:
        return tuple(tensors)
    context = tf.distribute.get_replica_context()
    # Gathering pieces of unequal length loses the other axes' sizes.
    return tuple(tf.ensure_shape(context.all_gather(tensor, axis=0), (None, *tensor.shape[1:])) for tensor in tensors)


def own_part(gathered, size):
    """This replica's rows of a tensor that speaks of all samples.

    Args:
        gathered: tensor (sum of all B, ...), in the order of `gather_over_replicas`.
        size: this replica's B.

    Returns:
        Tensor (B, ...).
    """
    if replica_count() == 1:
        return gathered
    context = tf.distribute.get_replica_context()
    sizes = context.all_gather(tf.reshape(size, (1,)), axis=0)  # (replicas,)
    start = tf.reduce_sum(sizes[: context.replica_id_in_sync_group])
    return gathered[start : start + size]


def sum_over_replicas(tensors):
    """Adds up what every replica found.

    Args:
        tensors: list of tensors of the same shape on every replica.

    Returns:
        List of their sums.
    """
    if replica_count() == 1:
        return list(tensors)
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, list(tensors))
