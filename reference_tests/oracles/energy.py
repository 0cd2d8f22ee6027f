"""Oracles of C 17.3, 18.3 and R (Boltzmann machines), in sixty digits and from the definitions alone.

Every probability is a quotient of sums of exp(-E) over states, E by its own printed sum over units and pairs; no free
energy, no sigmoid and no softplus is used. Slopes of expected energies are differences of expectations over those
states, not derivatives of a closed form. Gaussian visible units are integrated, hidden state by hidden state.
"""

import itertools

import mpmath

from reference_tests.oracles.energy_deep import combined_energies, linear_energy
from reference_tests.oracles.precision import exact, rounded

__all__ = [
    "belief_network",
    "belief_of_classes",
    "boltzmann_distribution",
    "class_units",
    "combined_energies",
    "contrastive_slopes",
    "deep_machine",
    "gaussian_units",
    "linear_energy",
    "pseudo_likelihood",
    "restricted_distribution",
]


def _states(units):
    return [list(map(mpmath.mpf, state)) for state in itertools.product((0, 1), repeat=units)]


def _energy(v, h, kernel, visible_bias, hidden_bias):
    total = mpmath.mpf(0)
    for i, value in enumerate(v):
        total -= visible_bias[i] * value
        for j, other in enumerate(h):
            total -= value * kernel[i][j] * other
    for j, other in enumerate(h):
        total -= hidden_bias[j] * other
    return total


def _weight(v, kernel, visible_bias, hidden_bias):
    """sum_h exp(-E(v, h))."""
    return sum(mpmath.exp(-_energy(v, h, kernel, visible_bias, hidden_bias)) for h in _states(len(hidden_bias)))


def _hidden_means(v, kernel, visible_bias, hidden_bias):
    """P(h_j = 1 | v), by Bayes's rule over all hidden states."""
    states = _states(len(hidden_bias))
    weights = [mpmath.exp(-_energy(v, h, kernel, visible_bias, hidden_bias)) for h in states]
    return [sum(w * h[j] for w, h in zip(weights, states, strict=True)) / sum(weights) for j in range(len(hidden_bias))]


def restricted_distribution(visible, hidden, kernel, visible_bias, hidden_bias):
    """Energies of the pairs (v, h), free energies and log-probabilities of the v, conditionals both ways, log Z."""
    visible, hidden, kernel, b, c = (exact(each) for each in (visible, hidden, kernel, visible_bias, hidden_bias))
    everything = sum(_weight(v, kernel, b, c) for v in _states(len(b)))
    reconstructed = []
    for h in hidden:
        states = _states(len(b))
        weights = [mpmath.exp(-_energy(v, h, kernel, b, c)) for v in states]
        reconstructed.append(
            [sum(w * v[i] for w, v in zip(weights, states, strict=True)) / sum(weights) for i in range(len(b))]
        )
    return rounded_dict(
        energy=[_energy(v, h, kernel, b, c) for v, h in zip(visible, hidden, strict=True)],
        free_energy=[-mpmath.log(_weight(v, kernel, b, c)) for v in visible],
        log_prob=[mpmath.log(_weight(v, kernel, b, c) / everything) for v in visible],
        hidden_means=[_hidden_means(v, kernel, b, c) for v in visible],
        visible_means=reconstructed,
        log_partition=[mpmath.log(everything)],
    )


def contrastive_slopes(data, model, kernel, visible_bias, hidden_bias):
    """d/dtheta of mean F(data) - mean F(model): differences of <v h>, <v> and <h>, signs as of a loss."""
    data, model, kernel, b, c = (exact(each) for each in (data, model, kernel, visible_bias, hidden_bias))

    def expectations(samples):
        means = [_hidden_means(v, kernel, b, c) for v in samples]
        count = mpmath.mpf(len(samples))
        pairs = [
            [sum(v[i] * m[j] for v, m in zip(samples, means, strict=True)) / count for j in range(len(c))]
            for i in range(len(b))
        ]
        ones = [sum(v[i] for v in samples) / count for i in range(len(b))]
        return pairs, ones, [sum(m[j] for m in means) / count for j in range(len(c))]

    (pairs, ones, hidden), (model_pairs, model_ones, model_hidden) = expectations(data), expectations(model)
    return rounded_dict(
        kernel=[[mine - its for its, mine in zip(*rows, strict=True)] for rows in zip(pairs, model_pairs, strict=True)],
        visible_bias=[mine - its for its, mine in zip(ones, model_ones, strict=True)],
        hidden_bias=[mine - its for its, mine in zip(hidden, model_hidden, strict=True)],
    )


def pseudo_likelihood(visible, kernel, visible_bias, hidden_bias):
    """sum_i log P(v_i | rest), each a quotient of two sums over hidden states."""
    visible, kernel, b, c = (exact(each) for each in (visible, kernel, visible_bias, hidden_bias))
    answers = []
    for v in visible:
        total = mpmath.mpf(0)
        for i in range(len(v)):
            flipped = [1 - value if k == i else value for k, value in enumerate(v)]
            own, other = _weight(v, kernel, b, c), _weight(flipped, kernel, b, c)
            total += mpmath.log(own / (own + other))
        answers.append(total)
    return rounded_dict(pseudo_log_likelihood=answers)


def gaussian_units(visible, kernel, visible_bias, hidden_bias, scale):
    """Free energies, log Z and log densities with real visible units: integrals over the line, a factor a unit."""
    visible, kernel, b, c = (exact(each) for each in (visible, kernel, visible_bias, hidden_bias))
    s = exact(scale)

    def factor(i, h, value):
        """exp(-E)'s factor of visible unit i at v_i = value, given h."""
        drive = sum(kernel[i][j] * h[j] for j in range(len(c)))
        return mpmath.exp(-((value - b[i]) ** 2) / (2 * s**2) + value / s * drive)

    def of_hidden(h):
        return mpmath.exp(sum(bias * unit for bias, unit in zip(c, h, strict=True)))

    def weight(v):
        total = mpmath.mpf(0)
        for h in _states(len(c)):
            term = of_hidden(h)
            for i, value in enumerate(v):
                term *= factor(i, h, value)
            total += term
        return total

    everything = mpmath.mpf(0)
    for h in _states(len(c)):
        term = of_hidden(h)
        for i in range(len(b)):
            term *= mpmath.quad(lambda value, i=i, h=h: factor(i, h, value), [-20 * s, -5 * s, 0, 5 * s, 20 * s])
        everything += term
    return rounded_dict(
        free_energy=[-mpmath.log(weight(v)) for v in visible],
        log_partition=[mpmath.log(everything)],
        log_density=[mpmath.log(weight(v) / everything) for v in visible],
    )


def boltzmann_distribution(visible, couplings, bias, features):
    """log P(v), hidden units summed out, log Z, and the energies with all hidden units at 1.

    `couplings` are those of the pairs (0, 1), (0, 2) ... (N - 2, N - 1).
    """
    visible, couplings, bias = exact(visible), exact(couplings), exact(bias)
    pairs = list(itertools.combinations(range(len(bias)), 2))

    def energy(x):
        return -sum(bias[i] * x[i] for i in range(len(x))) - sum(
            strength * x[i] * x[j] for strength, (i, j) in zip(couplings, pairs, strict=True)
        )

    hidden = _states(len(bias) - features)
    everything = sum(mpmath.exp(-energy(x)) for x in _states(len(bias)))
    answers = [mpmath.log(sum(mpmath.exp(-energy(v + h)) for h in hidden) / everything) for v in visible]
    ones = [mpmath.mpf(1)] * (len(bias) - features)
    return rounded_dict(
        energy=[energy(v + ones) for v in visible], log_prob=answers, log_partition=[mpmath.log(everything)]
    )


def _logistic(value):
    return 1 / (1 + mpmath.exp(-value))


def _chance(states, means):
    """P of independent binary units."""
    return mpmath.fprod(m if s else 1 - m for s, m in zip(states, means, strict=True))


def _pushed(units, kernel, bias):
    """Means of the layer above."""
    return [_logistic(b + sum(u * row[j] for u, row in zip(units, kernel, strict=True))) for j, b in enumerate(bias)]


def _transposed(kernel):
    return [list(column) for column in zip(*kernel, strict=True)]


def _believed(visible, directed, chance_of):
    """log P(v) and its bound under Q by sums over every state of two directed layers, chance_of(h^2) being P_top."""

    def pairs(way):
        return [(exact(directed[f"{way}_kernel_{n}"]), exact(directed[f"{way}_bias_{n}"])) for n in (1, 2)]

    downs, ups = pairs("down"), pairs("up")
    log_probs, bounds = [], []
    for v in exact(visible):
        total, bound = mpmath.mpf(0), mpmath.mpf(0)
        for hidden in itertools.product(*(_states(len(bias)) for _, bias in ups)):
            layers = [v, *hidden]
            joint, chance = chance_of(hidden[-1]), mpmath.mpf(1)
            for below, above, (kernel, bias), up in zip(layers[:-1], layers[1:], downs, ups, strict=True):
                joint *= _chance(below, _pushed(above, _transposed(kernel), bias))
                chance *= _chance(above, _pushed(below, *up))
            total += joint
            bound += chance * mpmath.log(joint / chance)
        log_probs.append(mpmath.log(total))
        bounds.append(bound)
    return log_probs, bounds


def belief_network(visible, top_kernel, top_visible_bias, top_hidden_bias, **directed):
    """Sums over every state of every layer of the joint distribution: log P(v), its bound under Q, the top's log Z."""
    top, b, c = exact(top_kernel), exact(top_visible_bias), exact(top_hidden_bias)
    everything = sum(_weight(h, top, b, c) for h in _states(len(b)))
    log_probs, bounds = _believed(visible, directed, lambda h: _weight(h, top, b, c) / everything)
    return rounded_dict(log_prob=log_probs, bound=bounds, log_partition=[mpmath.log(everything)])


def belief_of_classes(
    visible, top_kernel, top_class_kernel, top_visible_bias, top_class_bias, top_hidden_bias, **directed
):
    """The same under a top one of whose class units is on: of (v, k), class by class, and of v."""
    kernel = [*exact(top_kernel), *exact(top_class_kernel)]
    b, d, c = exact(top_visible_bias), exact(top_class_bias), exact(top_hidden_bias)
    classes = [[mpmath.mpf(int(k == on)) for k in range(len(d))] for on in range(len(d))]
    weights = {tuple(h): [_weight([*h, *y], kernel, [*b, *d], c) for y in classes] for h in _states(len(b))}
    everything = sum(sum(each) for each in weights.values())
    joint = [_believed(visible, directed, lambda h, k=k: weights[tuple(h)][k] / everything) for k in range(len(d))]
    log_probs, bounds = _believed(visible, directed, lambda h: sum(weights[tuple(h)]) / everything)
    return rounded_dict(
        joint_log_prob=[each for each, _ in joint],
        joint_bound=[each for _, each in joint],
        log_prob=log_probs,
        bound=bounds,
        log_partition=[mpmath.log(everything)],
    )


def class_units(visible, kernel, class_kernel, visible_bias, class_bias, hidden_bias):
    """Sums over every state of all units, of the class units one on: F(v, k), P(k | v) and log Z."""
    kernel, class_kernel = exact(kernel), exact(class_kernel)
    b, d, c = exact(visible_bias), exact(class_bias), exact(hidden_bias)
    classes = [[mpmath.mpf(int(k == on)) for k in range(len(d))] for on in range(len(d))]

    def weight(v, y):
        return sum(mpmath.exp(-_energy([*v, *y], h, [*kernel, *class_kernel], [*b, *d], c)) for h in _states(len(c)))

    free, chances = [], []
    for v in exact(visible):
        each = [weight(v, y) for y in classes]
        free.append([-mpmath.log(one) for one in each])
        chances.append([one / sum(each) for one in each])
    everything = sum(weight(v, y) for v in _states(len(b)) for y in classes)
    return rounded_dict(free_energies=free, class_probs=chances, log_partition=[mpmath.log(everything)])


def deep_machine(visible, sweeps, **parameters):
    """Sums over all states of all layers; the mean field written unit by unit; its bound as E_q log p - log q."""
    kernels, biases = (
        [exact(parameters[name]) for name in sorted(parameters) if name.startswith(kind)] for kind in ("kernel", "bias")
    )

    def energy(layers):
        total = -sum(
            b * u for bias, units in zip(biases, layers, strict=True) for b, u in zip(bias, units, strict=True)
        )
        for below, above, kernel in zip(layers[:-1], layers[1:], kernels, strict=True):
            total -= sum(u * kernel[i][j] * w for i, u in enumerate(below) for j, w in enumerate(above))
        return total

    def weight(v):
        return sum(mpmath.exp(-energy([v, *hidden])) for hidden in itertools.product(*map(_states, sizes)))

    sizes = [len(bias) for bias in biases[1:]]
    everything = sum(weight(v) for v in _states(len(biases[0])))
    log_probs, bounds, means_of = [], [], []
    for v in exact(visible):
        means, last = [v], len(kernels)
        for layer in range(1, last + 1):
            doubled = [[(2 if layer < last else 1) * w for w in row] for row in kernels[layer - 1]]
            means.append(_pushed(means[-1], doubled, biases[layer]))
        for _ in range(sweeps):
            for layer in [*range(1, last + 1, 2), *range(2, last + 1, 2)]:
                means[layer] = [
                    _logistic(
                        biases[layer][j]
                        + sum(m * kernels[layer - 1][i][j] for i, m in enumerate(means[layer - 1]))
                        + (sum(m * kernels[layer][j][k] for k, m in enumerate(means[layer + 1])) if layer < last else 0)
                    )
                    for j in range(len(means[layer]))
                ]
        bound = mpmath.mpf(0)
        for hidden in itertools.product(*map(_states, sizes)):
            chance = mpmath.fprod(_chance(h, m) for h, m in zip(hidden, means[1:], strict=True))
            bound += chance * (-energy([v, *hidden]) - mpmath.log(everything) - mpmath.log(chance))
        log_probs.append(mpmath.log(weight(v) / everything))
        bounds.append(bound)
        means_of.append(means[1])
    ones = [[mpmath.mpf(1)] * size for size in sizes]
    return rounded_dict(
        energy=[energy([v, *ones]) for v in exact(visible)], log_prob=log_probs, bound=bounds, means=means_of,
        log_partition=[mpmath.log(everything)],
    )  # fmt: skip


def rounded_dict(**values):
    """Every value as float64."""
    return {name: rounded(value) for name, value in values.items()}
