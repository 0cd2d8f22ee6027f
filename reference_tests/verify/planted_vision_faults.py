"""Classic mistakes in networks for images and in pretext tasks; every one must turn a golden of its system red."""

from keras import ops

from keras_course.layers.residual_block import BottleneckBlock, ResidualBlock
from keras_course.models.selfsupervised.context_encoder import ContextEncoder
from keras_course.models.selfsupervised.context_prediction import ContextPrediction
from keras_course.models.selfsupervised.contrastive import ContrastiveLearning
from keras_course.models.selfsupervised.rotation_prediction import RotationPrediction
from keras_course.models.vision.alexnet import AlexNet
from keras_course.models.vision.densenet import DenseNet
from keras_course.models.vision.googlenet import GoogLeNet
from keras_course.models.vision.resnet import ResNet
from keras_course.models.vision.vgg import VGG
from keras_course.ops.contrastive import info_nce, nt_xent
from keras_course.ops.inpainting import masked_squared_error
from keras_course.ops.jigsaw import image_pieces, shuffled_pieces
from keras_course.ops.rotations import quarter_turns
from keras_course.pipeline.linear_probe import linear_probe


class OneTowerForTwo(AlexNet):
    """Every map of conv2, conv4 and conv5 sees all maps before it: 62 million parameters in place of 61."""

    def __init__(self, *args, towers=2, **kwargs):
        super().__init__(*args, towers=3 - towers, **kwargs)


class HalfTheHiddenUnits(VGG):
    def scaled(self, channels):
        return super().scaled(channels // 2 if channels == 4096 else channels)


class WithoutAuxiliaryClassifiers(GoogLeNet):
    def __init__(self, *args, auxiliary=True, **kwargs):
        super().__init__(*args, auxiliary=False, **kwargs)


class RectifiedBeforeTheSum(ResidualBlock):
    """relu(F(x)) + s(x): the sum can only grow."""

    def call(self, inputs, training=None):
        return ops.relu(self.residual(inputs, training)) + self.identity(inputs, training)


class StrideInTheOtherConvolution(BottleneckBlock):
    def __init__(self, filters, strides=1, strided="1x1", **kwargs):
        super().__init__(filters, strides, {"1x1": "3x3", "3x3": "1x1"}[strided], **kwargs)


class ProjectionEverywhere(ResNet):
    """Shortcut C where the table says B."""

    def __init__(self, *args, shortcut=None, **kwargs):
        super().__init__(*args, shortcut="C", **kwargs)


class WithoutCompression(DenseNet):
    """A transition that keeps all maps."""

    def __init__(self, *args, compression=0.5, **kwargs):
        super().__init__(*args, compression=1.0, **kwargs)


def turned_clockwise(images, turns):
    return quarter_turns(images, -turns)


class SumOverRotations(RotationPrediction):
    def question_costs(self, labels, logits):
        return logits.shape[1] * super().question_costs(labels, logits)


def pieces_column_by_column(images, grid, gap=0):
    return ops.swapaxes(image_pieces(ops.swapaxes(images, 1, 2), grid, gap), 2, 3)


def put_back_in_place_of_shuffled(pieces, order):
    """Piece j goes to place p_j: the inverse of the order."""
    return shuffled_pieces(pieces, ops.argsort(order, axis=-1))


class SumOverArrangements(ContextPrediction):
    def question_costs(self, labels, logits):
        return logits.shape[1] * super().question_costs(labels, logits)


def mean_over_all_pixels(x, y, weights):
    return masked_squared_error(x, y, ops.ones_like(weights))


class JudgeFooledWithTheSignOfTheMinimax(ContextEncoder):
    """log(1 - sigma(d(y))) in place of -log sigma(d(y))."""

    def costs(self, x, answers):
        found = super().costs(x, answers)
        saturating = -ops.softplus(answers["filled"])
        change = self.adversarial * (saturating - found["adversarial_loss"])
        return {**found, "adversarial_loss": saturating, "loss": found["loss"] + change}


def temperature_multiplied(first, second, temperature=0.5, *among):
    return nt_xent(first, second, 1 / temperature, *among)


def keys_look_for_queries(scores):
    return info_nce(ops.transpose(scores))


class OnePartnerSearches(ContrastiveLearning):
    """l(n, N + n) alone, without its mirror image: the embeddings themselves take the place of their partners."""

    def losses_of_pairs(self, first, second):
        return super().losses_of_pairs(first, ops.flip(second, axis=0))


def probe_that_sees_the_test_rows(features, labels, test_features, test_labels, *args, **kwargs):
    return linear_probe(test_features, test_labels, test_features, test_labels, *args, **kwargs)


def nearest_with_itself(features):
    return ops.arange(features.shape[0], dtype="int32")


VISION_FAULTS = {
    "one tower for two": ("alexnet", OneTowerForTwo),
    "half the hidden units": ("vgg", HalfTheHiddenUnits),
    "no auxiliary classifiers": ("googlenet", WithoutAuxiliaryClassifiers),
    "rectified before the sum": ("resnet.ResidualBlock", RectifiedBeforeTheSum),
    "stride in the other convolution": ("resnet.BottleneckBlock", StrideInTheOtherConvolution),
    "projection everywhere": ("resnet", ProjectionEverywhere),
    "no compression": ("densenet", WithoutCompression),
    "turned clockwise": ("rotation.quarter_turns", turned_clockwise),
    "sum over rotations": ("rotation", SumOverRotations),
    "pieces column by column": ("jigsaw.image_pieces", pieces_column_by_column),
    "put back in place of shuffled": ("jigsaw.shuffled_pieces", put_back_in_place_of_shuffled),
    "sum over arrangements": ("jigsaw", SumOverArrangements),
    "mean over all pixels": ("inpainting.masked_squared_error", mean_over_all_pixels),
    "saturating loss of the filler": ("inpainting", JudgeFooledWithTheSignOfTheMinimax),
    "temperature multiplied": ("contrastive.nt_xent", temperature_multiplied),
    "keys look for queries": ("contrastive.info_nce", keys_look_for_queries),
    "somebody else's partner": ("contrastive", OnePartnerSearches),
    "probe of the test rows": ("linear-probe.linear_probe", probe_that_sees_the_test_rows),
    "nearest with itself": ("linear-probe.nearest_other", nearest_with_itself),
}
