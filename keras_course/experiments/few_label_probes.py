"""What does a network learn without labels? A linear probe of its features, against labels a class.

    random       features of the trunk as it was drawn, and of four others, whose probes stand side by side
    <pretext>    the same start, trained on the pretext task with the training images alone
    supervised   the same start, trained with the class of every training image
    pixels       no trunk

Every probe sees the same labelled rows. Settings are those of `models.selfsupervised.settings`, chosen on validation
splits of seeds that are not among those of `Config`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets import Dataset, epoch_order, load
from keras_course.experiments.table import Table
from keras_course.models.selfsupervised.settings import PRETEXTS, STAGES, random_starts
from keras_course.models.selfsupervised.trunk import image_trunk, train_supervised
from keras_course.pipeline.linear_probe import LinearProbe, accuracy_against_labels, probe_of, together

__all__ = ["Config", "features_of", "run"]

DATASETS = ("digits", "photograph-crops")
YARDSTICKS = ("pixels", "random", "supervised")


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        dataset: "digits" or "photograph-crops".
        methods: pretext tasks, and of "pixels", "random" and "supervised" those to compare with.
        per_class: labels a class, rising.
        draws: of the labelled rows, for every seed.
        seeds: one split, start and training each.
        epochs: int, instead of every task's own, or None.
        examples: int, the first so many of each part, or None for all.
    """

    dataset: str = "digits"
    methods: tuple[str, ...] = ("pixels", "random", *PRETEXTS, "supervised")
    per_class: tuple[int, ...] = (1, 5, 10)
    draws: int = 10
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int | None = None
    examples: int | None = None

    def __post_init__(self) -> None:
        require_one_of("Config", DATASETS, dataset=self.dataset)
        for method in self.methods:
            require_one_of("Config", (*YARDSTICKS, *PRETEXTS), methods=method)
        if not self.methods or not self.seeds:
            raise ValueError(f"Config needs methods and seeds. Received: methods={self.methods}, seeds={self.seeds}")
        require_positive_int("Config", draws=self.draws)
        for name in ("epochs", "examples"):
            if getattr(self, name) is not None:
                require_positive_int("Config", **{name: getattr(self, name)})

    @classmethod
    def tiny(cls) -> Config:
        """The same in seconds: one pretext task, one seed, one epoch, few images."""
        methods = ("pixels", "random", "rotation")
        return cls(methods=methods, per_class=(1, 5), draws=2, seeds=(0,), epochs=1, examples=120)


def run(config: Config) -> Table:
    """Trains every method from every seed and probes its features.

    Args:
        config: `Config`; `Config.tiny()` runs in seconds.

    Returns:
        `Table` with columns method, seed, labels (a class), accuracy and standard_error (over the draws), and
        clusterability.

    Example:
        >>> table = run(Config(methods=("pixels",), seeds=(0,), per_class=(1, 5), draws=2))
        >>> table["labels"].tolist()
        [1, 5]

    Source: R; C 6.8.
    """
    probes = {(method, seed): _probe(config, method, seed) for method in config.methods for seed in config.seeds}
    rows = [
        (method, seed, count, float(mean), float(error), probe.clusterability)
        for (method, seed), probe in probes.items()
        for count, mean, error in zip(probe.per_class, probe.mean, probe.standard_error, strict=True)
    ]
    names = ("method", "seed", "labels", "accuracy", "standard_error", "clusterability")
    over_seeds = {method: together([probes[method, seed] for seed in config.seeds]) for method in config.methods}
    headline = {
        f"{method} at {count} labels a class": float(mean)
        for method, probe in over_seeds.items()
        for count, mean in zip(probe.per_class, probe.mean, strict=True)
    }
    title = f"{config.dataset}: features without labels"
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    return Table("linear-probe", columns, lambda table: accuracy_against_labels(over_seeds, title), headline)


def features_of(method: str, dataset: Dataset, seed: int, epochs: int | None = None) -> Callable[[Any], Any]:
    """The function of images whose values are probed, trained as its method says.

    Args:
        method: str, a pretext task, "pixels", "random" or "supervised".
        dataset: `Dataset`, of which the training images are seen, their classes by "supervised" alone.
        seed: int, of start and order.
        epochs: int, instead of the method's own, or None.

    Returns:
        Callable (B, H, W, C) -> (B, ...).

    Raises:
        ValueError: for an unknown method.

    Example:
        >>> import numpy as np
        >>> from keras_course.datasets import load
        >>> features_of("pixels", load("digits"), 0)(np.ones((2, 8, 8, 1))).shape
        (2, 8, 8, 1)

    Source: R; C 6.8.
    """
    require_one_of("features_of", (*YARDSTICKS, *PRETEXTS), method=method)
    x = dataset.train.x
    if method == "pixels":
        return lambda images: images
    if method in ("random", "supervised"):
        trunk = image_trunk(dataset.spec.shape[-1], STAGES, seed)
        if method == "random":
            return lambda images: trunk(keras.ops.convert_to_tensor(images), training=False)
        how = {} if epochs is None else {"epochs": epochs}
        return train_supervised(trunk, x, dataset.train.y, int(dataset.spec.classes or 0), seed=seed, **how)
    pretext = PRETEXTS[method]
    model = pretext.model(dataset.spec.shape, seed)
    model.compile(**pretext.compile_arguments(len(x)))
    for epoch in range(epochs or pretext.epochs):
        model.fit(x[epoch_order(seed, epoch, len(x))], batch_size=pretext.batch_size, shuffle=False, verbose=0)
    return lambda images: model.encode(keras.ops.convert_to_tensor(images))


def _probe(config: Config, method: str, seed: int) -> LinearProbe:
    data = _data(config, seed)
    probes = []
    for start in random_starts(seed) if method == "random" else [seed]:
        features = features_of(method, data, start, config.epochs)
        probes.append(probe_of(features, data, seed, per_class=config.per_class, draws=config.draws))
    return together(probes)


def _data(config: Config, seed: int) -> Dataset:
    dataset = load(config.dataset, seed=seed)
    if config.examples is None:
        return dataset
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    n = config.examples
    return replace(dataset, **{name: replace(part, x=part.x[:n], y=part.y[:n]) for name, part in parts.items()})
