"""Oracles of augmentation (C 6.4, S 9.3): SciPy's image filters, convolution with a kernel, text edited as strings."""

import numpy as np
from scipy import ndimage, stats

# Neighbouring keys, read off a keyboard row by row: what each letter touches.
TOUCHING = {
    "a": "qwsz", "e": "wrsd", "r": "etdf", "t": "ryfg", "s": "awedzx", "d": "serfxc", "n": "bhjm", "o": "ipkl",
    "i": "uojk", "h": "gyujbn", "g": "ftyhvb", "w": "qeas", "q": "wa", "z": "asx", "x": "zsdc", "c": "xdfv",
}  # fmt: skip


def _each_channel(images, change):
    return np.stack(
        [
            np.stack([change(image[:, :, channel], number) for channel in range(image.shape[2])], axis=-1)
            for number, image in enumerate(np.asarray(images, "float64"))
        ]
    ).tolist()


def images_moved(images, uniforms, down, right, amount, angle, fill):
    """Shifts pixel by pixel from the definition; scaling and turning as SciPy's affine_transform."""
    images = np.asarray(images, "float64")
    centre = (np.array(images.shape[1:3]) - 1) / 2

    def affine(image, matrix):
        offset = centre - matrix @ centre
        return ndimage.affine_transform(image, matrix, offset, order=1, mode="grid-constant", cval=fill)

    def shifted(image, number):
        lower, to_right = ((2 * u - 1) * largest for u, largest in zip(uniforms[number], (down, right), strict=True))
        height, width = image.shape

        def value(i, j):
            return image[i, j] if 0 <= i < height and 0 <= j < width else fill

        out = np.zeros_like(image)
        for i in range(height):
            for j in range(width):
                y, x = i - lower, j - to_right
                for a in range(int(np.floor(y)), int(np.floor(y)) + 2):
                    for b in range(int(np.floor(x)), int(np.floor(x)) + 2):
                        out[i, j] += max(0, 1 - abs(y - a)) * max(0, 1 - abs(x - b)) * value(a, b)
        return out

    def scaled(image, number):
        return affine(image, np.eye(2) * (1 + amount) ** -(2 * uniforms[number][0] - 1))

    def turned(image, number):
        a = (2 * uniforms[number][0] - 1) * angle
        return affine(image, np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))

    return {
        "shifted": _each_channel(images, shifted),
        "scaled": _each_channel(images, scaled),
        "turned": _each_channel(images, turned),
        "served": images.tolist(),
    }


def images_warped(images, uniforms, down, right, angle, amount, shear, fill):
    """Shift, turn, scale and shear as one matrix and one offset for SciPy's affine_transform."""
    largest = np.array([down, right, angle, np.log1p(amount), shear])

    def warped(image, number):
        lower, to_right, a, log_factor, s = (2 * np.asarray(uniforms[number]) - 1) * largest
        matrix = np.array([[np.cos(a), np.sin(a) + s], [-np.sin(a), np.cos(a)]]) * np.exp(-log_factor)
        centre = (np.array(image.shape) - 1) / 2
        offset = centre - matrix @ centre - np.array([lower, to_right])
        return ndimage.affine_transform(image, matrix, offset, order=1, mode="grid-constant", cval=fill)

    return {"warped": _each_channel(images, warped)}


def pixels_changed(images, uniforms, shift, sigma, amount, radius):
    """Blurred by SciPy's gaussian_filter; sharpened by one two-dimensional kernel, delta + a (delta - G)."""
    images = np.asarray(images, "float64")
    coloured = [
        [[[v + shift * (2 * u - 1) for v, u in zip(pixel, us, strict=True)] for pixel in row] for row in image]
        for image, us in zip(images.tolist(), uniforms, strict=True)
    ]
    points = np.arange(-radius, radius + 1)
    density = stats.norm.pdf(points, scale=sigma)
    gaussian = np.outer(density, density) / density.sum() ** 2
    delta = (gaussian == gaussian.max()).astype("float64")

    def blurred(image, number):
        return ndimage.gaussian_filter(image, sigma * uniforms[number][0], mode="reflect", radius=radius)

    def sharpened(image, number):
        kernel = delta + amount * uniforms[number][0] * (delta - gaussian)
        return ndimage.convolve(image, kernel, mode="reflect")

    return {
        "coloured": coloured,
        "blurred": _each_channel(images, blurred),
        "sharpened": _each_channel(images, sharpened),
    }


def sound_with_echo_and_noise(sound, uniforms, noise_uniforms, delay, gain, snr):
    """An echo is a convolution with 1, 0, ..., 0, g; the noise is scaled until its power is what the decibels say."""
    echo, noisy = [], []
    for x, (first, second), numbers in zip(sound, uniforms, noise_uniforms, strict=True):
        lag = list(range(delay[0], delay[1] + 1))[int(first * (delay[1] - delay[0] + 1))]
        kernel = np.zeros(lag + 1)
        kernel[0] += 1
        kernel[lag] += gain[0] + second * (gain[1] - gain[0])
        echo.append(np.convolve(x, kernel)[: len(x)].tolist())

        half = (len(numbers) - 1) // 2
        # Box-Muller in the complex plane; the radius by the law of its square, chi-squared with two degrees of freedom.
        radius = np.sqrt(stats.chi2.ppf(numbers[1 : 1 + half], 2))
        complex_normals = radius * np.exp(2j * np.pi * np.array(numbers[1 + half :]))
        noise = np.concatenate([complex_normals.real, complex_normals.imag])[: len(x)]
        decibels = snr[0] + numbers[0] * (snr[1] - snr[0])
        wanted = np.linalg.norm(x) * 10 ** (-decibels / 20)
        noisy.append((np.array(x) + wanted * noise / np.linalg.norm(noise)).tolist())
    return {"echo": echo, "noisy": noisy}


def text_with_typos_and_omissions(texts, uniforms, rate, letters):
    """Strings edited letter by letter; the neighbours of a key are read off a keyboard."""
    found = {"wrong_key": [], "wrong_letter": [], "omitted": []}
    qwerty = "qwertyuiopasdfghjklzxcvbnm"
    for text, numbers in zip(texts, uniforms, strict=True):
        keys = anything = rest = ""
        for letter, (whether, which) in zip(text, numbers, strict=False):
            hit = whether < rate
            near = sorted((c for c in TOUCHING[letter] if c in letters), key=qwerty.index)
            keys += near[int(which * len(near))] if hit and near else letter
            place = letters.index(letter)
            others = letters[place + 1 :] + letters[:place]
            anything += others[int(which * len(others))] if hit else letter
            rest += "" if hit else letter
        for name, result in (("wrong_key", keys), ("wrong_letter", anything), ("omitted", rest)):
            found[name].append(result)
    width = len(uniforms[0])
    ids = {
        name: [[letters.index(c) + 1 for c in text] + [0] * (width - len(text)) for text in result]
        for name, result in found.items()
    }
    return {**ids, **{f"{name}_text": result for name, result in found.items()}}


def choice_by_relevance(images, uniforms, relevance, shift, colour):
    """The choice by searching the cumulated relevance; the changed images by hand."""
    cumulated = np.cumsum(relevance) / np.sum(relevance)
    choice, changed = [], []
    for image, (which, first, second) in zip(np.asarray(images, "float64"), uniforms, strict=True):
        index = int(np.searchsorted(cumulated, which, side="right"))
        choice.append(index)
        if index == 1:
            lag = [(2 * u - 1) * shift for u in (first, second)]
            image = ndimage.shift(image, [*lag, 0], order=1, mode="grid-constant", cval=0.0)
        elif index == 2:
            image = image + (2 * first - 1) * colour
        changed.append(image.tolist())
    return {"choice": choice, "images": changed}
