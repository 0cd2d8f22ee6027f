"""Worked examples of augmentation: given examples and given uniform numbers, so given results.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.layers.augmentation.colour import RandomColourShift
from keras_course.layers.augmentation.focus import RandomBlur, RandomSharpen
from keras_course.layers.augmentation.geometry import RandomAffine, RandomRotation, RandomScale, RandomShift
from keras_course.layers.augmentation.sound import RandomEcho, RandomNoise
from keras_course.layers.augmentation.text import RandomOmissions, RandomTypos
from keras_course.layers.augmentation.weighted_choice import WeightedChoice
from keras_course.ops.augmentation import choose
from keras_course.ops.augmentation_text import keyboard_neighbours

__all__ = [
    "choice_by_relevance",
    "images_moved",
    "images_warped",
    "pixels_changed",
    "sound_with_echo_and_noise",
    "text_with_typos_and_omissions",
]


def images_moved(
    images: Any, uniforms: Any, down: float, right: float, amount: float, angle: float, fill: float
) -> dict[str, Any]:
    """Images shifted, scaled and turned, and what inference makes of them. Source: S 9.3, C 6.4."""
    shift, scale, turn = RandomShift(down, right, fill), RandomScale(amount, fill), RandomRotation(angle, fill)
    for layer in (shift, scale, turn):
        layer.build(images.shape)

    def run(images: Any, uniforms: Any) -> Any:
        return {
            "shifted": shift(images, uniforms),
            "scaled": scale(images, uniforms[:, :1]),
            "turned": turn(images, uniforms[:, :1]),
            "served": turn(images, training=False),
        }

    result: dict[str, Any] = compiled(run)(images, uniforms)
    return result


def images_warped(
    images: Any, uniforms: Any, down: float, right: float, angle: float, amount: float, shear: float, fill: float
) -> dict[str, Any]:
    """Images shifted, turned, scaled and sheared in one interpolation. Source: S 9.3, C 6.4."""
    layer = RandomAffine(down, right, angle, amount, shear, fill)
    layer.build(images.shape)
    return {"warped": compiled(layer)(images, uniforms)}


def pixels_changed(
    images: Any, uniforms: Any, shift: float, sigma: float, amount: float, radius: int
) -> dict[str, Any]:
    """Images with other colours, blurred, sharpened. Source: S 9.3."""
    colour, blur, sharpen = RandomColourShift(shift), RandomBlur(sigma, radius), RandomSharpen(amount, sigma, radius)
    for layer in (colour, blur, sharpen):
        layer.build(images.shape)

    def run(images: Any, uniforms: Any) -> Any:
        return {
            "coloured": colour(images, uniforms),
            "blurred": blur(images, uniforms[:, :1]),
            "sharpened": sharpen(images, uniforms[:, :1]),
        }

    result: dict[str, Any] = compiled(run)(images, uniforms)
    return result


def sound_with_echo_and_noise(
    sound: Any, uniforms: Any, noise_uniforms: Any, delay: Any, gain: Any, snr: Any
) -> dict[str, Any]:
    """Echoes of given delay and strength; noise at a given ratio. Source: S 9.3, C 6.4."""
    echo = RandomEcho([int(end) for end in delay], [float(end) for end in gain])
    noise = RandomNoise([float(end) for end in snr])
    for layer in (echo, noise):
        layer.build(sound.shape)

    def run(sound: Any, uniforms: Any, noise_uniforms: Any) -> Any:
        return {"echo": echo(sound, uniforms), "noisy": noise(sound, noise_uniforms)}

    result: dict[str, Any] = compiled(run)(sound, uniforms, noise_uniforms)
    return result


def text_with_typos_and_omissions(texts: list[str], uniforms: Any, rate: float, letters: str) -> dict[str, Any]:
    """Wrong keys, wrong letters and left-out letters, as ids (padding 0) and as strings. Source: S 9.3."""
    symbols = ["", *letters]
    length = uniforms.shape[1]
    tokens = ops.convert_to_tensor([[symbols.index(c) for c in text] + [0] * (length - len(text)) for text in texts])
    keys = RandomTypos(rate, len(symbols), keyboard_neighbours(symbols))
    anything, gaps = RandomTypos(rate, len(symbols)), RandomOmissions(rate)
    for layer in (keys, anything, gaps):
        layer.build(tokens.shape)

    def run(tokens: Any, uniforms: Any) -> Any:
        pairs = ops.reshape(uniforms, (-1, 2 * length))
        return {
            "wrong_key": keys(tokens, pairs),
            "wrong_letter": anything(tokens, pairs),
            "omitted": gaps(tokens, uniforms[:, :, 0]),
        }

    ids = compiled(run)(tokens, uniforms)
    as_text = {
        f"{name}_text": ["".join(symbols[token] for token in row) for row in ops.convert_to_numpy(value).tolist()]
        for name, value in ids.items()
    }
    return {**ids, **as_text}


def choice_by_relevance(images: Any, uniforms: Any, relevance: Any, shift: float, colour: float) -> dict[str, Any]:
    """Which transform each uniform number chooses, and what becomes of each image. Source: C 6.4, S 9.3."""
    weights = [round(float(weight), 6) for weight in relevance]
    layer = WeightedChoice([RandomShift(0.0), RandomShift(shift), RandomColourShift(colour)], weights)
    layer.build(images.shape)

    def run(images: Any, uniforms: Any) -> Any:
        return {"choice": choose(uniforms[:, 0], weights), "images": layer(images, uniforms)}

    result: dict[str, Any] = compiled(run)(images, uniforms)
    return result
