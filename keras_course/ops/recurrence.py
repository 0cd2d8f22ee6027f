"""Whole sequences through a recurrent cell, with the gradient written out: back-propagation through time, fast.

    forward    state_t = step(projected_t, state_{t-1})                      keeps states and gates
    backward   d_t     = dL/d(pre-activations of step t)                     carries dL/dstate alone
    after it   dL/dR   = sum_t h_{t-1}^T d_t = [h_0 ... h_{T-1}]^T [d_1 ... d_T]      one product for all steps

Automatic differentiation adds a weight-sized matrix at every step instead, and keeps every intermediate result. Short
steps are bound by the number of kernels that they start: XLA fuses those, wherever `fuses` says so.

Sequences are time-major here, (T, B, ...). `mask` (T, B) is true where a step counts; elsewhere every state stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from keras_course.core.loops import Steps, fused, scan, sigmoid_gradient, sizes_of, tanh_gradient

__all__ = ["WRITTEN_OUT", "Transition", "from_all_steps", "fuses", "rnn_sequence", "through"]

FUSED_UNITS, FUSED_LENGTH = 512, 16  # measured up to here: XLA takes 0.4 to 1.0 of the time of single kernels


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
    backward(kept, old, new, d_new, weights) -> (d_old, [d_projected, ...])
    weight_gradients(h_old, new, kept, [d_projected, ...]) -> one gradient a weight, all steps stacked along rows
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    weight_gradients: Callable[..., Any]
    kept: tuple[int, ...]  # widths
    written: tuple[int, ...]


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


def through(
    cell: Transition, projected: Any, states: list[Any], weights: list[Any], mask: Any
) -> tuple[Any, list[Any]]:
    """Runs a cell over all steps, differentiable by the cell's own backward pass.

    Args:
        cell: the transition.
        projected: tensor (T, B, G H).
        states: list of tensors (B, H), h first.
        weights: list of tensors.
        mask: bool tensor (T, B), or None.

    Returns:
        Tuple of h of every step (T, B, H) and the list of last states.
    """
    length, batch, _ = sizes_of(projected)
    count = len(states)
    compile = fused if fuses(states[0].shape[-1], length) else lambda function: function
    masks = [] if mask is None else [ops.cast(mask, "bool")[:, :, None]]

    def forward(projected: Any, states: list[Any], weights: list[Any], masks: list[Any]) -> Any:
        def step(old: list[Any], now: list[Any]) -> Any:
            new, kept = cell.forward(now[0], old, weights)
            if masks:
                new = [ops.where(now[1], a, b) for a, b in zip(new, old, strict=True)]
            return new, kept

        shapes = [(batch, width) for width in cell.kept]
        return scan(step, states, [projected, *masks], shapes, length=length, history=tuple(range(count)))

    def backward(d_outputs: Any, d_states: list[Any], histories: Any, kept: Any, weights: Any, masks: Any) -> Any:
        def step(d_new: list[Any], now: list[Any]) -> Any:
            d_output, now = now[0], now[1:]
            saved, old, new = now[: len(kept)], now[len(kept) :][:count], now[len(kept) + count :]
            d_new = [d_new[0] + d_output, *d_new[1:]]
            d_old, written = cell.backward(saved, old, new[:count], d_new, weights)
            if masks:
                d_old = [ops.where(new[count], a, b) for a, b in zip(d_old, d_new, strict=True)]
                written = [ops.where(new[count], d, ops.zeros_like(d)) for d in written]
            return d_old, written

        after = [history.after(1) for history in histories]
        sequences = [d_outputs, *kept, *histories, *after, *masks]
        shapes = [(batch, width) for width in cell.written]
        d_states, _, written = scan(step, d_states, sequences, shapes, length=length, reverse=True)
        return d_states, [each.stack() for each in written]

    def compiled_forward(projected: Any, states: list[Any], weights: list[Any], masks: list[Any]) -> Any:
        ends, histories, kept = forward(projected, states, weights, masks)
        return ends, [each.stack() for each in histories], [each.stack() for each in kept]

    def compiled_backward(d_outputs: Any, d_states: Any, histories: Any, kept: Any, weights: Any, masks: Any) -> Any:
        steps = [Steps(each) for each in histories]
        return backward(d_outputs, d_states, steps, [Steps(each) for each in kept], weights, masks)

    def whole(projected: Any, *arguments: Any) -> Any:
        states, weights = list(arguments[:count]), list(arguments[count:])
        if compile is fused:
            ends, histories, kept = compile(compiled_forward)(projected, states, weights, masks)
            histories, kept = [Steps(each) for each in histories], [Steps(each) for each in kept]
        else:
            ends, histories, kept = forward(projected, states, weights, masks)
        all_h = histories[0].stack()  # (T + 1, B, H)

        def gradient(*upstream: Any) -> Any:
            d_outputs, *d_ends = upstream[0] if len(upstream) == 1 else upstream
            if compile is fused:
                tensors = [each.values for each in histories], [each.values for each in kept]
                d_states, written = compile(compiled_backward)(d_outputs, d_ends, *tensors, weights, masks)
            else:
                d_states, written = backward(d_outputs, d_ends, histories, kept, weights, masks)

            def rows(steps: Any) -> Any:
                return ops.reshape(steps, (-1, steps.shape[-1]))  # (T B, width)

            d_weights = cell.weight_gradients(
                rows(all_h[:-1]),
                lambda k: rows(histories[k].after(1).stack()),
                lambda k: rows(histories[k].stack()[:-1]),
                lambda k: rows(kept[k].stack()),
                [rows(each) for each in written],
            )
            return (written[0], *d_states, *d_weights)

        return (all_h[1:], *ends), gradient

    weights = [ops.copy(weight) for weight in weights]  # a variable among them would want a gradient of its own
    outputs, *ends = ops.custom_gradient(whole)(projected, *states, *weights)
    return outputs, ends


def from_all_steps(a: Any, b: Any) -> Any:
    """a^T b, the sum over all rows of both: what a weight's copies add up to."""
    return ops.matmul(ops.transpose(a), b)


def rnn_sequence(
    projected: Any, h: Any, recurrent_kernel: Any, activation: str = "tanh", mask: Any = None
) -> tuple[Any, list[Any]]:
    """A simple recurrent layer over all steps: h_t = f(projected_t + h_{t-1} W).

    backward: d_t = f'(a_t) * dL/dh_t,  dL/dh_{t-1} = d_t W^T

    Args:
        projected: tensor (T, B, H), x U + b of all steps.
        h: tensor (B, H), state before the first.
        recurrent_kernel: tensor (H, H), W.
        activation: a name in WRITTEN_OUT.
        mask: bool tensor (T, B), or None.

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
        return [ops.matmul(d, ops.transpose(weights[0]))], [d]

    def weight_gradients(h_old: Any, new: Any, old: Any, kept: Any, written: Any) -> Any:
        return [from_all_steps(h_old, written[0])]

    units = h.shape[-1]
    return through(
        Transition(forward, backward, weight_gradients, (), (units,)), projected, [h], [recurrent_kernel], mask
    )
