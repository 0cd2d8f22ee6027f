"""What a representation is worth: a linear classifier on frozen features, trained with few labels a class.

    z = (f - mean f) / scale,   scale**2 = mean over features of their variance
    J(W, b) = penalty/2 |W|**2 + sum_i -log softmax(W' z_i + b)_{y_i}       over the labelled rows
    accuracy = share of test rows with argmax_k (W' z + b)_k = y

Mean and scale come from all training features, for which no label is needed. One scale serves all features, so that
moving, rotating or scaling a representation changes no answer. Which rows are labelled is drawn several times; the
rows of a smaller number of labels are among those of a larger one. The costs are summed, not averaged: penalty = 1 is
C = 1 of scikit-learn's LogisticRegression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import epoch_order
from keras_course.datasets.few_labels import labelled_rows
from keras_course.ops.clusterability import nearest_neighbour_clusterability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_course.datasets import Dataset

__all__ = ["LinearProbe", "accuracy_against_labels", "linear_probe", "logistic_regression", "probe_of", "together"]

BATCH = 512


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Test accuracies of linear classifiers on one representation.

    Args:
        per_class: labels a class, rising.
        accuracy: array (len(per_class), D), one column a draw of the labels.
        clusterability: share of test rows whose nearest neighbour among them is of their class.

    Example:
        >>> probe = LinearProbe((1, 5), np.array([[0.5, 0.7], [0.8, 0.8]]), 0.9)
        >>> probe.mean.round(3).tolist(), probe.standard_error.round(3).tolist()
        ([0.6, 0.8], [0.1, 0.0])

    Source: C 6.8; R.
    """

    per_class: tuple[int, ...]
    accuracy: NDArray[np.float64]
    clusterability: float

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the draws, (len(per_class),)."""
        return np.asarray(self.accuracy.mean(1))

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Standard deviation over the draws / sqrt(D), (len(per_class),)."""
        return np.asarray(self.accuracy.std(1, ddof=1) / math.sqrt(self.accuracy.shape[1]))

    def metrics(self) -> dict[str, float]:
        """{"probe_accuracy_5": mean, "probe_error_5": its standard error, ..., "clusterability"}."""
        found: dict[str, float] = {}
        for count, mean, error in zip(self.per_class, self.mean, self.standard_error, strict=True):
            found |= {f"probe_accuracy_{count}": float(mean), f"probe_standard_error_{count}": float(error)}
        return {**found, "clusterability": self.clusterability}


def logistic_regression(
    features: ArrayLike, labels: ArrayLike, classes: int, penalty: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The multinomial logistic regression of the labels, to the minimum.

    J(W, b) = penalty/2 |W|**2 + sum_i -log softmax(W' x_i + b)_{y_i},   dJ/dz = softmax(z) - one_hot(y)

    J is convex and, with a penalty, has one W at its minimum; b is not penalised, and its entries are shifted to sum
    to 0. Newton steps by conjugate gradients in a trust region, in float64, from zeros until the slope is below 1e-6.

    Args:
        features: array (N, F).
        labels: int array (N,) in [0, classes).
        classes: int K >= 2.
        penalty: float > 0; 1/C of scikit-learn.

    Returns:
        Tuple of W (F, K) and b (K,).

    Raises:
        ValueError: for a penalty that is not positive, labels out of range or shapes that do not fit.

    Example:
        >>> kernel, bias = logistic_regression([[-1.0], [1.0]], [0, 1], 2)
        >>> float(kernel[0, 1]) > 0, bias.round(6).tolist()
        (True, [0.0, 0.0])

    Source: C 6.8; S 9.4.
    """
    x, y = np.asarray(features, "float64"), np.asarray(labels)
    if x.ndim != 2 or y.shape != (len(x),) or len(x) == 0:
        raise ValueError(
            "logistic_regression needs features (N, F) and labels (N,). "
            f"Received: features.shape={x.shape}, labels.shape={y.shape}"
        )
    if classes < 2 or y.min() < 0 or y.max() >= classes:
        raise ValueError(
            "logistic_regression needs 2 classes or more, and labels among them. "
            f"Received: classes={classes}, labels from {y.min()} to {y.max()}"
        )
    if not 0 < penalty < math.inf:
        raise ValueError(f"logistic_regression needs a positive penalty. Received: penalty={penalty!r}")
    basis = np.linalg.qr(x.T)[0] if x.shape[1] > len(x) else None  # W lies in the span of the rows: fewer unknowns
    x = x if basis is None else x @ basis
    size, wanted = x.shape[1] * classes, np.eye(classes)[y]

    # einsum, not @: products this small are slower on several threads than on one, on a busy machine a hundred times.
    def scores(flat: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.einsum("nf,fk->nk", x, flat[:size].reshape(-1, classes)) + flat[size:])  # (N, K)

    def back(slope: NDArray[np.float64], flat: NDArray[np.float64]) -> NDArray[np.float64]:
        """From the scores to the weights: the transpose of `scores`, and the penalty's part."""
        return np.concatenate([np.einsum("nf,nk->fk", x, slope).ravel() + penalty * flat[:size], slope.sum(0)])

    def log_softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
        z = z - z.max(1, keepdims=True)
        return np.asarray(z - np.log(np.exp(z).sum(1, keepdims=True)))

    def cost(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_probabilities = log_softmax(scores(flat))
        value = penalty / 2 * np.sum(flat[:size] ** 2) - np.sum(wanted * log_probabilities)
        return float(value), back(np.exp(log_probabilities) - wanted, flat)

    def curvature(flat: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Hessian times direction: dp = p (dz - sum_k p_k dz_k)."""
        p, change = np.exp(log_softmax(scores(flat))), scores(direction)
        return back(p * (change - np.sum(p * change, axis=1, keepdims=True)), direction)

    found = minimize(
        cost, np.zeros(size + classes), jac=True, hessp=curvature, method="trust-ncg", options={"gtol": 1e-6}
    ).x
    kernel, bias = found[:size].reshape(-1, classes), found[size:]
    return kernel if basis is None else basis @ kernel, bias - bias.mean()


def linear_probe(
    features: ArrayLike,
    labels: ArrayLike,
    test_features: ArrayLike,
    test_labels: ArrayLike,
    per_class: Sequence[int] = (1, 5, 10),
    draws: int = 10,
    penalty: float = 1.0,
    seed: int = 0,
) -> LinearProbe:
    """Trains linear classifiers on frozen features, with few labels, and tests them.

    Args:
        features: array (N, F), features of the training rows.
        labels: int array (N,), of which each classifier sees per_class times the number of classes.
        test_features: array (M, F).
        test_labels: int array (M,).
        per_class: labels a class, rising.
        draws: int >= 2, how often the labelled rows are drawn.
        penalty: float > 0.
        seed: int, of the draws.

    Returns:
        `LinearProbe`.

    Raises:
        ValueError: for counts below 1 or draws below 2, or a class with too few training rows.

    Example:
        >>> x = np.array([[0.0], [0.1], [1.0], [1.1]])
        >>> linear_probe(x, [0, 0, 1, 1], x, [0, 0, 1, 1], per_class=(1,), draws=2).mean.tolist()
        [1.0]

    Source: C 6.8; R.
    """
    x, y = np.asarray(features, "float64"), np.asarray(labels)
    test_x, test_y = np.asarray(test_features, "float64"), np.asarray(test_labels)
    require_positive_int("linear_probe", draws=draws, **{f"per_class[{i}]": n for i, n in enumerate(per_class)})
    classes, sizes = np.unique(y, return_counts=True)
    if draws < 2 or not per_class or sizes.min() < max(per_class):
        raise ValueError(
            "linear_probe needs 2 draws or more, and in every class as many training rows as labels. "
            f"Received: draws={draws}, per_class={tuple(per_class)}, rows a class={sizes.tolist()}"
        )
    middle = x.mean(0)
    scale = math.sqrt(np.mean((x - middle) ** 2)) or 1.0
    x, test_x = (x - middle) / scale, (test_x - middle) / scale
    numbers = np.searchsorted(classes, y)
    accuracy = np.zeros((len(per_class), draws))
    for draw in range(draws):
        order = epoch_order(derive_seed(seed, "labels"), draw, len(x))
        for row, count in enumerate(per_class):
            chosen = order[labelled_rows(numbers[order], count * len(classes))]
            kernel, bias = logistic_regression(x[chosen], numbers[chosen], len(classes), penalty)
            accuracy[row, draw] = np.mean(classes[np.argmax(test_x @ kernel + bias, axis=1)] == test_y)
    clusterability = float(nearest_neighbour_clusterability(test_x.astype("float32"), test_y))
    return LinearProbe(tuple(per_class), accuracy, clusterability)


def probe_of(encode: Callable[[Any], Any], dataset: Dataset, seed: int = 0, **how: Any) -> LinearProbe:
    """The linear probe of a function of examples: labels from the training split, accuracies on the test split.

    Args:
        encode: callable (B, *shape) -> (B, ...); what it returns is flattened to a row an example.
        dataset: `Dataset` of classes.
        seed: int, of the draws.
        **how: per_class, draws, penalty of `linear_probe`.

    Returns:
        `LinearProbe`.

    Example:
        >>> from keras_course.datasets import load
        >>> probe = probe_of(lambda x: x, load("iris"), per_class=(1, 5), draws=3)
        >>> bool(probe.mean[1] > 0.8)
        True

    Source: C 6.8; R.
    """
    train, test = (_features(encode, split.x) for split in (dataset.train, dataset.test))
    return linear_probe(train, dataset.train.y, test, dataset.test.y, seed=seed, **how)


def _features(encode: Callable[[Any], Any], x: NDArray[Any]) -> NDArray[np.float64]:
    parts = [ops.convert_to_numpy(encode(x[start : start + BATCH])) for start in range(0, len(x), BATCH)]
    return np.concatenate(parts).reshape(len(x), -1).astype("float64")


def together(probes: Sequence[LinearProbe]) -> LinearProbe:
    """One probe of several representations of a kind: the draws of all side by side, the mean of the clusterabilities.

    Args:
        probes: `LinearProbe`s with the same per_class, at least one.

    Returns:
        `LinearProbe` with as many draws as all have.

    Raises:
        ValueError: for no probe, or different per_class.

    Example:
        >>> one, two = (LinearProbe((1,), np.array([[a, a]]), a) for a in (0.5, 0.7))
        >>> together([one, two]).mean.round(3).tolist(), round(together([one, two]).clusterability, 3)
        ([0.6], 0.6)

    Source: C 6.8.
    """
    counts = {probe.per_class for probe in probes}
    if len(counts) != 1:
        raise ValueError(f"together needs probes with the same labels a class. Received: per_class={sorted(counts)}")
    accuracy = np.concatenate([probe.accuracy for probe in probes], axis=1)
    return LinearProbe(probes[0].per_class, accuracy, float(np.mean([probe.clusterability for probe in probes])))


def accuracy_against_labels(probes: Mapping[str, LinearProbe], title: str) -> Figure:
    """Accuracy against labels a class, a line a representation, bars of one standard error.

    Args:
        probes: {what the features come from: probe}.
        title: of the figure.

    Returns:
        matplotlib `Figure`.

    Example:
        >>> probe = LinearProbe((1, 5), np.array([[0.5, 0.7], [0.8, 0.8]]), 0.9)
        >>> len(accuracy_against_labels({"pixels": probe}, "digits").axes)
        1

    Source: C 6.8; R.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, probe) in enumerate(probes.items()):
        label = f"{name} (clusterability {probe.clusterability:.2f})"
        axes.errorbar(
            probe.per_class, probe.mean, probe.standard_error,
            marker="osD^vP*X"[number % 8], color=f"C{number}", capsize=3, label=label,
        )  # fmt: skip
    counts = sorted({count for probe in probes.values() for count in probe.per_class})
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("labels a class")
    axes.set_ylabel("test accuracy of a linear probe")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(title, fontsize=11)
    return figure
