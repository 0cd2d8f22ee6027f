"""Which Keras backend runs, and in which mode: eager, as a graph, or compiled by XLA.

    compiled(f)(x) = f(x)                     in mode "eager"
                   = tf.function(f)(x)        in mode "graph"
                   = tf.function(f, jit)(x)   in mode "xla" (jax.jit under JAX)

Operations, layers, losses and metrics run on every Keras backend; models and the pipeline need TensorFlow and call
`require_tensorflow`. Tensors among the arguments are traced; everything else is fixed at trace time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_course.core.errors import BackendError

MODES = ("eager", "graph", "xla")


class _Execution:
    """One stretch under one mode; counts the compiled calls made in it."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.calls = 0


_current: ContextVar[_Execution | None] = ContextVar("keras_course_execution", default=None)


@contextmanager
def execution_mode(mode: str) -> Iterator[_Execution]:
    """Sets the mode in which `compiled` functions run.

    Args:
        mode: "eager", "graph" or "xla".

    Yields:
        An object whose `calls` counts the compiled calls made inside.

    Raises:
        ValueError: for another mode.
        BackendError: for "graph" under JAX, which has no graphs without XLA.
    """
    if mode not in MODES:
        raise ValueError(f"execution_mode takes one of {', '.join(MODES)}. Received: mode={mode!r}")
    if mode == "graph" and keras.backend.backend() == "jax":
        raise BackendError("JAX has no graph mode without XLA; use eager or xla.")
    execution = _Execution(mode)
    token = _current.set(execution)
    try:
        yield execution
    finally:
        _current.reset(token)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or keras.ops.is_tensor(value)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, run in the current execution mode.

    A loop that calls what `compiled` returned compiles once: under TensorFlow the program is kept for the same mode and
    the same plain values (JAX would keep the values of variables with it).

    Args:
        function: takes tensors, arrays and plain values in any nesting of lists, tuples and dicts.

    Returns:
        A callable with the same arguments and results.

    Example:
        >>> from keras import ops
        >>> with execution_mode("xla"):
        ...     float(compiled(lambda x, scale: ops.sum(x * scale))(ops.ones((3,)), 2.0))
        6.0
    """

    programs: dict[tuple[str, str], tuple[Any, Callable[..., Any]]] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        execution = _current.get()
        mode = execution.mode if execution else "eager"
        if execution:
            execution.calls += 1
        if mode == "eager":
            return function(*args, **kwargs)

        flat = tree.flatten((args, kwargs))
        traced = [index for index, value in enumerate(flat) if _is_array(value)]

        def on_tensors(*tensors: Any) -> Any:
            values = list(flat)
            for index, tensor in zip(traced, tensors, strict=True):
                values[index] = tensor
            inner_args, inner_kwargs = tree.pack_sequence_as((args, kwargs), values)
            return function(*inner_args, **inner_kwargs)

        tensors = [keras.ops.convert_to_tensor(flat[index]) for index in traced]
        if keras.backend.backend() != "tensorflow":
            return _compile(on_tensors, mode)(*tensors)
        plain = tree.pack_sequence_as((args, kwargs), [... if index in traced else v for index, v in enumerate(flat)])
        key = (mode, repr(plain))
        if key not in programs:
            programs[key] = (plain, _compile(on_tensors, mode))  # plain stays alive, or its repr might be another's
        return programs[key][1](*tensors)

    return call


def arithmetic(example: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a worked example that is plain Python arithmetic (counts, costs): it has no graph and no XLA mode."""
    example.__dict__["arithmetic"] = True
    return example


def is_arithmetic(example: Callable[..., Any]) -> bool:
    """Whether a worked example is marked as `arithmetic`."""
    return bool(getattr(example, "arithmetic", False))


def _compile(function: Callable[..., Any], mode: str) -> Callable[..., Any]:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=mode == "xla", autograph=False)  # type: ignore[no-any-return]
    if backend == "jax":
        import jax

        return jax.jit(function)  # type: ignore[no-any-return, unused-ignore]
    raise BackendError(f"Compiled modes need the TensorFlow or JAX backend. Received: backend={backend!r}")


def add_bias(z: Any, bias: Any) -> Any:
    """z + bias, a number a column; under TensorFlow as the kernel that has a cheap gradient.

    The slope of a plain sum by the bias is a sum over axes that are found at run time: a tenth of a small step.

    Args:
        z: tensor (..., U).
        bias: tensor or variable (U,).

    Returns:
        Tensor (..., U).
    """
    bias = keras.ops.convert_to_tensor(bias)
    if keras.backend.backend() != "tensorflow":
        return z + bias
    import tensorflow as tf

    return tf.nn.bias_add(z, bias)


def require_tensorflow(who: str) -> None:
    """Says plainly that `who` needs TensorFlow.

    Raises:
        BackendError: under any other Keras backend.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise BackendError(
            f"{who} needs the TensorFlow backend; set KERAS_BACKEND=tensorflow before Keras is imported. "
            f"Received: backend={backend!r}"
        )


def jacobian(function: Callable[[Any], Any], x: Any) -> Any:
    """All first derivatives of a tensor function, by reverse accumulation.

    J[..., i] = d f(x)[...] / d x[i], shape (*f(x).shape, *x.shape). Differentiable again: nest it for the Hessian.

    Args:
        function: takes one tensor, returns one tensor.
        x: floating tensor or array, any shape.

    Raises:
        BackendError: on a backend other than TensorFlow and JAX.
    """
    backend = keras.backend.backend()
    x = keras.ops.convert_to_tensor(x)
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = tf.convert_to_tensor(function(x))
            # One gradient an entry: these Jacobians are small, and this runs alike eagerly, as a graph, in XLA, nested.
            entries = tf.unstack(tf.reshape(y, [-1]), num=y.shape.num_elements())
        rows = [tape.gradient(entry, x, unconnected_gradients="zero") for entry in entries]
        return tf.reshape(tf.stack(rows), [*y.shape, *x.shape])
    if backend == "jax":
        import jax

        return jax.jacrev(function)(x)
    raise BackendError(f"jacobian needs the TensorFlow or JAX backend. Received: backend={backend!r}")


def gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """The gradient of a scalar function, by reverse accumulation; sizes of x may be unknown while a graph is traced.

    g[i] = d f(x) / d x[i], shape of x.

    Args:
        function: takes one tensor, returns a scalar tensor.
        x: floating tensor or array, any shape.

    Raises:
        BackendError: on a backend other than TensorFlow and JAX.
    """
    backend = keras.backend.backend()
    x = keras.ops.convert_to_tensor(x)
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x, unconnected_gradients="zero")
    if backend == "jax":
        import jax

        return jax.grad(function)(x)
    raise BackendError(f"gradient needs the TensorFlow or JAX backend. Received: backend={backend!r}")
