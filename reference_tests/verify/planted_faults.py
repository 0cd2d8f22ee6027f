"""Somebody's homework, each with one classic mistake; every one must turn a golden of its system red."""

import math

from keras import ops

from keras_course.experiments.deep_gradients import chain_derivatives
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.locally_connected import LocallyConnected2D
from keras_course.layers.pooling import AveragePooling
from keras_course.layers.positional_encoding import PositionalEncoding
from keras_course.layers.transposed_convolution import TransposedConvolution2D
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.logistic import LogisticLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.metrics.mean_iou import MeanIoU
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder
from keras_course.models.perceptrons.backprop import BackpropMLP
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.perceptrons.perceptron import Perceptron
from keras_course.models.regularized.bagging import Bagging
from keras_course.models.vision.fcn import FCN
from keras_course.models.vision.lenet import LeNet
from keras_course.ops import (
    bayes,
    detection,
    dropout,
    information,
    label_smoothing,
    normalization,
    penalties,
    regression,
)
from keras_course.ops.adversarial import fast_gradient_sign
from keras_course.ops.boltzmann import rbm_energy
from keras_course.ops.boosting import reweighted
from keras_course.ops.convolution import convolve, cross_correlate
from keras_course.ops.deep_belief import belief_log_prob
from keras_course.ops.deep_boltzmann import deep_energy
from keras_course.ops.draw_attention import filterbank
from keras_course.ops.elbo import diagonal_gaussian_divergence, reparametrised
from keras_course.ops.ensembles import out_of_bag_output
from keras_course.ops.transposed_convolution import transposed_maps
from keras_course.optimizers import AdaGrad, Adam, DeltaBarDelta, Momentum
from reference_tests.verify.planted_adversarial_faults import ADVERSARIAL_FAULTS
from reference_tests.verify.planted_autoencoder_faults import AUTOENCODER_FAULTS
from reference_tests.verify.planted_energy_faults import ENERGY_FAULTS
from reference_tests.verify.planted_flow_faults import FLOW_FAULTS
from reference_tests.verify.planted_handwriting_faults import HANDWRITING_FAULTS
from reference_tests.verify.planted_masked_faults import MASKED_FAULTS
from reference_tests.verify.planted_memory_faults import MEMORY_FAULTS
from reference_tests.verify.planted_pixel_faults import PIXEL_FAULTS
from reference_tests.verify.planted_recurrent_faults import RECURRENT_FAULTS
from reference_tests.verify.planted_reservoir_faults import RESERVOIR_FAULTS
from reference_tests.verify.planted_vision_faults import VISION_FAULTS


def flipped_kernel(inputs, kernel, **kwargs):
    return convolve(inputs, kernel, **kwargs)


def unflipped_kernel(inputs, kernel, **kwargs):
    return cross_correlate(inputs, kernel, **kwargs)


class DroppedBias(Convolution2D):
    def call(self, inputs):
        return super().call(inputs) - self.bias


class SwappedAxes(Convolution2D):
    def call(self, inputs):
        return super().call(ops.swapaxes(inputs, 1, 2))


class OneKernelForAllPlaces(LocallyConnected2D):
    def unshared_kernel(self):
        kernel = super().unshared_kernel()
        return ops.zeros_like(kernel) + ops.mean(kernel, axis=(0, 1), keepdims=True)


class ChannelsBeforeTaps(LocallyConnected2D):
    """Rows of a place's matrix by channel, then tap: the order of channels_first."""

    def unshared_kernel(self):
        kernel = super().unshared_kernel()
        rows, columns, height, width, channels, filters = kernel.shape
        turned = ops.reshape(kernel, (rows, columns, channels, height, width, filters))
        return ops.transpose(turned, (0, 1, 3, 4, 2, 5))


class AverageForMaximum(AveragePooling):
    pass


class CosineFirst(PositionalEncoding):
    def call(self, inputs):
        encoded = super().call(ops.zeros_like(inputs))
        pairs = ops.reshape(encoded, (*encoded.shape[:-1], -1, 2))
        return inputs + ops.reshape(ops.flip(pairs, axis=-1), encoded.shape)


class OneFrequencyPerColumn(PositionalEncoding):
    """j in place of 2i: the cosine columns get a frequency of their own."""

    def call(self, inputs):
        length, depth = inputs.shape[1:]
        k = ops.arange(length, dtype=inputs.dtype)[:, None]
        j = ops.arange(depth, dtype=inputs.dtype)
        angle = k / self.base ** (j / depth)
        return inputs + ops.where(ops.arange(depth) % 2 == 0, ops.sin(angle), ops.cos(angle))


def entropy_in_the_wrong_log(p, base=2, **kwargs):
    return information.entropy(p, **kwargs) * (math.log(2.0) if base == 2 else 1.0)


def divergence_the_other_way_round(p, q, base=2, **kwargs):
    return information.kl_divergence(q, p, base, **kwargs)


def softplus_as_printed(x):
    return ops.log(1.0 - ops.exp(x))


def class_of_the_likeliest_hypothesis(class_given_hypothesis, posterior):
    return ops.argmax(class_given_hypothesis[ops.argmax(posterior)])


def prior_forgotten(likelihoods, priors):
    return bayes.maximum_likelihood(likelihoods)


def ridge_as_printed(x, y, alpha, convention="mean"):
    return regression.ridge(x, y, alpha, "printed")


def threshold_without_sign(z, threshold):
    return ops.maximum(ops.abs(z) - threshold, 0.0)


class SignOfTheCost(SoftmaxLoss):
    def call(self, y_true, y_pred):
        return -super().call(y_true, y_pred)


class HalfForgotten(HalfSquaredLoss):
    def call(self, y_true, y_pred):
        return 2.0 * super().call(y_true, y_pred)


class LabelIgnored(LogisticLoss):
    def call(self, y_true, y_pred):
        return super().call(ops.ones_like(y_true), y_pred)


class WrongDirection(Perceptron):
    def update(self, w, x, t, sample_weight=1.0):
        return super().update(w, x, -t, sample_weight)


class LinearHiddenLayer(MLP):
    def __init__(self, features, units, activation="relu", **kwargs):
        super().__init__(features, units, "linear", **kwargs)


class DerivativeForgotten(BackpropMLP):
    """delta_k = t_k - z_k, without z_k (1 - z_k)."""

    def deltas(self, activations, t, *args, **kwargs):
        right = super().deltas(activations, t, *args, **kwargs)
        z = activations[-1]
        return [*right[:-1], right[-1] / (z * (1.0 - z))]


class NoBiasInTheFirstLayer(LeNet):
    def call(self, images):
        kept = ops.convert_to_tensor(self.conv1.bias)
        return super().call(images) - ops.sum(kept)


class FlippedWhenTransposed(TransposedConvolution2D):
    """What "deconvolution" suggests: the kernel turned round."""

    def call(self, inputs):
        kernel = ops.flip(self.kernel, axis=(0, 1))
        return self.activation(transposed_maps(inputs, kernel, self.strides, self.padding))


class CutOffInFront(FCN):
    """The scores of what was added below and to the right are kept, and as many of the image's own are lost."""

    def call(self, images, training=None):
        height, width = images.shape[1:3]
        below, right = (-side % self.strides[-1] for side in (height, width))
        scores = super().call(ops.pad(images, [(0, 0), (0, below), (0, right), (0, 0)]))
        return scores[:, below:, right:]


class RecallForOverlap(MeanIoU):
    def per_class(self):
        hits, misses = self.true_positives.value, self.false_negatives.value
        return detection.recall(hits, misses, self.zero_division)


class SignOfTheDivergence(VariationalAutoencoder):
    def reconstruction_and_divergence(self, *args, **kwargs):
        reconstruction, divergence = super().reconstruction_and_divergence(*args, **kwargs)
        return reconstruction, -divergence


def variance_for_deviation(mean, scale, noise):
    return reparametrised(mean, ops.square(scale), noise)


def mean_for_sum_over_code_units(mean, *args, **kwargs):
    return diagonal_gaussian_divergence(mean, *args, **kwargs) / mean.shape[-1]


def bits_of_each_example(divergences, least, means=None):
    return ops.sum(ops.maximum(divergences, least), axis=-1)


def filters_that_are_not_normalised(centre, stride, scale, size, length):
    filters = filterbank(centre, stride, scale, size, length)
    return filters / ops.max(filters, axis=-1, keepdims=True)


class NoLookAhead(Momentum):
    """The gradient is taken at theta."""


class RootForgotten(AdaGrad):
    def __init__(self, learning_rate, delta, form):
        super().__init__(learning_rate, delta, "no-root")


class StartNotCorrected(Adam):
    iterations = property(lambda self: 10**6)


class AverageForSum(Momentum):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step((1 - self.momentum) * gradient, variable, learning_rate)


class ShrinksWhereItShouldGrow(DeltaBarDelta):
    def update_step(self, gradient, variable, learning_rate):
        average = self.averages[self._get_variable_index(variable)]
        average.assign(-average)
        super().update_step(gradient, variable, learning_rate)


def variance_by_n_minus_1(x, *args, **kwargs):
    count, mean, variance = normalization.batch_moments(x, *args, **kwargs)
    return count, mean, variance * count / (count - 1)


def geometric_mean_by_the_printed_root(log_probabilities, weights=None):
    masks, units = log_probabilities.shape[0], math.log2(log_probabilities.shape[0])
    return dropout.geometric_ensemble(log_probabilities * (masks / units), weights)


def rate_taken_for_the_inclusion_probability(x, mask, rate, rule="inverted"):
    return dropout.drop_units(x, mask, 1.0 - rate, rule)


def mass_spread_over_all_classes(targets, epsilon, convention="notes"):
    return label_smoothing.smooth_labels(targets, epsilon, "keras")


def decay_after_the_rate(w, gradient, rate, decay, form="decoupled"):
    return penalties.weight_decay_step(w - rate * gradient, 0 * gradient, rate, decay, form)


def step_across_zero(w, gradient, rate, alpha):
    return w - rate * (gradient + alpha * ops.sign(w))


def distance_halved(first, second):
    return penalties.tying_penalty(first, second) / 2


def attack_downhill(model, loss, x, y, epsilon, bounds=None):
    return fast_gradient_sign(model, lambda y, outputs: -loss(y, outputs), x, y, epsilon, bounds)


def right_examples_grow(weights, wrong, alpha):
    return reweighted(weights, 1 - ops.cast(wrong, weights.dtype), alpha)


def everybody_votes(outputs, counts, combination):
    return out_of_bag_output(outputs, ops.zeros_like(counts), combination)


class EveryMemberSeesAll(Bagging):
    def train_step(self, data):
        x, y, counts = data
        return super().train_step((x, y, ops.ones_like(counts)))


def slopes_without_weights(x, weights, activation):
    """The product of the slopes alone: what a chain of weights 1 would do."""
    found = chain_derivatives(x, weights, activation)
    rest = ops.flip(ops.cumprod(ops.flip(ops.convert_to_tensor(weights))))
    return {**found, "derivative": ops.concatenate([found["derivative"][:-1] / rest, found["derivative"][-1:]])}


def pair_counted_twice(visible, hidden, kernel, visible_bias, hidden_bias, scale=None):
    """-b.v - c.h - 2 v.W h."""
    return rbm_energy(visible, hidden, 2 * ops.convert_to_tensor(kernel), visible_bias, hidden_bias, scale)


def units_of_plus_and_minus_one(visible, kernel, visible_bias, hidden_bias, scale=None):
    """Hidden units of -1 and +1: log 2 cosh where log(1 + exp) belongs."""
    visible = ops.convert_to_tensor(visible)
    logits = ops.matmul(visible, kernel) + hidden_bias
    return -ops.sum(visible * visible_bias, axis=-1) - ops.sum(ops.softplus(2 * logits) - logits, axis=-1)


def no_biases_below(x, generative, top):
    """Directed layers whose units have no bias of their own."""
    return belief_log_prob(x, [(kernel, 0 * ops.convert_to_tensor(bias)) for kernel, bias in generative], top)


def entropy_left_out(x, means, kernels, biases):
    """-E(x, m) alone."""
    return -deep_energy([x, *means], kernels, biases)


FAULTS = {
    "no biases below": ("dbn.belief_log_prob", no_biases_below),
    "entropy left out": ("dbm.mean_field_bound", entropy_left_out),
    "pair counted twice": ("rbm.rbm_energy", pair_counted_twice),
    "units of plus and minus one": ("rbm.rbm_free_energy", units_of_plus_and_minus_one),
    "flipped kernel": ("convolution.cross_correlate", flipped_kernel),
    "kernel not flipped": ("convolution.convolve", unflipped_kernel),
    "dropped bias": ("convolution", DroppedBias),
    "swapped axes": ("convolution", SwappedAxes),
    "one kernel for all places": ("unshared-convolution", OneKernelForAllPlaces),
    "channels before taps": ("unshared-convolution", ChannelsBeforeTaps),
    "transposed with a flipped kernel": ("fully-convolutional.TransposedConvolution2D", FlippedWhenTransposed),
    "scores cut off in front": ("fully-convolutional", CutOffInFront),
    "recall for overlap": ("fully-convolutional.MeanIoU", RecallForOverlap),
    "average for maximum": ("pooling.MaxPooling", AverageForMaximum),
    "cosine first": ("positional-encoding", CosineFirst),
    "one frequency a column": ("positional-encoding", OneFrequencyPerColumn),
    "wrong log": ("information.entropy", entropy_in_the_wrong_log),
    "divergence turned round": ("information.kl_divergence", divergence_the_other_way_round),
    "softplus as printed": ("activations.softplus", softplus_as_printed),
    "vote of the likeliest hypothesis": ("bayes-optimal.bayes_optimal_class", class_of_the_likeliest_hypothesis),
    "prior forgotten": ("bayes-optimal.maximum_a_posteriori", prior_forgotten),
    "ridge as printed": ("linear-regression.ridge", ridge_as_printed),
    "variance by n - 1": ("batch-normalization.batch_moments", variance_by_n_minus_1),
    "printed root of the ensemble": ("dropout.geometric_ensemble", geometric_mean_by_the_printed_root),
    "rate for inclusion": ("dropout.drop_units", rate_taken_for_the_inclusion_probability),
    "smoothing over all classes": ("label-smoothing.smooth_labels", mass_spread_over_all_classes),
    "decay after the step": ("weight-decay.weight_decay_step", decay_after_the_rate),
    "step across zero": ("l1.proximal_l1_step", step_across_zero),
    "distance halved": ("parameter-tying.tying_penalty", distance_halved),
    "threshold without sign": ("linear-regression.soft_threshold", threshold_without_sign),
    "sign of the cost": ("softmax-loss", SignOfTheCost),
    "half forgotten": ("half-squared-loss", HalfForgotten),
    "label ignored": ("logistic-loss", LabelIgnored),
    "wrong direction": ("perceptron", WrongDirection),
    "linear hidden layer": ("mlp", LinearHiddenLayer),
    "derivative forgotten": ("backprop", DerivativeForgotten),
    "attack downhill": ("adversarial-training.fast_gradient_sign", attack_downhill),
    "right examples grow": ("boosting.reweighted", right_examples_grow),
    "everybody votes": ("bagging.out_of_bag_output", everybody_votes),
    "every member sees all": ("bagging", EveryMemberSeesAll),
    "slopes without weights": ("vanishing-gradient.chain_derivatives", slopes_without_weights),
    "bias of the first layer": ("lenet", NoBiasInTheFirstLayer),
    "sign of the divergence": ("vae", SignOfTheDivergence),
    "variance for deviation": ("vae.reparametrised", variance_for_deviation),
    "bits of each example": ("vae.with_free_bits", bits_of_each_example),
    "filters that are not normalised": ("draw.filterbank", filters_that_are_not_normalised),
    "mean over code units": ("vae.diagonal_gaussian_divergence", mean_for_sum_over_code_units),
    "no look ahead": ("nesterov", NoLookAhead),
    "root forgotten": ("adagrad", RootForgotten),
    "start not corrected": ("adam", StartNotCorrected),
    "average for sum": ("momentum", AverageForSum),
    "shrinks where it should grow": ("delta-bar-delta", ShrinksWhereItShouldGrow),
    **RECURRENT_FAULTS,
    **MEMORY_FAULTS,
    **VISION_FAULTS,
    **RESERVOIR_FAULTS,
    **ADVERSARIAL_FAULTS,
    **AUTOENCODER_FAULTS,
    **FLOW_FAULTS,
    **HANDWRITING_FAULTS,
    **ENERGY_FAULTS,
    **PIXEL_FAULTS,
    **MASKED_FAULTS,
}
