"""Oracle of ResNet and DenseNet: tables counted by hand, and small networks pixel by pixel in NumPy.

A convolution of k x k, from C to F maps, has k k C F weights; a normalization 2 F that learn and 2 F that do not.
Extended precision is rounded to float64 at the very end, so that the order of a sum does not show.
Weights in the small networks come from a formula, in the order of the forward pass: tensor number t, entry j (C order)
is built from u = ((7 j + 3 t) mod 17 - 8) / 8, a number between -1 and 1 with few binary digits.
"""

import itertools

import numpy as np

EPSILON = 1.001e-5
RESNETS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
DENSENETS = {121: [6, 12, 24, 16], 169: [6, 12, 32, 32], 201: [6, 12, 48, 32], 161: [6, 12, 36, 24]}


def _half(n):
    return (n + 1) // 2


def resnet_table(height, width, channels, classes, form, depth, shortcut, use_bias):
    """Shape behind each stage, what each stage and the dense layer learn, layers counted as the name does."""
    if form == "imagenet":
        kernel, maps, plan = 7, [64, 128, 256, 512], RESNETS[depth]
        rows, columns = _half(height), _half(width)
    else:
        kernel, maps, plan = 3, [16, 32, 64], [(depth - 2) // 6] * 3
        rows, columns = height, width
    bias, factor = int(use_bias), 4 if depth >= 50 and form == "imagenet" else 1
    sizes, learned, statistics, counted = [[rows, columns, maps[0]]], [], 0, 1
    learned.append(kernel * kernel * channels * maps[0] + bias * maps[0] + 2 * maps[0])
    statistics += 2 * maps[0]
    if form == "imagenet":
        rows, columns = _half(rows), _half(columns)
    arriving = maps[0]
    for stage, (narrow, blocks) in enumerate(zip(maps, plan, strict=True)):
        if stage:
            rows, columns = _half(rows), _half(columns)
        wide, total = factor * narrow, 0
        for block in range(blocks):
            shapes = [(1, arriving, narrow), (3, narrow, narrow), (1, narrow, wide)]
            if factor == 1:
                shapes = [(3, arriving, narrow), (3, narrow, narrow)]
            counted += len(shapes)
            changes = arriving != wide or (stage > 0 and block == 0)
            if shortcut == "C" or (shortcut == "B" and changes):
                shapes.append((1, arriving, wide))
            for k, before, after in shapes:
                total += k * k * before * after + bias * after + 2 * after
                statistics += 2 * after
            arriving = wide
        sizes.append([rows, columns, wide])
        learned.append(total)
    learned.append(arriving * classes + classes)
    return {
        "sizes": sizes,
        "learned": learned,
        "trainable": sum(learned),
        "statistics": statistics,
        "parameters": sum(learned) + statistics,
        "layers": counted + 1,
    }


def densenet_table(height, width, channels, classes, depth):
    """The same for DenseNet, with the two sizes that the table has for each transition."""
    growth, plan = 48 if depth == 161 else 32, DENSENETS[depth]
    rows, columns, maps = _half(height), _half(width), 2 * growth
    learned, statistics, counted = [49 * channels * maps + 2 * maps], 2 * maps, 1
    sizes = [[rows, columns, maps]]
    rows, columns = _half(rows), _half(columns)
    pooled, between = [rows, columns, maps], []
    for index, layers in enumerate(plan):
        total = 0
        for _ in range(layers):
            total += 2 * maps + maps * 4 * growth + 2 * 4 * growth + 9 * 4 * growth * growth
            statistics += 2 * maps + 2 * 4 * growth
            counted += 2
            maps += growth
        if index == len(plan) - 1:
            total, statistics = total + 2 * maps, statistics + 2 * maps
        sizes.append([rows, columns, maps])
        learned.append(total)
        if index < len(plan) - 1:
            learned.append(2 * maps + maps * (maps // 2))
            statistics += 2 * maps
            counted += 1
            maps //= 2
            between.append([[rows, columns], [rows // 2, columns // 2]])  # convolution, pooling
            rows, columns = rows // 2, columns // 2
            sizes.append([rows, columns, maps])
    learned.append(maps * classes + classes)
    return {
        "sizes": sizes,
        "output_size": [
            sizes[0][:2], pooled[:2], sizes[1][:2], *between[0], sizes[3][:2], *between[1], sizes[5][:2], *between[2],
            sizes[7][:2],
        ],
        "blocks": plan,
        "learned": learned,
        "trainable": sum(learned),
        "statistics": statistics,
        "parameters": sum(learned) + statistics,
        "layers": counted + 1,
    }  # fmt: skip


class _Weights:
    """Tensors by the formula, one after the other."""

    def __init__(self):
        self.numbers = itertools.count()

    def draw(self, shape):
        t, size = next(self.numbers), int(np.prod(shape))
        return np.array([(7 * j + 3 * t) % 17 - 8 for j in range(size)], "longdouble").reshape(shape) / 8

    def convolution(self, x, kernel, filters, stride=1):
        """x (H, W, C) with (k - 1) / 2 zeros around it, one dot product a pixel and filter."""
        weight = self.draw((kernel, kernel, x.shape[-1], filters)) / 2
        margin = (kernel - 1) // 2
        padded = np.pad(x, ((margin, margin), (margin, margin), (0, 0)))
        rows, columns = -(-x.shape[0] // stride), -(-x.shape[1] // stride)
        y = np.empty((rows, columns, filters), "longdouble")
        for i, j in np.ndindex(rows, columns):
            window = padded[i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            y[i, j] = np.tensordot(window, weight, axes=3)
        return y

    def normalized(self, x):
        """gamma (x - m) / sqrt(v + epsilon) + beta with stored m and v."""
        gamma, beta, mean, variance = (self.draw(x.shape[-1:]) for _ in range(4))
        return (1 + gamma / 4) * (x - mean / 4) / np.sqrt(1 + variance / 2 + EPSILON) + beta / 4


def _image(height, width, channels):
    return (5 * np.arange(height * width * channels) % 13).astype("longdouble").reshape(height, width, channels) / 12


def _residual(weights, x, convolutions, shortcut, stride):
    """relu(F(x) + s(x)); convolutions are (kernel, filters, stride)."""
    maps = x
    for index, (kernel, filters, step) in enumerate(convolutions):
        maps = weights.convolution(maps if index == 0 else np.maximum(maps, 0), kernel, filters, step)
        maps = weights.normalized(maps)
    filters = convolutions[-1][1]
    if shortcut == "C" or (shortcut == "B" and (stride > 1 or x.shape[-1] != filters)):
        around = weights.normalized(weights.convolution(x, 1, filters, stride))
    else:
        around = np.zeros_like(maps)
        around[..., : x.shape[-1]] = x[::stride, ::stride]
    return np.maximum(maps + around, 0)


def _block(image, branch, shortcut, strides):
    return _residual(_Weights(), image, branch, shortcut, strides).astype(float).tolist()


def residual_block_output(height, width, channels, filters, strides, shortcut):
    """Two 3 x 3 convolutions and a shortcut."""
    branch = [(3, filters, strides), (3, filters, 1)]
    return {"maps": _block(_image(height, width, channels), branch, shortcut, strides)}


def bottleneck_block_output(height, width, channels, filters, strides, strided, shortcut):
    """1 x 1, 3 x 3, 1 x 1 and a shortcut, the stride on one of the first two."""
    first, second = (strides, 1) if strided == "1x1" else (1, strides)
    branch = [(1, filters, first), (3, filters, second), (1, 4 * filters, 1)]
    return {"maps": _block(_image(height, width, channels), branch, shortcut, strides)}


def small_resnet_logits(height, width, channels, classes, depth, filters, shortcut):
    """The form of 6 n + 2 layers with `filters`, 2 and 4 times as many maps."""
    weights = _Weights()
    maps = np.maximum(weights.normalized(weights.convolution(_image(height, width, channels), 3, filters)), 0)
    for stage in range(3):
        for block in range((depth - 2) // 6):
            stride = 2 if stage and not block else 1
            branch = [(3, filters * 2**stage, stride), (3, filters * 2**stage, 1)]
            maps = _residual(weights, maps, branch, shortcut, stride)
    return {"logits": _logits(weights, maps, classes)}


def small_densenet_logits(height, width, channels, classes, blocks, growth_rate):
    """A 3 x 3 convolution to 2 k maps, dense blocks and transitions, BN, relu."""
    weights = _Weights()
    maps = weights.convolution(_image(height, width, channels), 3, 2 * growth_rate)
    for index, layers in enumerate(blocks):
        for _ in range(layers):
            narrow = weights.convolution(np.maximum(weights.normalized(maps), 0), 1, 4 * growth_rate)
            new = weights.convolution(np.maximum(weights.normalized(narrow), 0), 3, growth_rate)
            maps = np.concatenate([maps, new], axis=-1)
        if index < len(blocks) - 1:
            fewer = weights.convolution(np.maximum(weights.normalized(maps), 0), 1, maps.shape[-1] // 2)
            rows, columns = fewer.shape[0] // 2, fewer.shape[1] // 2
            whole = fewer[: 2 * rows, : 2 * columns]
            maps = whole.reshape(rows, 2, columns, 2, -1).mean((1, 3))
    return {"logits": _logits(weights, np.maximum(weights.normalized(maps), 0), classes)}


def _logits(weights, maps, classes):
    code = maps.mean((0, 1))
    return (code @ (weights.draw((len(code), classes)) / 4) + weights.draw((classes,)) / 4).astype(float).tolist()
