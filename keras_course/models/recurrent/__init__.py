"""Recurrent models: stacks of recurrent layers that decide over a whole sequence, or at every step."""

from keras_course.models.recurrent.bptt import BackpropThroughTime
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.models.recurrent.memory_network import MemoryNetwork
from keras_course.models.recurrent.neural_turing_machine import NeuralTuringMachine

__all__ = ["BackpropThroughTime", "CharacterLM", "DeepRNN", "MemoryNetwork", "NeuralTuringMachine"]
