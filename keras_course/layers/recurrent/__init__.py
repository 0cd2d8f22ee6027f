"""Recurrent layers that keep Keras's contract: simple, long short-term memory, peephole, gated units."""

from keras_course.layers.recurrent.bidirectional import Bidirectional
from keras_course.layers.recurrent.conversion import from_addons, from_keras, to_keras
from keras_course.layers.recurrent.gru import GRU, GRUCell
from keras_course.layers.recurrent.lstm import LSTM, LSTMCell
from keras_course.layers.recurrent.neural_turing_machine import NTM, NTMCell
from keras_course.layers.recurrent.output_recurrent import OutputRecurrentRNN
from keras_course.layers.recurrent.peephole_lstm import PeepholeLSTM, PeepholeLSTMCell
from keras_course.layers.recurrent.reservoir import Reservoir, ReservoirCell
from keras_course.layers.recurrent.rnn import RNN, RNNCell
from keras_course.layers.recurrent.spiking_reservoir import SpikingReservoir, SpikingReservoirCell
from keras_course.layers.recurrent.vector_to_sequence import VectorToSequence

__all__ = [
    "Bidirectional",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "NTM",
    "NTMCell",
    "OutputRecurrentRNN",
    "PeepholeLSTM",
    "PeepholeLSTMCell",
    "RNN",
    "RNNCell",
    "Reservoir",
    "ReservoirCell",
    "SpikingReservoir",
    "SpikingReservoirCell",
    "VectorToSequence",
    "from_addons",
    "from_keras",
    "to_keras",
]
