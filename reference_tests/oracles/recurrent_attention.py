"""Oracles of attention and decoding: place by place in sixty digits; sequences by listing all of them."""

from itertools import product as every_choice

import mpmath

from reference_tests.oracles.precision import argmax, dot, exact, rounded, softmax, times, transpose


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
