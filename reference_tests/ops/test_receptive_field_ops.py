"""Receptive fields against the derivatives of real stacks."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.backend import jacobian
from keras_course.layers import Convolution1D, Convolution2D, LocallyConnected1D, MaxPooling
from keras_course.models.vision import LeNet
from keras_course.ops.convolution import cross_correlate
from keras_course.ops.receptive_field import layer_spans, receptive_field, receptive_window


def samples_seen(stack, size, unit, padding="valid"):
    """Where the derivative of one unit is not zero."""

    def unit_of(x):
        for kernel, stride, dilation in [(*layer, 1, 1)[:3] for layer in stack]:
            x = cross_correlate(x, np.ones(kernel), stride, dilation, padding)
        return x[unit : unit + 1]

    return np.flatnonzero(ops.convert_to_numpy(jacobian(unit_of, np.ones(size)))[0])


STACKS = [
    [(3, 2), (2, 2), (3, 1, 2)],
    [(3,), (3,), (3,)],
    [(5, 1, 2), (1, 3), (4, 2)],
]


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_the_field_is_where_the_derivative_is_not_zero(stack):
    seen = samples_seen(stack, size=40, unit=1)
    assert receptive_field(stack) == seen[-1] - seen[0] + 1
    assert receptive_window(stack, unit=1) == (seen[0], seen[-1])


def test_padding_moves_the_window_and_leaves_its_size():
    stack = [(3, 2), (5, 1), (3, 1, 2)]
    padded = [(*(*layer, 1, 1)[:3], d * (layer[0] - 1) // 2) for layer, d in zip(stack, (1, 1, 2), strict=True)]
    for unit in (0, 4):
        seen = samples_seen(stack, size=40, unit=unit, padding="zero")
        first, last = receptive_window(padded, unit)
        assert (max(first, 0), last) == (seen[0], seen[-1])
        assert last - first + 1 == receptive_field(stack)


def test_fields_add_up_and_jumps_multiply():
    first, second = [(3, 2), (5, 1)], [(3, 1, 2), (2, 2)]
    assert receptive_field(first + second) == receptive_field(first) + 2 * (receptive_field(second) - 1)


def test_two_convolutions_of_three_see_as_much_as_one_of_five():
    assert receptive_field([(3,), (3,)]) == receptive_field([(5,)])
    assert receptive_field([(3,), (3,), (3,)]) == receptive_field([(7,)])


def test_pooling_between_convolutions_widens_the_field():
    assert receptive_field([(3,), (2, 2), (3,)]) == 8 > receptive_field([(3,), (3,)])


def test_layers_tell_their_own_spans():
    model = LeNet((32, 32, 1))
    assert receptive_field(layer_spans([model.conv1, model.pool1, model.conv2, model.pool2])) == 16
    stack = [Convolution2D(2, (3, 5), (1, 2), dilation_rate=(2, 1)), MaxPooling(3, 2), keras.layers.Conv2D(1, (1, 7))]
    assert layer_spans(stack) == [(3, 1, 2), (3, 2, 1), (1, 1, 1)]
    assert layer_spans(stack, axis=1) == [(5, 2, 1), (3, 2, 1), (7, 1, 1)]
    assert layer_spans([keras.layers.AveragePooling1D(3), LocallyConnected1D(1, 4, 2), Convolution1D(1, 2)]) == [
        (3, 3, 1), (4, 2, 1), (2, 1, 1),
    ]  # fmt: skip


def test_what_has_no_window_is_refused():
    with pytest.raises(ValueError, match="kernel_size or a pool_size.*Received: layer='flat'"):
        layer_spans([keras.layers.Flatten(name="flat")])
    with pytest.raises(ValueError, match="stride=0"):
        receptive_field([(3, 0)])
    with pytest.raises(ValueError, match="unit=-1"):
        receptive_window([(3,)], -1)
    with pytest.raises(ValueError, match="paddings of at least 0"):
        receptive_window([(3, 1, 1, -1)], 0)
