"""Worked examples of the chapter on ensembles: bootstrap samples, perceptrons that vote, AdaBoost.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.perceptrons.perceptron import Perceptron
from keras_course.models.regularized.adaboost import AdaBoost
from keras_course.models.regularized.bagging import Bagging
from keras_course.models.regularized.decision_stump import DecisionStump
from keras_course.ops.boosting import member_weight, reweighted, training_error_bound, weighted_error
from keras_course.ops.ensembles import (
    bootstrap_counts,
    ensemble_output,
    ensemble_squared_errors,
    expected_squared_error,
    out_of_bag_output,
)

__all__ = [
    "boosted_perceptrons",
    "boosted_stumps",
    "boosting_round",
    "bootstrap_samples",
    "error_of_correlated_members",
    "error_of_the_average",
    "majority_of_perceptrons",
    "mean_of_distributions",
    "out_of_bag_votes",
]


def _dtype(x: Any) -> str:
    return str(keras.backend.standardize_dtype(x.dtype))


def bootstrap_samples(uniforms: Any) -> dict[str, Any]:
    """How often each example is drawn. Source: C 6.12."""
    return {"counts": compiled(bootstrap_counts)(uniforms)}


def error_of_correlated_members(variance: Any, covariance: Any, members: int) -> dict[str, Any]:
    """v/k + (k-1)/k c: independent members help, like-minded ones do not. Source: C 6.12."""
    return {"error": compiled(expected_squared_error)(variance, covariance, members)}


def error_of_the_average(outputs: Any, targets: Any) -> dict[str, Any]:
    """The average errs less than its members do on average, by their disagreement. Source: C 6.12."""
    average, mean, disagreement = compiled(ensemble_squared_errors)(outputs, targets)
    return {"average": average, "mean": mean, "disagreement": disagreement}


def mean_of_distributions(logits: Any) -> dict[str, Any]:
    """1/k sum_i p_i(y | x). Source: C 6.12.1."""
    log_distribution = compiled(ensemble_output)(logits, "distribution")
    return {"distribution": ops.softmax(log_distribution, axis=-1), "log_distribution": log_distribution}


def out_of_bag_votes(outputs: Any, counts: Any) -> dict[str, Any]:
    """Every example is answered by those that did not see it. Source: C 6.12."""
    answers, left_out = compiled(out_of_bag_output)(outputs, counts, "vote")
    return {"answers": answers, "left_out": left_out}


def majority_of_perceptrons(x: Any, t: Any, counts: Any, queries: Any, epochs: int) -> dict[str, Any]:
    """The notes' example: a perceptron on each sample of a separable set, then the majority. Source: C 6.12."""
    member = Perceptron(x.shape[1], initializer="zeros", dtype=_dtype(x))
    model = Bagging(member, members=counts.shape[1], combination="vote", dtype=_dtype(x))
    model.compile()

    def pass_over_all(x: Any, t: Any, counts: Any) -> Any:
        model.train_step((x, t, counts))
        return ops.stack([member.updates.value for member in model.ensemble])

    train = compiled(pass_over_all)
    for _ in range(epochs):
        train(x, t, ops.cast(counts, x.dtype))
    weights = np.stack([member.w.numpy() for member in model.ensemble])
    votes = compiled(model.member_outputs)(queries)
    majority = ops.where(compiled(model)(queries) >= 0, 1, -1)
    return {"weights": weights, "votes": ops.cast(votes[..., 0], "int32"), "majority": majority}


def _boost(model: AdaBoost, x: Any, y: Any) -> dict[str, Any]:
    """All rounds: train the learner, measure it on all examples, let it in."""

    def train_and_measure(x: Any, y: Any) -> Any:
        model.train_step((x, y))
        wrong, total = model.weighted_mistakes(x, y)
        return wrong / total

    error, rounds = compiled(train_and_measure), []
    while not model.complete:
        model.add_member(float(error(x, y)))
        weights = model.example_weights(y, model.member_outputs(x))
        rounds.append(weights / ops.sum(weights))
    return {
        "errors": model.errors.numpy(),
        "alphas": model.alphas.numpy(),
        "weights": ops.stack(rounds),
        "bound": model.training_error_bound(),
    }


def boosted_stumps(x: Any, y: Any, classes: int, members: int) -> dict[str, Any]:
    """Every new question looks at what the ones before got wrong. Source: C 6.12."""
    model = AdaBoost(DecisionStump(x.shape[1], classes, dtype=_dtype(x)), members=members, dtype=_dtype(x))
    model.compile()
    found = _boost(model, x, y)
    return {
        "features": np.stack([stump.feature.numpy() for stump in model.ensemble]),
        "thresholds": np.stack([stump.threshold.numpy() for stump in model.ensemble]),
        **found,
        "decisions": model.classify(x),
    }


def boosted_perceptrons(x: Any, t: Any, starts: Any, members: int) -> dict[str, Any]:
    """Perceptrons on data that one of them cannot separate, each from its own start. Source: C 6.12."""
    model = AdaBoost(Perceptron(x.shape[1], dtype=_dtype(x)), members=members, dtype=_dtype(x))
    model.compile()
    for member, start in zip([model.learner, *model.ensemble], [starts[0], *starts], strict=True):
        member.w.assign(start)
    found = _boost(model, x, t)
    decisions = ops.where(model(x, training=False) >= 0, 1, -1)
    return {"w": np.stack([member.w.numpy() for member in model.ensemble]), **found, "decisions": decisions}


def boosting_round(weights: Any, wrong: Any, classes: int) -> dict[str, Any]:
    """How the weights move; the member that moved them says nothing about the new ones. Source: C 6.12."""

    def round_of(weights: Any, wrong: Any) -> Any:
        error = weighted_error(weights, wrong)
        alpha = member_weight(error, classes)
        new = reweighted(weights, wrong, alpha)
        bound = training_error_bound(error[None], alpha[None])
        return error[None], alpha[None], new, weighted_error(new, wrong)[None], bound

    error, alpha, new, again, bound = compiled(round_of)(weights, wrong)
    return {"error": error, "alpha": alpha, "weights": new, "error_on_new_weights": again, "bound": bound}
