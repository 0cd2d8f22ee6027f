"""Worked examples of the chapter on regularization."""

from keras_course.worked_examples.regularization_adversarial import (
    attack_in_high_dimension,
    attack_on_a_linear_score,
    attack_on_a_network,
    steps_on_the_mixture,
)
from keras_course.worked_examples.regularization_ensembles import (
    boosted_perceptrons,
    boosted_stumps,
    boosting_round,
    bootstrap_samples,
    error_of_correlated_members,
    error_of_the_average,
    majority_of_perceptrons,
    mean_of_distributions,
    out_of_bag_votes,
)

__all__ = [
    "attack_in_high_dimension",
    "attack_on_a_linear_score",
    "attack_on_a_network",
    "boosted_perceptrons",
    "boosted_stumps",
    "boosting_round",
    "bootstrap_samples",
    "error_of_correlated_members",
    "error_of_the_average",
    "majority_of_perceptrons",
    "mean_of_distributions",
    "out_of_bag_votes",
    "steps_on_the_mixture",
]
