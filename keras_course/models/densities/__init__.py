"""Models of densities: a network whose output is a distribution."""

from keras_course.models.densities.distribution_regression import DistributionRegression

__all__ = ["DistributionRegression"]
