"""What the docstrings of the families say, written again with SciPy."""

import numpy as np
import scipy.special
import scipy.stats

from keras_course.distributions import (
    Bernoulli,
    Categorical,
    CategoricalLevels,
    DiscretizedLogistic,
    FullCovarianceGaussian,
    Mixture,
    Normal,
    Poisson,
)


def softplus(raw):
    return np.logaddexp(0.0, raw)


def scipy_of(family, row):
    """Frozen SciPy distributions of one row of parameters: what the docstrings say, written again."""
    if isinstance(family, Normal):
        size = family.event_size
        scale = family.minimum_scale + softplus(row[size:] + family.scale_offset)
        return [scipy.stats.norm(m, s) for m, s in zip(row[:size], scale, strict=True)]
    if isinstance(family, FullCovarianceGaussian):
        d = family.event_size
        raw = row[d:]
        # fill_triangular: the entries without their first d, then all reversed, read as a square, upper part cut off
        square = np.concatenate([raw[d:], raw[::-1]]).reshape(d, d)
        factor = np.tril(square, -1) + np.diag(family.minimum_scale + softplus(np.diag(square) + family.scale_offset))
        return scipy.stats.multivariate_normal(row[:d], factor @ factor.T)
    if isinstance(family, Bernoulli):
        return [scipy.stats.bernoulli(scipy.special.expit(z)) for z in row]
    if isinstance(family, Poisson):
        return [scipy.stats.poisson(np.exp(s)) for s in row]
    raise AssertionError(family)


def logistic_masses(family, row):
    """Differences of SciPy's distribution functions at the edges of the bins, (D, K)."""
    parts = row.reshape(-1, family.event_size, family.components)
    weights = scipy.special.softmax(parts[0], axis=-1) if family.components > 1 else np.ones(parts[0].shape)
    middle = (family.levels - 1) / 2
    bells = scipy.stats.logistic(middle * (1 + parts[-2]), middle * (family.minimum_scale + softplus(parts[-1])))
    inner = np.arange(1, family.levels)[:, None, None] - 0.5
    cdf = np.concatenate([np.zeros((1, *parts[0].shape)), bells.cdf(inner), np.ones((1, *parts[0].shape))])
    return (np.diff(cdf, axis=0) * weights).sum(axis=-1).T


def scipy_log_prob(family, row, y):
    if isinstance(family, Categorical):
        return scipy.special.log_softmax(row)[int(y)]
    if isinstance(family, CategoricalLevels):
        return sum(scipy.special.log_softmax(row.reshape(2, -1), axis=1)[[0, 1], y.astype(int)])
    if isinstance(family, DiscretizedLogistic):
        return np.log(logistic_masses(family, row)[[0, 1], y.astype(int)]).sum()
    if isinstance(family, Mixture):
        weights = scipy.special.log_softmax(row[: family.components])
        each = row[family.components :].reshape(family.components, -1)
        inner = [scipy_log_prob(family.component, part, y) for part in each]
        return scipy.special.logsumexp(weights + np.array(inner))
    known = scipy_of(family, row)
    if isinstance(family, FullCovarianceGaussian):
        return known.logpdf(y)
    name = "logpmf" if hasattr(known[0].dist, "pmf") else "logpdf"
    return sum(getattr(one, name)(value) for one, value in zip(known, y, strict=True))
