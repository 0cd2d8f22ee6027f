"""Layers of ours against Keras's under Keras's JAX backend, on the first device: a GPU where there is one.

    KERAS_BACKEND=jax python -m benchmarks.under_jax [--precision highest|default] [--tiny]

One step is the mean square of the output and its gradients by the inputs and every weight, compiled by XLA. Both take
turns; a row is the median wall time of a step, ours over Keras's, and the largest difference of the outputs. Precision
"highest" keeps TF32 off, "default" lets the device decide. TensorFlow need not be installed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

STEPS, TURNS = 10, 9


def pairs(tiny: bool) -> Iterator[tuple[str, Any, Any, tuple[int, ...]]]:
    """(title, our layer, Keras's layer with the same weights, shape of the input)."""
    import keras

    from keras_course.layers import Convolution2D, TransposedConvolution2D
    from keras_course.layers.recurrent import from_keras

    images = [(2, 8, 4, 4)] if tiny else [(64, 56, 64, 64), (64, 28, 128, 256)]
    for policy in ("float32", "mixed_bfloat16"):
        for batch, side, channels, maps in images:
            for layout in ("channels_last", "channels_first"):
                shape = (batch, side, side, channels) if layout == "channels_last" else (batch, channels, side, side)
                settings = {"padding": "same", "data_format": layout, "dtype": policy}
                ours, theirs = Convolution2D(maps, 3, **settings), keras.layers.Conv2D(maps, 3, **settings)
                ours.build(shape)
                theirs.build(shape)
                theirs.set_weights(ours.get_weights())
                yield f"convolution {side} x {side} x {channels} -> {maps}, {layout}, {policy}", ours, theirs, shape

    batch, side, channels, maps = (2, 4, 3, 4) if tiny else (64, 28, 256, 128)
    shape = (batch, side, side, channels)
    settings = {"strides": 2, "padding": "same"}
    ours, theirs = TransposedConvolution2D(maps, 4, **settings), keras.layers.Conv2DTranspose(maps, 4, **settings)
    ours.build(shape)
    theirs.build(shape)
    theirs.set_weights(ours.get_weights())
    yield f"transposed convolution {side} x {side} x {channels} -> {maps}, twice the size", ours, theirs, shape

    sequences = [(4, 6, 3, 5)] if tiny else [(64, 128, 64, 128), (32, 50, 32, 64), (256, 256, 256, 512)]
    for batch, steps, features, units in sequences:
        for kind in (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN):
            theirs = kind(units, return_sequences=True)
            theirs.build((batch, steps, features))
            title = f"{kind.__name__} {batch} x {steps} x {features} -> {units}"
            yield title, from_keras(theirs), theirs, (batch, steps, features)


def compiled_step(layer: Any, inputs: Any) -> Callable[[], Any]:
    """The step of one layer, ready when it returns."""
    import jax
    import jax.numpy as jnp

    weights, rest = ([v.value for v in group] for group in (layer.trainable_variables, layer.non_trainable_variables))

    def cost(weights: Any, inputs: Any) -> Any:
        outputs, _ = layer.stateless_call(weights, rest, inputs)
        return jnp.mean(jnp.square(outputs.astype("float32")))

    step = jax.jit(jax.grad(cost, argnums=(0, 1)))
    return lambda: jax.block_until_ready(step(weights, inputs))


def race(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of a step of both, in turns, after two runs that compile and warm up."""
    times: dict[Callable[[], Any], list[float]] = {ours: [], theirs: []}
    for step in (ours, theirs, ours, theirs):
        step()
    for turn in range(TURNS):
        for step in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
            start = time.perf_counter()
            for _ in range(STEPS):
                step()
            times[step].append((time.perf_counter() - start) / STEPS)
    return statistics.median(times[ours]), statistics.median(times[theirs])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.under_jax", description=__doc__.split("\n\n")[0])
    parser.add_argument("--precision", default="highest", choices=("highest", "default"), help="of float32 products")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that it runs")
    chosen = parser.parse_args()

    import keras

    if keras.backend.backend() != "jax":
        parser.error(f"set KERAS_BACKEND=jax. Received: KERAS_BACKEND={keras.backend.backend()}")
    import jax
    import numpy as np

    jax.config.update("jax_default_matmul_precision", chosen.precision)
    print(f"{jax.devices()[0].device_kind}, jax {jax.__version__}, keras {keras.__version__}, {chosen.precision}")
    draws = np.random.Generator(np.random.Philox(0))
    for title, ours, theirs, shape in pairs(chosen.tiny):
        inputs = jax.numpy.asarray(draws.normal(size=shape).astype("float32"))
        apart = float(abs(ours(inputs) - theirs(inputs)).max())
        mine, peer = race(compiled_step(ours, inputs), compiled_step(theirs, inputs))
        print(f"{title:60} {mine * 1e3:8.3f} {peer * 1e3:8.3f} ms  ratio {mine / peer:.2f}  apart {apart:.0e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
