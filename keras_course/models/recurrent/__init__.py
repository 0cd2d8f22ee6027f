"""Recurrent models: stacks of recurrent layers that decide over a whole sequence, or at every step."""

from keras_course.models.recurrent.bptt import BackpropThroughTime
from keras_course.models.recurrent.captioner import Captioner
from keras_course.models.recurrent.character_lm import CharacterLM
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.models.recurrent.rnn_search import RNNSearch
from keras_course.models.recurrent.seq2seq import Seq2Seq

__all__ = ["BackpropThroughTime", "Captioner", "CharacterLM", "DeepRNN", "RNNSearch", "Seq2Seq"]
