"""Worked examples of the chapter on regularization."""

from keras_course.worked_examples.regularization_adversarial import (
    attack_in_high_dimension,
    attack_on_a_linear_score,
    attack_on_a_network,
    steps_on_the_mixture,
)
from keras_course.worked_examples.regularization_augmentation import (
    choice_by_relevance,
    images_moved,
    pixels_changed,
    sound_with_echo_and_noise,
    text_with_typos_and_omissions,
)
from keras_course.worked_examples.regularization_dropout import (
    dropconnect_of_a_layer,
    dropout_of_one_unit,
    hidden_layer_ensemble,
    renormalized_ensemble,
    softmax_regression_ensemble,
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
from keras_course.worked_examples.regularization_penalties import (
    activity_penalty,
    l1_steps,
    l1_training,
    label_noise,
    label_smoothing_losses,
    noise_on_inputs,
    smoothed_targets,
    tying_penalty_and_slopes,
    weight_decay_forms,
    weight_decay_in_adam,
)
from keras_course.worked_examples.regularization_shared import (
    kept_labels,
    multi_task_step,
    semi_supervised_step,
    transfer_step,
)
from keras_course.worked_examples.regularization_stopping import early_stopping_points

__all__ = [
    "activity_penalty",
    "attack_in_high_dimension",
    "attack_on_a_linear_score",
    "attack_on_a_network",
    "boosted_perceptrons",
    "boosted_stumps",
    "boosting_round",
    "bootstrap_samples",
    "choice_by_relevance",
    "dropconnect_of_a_layer",
    "dropout_of_one_unit",
    "early_stopping_points",
    "error_of_correlated_members",
    "error_of_the_average",
    "hidden_layer_ensemble",
    "images_moved",
    "kept_labels",
    "l1_steps",
    "l1_training",
    "label_noise",
    "label_smoothing_losses",
    "majority_of_perceptrons",
    "mean_of_distributions",
    "multi_task_step",
    "noise_on_inputs",
    "out_of_bag_votes",
    "pixels_changed",
    "renormalized_ensemble",
    "semi_supervised_step",
    "smoothed_targets",
    "softmax_regression_ensemble",
    "sound_with_echo_and_noise",
    "steps_on_the_mixture",
    "text_with_typos_and_omissions",
    "transfer_step",
    "tying_penalty_and_slopes",
    "weight_decay_forms",
    "weight_decay_in_adam",
]
