"""Callbacks for any `model.fit`: exact resume after a kill."""

from keras_course.pipeline.exact_resume import ExactResume

__all__ = ["ExactResume"]
