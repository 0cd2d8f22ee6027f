"""Keras optimizers of the course; compile with them, save models that carry them."""

from keras_course.optimizers.decoupled_weight_decay import DecoupledWeightDecay

__all__ = ["DecoupledWeightDecay"]
