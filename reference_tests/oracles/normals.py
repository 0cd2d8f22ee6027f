"""Normal distributions of one variable: densities, no logarithms, and integrals over the line."""

import mpmath

__all__ = ["mean_of", "normal_density", "normal_divergence", "normal_entropy", "over_the_line"]


def mean_of(values):
    return sum(values, mpmath.mpf(0)) / len(values)


def normal_density(value, mean, scale):
    """N(value; mean, scale**2), a probability density and no logarithm."""
    return mpmath.exp(-(((value - mean) / scale) ** 2) / 2) / (scale * mpmath.sqrt(2 * mpmath.pi))


def over_the_line(function, mean, scale):
    """Integral of a function that falls like N(mean, scale**2), times what grows like a power.

    The trapezoidal rule with h = 1/4 standard deviations a step errs by exp(-2 (pi / h)**2) = 1e-137 here;
    what lies beyond 15 of them is 1e-49.
    """
    step = scale / mpmath.mpf(4)
    return step * mpmath.fsum(function(mean + step * k) for k in range(-60, 61))


def normal_divergence(mean, scale, prior_mean=0, prior_scale=1):
    """Integral of q log(q / p)."""

    def integrand(z):
        q = normal_density(z, mean, scale)
        return q * (mpmath.log(q) - mpmath.log(normal_density(z, prior_mean, prior_scale)))

    return over_the_line(integrand, mean, scale)


def normal_entropy(mean, scale):
    """Integral of -q log q."""

    def integrand(z):
        q = normal_density(z, mean, scale)
        return -q * mpmath.log(q)

    return over_the_line(integrand, mean, scale)
