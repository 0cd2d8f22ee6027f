"""Sharpness is the Hessian's largest eigenvalue; rescaling changes it and not the function."""

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from keras_course.experiments.flat_minima import Config, run
from keras_course.experiments.loss_landscape import (
    cross_entropy,
    hessian_vector_product,
    loss_along,
    rescaled,
    scores,
    sharpness,
    unit_scaled,
)


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


@pytest.fixture(scope="module")
def network():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 3, 12)
    return x, y, rng.normal(size=(4, 4)), rng.normal(size=(3, 4))


def loss_of(x, y):
    return lambda v, w: cross_entropy(x, y, v, w)


def dense_hessian(x, y, v, w):
    """All products with unit vectors, after a check that they are differences of gradients."""
    size, loss = v.size + w.size, loss_of(x, y)
    columns = []
    for unit in np.eye(size):
        parts = hessian_vector_product(
            loss, (tf.constant(v), tf.constant(w)), (unit[: v.size].reshape(v.shape), unit[v.size :].reshape(w.shape))
        )
        columns.append(np.concatenate([np.ravel(part) for part in parts]))
    return np.array(columns)


def gradient(x, y, v, w):
    v, w = tf.constant(v), tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch((v, w))
        loss = cross_entropy(x, y, v, w)
    return np.concatenate([np.ravel(part) for part in tape.gradient(loss, (v, w))])


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert table.headline and np.all(np.isfinite(list(table.headline.values())))


def test_all_trainings_end_at_one_loss_and_the_power_iteration_has_arrived(table):
    ends = table.where(alpha=0.0)
    assert np.all((ends["training_loss"] <= 0.3) & (ends["training_loss"] > 0.25))
    assert np.all(ends["residual"] < 0.01 * ends["sharpness"])
    assert np.all(ends["plain"] == pytest.approx(ends["training_loss"], rel=1e-5))


def test_the_other_weights_score_alike_to_the_bit_and_are_sharper(table):
    assert np.all(table["changed"] == 0.0)
    assert np.all(table["rescaled_sharpness"] > 2 * table["sharpness"])
    np.testing.assert_array_equal(table["by_units"], table["rescaled_by_units"])


def test_full_batch_descent_ends_where_it_is_stable(table):
    ends = table.where(alpha=0.0, batch_size=2048)
    assert np.all(ends["sharpness"] < 2 / 0.5 * 1.2)


def test_products_with_the_hessian_are_slopes_of_the_gradient(network):
    x, y, v, w = network
    hessian, h = dense_hessian(x, y, v, w), 1e-6
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-13)
    for place in (0, 7, 16, 27):
        shift = np.zeros(v.size + w.size)
        shift[place] = h
        first, second = shift[: v.size].reshape(v.shape), shift[v.size :].reshape(w.shape)
        slope = (gradient(x, y, v + first, w + second) - gradient(x, y, v - first, w - second)) / (2 * h)
        np.testing.assert_allclose(hessian[place], slope, atol=1e-7)


def test_sharpness_is_the_largest_eigenvalue(network):
    x, y, v, w = network
    rng = np.random.default_rng(0)
    start = (rng.normal(size=v.shape), rng.normal(size=w.shape))
    found, residual = tf.function(lambda v, w: sharpness(loss_of(x, y), (v, w), start, 300), jit_compile=True)(v, w)
    eigenvalues = np.linalg.eigvalsh(dense_hessian(x, y, v, w))
    assert float(found) == pytest.approx(eigenvalues[-1], rel=1e-9)
    assert np.min(np.abs(eigenvalues - float(found))) <= float(residual) + 1e-12


def test_the_largest_eigenvalue_is_found_beside_a_more_negative_one():
    matrix = np.diag([2.0, -5.0, 0.5])
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    matrix = turn @ matrix @ turn.T
    found, _ = sharpness(
        lambda w: tf.tensordot(w, tf.linalg.matvec(matrix, w), 1) / 2, (np.ones(3),), (np.ones(3),), 40
    )
    assert float(found) == pytest.approx(2.0)


@pytest.mark.parametrize("factor", [2.0, 0.5, 8.0])
def test_rescaling_turns_the_blocks_of_the_hessian_by_its_square(network, factor):
    x, y, v, w = network
    others = [np.asarray(part) for part in rescaled(v, w, factor)]
    np.testing.assert_array_equal(scores(x, *others), scores(x, v, w))
    before, after = dense_hessian(x, y, v, w), dense_hessian(x, y, *others)
    stretch = np.r_[np.full(v.size, 1 / factor), np.full(w.size, factor)]
    np.testing.assert_allclose(after, stretch[:, None] * before * stretch, rtol=1e-9, atol=1e-13)
    block = np.linalg.eigvalsh(before[v.size :, v.size :])[-1]
    assert np.linalg.eigvalsh(after)[-1] >= factor**2 * block - 1e-12


def test_a_factor_that_is_no_power_of_two_changes_scores_by_rounding_only(network):
    x, _, v, w = network
    np.testing.assert_allclose(scores(x, *rescaled(v, w, 3.7)), scores(x, v, w), rtol=1e-12)
    for factor in (-2.0, 0.0):
        with pytest.raises(ValueError, match=f"factor={factor}"):
            rescaled(v, w, factor)


def test_loss_by_units_does_not_see_the_scale_and_plain_loss_does(network):
    x, y, v, w = network
    rng, alphas = np.random.default_rng(2), np.linspace(-1, 1, 5)
    direction = (rng.normal(size=v.shape), rng.normal(size=w.shape))
    others = rescaled(v, w, 4.0)

    def along(weights, parts):
        return np.asarray(loss_along(loss_of(x, y), weights, parts, alphas))

    by_units = [
        along(weights, [unit_scaled(d, part) for d, part in zip(direction, weights, strict=True)])
        for weights in ((v, w), others)
    ]
    np.testing.assert_allclose(by_units[0], by_units[1], rtol=1e-12)
    assert np.max(np.abs(along((v, w), direction) - along(others, direction))) > 0.1
    assert by_units[0][2] == pytest.approx(float(cross_entropy(x, y, v, w)))


def test_curvature_along_a_direction_is_the_quadratic_form_of_the_hessian(network):
    x, y, v, w = network
    direction = (np.full(v.shape, 0.1), np.full(w.shape, -0.2))
    h = 1e-4
    low, middle, high = (float(z) for z in loss_along(loss_of(x, y), (v, w), direction, [-h, 0.0, h]))
    product = hessian_vector_product(loss_of(x, y), (tf.constant(v), tf.constant(w)), direction)
    form = sum(float(np.sum(a * b)) for a, b in zip(direction, product, strict=True))
    assert (low - 2 * middle + high) / h**2 == pytest.approx(form, rel=1e-4)


def test_the_cross_entropy_is_that_of_keras(network):
    x, y, v, w = network
    expected = tf.keras.losses.sparse_categorical_crossentropy(y, scores(x, v, w), from_logits=True)
    assert float(cross_entropy(x, y, v, w)) == pytest.approx(float(np.mean(expected)), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units=0"),
        ({"batch_sizes": ()}, r"batch_sizes=\(\)"),
        ({"batch_sizes": (16, 0)}, "batch_sizes=0"),
        ({"learning_rates": (-0.1,)}, r"learning_rates=\(-0.1,\)"),
        ({"target": 0.0}, "target=0.0"),
        ({"epochs": 0}, "epochs=0"),
        ({"reach": float("inf")}, "reach=inf"),
        ({"factor": 3.0}, "factor=3.0"),
        ({"seeds": ()}, r"seeds=\(\)"),
    ],
)
def test_a_bad_setting_is_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        Config(**arguments)


def test_no_step_is_no_power_iteration():
    with pytest.raises(ValueError, match="steps=0"):
        sharpness(lambda w: tf.reduce_sum(w**2), (np.ones(2),), (np.ones(2),), 0)
