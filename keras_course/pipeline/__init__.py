"""The way data flows, a file a step: recipe, fit, evaluate, report, export, verify. Loads no TensorFlow by itself."""

from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = ["Baseline", "Recipe"]
