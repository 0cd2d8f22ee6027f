"""Sound with an echo, and sound with noise behind it.

    echo    y[t] = x[t] + g x[t - d],    x[t] = 0 for t < 0
    noise   y = x + s n,    s = sqrt(P(x) / (P(n) 10**(snr / 10))),    P(x) = mean_t x[t]**2

Conventions: the delay d is in samples (at 16 kHz, 0.1 s are 1,600); the length stays, what echoes after the end is cut
off; the signal-to-noise ratio is in decibels of power, and each example gets exactly that ratio. Silence stays silent.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.augmentation import in_packets, of_each_example, wide_dtype
from keras_course.ops.floating import as_floating

__all__ = ["add_echo", "mix_noise"]


def add_echo(sound: Any, delay: Any, gain: Any) -> Any:
    """Adds one echo to each sound.

    y[t] = x[t] + g x[t - d]

    Args:
        sound: tensor (B, T) or (B, T, C).
        delay: integer tensor (B,), d >= 0 samples; an echo that comes after the end is not heard.
        gain: tensor (B,), g; 0 leaves the sound as it is.

    Returns:
        Tensor like sound.

    Raises:
        ValueError: unless sound has rank 2 or 3.

    Example:
        >>> ops.convert_to_numpy(add_echo([[1.0, 0.0, 2.0, 0.0]], [1], [0.5])).tolist()
        [[1.0, 0.5, 2.0, 1.0]]

    Source: S 9.3.
    """
    sound = as_floating(sound)
    require_rank("add_echo", sound.shape, 2, 3)
    time = ops.arange(sound.shape[1], dtype="int32")[None, :]
    source = time - ops.cast(ops.convert_to_tensor(delay), "int32")[:, None]  # (B, T)
    place = ops.maximum(source, 0)
    heard = ops.cast(source >= 0, sound.dtype)
    if len(sound.shape) == 3:
        place, heard = ops.broadcast_to(place[..., None], ops.shape(sound)), heard[..., None]
    echo = heard * ops.take_along_axis(sound, place, axis=1)
    return sound + of_each_example(ops.cast(as_floating(gain), sound.dtype), sound) * echo


def mix_noise(sound: Any, noise: Any, snr: Any) -> Any:
    """Mixes noise into each sound at a stated signal-to-noise ratio.

    y = x + s n,   s = sqrt(P(x) / (P(n) 10**(snr / 10))),   P = mean square

    Args:
        sound: tensor (B, T) or (B, T, C).
        noise: tensor like sound: drawn, or recorded.
        snr: tensor (B,), decibels; 0 makes noise and sound equally strong, 20 the sound a hundred times stronger.

    Returns:
        Tensor like sound. Where sound or noise is silent it is sound.

    Raises:
        ValueError: unless sound has rank 2 or 3.

    Example:
        >>> ops.convert_to_numpy(mix_noise([[2.0, -2.0]], [[1.0, 1.0]], [0.0])).tolist()
        [[4.0, 0.0]]

    Source: S 9.3, C 6.4.
    """
    sound = as_floating(sound)
    require_rank("mix_noise", sound.shape, 2, 3)
    dtype = wide_dtype(sound)
    noise = ops.cast(as_floating(noise), dtype)
    axes = tuple(range(1, len(sound.shape)))
    wanted = ops.mean(ops.square(ops.cast(sound, dtype)), axis=axes)  # (B,)
    share = in_packets(
        lambda decibels: ops.power(as_floating(10.0, dtype), -decibels / 10), ops.cast(as_floating(snr), dtype)
    )
    wanted = wanted * share
    have = ops.mean(ops.square(noise), axis=axes)
    audible = (wanted > 0) & (have > 0)
    one = ops.ones_like(have)  # stands in for silence, so that no gradient is that of sqrt at 0
    ratio = ops.where(audible, wanted, one) / ops.where(audible, have, one)
    scale = ops.where(audible, ops.sqrt(ratio), ops.zeros_like(ratio))
    return sound + ops.cast(of_each_example(scale, noise) * noise, sound.dtype)
