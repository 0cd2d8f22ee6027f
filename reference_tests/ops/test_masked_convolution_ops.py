"""What masks let through, told by comparing places, and convolutions whose windows end in their own row."""

import numpy as np
import pytest
from keras import ops

from keras_course.ops.convolution import feature_maps
from keras_course.ops.masked_convolution import causal_maps, convolution_mask


@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_mask_lets_through_what_comes_before_in_the_order_of_generation(kind):
    mask = convolution_mask((5, 3), 6, 9, kind, colours=3)
    for a, b, c, f in np.ndindex(mask.shape):
        there, here = (a, b, c % 3), (2, 1, f % 3)
        assert mask[a, b, c, f] == (there < here or (kind == "B" and there == here))


def test_a_vertical_mask_lets_through_whole_rows():
    for kind, rows in (("A", 1), ("B", 2)):
        mask = convolution_mask(3, 2, 2, kind, colours=2, stack="vertical")
        assert mask[:rows].all() and not mask[rows:].any()


def test_causal_maps_are_masked_maps_of_the_whole_kernel():
    draws = np.random.Generator(np.random.Philox(0))
    image, kernel = draws.normal(size=(2, 4, 5, 3)), draws.normal(size=(5, 3, 3, 4))
    whole = convolution_mask((5, 3), 3, 4, "B", colours=3) * kernel
    np.testing.assert_allclose(causal_maps(image, whole[:3]), feature_maps(image, whole, padding="zero"), rtol=1e-10)
    assert tuple(causal_maps(ops.ones((2, 3, 4, 1)), ops.ones((1, 1, 1, 2))).shape) == (2, 3, 4, 2)


def test_impossible_masks_are_refused_with_what_came():
    with pytest.raises(ValueError, match="odd sizes.*Received: kernel_size=4"):
        convolution_mask(4, 1, 1)
    with pytest.raises(ValueError, match="'A', 'B' as kind. Received: kind='C'"):
        convolution_mask(3, 1, 1, "C")
    with pytest.raises(ValueError, match="one channel a colour.*outputs=2"):
        convolution_mask(3, 3, 2, "A", colours=3)
