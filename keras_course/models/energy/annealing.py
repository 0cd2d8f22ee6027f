"""Annealed importance sampling: log Z of a restricted Boltzmann machine too large to enumerate.

    p_t(v) ~ exp(-F_t(v)),   0 = t_0 < ... < t_K = 1;   p_0: independent units, log Z_0 in closed form
    -F_t(v) = (1 - t) a.v + t b.v + sum_j softplus(t (c_j + (v W)_j))                             binary units
    of the last K units of v just one is on in a machine with K class units: in p_0 drawn by softmax(a_class)
    -F_t(v) = -(1 - t) |v - a|^2 / (2 s^2) - t |v - b|^2 / (2 s^2) + sum_j softplus(t (...))         Gaussian units
    log w = sum_k F_{t_{k-1}}(v_{k-1}) - F_{t_k}(v_{k-1}),   v_k: one Gibbs sweep for p_{t_k} from v_{k-1}
    Z / Z_0 = E[w]

Conventions that bite. E[w] is unbiased, log of its estimate is not: it errs downwards, so that log-likelihoods err
upwards. The interval is log of (mean w -+ 3 standard errors); it means nothing where a few runs carry all the weight,
which `effective_runs` tells.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_course.core.seeds import normal_noise, seed_pair, uniform_noise
from keras_course.core.shapes import require_positive_int
from keras_course.models.energy.chains import one_of

__all__ = ["LogPartition", "annealed_log_partition"]


class LogPartition(NamedTuple):
    """An estimate of log Z, nats: `low` and `high` are three standard errors of the mean weight away."""

    value: float
    low: float
    high: float
    effective_runs: float


def annealed_log_partition(
    kernel: Any,
    visible_bias: Any,
    hidden_bias: Any,
    deviation: float | None = None,
    steps: int = 1000,
    chains: int = 100,
    seed: int = 0,
    base_bias: Any = None,
    classes: int = 0,
) -> LogPartition:
    """log Z by annealed importance sampling from independent visible units.

    Args:
        kernel: tensor (D, H).
        visible_bias: tensor (D,), b.
        hidden_bias: tensor (H,), c.
        deviation: None for binary visible units, else the standard deviation s of Gaussian ones.
        steps: int, temperatures, evenly spaced.
        chains: int >= 2, independent runs.
        seed: int.
        base_bias: array (D,), a of the independent units; None is b.
        classes: int K, how many of the last visible units are those of a class, of which one is on; 0 for none.

    Returns:
        LogPartition(value, low, high, effective_runs): low is -inf where the error is as large as the estimate;
        effective_runs = (sum w)^2 / sum w^2, between 1 and `chains`.

    Raises:
        ValueError: for less than one step or two chains, a base_bias of another shape, or classes of Gaussian units.

    Example:
        >>> import numpy as np
        >>> found = annealed_log_partition(np.zeros((2, 3)), np.zeros(2), np.zeros(3), steps=2, chains=2)
        >>> round(found.value, 5), round(5 * math.log(2), 5)
        (3.46574, 3.46574)

    Source: R; Neal 2001, Salakhutdinov and Murray 2008.
    """
    require_positive_int("annealed_log_partition", steps=steps, chains=chains)
    if chains < 2:
        raise ValueError(f"annealed_log_partition needs two chains for its interval. Received: chains={chains}")
    dtype = keras.backend.standardize_dtype(tf.convert_to_tensor(kernel).dtype)
    weights, b, c = (tf.cast(tf.convert_to_tensor(part), dtype) for part in (kernel, visible_bias, hidden_bias))
    a = b if base_bias is None else tf.convert_to_tensor(np.asarray(base_bias), dtype)
    if a.shape != b.shape:
        raise ValueError(
            f"annealed_log_partition needs a base bias of shape {tuple(b.shape)}. Received: shape={tuple(a.shape)}"
        )
    if not 0 <= classes <= (0 if deviation is not None else b.shape[0]):
        raise ValueError(
            f"annealed_log_partition needs classes among binary visible units, of which there are "
            f"{0 if deviation is not None else b.shape[0]}. Received: classes={classes}"
        )
    logs = np.asarray(_log_weights(weights, a, b, c, deviation, steps, chains, seed_pair(seed), classes), "float64")

    units = c.shape[0] * math.log(2)
    if deviation is None:
        wide = tf.cast(a, "float64")
        binary = wide[: wide.shape[0] - classes]
        base = float(tf.reduce_sum(tf.math.softplus(binary))) + units
        base += float(tf.reduce_logsumexp(wide[binary.shape[0] :])) if classes else 0.0
    else:
        base = a.shape[0] * (math.log(deviation) + math.log(2 * math.pi) / 2) + units
    greatest = logs.max()
    relative = np.exp(logs - greatest)
    mean, error = relative.mean(), relative.std(ddof=1) / math.sqrt(chains)
    low, value, high = (
        float(base + greatest + math.log(level)) if level > 0 else -math.inf
        for level in (mean - 3 * error, mean, mean + 3 * error)
    )
    return LogPartition(value, low, high, float(relative.sum() ** 2 / np.square(relative).sum()))


@tf.function(autograph=False)
def _log_weights(
    weights: Any, a: Any, b: Any, c: Any, deviation: Any, steps: int, chains: int, seed: Any, classes: int
) -> Any:
    """log w of every run, (chains,)."""
    dtype, features, units = weights.dtype, weights.shape[0], weights.shape[1]
    s = 1.0 if deviation is None else deviation
    seeds = tf.random.split(seed, steps + 1, alg="philox")

    def visible(t: Any, drive: Any, pair: Any) -> Any:
        """v given the hidden units' drive W h (chains, D), which counts t times."""
        parameters = (1 - t) * a + t * b + t * s * drive
        if deviation is None:
            uniforms = uniform_noise((chains, features), pair, dtype.name)
            states = tf.cast(uniforms < tf.sigmoid(parameters), dtype)
            if not classes:
                return states
            of_class = one_of(tf.nn.softmax(parameters[:, -classes:]), uniforms[:, -classes])
            return tf.concat([states[:, :-classes], of_class], axis=-1)
        return parameters + s * normal_noise((chains, features), pair, dtype.name)

    def minus_free_energy(t: Any, v: Any, logits: Any) -> Any:
        if deviation is None:
            linear = tf.linalg.matvec(v, (1 - t) * a + t * b)
        else:
            linear = -tf.reduce_sum((1 - t) * (v - a) ** 2 + t * (v - b) ** 2, axis=-1) / (2 * s * s)
        return linear + tf.reduce_sum(tf.math.softplus(t * logits), axis=-1)

    def step(k: Any, v: Any, total: Any) -> Any:
        t = tf.cast(k, dtype) / steps
        logits = tf.matmul(v / s, weights) + c  # (chains, H)
        total += minus_free_energy(t, v, logits) - minus_free_energy(t - 1 / steps, v, logits)
        first, second = tf.unstack(tf.random.split(seeds[k], 2, alg="philox"))
        uniforms = uniform_noise((chains, units), first, dtype.name)
        h = tf.cast(uniforms < tf.sigmoid(t * logits), dtype)
        return k + 1, visible(t, tf.matmul(h, weights, transpose_b=True), second), total

    v = visible(tf.zeros((), dtype), tf.zeros((chains, features), dtype), seeds[0])
    return tf.while_loop(lambda k, *_: k <= steps, step, (1, v, tf.zeros((chains,), dtype)))[2]
