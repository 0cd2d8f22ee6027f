"""Oracles of holes in images and of the context encoder: pixel by pixel, probabilities before logarithms.

A hole is a set of places, a band the places whose distance (the larger of rows and columns) to the hole is at most its
width. The adversary's losses are logarithms of sigma(d) and 1 - sigma(d) in sixty digits. Slopes by the complex step.
"""

import mpmath

from reference_tests.oracles.precision import dot, exact, gradients, plus, product, rounded, sigmoid

__all__ = ["context_encoder_step", "errors_in_holes", "holes_of_blocks", "holes_of_regions"]


def _image(places, height, width):
    return [[int((i, j) in places) for j in range(width)] for i in range(height)]


def _square(top, left, side):
    return {(i, j) for i in range(top, top + side) for j in range(left, left + side)}


def _banded(places, height, width, overlap):
    """Places near the hole and not in it."""
    return {
        (i, j)
        for i in range(height)
        for j in range(width)
        if (i, j) not in places and any(max(abs(i - a), abs(j - b)) <= overlap for a, b in places)
    }


def holes_of_blocks(uniforms, height, width, side, overlap):
    """The central square, unions of squares at the places that the numbers name, and the bands."""
    centre = _square((height - side) // 2, (width - side) // 2, side)
    unions = []
    for image in uniforms:
        corners = [(int(u * (height - side + 1)), int(v * (width - side + 1))) for u, v in image]
        unions.append(set().union(*(_square(top, left, side) for top, left in corners)))
    return {
        "centre": _image(centre, height, width),
        "blocks": [_image(union, height, width) for union in unions],
        "bands": [_image(_banded(union, height, width, overlap), height, width) for union in unions],
    }


def holes_of_regions(uniforms, share, sigma, radius):
    """Places sorted by the blurred noise, from the greatest; the noise mirrored at its edges by folding indices."""
    weights = {d: mpmath.exp(-(mpmath.mpf(d) ** 2) / (2 * mpmath.mpf(sigma) ** 2)) for d in range(-radius, radius + 1)}
    total = sum(weights.values())
    masks = []
    for image in exact(uniforms):
        height, width = len(image), len(image[0])

        def folded(index, size):
            return -1 - index if index < 0 else 2 * size - 1 - index if index >= size else index

        def blurred(i, j, image=image, height=height, width=width):
            return sum(
                weights[a] * weights[b] * image[folded(i + a, height)][folded(j + b, width)] / total**2
                for a in weights
                for b in weights
            )

        order = sorted(((blurred(i, j), (i, j)) for i in range(height) for j in range(width)), reverse=True)
        missing = round(share * height * width)
        masks.append(_image({place for _, place in order[:missing]}, height, width))
    return {"masks": masks}


def errors_in_holes(x, y, mask, overlap, band):
    """Mean squared error, each place as often as it counts."""
    x, y, band = exact(x), exact(y), mpmath.mpf(band)
    found = []
    for one, other, hole in zip(x, y, mask, strict=True):
        height, width = len(hole), len(hole[0])
        inside = {(i, j) for i in range(height) for j in range(width) if hole[i][j]}
        around = _banded(inside, height, width, overlap)
        squares = {
            (i, j): [(a - b) ** 2 for a, b in zip(one[i][j], other[i][j], strict=True)] for i, j in inside | around
        }
        above = sum((band if place in around else 1) * sum(values) for place, values in squares.items())
        below = sum((band if place in around else 1) * len(values) for place, values in squares.items())
        found.append(above / below if below else mpmath.mpf(0))
    return {"errors": rounded(found)}


def _flat(image):
    return [pixel for line in image for place in line for pixel in place]


def context_encoder_step(x, trunk, decoder, judge, offset, side, fill, adversarial, rate):
    """Costs of the images one by one, and a step of either player down its own slope from the same weights."""
    height, width = len(x[0]), len(x[0][0])
    hole = _square((height - side) // 2, (width - side) // 2, side)
    missing = [(i, j) in hole for i in range(height) for j in range(width)]
    images = [_flat(image) for image in exact(x)]
    share, size, fill, offset = (mpmath.mpf(value) for value in (adversarial, rate, fill, offset))
    seen = [[fill if gone else pixel for pixel, gone in zip(image, missing, strict=True)] for image in images]

    def filled(trunk, decoder):
        return product(product(seen, trunk), decoder)

    def probability(image, judge):
        """That the hole's pixels are real."""
        inside = [pixel if gone else 0 * pixel for pixel, gone in zip(image, missing, strict=True)]
        return sigmoid(dot(inside, [row[0] for row in judge]) + offset)

    def errors(made):
        return [
            sum((a - b) ** 2 for a, b, gone in zip(image, other, missing, strict=True) if gone) / sum(missing)
            for image, other in zip(images, made, strict=True)
        ]

    def fooled(made, judge):
        return [-mpmath.log(probability(image, judge)) for image in made]

    def caught(made, judge):
        return [
            -mpmath.log(probability(image, judge)) - mpmath.log(1 - probability(other, judge))
            for image, other in zip(images, made, strict=True)
        ]

    def fill_cost(trunk, decoder):
        made = filled(trunk, decoder)
        both = zip(errors(made), fooled(made, start["judge"]), strict=True)
        return sum((1 - share) * error + share * loss for error, loss in both) / len(images)

    start = {name: exact(value) for name, value in (("trunk", trunk), ("decoder", decoder), ("judge", judge))}
    made = filled(start["trunk"], start["decoder"])

    def judge_cost(judge):
        return sum(caught(made, judge)) / len(images)

    slopes = dict(zip(("trunk", "decoder"), gradients(fill_cost, start["trunk"], start["decoder"]), strict=True))
    (slopes["judge"],) = gradients(judge_cost, start["judge"])
    moved = {
        name: [plus(row, [-size * g for g in line]) for row, line in zip(start[name], slope, strict=True)]
        for name, slope in slopes.items()
    }
    return {
        "reconstruction_error": rounded(errors(made)),
        "adversarial_loss": rounded(fooled(made, start["judge"])),
        "discriminator_loss": rounded(caught(made, start["judge"])),
        **{name: rounded(value) for name, value in moved.items()},
    }
