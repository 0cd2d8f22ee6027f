"""Filterbanks and windows of DRAW: against images whose answer is known, and finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.ops.draw_attention import Window, filterbank, read_window, window_of, write_window

GENERATOR = np.random.Generator(np.random.Philox(5))
IMAGE, PATCH = GENERATOR.random((2, 6, 9)), GENERATOR.normal(size=(2, 3, 3))
FIVE = np.array([[0.2, -0.1, -0.5, -0.4, 0.3], [-0.3, 0.4, 0.6, -0.9, -0.2]])


def test_rows_of_filters_sum_to_one_wherever_they_lie():
    centre = np.array([3.0, -40.0, 1e6, 4.5])
    scale = np.array([1.0, 0.007, 0.5, 150.0])
    filters = filterbank(centre, np.array([1.0, 3.0, 0.5, 60.0]), scale, 4, 7).numpy()
    assert np.all(np.isfinite(filters)) and np.all(filters >= 0)
    np.testing.assert_allclose(filters.sum(-1), 1, rtol=1e-12)
    np.testing.assert_array_equal(filters[1, :, 0], 1.0)  # far to the left: the first pixel
    np.testing.assert_array_equal(filters[2, :, -1], 1.0)


def test_no_five_numbers_make_anything_that_is_not_finite():
    numbers = np.array([[s * 1e4 * ((k >> i) % 2 * 2 - 1) for i in range(5)] for k in range(32) for s in (1, 0.01)])
    window = window_of(numbers.astype("float32"), 6, 9, 3)
    for value in (*window, read_window(np.ones((6, 9), "float32"), window, 3)):
        assert np.all(np.isfinite(value))
    drawn = write_window(np.ones((64, 3, 3), "float32"), window, 6, 9).numpy()
    np.testing.assert_allclose(drawn.sum((1, 2)), 9 / window.intensity, rtol=1e-4)


def test_zeros_are_a_window_of_the_whole_image_and_moves_go_right_and_down():
    whole = window_of(np.zeros(5), 6, 9, 3)
    assert [float(each) for each in whole] == [5.0, 3.5, 4.0, 1.0, 1.0]
    moved = window_of(np.array([0.2, 0.4, 0.0, 0.0, 0.0]), 6, 9, 3)
    assert moved.x > whole.x and moved.y > whole.y
    dot = np.zeros((6, 9))
    dot[4, 7] = 1.0  # row 5, column 8 as pixels are counted
    near = Window(x=8.0, y=5.0, stride=1.0, scale=0.3, intensity=1.0)
    assert np.unravel_index(read_window(dot, near, 3).numpy().argmax(), (3, 3)) == (1, 1)
    left = near._replace(x=9.0)  # the dot is left of the window's centre
    assert np.unravel_index(read_window(dot, left, 3).numpy().argmax(), (3, 3)) == (1, 0)
    drawn = write_window(np.pad([[1.0]], 1), near, 6, 9).numpy()
    assert np.unravel_index(drawn.argmax(), (6, 9)) == (4, 7)


def test_fine_filters_on_every_pixel_copy_the_image_there_and_back():
    square = IMAGE[:, :, :6]
    exact = Window(x=3.5, y=3.5, stride=1.0, scale=1e-3, intensity=2.0)
    np.testing.assert_allclose(read_window(square, exact, 6), 2 * square, rtol=1e-12)
    np.testing.assert_allclose(write_window(read_window(square, exact, 6), exact, 6, 6), square, rtol=1e-12)


def test_reading_and_writing_are_adjoint_but_for_gamma():
    """<w, read(x)> / gamma^2 = <write(w), x>: the same filters, transposed."""
    window = window_of(FIVE, 6, 9, 3)
    seen = (read_window(IMAGE, window, 3) * PATCH).numpy().sum((1, 2))
    drawn = (write_window(PATCH, window, 6, 9) * IMAGE).numpy().sum((1, 2))
    np.testing.assert_allclose(seen / window.intensity**2, drawn, rtol=1e-12)
    assert not np.allclose(seen, drawn)


@pytest.mark.parametrize("which", ["read", "write"])
def test_gradients_of_windows_agree_with_differences(which):
    def looked(five, content):
        window = window_of(five, 3, 4, 3)
        return read_window(content, window, 3) if which == "read" else write_window(content, window, 3, 4)

    content = tf.constant(IMAGE[:1, :3, :4] if which == "read" else PATCH[:1])
    theory, numeric = tf.test.compute_gradient(looked, [tf.constant(FIVE[1:]), content], delta=1e-6)
    for ours, differences in zip(theory, numeric, strict=True):
        np.testing.assert_allclose(ours, differences, atol=1e-7)


def test_bad_sizes_are_refused_with_what_came():
    for call in (lambda: filterbank(1.0, 1.0, 1.0, 1, 4), lambda: window_of(np.zeros(5), 4, 4, 1)):
        with pytest.raises(ValueError, match="Received: size=1"):
            call()
    with pytest.raises(ValueError, match=r"Received: shape=\(4,\)"):
        window_of(ops.zeros(4), 4, 4, 2)
