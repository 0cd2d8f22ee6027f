"""Worked examples of the chapter on regularization."""

from keras_course.worked_examples.regularization_dropout import (
    dropconnect_of_a_layer,
    dropout_of_one_unit,
    hidden_layer_ensemble,
    renormalized_ensemble,
    softmax_regression_ensemble,
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
    "early_stopping_points",
    "activity_penalty",
    "dropconnect_of_a_layer",
    "dropout_of_one_unit",
    "hidden_layer_ensemble",
    "kept_labels",
    "l1_steps",
    "l1_training",
    "label_noise",
    "label_smoothing_losses",
    "multi_task_step",
    "noise_on_inputs",
    "renormalized_ensemble",
    "semi_supervised_step",
    "smoothed_targets",
    "softmax_regression_ensemble",
    "transfer_step",
    "tying_penalty_and_slopes",
    "weight_decay_forms",
    "weight_decay_in_adam",
]
