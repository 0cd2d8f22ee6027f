"""Worked examples of AlexNet, VGG, inception modules and GoogLeNet: the tables counted, the small parts computed."""

from __future__ import annotations

from typing import Any

from keras_course.core.backend import arithmetic
from keras_course.models.vision.alexnet import AlexNet
from keras_course.models.vision.googlenet import GoogLeNet
from keras_course.models.vision.image_classifier import blueprint
from keras_course.models.vision.vgg import VGG

__all__ = [
    "alexnet_sizes",
    "googlenet_sizes",
    "vgg_sizes",
]


@arithmetic
def alexnet_sizes(height: int, width: int, channels: int, classes: int, towers: int) -> dict[str, Any]:
    """Eight layers, about 60 million parameters, without allocating one. Source: R Modern architectures."""
    counted = blueprint(AlexNet, input_shape=(height, width, channels), classes=classes, towers=towers)
    return {
        "stages": [[name, *shape] for name, shape in counted.stages.items()],
        "parameters": list(counted.layers.values()),
        "weight_layers": len(counted.layers),
        "total": counted.parameters,
        "tens_of_millions": counted.parameters / 10**7,
    }


@arithmetic
def vgg_sizes(configuration: str, height: int, width: int, channels: int, classes: int) -> dict[str, Any]:
    """One column of the table "ConvNet Configuration". Source: S 9.2 Depth vs. Width.

    The column is read off the layers of a narrow copy, which has the same ones; the counts are of the full width.
    """
    counted = blueprint(VGG, configuration=configuration, input_shape=(height, width, channels), classes=classes)
    narrow = VGG(configuration, (32, 32, channels), classes, width=1 / 64)
    column = []
    for layer in (*narrow.trunk, *narrow.head):
        if hasattr(layer, "filters"):
            column.append(f"conv{layer.kernel_size[0]}-{64 * layer.filters}")
        elif hasattr(layer, "units"):
            column.append(f"FC-{layer.units if layer.name == 'predictions' else 64 * layer.units}")
        else:
            kind = {"MaxPooling": "maxpool", "LocalResponseNormalization": "LRN"}.get(type(layer).__name__)
            column += [] if kind is None else [kind]
    return {
        "column": column,
        "weight_layers": len(counted.layers),
        "pooled": [list(shape) for name, shape in counted.stages.items() if name.startswith("pool")],
        "parameters": list(counted.layers.values()),
        "total": counted.parameters,
    }


@arithmetic
def googlenet_sizes(height: int, width: int, channels: int, classes: int) -> dict[str, Any]:
    """Sizes behind the nine modules, weights of every row of the table, with and without auxiliary classifiers.

    Source: R GoogLeNet, S 9.2 Fancy structures.
    """
    counted = blueprint(GoogLeNet, input_shape=(height, width, channels), classes=classes)
    rows = {name: count for name, count in counted.layers.items() if not name.startswith("auxiliary")}
    return {
        "stages": [[name[-2:], *shape] for name, shape in counted.stages.items() if name.startswith("inception")],
        "parameters": list(rows.values()),
        "total": sum(rows.values()),
        "auxiliary": counted.parameters - sum(rows.values()),
        "total_in_training": counted.parameters,
    }
