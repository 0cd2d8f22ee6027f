"""Sparse coding: scikit-learn's codes, the known rates of convergence, the bound of thresholds under tied weights."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from sklearn.decomposition import sparse_encode

from keras_course.models import SparseCoding
from keras_course.ops import sparse_coding
from keras_course.ops.sparse_coding import dictionary_update, ista_step, sparse_coding_cost, threshold_code


def sparse_codes(*args, **kwargs):
    """The op, its steps in one graph."""
    return tf.function(lambda: sparse_coding.sparse_codes(*args, **kwargs), autograph=False)()


def problem(rows=6, atoms=9, features=5, seed=0):
    draws = np.random.default_rng(seed)
    dictionary = draws.normal(size=(atoms, features))
    return draws.normal(size=(rows, features)), dictionary / np.linalg.norm(dictionary, axis=1, keepdims=True)


@pytest.mark.parametrize("method", ["ista", "fista"])
def test_codes_are_those_of_scikit_learn(method):
    x, atoms = problem()
    peer = sparse_encode(x, atoms, algorithm="lasso_cd", alpha=0.3, max_iter=100_000)
    ours = np.asarray(sparse_codes(x, atoms, 0.3, steps=3000, method=method))
    np.testing.assert_allclose(ours, peer, atol=1e-3)
    best = sparse_coding_cost(x, peer, atoms, 0.3)
    assert np.all(np.asarray(sparse_coding_cost(x, ours, atoms, 0.3)) <= np.asarray(best) + 1e-6)
    assert np.array_equal(ours == 0, np.abs(peer) < 1e-3)  # exact zeros, in the same places


def test_the_cost_falls_at_every_step_and_within_the_bounds_of_theory():
    x, atoms = problem(seed=1)
    best_codes = sparse_codes(x, atoms, 0.2, steps=5000)
    best = np.asarray(sparse_coding_cost(x, best_codes, atoms, 0.2))
    largest = np.linalg.norm(atoms @ atoms.T, 2)
    distance = np.sum(np.square(best_codes), axis=1)  # from the start, 0
    before = np.asarray(sparse_coding_cost(x, np.zeros_like(best_codes), atoms, 0.2))
    for k in (1, 2, 5, 10, 40):
        ista, fista = (
            np.asarray(sparse_coding_cost(x, sparse_codes(x, atoms, 0.2, k, method=method), atoms, 0.2))
            for method in ("ista", "fista")
        )
        assert np.all(ista <= before + 1e-12)
        assert np.all(ista - best <= largest * distance / (2 * k) + 1e-9)
        assert np.all(fista - best <= 2 * largest * distance / (k + 1) ** 2 + 1e-9)
        before = ista


def test_a_step_at_the_optimum_stays_and_its_slopes_are_the_penalty_s():
    x, atoms = problem()
    codes = np.asarray(sparse_codes(x, atoms, 0.3, steps=5000))
    np.testing.assert_allclose(ista_step(codes, x, atoms, 0.3, 0.1), codes, atol=1e-8)
    slopes = (x - codes @ atoms) @ atoms.T
    np.testing.assert_allclose(slopes[codes != 0], 0.3 * np.sign(codes[codes != 0]), atol=1e-6)
    assert np.all(np.abs(slopes) <= 0.3 + 1e-6)


def test_thresholds_under_tied_weights_find_the_code_up_to_the_bound_and_not_beyond():
    draws = np.random.default_rng(4)
    kernel, tau = np.linalg.qr(draws.normal(size=(5, 5)))[0], 2.0
    codes = tau * np.array(list(itertools.product((-1, 0, 1), repeat=5)), float)  # all 243
    noise = draws.normal(size=(len(codes), 5))
    noise *= tau / 4 / np.linalg.norm(noise, axis=1, keepdims=True)  # on the sphere: the worst that is allowed
    x = codes @ kernel.T + noise
    found = np.asarray(threshold_code(x, kernel, tau))
    np.testing.assert_array_equal(found, codes)
    errors = np.linalg.norm(found @ kernel.T - x, axis=1)
    assert np.all(errors <= tau / 4 + 1e-12)
    beyond = codes @ kernel.T + 0.51 * tau * kernel[:, 0]  # along one column, past half of tau
    assert not np.array_equal(threshold_code(beyond, kernel, tau), codes)


def test_a_pass_over_the_atoms_never_raises_the_error_and_keeps_the_ball():
    draws = np.random.default_rng(5)
    x, atoms = problem(rows=40, seed=5)
    codes = draws.normal(size=(40, 9)) * (draws.uniform(size=(40, 9)) < 0.4)
    codes[:, 3] = 0  # an atom nobody uses
    error = np.sum((x - codes @ atoms) ** 2)
    current = atoms
    for _ in range(5):
        current = np.asarray(dictionary_update(current, codes.T @ codes, codes.T @ x))
        new = np.sum((x - codes @ current) ** 2)
        assert new <= error + 1e-9 and np.linalg.norm(current, axis=1).max() <= 1 + 1e-12
        error = new
    np.testing.assert_array_equal(current[3], atoms[3])


def test_an_atom_is_set_to_its_best_place_in_the_ball():
    x, atoms = problem(rows=30, atoms=1, features=2, seed=2)
    codes = np.random.default_rng(0).normal(size=(30, 1))
    found = np.asarray(dictionary_update(atoms, codes.T @ codes, codes.T @ x))[0]
    angles = np.linspace(0, 2 * np.pi, 721)
    rings = [r * np.stack([np.cos(angles), np.sin(angles)], 1) for r in np.linspace(0, 1, 101)]
    costs = [np.sum((x[None] - codes[None] * d[:, None]) ** 2, axis=(1, 2)).min() for d in rings]
    assert np.sum((x - codes * found) ** 2) <= min(costs) + 1e-9


def test_a_dictionary_that_made_the_data_is_found_again():
    draws = np.random.default_rng(7)
    truth = np.linalg.qr(draws.normal(size=(4, 4)))[0]
    codes = draws.laplace(size=(600, 4)) * (draws.uniform(size=(600, 4)) < 0.3)
    x = (codes @ truth).astype("float32")
    model = SparseCoding(4, 4, penalty=0.2, steps=30, memory=0.8, seed=1)
    model.compile()
    costs = model.fit(x, batch_size=100, epochs=40, verbose=0).history["cost"]
    assert costs[-1] < costs[0]
    likeness = np.abs(np.asarray(model.atoms) @ truth.T).max(axis=0)
    assert likeness.min() > 0.98


def test_weights_count_as_repeated_rows_and_more_atoms_than_features_are_welcome():
    x = problem(rows=12)[0].astype("float32")
    counts = np.arange(12) % 3
    atoms = []
    for rows, how in ((x, {"sample_weight": counts.astype("float32")}), (np.repeat(x, counts, axis=0), {})):
        model = SparseCoding(8, 5, seed=2)
        model.compile()
        model.fit(rows, y=rows, batch_size=64, epochs=2, shuffle=False, verbose=0, **how)
        atoms.append(np.asarray(model.atoms))
    np.testing.assert_allclose(*atoms, atol=1e-4)


def test_settings_out_of_range_are_refused():
    for arguments, message in (
        ({"penalty": -1}, "penalty=-1"), ({"memory": 1.0}, "memory=1.0"), ({"method": "omp"}, "method='omp'"),
        ({"steps": 0}, "steps=0"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            SparseCoding(4, 3, **arguments)
    with pytest.raises(ValueError, match="takes no optimizer"):
        SparseCoding(4, 3).compile("sgd")
