"""Recurrent models: stacks of recurrent layers that decide over a whole sequence, or at every step."""

from keras_course.models.recurrent.bptt import BackpropThroughTime
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.models.recurrent.deep_rnn import DeepRNN

__all__ = ["BackpropThroughTime", "CharacterLM", "DeepRNN"]
