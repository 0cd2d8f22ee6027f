"""Oracles of C 9.1.1 and 9.1.2: counting with sets of examples, in fractions; no cumulative sums, no contingency table.

A retrieved set is a set, precision is the share of it that is relevant, recall the share of the relevant in it.
"""

from fractions import Fraction

__all__ = [
    "averages_over_classes",
    "coverage_against_accuracy",
    "f_measures",
    "precision_against_recall",
    "rare_disease",
    "spam_costs",
]


def _weight(examples, weights):
    return sum((Fraction(weights[i]) for i in examples), Fraction(0))


def _share(part, whole, weights, empty):
    """Weight of part among whole; `empty` where whole weighs nothing."""
    total = _weight(whole, weights)
    return _weight(part & whole, weights) / total if total else Fraction(empty)


def rare_disease(ill, detected, people):
    """Percentages over a population given as kinds of people and their numbers."""
    everyone = set(range(len(ill)))
    sick, found = {i for i in everyone if ill[i]}, {i for i in everyone if detected[i]}
    right = {i for i in everyone if ill[i] == detected[i]}
    return {
        "accuracy_percent": float(100 * _share(right, everyone, people, 0)),
        "recall_percent": float(100 * _share(found, sick, people, 0)),
        "precision_percent": float(100 * _share(sick, found, people, 0)),
        "precision_percent_if_nothing_is_perfect": float(100 * _share(sick, found, people, 1)),
        "precision_is_defined": bool(found),
    }


def _harmonic(pi, rho, beta):
    """(1 + b^2) / (1 / pi + b^2 / rho): the weighted harmonic mean itself; 0 where a part is 0."""
    square = Fraction(beta) ** 2
    return (1 + square) / (1 / pi + square / rho) if pi and rho else Fraction(0)


def f_measures(true_positives, false_positives, false_negatives, beta):
    """Harmonic means of precision and recall."""
    pis = [
        Fraction(hit) / (Fraction(hit) + Fraction(fp)) for hit, fp in zip(true_positives, false_positives, strict=True)
    ]
    rhos = [
        Fraction(hit) / (Fraction(hit) + Fraction(fn)) for hit, fn in zip(true_positives, false_negatives, strict=True)
    ]
    return {
        "precision": [float(pi) for pi in pis],
        "recall": [float(rho) for rho in rhos],
        "f_beta": [float(_harmonic(pi, rho, beta)) for pi, rho in zip(pis, rhos, strict=True)],
    }


def averages_over_classes(labels, chosen, classes, beta):
    """Precision, recall, F_beta: of all decisions together, as a plain mean, as a mean weighted by true examples."""
    everyone, ones = set(range(len(labels))), [1] * len(labels)
    rows, sizes = [], []
    for k in range(classes):
        true, taken = {i for i in everyone if labels[i] == k}, {i for i in everyone if chosen[i] == k}
        pi, rho = _share(true, taken, ones, 0), _share(taken, true, ones, 0)
        rows.append((pi, rho, _harmonic(pi, rho, beta)))
        sizes.append(len(true))
    right = Fraction(sum(label == choice for label, choice in zip(labels, chosen, strict=True)), len(labels))
    columns = list(zip(*rows, strict=True))
    return {
        "micro": [float(right)] * 3,  # every false alarm is a miss of another class, so all three are the accuracy
        "macro": [float(sum(column) / classes) for column in columns],
        "weighted": [float(sum(n * s for n, s in zip(sizes, column, strict=True)) / sum(sizes)) for column in columns],
    }


def precision_against_recall(labels, scores, weights, thresholds):
    """Retrieved sets, threshold by threshold; areas as sums over the distinct scores."""
    everyone = set(range(len(labels)))
    relevant = {i for i in everyone if labels[i] > 0}

    def at(threshold):
        retrieved = {i for i in everyone if scores[i] >= threshold}
        return _share(relevant, retrieved, weights, 1), _share(retrieved, relevant, weights, 1)

    falling = sorted(scores, reverse=True)
    steps = lines = Fraction(0)
    before = (Fraction(1), Fraction(0))
    for threshold in sorted(set(scores), reverse=True):
        pi, rho = at(threshold)
        steps += (rho - before[1]) * pi
        lines += (rho - before[1]) * (pi + before[0]) / 2
        before = (pi, rho)
    grid, area, last = sorted(thresholds, reverse=True), Fraction(0), Fraction(0)
    for threshold in grid:
        pi, rho = at(threshold)
        area, last = area + (rho - last) * pi, rho
    return {
        "precision": [float(at(t)[0]) for t in falling],
        "recall": [float(at(t)[1]) for t in falling],
        "average_precision": float(steps),
        "trapezoidal_area": float(lines),
        "precision_at_thresholds": [float(at(t)[0]) for t in grid],
        "recall_at_thresholds": [float(at(t)[1]) for t in grid],
        "area": float(area),
    }


def spam_costs(spam, scores, blocked_letter, passed_spam):
    """Mistakes counted message by message."""
    best = Fraction(blocked_letter) / (Fraction(blocked_letter) + Fraction(passed_spam))

    def judged(threshold):
        blocked = sum(score >= threshold and not bad for bad, score in zip(spam, scores, strict=True))
        passed = sum(score < threshold and bad == 1 for bad, score in zip(spam, scores, strict=True))
        return float(blocked + passed), float(blocked * Fraction(blocked_letter) + passed * Fraction(passed_spam))

    (errors, cost), (errors_best, cost_best) = judged(Fraction(1, 2)), judged(best)
    return {
        "best_threshold": float(best),
        "errors_at_half": errors,
        "cost_at_half": cost,
        "errors_at_best": errors_best,
        "cost_at_best": cost_best,
    }


def coverage_against_accuracy(labels, probabilities, wanted, threshold):
    """Answered sets, confidence by confidence."""
    everyone, ones = set(range(len(labels))), [1] * len(labels)
    confidence = [max(row) for row in probabilities]
    right = {i for i in everyone if probabilities[i].index(max(probabilities[i])) == labels[i]}

    def answered(least):
        return {i for i in everyone if confidence[i] >= least}

    falling = sorted(confidence, reverse=True)
    fine = [t for t in falling if _share(right, answered(t), ones, 0) >= Fraction(wanted)]
    return {
        "coverage": [float(_share(answered(t), everyone, ones, 0)) for t in falling],
        "accuracy": [float(_share(right, answered(t), ones, 0)) for t in falling],
        "coverage_at_wanted_accuracy": float(max(_share(answered(t), everyone, ones, 0) for t in fine)),
        "coverage_refusing_all": float(_share(answered(threshold), everyone, ones, 0)),
        "accuracy_refusing_all": float(_share(right, answered(threshold), ones, 1)),
        "accuracy_refusing_all_is_defined": bool(answered(threshold)),
    }
