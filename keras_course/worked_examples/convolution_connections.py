"""Worked examples of what is joined with what: sparse, shared and unshared weights, receptive fields, equivariance.

Each function takes a golden's inputs and returns its outputs, through the public API. Connections are not computed from
a formula but counted where a derivative is not zero.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.backend import arithmetic, compiled, jacobian
from keras_course.layers.convolution import Convolution1D, Convolution2D
from keras_course.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_course.ops.convolution import cross_correlate
from keras_course.ops.receptive_field import receptive_field, receptive_window
from keras_course.ops.unshared_convolution import unshared_convolution

__all__ = [
    "equal_kernels",
    "keras2_kernel",
    "locally_connected_image",
    "locally_connected_sequence",
    "parameter_sharing",
    "receptive_fields",
    "rotated_image",
    "sparse_interactions",
    "strided_translation",
    "unshared_gradients",
    "unshared_weights",
]


def sparse_interactions(samples: int, taps: int, depth: int) -> dict[str, Any]:
    """Who is joined with whom, layer upon layer: each layer is sparse, and deep units see everything.

    A unit is joined with an input where d unit / d input is not 0. Source: C 8.1.2.
    """
    kernel = ops.ones((taps,))

    def stack(layers: int) -> Any:
        def maps(x: Any) -> Any:
            for _ in range(layers):
                x = cross_correlate(x, kernel, padding="zero")
            return x

        return compiled(lambda x: ops.cast(jacobian(maps, x) != 0, "int32"))(ops.ones((samples,)))

    middle = samples // 2
    joined = [stack(layers) for layers in range(1, depth + 1)]  # (units, inputs)
    return {
        "outputs_of_the_middle_input": ops.sum(joined[0][:, middle]),
        "connections": ops.sum(joined[0]),
        "connections_of_a_matrix": samples * samples,
        "inputs_of_the_middle_unit": ops.stack([ops.sum(one[middle]) for one in joined]),
    }


def parameter_sharing(samples: int, taps: int, padding: str) -> dict[str, Any]:
    """How often each weight is used: d sum(outputs) / d weight, on an input of ones.

    Source: C 8.1.3.
    """
    ones = ops.ones((1, samples, 1))
    shared = Convolution1D(1, taps, padding=padding, use_bias=False)
    unshared = LocallyConnected1D(1, taps, use_bias=False)
    dense = keras.layers.Dense(samples, use_bias=False)
    for layer in (shared, unshared, dense):
        layer.build((None, samples, 1) if layer is not dense else (None, samples))

    def uses(layer: Any, x: Any) -> Any:
        def total(kernel: Any) -> Any:
            return ops.sum(layer.stateless_call([kernel], [], x)[0])

        kernel = ops.convert_to_tensor(ops.convert_to_numpy(layer.kernel))
        return ops.cast(compiled(lambda kernel: jacobian(total, kernel))(kernel), "int32")

    return {
        "uses_of_each_tap": ops.reshape(uses(shared, ones), (-1,)),
        "uses_of_an_unshared_weight": ops.max(uses(unshared, ones)),
        "uses_of_a_matrix_entry": ops.max(uses(dense, ones[..., 0])),
        "shared_weights": shared.count_params(),
        "unshared_weights": unshared.count_params(),
        "matrix_weights": dense.count_params(),
    }


@arithmetic
def receptive_fields(kernels: Any, strides: Any, dilations: Any, unit: int) -> dict[str, Any]:
    """How much of the input a unit behind each layer sees, and where its window lies without padding.

    Source: C 8.1.2.
    """
    layers = [tuple(map(int, layer)) for layer in zip(kernels, strides, dilations, strict=True)]
    first, last = receptive_window(layers, unit)
    return {"fields": [receptive_field(layers[:depth]) for depth in range(1, len(layers) + 1)],
            "first": first, "last": last}  # fmt: skip


def strided_translation(x: Any, w: Any, stride: int) -> dict[str, Any]:
    """With a stride, a move by s samples moves the map by one; a move by one sample makes another map.

    Source: C 8.1.4, 8.1.6.
    """

    def moved(x: Any, shift: int) -> Any:
        return ops.concatenate([ops.zeros_like(x[:shift]), x[:-shift]])

    def maps(x: Any, w: Any) -> Any:
        return cross_correlate(x, w, strides=stride, padding="zero")

    return {
        "moved_map": compiled(lambda x, w: moved(maps(x, w), 1))(x, w),
        "map_of_moved": compiled(lambda x, w: maps(moved(x, stride), w))(x, w),
        "map_of_moved_by_one": compiled(lambda x, w: maps(moved(x, 1), w))(x, w),
    }


def rotated_image(image: Any, kernel: Any) -> dict[str, Any]:
    """Convolution is not equivariant to rotation; it is if the kernel turns with the image.

    Source: C 8.1.4.
    """
    return {
        "rotated_map": compiled(lambda image, kernel: ops.rot90(cross_correlate(image, kernel)))(image, kernel),
        "map_of_rotated": compiled(lambda image, kernel: cross_correlate(ops.rot90(image), kernel))(image, kernel),
        "map_of_both_rotated": compiled(
            lambda image, kernel: cross_correlate(ops.rot90(image), ops.rot90(kernel))
        )(image, kernel),
    }  # fmt: skip


def locally_connected_sequence(x: Any, kernel: Any, bias: Any, taps: int, stride: int) -> dict[str, Any]:
    """Each place its own kernel and bias; kernel (places, taps C, F). Source: C 8.1.11."""
    layer = LocallyConnected1D(kernel.shape[-1], taps, stride)
    layer.build((None, *x.shape))
    layer.set_weights([ops.convert_to_numpy(kernel), ops.convert_to_numpy(bias)])
    return {"s": compiled(layer)(x[None])[0]}


def locally_connected_image(image: Any, kernel: Any, bias: Any, taps: int, stride: int) -> dict[str, Any]:
    """The same over an image; kernel (places, taps^2 C, F), rows by tap, then channel. Source: C 8.1.11."""
    layer = LocallyConnected2D(kernel.shape[-1], taps, stride)
    layer.build((None, *image.shape))
    layer.set_weights([ops.convert_to_numpy(kernel), ops.convert_to_numpy(bias)])
    return {"feature_map": compiled(layer)(image[None])[0]}


def keras2_kernel(x: Any, kernel: Any, taps: int, stride: int, padding: str, filters: int) -> dict[str, Any]:
    """Weights as Keras 2 stored them: a full matrix (implementation 2) or the list of connections (3).

    Source: C 8.1.11; Keras 2, LocallyConnected1D.
    """
    implementation = 2 if len(kernel.shape) == 4 else 3
    layer = LocallyConnected1D(filters, taps, stride, padding, implementation=implementation, use_bias=False)
    layer.build((None, *x.shape))
    layer.set_weights([ops.convert_to_numpy(kernel)])
    return {"s": compiled(layer)(x[None])[0]}


def unshared_gradients(x: Any, kernel: Any, g: Any) -> dict[str, Any]:
    """What flows back through unshared weights: into each kernel its own window, nothing is summed over places.

    kernel (places, taps, 1, 1), g (places,). Source: C 8.1.11.
    """

    def pairing(x: Any, kernel: Any, g: Any) -> Any:
        return ops.sum(g * unshared_convolution(x[None, :, None], kernel)[0, :, 0])

    return {
        "gradient_x": compiled(lambda x, kernel, g: jacobian(lambda x: pairing(x, kernel, g), x))(x, kernel, g),
        "gradient_kernel": compiled(lambda x, kernel, g: jacobian(lambda kernel: pairing(x, kernel, g), kernel))(
            x, kernel, g
        ),
    }


def equal_kernels(image: Any, kernel: Any) -> dict[str, Any]:
    """Where all places have one kernel, the locally connected layer is a convolution. Source: C 8.1.11."""
    shared = Convolution2D(1, tuple(kernel.shape), use_bias=False)
    unshared = LocallyConnected2D(1, tuple(kernel.shape), use_bias=False)
    for layer in (shared, unshared):
        layer.build((None, *image.shape, 1))
    weights = ops.convert_to_numpy(kernel)
    shared.set_weights([weights[..., None, None]])
    unshared.set_weights([weights.reshape(1, -1, 1).repeat(unshared.kernel.shape[0], axis=0)])
    return {
        "convolution": compiled(shared)(image[None, ..., None])[0, ..., 0],
        "locally_connected": compiled(unshared)(image[None, ..., None])[0, ..., 0],
    }


@arithmetic
def unshared_weights(height: int, width: int, channels: int, filters: int, taps: int) -> dict[str, Any]:
    """What not sharing costs: weights of a convolution, of a locally connected and of a fully connected layer.

    Source: C 8.1.11, 8.1.3.
    """
    shape = (None, height, width, channels)
    shared, unshared = Convolution2D(filters, taps), LocallyConnected2D(filters, taps)
    _, rows, columns, _ = unshared.compute_output_shape(shape)
    shared.build(shape)
    unshared.build(shape)
    outputs = rows * columns * filters
    return {
        "output_height": rows,
        "output_width": columns,
        "convolution": shared.count_params(),
        "locally_connected": unshared.count_params(),
        "fully_connected": (height * width * channels + 1) * outputs,
    }
