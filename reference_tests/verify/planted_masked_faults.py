"""Classic mistakes in masked networks; every one must turn a golden of its system red."""

from keras import ops

from keras_course.models.generative.made import MADE
from keras_course.ops.autoregressive_masks import connections


def outputs_hear_themselves(inputs, outputs, strict=False):
    return connections(inputs, outputs)


def order_for_degrees(order):
    return ops.cast(ops.convert_to_tensor(order), "int32") + 1


class MeanOverVariables(MADE):
    def log_prob(self, x):
        return super().log_prob(x) / self.features


MASKED_FAULTS = {
    "outputs hear themselves": ("made.connections", outputs_hear_themselves),
    "order for degrees": ("made.order_degrees", order_for_degrees),
    "mean over variables": ("made", MeanOverVariables),
}
