"""Oracles of the recurrent chapters: unit by unit, step by step, in sixty digits; gradients by the complex step."""

import mpmath

from reference_tests.oracles.precision import STEP, dot, exact, plus, rounded, sigmoid, times, transpose
from reference_tests.oracles.recurrent_attention import (  # noqa: F401
    attended_annotations,
    drawn_tokens,
    greedy_sequence,
    likeliest_sequences,
    translated_by_searching,
    translated_with_one_vector,
)
from reference_tests.oracles.recurrent_handwriting import (  # noqa: F401
    handwriting_densities,
    handwriting_weights,
    sampling_bias,
    stroke_density,
    window_weights,
)
from reference_tests.oracles.recurrent_memory import (  # noqa: F401
    addressed_by_content,
    bits_that_are_asked_for,
    erased_and_added,
    hop_over_a_story,
    interpolated_addresses,
    linear_hop,
    machine_logits,
    machine_states,
    read_by_two_heads,
    sentences_by_place,
    sharpened_addresses,
    shifted_round_the_end,
    slope_at_an_empty_slot,
    story_logits,
)
from reference_tests.oracles.recurrent_reservoirs import (  # noqa: F401
    constant_current,
    echo_state_read_out,
    leaky_integrator,
    linear_memory,
    memory_terms,
    plasticity_step,
    radius_and_stretch,
    reservoir_states,
    spiking_states,
)


def _formula(k, rows, columns):
    """Weight tensor k of a layer, as rows."""
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


def _vector(k, size):
    return _formula(k, 1, size)[0]


def _blocks(matrix, units):
    """A kernel's columns, cut into one matrix a gate, turned round so that it multiplies column vectors."""
    columns = transpose(matrix)
    return [columns[first : first + units] for first in range(0, len(columns), units)]


def _pieces(vector, units):
    return [vector[first : first + units] for first in range(0, len(vector), units)]


def _softmax(values):
    powers = [mpmath.exp(v) for v in values]
    return [p / sum(powers) for p in powers]


FUNCTIONS = {"tanh": mpmath.tanh, "sigmoid": sigmoid, "linear": lambda v: v}


def _apply(name, values):
    return _softmax(values) if name == "softmax" else [FUNCTIONS[name](v) for v in values]


def _weights(features, units, gates, form="separate", use_bias=True):
    """(input matrices, state matrices, biases) a gate, and the number of tensors used."""
    if form == "concatenated":
        kernel, count = _formula(0, units + features, gates * units), 1
        state, own = kernel[:units], kernel[units:]
    else:
        own, state, count = _formula(0, features, gates * units), _formula(1, units, gates * units), 2
    bias = _vector(count, gates * units) if use_bias else [mpmath.mpf(0)] * (gates * units)
    return _blocks(own, units), _blocks(state, units), _pieces(bias, units), count + use_bias


def rnn_outputs(x, units, outputs, activation, output_activation, form):
    """h_t = f(U x_t + W h_{t-1} + b), o_t = g(V h_t + c)."""
    x = exact(x)
    (U,), (W,), (b,), k = _weights(len(x[0]), units, 1, form, form == "separate")
    V = transpose(_formula(k, units, outputs))
    c = _vector(k + 1, outputs) if form == "separate" else [mpmath.mpf(0)] * outputs
    h, kept = [mpmath.mpf(0)] * units, []
    for now in x:
        h = _apply(activation, plus(plus(times(U, now), times(W, h)), b))
        kept.append(_apply(output_activation, plus(times(V, h), c)))
    return {"outputs": rounded(kept), "last_h": rounded(h)}


def rnn_skipping(x, units, skip):
    """h_t = tanh(U x_t + W h_{t-1} + W_k h_{t-k} + b), zeros before the first step."""
    x = exact(x)
    (U,), (W,), (b,), k = _weights(len(x[0]), units, 1)
    far = transpose(_formula(k, units, units))
    states = [[mpmath.mpf(0)] * units] * skip
    for now in x:
        a = plus(plus(times(U, now), times(W, states[-1])), plus(times(far, states[-skip]), b))
        states.append([mpmath.tanh(v) for v in a])
    return {"outputs": rounded(states[skip:]), "last_h": rounded(states[-1])}


def _lstm(x, units, variant="vanilla", use_bias=True, form="separate"):
    gates = [gate for gate in "ifo" if gate != {"NIG": "i", "NFG": "f", "NOG": "o"}.get(variant)] + ["g"]
    W, R, b, _ = _weights(len(x[0]), units, len(gates), form, use_bias)
    h, c, kept = [mpmath.mpf(0)] * units, [mpmath.mpf(0)] * units, []
    for now in x:
        a = {g: plus(plus(times(W[n], now), times(R[n], h)), b[n]) for n, g in enumerate(gates)}
        opened = {g: [sigmoid(v) for v in a[g]] if g in a else [mpmath.mpf(1)] * units for g in "ifo"}
        g = a["g"] if variant == "NIAF" else [mpmath.tanh(v) for v in a["g"]]
        c = [f * old + i * new for f, old, i, new in zip(opened["f"], c, opened["i"], g, strict=True)]
        h = [o * (v if variant == "NOAF" else mpmath.tanh(v)) for o, v in zip(opened["o"], c, strict=True)]
        kept.append(h)
    return kept, c


def lstm_states(x, units, variant, use_bias, form):
    """Gate by gate, unit by unit."""
    kept, c = _lstm(exact(x), units, variant, use_bias, form)
    return {"outputs": rounded(kept), "last_h": rounded(kept[-1]), "last_c": rounded(c)}


def lstm_input_gradient(x, units, lag):
    """Each input moved along the imaginary axis."""
    x = exact(x)
    moved = [[list(row) for row in x] for _ in range(len(x) * len(x[0]))]
    for index, copy in enumerate(moved):
        t, f = divmod(index, len(x[0]))
        copy[t][f] = mpmath.mpc(copy[t][f], STEP)
    slopes = [mpmath.im(sum(_lstm(copy, units)[0][-1])) / STEP for copy in moved]
    found = _pieces(slopes, len(x[0]))
    return {"gradient": rounded(found), "first": rounded(found[: len(x) - lag])}


def peephole_lstm_states(x, units, peepholes):
    """output: o sees P c_t; full: i and f see p * c_{t-1}, o sees p * c_t."""
    x = exact(x)
    W, R, b, k = _weights(len(x[0]), units, 4)
    full = peepholes == "full"
    P = _vector(k, units) if full else transpose(_formula(k, units, units))
    p_i, p_f = _formula(k + 1, 2, units) if full else [[mpmath.mpf(0)] * units] * 2
    h, c, kept = [mpmath.mpf(0)] * units, [mpmath.mpf(0)] * units, []
    for now in x:
        a_i, a_f, a_o, a_g = (plus(plus(times(W[n], now), times(R[n], h)), b[n]) for n in range(4))
        i = [sigmoid(a + p * old) for a, p, old in zip(a_i, p_i, c, strict=True)]
        f = [sigmoid(a + p * old) for a, p, old in zip(a_f, p_f, c, strict=True)]
        c = [f[j] * c[j] + i[j] * mpmath.tanh(a_g[j]) for j in range(units)]
        seen = [P[j] * c[j] if full else dot(P[j], c) for j in range(units)]
        h = [sigmoid(a_o[j] + seen[j]) * mpmath.tanh(c[j]) for j in range(units)]
        kept.append(h)
    return {"outputs": rounded(kept), "last_h": rounded(h), "last_c": rounded(c)}


def gru_states(x, units, candidate, reset_after):
    """z keeps the old state; the candidate as named."""
    x = exact(x)
    W, R, b, k = _weights(len(x[0]), units, 3)
    d = _pieces(_vector(k, 3 * units), units) if reset_after else [[mpmath.mpf(0)] * units] * 3
    h, kept = [mpmath.mpf(0)] * units, []
    for now in x:
        z, r = ([sigmoid(v) for v in plus(plus(times(W[n], now), b[n]), plus(times(R[n], h), d[n]))] for n in (0, 1))
        if reset_after:
            seen = [r[j] * (dot(R[2][j], h) + d[2][j]) for j in range(units)]
        else:
            seen = times(R[2], [r[j] * h[j] for j in range(units)])
        g = [FUNCTIONS[candidate](v) for v in plus(plus(times(W[2], now), b[2]), seen)]
        h = [z[j] * h[j] + (1 - z[j]) * g[j] for j in range(units)]
        kept.append(h)
    return {"outputs": rounded(kept), "last_h": rounded(h)}


def _loss(x, y, U, copies, V, b, c):
    """L and o of the worked example, W^(t) of each step its own."""
    h, total, kept = [mpmath.mpf(0)] * len(b), mpmath.mpf(0), []
    for now, wanted, W in zip(x, y, copies, strict=True):
        h = [mpmath.tanh(v) for v in plus(plus(times(U, now), times(W, h)), b)]
        kept.append(mpmath.tanh(dot(V, h) + c))
        total += (wanted - kept[-1]) ** 2
    return total, kept


def _slopes(value, loss):
    """dL by every entry of nested lists, by the complex step."""
    if not isinstance(value, list):
        return mpmath.im(loss(mpmath.mpc(value, STEP))) / STEP

    def at(index):
        return lambda moved: loss([*value[:index], moved, *value[index + 1 :]])

    return [_slopes(item, at(index)) for index, item in enumerate(value)]


def bptt_gradients(x, y, U, W, V, b, c):
    """Every entry moved along the imaginary axis; W once in all steps, once a step."""
    x, y, U, W, V, b, c = (exact(each) for each in (x, y, U, W, V, b, c))
    steps = len(x)
    total, o = _loss(x, y, U, [W] * steps, V, b, c)
    return {
        "loss": rounded(total),
        "o": rounded(o),
        "dU": rounded(_slopes(U, lambda m: _loss(x, y, m, [W] * steps, V, b, c)[0])),
        "dW": rounded(_slopes(W, lambda m: _loss(x, y, U, [m] * steps, V, b, c)[0])),
        "dV": rounded(_slopes(V, lambda m: _loss(x, y, U, [W] * steps, m, b, c)[0])),
        "db": rounded(_slopes(b, lambda m: _loss(x, y, U, [W] * steps, V, m, c)[0])),
        "dc": rounded(_slopes(c, lambda m: _loss(x, y, U, [W] * steps, V, b, m)[0])),
        "copies": rounded(_slopes([W] * steps, lambda m: _loss(x, y, U, m, V, b, c)[0])),
    }


def bptt_direct_part(h, W):
    """Row i of W h is sum_j w_ij h_j: its slope by w_kj is h_j where k = i."""
    h, units = exact(h), len(h)
    return {
        "direct": rounded([[h[j] if k == i else mpmath.mpf(0) for k in range(units) for j in range(units)]
                           for i in range(units)])
    }  # fmt: skip


def sum_over_copies(a, start, steps):
    """Y_T = a_1 a_2 ... a_T Y_0: the slope by one factor is the product of the others."""
    a, start = exact(a), exact(start)
    return {"copies": rounded([start * a ** (steps - 1)] * steps), "total": rounded(steps * start * a ** (steps - 1))}


def bidirectional_outputs(x, units):
    """Two passes, the second over the reversed sequence."""
    x = exact(x)

    def read(sequence, first):
        U = transpose(_formula(first, len(x[0]), units))
        W, b = transpose(_formula(first + 1, units, units)), _vector(first + 2, units)
        h, kept = [mpmath.mpf(0)] * units, []
        for now in sequence:
            h = [mpmath.tanh(v) for v in plus(plus(times(U, now), times(W, h)), b)]
            kept.append(h)
        return kept

    forward, backward = read(x, 0), read(x[::-1], 3)[::-1]
    return {"outputs": rounded([one + other for one, other in zip(forward, backward, strict=True)])}


def vector_to_sequence_outputs(vector, sequence, units, steps):
    """h_t = tanh(R v + U y_{t-1} + W h_{t-1} + b), o_t = V h_t + c; R v added at every step."""
    vector, sequence = exact(vector), exact(sequence)
    width = len(sequence[0])
    R, U = transpose(_formula(0, len(vector), units)), transpose(_formula(1, width, units))
    W, b = transpose(_formula(2, units, units)), _vector(3, units)
    V, c = transpose(_formula(4, units, width)), _vector(5, width)

    def run(length, given):
        h, o, kept = [mpmath.mpf(0)] * units, sequence[0], []
        for t in range(length):
            y = given[t] if given else o
            a = plus(plus(times(R, vector), times(U, y)), plus(times(W, h), b))
            h = [mpmath.tanh(v) for v in a]
            o = plus(times(V, h), c)
            kept.append(o)
        return rounded(kept)

    return {"taught": run(len(sequence), sequence), "free": run(steps, None)}


def output_recurrent_outputs(x, y, units, feedback):
    """h_t = tanh(U x_t + W fed_t + b), o_t = V h_t + c; fed is the last target, or phi of the last output."""
    x, y = exact(x), exact(y)
    width = len(y[0])
    U, W, b = transpose(_formula(0, len(x[0]), units)), transpose(_formula(1, width, units)), _vector(2, units)
    V, c = transpose(_formula(3, units, width)), _vector(4, width)

    def run(taught):
        fed, kept = [mpmath.mpf(0)] * width, []
        for now, target in zip(x, y, strict=True):
            h = [mpmath.tanh(v) for v in plus(plus(times(U, now), times(W, fed)), b)]
            o = plus(times(V, h), c)
            fed = target if taught else _apply(feedback, o)
            kept.append(o)
        return rounded(kept)

    return {"taught": run(True), "free": run(False)}


def taught_inputs(y, start):
    """The start, then every target but the last."""
    return {"fed": [start, *y[:-1]]}


def mixed_by_chance(truth, own, probability, uniforms):
    """Row by row."""
    return {"fed": [t if u < probability else o for t, o, u in zip(truth, own, uniforms, strict=True)]}


def _lstm_levels(sequence, units, first):
    """LSTM over LSTM, tensors counted through from `first`, three a level; (outputs of the top, next tensor)."""
    for level, width in enumerate(units):
        features, k = len(sequence[0]), first + 3 * level
        W, R = _blocks(_formula(k, features, 4 * width), width), _blocks(_formula(k + 1, width, 4 * width), width)
        b = _pieces(_vector(k + 2, 4 * width), width)
        h, c, kept = [mpmath.mpf(0)] * width, [mpmath.mpf(0)] * width, []
        for now in sequence:
            a = [plus(plus(times(W[n], now), times(R[n], h)), b[n]) for n in range(4)]
            c = [sigmoid(a[1][j]) * c[j] + sigmoid(a[0][j]) * mpmath.tanh(a[3][j]) for j in range(width)]
            h = [sigmoid(a[2][j]) * mpmath.tanh(c[j]) for j in range(width)]
            kept.append(h)
        sequence = kept
    return sequence, first + 3 * len(units)


def deep_rnn_outputs(x, units, outputs):
    """LSTM over LSTM, then the read-out's two tensors."""
    sequence, k = _lstm_levels(exact(x), units, 0)
    found = rounded(plus(times(transpose(_formula(k, units[-1], outputs)), sequence[-1]), _vector(k + 1, outputs)))
    return {"whole": found, "streamed": found}


def caption_probability(features, words, tokens, units, embedding, annotation, attention):
    """Place by place and word by word; weight tensors counted in the order of their making."""
    height, width = len(features), len(features[0])
    size, zero, one = tokens + 4, mpmath.mpf(0), mpmath.mpf(1)
    places = []
    for r in range(height):
        for c in range(width):
            where = [2 * mpmath.mpf(r) / (height - 1) - 1, 2 * mpmath.mpf(c) / (width - 1) - 1]
            places.append(exact(features[r][c]) + where)
    seen = len(places[0])
    A, b = transpose(_formula(0, seen, annotation)), _vector(1, annotation)
    notes = [[max(v, zero) for v in plus(times(A, place), b)] for place in places]
    mean = [sum(column) / len(notes) for column in transpose(notes)]
    begun = plus(times(transpose(_formula(2, annotation, 2 * units)), mean), _vector(3, 2 * units))
    h, c = [mpmath.tanh(v) for v in begun[:units]], begun[units:]
    looked, offered = transpose(_formula(4, units, attention)), transpose(_formula(5, annotation, attention))
    v = [row[0] for row in _formula(6, attention, 1)]
    E = _formula(7, size, embedding)
    W, R = _blocks(_formula(8, embedding + annotation, 4 * units), units), _blocks(_formula(9, units, 4 * units), units)
    d = _pieces(_vector(10, 4 * units), units)
    V, e = transpose(_formula(11, units + annotation, size)), _vector(12, size)
    total, maps, last = zero, [], 1  # the start token
    for word in words:
        scores = [dot(v, [mpmath.tanh(s) for s in plus(times(looked, h), times(offered, note))]) for note in notes]
        alpha = _softmax(scores)
        z = [dot(alpha, column) for column in transpose(notes)]
        fed = E[last] + z
        i, f, o, g = (plus(plus(times(W[n], fed), times(R[n], h)), d[n]) for n in range(4))
        c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * mpmath.tanh(g[j]) for j in range(units)]
        h = [sigmoid(o[j]) * mpmath.tanh(c[j]) for j in range(units)]
        counts = one if word else zero
        total += counts * mpmath.log(_softmax(plus(times(V, h + z), e))[word])
        maps.append([[counts * alpha[r * width + k] for k in range(width)] for r in range(height)])
        last = word
    return {"log_probability": rounded(total), "attention": rounded(maps)}


def character_bits(codes, characters, embedding, units):
    """-log2 of the probability of each character, from the quotient of exponentials."""
    rows = _formula(0, characters, embedding)
    sequence, k = _lstm_levels([rows[code] for code in codes[:-1]], units, 1)
    V, c = transpose(_formula(k, units[-1], characters)), _vector(k + 1, characters)
    p = [_softmax(plus(times(V, h), c))[code] for h, code in zip(sequence, codes[1:], strict=True)]
    return {"bits": rounded([-mpmath.log(each, 2) for each in p])}
