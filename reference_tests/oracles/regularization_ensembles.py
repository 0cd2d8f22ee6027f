"""Oracles of C 6.12 (bagging, boosting): counting, voting and boosting in fractions.

exp(alpha) = (K - 1) (1 - e) / e is a fraction whenever e is, so the weights of AdaBoost are fractions for ever; only
the alphas themselves are logarithms. Stumps are found by asking every question. Ties are refused.
"""

import math
from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import exact, rounded, softmax

__all__ = [
    "boosted_perceptrons",
    "boosted_stumps",
    "boosting_round",
    "bootstrap_samples",
    "error_of_correlated_members",
    "error_of_the_average",
    "majority_of_perceptrons",
    "mean_of_distributions",
    "out_of_bag_votes",
]


def bootstrap_samples(uniforms):
    """Draws one after the other: example floor(N u) is put into the sample."""
    counts = []
    for row in uniforms:
        sample = [math.floor(Fraction(u) * len(row)) for u in row]
        counts.append([sample.count(i) for i in range(len(row))])
    return {"counts": counts}


def error_of_correlated_members(variance, covariance, members):
    """a' S a with a = (1/k, ..., 1/k) and the whole covariance matrix S written out."""
    errors = []
    for v, c in zip(variance, covariance, strict=True):
        matrix = [[Fraction(v if i == j else c) for j in range(members)] for i in range(members)]
        errors.append(sum(entry for row in matrix for entry in row) / members**2)
    return {"error": rounded(errors)}


def error_of_the_average(outputs, targets):
    """Squared errors in fractions; the disagreement as half the mean squared distance of two members."""
    table = [[Fraction(value) for value in row] for row in outputs]
    goals = [Fraction(value) for value in targets]
    k = len(table)
    columns = list(zip(*table, strict=True))
    return {
        "average": rounded([(sum(c) / k - t) ** 2 for c, t in zip(columns, goals, strict=True)]),
        "mean": rounded([sum((f - t) ** 2 for f in c) / k for c, t in zip(columns, goals, strict=True)]),
        "disagreement": rounded([sum((f - g) ** 2 for f in c for g in c) / (2 * k * k) for c in columns]),
    }


def mean_of_distributions(logits):
    """1/k sum_m softmax(z_m), and its logarithm."""
    members = [[softmax(row) for row in member] for member in exact(logits)]
    mean = [[sum(column) / len(members) for column in zip(*rows, strict=True)] for rows in zip(*members, strict=True)]
    return {
        "distribution": rounded(mean),
        "log_distribution": rounded([[mpmath.log(p) for p in row] for row in mean]),
    }


def out_of_bag_votes(outputs, counts):
    """Votes of the members whose count of the example is zero; of all members where none is."""
    answers, left_out = [], []
    for i, row in enumerate(counts):
        absent = [m for m, count in enumerate(row) if count == 0]
        left_out.append(bool(absent))
        voters = absent or list(range(len(row)))
        classes = [_argmax([Fraction(z) for z in outputs[m][i]]) for m in voters]
        answers.append([float(Fraction(classes.count(c), len(voters))) for c in range(len(outputs[0][i]))])
    return {"answers": answers, "left_out": left_out}


def _argmax(row):
    order = sorted(range(len(row)), key=lambda i: row[i])
    if row[order[-1]] == row[order[-2]]:
        raise ValueError(f"a golden must not hang on a tie. Received: row={row}")
    return order[-1]


def _sign(net):
    return 1 if net >= 0 else -1


def _perceptron(x, t, weights, epochs, w):
    """w' <- w' + s (t - o) x' over the examples of weight s > 0, in fractions; learning rate 1."""
    for _ in range(epochs):
        for row, target, weight in zip(x, t, weights, strict=True):
            example = [Fraction(1), *map(Fraction, row)]
            output = _sign(sum(a * c for a, c in zip(w, example, strict=True)))
            if weight > 0:
                w = [a + weight * (target - output) * c for a, c in zip(w, example, strict=True)]
    return w


def _answer(w, row):
    return _sign(sum(a * c for a, c in zip(w, [Fraction(1), *map(Fraction, row)], strict=True)))


def majority_of_perceptrons(x, t, counts, queries, epochs):
    """A perceptron from w = 0 on each bootstrap sample, then the majority of their signs."""
    start = [Fraction(0)] * (len(x[0]) + 1)
    members = [_perceptron(x, t, [row[m] for row in counts], epochs, start) for m in range(len(counts[0]))]
    votes = [[_answer(w, row) for row in queries] for w in members]
    sums = [sum(column) for column in zip(*votes, strict=True)]
    if 0 in sums:
        raise ValueError("a golden must not hang on a tied vote")
    return {"weights": rounded(members), "votes": votes, "majority": [_sign(total) for total in sums]}


def _gini(weights):
    total = sum(weights)
    return total - sum(w * w for w in weights) / total if total else Fraction(0)


def _stump(x, y, weights, classes):
    """Every question asked: (feature, threshold, heavier class left, heavier class right)."""
    best, found = None, []
    for j in range(len(x[0])):
        values = sorted({row[j] for row in x})
        for low, high in zip(values, values[1:], strict=False):
            threshold = (low + high) / 2
            sides = [[Fraction(0)] * classes, [Fraction(0)] * classes]
            for row, label, weight in zip(x, y, weights, strict=True):
                sides[row[j] > threshold][label] += weight
            impurity = _gini(sides[0]) + _gini(sides[1])
            if best is None or impurity < best:
                best, found = impurity, []
            if impurity == best:
                found.append((j, threshold, sides))
    if len(found) > 1:
        raise ValueError(f"a golden must not hang on a tie. Received: {len(found)} equally good questions")
    j, threshold, sides = found[0]
    return j, threshold, _argmax(sides[0]), _argmax(sides[1])


def _say(error, classes):
    """exp(alpha), a fraction."""
    if not 0 < error < 1 - Fraction(1, classes):
        raise ValueError(f"a golden needs members better than chance and not perfect. Received: error={error}")
    return (1 - error) / error * (classes - 1)


def _logarithm(fraction):
    return mpmath.log(mpmath.mpf(fraction.numerator) / fraction.denominator)


def _boost(answers_of, y, classes, members):
    """Rounds of AdaBoost; `answers_of(D)` trains a member and returns its answers to the examples."""
    weights = [Fraction(1, len(y))] * len(y)
    errors, says, rounds, answers = [], [], [], []
    for _ in range(members):
        answer = answers_of(weights)
        wrong = [a != label for a, label in zip(answer, y, strict=True)]
        error = sum(w for w, bad in zip(weights, wrong, strict=True) if bad)
        say = _say(error, classes)
        weights = [w * say if bad else w for w, bad in zip(weights, wrong, strict=True)]
        total = sum(weights)
        weights = [w / total for w in weights]
        errors.append(error)
        says.append(say)
        rounds.append(weights)
        answers.append(answer)
    alphas = [_logarithm(say) for say in says]
    bound, bounds = mpmath.mpf(1), []
    for error in errors:
        square = error * (1 - error) / (classes - 1)
        bound *= classes * mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator)
        bounds.append(bound)
    common = {
        "errors": rounded(errors),
        "alphas": rounded(alphas),
        "weights": rounded(rounds),
        "bound": rounded(bounds),
    }
    return common, alphas, answers


def boosted_stumps(x, y, classes, members):
    """Discrete AdaBoost / SAMME over stumps, every question asked in every round."""
    points = [[Fraction(value) for value in row] for row in x]
    questions = []

    def answers_of(weights):
        j, threshold, left, right = _stump(points, y, weights, classes)
        questions.append((j, threshold))
        return [left if row[j] <= threshold else right for row in points]

    common, alphas, answers = _boost(answers_of, y, classes, members)
    scores = [[mpmath.mpf(0)] * classes for _ in y]
    for alpha, answer in zip(alphas, answers, strict=True):
        for i, label in enumerate(answer):
            scores[i][label] += alpha
    return {
        "features": [j for j, _ in questions],
        "thresholds": rounded([threshold for _, threshold in questions]),
        **common,
        "decisions": [_argmax(row) for row in scores],
    }


def boosted_perceptrons(x, t, starts, members):
    """AdaBoost over perceptrons, each one pass from its own start over the weighted examples N D_i."""
    trained = []

    def answers_of(weights):
        start = [Fraction(value) for value in starts[len(trained)]]
        trained.append(_perceptron(x, t, [w * len(x) for w in weights], 1, start))
        return [_answer(trained[-1], row) for row in x]

    common, alphas, answers = _boost(answers_of, t, 2, members)
    totals = [sum(a * answer[i] for a, answer in zip(alphas, answers, strict=True)) for i in range(len(t))]
    if 0 in totals:
        raise ValueError("a golden must not hang on a tied vote")
    return {"w": rounded(trained), **common, "decisions": [_sign(total) for total in totals]}


def boosting_round(weights, wrong, classes):
    """One update of the weights; after it the same member's error is 1 - 1/K."""
    d = [Fraction(w) for w in weights]
    error = sum(w for w, bad in zip(d, wrong, strict=True) if bad) / sum(d)
    say = _say(error, classes)
    grown = [w * say if bad else w for w, bad in zip(d, wrong, strict=True)]
    new = [w / sum(grown) for w in grown]
    square = error * (1 - error) / (classes - 1)
    bound = classes * mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator)
    return {
        "error": rounded([error]),
        "alpha": rounded([_logarithm(say)]),
        "weights": rounded(new),
        "error_on_new_weights": rounded([sum(w for w, bad in zip(new, wrong, strict=True) if bad)]),
        "bound": rounded([bound]),
    }
