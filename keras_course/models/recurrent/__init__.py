"""Recurrent models: stacks of layers that decide over a sequence or at every step, and reservoirs that are read."""

from keras_course.models.recurrent.bptt import BackpropThroughTime
from keras_course.models.recurrent.captioner import Captioner
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.models.recurrent.echo_state_network import EchoStateNetwork
from keras_course.models.recurrent.handwriting import HandwritingSynthesis
from keras_course.models.recurrent.liquid_state_machine import LiquidStateMachine
from keras_course.models.recurrent.memory_network import MemoryNetwork
from keras_course.models.recurrent.neural_turing_machine import NeuralTuringMachine
from keras_course.models.recurrent.rnn_search import RNNSearch
from keras_course.models.recurrent.seq2seq import Seq2Seq

__all__ = [
    "BackpropThroughTime",
    "Captioner",
    "CharacterLM",
    "DeepRNN",
    "EchoStateNetwork",
    "HandwritingSynthesis",
    "LiquidStateMachine",
    "MemoryNetwork",
    "NeuralTuringMachine",
    "RNNSearch",
    "Seq2Seq",
]
