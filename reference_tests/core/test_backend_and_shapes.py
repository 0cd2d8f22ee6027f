"""Execution modes, derivatives on any backend, checks at the border, seeds, errors."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core import errors, shapes
from keras_course.core.backend import compiled, execution_mode, gradient, jacobian
from keras_course.core.resources import data_path
from keras_course.core.seeds import derive_seed, stateless_seed


def test_each_mode_really_runs_as_it_says():
    seen = []

    def probe(x):
        seen.append((tf.executing_eagerly(), isinstance(x, tf.Tensor) and not tf.executing_eagerly()))
        return 2 * x

    for mode, eager in (("eager", True), ("graph", False), ("xla", False)):
        seen.clear()
        with execution_mode(mode) as execution:
            assert float(compiled(probe)(ops.convert_to_tensor(3.0))) == 6.0
        assert execution.calls == 1
        assert seen[0][0] is eager


def test_a_loop_compiles_once_and_sees_what_changes():
    traces, variable = [], tf.Variable(1.0)

    def scaled(x, factor):
        traces.append(factor)
        return [factor * x * variable, isinstance(factor, bool)]

    with execution_mode("graph"):
        program = compiled(scaled)
        for value in (1.0, 2.0):
            variable.assign(value)
            assert float(program(ops.convert_to_tensor(3.0), 2)[0]) == 6.0 * value
        assert traces == [2]
        assert not program(ops.convert_to_tensor(3.0), 1)[1] and program(ops.convert_to_tensor(3.0), True)[1]
        assert traces == [2, 1, True]  # equal, but not the same


def test_compiled_traces_tensors_in_nested_arguments_and_fixes_the_rest():
    def weighted(parts, *, scale, table):
        return scale * (parts[0] + parts[1]["b"]) if table == "sum" else None

    arguments = ([np.float32([1, 2]), {"b": ops.ones((2,))}],)
    for mode in ("eager", "graph", "xla"):
        with execution_mode(mode):
            np.testing.assert_array_equal(compiled(weighted)(*arguments, scale=2.0, table="sum"), [4.0, 6.0])


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="Received: mode='fast'"), execution_mode("fast"):
        pass


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_jacobian_and_its_nesting_are_exact_on_a_polynomial(mode):
    x = np.array([1.0, 2.0, -1.0])

    def cubic(z):
        return ops.stack([z[0] ** 3 * z[1], ops.sum(z * z)])

    with execution_mode(mode):
        first = compiled(lambda z: jacobian(cubic, z))(x)
        second = compiled(lambda z: jacobian(lambda y: jacobian(cubic, y), z))(x)
    np.testing.assert_allclose(first, [[6.0, 1.0, 0.0], [2.0, 4.0, -2.0]], rtol=1e-14)
    np.testing.assert_allclose(second[0], [[12.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]], rtol=1e-14)
    np.testing.assert_allclose(second[1], 2 * np.eye(3), rtol=1e-14)


def test_the_jacobian_of_a_constant_is_zero_not_none():
    np.testing.assert_array_equal(jacobian(lambda x: ops.ones((2,), dtype=x.dtype), np.ones(3)), np.zeros((2, 3)))


def test_the_gradient_is_the_jacobian_of_a_scalar_and_knows_no_batch_size():
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])

    def cost(z):
        return ops.sum(z**3)

    np.testing.assert_allclose(gradient(cost, x), 3 * x**2, rtol=1e-14)
    np.testing.assert_allclose(gradient(cost, x), jacobian(cost, x), rtol=1e-14)
    np.testing.assert_array_equal(gradient(lambda z: ops.ones((), dtype=z.dtype), x), np.zeros((3, 2)))
    any_rows = tf.function(lambda z: gradient(cost, z), input_signature=[tf.TensorSpec((None, 2), tf.float64)])
    np.testing.assert_allclose(any_rows(x), 3 * x**2, rtol=1e-14)


def test_border_checks_say_what_was_wanted_and_what_came():
    for check, wanted in (
        (lambda: shapes.require_rank("Layer", (None, 3), 3, 4), "rank 3 or 4. Received: shape=(None, 3)"),
        (lambda: shapes.require_positive_int("Layer", units=0), "units of at least 1. Received: units=0"),
        (lambda: shapes.require_positive_int("Layer", units=True), "Received: units=True"),
        (lambda: shapes.require_one_of("Layer", ("a", "b"), form="c"), "'a', 'b' as form. Received: form='c'"),
        (lambda: shapes.normalize_tuple("Layer", (1, 2, 3), 2, "strides"), "Received: strides=(1, 2, 3)"),
        (lambda: shapes.normalize_tuple("Layer", "ab", 2, "strides"), "Received: strides='ab'"),
        (lambda: shapes.require_features("Layer", (None, 3), 4), "expects 4 features on axis -1"),
    ):
        with pytest.raises(ValueError) as caught:
            check()
        assert wanted in str(caught.value)


def test_derived_seeds_depend_on_the_path_alone():
    seeds = {derive_seed(0, "a"), derive_seed(0, "b"), derive_seed(1, "a"), derive_seed(0, "a", "b")}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derive_seed(0, "conv1", "kernel") == int(hashlib.sha256(b"0/conv1/kernel").hexdigest()[:8], 16) // 2
    assert stateless_seed(0, "a", 3).numpy().tolist() == [derive_seed(0, "a"), 3]


def test_the_data_folder_can_be_named_by_the_environment(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.setenv("KERAS_COURSE_DATA", str(tmp_path))
    assert data_path("digits") == tmp_path / "digits"
    with pytest.raises(errors.MissingDataError, match="nothing-here"):
        data_path("nothing-here")


def test_an_unknown_name_suggests_the_nearest():
    assert "Did you mean 'lenet'?" in str(errors.UnknownSlugError("lennet", ["lenet", "mlp"]))
    assert "mean" not in str(errors.UnknownSlugError("zzz", ["lenet", "mlp"]))
