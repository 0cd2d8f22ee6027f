"""Sums over all samples, fast: a chunk of rows at a time for the cache, a share of them at a time for the cores.

    sum_i w_i f(x_i) = sum over shares ( sum over chunks ( sum of the chunk's rows ) )

A chunk keeps its intermediate tensors (clusters x rows) in cache. XLA works on one chunk after the other on one core,
so the rows are cut into shares, each a compiled program of its own, and the graph around them runs them side by side.
Both cut by sizes that do not depend on the machine: the number of threads changes no bit of the order of summation.
"""

import tensorflow as tf

WORK_OF_A_SHARE = 10**8  # products; less takes a core about 5 ms, and a share costs 0.2 ms of its own
MOST_SHARES = 8  # of equal size, so that they are one program, compiled once
ALIGNED = 16  # rows; a share that starts at a multiple is a view, not a copy, whatever the number of features


def sums_over_chunks(function, x, weight, chunk):
    """function(x, weight) where it is a list of sums over rows, linear in weight, a chunk of rows at a time.

    The last chunk starts early enough to be whole; its rows that were counted before get weight 0. Without a known
    number of rows it is one call: XLA refuses a chunk longer than what comes, even if it is never cut.

    Args:
        function: takes tensors (b, D) and (b,), returns a list of tensors that add up over rows.
        x: tensor (B, D).
        weight: tensor (B,).
        chunk: int, rows at a time.

    Returns:
        List of tensors.
    """
    count = x.shape[0]
    if count is None or count <= chunk:
        return list(function(x, weight))
    last = count - chunk

    def of_chunk(i):
        start = tf.minimum(i * chunk, last)
        # tf.slice, whose size is static: XLA cannot tell the length of x[a:b] with a and b unknown.
        rows = tf.slice(x, (start, 0), (chunk, x.shape[1]))
        weights = tf.slice(weight, (start,), (chunk,))
        if count % chunk:
            weights = tf.where(start + tf.range(chunk) < i * chunk, tf.zeros_like(weights), weights)
        return function(rows, weights)

    def step(i, *totals):
        return i + 1, *(total + part for total, part in zip(totals, of_chunk(i), strict=True))

    chunks = -(-count // chunk)
    return list(tf.while_loop(lambda i, *_: i < chunks, step, (1, *of_chunk(0)))[1:])


def sums_over_shares(function, x, weight, work_of_a_row):
    """function(x, weight), a list of sums over rows, compiled by XLA, the shares of the rows side by side.

    For a graph that is not compiled itself. The last share starts early enough to be as long as the others, so that
    all are one program; its rows that were counted before get weight 0.

    Args:
        function: as in `sums_over_chunks`.
        x: tensor (B, D).
        weight: tensor (B,).
        work_of_a_row: int, products that a row takes; decides the number of shares.

    Returns:
        List of tensors.
    """
    compiled = tf.function(function, jit_compile=True, autograph=False)
    count = x.shape[0]
    shares = 1 if count is None else min(count * work_of_a_row // WORK_OF_A_SHARE, MOST_SHARES)
    if shares < 2:
        return list(compiled(x, weight))
    size = -(-count // (shares * ALIGNED)) * ALIGNED
    parts = []
    for start in range(0, count, size):
        first = min(start, count - size)
        fresh = weight[first : first + size]
        if first < start:
            fresh = tf.concat([tf.zeros((start - first,), weight.dtype), weight[start:]], axis=0)
        parts.append(compiled(x[first : first + size], fresh))
    return [tf.add_n(each) for each in zip(*parts, strict=True)]
