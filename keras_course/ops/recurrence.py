"""Whole sequences through a recurrent cell, with the gradient written out: back-propagation through time, fast.

    forward    state_t = step(projected_t, state_{t-1})                      keeps states and gates
    backward   d_t     = dL/d(pre-activations of step t)                     carries dL/dstate alone
    after it   dL/dR   = sum_t h_{t-1}^T d_t = [h_0 ... h_{T-1}]^T [d_1 ... d_T]      one product for all steps

Automatic differentiation adds a weight-sized matrix at every step instead, and keeps every intermediate result. What
the backward pass multiplies its errors by and knows beforehand (an LSTM's i (1 - g^2), ...) is kept ready made.

How a training step runs is chosen by its size and by the machine:
    single kernels       more than 512 units, short or unknown lengths: the products dominate, and use all threads
    one program of XLA   otherwise (`fuses`): short steps are bound by the number of kernels that they start
    several programs     where the work is large and threads are free (`cuts`): XLA works on one core, so the batch is
                         cut into shares, a program each, side by side; the number of threads then decides rounding
    segments             of long sequences, one after the other: the inputs' products x W + b and the errors d_t, four
                         times as wide as the state, live for a segment alone; nothing is kept of the last quarter,
                         which the backward pass begins with, while the most is held, and runs again
Inside a program the kept values take the place of the products x W + b, slice by slice, where they are as wide.

Gradients of gradients differentiate these passes themselves, compiled ones (in a graph) as single kernels. Forward-mode
differentiation works in eager code and where the steps are laid out (`unroll=True`).

Sequences are time-major here, (T, B, ...); inputs that come with a projection, and then the outputs, have their rows
first, (B, T, ...), as layers do, so that only a segment is held the other way round. `mask` (T, B) is true where a step
counts; elsewhere every state stays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_course.core.loops import (
    Steps,
    after,
    fused,
    scan,
    sigmoid_gradient,
    sizes_of,
    tanh_gradient,
    threads_side_by_side,
    unstacked,
)  # fmt: skip

__all__ = ["WRITTEN_OUT", "Transition", "from_all_steps", "fuses", "rnn_sequence", "through"]

FUSED_UNITS, FUSED_LENGTH = 512, 16  # measured up to here: XLA takes 0.4 to 1.0 of the time of single kernels
WORK_OF_A_SHARE, ROWS_OF_A_SHARE, LONGEST_SEGMENT = 10**8, 16, 128
RUN_AGAIN = 4  # one segment of so many, from the last one on


def _relu_gradient(y: Any, dy: Any) -> Any:
    return ops.where(y > 0, dy, ops.zeros_like(dy))


# name: (function, dy -> da from the function's VALUE y)
WRITTEN_OUT: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "tanh": (ops.tanh, tanh_gradient),
    "sigmoid": (ops.sigmoid, sigmoid_gradient),
    "relu": (ops.relu, _relu_gradient),
    "linear": (lambda a: a, lambda y, dy: dy),
}


class Transition(NamedTuple):
    """One cell's step and its transpose.

    forward(projected, states, weights) -> (new states, what to keep)
    backward(kept, old, new, d_new, weights) -> (d_old, [d_projected, ...])      the weights `turned` come transposed
    weight_gradients(h_old, new, kept, [d_projected, ...]) -> one gradient a weight, all steps stacked along rows
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    weight_gradients: Callable[..., Any]
    kept: tuple[int, ...]  # widths
    written: tuple[int, ...]
    history: tuple[int, ...] = (0,)  # numbers of the states that `backward` looks at, h among them
    turned: tuple[int, ...] = (0,)  # once for all steps: d R^T takes a quarter more time where R lies as h R likes it


def fuses(units: int, length: Any) -> bool:
    """Whether a training step of this size is compiled by XLA: few units, a known length worth compiling.

    Args:
        units: int, H.
        length: int T, or anything else where it is unknown.

    Example:
        >>> fuses(32, 50), fuses(1024, 50), fuses(32, None)
        (True, False, False)
    """
    return units <= FUSED_UNITS and isinstance(length, int) and length >= FUSED_LENGTH


def cuts(length: int, batch: Any, products: int) -> tuple[list[tuple[int, Any]], list[tuple[int, int]]]:
    """Where a compiled loop is cut: rows of the batch into a share a core, steps into segments.

    XLA works on one core. Shares are programs side by side, none of less work than a core does in some milliseconds. Of
    a long sequence only the states and gates are kept whole; the inputs' products and the errors live for a segment.

    Args:
        length: int T.
        batch: int B, or anything else where it is unknown: it then stays whole.
        products: int, of a row in a step.

    Returns:
        Lists of (first, last + 1): rows, (0, None) where their number is unknown, and steps.
    """
    shares, known = 1, batch if isinstance(batch, int) else None
    if known is not None:
        shares = min(known // ROWS_OF_A_SHARE, known * length * products // WORK_OF_A_SHARE, threads_side_by_side())

    def even(whole: Any, parts: int) -> list[tuple[int, Any]]:
        if parts < 2:
            return [(0, whole)]
        size = -(-whole // parts)
        return [(first, min(first + size, whole)) for first in range(0, whole, size)]

    return even(known, shares), even(length, -(-length // LONGEST_SEGMENT))


def through(
    cell: Transition,
    inputs: Any,
    states: list[Any],
    weights: list[Any],
    mask: Any,
    projection: tuple[Any, Any] | None = None,
) -> tuple[Any, list[Any]]:
    """Runs a cell over all steps, differentiable by the cell's own backward pass.

    Args:
        cell: the transition.
        inputs: tensor (T, B, G H), what the cell takes of the inputs; with a projection the inputs, (B, T, F).
        states: list of tensors (B, H), h first.
        weights: list of tensors.
        mask: bool tensor (T, B), or None.
        projection: W (F, G H) and b (G H,) or None: the cell takes x W + b.

    Returns:
        Tuple of h of every step, (T, B, H), with a projection (B, T, H), and the list of last states.
    """
    batch_first = projection is not None
    length, batch = sizes_of(inputs)[1::-1] if batch_first else sizes_of(inputs)[:2]
    count, number, width = len(states), len(weights), states[0].shape[-1]
    compile = fused if fuses(width, length) else lambda function, _: function
    columns = projection[0].shape[-1] if projection else inputs.shape[-1]
    rows_of: list[tuple[int, Any]] = [(0, None)]
    steps_of: list[tuple[int, Any]] = [(0, None)]
    if compile is fused and keras.backend.backend() == "tensorflow":
        rows_of, steps_of = cuts(length, batch, width * columns)
    again_from = len(steps_of) - len(steps_of) // RUN_AGAIN

    def forward(x: Any, states: Any, weights: Any, masks: Any, projection: Any, again: bool = False) -> Any:
        inside = projection[1:] if compile is fused else []  # a bias that XLA adds along with the rest of a step
        projected = _project(x, *projection[: 2 - len(inside)]) if projection else x

        def step(old: list[Any], now: list[Any]) -> Any:
            new, kept = cell.forward(now[0] + inside[0] if inside else now[0], old, weights)
            if masks:
                new = [ops.where(now[1], a, b) for a, b in zip(new, old, strict=True)]
            return new, kept

        length, batch, _ = sizes_of(projected)
        shapes = [(batch, width) for width in cell.kept]
        place = {len(shapes) - 1: 0} if compile is fused and cell.kept[-1:] == (columns,) and not again else None
        sequences = [unstacked(projected) if again else projected, *masks]
        return scan(step, states, sequences, shapes, length=length, history=cell.history, overwritten=place)

    def backward(
        d_outputs: Any, d_states: Any, histories: Any, kept: Any, weights: Any, masks: Any, again: bool = False
    ) -> Any:
        first, second = len(kept), len(kept) + len(histories)
        turned = [ops.transpose(each) if k in cell.turned else each for k, each in enumerate(weights)]

        def step(d_new: list[Any], now: list[Any]) -> Any:
            d_output, now, seen = now[0], now[1 : 1 + second + len(histories)], now[1 + second + len(histories) :]
            d_new = [d_new[0] + d_output, *d_new[1:]]
            d_old, written = cell.backward(now[:first], now[first:second], now[second:], d_new, turned)
            if seen:
                d_old = [ops.where(seen[0], a, b) for a, b in zip(d_old, d_new, strict=True)]
                written = [ops.where(seen[0], d, ops.zeros_like(d)) for d in written]
            return d_old, written

        length, batch, _ = sizes_of(d_outputs)
        later = [history.after(1) for history in histories]
        sequences = [unstacked(d_outputs) if again else d_outputs, *kept, *histories, *later, *masks]
        shapes = [(batch, width) for width in cell.written]
        d_states, _, written = scan(step, d_states, sequences, shapes, length=length, reverse=True)
        return d_states, [each.stack() for each in written]

    def compiled_forward(*arguments: Any, again: bool = False) -> Any:
        ends, histories, kept = forward(*arguments, again=again)
        return ends, [each.stack() for each in histories], [each.stack() for each in kept]

    def compiled_backward(
        d_outputs: Any, d_states: Any, histories: Any, kept: Any, weights: Any, masks: Any, again: bool = False
    ) -> Any:
        lists = unstacked if again else Steps
        histories, kept = [lists(each) for each in histories], [lists(each) for each in kept]
        return backward(d_outputs, d_states, histories, kept, weights, masks, again)

    # A second derivative differentiates these two loops themselves, which is cheap where they read lists.
    fast_forward = compile(compiled_forward, partial(compiled_forward, again=True))
    fast_backward = compile(compiled_backward, partial(compiled_backward, again=True))

    def in_turn(results: list[Any]) -> Any:
        """What a segment copies of a whole sequence is made when the one before has come to its results."""
        return after(results if len(steps_of) > 1 else [])

    def part(sequence: Any, steps: tuple[Any, Any], rows: tuple[Any, Any], turned: bool = False) -> Any:
        """Some steps of some rows, steps first; `turned` where the sequence has its rows first."""
        cut = [slice(*at) if len(of) > 1 else slice(None) for at, of in ((steps, steps_of), (rows, rows_of))]
        if cut != [slice(None)] * 2:
            sequence = sequence[tuple(reversed(cut) if turned else cut)]
        return _turned(sequence) if turned else sequence

    def joined(parts: list[list[Any]]) -> Any:
        """The whole of parts, steps first, of each share's segments; rows first where the inputs have them so."""
        parts = [[_turned(each) for each in share] if batch_first else share for share in parts]
        return _joined([_joined(share, int(batch_first)) for share in parts], 1 - int(batch_first))

    def whole(inputs: Any, *arguments: Any) -> Any:
        states, weights = list(arguments[:count]), list(arguments[count : count + number])
        projection = list(arguments[count + number :])  # W and b, W, or none
        pieces: dict[Any, Any] = {}
        ends: list[list[Any]] = []
        for rows in rows_of:
            now = states if len(rows_of) == 1 else [state[rows[0] : rows[1]] for state in states]
            for steps in steps_of:
                with in_turn(now):
                    x = part(inputs, steps, rows, batch_first)
                masks = [] if mask is None else [part(ops.cast(mask, "bool")[:, :, None], steps, rows)]
                first = now
                if compile is fused:
                    now, histories, kept = fast_forward(x, now, weights, masks, projection)
                    histories, kept = [Steps(each) for each in histories], [Steps(each) for each in kept]
                else:
                    now, histories, kept = forward(x, now, weights, masks, projection)
                pieces[rows, steps] = masks, first, histories, kept
            ends.append(now)

        def all_h(rows: Any, steps: Any) -> Any:
            return pieces[rows, steps][2][0].stack()  # (T + 1, B, H)

        outputs = joined([[all_h(rows, steps)[1:] for steps in steps_of] for rows in rows_of])
        if len(pieces) > 1:  # h of all steps is kept once
            for histories in (piece[2] for piece in pieces.values()):
                histories[0] = None
        for rows in rows_of:
            for steps in steps_of[again_from:]:
                pieces[rows, steps] = *pieces[rows, steps][:2], None, None

        def gradient(*upstream: Any) -> Any:
            d_outputs, *d_ends = upstream[0] if len(upstream) == 1 else upstream
            d_weights: list[Any] = []  # of every piece, of the projection's too
            d_inputs, d_states = [], []
            for rows in rows_of:
                d_now = d_ends if len(rows_of) == 1 else [d_end[rows[0] : rows[1]] for d_end in d_ends]
                d_parts: list[Any] = []
                found: list[Any] = []  # gradients of a segment's weights: left to the end, they would hold all errors
                for steps in reversed(steps_of):
                    masks, first, histories, kept = pieces[rows, steps]
                    with in_turn([*d_now, *found]):
                        x, d_output = (part(each, steps, rows, batch_first) for each in (inputs, d_outputs))
                        if histories is None:
                            _, histories, kept = fast_forward(x, first, weights, masks, projection)
                            histories, kept = [Steps(each) for each in histories], [Steps(each) for each in kept]
                        elif histories[0] is None:
                            whole_h = _joined([first[0][None], part(outputs, steps, rows, batch_first)], 0)
                            histories = [Steps(whole_h), *histories[1:]]
                    if compile is fused:
                        tensors = [each.values for each in histories], [each.values for each in kept]
                        d_now, written = fast_backward(d_output, d_now, *tensors, weights, masks)
                    else:
                        d_now, written = backward(d_output, d_now, histories, kept, weights, masks)
                    found = cell.weight_gradients(
                        _rows(histories[0].stack()[:-1]),
                        lambda k, histories=histories: _rows(histories[k].after(1).stack()),
                        lambda k, histories=histories: _rows(histories[k].stack()[:-1]),
                        lambda k, kept=kept: _rows(kept[k].stack()),
                        [_rows(each) for each in written],
                    )
                    if not projection:
                        d_parts.insert(0, written[0])
                    else:
                        d = _rows(written[0])
                        found = [*found, from_all_steps(_rows(x), d)]
                        found += [] if len(projection) == 1 else [_sum_of_rows(d)]
                        d_parts.insert(0, ops.reshape(ops.matmul(d, ops.transpose(projection[0])), sizes_of(x)))
                    d_weights.append(found)
                d_inputs.append(d_parts)
                d_states.append(d_now)
            sums = [sum(each[1:], start=each[0]) for each in zip(*d_weights, strict=True)]
            return (joined(d_inputs), *(_joined(list(each), 0) for each in zip(*d_states, strict=True)), *sums)

        return (outputs, *(_joined(list(each), 0) for each in zip(*ends, strict=True))), gradient

    # Copies, because a variable among them would want a gradient of its own.
    copies = [ops.copy(each) for each in (*weights, *(projection or ())) if each is not None]
    outputs, *ends = ops.custom_gradient(whole)(inputs, *states, *copies)
    return outputs, ends


def _project(x: Any, kernel: Any, bias: Any = None) -> Any:
    flat = ops.matmul(_rows(x), kernel)
    flat = flat if bias is None else flat + bias
    return ops.reshape(flat, (*sizes_of(x)[:-1], kernel.shape[-1]))


def _turned(steps: Any) -> Any:
    return ops.transpose(steps, (1, 0, 2))  # (T, B, width) to (B, T, width), and back


def _rows(steps: Any) -> Any:
    return ops.reshape(steps, (-1, steps.shape[-1]))  # (T B, width)


def _sum_of_rows(a: Any) -> Any:
    """As a product, which takes a quarter of the time of a sum over the first axis."""
    return ops.matmul(ops.reshape(ops.ones_like(a[:, :1]), (1, -1)), a)[0]


def _joined(parts: list[Any], axis: int) -> Any:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=axis)


def from_all_steps(a: Any, b: Any) -> Any:
    """a^T b, the sum over all rows of both: what a weight's copies add up to."""
    return ops.matmul(ops.transpose(a), b)


def rnn_sequence(
    projected: Any, h: Any, recurrent_kernel: Any, activation: str = "tanh", mask: Any = None, projection: Any = None
) -> tuple[Any, list[Any]]:
    """A simple recurrent layer over all steps: h_t = f(projected_t + h_{t-1} W).

    backward: d_t = f'(a_t) * dL/dh_t,  dL/dh_{t-1} = d_t W^T

    Args:
        projected: tensor (T, B, H), x U + b of all steps.
        h: tensor (B, H), state before the first.
        recurrent_kernel: tensor (H, H), W.
        activation: a name in WRITTEN_OUT.
        mask: bool tensor (T, B), or None.
        projection: None, or U (F, H) and b (H,) or None; `projected` is then x (T, B, F), and the products are formed
            along with the loop.

    Returns:
        Tuple of h of all steps (T, B, H) and [last h].

    Example:
        >>> from keras import ops
        >>> outputs, (last,) = rnn_sequence(ops.ones((3, 2, 4)), ops.zeros((2, 4)), ops.eye(4), "linear")
        >>> float(last[0, 0])
        3.0

    Source: C 10.3, 12.1.
    """
    function, derivative = WRITTEN_OUT[activation]

    def forward(a: Any, states: list[Any], weights: list[Any]) -> Any:
        return [function(a + ops.matmul(states[0], weights[0]))], []

    def backward(kept: Any, old: Any, new: Any, d_new: Any, weights: Any) -> Any:
        d = derivative(new[0], d_new[0])
        return [ops.matmul(d, weights[0])], [d]

    def weight_gradients(h_old: Any, new: Any, old: Any, kept: Any, written: Any) -> Any:
        return [from_all_steps(h_old, written[0])]

    units = h.shape[-1]
    return through(
        Transition(forward, backward, weight_gradients, (), (units,)),
        projected,
        [h],
        [recurrent_kernel],
        mask,
        projection,
    )
