"""Handwriting with one classic mistake each: in the density of a point, in the window, in the bias, in the network."""

from keras import ops

from keras_course.layers.soft_window import SoftWindow
from keras_course.models.recurrent.handwriting import HandwritingSynthesis
from keras_course.ops.handwriting import (
    bivariate_mixture_log_density,
    bivariate_normal_log_density,
    sharpened,
    soft_window,
)


def correlation_the_other_way_round(x, mean, scale, correlation):
    return bivariate_normal_log_density(x, mean, scale, -ops.convert_to_tensor(correlation))


def every_component_alike(x, logits, mean, scale, correlation):
    return bivariate_mixture_log_density(x, ops.zeros_like(ops.convert_to_tensor(logits)), mean, scale, correlation)


def bias_that_spreads(logits, scale, bias):
    return sharpened(logits, scale, bias)[0], sharpened(logits, scale, -bias)[1]


class WindowThatForgetsWhereItWas(SoftWindow):
    """kappa is the step, not the sum of all steps."""

    def call(self, hidden, characters, hidden_mask=None):
        alpha, beta, step = self._shape_and_step(hidden)
        return soft_window(alpha, beta, step, characters)


class LettersFromOne(SoftWindow):
    """u = 1 ... U beside kappas that count from 0."""

    def call(self, hidden, characters, hidden_mask=None):
        seen, weights = super().call(hidden, ops.pad(characters, ((0, 0), (1, 0), (0, 0))))
        return seen, weights[:, :, 1:]


class ReadsThePointItForetells(HandwritingSynthesis):
    """No shift: the network is shown the very point whose density it gives."""

    @staticmethod
    def shifted(points):
        return points


class UpperLevelsWithoutTheWindow(HandwritingSynthesis):
    def unroll(self, points, characters, counts=None, states=None, training=False):
        h, seen, weights, *kept = self.first(points, characters, sequences_mask=counts)
        every = [h]
        for level in self.upper:
            h, *after = level(ops.concatenate([points, h, 0 * seen], axis=-1), mask=counts)
            every.append(h)
            kept = [*kept, *after]
        return self.head(ops.concatenate(every, axis=-1)), weights, kept


HANDWRITING_FAULTS = {
    "correlation the other way round": (
        "handwriting.bivariate_normal_log_density",
        correlation_the_other_way_round,
    ),
    "every component alike": ("handwriting.bivariate_mixture_log_density", every_component_alike),
    "bias that spreads": ("handwriting.sharpened", bias_that_spreads),
    "window that forgets where it was": ("handwriting.SoftWindow", WindowThatForgetsWhereItWas),
    "letters from one": ("handwriting.SoftWindow", LettersFromOne),
    "reads the point it foretells": ("handwriting", ReadsThePointItForetells),
    "upper levels without the window": ("handwriting", UpperLevelsWithoutTheWindow),
}
