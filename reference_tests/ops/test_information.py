"""Self-information, entropy, cross-entropy, divergence: against SciPy, at zero probabilities, in every mode."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy

from keras_course.core import backend
from keras_course.ops import information

P = np.array([[0.5, 0.25, 0.125, 0.125], [0.97, 0.01, 0.01, 0.01], [0.0, 0.3, 0.7, 0.0]])
Q = np.array([[0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.5, 0.0]])


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def test_a_half_is_one_bit_and_an_eighth_is_three():
    np.testing.assert_array_equal(numbers(information.self_information(np.array([0.5, 0.125]))), [1.0, 3.0])


def test_a_sure_event_tells_nothing_and_an_impossible_one_everything():
    told = numbers(information.self_information(np.array([1.0, 0.0])))
    assert told.tolist() == [0.0, np.inf] and not np.signbit(told[0])


def test_entropy_of_a_fair_coin_is_one_bit():
    assert float(information.entropy([0.5, 0.5])) == 1.0


def test_entropy_of_a_sure_thing_is_zero():
    assert float(information.entropy([1.0, 0.0, 0.0])) == 0.0


@pytest.mark.parametrize(("base", "number"), [(2, 2.0), ("e", math.e), (math.e, math.e), (10, 10.0)])
def test_all_four_equal_scipy(base, number):
    np.testing.assert_allclose(
        numbers(information.entropy(P, base)), scipy_entropy(P, axis=-1, base=number), rtol=1e-14
    )
    divergence = rel_entr(P, Q).sum(-1) / math.log(number)
    np.testing.assert_allclose(numbers(information.kl_divergence(P, Q, base)), divergence, rtol=1e-14)
    cross = scipy_entropy(P, axis=-1, base=number) + divergence
    np.testing.assert_allclose(numbers(information.cross_entropy(P, Q, base)), cross, rtol=1e-14)
    np.testing.assert_allclose(numbers(information.self_information(Q[:2], base)), -np.log(Q[:2]) / math.log(number))


def test_cross_entropy_is_entropy_plus_divergence():
    whole = numbers(information.cross_entropy(P, Q))
    parts = numbers(information.entropy(P)) + numbers(information.kl_divergence(P, Q))
    np.testing.assert_allclose(whole, parts, rtol=1e-14)


def test_divergence_is_zero_on_itself_positive_elsewhere_and_not_symmetric():
    np.testing.assert_allclose(numbers(information.kl_divergence(P, P)), 0, atol=1e-16)
    forward, backward = (
        numbers(information.kl_divergence(P[:2], Q[:2])),
        numbers(information.kl_divergence(Q[:2], P[:2])),
    )
    assert (forward > 0).all() and (backward > 0).all() and not np.allclose(forward, backward)


def test_what_q_calls_impossible_costs_infinity():
    assert float(information.kl_divergence([0.5, 0.5], [1.0, 0.0])) == np.inf
    assert float(information.cross_entropy([0.5, 0.5], [1.0, 0.0])) == np.inf


def test_what_p_calls_impossible_costs_nothing():
    assert float(information.kl_divergence([1.0, 0.0], [1.0, 0.0])) == 0.0
    assert float(information.kl_divergence([1.0, 0.0], [0.5, 0.5])) == 1.0


def test_tiny_probabilities_do_not_overflow_the_quotient():
    p, q = np.array([1.0, 0.0], "float16"), np.array([1e-6, 1.0], "float16")
    assert float(information.kl_divergence(p, q, "e")) == pytest.approx(6 * math.log(10), rel=0.01)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_gradients_are_finite_at_zero_probability(mode):
    zero = np.array([0.0, 1.0])
    functions = (
        information.entropy,
        lambda p: information.kl_divergence(p, zero),
        lambda p: information.kl_divergence(p, np.array([0.5, 0.5])),
        lambda p: information.cross_entropy(p, zero),
        lambda q: information.cross_entropy(zero, q),
        lambda q: information.kl_divergence(zero, q),
    )
    for function in functions:
        with backend.execution_mode(mode):
            assert np.isfinite(numbers(backend.compiled(lambda p, f=function: backend.jacobian(f, p))(zero))).all()


def test_the_gradient_of_cross_entropy_by_p_is_minus_log_q_also_where_p_is_zero():
    q = np.array([0.25, 0.75])
    slope = numbers(backend.jacobian(lambda p: information.cross_entropy(p, q, "e"), np.array([0.0, 1.0])))
    np.testing.assert_allclose(slope, -np.log(q), rtol=1e-15)


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled_information_equals_eager(mode):
    for function in (information.kl_divergence, information.cross_entropy):
        with backend.execution_mode(mode):
            compiled = numbers(backend.compiled(function)(P, Q))
        np.testing.assert_allclose(compiled, numbers(function(P, Q)), rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_dtype_of_probabilities_is_kept(dtype):
    p = ops.cast([0.5, 0.25, 0.25], dtype)
    for value in (information.entropy(p), information.self_information(p), information.kl_divergence(p, p)):
        assert keras.backend.standardize_dtype(value.dtype) == dtype
    assert float(information.entropy(p)) == 1.5


def test_a_softmax_in_any_precision_is_accepted_as_a_distribution():
    for dtype in ("float16", "bfloat16", "float32"):
        information.entropy(ops.softmax(ops.cast(np.random.default_rng(0).normal(size=(50, 300)), dtype)))


def test_distributions_may_lie_along_another_axis():
    np.testing.assert_allclose(numbers(information.entropy(P.T, axis=0)), numbers(information.entropy(P)))


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([-0.5, 1.5], r"Received: p with an entry -0.5"),
        ([0.5, 0.25], r"Received: a sum of 0.75"),
        ([np.nan, 1.0], r"Received: p with an entry nan"),
        (1.0, r"Received: p.shape=\(\)"),
    ],
)
def test_what_is_no_distribution_is_refused(p, message):
    with pytest.raises(ValueError, match=message):
        information.entropy(p)


def test_a_negative_probability_is_nan_where_nothing_can_be_raised():
    with backend.execution_mode("xla"):
        assert np.isnan(numbers(backend.compiled(information.entropy)(np.array([-0.5, 1.5]))))


@pytest.mark.parametrize("base", [1, 0.5, "2", "nats"])
def test_a_base_without_a_logarithm_is_refused(base):
    with pytest.raises(ValueError, match="Received: base="):
        information.entropy([0.5, 0.5], base=base)
