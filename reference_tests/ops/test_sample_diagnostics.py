"""What samples are worth: supports of known size, scores by other routes, codes on a great circle."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import special_ortho_group
from sklearn.neighbors import NearestNeighbors

from keras_course.ops.birthday import birthday_paradox, birthday_size, closest_pairs, collision_probability
from keras_course.ops.interpolation import interpolate
from keras_course.ops.sample_quality import (
    frechet_distance,
    inception_score,
    moments_of_samples,
    precision_and_recall,
)

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("support", [50, 400, 2000])
def test_the_support_of_equally_likely_things_is_found(support):
    """200 batches of 60: the relative error is 1 / sqrt(pairs), 2 % to 10 %; five of them are allowed."""
    pairs = 200 * 60 * 59 / 2 / support
    found = birthday_paradox(RNG.integers(0, support, (200, 60, 1)).astype("float64"))
    assert float(found.support) == pytest.approx(support, rel=5 / np.sqrt(pairs))
    expected = float(collision_probability(float(support), 60))
    assert float(found.share) == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / 200) + 1e-9)


def test_of_things_that_differ_in_chance_it_counts_those_that_come_often():
    chances = np.r_[np.full(10, 0.09), np.full(1000, 1e-4)]
    draws = RNG.choice(len(chances), (200, 50, 1), p=chances).astype("float64")
    effective = 1 / np.sum(chances**2)
    assert 12 < effective < 13
    assert float(birthday_paradox(draws).support) == pytest.approx(effective, rel=0.05)


def test_near_duplicates_are_a_distance_or_a_function_of_yours():
    heaps = RNG.normal(size=(30, 2)) * 50
    samples = heaps[RNG.integers(0, 30, (100, 20))] + RNG.normal(size=(100, 20, 2)) * 1e-3
    assert float(birthday_paradox(samples).support) == np.inf
    near = birthday_paradox(samples, threshold=0.1)
    assert float(near.support) == pytest.approx(30, rel=0.2)
    assert float(near.bound) == 400.0 and float(near.share) > 0.9

    def alike(batch):
        return np.abs(np.asarray(batch)[:, None] - np.asarray(batch)[None]).max(-1) < 0.1

    assert float(birthday_paradox(samples, alike).pairs) == float(near.pairs)


def test_the_first_size_with_an_even_chance():
    for support in (1, 2, 3, 10, 365, 10_000):
        size = int(birthday_size(support))
        assert float(collision_probability(float(support), size)) >= 0.5 or support == 1
        if size > 1:
            assert float(collision_probability(float(support), size - 1)) < 0.5
    assert int(birthday_size(365)) == 23
    assert float(collision_probability(3.0, 4)) == 1.0


def test_the_closest_pairs_are_those_of_all_pairs():
    samples = RNG.normal(size=(9, 2, 2))
    first, second, distance = (np.asarray(part) for part in closest_pairs(samples, 5))
    rows, columns = np.triu_indices(9, 1)
    apart = np.sqrt(np.sum((samples[rows] - samples[columns]) ** 2, axis=(1, 2)))
    order = np.argsort(apart)[:5]
    np.testing.assert_array_equal(first, rows[order])
    np.testing.assert_array_equal(second, columns[order])
    np.testing.assert_allclose(distance, apart[order])


def test_the_inception_score_is_the_number_of_classes_that_are_there_and_sure():
    assert float(inception_score(np.repeat(np.eye(4)[:3], 5, axis=0))) == pytest.approx(3.0)
    assert float(inception_score(np.full((8, 4), 0.25))) == pytest.approx(1.0)
    p = RNG.dirichlet(np.ones(4), 40)
    mean = p.mean(0)
    wanted = np.exp(np.mean(np.sum(p * np.log(p / mean), axis=1)))
    assert float(inception_score(p)) == pytest.approx(wanted, rel=1e-10)
    parts = [np.exp(np.mean(np.sum(q * np.log(q / q.mean(0)), axis=1))) for q in (p[0::3], p[1::3], p[2::3])]
    assert float(inception_score(p, splits=3)) == pytest.approx(np.mean(parts), rel=1e-10)


def test_precision_and_recall_are_those_of_scikit_learns_neighbours():
    real, fake = RNG.normal(size=(60, 3)), RNG.normal(size=(40, 3)) * 0.5 + 0.5

    def covered(balls, points):
        radius = NearestNeighbors(n_neighbors=4).fit(balls).kneighbors(balls)[0][:, -1]
        return np.mean([(np.linalg.norm(balls - point, axis=1) <= radius).any() for point in points])

    found = precision_and_recall(real, fake, 3)
    assert float(found.precision) == pytest.approx(covered(real, fake))
    assert float(found.recall) == pytest.approx(covered(fake, real))
    assert float(found.precision) > float(found.recall)  # narrower than the data: like them, but not all of them


def test_the_frechet_distance_is_scipys_and_knows_rotations():
    one, two = RNG.normal(size=(50, 4)), RNG.normal(size=(60, 4)) @ RNG.normal(size=(4, 4)) + 1
    (m, s), (n, t) = ((each.mean(0), np.cov(each, rowvar=False)) for each in (one, two))
    for ours, theirs in zip(moments_of_samples(one), (m, s), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)
    wanted = np.sum((m - n) ** 2) + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert float(frechet_distance(m, s, n, t)) == pytest.approx(wanted, rel=1e-10)
    turn = special_ortho_group.rvs(4, random_state=0)
    turned = frechet_distance(turn @ m, turn @ s @ turn.T, turn @ n, turn @ t @ turn.T)
    assert float(turned) == pytest.approx(wanted, rel=1e-10)
    assert float(frechet_distance(m, s, m, s)) == pytest.approx(0.0, abs=1e-12)
    flat = np.diag([1.0, 0.0, 0.0, 0.0])
    assert float(frechet_distance(m, flat, m, 4 * flat)) == pytest.approx(1.0)


def test_the_straight_line_is_shorter_in_the_middle_and_the_circle_is_not():
    first, second = RNG.normal(size=(2, 5, 64))
    shares = np.linspace(0, 1, 7)
    for way in ("linear", "spherical"):
        codes = np.asarray(interpolate(first, second, shares, way))
        assert codes.shape == (7, 5, 64)
        np.testing.assert_allclose(codes[0], first, atol=1e-12)
        np.testing.assert_allclose(codes[-1], second, atol=1e-12)
    ends = (np.linalg.norm(first, axis=-1) + np.linalg.norm(second, axis=-1)) / 2
    assert np.all(np.linalg.norm(interpolate(first, second, [0.5])[0], axis=-1) < 0.85 * ends)
    unit = [each / np.linalg.norm(each, axis=-1, keepdims=True) for each in (first, second)]
    lengths = np.linalg.norm(interpolate(*unit, shares, "spherical"), axis=-1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-12)
    angles = np.arccos(np.sum(np.asarray(interpolate(*unit, shares, "spherical"))[1:] * np.asarray(
        interpolate(*unit, shares, "spherical"))[:-1], axis=-1))  # fmt: skip
    np.testing.assert_allclose(angles, np.broadcast_to(angles[:1], angles.shape), atol=1e-7)  # equal turns


def test_codes_without_a_circle_of_their_own_are_joined_straight():
    z = np.array([[1.0, 2.0], [0.0, 0.0]], "float32")
    for other in (z, -z, 3 * z):
        found = np.asarray(interpolate(z, other, [0.25], "spherical"))
        np.testing.assert_allclose(found[0], 0.75 * z + 0.25 * other, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: birthday_paradox(np.ones((3, 1, 2))), r"samples.shape=\(3, 1, 2\)"),
        (lambda: birthday_paradox(np.ones((3, 2)), threshold=-1.0), "threshold=-1.0"),
        (lambda: birthday_paradox(np.ones((3, 2)), lambda batch: np.ones(2)), r"duplicates \(2, 2\)"),
        (lambda: collision_probability(0.5, 3), "support=0.5"),
        (lambda: closest_pairs(np.ones((3, 2)), 4), "3 pairs of 3 samples. Received: count=4"),
        (lambda: inception_score([[0.5, 0.6]]), "sum to 1"),
        (lambda: inception_score([[0.5, 0.5]], splits=2), "splits=2 of 1"),
        (lambda: precision_and_recall(np.ones((3, 2)), np.ones((9, 2)), 3), "Received: 3 rows"),
        (lambda: moments_of_samples(np.ones((1, 2))), r"shape=\(1, 2\)"),
        (lambda: frechet_distance(np.ones(2), np.eye(2), np.ones(2), np.eye(3)), "shapes="),
        (lambda: interpolate([1.0], [0.0], [0.5], "curved"), "way='curved'"),
    ],
)
def test_what_says_nothing_is_refused_with_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
