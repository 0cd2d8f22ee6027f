"""Oracle of mode collapse: heaps on a ring counted one sample at a time, in sixty digits."""

import mpmath

from reference_tests.oracles.precision import exact

__all__ = ["heaps_with_samples"]


def heaps_with_samples(samples, heaps, radius, spread):
    """How many heaps hold a quarter of their fair share, and which share of the samples is on any."""
    middles = [mpmath.expjpi(mpmath.mpf(2 * j) / heaps) * mpmath.mpf(radius) for j in range(heaps)]
    counts = [0] * heaps
    for x, y in exact(samples):
        for j, middle in enumerate(middles):
            counts[j] += abs(mpmath.mpc(x, y) - middle) <= 3 * mpmath.mpf(spread)
    fair = mpmath.mpf(len(samples)) / heaps
    return {"covered": sum(4 * count >= fair for count in counts), "on_a_heap": sum(counts) / len(samples)}
