"""Oracles of attention and decoding: place by place in sixty digits; sequences by listing all of them."""

from itertools import product as every_choice

import mpmath

from reference_tests.oracles.precision import argmax, dot, exact, plus, rounded, sigmoid, softmax, times, transpose


def _formula(k, rows, columns):
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


def attended_annotations(query, annotations, mask, units):
    """e_j = sum_a v_a tanh(s W_a + h_j U_a); places that do not count are left out of the list, not given -inf."""
    query, annotations = exact(query), exact(annotations)
    W, U = (transpose(_formula(k, len(each[0]), units)) for k, each in enumerate((query, annotations)))
    v = [row[0] for row in _formula(2, units, 1)]
    places = [j for j, counts in enumerate(mask) if counts]
    contexts, weights = [], []
    for s in query:
        looked_for = times(W, s)
        e = []
        for j in places:
            offered = times(U, annotations[j])
            e.append(dot(v, [mpmath.tanh(a + b) for a, b in zip(looked_for, offered, strict=True)]))
        shares = dict(zip(places, softmax(e), strict=True))
        row = [shares.get(j, mpmath.mpf(0)) for j in range(len(annotations))]
        weights.append(row)
        contexts.append([dot(row, column) for column in transpose(annotations)])
    return {"context": rounded(contexts), "weights": rounded(weights)}


def greedy_sequence(probabilities, start, end, length):
    """Row by row of the table; what follows the end is filled with it."""
    table, last, tokens, total = exact(probabilities), start, [], mpmath.mpf(0)
    while len(tokens) < length and end not in tokens:
        chosen = argmax(table[last])
        total += mpmath.log(table[last][chosen])
        tokens.append(chosen)
        last = chosen
    return {"tokens": tokens + [end] * (length - len(tokens)), "log_prob": rounded(total)}


def likeliest_sequences(probabilities, start, end, length, width, best, length_power):
    """Every sequence there is, sorted."""
    table, power = exact(probabilities), exact(length_power)
    found = {}
    for choice in every_choice(range(len(table)), repeat=length):
        tokens = choice[: choice.index(end) + 1] if end in choice else choice
        total = sum((mpmath.log(table[a][b]) for a, b in zip((start, *tokens), tokens, strict=False)), mpmath.mpf(0))
        found[tokens] = total
    ranked = sorted(found, key=lambda tokens: -found[tokens] / len(tokens) ** power)
    best = ranked[:best]
    return {
        "tokens": [[*tokens, *[end] * (length - len(tokens))] for tokens in best],
        "log_probs": rounded([found[tokens] for tokens in best]),
        "lengths": [len(tokens) for tokens in best],
    }


def drawn_tokens(logits, uniforms, temperature, top_k):
    """argmax of logit - T log(-log u) among the k greatest logits."""
    chosen = []
    for row, noise in zip(exact(logits), exact(uniforms), strict=True):
        allowed = sorted(range(len(row)), key=lambda j: -row[j])[:top_k]
        scores = [row[j] - exact(temperature) * mpmath.log(-mpmath.log(noise[j])) for j in allowed]
        chosen.append(allowed[argmax(scores)])
    return {"tokens": chosen}


class _Tensors:
    """The weight tensors of a model, one after the other; columns multiply column vectors."""

    def __init__(self):
        self.k = -1

    def matrix(self, rows, columns):
        self.k += 1
        return _formula(self.k, rows, columns)

    def vector(self, size):
        return self.matrix(1, size)[0]

    def gru(self, features, units):
        """A step of gated units: update gate, reset gate, candidate, side by side."""
        W, R = transpose(self.matrix(features, 3 * units)), transpose(self.matrix(units, 3 * units))
        b = self.vector(3 * units)

        def step(x, h):
            z, r = (
                [sigmoid(dot(W[j], x) + dot(R[j], h) + b[j]) for j in range(first, first + units)]
                for first in (0, units)
            )
            kept = [a * c for a, c in zip(r, h, strict=True)]
            g = [mpmath.tanh(dot(W[j], x) + dot(R[j], kept) + b[j]) for j in range(2 * units, 3 * units)]
            return [z[j] * h[j] + (1 - z[j]) * g[j] for j in range(units)]

        return step


def _output(tensors, features, units, size):
    """V max(two pieces of a unit) + b."""
    kernel, offset = transpose(tensors.matrix(features, 2 * units)), tensors.vector(2 * units)
    V, b = transpose(tensors.matrix(units, size)), tensors.vector(size)

    def scores(seen):
        pieces = plus(times(kernel, seen), offset)
        return plus(times(V, [max(pieces[2 * j], pieces[2 * j + 1]) for j in range(units)]), b)

    return scores


def translated_with_one_vector(source, fed, units, embedding):
    """c is the state after the last word; every step sees it beside the word before."""
    tensors, nothing = _Tensors(), [mpmath.mpf(0)] * units
    read, write = tensors.matrix(7, embedding), tensors.matrix(6, embedding)
    scores = _output(tensors, 2 * units + embedding, units, 6)
    encoder, decoder = tensors.gru(embedding, units), tensors.gru(embedding + units, units)
    c = nothing
    for token in source:
        c = encoder(read[token], c)
    s, logits = c, []
    for token in fed:
        s = decoder(write[token] + c, s)
        logits.append(scores(s + write[token] + c))
    return {"logits": rounded(logits)}


def translated_by_searching(source, fed, units, embedding):
    """Annotations from both ends; weights from the state before the step."""
    tensors, nothing = _Tensors(), [mpmath.mpf(0)] * units
    read, write = tensors.matrix(7, embedding), tensors.matrix(6, embedding)
    scores = _output(tensors, 3 * units + embedding, units, 6)
    forward, backward = tensors.gru(embedding, units), tensors.gru(embedding, units)
    first, first_bias = transpose(tensors.matrix(units, units)), tensors.vector(units)
    W, U = transpose(tensors.matrix(units, units)), transpose(tensors.matrix(2 * units, units))
    v = [row[0] for row in tensors.matrix(units, 1)]
    decoder = tensors.gru(embedding + 2 * units, units)
    ahead, behind = [nothing], [nothing]
    for token in source:
        ahead.append(forward(read[token], ahead[-1]))
    for token in reversed(source):
        behind.append(backward(read[token], behind[-1]))
    annotations = [a + b for a, b in zip(ahead[1:], behind[:0:-1], strict=True)]
    s = [mpmath.tanh(value) for value in plus(times(first, behind[-1]), first_bias)]
    logits, weights = [], []
    for token in fed:
        e = [dot(v, [mpmath.tanh(x) for x in plus(times(W, s), times(U, h))]) for h in annotations]
        alpha = softmax(e)
        c = [dot(alpha, column) for column in transpose(annotations)]
        s = decoder(write[token] + c, s)
        logits.append(scores(s + write[token] + c))
        weights.append(alpha)
    return {"logits": rounded(logits), "weights": rounded(weights)}
