"""Oracles of networks with a memory: slot by slot, number by number, in sixty digits."""

import mpmath

from reference_tests.oracles.precision import (
    STEP,
    dot,
    exact,
    plus,
    rounded,
    sigmoid,
    softmax,
    softplus,
    times,
    transpose,
)

LEAST = mpmath.mpf(10) ** -6


def _likeness(u, v):
    return dot(u, v) / (mpmath.sqrt(dot(u, u) + LEAST) * mpmath.sqrt(dot(v, v) + LEAST))


def _content(memory, key, strength):
    return softmax([strength * _likeness(key, slot) for slot in memory])


def _shift(weights, shifts):
    """By definition: what arrives at slot i comes from slot i - o."""
    n, middle = len(weights), len(shifts) // 2
    return [sum(shifts[k] * weights[(i - (k - middle)) % n] for k in range(len(shifts))) for i in range(n)]


def _sharpen(weights, power):
    raised = [w**power if w else mpmath.mpf(0) for w in weights]
    return [r / sum(raised) for r in raised]


def _read(memory, weights):
    return [dot(weights, column) for column in transpose(memory)]


def _write(memory, heads):
    """Every head erases, one after the other, then every head adds."""
    memory = [list(slot) for slot in memory]
    for weights, erase, _ in heads:
        memory = [
            [m * (1 - w * e) for m, e in zip(slot, erase, strict=True)] for slot, w in zip(memory, weights, strict=True)
        ]
    for weights, _, add in heads:
        memory = [[m + w * v for m, v in zip(slot, add, strict=True)] for slot, w in zip(memory, weights, strict=True)]
    return memory


def addressed_by_content(memory, keys, strengths):
    """One head after the other."""
    memory, keys, strengths = exact(memory), exact(keys), exact(strengths)
    return {"weights": rounded([_content(memory, k, b) for k, b in zip(keys, strengths, strict=True)])}


def slope_at_an_empty_slot(key, slots):
    """Every number of the memory moved along the imaginary axis."""
    key, width = exact(key), len(key)
    slopes = []
    for i in range(slots):
        slopes.append([])
        for j in range(width):
            memory = [[mpmath.mpc(0, STEP if (i, j) == (s, m) else 0) for m in range(width)] for s in range(slots)]
            slopes[-1].append(mpmath.im(_content(memory, key, mpmath.mpf(1))[0]) / STEP)
    return {"slope": rounded(slopes)}


def interpolated_addresses(by_content, before, gates):
    """Slot by slot."""
    rows = zip(exact(by_content), exact(before), exact(gates), strict=True)
    return {"weights": rounded([[g * c + (1 - g) * b for c, b in zip(cs, bs, strict=True)] for cs, bs, g in rows])}


def shifted_round_the_end(weights, shifts):
    """Slot by slot."""
    return {"weights": rounded([_shift(w, s) for w, s in zip(exact(weights), exact(shifts), strict=True)])}


def sharpened_addresses(weights, powers):
    """Powers over their sum."""
    return {"weights": rounded([_sharpen(w, p) for w, p in zip(exact(weights), exact(powers), strict=True)])}


def read_by_two_heads(memory, weights):
    """Number by number."""
    return {"read": rounded([_read(exact(memory), w) for w in exact(weights)])}


def erased_and_added(memory, weights, erase, add):
    """Slot by slot."""
    heads = list(zip(exact(weights), exact(erase), exact(add), strict=True))
    return {"memory": rounded(_write(exact(memory), heads))}


def bits_that_are_asked_for(labels, logits):
    """-log p of every bit that is asked for, p its probability."""
    losses, wrong, asked = [], [], []
    for row, scores in zip(labels, exact(logits), strict=True):
        pairs = [(y, o) for y, o in zip(row, scores, strict=True) if y in (0, 1)]
        losses.append(sum(-mpmath.log(sigmoid(o) if y else 1 - sigmoid(o)) for y, o in pairs) / max(len(pairs), 1))
        wrong.append(sum(float((o > 0) != (y == 1)) for y, o in pairs))
        asked.append(float(len(pairs)))
    return {"loss": rounded(losses), "wrong": wrong, "asked": asked}


def _formula(k, rows, columns):
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


def _cut(values, *sizes):
    """A list cut into pieces."""
    found, first = [], 0
    for size in sizes:
        found.append(values[first : first + size])
        first += size
    return found


def machine_states(x, units, slots, width, read_heads, write_heads, controller, whole=False):
    """Head by head; weights by their formula, in the order in which the layer makes them."""
    x = exact(x)
    lstm, heads = controller == "lstm", read_heads + write_heads
    columns, asked = units * (4 if lstm else 1), heads * (width + 6)
    seen = read_heads * width + (units if lstm else 0)
    W, R = transpose(_formula(0, len(x[0]), columns)), transpose(_formula(1, seen, columns))
    b, (head_bias,) = _formula(2, 1, columns)[0], _formula(3, 1, asked + 2 * write_heads * width)
    V = transpose(_formula(4, units, asked + 2 * write_heads * width))
    weights = [softmax(row) for row in _formula(5, heads, slots)]
    r = _formula(6, 1, read_heads * width)[0]
    memory = _formula(7, slots, width)
    h, c, kept = [mpmath.mpf(0)] * units, [mpmath.mpf(0)] * units, []
    for now in x:
        a = plus(plus(times(W, now), times(R, (h + r) if lstm else r)), b)
        if lstm:
            i, f, o, g = _cut(a, *[units] * 4)
            c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * mpmath.tanh(g[j]) for j in range(units)]
            h = [sigmoid(o[j]) * mpmath.tanh(c[j]) for j in range(units)]
        else:
            h = [mpmath.tanh(v) for v in a]
        said = plus(times(V, h), head_bias)
        pointed = []
        for head, before in enumerate(weights):
            one = said[head * (width + 6) : (head + 1) * (width + 6)]
            key, (beta, gate, power), moves = _cut(one, width, 3, 3)
            by_content = _content(memory, [mpmath.tanh(v) for v in key], softplus(beta))
            g = sigmoid(gate)
            mixed = [g * new + (1 - g) * old for new, old in zip(by_content, before, strict=True)]
            pointed.append(_sharpen(_shift(mixed, softmax(moves)), 1 + softplus(power)))
        weights = pointed
        writes = []
        for head in range(write_heads):
            erase = said[asked + head * width : asked + (head + 1) * width]
            add = said[asked + (write_heads + head) * width : asked + (write_heads + head + 1) * width]
            moved = [mpmath.tanh(v) for v in add]
            writes.append((weights[read_heads + head], [sigmoid(v) for v in erase], moved))
        memory = _write(memory, writes)
        r = [v for head in range(read_heads) for v in _read(memory, weights[head])]
        kept.append(h + r)
    if whole:
        return kept
    return {
        "outputs": rounded(kept),
        "read_weights": rounded(weights[:read_heads]),
        "write_weights": rounded(weights[read_heads:]),
        "memory": rounded(memory),
    }


def machine_logits(x, outputs, units, slots, width):
    """The states of the machine, and the read-out's two tensors after the machine's eight."""
    states = machine_states(x, units, slots, width, 1, 1, "lstm", whole=True)
    V, c = transpose(_formula(8, units + width, outputs)), _formula(9, 1, outputs)[0]
    logits = rounded([plus(times(V, seen), c) for seen in states])
    return {"whole": logits, "streamed": logits[-1]}


def _weights_of_places(count, width):
    """l_jk as printed."""
    j = [mpmath.mpf(place) / count for place in range(1, count + 1)]
    k = [mpmath.mpf(row) / width for row in range(1, width + 1)]
    return [[(1 - t) - c * (1 - 2 * t) for c in k] for t in j]


def _sentence(vectors, width):
    rows = zip(vectors, _weights_of_places(len(vectors), width) if vectors else [], strict=True)
    products = [[v * weight for v, weight in zip(vector, weights, strict=True)] for vector, weights in rows]
    return [sum(column) for column in transpose(products)] if products else [mpmath.mpf(0)] * width


def sentences_by_place(embedded, lengths):
    """Word by word."""
    width = len(embedded[0][0])
    told = [rows[:length] for rows, length in zip(exact(embedded), lengths, strict=True)]
    bags = [[sum(column) for column in transpose(rows)] if rows else [mpmath.mpf(0)] * width for rows in told]
    return {"by_place": rounded([_sentence(rows, width) for rows in told]), "bag": rounded(bags)}


def _hop(question, memories, outputs, present):
    """Over the sentences that are there, as if the others had never been."""
    there = [i for i, one in enumerate(present) if one]
    weights = dict(zip(there, softmax([dot(question, memories[i]) for i in there]), strict=True)) if there else {}
    attention = [weights.get(i, mpmath.mpf(0)) for i in range(len(present))]
    return _read(outputs, attention), attention


def hop_over_a_story(question, memories, outputs, present):
    """Sentence by sentence."""
    found, attention = _hop(exact(question), exact(memories), exact(outputs), present)
    return {"found": rounded(found), "attention": rounded(attention)}


def linear_hop(question, memories, present):
    """Products alone."""
    question = exact(question)
    return {"attention": rounded([dot(question, m) * one for m, one in zip(exact(memories), present, strict=True)])}


def story_logits(x, words, answers, width, hops, tying):
    """Tables and ages in the order in which the model makes them; row 0 is no word."""
    count, adjacent = len(x) - 1, tying == "adjacent"
    tables = hops + 1 if adjacent else 3
    E = [_formula(k, 1 + words, width) for k in range(tables)]
    T = [_formula(tables + k, count, width) for k in range(tables if adjacent else 2)]
    told = [[word for word in row if word] for row in x]
    present = [bool(row) for row in told[:-1]]

    def memory(k):
        rows = [_sentence([E[k][word] for word in row], width) for row in told[:-1]]
        return [plus(row, age) for row, age in zip(rows, T[k], strict=True)]

    u, seen = _sentence([E[0 if adjacent else 2][word] for word in told[-1]], width), []
    H = transpose(_formula(tables + 2, width, width))
    for hop in range(hops):
        found, attention = _hop(u, memory(hop if adjacent else 0), memory(hop + 1 if adjacent else 1), present)
        u = plus(u if adjacent else times(H, u), found)
        seen.append(attention)
    W = [E[-1][answer] for answer in answers] if adjacent else transpose(_formula(tables + 3, width, len(answers)))
    return {"logits": rounded(times(W, u)), "attention": rounded(seen)}
