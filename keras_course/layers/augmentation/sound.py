"""Sound with random echoes, and with noise behind it."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.serial import register
from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.ops.augmentation import in_range, require_range, standard_normals
from keras_course.ops.augmentation_sound import add_echo, mix_noise

__all__ = ["RandomEcho", "RandomNoise"]


@register("RandomEcho")
class RandomEcho(Augmentation):
    """Adds an echo of random delay and strength to each sound.

    y[t] = x[t] + g x[t - d],   d uniform over the integers of `delay`, g uniform in `gain`

    Two uniform numbers an example: d from the first, g from the second. What would come after the end is cut off.

    Args:
        delay: (low, high), integers >= 0, in samples, both included (at 16 kHz, 0.1 s are 1,600).
        gain: (low, high), floats, strength of the echo relative to the sound.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, time) or (batch, time, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if delay is no range of integers >= 0, gain is no range, or the input has another rank.

    Example:
        >>> layer = RandomEcho(delay=(1, 2), gain=(0.0, 1.0))
        >>> sound, uniforms = ops.convert_to_tensor([[4.0, 0.0, 8.0]]), ops.convert_to_tensor([[0.0, 0.5]])
        >>> ops.convert_to_numpy(layer(sound, uniforms)).tolist()
        [[4.0, 2.0, 8.0]]

    Source: S 9.3.
    """

    ranks = (2, 3)

    def __init__(
        self, delay: Any = (800, 3200), gain: Any = (0.1, 0.5), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_range("RandomEcho", delay=delay, gain=gain)
        if not all(isinstance(end, int) and end >= 0 for end in delay):
            raise ValueError(f"RandomEcho needs delays in whole samples, at least 0. Received: delay={delay!r}")
        self.delay = tuple(delay)
        self.gain = tuple(gain)

    def draws(self, shape: Any) -> int:
        return 2

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        low, high = self.delay
        delay = ops.cast(ops.floor(in_range(uniforms[:, 0], low, high + 1)), "int32")
        return add_echo(inputs, ops.minimum(delay, high), in_range(uniforms[:, 1], *self.gain))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delay": self.delay, "gain": self.gain}


@register("RandomNoise")
class RandomNoise(Augmentation):
    """Mixes white Gaussian noise into each sound, at a random signal-to-noise ratio.

    y = x + s n,   n ~ N(0, 1) for each sample,   s such that 10 log10(P(x) / P(s n)) = r,   r uniform in `snr`

    The ratio is exact for each example. Recorded noise goes through `ops.augmentation_sound.mix_noise`. Uniform numbers
    an example: one for r, and for n one a sample (one more if their number is odd).

    Args:
        snr: (low, high), decibels.
        seed: int, root of the layer's own draws; None takes one from Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, time) or (batch, time, channels).

    Output shape:
        That of the input, in the layer's floating dtype.

    Raises:
        ValueError: if snr is no range, or the input has another rank.

    Example:
        >>> layer = RandomNoise(snr=(10.0, 10.0), seed=1)
        >>> x = ops.ones((1, 100))
        >>> noise = layer(x, training=True) - x
        >>> round(float(ops.mean(noise**2)), 4), layer.draws((None, 101))
        (0.1, 103)

    Source: S 9.3, C 6.4.
    """

    ranks = (2, 3)

    def __init__(self, snr: Any = (10.0, 30.0), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        require_range("RandomNoise", snr=snr)
        self.snr = tuple(snr)

    def draws(self, shape: Any) -> int:
        return 1 + 2 * _pairs(shape)

    def transform(self, inputs: Any, uniforms: Any) -> Any:
        pairs, samples = _pairs(inputs.shape), _samples(inputs.shape)
        normals = standard_normals(uniforms[:, 1 : 1 + pairs], uniforms[:, 1 + pairs :])[:, :samples]
        noise = ops.reshape(normals, (-1, *inputs.shape[1:]))
        return mix_noise(inputs, noise, in_range(uniforms[:, 0], *self.snr))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "snr": self.snr}


def _samples(shape: Any) -> int:
    return int(shape[1] * (shape[2] if len(shape) == 3 else 1))


def _pairs(shape: Any) -> int:
    return -(-_samples(shape) // 2)
