"""Worked examples of adversarial games and of what samples are worth: formulas alone, no networks of a model.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import arithmetic, compiled, gradient, jacobian
from keras_course.ops.adversarial_games import (
    critic_loss,
    discriminator_loss,
    game_value,
    generator_loss,
    gradient_penalty,
    jensen_shannon,
    mixed_rows,
    optimal_discriminator,
)
from keras_course.ops.birthday import birthday_paradox, birthday_size, collision_probability
from keras_course.ops.interpolation import interpolate
from keras_course.ops.sample_quality import (
    frechet_distance,
    inception_score,
    moments_of_samples,
    precision_and_recall,
)

__all__ = [
    "adversarial_losses",
    "birthdays",
    "codes_between",
    "duplicates_in_batches",
    "frechet_of_moments",
    "inception_scores",
    "optimal_discriminators",
    "penalties_of_a_critic",
    "precision_and_recall_of_points",
    "wasserstein_on_a_line",
]


def adversarial_losses(real: Any, fake: Any) -> dict[str, Any]:
    """Both players' losses, and what is left of the generator's slope where it is found out. Source: C 19.5."""

    def slope(kind: str) -> Any:
        return compiled(lambda scores: gradient(lambda each: ops.sum(generator_loss(each, kind)), scores))(fake)

    return {
        "discriminator": compiled(discriminator_loss)(real, fake),
        "minimax": compiled(lambda scores: generator_loss(scores, "minimax"))(fake),
        "non_saturating": compiled(generator_loss)(fake),
        "minimax_slope": slope("minimax"),
        "non_saturating_slope": slope("non_saturating"),
    }


def optimal_discriminators(p: Any, q: Any, other: Any) -> dict[str, Any]:
    """D* = p/(p + q), and at it the value of the game is a divergence. Source: C 19.5."""

    def games(p: Any, q: Any, other: Any) -> dict[str, Any]:
        best, divergence = optimal_discriminator(p, q), jensen_shannon(p, q)
        return {
            "discriminator": best,
            "value": game_value(p, q, best),
            "value_of_another": game_value(p, q, other),
            "divergence": divergence,
            "from_divergence": 2 * divergence + 2 * ops.log(ops.full_like(divergence, 0.5)),
        }

    return compiled(games)(p, q, other)  # type: ignore[no-any-return]


def penalties_of_a_critic(
    real: Any, fake: Any, share: Any, first: Any, offset: Any, second: Any, norm: float
) -> dict[str, Any]:
    """How steep a critic is between data and fakes, and where its weights would go for it. Source: R."""

    def penalties(points: Any, first: Any, second: Any, one_sided: bool = False) -> Any:
        def critic(x: Any) -> Any:
            return ops.matmul(ops.tanh(ops.matmul(x, first) + offset), second)

        return gradient_penalty(critic, points, norm, one_sided)

    points = compiled(mixed_rows)(real, fake, share)

    def by(which: int) -> Any:
        def total(weights: Any) -> Any:
            both = [first, second]
            both[which] = weights
            return ops.sum(penalties(points, *both))

        return compiled(lambda weights: jacobian(total, weights))([first, second][which])

    return {
        "points": points,
        "penalties": compiled(penalties)(points, first, second),
        "one_sided": compiled(lambda *given: penalties(*given, one_sided=True))(points, first, second),
        "slope_by_first": by(0),
        "slope_by_second": by(1),
    }


def wasserstein_on_a_line(real: Any, fake: Any) -> dict[str, Any]:
    """On a line the best critic is known: it climbs where fakes lag behind, and falls where they lead. Source: R."""

    def distance(real: Any, fake: Any) -> Any:
        places = ops.sort(ops.concatenate([real, fake]))  # (N,)
        behind = ops.mean(ops.cast(fake[None] <= places[:-1, None], places.dtype), axis=1) - ops.mean(
            ops.cast(real[None] <= places[:-1, None], places.dtype), axis=1
        )
        climbs = ops.sign(behind) * (places[1:] - places[:-1])
        height = ops.concatenate([ops.zeros_like(climbs[:1]), ops.cumsum(climbs)])

        def critic(x: Any) -> Any:
            at = ops.argmax(ops.cast(x[:, None] == places[None], "int32"), axis=1)
            return ops.take(height, at)

        return -ops.mean(critic_loss(critic(real)[:, None], critic(fake)[None]))

    return {"distance": compiled(distance)(real, fake)}


@arithmetic
def birthdays(supports: Any, roots: Any, people: int) -> dict[str, Any]:
    """23 people, and sqrt(N) things of N. Source: R."""
    chances = [collision_probability(n, int(s)) for n, s in zip(supports, roots, strict=True)]
    return {
        "chance_of_roots": ops.stack(chances),
        "chance_of_people": collision_probability(supports[0], people),
        "size": ops.stack([birthday_size(int(n)) for n in supports]),
    }


def duplicates_in_batches(samples: Any, threshold: float) -> dict[str, Any]:
    """How many things there are, from those that come twice. Source: R."""
    found = compiled(lambda samples: birthday_paradox(samples, threshold=threshold))(samples)
    return dict(found._asdict())


def inception_scores(probabilities: Any, splits: int) -> dict[str, Any]:
    """Sure of each, and all of them. Source: R."""
    return {
        "score": compiled(inception_score)(probabilities),
        "of_splits": compiled(lambda each: inception_score(each, splits))(probabilities),
    }


def precision_and_recall_of_points(real: Any, fake: Any, neighbours: int) -> dict[str, Any]:
    """Who lies in whose neighbourhood. Source: R."""
    found = compiled(lambda real, fake: precision_and_recall(real, fake, neighbours))(real, fake)
    return dict(found._asdict())


def frechet_of_moments(samples: Any, other: Any) -> dict[str, Any]:
    """How far two clouds are apart, as Gaussians. Source: R."""

    def distance(samples: Any, other: Any) -> Any:
        return frechet_distance(*moments_of_samples(samples), *moments_of_samples(other))

    return {"distance": compiled(distance)(samples, other)}


def codes_between(first: Any, second: Any, shares: Any) -> dict[str, Any]:
    """Straight through, and around. Source: R."""
    return {
        "linear": compiled(interpolate)(first, second, shares),
        "spherical": compiled(lambda *codes: interpolate(*codes, "spherical"))(first, second, shares),
    }
