"""Networks that see."""

from keras_course.models.vision.lenet import LeNet

__all__ = ["LeNet"]
