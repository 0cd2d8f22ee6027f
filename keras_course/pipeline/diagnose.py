"""Why does it not train? Data, units, gradients and some steps of training, looked at in turn; each fault is named.

    data       inputs constant · inputs unscaled · labels unrelated
    units      dead units · saturated units · copied units
    gradients  vanishing gradient · exploding gradient · wrong gradient
    training   frozen layer · learning rate too high · learning rate too low · tiny set not fitted

The limits are rules of thumb, gathered in `Limits`. A finding says what was measured, against which limit; a planted
fault of each kind is found by the tests, and a healthy model has none. `advise` is the notes' advice on what to do once
training works: more capacity, more data, or neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.datasets import Split
from keras_course.pipeline.gradient_check import CheckedGradient, gradient_check
from keras_course.pipeline.probe import LayerActivity, gradient_norms, unit_activity
from keras_course.pipeline.trial_training import ShortTraining, TinyFit, short_training, tiny_set_fit

__all__ = ["Diagnosis", "Finding", "Limits", "advise", "diagnose", "label_relation"]

LOOKED_AT = 256  # examples for activities and gradients


@dataclass(frozen=True)
class Limits:
    """From where on something is called a fault.

    Args:
        input_rms: root mean square of the inputs.
        relation: standard errors by which neighbours' targets must agree better than chance.
        units: share of a layer's units (or outputs) that are dead, saturated, copies.
        vanishing: smallest gradient norm of a layer, over the largest.
        exploding: gradient norm of a layer.
        gradient_error: relative error of the gradient.
        fast: greatest update-to-weight ratio of a step, if the loss does not fall; ten times that, if it leaps.
        slow: median update-to-weight ratio of the steps.
        fall: share of the loss by which the short training must lower it, if its steps are slow.

    Example:
        >>> Limits(units=0.9).units
        0.9

    Source: C 9.1.6.
    """

    input_rms: float = 20.0
    relation: float = 3.0
    units: float = 0.5
    vanishing: float = 1e-4
    exploding: float = 100.0
    gradient_error: float = 0.2
    fast: float = 0.1
    slow: float = 1e-4
    fall: float = 0.02


@dataclass(frozen=True)
class Finding:
    """One fault.

    Args:
        fault: its name, one of those in this module's first lines.
        where: layer or weight, "" where it concerns all.
        evidence: what was measured.
        advice: what to try.

    Example:
        >>> print(Finding("dead units", "dense", "90 % are 0", "lower the rate"))
        dead units in dense: 90 % are 0; lower the rate

    Source: C 9.1.6.
    """

    fault: str
    where: str
    evidence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.fault}{' in ' + self.where if self.where else ''}: {self.evidence}; {self.advice}"


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was looked at.

    Args:
        findings: the faults, most basic first; empty where nothing was found.
        activity: what the units of each layer do.
        gradient_norms: {layer: norm}.
        checked: gradients against differences.
        training: the short training.
        tiny: the tiny-set fit.

    Example:
        >>> Diagnosis((), (), {}, (), None, None).faults
        ()

    Source: C 9.1.6.
    """

    findings: tuple[Finding, ...]
    activity: tuple[LayerActivity, ...]
    gradient_norms: Mapping[str, float]
    checked: tuple[CheckedGradient, ...]
    training: ShortTraining | None
    tiny: TinyFit | None

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults, each once."""
        return tuple(dict.fromkeys(finding.fault for finding in self.findings))


def diagnose(
    model: Any, train: Split, *, steps: int = 40, batch_size: int = 32, limits: Limits | None = None, seed: int = 0
) -> Diagnosis:
    """Looks for faults in a compiled model and the data it shall be trained on. Nothing lasting is changed.

    Args:
        model: compiled Keras model with a loss, best at its initial weights.
        train: `Split` to train on.
        steps: int >= 1, of the short training with the model's own optimiser.
        batch_size: int >= 1, of the short training.
        limits: `Limits`, or None for the usual ones.
        seed: int, order of the examples and directions of the gradient check.

    Returns:
        `Diagnosis`.

    Raises:
        ValueError: if the model has no loss, or for steps below 1.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8, "relu", bias_initializer=
        ...     keras.initializers.Constant(-99.0), name="hidden"), keras.layers.Dense(2)])
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype("float32")
        >>> "dead units" in diagnose(model, Split(x, (x[:, 0] > 0).astype("int32"))).faults
        True

    Source: C 9.1.6.
    """
    limits = limits or Limits()
    x, y = train.x[:LOOKED_AT], train.y[:LOOKED_AT]
    activity = unit_activity(model, x, y)
    norms = {layer: float(norm) for layer, norm in gradient_norms(model, x, y).items()}
    checked = gradient_check(model, x[:16], y[:16], seed=seed)
    training = short_training(model, train, steps=steps, batch_size=batch_size, seed=seed)
    tiny = tiny_set_fit(model, x, y)
    findings = (
        *_of_data(train, limits),
        *_of_units(activity[:-1], limits),  # the last layer is the answer: a sure answer is saturated
        *_of_gradients(norms, checked, limits),
        *_of_training(model, training, tiny, limits),
    )
    return Diagnosis(findings, activity, norms, checked, training, tiny)


def label_relation(x: Any, y: Any) -> float:
    """By how many standard errors nearest neighbours agree in their targets better than chance.

    classes: z = (a - p) / sqrt(p (1 - p) (1 + m) / n),   a = share of rows with the class of their neighbour
    targets: z = r / sqrt((1 + m) / n),                    r = correlation of the first target with the neighbour's

    p = sum_k n_k (n_k - 1) / (n (n - 1)) is the share by chance; m is the share of rows that are their neighbour's
    neighbour, and so are counted twice. A wrong label column, or labels shuffled against inputs, give z about 0; what
    can be learnt at all gives z far above 3.

    Args:
        x: array (n, ...), every feature is brought to one scale; n up to 1,000 or so.
        y: integer classes (n,), or targets (n, ...).

    Returns:
        z, a float; 0 where all targets are equal.

    Example:
        >>> x = np.arange(40.0)[:, None]
        >>> label_relation(x, (x[:, 0] > 20).astype(int)) > 3
        True

    Source: C 9.1.4.
    """
    flat = np.asarray(x, "float64").reshape(len(x), -1)
    spread = flat.std(0)
    flat = (flat - flat.mean(0))[:, spread > 0] / spread[spread > 0]
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares - 2 * flat @ flat.T
    np.fill_diagonal(distances, np.inf)
    neighbour = distances.argmin(1)
    n, mutual = len(flat), float(np.mean(neighbour[neighbour] == np.arange(len(flat))))
    y = np.asarray(y)
    if y.ndim == 1 and y.dtype.kind in "iub":
        sizes = np.unique(y, return_counts=True)[1]
        chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
        if not 0 < chance < 1:
            return 0.0
        return (float(np.mean(y == y[neighbour])) - chance) / math.sqrt(chance * (1 - chance) * (1 + mutual) / n)
    first = y.reshape(n, -1)[:, 0].astype("float64")
    if first.std() == 0 or first[neighbour].std() == 0:
        return 0.0
    return float(np.corrcoef(first, first[neighbour])[0, 1]) / math.sqrt((1 + mutual) / n)


def advise(training_error: float, validation_error: float, wanted: float) -> str:
    """What to do next: the notes' advice on more data, more capacity, better optimisation.

    training error > wanted                     -> capacity: more layers or units, tune the learning rate
    training fine, validation > wanted          -> data: gather more, or regularise
    both fine                                   -> done

    Args:
        training_error, validation_error: numbers, less is better.
        wanted: the greatest error that is acceptable.

    Returns:
        "capacity", "data" or "done".

    Raises:
        ValueError: for numbers that are not finite.

    Example:
        >>> advise(0.20, 0.22, wanted=0.05), advise(0.01, 0.22, wanted=0.05), advise(0.01, 0.04, wanted=0.05)
        ('capacity', 'data', 'done')

    Source: C 9.1.4.
    """
    if not all(map(math.isfinite, (training_error, validation_error, wanted))):
        raise ValueError(
            "advise needs finite errors. "
            f"Received: training_error={training_error}, validation_error={validation_error}, wanted={wanted}"
        )
    if training_error > wanted:
        return "capacity"
    return "data" if validation_error > wanted else "done"


def _of_data(train: Split, limits: Limits) -> Iterator[Finding]:
    if not np.issubdtype(train.x.dtype, np.floating):
        return  # tokens have neither scale nor distance
    x: NDArray[Any] = train.x[:1000].astype("float64")
    if not x.std(0).any():
        yield Finding("inputs constant", "", "every input is the same in all examples", "look at how the data are read")
        return
    rms = math.sqrt(float(np.mean(x**2)))
    if rms > limits.input_rms:
        yield Finding("inputs unscaled", "", f"their root mean square is {rms:.3g}", "standardise them")
    if train.y.ndim > 2 or _are_sequences(train.y):
        return  # label maps, texts: what is where differs from image to image, neighbours agree in nothing
    z = label_relation(x, train.y[:1000])
    if z < limits.relation:
        yield Finding(
            "labels unrelated", "", f"neighbours agree {z:.1f} standard errors better than chance",
            "look at some examples with their labels: is it the right column, in the right order?",
        )  # fmt: skip


def _are_sequences(y: NDArray[Any]) -> bool:
    """Whether targets (N, T) are ids of words or characters; 0 and 1 alone are indicators."""
    return y.ndim == 2 and y.dtype.kind in "iu" and y.max() > 1


def _of_units(activity: tuple[LayerActivity, ...], limits: Limits) -> Iterator[Finding]:
    rules = (
        ("dead units", "dead", "{:.0%} of its units are 0 for every example", "lower the rate, or use a leaky unit"),
        ("saturated units", "saturated", "{:.0%} of its outputs have no slope", "smaller initial weights or inputs"),
        ("copied units", "copies", "{:.0%} of its units do the same as another", "break the symmetry: random weights"),
    )
    for layer in activity:
        for fault, share, evidence, advice in rules:
            value = getattr(layer, share)
            if value > limits.units:
                yield Finding(fault, layer.layer, evidence.format(value), advice)


def _of_gradients(
    norms: Mapping[str, float], checked: tuple[CheckedGradient, ...], limits: Limits
) -> Iterator[Finding]:
    if norms:
        least, most = min(norms, key=lambda layer: norms[layer]), max(norms, key=lambda layer: norms[layer])
        if norms[least] < limits.vanishing * norms[most]:
            yield Finding(
                "vanishing gradient", least, f"its norm is {norms[least]:.1e}, {norms[most]:.1e} in {most}",
                "rectifiers, normalised initialisation, skip connections",
            )  # fmt: skip
        if not norms[most] <= limits.exploding:
            yield Finding("exploding gradient", most, f"its norm is {norms[most]:.1e}", "clip it; smaller weights")
    wrong = {found.weight: found.error for found in checked if not found.error <= limits.gradient_error}
    for weight, error in wrong.items():
        yield Finding(
            "wrong gradient", weight, f"it differs by {error:.0%} from differences of the loss",
            "a custom gradient, or a stop_gradient that should not be there",
        )  # fmt: skip


def _of_training(model: Any, training: ShortTraining, tiny: TinyFit, limits: Limits) -> Iterator[Finding]:
    frozen = {layer for layer, ratios in training.ratios.items() if not ratios.any()}
    learnt = {weight.path.rpartition("/")[0] for weight in model.trainable_weights}
    for layer in sorted(frozen):
        why = "no gradient reaches it" if layer in learnt else "it is not trainable"
        yield Finding("frozen layer", layer, f"its weights did not move: {why}", "unfreeze it, unless you meant it")
    moving = [layer for layer in training.ratios if layer not in frozen]
    fastest = max((training.greatest(layer) for layer in moving), default=0.0)
    usual = max((training.ratio(layer) for layer in moving), default=0.0)
    later = float(np.median(training.losses[len(training.losses) // 2 :]))
    stuck = not math.isfinite(training.after) or not later < training.before
    leapt = not np.max(training.losses) < 1.5 * training.before
    fall = (training.before - training.after) / max(abs(training.before), 1e-12)
    course = f"the loss went from {training.before:.3g} to {training.after:.3g}"
    if (stuck and not fastest < limits.fast) or (leapt and not fastest < 10 * limits.fast):
        evidence = f"one step changed {fastest:.3g} times the weights, {course}"
        yield Finding("learning rate too high", "", evidence, "divide it by 10")
    elif moving and usual < limits.slow and fall < limits.fall:
        evidence = f"a step changes {usual:.1e} times the weights, {course}"
        yield Finding("learning rate too low", "", evidence, "multiply it by 10")
    if not tiny.passed:
        yield Finding(
            "tiny set not fitted", "",
            f"the loss on {tiny.examples} examples went from {tiny.first:.3g} to {tiny.last:.3g}",
            "a defect, not underfitting: check the loss, the labels, the graph",
        )  # fmt: skip
