"""Classic mistakes in PixelCNN and generator networks; every one must turn a golden of its system red."""

from keras import ops

from keras_course.layers.masked_convolution import MaskedConvolution2D
from keras_course.ops.generators import affine_generator, log_mean_likelihood, matched_generator
from keras_course.ops.masked_convolution import convolution_mask


def mask_a_in_place_of_b(kernel_size, inputs, outputs, kind="B", colours=1, stack="raster"):
    """Green never hears of red."""
    return convolution_mask(kernel_size, inputs, outputs, "A", colours, stack)


class PixelSeesItself(MaskedConvolution2D):
    """Mask B in the first layer."""

    def __init__(self, filters, kernel_size, mask="B", *args, **kwargs):
        super().__init__(filters, kernel_size, "B", *args, **kwargs)


def factor_transposed(z, mean, factor):
    return affine_generator(z, mean, ops.transpose(ops.convert_to_tensor(factor)))


def covariance_by_n_minus_1(x, ridge=0.0):
    mean, factor = matched_generator(x, ridge)
    return mean, factor * (x.shape[0] / (x.shape[0] - 1)) ** 0.5


def mean_of_logarithms(log_likelihoods):
    """E log p(x | z) in place of log E p(x | z): the bound of nobody's posterior."""
    return log_mean_likelihood(log_likelihoods) * 0 + ops.mean(log_likelihoods, axis=-1)


PIXEL_FAULTS = {
    "mask A in place of B": ("pixel-cnn.convolution_mask", mask_a_in_place_of_b),
    "pixel sees itself": ("pixel-cnn.MaskedConvolution2D", PixelSeesItself),
    "factor transposed": ("generator-networks.affine_generator", factor_transposed),
    "covariance by n - 1": ("generator-networks.matched_generator", covariance_by_n_minus_1),
    "mean of logarithms": ("generator-networks.log_mean_likelihood", mean_of_logarithms),
}
