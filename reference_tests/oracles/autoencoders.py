"""Oracles of the chapter on autoencoders, in sixty digits: eigenvectors, cosines between subspaces."""

import mpmath

from reference_tests.oracles.precision import rounded

__all__ = ["angles_of_subspaces", "components_of_points"]


def components_of_points(x, components):
    """Eigenvectors of the covariance about the mean, divisor n; the entry of largest magnitude is positive."""
    points = mpmath.matrix(x)
    n, width = points.rows, points.cols
    mean = [sum(points[i, j] for i in range(n)) / n for j in range(width)]
    centred = mpmath.matrix(n, width)
    for i in range(n):
        for j in range(width):
            centred[i, j] = points[i, j] - mean[j]
    values, vectors = mpmath.eigsy(centred.T * centred / n)
    order = sorted(range(width), key=lambda k: -values[k])
    rows = []
    for k in order[:components]:
        row = [vectors[j, k] for j in range(width)]
        largest = max(row, key=abs)
        rows.append([entry if largest > 0 else -entry for entry in row])
    codes = [[sum(row[j] * centred[i, j] for j in range(width)) for row in rows] for i in range(n)]
    back = [[mean[j] + sum(code[k] * rows[k][j] for k in range(components)) for j in range(width)] for code in codes]
    return {
        "mean": rounded(mean),
        "components": rounded(rows),
        "variances": rounded([values[k] for k in order]),
        "codes": rounded(codes),
        "reconstructions": rounded(back),
    }


def angles_of_subspaces(one, other):
    """arccos of the singular values of the product of two orthonormal bases."""
    first, second = (mpmath.qr(mpmath.matrix(each), mode="skinny")[0] for each in (one, other))
    cosines = sorted(mpmath.svd_r(first.T * second, compute_uv=False))
    return {"angles": rounded([mpmath.acos(min(cosine, mpmath.mpf(1))) for cosine in cosines])}
