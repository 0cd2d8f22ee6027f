"""Bias, variance and noise against the capacity of a model: the U-shaped risk curve, exactly.

    y = f(x) + noise,  prediction = A y,  A = Phi_test (Phi^T Phi + lambda I)^-1 Phi^T

    E (y_test - prediction)^2 = (A f(x) - f(x_test))^2 + sigma^2 |A's row|^2 + sigma^2
                              =        bias^2          +      variance       + noise

Least squares and ridge regression are linear in y, so the split is exact for every training set of these inputs: no
term is estimated. Capacity is the degree of a polynomial, or the inverse strength of a ridge penalty on a high degree;
tr A on the training inputs counts the free parameters of both on one scale. The error on the training set only falls:

    E training error = mean of bias^2 on the training inputs + sigma^2 (1 - 2 tr A / n + tr A A^T / n)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.experiments.table import Table
from keras_course.ops.floating import as_floating

__all__ = ["Config", "legendre_features", "linear_smoother", "run", "split_of_the_error", "training_error"]


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        examples: training examples, at inputs drawn once and kept.
        noise: standard deviation sigma of the noise in every y.
        degrees: degrees of the polynomials, each less than `examples`.
        strengths: ridge penalties lambda > 0 on the polynomial of the greatest degree.
        trials: training sets, each with new noise, over which the error is measured beside the exact one.
        seed: root of all random numbers.
    """

    examples: int = 30
    noise: float = 0.3
    degrees: tuple[int, ...] = tuple(range(16))
    strengths: tuple[float, ...] = tuple(10.0 ** (power / 2) for power in range(-8, 7))
    trials: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive_int("Config", examples=self.examples, trials=self.trials)
        if not (self.noise >= 0 and math.isfinite(self.noise)):
            raise ValueError(f"Config needs a noise of at least 0. Received: noise={self.noise!r}")
        if not self.degrees or not all(isinstance(d, int) and 0 <= d < self.examples for d in self.degrees):
            raise ValueError(
                f"Config needs degrees from 0 up to one less than the examples. Received: degrees={self.degrees}, "
                f"examples={self.examples}"
            )
        if not self.strengths or not all(0 < strength < math.inf for strength in self.strengths):
            raise ValueError(f"Config needs positive strengths. Received: strengths={self.strengths}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in a second: fewer degrees, strengths and training sets."""
        return cls(degrees=(0, 1, 3, 5, 9, 13), strengths=(1e-4, 1e-2, 1.0, 100.0), trials=200)


def true_function(x: Any) -> Any:
    """f(x) = sin(pi x) + x / 2, on [-1, 1]: no polynomial."""
    x = as_floating(x)
    return ops.sin(math.pi * x) + x / 2


def legendre_features(x: Any, degree: int) -> Any:
    """Legendre polynomials up to a degree, scaled to unit mean square on [-1, 1].

        (k + 1) P_{k+1} = (2k + 1) x P_k - k P_{k-1},   column k = sqrt(2k + 1) P_k(x)

    They span what the powers of x span, and are nearly orthogonal on spread inputs: the powers are not.

    Args:
        x: tensor (N,), in [-1, 1].
        degree: int >= 0.

    Returns:
        Tensor (N, degree + 1).

    Raises:
        ValueError: if the degree is negative or x is no vector.

    Example:
        >>> legendre_features(np.array([1.0, 0.0]), 2).numpy().round(4).tolist()
        [[1.0, 1.7321, 2.2361], [1.0, 0.0, -1.118]]

    Source: C 1.1.
    """
    if degree < 0:
        raise ValueError(f"legendre_features needs a degree of at least 0. Received: degree={degree}")
    x = as_floating(x)
    if len(x.shape) != 1:
        raise ValueError(f"legendre_features expects an input of rank 1. Received: shape={tuple(x.shape)}")
    values = [ops.ones_like(x), x]
    for k in range(1, degree):
        values.append(((2 * k + 1) * x * values[-1] - k * values[-2]) / (k + 1))
    return ops.stack([math.sqrt(2 * k + 1) * value for k, value in enumerate(values[: degree + 1])], -1)


def linear_smoother(features: Any, test_features: Any, strength: float = 0.0) -> Any:
    """The matrix that takes the targets of least squares or ridge regression to its predictions.

        A = Phi_test (Phi^T Phi + lambda I)^-1 Phi^T

    With QR = Phi above sqrt(lambda) I, and Q_1 the rows of Q that belong to Phi, A = Phi_test R^-1 Q_1^T: the product
    Phi^T Phi, which would square the condition number, is never formed.

    Args:
        features: tensor Phi (N, D), of rank D if the strength is 0.
        test_features: tensor (Q, D).
        strength: number, lambda >= 0; the penalty is lambda |w|^2 beside the sum of the squared errors.

    Returns:
        Tensor A (Q, N).

    Raises:
        ValueError: if the strength is negative.

    Example:
        >>> linear_smoother(np.ones((4, 1)), np.ones((1, 1))).numpy().round(6).tolist()
        [[0.25, 0.25, 0.25, 0.25]]

    Source: C 1.1.
    """
    if not strength >= 0:
        raise ValueError(f"linear_smoother needs a strength of at least 0. Received: strength={strength!r}")
    features = as_floating(features)
    test_features = as_floating(test_features, features.dtype)
    penalty = ops.eye(features.shape[1], dtype=features.dtype) * math.sqrt(strength)
    q, r = ops.qr(ops.concatenate([features, penalty]))  # (N + D, D), (D, D)
    return test_features @ ops.solve_triangular(r, ops.transpose(q[: features.shape[0]]))


def split_of_the_error(smoother: Any, clean: Any, clean_test: Any, noise: Any) -> dict[str, Any]:
    """Expected squared error of a linear estimator on fresh targets, in its three parts.

        bias^2_q = (sum_i A_qi f(x_i) - f(x_q))^2,   variance_q = sigma^2 sum_i A_qi^2,   noise_q = sigma^2

    Args:
        smoother: tensor A (Q, N).
        clean: tensor (N,), f at the training inputs.
        clean_test: tensor (Q,), f at the test inputs.
        noise: number or scalar tensor, sigma; independent of mean 0 in every target, of any distribution.

    Returns:
        {"squared_bias", "variance", "noise", "expected_error"}: scalar tensors, means over the test inputs; the last
        is the sum of the others.

    Example:
        >>> found = split_of_the_error([[0.5, 0.5]], [0.0, 2.0], [2.0], 1.0)
        >>> {name: float(value) for name, value in found.items()}
        {'squared_bias': 1.0, 'variance': 0.5, 'noise': 1.0, 'expected_error': 2.5}

    Source: C 1.1, R (Generalization).
    """
    smoother = as_floating(smoother)
    clean, clean_test, noise = (as_floating(value, smoother.dtype) for value in (clean, clean_test, noise))
    squared_bias = ops.mean((ops.matmul(smoother, clean) - clean_test) ** 2)
    variance = noise**2 * ops.mean(ops.sum(smoother**2, -1))
    return {
        "squared_bias": squared_bias,
        "variance": variance,
        "noise": noise**2,
        "expected_error": squared_bias + variance + noise**2,
    }


def training_error(smoother: Any, clean: Any, noise: Any) -> Any:
    """Expected squared error on the very targets that a linear estimator was trained on.

        mean of (A f - f)^2 + sigma^2 (1 - 2 tr A / N + tr A A^T / N)

    Args:
        smoother: tensor A (N, N), predictions at the training inputs.
        clean: tensor (N,), f at the training inputs.
        noise: number or scalar tensor, sigma.

    Returns:
        Scalar tensor.

    Example:
        >>> float(training_error(np.full((4, 4), 0.25), np.zeros(4), 1.0))
        0.75

    Source: C 1.1, R (Generalization).
    """
    smoother = as_floating(smoother)
    clean, noise = (as_floating(value, smoother.dtype) for value in (clean, noise))
    squared_bias = ops.mean((ops.matmul(smoother, clean) - clean) ** 2)
    free = ops.trace(smoother) / smoother.shape[0]
    return squared_bias + noise**2 * (1 - 2 * free + ops.sum(smoother**2) / smoother.shape[0])


_COLUMNS = (
    "model", "capacity", "parameters", "squared_bias", "variance", "noise", "expected_error", "measured_error",
    "deviation", "expected_training_error", "training_error",
)  # fmt: skip
TEST = np.linspace(-1.0, 1.0, 201)


def run(config: Config) -> Table:
    """The three parts at every degree and strength, and the error of real training sets beside their sum.

        expected_error = squared_bias + variance + noise

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns model ("degree" or "ridge"), capacity (the degree, or lambda), parameters (tr A),
        squared_bias, variance, noise, expected_error, measured_error (mean over the training sets), deviation (its
        standard error), expected_training_error, training_error.

    Example:
        >>> error = run(Config.tiny()).where(model="degree")["expected_error"]
        >>> bool(error[0] > error[2] < error[-1])
        True

    Source: C 1.1, R (Generalization).
    """
    rng = np.random.Generator(np.random.Philox(derive_seed(config.seed, "bias-variance")))
    x = np.sort(rng.uniform(-1, 1, config.examples))
    clean, clean_test = (np.asarray(true_function(place)) for place in (x, TEST))
    targets = clean + config.noise * rng.normal(size=(config.trials, config.examples))
    fresh = clean_test + config.noise * rng.normal(size=(config.trials, len(TEST)))
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    settings = [("degree", degree, degree, 0.0) for degree in sorted(config.degrees)]
    settings += [("ridge", strength, max(config.degrees), strength) for strength in sorted(config.strengths)]
    for model, capacity, degree, strength in settings:
        features, test_features = (legendre_features(place, degree) for place in (x, TEST))
        at_test, at_train = (
            np.asarray(linear_smoother(features, place, strength)) for place in (test_features, features)
        )
        split = {name: float(v) for name, v in split_of_the_error(at_test, clean, clean_test, config.noise).items()}
        errors = ((targets @ at_test.T - fresh) ** 2).mean(1)
        measured = (errors.mean(), errors.std(ddof=1) / math.sqrt(config.trials) if config.trials > 1 else math.nan)
        on_training = (training_error(at_train, clean, config.noise), ((targets @ at_train.T - targets) ** 2).mean())
        row = (model, float(capacity), np.trace(at_train), *split.values(), *measured, *on_training)
        for name, value in zip(_COLUMNS, row, strict=True):
            columns[name].append(value if name == "model" else float(value))
    return Table("bias-variance", columns, lambda table: _draw(table, config), _headline(columns))


def _headline(columns: dict[str, list[Any]]) -> dict[str, float]:
    """Where each risk curve is least, and its parts there and at both ends."""
    table, found = Table("bias-variance", columns), {}
    for model, name in (("degree", "degree"), ("ridge", "lambda")):
        rows = table.where(model=model)
        best = int(rows["expected_error"].argmin())
        found[f"best {name}"] = float(rows["capacity"][best])
        for part in ("squared_bias", "variance", "expected_error", "measured_error"):
            found[f"{part.replace('_', ' ')} at the best {name}"] = float(rows[part][best])
        for place in (0, -1):
            found[f"expected error at {name} {rows['capacity'][place]:g}"] = float(rows["expected_error"][place])
    return found


def _draw(table: Table, config: Config) -> Any:
    """Above: the parts against degree and strength. Below: fits of 12 training sets, too stiff, right, too free."""
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE

    figure = Figure(figsize=(11, 7.6), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    for axes, model, label in zip(
        top.subplots(1, 2), ("degree", "ridge"), ("degree of the polynomial", "ridge penalty, falling"), strict=True
    ):
        rows = table.where(model=model)
        parts = (("squared_bias", BLUE, "bias²"), ("variance", ORANGE, "variance"), ("expected_error", "black", "sum"))
        for name, colour, shown in parts:
            axes.plot(rows["capacity"], rows[name], "-", color=colour, linewidth=1.4, label=shown)
        axes.plot(rows["capacity"], rows["noise"], ":", color=GREY, label="noise")
        axes.plot(rows["capacity"], rows["measured_error"], "o", color="black", markersize=4, label="measured error")
        axes.plot(rows["capacity"], rows["expected_training_error"], "--", color=GREEN, label="training error")
        best = rows["capacity"][rows["expected_error"].argmin()]
        axes.axvline(best, color=GREY, linewidth=0.8)
        axes.set_title(f"least error at {best:g}", fontsize=10)
        axes.set_yscale("log")
        axes.set_ylim(1e-3, 2 * max(1.0, min(30.0, table["expected_error"].max())))
        if model == "ridge":
            axes.set_xscale("log")
            axes.invert_xaxis()
        axes.set_xlabel(label)
        axes.set_ylabel("mean squared error")
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)

    rows = table.where(model="degree")
    best = int(rows["capacity"][rows["expected_error"].argmin()])
    degrees = sorted({min(config.degrees), best, max(config.degrees)})
    rng = np.random.Generator(np.random.Philox(derive_seed(config.seed, "bias-variance")))
    x = np.sort(rng.uniform(-1, 1, config.examples))
    clean = np.asarray(true_function(x))
    targets = clean + config.noise * rng.normal(size=(12, config.examples))
    for axes, degree in zip(np.atleast_1d(bottom.subplots(1, len(degrees))), degrees, strict=True):
        smoother = np.asarray(linear_smoother(*(legendre_features(place, degree) for place in (x, TEST))))
        axes.plot(TEST, (targets @ smoother.T).T, color=ORANGE, linewidth=0.7, alpha=0.7)
        axes.plot(TEST, smoother @ clean, color=BLUE, linewidth=1.6, label="mean prediction")
        axes.plot(TEST, true_function(TEST), "--", color="black", linewidth=1.2, label="f")
        axes.plot(x, targets[0], ".", color=GREY, markersize=4, label="one training set")
        axes.set_ylim(-2.6, 2.6)
        axes.set_title(f"degree {degree}: fits of 12 training sets", fontsize=10)
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"bias-variance: {config.examples} examples, noise {config.noise:g}")
    return figure
