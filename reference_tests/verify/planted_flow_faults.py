"""Classic mistakes in normalizing flows; every one must turn a golden of its system red."""

from keras import ops

from keras_course.layers.flows import ActNorm, AffineCoupling
from keras_course.models.generative.coupling_flows import RealNVP
from keras_course.ops.flows import checkerboard_mask


class SignOfTheLogDet(AffineCoupling):
    """The log det of generating in place of reading."""

    def forward(self, x, condition=None, training=False):
        z, log_det = super().forward(x, condition, training)
        return z, -log_det


class ScaleForItsLogarithm(AffineCoupling):
    """det = prod s: the network's numbers taken for scales."""

    def forward(self, x, condition=None, training=False):
        z, _ = super().forward(x, condition, training)
        s, _ = self.log_scale_and_shift(self.partition.split(x)[0])
        return z, ops.sum(s * s, axis=-1)


class ShiftBeforeScaling(AffineCoupling):
    """(moved + t) exp(s)."""

    def forward(self, x, condition=None, training=False):
        kept, moved = self.partition.split(x)
        s, t = self.log_scale_and_shift(kept)
        return self.partition.merge(kept, (moved + t) * ops.exp(s)), ops.sum(s, axis=-1)


class StartFromVariances(ActNorm):
    """A scale 1 / variance."""

    def start_at(self, x, condition=None):
        super().start_at(x, condition)
        self.log_scale.assign(2 * self.log_scale)


class NoDeterminant(RealNVP):
    """log p(x) = log p_base(f(x))."""

    def log_prob(self, x, y=None, training=False):
        return super().log_prob(x, y, training) - self.flow.forward(x)[1]


def white_squares(height, width, flip=False):
    return checkerboard_mask(height, width, not flip)


FLOW_FAULTS = {
    "sign of the log det": ("real-nvp.AffineCoupling", SignOfTheLogDet),
    "scale for its logarithm": ("real-nvp.AffineCoupling", ScaleForItsLogarithm),
    "shift before scaling": ("real-nvp.AffineCoupling", ShiftBeforeScaling),
    "start from variances": ("real-nvp.ActNorm", StartFromVariances),
    "no determinant": ("real-nvp", NoDeterminant),
    "white squares": ("real-nvp.checkerboard_mask", white_squares),
}
