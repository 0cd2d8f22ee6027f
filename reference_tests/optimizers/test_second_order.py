"""Newton and conjugate gradients: exact on quadratics, honest elsewhere, results like tfp.optimizer's."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.optimizers import conjugate_gradient_minimize, newton_minimize
from keras_course.optimizers.conjugate_gradient import ConjugateGradientResults
from keras_course.optimizers.newton import NewtonResults


def quadratic(dimensions, condition=50.0, seed=0):
    """(function with gradient, minimum) of a random quadratic, eigenvalues from 1 to condition."""
    draws = np.random.Generator(np.random.Philox(seed))
    q, _ = np.linalg.qr(draws.normal(size=(dimensions, dimensions)))
    matrix = q @ np.diag(np.geomspace(1.0, condition, dimensions)) @ q.T
    least = draws.normal(size=dimensions)
    a, b = tf.constant(matrix), tf.constant(matrix @ least)

    def function(x):
        bent = tf.linalg.matvec(a, x)
        return tf.reduce_sum(x * bent) / 2 - tf.reduce_sum(b * x), bent - b

    return function, least, draws.normal(size=dimensions)


def rosenbrock(x):
    return tfp.math.value_and_gradient(lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, x)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5, 8])
def test_newton_takes_one_step_on_a_quadratic(dimensions):
    function, least, start = quadratic(dimensions)
    found = newton_minimize(function, start)
    assert bool(found.converged) and int(found.num_iterations) == 1
    assert found.position.numpy() == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("rule", ["fletcher-reeves", "polak-ribiere"])
@pytest.mark.parametrize("dimensions", [1, 2, 3, 5, 8])
def test_conjugate_gradients_take_at_most_k_steps_on_a_quadratic_of_k_dimensions(dimensions, rule):
    function, least, start = quadratic(dimensions)
    steepest = float(tf.reduce_max(tf.abs(function(tf.constant(start))[1])))
    found = conjugate_gradient_minimize(function, start, tolerance=1e-9 * steepest, rule=rule)
    assert bool(found.converged) and int(found.num_iterations) <= dimensions
    assert found.position.numpy() == pytest.approx(least, abs=1e-7)


def test_steepest_descent_would_need_many_more_steps():
    function, _, start = quadratic(5)
    x = tf.constant(start)
    for _ in range(25):
        gradient = function(x)[1]
        bend = function(x + gradient)[1] - gradient  # H g, since the gradient is linear
        x -= tf.reduce_sum(gradient**2) / tf.reduce_sum(gradient * bend) * gradient
    assert float(tf.reduce_max(tf.abs(function(x)[1]))) > 1e-4


def test_conjugate_gradients_never_form_a_matrix():
    """No tensor of n x n elements anywhere in the graph, loop bodies included."""
    n = 37
    weights = tf.linspace(tf.constant(1.0, tf.float64), 9.0, n)

    def function(x):
        return tfp.math.value_and_gradient(lambda p: tf.reduce_sum(weights * p**2) + tf.reduce_sum(p**4), x)

    @tf.function(autograph=False)
    def minimise(start):
        return conjugate_gradient_minimize(function, start).position

    graph = minimise.get_concrete_function(tf.TensorSpec((n,), tf.float64)).graph.as_graph_def(add_shapes=True)
    nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
    sizes = [
        [dimension.size for dimension in shape.dim]
        for node in nodes for shape in node.attr["_output_shapes"].list.shape
    ]  # fmt: skip
    assert [n] in sizes
    assert max(int(np.prod([max(size, 1) for size in shape])) for shape in sizes) <= 2 * n
    with_matrix = tf.function(lambda x: newton_minimize(function, x).position, autograph=False)
    graph = with_matrix.get_concrete_function(tf.TensorSpec((n,), tf.float64)).graph.as_graph_def(add_shapes=True)
    assert any(
        [d.size for d in shape.dim] == [n, n]
        for one in graph.library.function for node in one.node_def
        for shape in node.attr["_output_shapes"].list.shape
    )  # fmt: skip


@pytest.mark.parametrize("minimise", [newton_minimize, conjugate_gradient_minimize], ids=lambda f: f.__name__)
def test_the_valley_of_rosenbrock_ends_where_scipy_ends(minimise):
    found = minimise(rosenbrock, tf.constant([-1.2, 1.0], tf.float64), max_iterations=200)
    scipy_found = scipy.optimize.minimize(scipy.optimize.rosen, [-1.2, 1.0], jac=scipy.optimize.rosen_der, method="CG")
    assert bool(found.converged) and not bool(found.failed)
    assert found.position.numpy() == pytest.approx(scipy_found.x, abs=1e-4)
    assert found.position.numpy() == pytest.approx([1.0, 1.0], abs=1e-7)


def test_results_have_the_fields_of_tfp_in_their_order():
    peer = tfp.optimizer.bfgs_minimize(rosenbrock, tf.constant([-1.2, 1.0], tf.float64))
    shared = peer._fields[:7]
    assert ConjugateGradientResults._fields == shared
    assert NewtonResults._fields[:7] == shared
    ours = conjugate_gradient_minimize(rosenbrock, tf.constant([-1.2, 1.0], tf.float64), max_iterations=200)
    for name in shared:
        mine, theirs = getattr(ours, name), getattr(peer, name)
        assert mine.dtype == theirs.dtype and mine.shape == theirs.shape, name


def test_every_call_of_the_function_is_counted():
    calls = []

    def counted(x):
        calls.append(1)
        return rosenbrock(x)

    for minimise in (newton_minimize, conjugate_gradient_minimize):
        calls.clear()
        found = minimise(counted, tf.constant([-1.2, 1.0], tf.float64), max_iterations=3)
        assert int(found.num_iterations) == 3
        assert int(found.num_objective_evaluations) == len(calls)


@pytest.mark.parametrize("minimise", [newton_minimize, conjugate_gradient_minimize], ids=lambda f: f.__name__)
def test_eager_graph_and_xla_end_at_the_same_point(minimise):
    function, least, start = quadratic(4)
    for options in ({}, {"jit_compile": True}):
        compiled = tf.function(lambda x: minimise(function, x), autograph=False, **options)
        found = compiled(tf.constant(start))
        assert bool(found.converged)
        assert found.position.numpy() == pytest.approx(least, abs=1e-7)


def test_newton_ends_on_a_saddle_where_conjugate_gradients_go_down():
    def wells(x):
        return tfp.math.value_and_gradient(lambda p: p[0] ** 4 / 4 - p[0] ** 2 / 2 + p[1] ** 2 / 2, x)

    start = tf.constant([0.3, 0.5], tf.float64)
    newton, conjugate = newton_minimize(wells, start), conjugate_gradient_minimize(wells, start)
    assert bool(newton.converged) and bool(conjugate.converged)
    assert newton.position.numpy() == pytest.approx([0.0, 0.0], abs=1e-8)
    assert np.linalg.eigvalsh(newton.objective_hessian.numpy())[0] == pytest.approx(-1.0)
    assert np.abs(conjugate.position.numpy()) == pytest.approx([1.0, 0.0], abs=1e-7)


def test_a_singular_hessian_is_a_failure_and_not_a_guess():
    flat = lambda x: tfp.math.value_and_gradient(lambda p: (p[0] + p[1]) ** 2, x)  # noqa: E731
    found = newton_minimize(flat, tf.constant([1.0, 2.0]))
    assert bool(found.failed) and not bool(found.converged)
    assert found.position.numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("minimise", [newton_minimize, conjugate_gradient_minimize], ids=lambda f: f.__name__)
def test_a_start_outside_the_domain_is_a_failure(minimise):
    found = minimise(lambda x: tfp.math.value_and_gradient(lambda p: tf.reduce_sum(tf.sqrt(p)), x), [-1.0, 1.0])
    assert bool(found.failed) and not bool(found.converged)
    assert int(found.num_iterations) == 0


def test_conjugate_gradients_step_back_from_the_edge_of_the_domain():
    def barrier(x):
        return tfp.math.value_and_gradient(lambda p: tf.reduce_sum(20 * p - tf.math.log(p)), x)

    found = conjugate_gradient_minimize(barrier, tf.constant([1.0, 0.2], tf.float64), max_iterations=100)
    assert bool(found.converged)
    assert found.position.numpy() == pytest.approx([0.05, 0.05], abs=1e-7)


@pytest.mark.parametrize("minimise", [newton_minimize, conjugate_gradient_minimize], ids=lambda f: f.__name__)
def test_a_start_at_the_minimum_takes_no_step(minimise):
    found = minimise(rosenbrock, tf.constant([1.0, 1.0], tf.float64))
    assert bool(found.converged) and int(found.num_iterations) == 0


@pytest.mark.parametrize("minimise", [newton_minimize, conjugate_gradient_minimize], ids=lambda f: f.__name__)
def test_a_start_that_is_no_vector_and_a_negative_tolerance_are_refused(minimise):
    with pytest.raises(ValueError, match=r"rank 1. Received: shape=\(1, 2\)"):
        minimise(rosenbrock, [[1.0, 1.0]])
    with pytest.raises(ValueError, match="Received: tolerance=-1"):
        minimise(rosenbrock, [1.0, 1.0], tolerance=-1)


def test_an_unknown_rule_is_refused_with_its_name():
    with pytest.raises(ValueError, match="Received: rule='hestenes'"):
        conjugate_gradient_minimize(rosenbrock, [1.0, 1.0], rule="hestenes")
