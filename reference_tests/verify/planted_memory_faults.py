"""Classic mistakes in networks with a memory; every one must turn a golden of its system red."""

from keras import ops

from keras_course.layers.recurrent import NTM, NTMCell
from keras_course.models.recurrent.memory_network import MemoryNetwork
from keras_course.ops import bit_sequences, external_memory, memory_hop


def products_for_cosines(memory, keys, strengths):
    return ops.softmax(strengths[:, :, None] * ops.matmul(keys, ops.transpose(memory, (0, 2, 1))), axis=-1)


def gate_turned_round(by_content, before, gates):
    return external_memory.interpolated_weights(before, by_content, gates)


def shifted_the_other_way(weights, shifts):
    return external_memory.shifted_weights(weights, ops.flip(shifts, axis=-1))


def power_below_one(weights, powers):
    return external_memory.sharpened_weights(weights, 1 / powers)


def added_before_erased(memory, weights, erase, add):
    added = external_memory.write_memory(memory, weights, ops.zeros_like(erase), add)
    return external_memory.write_memory(added, weights, erase, ops.zeros_like(add))


def read_evenly(memory, weights):
    return external_memory.read_memory(memory, ops.ones_like(weights) / weights.shape[-1])


def loss_of_all_bits(labels, logits):
    return bit_sequences.asked_bits_loss(ops.minimum(labels, 1), logits)


class _ReadsBeforeItWrites(NTMCell):
    def step(self, projected, states, noise=None):
        new = super().step(projected, states, noise)
        old = ops.reshape(states[-1], (-1, self.slots, self.width))
        weights = ops.reshape(new[-3], (-1, self.read_heads, self.slots))
        read = ops.reshape(external_memory.read_memory(old, weights), (-1, self.read_heads * self.width))
        return [ops.concatenate([new[0][:, : self.units], read], axis=-1), *new[1:]]


class ReadsBeforeItWrites(NTM):
    cell_class = _ReadsBeforeItWrites


def places_counted_in_the_filled_sentence(embedded, words, positions=True):
    return memory_hop.position_encoded(embedded, ops.ones_like(words), positions)


def missing_sentences_listened_to(question, memories, present, linear=False):
    return memory_hop.story_attention(question, memories, ops.ones_like(present), linear)


class _Unaged(MemoryNetwork):
    """Sentences that do not know how old they are."""

    def look(self, inputs):
        for table in self.ages:
            table.assign(ops.zeros_like(table))
        return super().look(inputs)


_SLUG = "neural-turing-machine"

MEMORY_FAULTS = {
    "products for cosines": (f"{_SLUG}.content_weights", products_for_cosines),
    "content gate turned round": (f"{_SLUG}.interpolated_weights", gate_turned_round),
    "shifted the other way": (f"{_SLUG}.shifted_weights", shifted_the_other_way),
    "power below one": (f"{_SLUG}.sharpened_weights", power_below_one),
    "added before erased": (f"{_SLUG}.write_memory", added_before_erased),
    "read evenly": (f"{_SLUG}.read_memory", read_evenly),
    "bits counted that nobody asked for": (f"{_SLUG}.asked_bits_loss", loss_of_all_bits),
    "places counted in the filled sentence": ("memory-network.position_encoded", places_counted_in_the_filled_sentence),
    "missing sentences listened to": ("memory-network.story_attention", missing_sentences_listened_to),
    "ages forgotten": ("memory-network", _Unaged),
    "read before written": (f"{_SLUG}.NTM", ReadsBeforeItWrites),
}
