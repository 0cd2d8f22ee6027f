"""Keras layers of the course; subclass, fit, save and export them as you would Keras's own."""

from keras_course.layers.activity_penalty import ActivityPenalty
from keras_course.layers.additive_attention import AdditiveAttention
from keras_course.layers.augmentation import (
    Augmentation,
    RandomAffine,
    RandomBlur,
    RandomColourShift,
    RandomEcho,
    RandomNoise,
    RandomOmissions,
    RandomRotation,
    RandomScale,
    RandomSharpen,
    RandomShift,
    RandomTypos,
    WeightedChoice,
)
from keras_course.layers.autoregressive import MaskedDense, MaskedMLP
from keras_course.layers.batch_normalization import BatchNormalization
from keras_course.layers.channelwise_dense import ChannelwiseDense
from keras_course.layers.convolution import Convolution1D, Convolution2D, Convolution3D
from keras_course.layers.dense_block import DenseBlock, TransitionLayer
from keras_course.layers.drop_connect import DropConnect
from keras_course.layers.dropout import Dropout
from keras_course.layers.inception import InceptionModule
from keras_course.layers.local_response_normalization import LocalResponseNormalization
from keras_course.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_course.layers.masked_convolution import MaskedConvolution2D
from keras_course.layers.maxout import Maxout
from keras_course.layers.noise_injection import NoiseInjection, NoisyDense
from keras_course.layers.pooling import AveragePooling, GlobalMaxPooling, MaxPooling
from keras_course.layers.positional_encoding import PositionalEncoding
from keras_course.layers.prelu import PReLU
from keras_course.layers.recurrent import (
    GRU,
    LSTM,
    NTM,
    RNN,
    Bidirectional,
    GRUCell,
    LSTMCell,
    NTMCell,
    OutputRecurrentRNN,
    PeepholeLSTM,
    PeepholeLSTMCell,
    Reservoir,
    ReservoirCell,
    RNNCell,
    SpikingReservoir,
    SpikingReservoirCell,
    VectorToSequence,
    from_addons,
    from_keras,
    to_keras,
)
from keras_course.layers.residual_block import BottleneckBlock, ResidualBlock
from keras_course.layers.soft_window import SoftWindow
from keras_course.layers.transposed_convolution import TransposedConvolution2D
from keras_course.layers.windowed_lstm import WindowedLSTM

__all__ = [
    "ActivityPenalty",
    "AdditiveAttention",
    "Augmentation",
    "AveragePooling",
    "BatchNormalization",
    "Bidirectional",
    "BottleneckBlock",
    "ChannelwiseDense",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "DenseBlock",
    "DropConnect",
    "Dropout",
    "GRU",
    "GRUCell",
    "GlobalMaxPooling",
    "LSTM",
    "LSTMCell",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaskedConvolution2D",
    "MaskedDense",
    "MaskedMLP",
    "MaxPooling",
    "Maxout",
    "NTM",
    "NTMCell",
    "NoiseInjection",
    "NoisyDense",
    "OutputRecurrentRNN",
    "PReLU",
    "PeepholeLSTM",
    "PeepholeLSTMCell",
    "PositionalEncoding",
    "RNN",
    "RNNCell",
    "RandomAffine",
    "RandomBlur",
    "RandomColourShift",
    "RandomEcho",
    "RandomNoise",
    "RandomOmissions",
    "RandomRotation",
    "RandomScale",
    "RandomSharpen",
    "RandomShift",
    "RandomTypos",
    "TransposedConvolution2D",
    "ResidualBlock",
    "TransitionLayer",
    "Reservoir",
    "ReservoirCell",
    "SoftWindow",
    "SpikingReservoir",
    "SpikingReservoirCell",
    "VectorToSequence",
    "WeightedChoice",
    "WindowedLSTM",
    "from_addons",
    "from_keras",
    "to_keras",
    "InceptionModule",
    "LocalResponseNormalization",
]
