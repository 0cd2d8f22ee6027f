"""Classic mistakes in recurrent networks; every one must turn a golden of its system red."""

from keras import ops

from keras_course.layers.additive_attention import AdditiveAttention
from keras_course.layers.recurrent import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    GRUCell,
    LSTMCell,
    OutputRecurrentRNN,
    PeepholeLSTM,
    PeepholeLSTMCell,
    RNNCell,
    VectorToSequence,
)
from keras_course.models.recurrent import Captioner, RNNSearch, Seq2Seq
from keras_course.ops.bptt import backprop_through_time
from keras_course.ops.decoding import beam, greedy
from keras_course.ops.recurrent import gru_step, lstm_step, peephole_lstm_step


class _InputAndForgetGateSwapped(LSTMCell):
    def step(self, projected, states, noise=None):
        def swapped(columns):
            first, second = columns[:, : self.units], columns[:, self.units : 2 * self.units]
            return ops.concatenate([second, first, columns[:, 2 * self.units :]], axis=1)

        return list(lstm_step(swapped(projected), *states, swapped(self.state_kernel), self.variant, self.activation))


class SwappedGates(LSTM):
    cell_class = _InputAndForgetGateSwapped


class _UpdateGateAdmitsTheNewState(GRUCell):
    """The convention of gated graph networks: 1 - sigma(a) = sigma(-a)."""

    def step(self, projected, states, noise=None):
        sign = ops.concatenate([-ops.ones((self.units,)), ops.ones((2 * self.units,))])
        sign = ops.cast(sign, projected.dtype)
        kernel, bias = self.state_kernel * sign, self.recurrent_bias
        bias = None if bias is None else bias * sign
        return [gru_step(projected * sign, *states, kernel, bias, self.activation, self.reset_after)]


class OtherUpdateGate(GRU):
    cell_class = _UpdateGateAdmitsTheNewState


class _OutputGateSeesTheOldCell(PeepholeLSTMCell):
    def step(self, projected, states, noise=None):
        h, c = states
        kernel, output, gates = self._weights()
        seen = ops.matmul(c, output) if len(output.shape) == 2 else c * output
        middle = slice(2 * self.units, 3 * self.units)
        shifted = ops.concatenate(
            [projected[:, : middle.start], projected[:, middle] + seen, projected[:, middle.stop :]], axis=1
        )
        return list(peephole_lstm_step(shifted, h, c, kernel, ops.zeros_like(output), gates))


class OldCell(PeepholeLSTM):
    cell_class = _OutputGateSeesTheOldCell


class _OutputBeforeTheStep(RNNCell):
    def step(self, projected, states, noise=None):
        new = super().step(projected, states, noise)
        return [0.5 * new[0] + 0.5 * states[0], *new[1:]]


class LeakyByMistake(RNN):
    cell_class = _OutputBeforeTheStep


class NotTurnedBack(Bidirectional):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        outputs = super().call(sequences, initial_state, mask, training)
        half = outputs.shape[-1] // 2
        return ops.concatenate([outputs[..., :half], ops.flip(outputs[..., half:], axis=1)], axis=-1)


class LogitsFedBack(OutputRecurrentRNN):
    def fed_back(self, o):
        return 2 * o


class VectorAtTheStartAlone(VectorToSequence):
    def call(self, vector, sequence, training=False):
        rest = super().call(ops.zeros_like(vector), sequence)
        return ops.concatenate([super().call(vector, sequence)[:, :1], rest[:, 1:]], axis=1)


class MeanForWhereItLooks(Captioner):
    def look(self, h, context):
        return context["mean"], super().look(h, context)[1]


def recurrent_gradient_turned_round(*arguments, **settings):
    found = backprop_through_time(*arguments, **settings)
    return found._replace(W=-ops.transpose(found.W))


def target_of_the_same_step(targets, start=None):
    return ops.convert_to_tensor(targets)


def own_word_for_the_truth(truth, own, probability, uniforms):
    return ops.where((uniforms < probability)[:, None], own, truth)


class HalfAStateLooks(RNNSearch):
    def _look(self, s, context):
        return super()._look(0.5 * s, context)


class ContextAtTheStartAlone(Seq2Seq):
    def scores(self, s, word, context):
        return super().scores(s, word, 0.0 * context)


class PlaceThatDoesNotCount(AdditiveAttention):
    def call(self, query, annotations, keys=None, annotations_mask=None, training=False):
        return super().call(query, annotations, keys)


def best_token_for_best_sequence(step, state, first, *, width, length_power=0.0, **how):
    return beam(step, state, first, width=1, **how)


def end_token_twice(step, state, first, *, end=None, **how):
    return greedy(step, state, first, **how)


RECURRENT_FAULTS = {
    "input and forget gate swapped": ("lstm", SwappedGates),
    "update gate turned round": ("gru", OtherUpdateGate),
    "output gate sees the old cell": ("peephole-lstm", OldCell),
    "state mixed with the old one": ("rnn", LeakyByMistake),
    "second direction not turned back": ("bidirectional", NotTurnedBack),
    "logits fed back": ("output-recurrent", LogitsFedBack),
    "vector at the start alone": ("vector-to-sequence", VectorAtTheStartAlone),
    "mean for where it looks": ("captioning", MeanForWhereItLooks),
    "recurrent gradient turned round": ("bptt.backprop_through_time", recurrent_gradient_turned_round),
    "target of the same step": ("teacher-forcing", target_of_the_same_step),
    "half a state looks": ("bahdanau-attention", HalfAStateLooks),
    "context at the start alone": ("seq2seq", ContextAtTheStartAlone),
    "place that does not count": ("bahdanau-attention.AdditiveAttention", PlaceThatDoesNotCount),
    "best token for the best sequence": ("seq2seq.beam", best_token_for_best_sequence),
    "no end": ("seq2seq.greedy", end_token_twice),
    "own word for the truth": ("teacher-forcing.scheduled_mixing", own_word_for_the_truth),
}
