"""Loops over time that keep only what is asked for, on every backend.

    for t = 0 ... T - 1:  state, out = step(state, [sequence[t] for sequence in sequences])

`keras.ops.scan` under TensorFlow holds its state in tensor arrays, stacks as many outputs as there are states, and
cannot hand a kept value to another loop without copying it: a tenth of a recurrent layer's time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from keras_course.core.errors import BackendError


class Steps:
    """One value a step of a loop, kept as the loop made them: read by another `scan`, or stacked into a tensor.

    Args:
        values: a tensor (T, ...), a list of tensors, or a TensorFlow list handle.
        shape: shape of one value, sizes or scalar tensors.
        dtype: of the values.
        offset: index of the value that belongs to step 0.
    """

    def __init__(self, values: Any, shape: Any = (), dtype: Any = None, offset: int = 0) -> None:
        self.values, self.shape, self.dtype, self.offset = values, shape, dtype, offset

    def after(self, count: int) -> Steps:
        """The same values, step t now naming the one `count` steps later."""
        return Steps(self.values, self.shape, self.dtype, self.offset + count)

    def stack(self) -> Any:
        """All values along a new first axis, those before `offset` left out."""
        values = self.values
        if isinstance(values, list):
            empty = keras.ops.zeros((0, *self.shape), self.dtype)
            values = keras.ops.stack(values) if values else empty
        elif _is_handle(values):
            import tensorflow as tf

            static = [size if isinstance(size, int) else None for size in self.shape]
            values = tf.raw_ops.TensorListStack(
                input_handle=values, element_shape=_as_tensor(self.shape), element_dtype=self.dtype, num_elements=-1
            )
            values.set_shape([None, *static])
        return values[self.offset :] if self.offset else values

    def read(self, index: Any) -> Any:
        """The value of one step."""
        if _is_handle(self.values):
            import tensorflow as tf

            item = tf.raw_ops.TensorListGetItem(
                input_handle=self.values, index=index + self.offset, element_shape=_as_tensor(self.shape),
                element_dtype=self.dtype,
            )  # fmt: skip
            item.set_shape([size if isinstance(size, int) else None for size in self.shape])
            return item
        return self.values[index + self.offset]


def _is_handle(values: Any) -> bool:
    return keras.backend.backend() == "tensorflow" and getattr(values, "dtype", None) == "variant"


def _as_tensor(shape: Any) -> Any:
    import tensorflow as tf

    return tf.stack(shape) if len(shape) else tf.zeros([0], "int32")  # of nothing stack makes floats


def sizes_of(tensor: Any) -> tuple[Any, ...]:
    """The shape of a tensor: ints where they are known, scalar tensors where they are not."""
    return tuple(keras.ops.shape(tensor))


def scan(
    step: Callable[[Any, list[Any]], tuple[Any, Any]],
    state: Any,
    sequences: list[Any],
    outputs: list[Any],
    *,
    length: Any,
    history: tuple[int, ...] = (),
    reverse: bool = False,
    unroll: bool = False,
    overwritten: Mapping[int, int] | None = None,
) -> tuple[list[Any], list[Steps], list[Steps]]:
    """A loop over the first axis that keeps what is asked for and nothing else.

    for t = 0 ... T - 1 (or back):  state, out = step(state, [sequence[t] for sequence in sequences])

    Under TensorFlow it is a while loop over tensor lists, eager or unrolled a Python loop; under JAX it is lax.scan. It
    can be differentiated, by automatic accumulation, through everything but sequences that came as plain tensors in a
    graph: pass `unstacked(tensor)` for those (or bring the gradient along).

    Args:
        step: takes the list of states and one slice a sequence; returns new states and a list of tensors to keep.
        state: list of tensors.
        sequences: tensors (T, ...) or `Steps`.
        outputs: shape of each tensor to keep, in the order of `step`; they have the dtype of the first state.
        length: T, an int, or a scalar tensor where it is unknown.
        history: numbers of the states whose values before and after every step are kept, T + 1 of them.
        reverse: whether to run from the last step to the first.
        unroll: whether to lay all steps out in the graph; needs a known length.
        overwritten: {number of a kept output: number of the sequence, a tensor, whose memory it may take, slice by
            slice}. It saves compiled loops of XLA a tensor, and the zeros to fill it with; other loops do not look.

    Returns:
        (last states, history, kept outputs).
    """
    state = list(state)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if not (unroll or tf.executing_eagerly()):
            return _while_loop(step, state, sequences, outputs, length, history, reverse, overwritten or {})
    if backend == "jax" and not unroll:
        return _lax_scan(step, state, sequences, history, reverse)
    kept: list[list[Any]] = [[None] * int(length) for _ in outputs]
    states = [[state[k]] for k in history]
    readers = [one if isinstance(one, Steps) else Steps(one) for one in sequences]
    order = range(int(length))
    for t in reversed(order) if reverse else order:
        state, values = step(state, [reader.read(t) for reader in readers])
        for values_kept, value in zip(kept, values, strict=True):
            values_kept[t] = value
        for states_kept, k in zip(states, history, strict=True):
            states_kept.append(state[k])
    dtype = state[0].dtype
    return (
        list(state),
        [Steps(values, sizes_of(values[0]), dtype) for values in states],
        [Steps(values, shape, dtype) for values, shape in zip(kept, outputs, strict=True)],
    )


def unstacked(tensor: Any) -> Steps:
    """A tensor (T, ...) as `Steps`, so that `scan` can be differentiated through it at no great cost."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            shape = sizes_of(tensor)[1:]
            handle = tf.raw_ops.TensorListFromTensor(tensor=tensor, element_shape=_as_tensor(shape))
            return Steps(handle, shape, tensor.dtype)
    return Steps(tensor, sizes_of(tensor)[1:], tensor.dtype)


def _while_loop(
    step: Any,
    state: list[Any],
    sequences: list[Any],
    outputs: list[Any],
    length: Any,
    history: Any,
    reverse: bool,
    overwritten: Mapping[int, int],
) -> tuple[list[Any], list[Steps], list[Steps]]:
    import tensorflow as tf

    dtype = state[0].dtype
    shapes = [sizes_of(state[k]) for k in history]

    def reserved(shape: Any, count: Any) -> Any:
        return tf.raw_ops.TensorListReserve(element_shape=_as_tensor(shape), num_elements=count, element_dtype=dtype)

    def written(handle: Any, index: Any, item: Any) -> Any:
        return tf.raw_ops.TensorListSetItem(input_handle=handle, index=index, item=item)

    def read(sequence: Any, t: Any, begin: Any) -> Any:
        if isinstance(sequence, Steps) and _is_handle(sequence.values):
            return sequence.read(t)
        offset, tensor = (sequence.offset, sequence.values) if isinstance(sequence, Steps) else (0, sequence)
        begin = begin + offset if offset else begin
        return tf.strided_slice(tensor, begin, begin + 1, shrink_axis_mask=1)  # a view, no copy

    def body(t: Any, state: Any, kept: Any, states: Any) -> Any:
        begin = tf.reshape(t, [1])
        now = list(sequences)
        for k, number in overwritten.items():  # read before it is written
            now[number] = Steps(kept[k], outputs[k], dtype)
        new, values = step(list(state), [read(sequence, t, begin) for sequence in now])
        for value, old in zip(new, state, strict=True):
            value.set_shape(old.shape)
        kept = [written(handle, t, value) for handle, value in zip(kept, values, strict=True)]
        states = [written(handle, t + 1, new[k]) for handle, k in zip(states, history, strict=True)]
        return (t - 1 if reverse else t + 1), list(new), kept, states

    kept = [reserved(shape, length) for k, shape in enumerate(outputs) if k not in overwritten]
    for k in sorted(overwritten):
        kept.insert(k, unstacked(sequences[overwritten[k]]).values)
    states = [written(reserved(shape, length + 1), 0, state[k]) for shape, k in zip(shapes, history, strict=True)]
    start = tf.convert_to_tensor(length - 1 if reverse else 0, "int32")
    condition = (lambda t, *_: t >= 0) if reverse else (lambda t, *_: t < length)
    _, state, kept, states = tf.while_loop(
        condition,
        body,
        (start, state, kept, states),
        maximum_iterations=length,  # XLA differentiates bounded loops only
    )
    return (
        list(state),
        [Steps(handle, shape, dtype) for handle, shape in zip(states, shapes, strict=True)],
        [Steps(handle, shape, dtype) for handle, shape in zip(kept, outputs, strict=True)],
    )


def _lax_scan(
    step: Any, state: list[Any], sequences: list[Any], history: Any, reverse: bool
) -> tuple[list[Any], list[Steps], list[Steps]]:
    import jax

    def body(state: Any, slices: Any) -> Any:
        new, values = step(list(state), list(slices))
        return list(new), (list(values), [new[k] for k in history])

    length = min((s.stack() if isinstance(s, Steps) else s).shape[0] for s in sequences)
    arrays = [(s.stack() if isinstance(s, Steps) else s)[:length] for s in sequences]
    first = [state[k] for k in history]
    state, (kept, states) = jax.lax.scan(body, state, arrays, reverse=reverse)
    whole = [keras.ops.concatenate([one[None], rest]) for one, rest in zip(first, states, strict=True)]
    return list(state), [Steps(each) for each in whole], [Steps(each) for each in kept]


def fused(function: Callable[..., Any], differentiated: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """`function` of tensors, compiled by XLA inside the graph that calls it; as it is in eager code and under JAX.

    What automatic differentiation would keep of a loop are lists, and no list leaves a program of XLA. Where a gradient
    is asked for, the program is therefore run once more, in single kernels, and that run is differentiated.

    Args:
        function: takes and returns nested tensors.
        differentiated: the same function in a form that is cheap to differentiate; `function` itself if None.

    Raises:
        BackendError: of a call inside a graph, if forward-mode differentiation watches its arguments.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    if tf.executing_eagerly():
        return function
    program = tf.function(function, jit_compile=True, autograph=False)

    def call(*arguments: Any) -> Any:
        returned: list[Any] = []
        done = False

        def run(*tensors: Any) -> Any:
            # No tape looks inside: under two of them the program would hand out its lists at once.
            hidden = tf.nest.pack_sequence_as(arguments, [tf.stop_gradient(each) for each in tensors])
            returned.append(program(*hidden))

            def gradient(*upstream: Any) -> list[Any]:
                if not done:  # no tape is as early as that
                    raise BackendError(
                        "tf.autodiff.ForwardAccumulator does not pass through a loop inside tf.function. "
                        "Run the layer with unroll=True, or eagerly, or take reverse-mode gradients of gradients."
                    )
                sources = [each for each in tensors if each.dtype.is_floating]
                with tf.GradientTape() as tape:
                    tape.watch(sources)
                    again = (differentiated or function)(*tf.nest.pack_sequence_as(arguments, tensors))
                found = iter(tape.gradient(tf.nest.flatten(again), sources, upstream, unconnected_gradients="zero"))
                return [next(found) if each.dtype.is_floating else None for each in tensors]

            return tf.nest.flatten(returned[0]), gradient

        # Of the graph at hand, which need not be where they were made: its own gradient may be a third graph.
        outputs = tf.custom_gradient(run)(*[tf.identity(each) for each in tf.nest.flatten(arguments)])
        done = True
        return tf.nest.pack_sequence_as(returned[0], outputs)

    return call


def after(tensors: list[Any]) -> AbstractContextManager[Any]:
    """What is made inside a TensorFlow graph waits for these tensors, and takes no memory before; nothing elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    return tf.control_dependencies(tensors)  # type: ignore[no-any-return]


def threads_side_by_side() -> int:
    """How many compiled programs of one graph run at once: TensorFlow's threads between operations, or the cores.

    1 in eager code, where a GPU does the work, and under JAX.
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    if tf.executing_eagerly() or tf.config.list_logical_devices("GPU"):
        return 1
    asked = tf.config.threading.get_inter_op_parallelism_threads() or int(os.environ.get("TF_NUM_INTEROP_THREADS", 0))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(asked, cores) if asked > 0 else cores


def traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of tensors as one graph, in eager code too, where a loop of many steps is slow; as it is under JAX."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, autograph=False)  # type: ignore[no-any-return]


def sigmoid_gradient(y: Any, dy: Any) -> Any:
    """dy y (1 - y): what flows back through y = sigmoid(a), as one kernel where there is one."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops.SigmoidGrad(y=y, dy=dy)
    return dy * y * (1 - y)


def tanh_gradient(y: Any, dy: Any) -> Any:
    """dy (1 - y^2): what flows back through y = tanh(a), as one kernel where there is one."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops.TanhGrad(y=y, dy=dy)
    return dy * (1 - y * y)


def while_loop(condition: Callable[..., Any], body: Callable[..., Any], state: Any) -> Any:
    """A loop that runs as long as a condition holds, over a nested state; no gradient is wanted through it.

    while condition(*state):  state = body(*state)

    `keras.ops.while_loop` under TensorFlow refuses a body that loses what is known of a shape, as most do where the
    batch size is not known; here every tensor keeps the shape that it came with.

    Args:
        condition: takes the parts of the state; returns a bool, or a scalar bool tensor.
        body: takes them; returns as many, nested alike, each of the shape and dtype that came.
        state: tuple or list of nested tensors.

    Returns:
        The last state, a tuple.
    """
    start = keras.tree.map_structure(keras.ops.convert_to_tensor, tuple(state))
    if keras.backend.backend() != "tensorflow":
        return tuple(keras.ops.while_loop(condition, lambda *now: tuple(body(*now)), start))

    import tensorflow as tf

    def shaped(*now: Any) -> Any:
        new = tuple(body(*now))
        keras.tree.map_structure(lambda value, old: value.set_shape(old.shape), new, now)
        return new

    return tuple(tf.while_loop(condition, shaped, start))
