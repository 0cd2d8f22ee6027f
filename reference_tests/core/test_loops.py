"""Loops over time: numbers without a shape are states and outputs as tensors are."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.loops import scan, unstacked


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
def test_a_loop_over_scalars_keeps_scalars(how: str) -> None:
    def running(series: tf.Tensor) -> tuple[tf.Tensor, ...]:
        def step(states: list[tf.Tensor], now: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
            total = states[0] + now[0]
            return [total], [total * now[0]]

        start = ops.zeros((), series.dtype)
        (last,), (totals,), (kept,) = scan(step, [start], [unstacked(series)], [()], length=4, history=(0,))
        return last, totals.stack(), kept.stack()

    run = running if how == "eager" else tf.function(running, jit_compile=how == "xla", autograph=False)
    series = np.array([3.0, -1.0, 2.0, 5.0], "float32")
    last, totals, kept = run(tf.constant(series))
    expected = np.cumsum(series)
    assert float(last) == expected[-1]
    np.testing.assert_array_equal(totals, [0, *expected])
    np.testing.assert_array_equal(kept, expected * series)
