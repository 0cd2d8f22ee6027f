"""How the conformance suite trains each model of the catalogue: targets, compile arguments, objective."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np

from keras_course import catalog
from keras_course.distributions import Mixture, Normal
from keras_course.losses import HalfSquaredLoss, SoftmaxLoss
from keras_course.models.densities.distribution_regression import DistributionRegression
from keras_course.models.regularized.bagging import draw_bootstrap
from keras_course.testing.model_case import ModelCase
from reference_tests.conformance.energy_examples import ENERGY_CASES, ENERGY_TRAINING
from reference_tests.conformance.generative_examples import GENERATIVE_CASES, GENERATIVE_TRAINING
from reference_tests.conformance.memory_examples import MEMORY_TRAINING


def signs(x: np.ndarray) -> np.ndarray:
    """A linearly separable labelling, -1 and +1."""
    return np.where(x[:, 0] > x[:, 1], 1.0, -1.0).astype("float32")


def zero_or_one(x: np.ndarray) -> np.ndarray:
    """The same as 0 and 1, (B, 1)."""
    return (signs(x)[:, None] + 1) / 2


def sums(x: np.ndarray) -> np.ndarray:
    """A linear function, (B, 1)."""
    return (x.reshape(len(x), -1).sum(1, keepdims=True) + 1).astype("float32")


def pairs(x: np.ndarray) -> np.ndarray:
    """Two targets in (0, 1)."""
    return (1 / (1 + np.exp(-x[:, :2]))).astype("float32")


def four_classes(x: np.ndarray) -> np.ndarray:
    """Which quadrant, 0 to 3."""
    return ((x[:, 0] > 0) * 2 + (x[:, 1] > 0)).astype("int32")


def some_quadrants(x: np.ndarray) -> np.ndarray:
    """The same, but every third row has no label."""
    return np.where(np.arange(len(x)) % 3 == 2, -1, four_classes(x))


def quadrant_and_order(x: np.ndarray) -> np.ndarray:
    """Two tasks, (B, 2): the quadrant, and which of two coordinates is greater, unknown for every third row."""
    order = np.where(np.arange(len(x)) % 3 == 2, -1, x[:, 1] > x[:, 0])
    return np.stack([four_classes(x), order], axis=1).astype("int32")


def brightest_corner(x: np.ndarray) -> np.ndarray:
    """Class 0 or 1 of an image: which of its halves is brighter."""
    half = x.shape[1] // 2
    return (x[:, :half].sum((1, 2, 3)) > x[:, half:].sum((1, 2, 3))).astype("int32")


def bright_pixels(x: np.ndarray) -> np.ndarray:
    """A class for each pixel, (B, H, W): whether it is brighter than its left neighbour."""
    return (x[..., 0] > np.roll(x[..., 0], 1, axis=2)).astype("int32")


def first_against_last(x: np.ndarray) -> np.ndarray:
    """Class 0 or 1 of a sequence: whether its first step is greater than its last."""
    return (x[:, 0, 0] > x[:, -1, 0]).astype("int32")


def brightness_in_words(x: np.ndarray) -> np.ndarray:
    """Captions (B, 4) of ids: one word, or two, by which half is brighter; then the end, then padding."""
    return np.array([[4, 2, 0, 0], [5, 7, 2, 0]], "int32")[brightest_corner(x)]


def echo(x: np.ndarray) -> np.ndarray:
    """Two of the inputs of the step before, squeezed into (-1, 1)."""
    return np.tanh(np.concatenate([0 * x[:, :1, :2], x[:, :-1, :2]], axis=1)).astype("float32")


def letters_back(ids: np.ndarray) -> np.ndarray:
    """The target of a row of ids: what is neither padding nor start, turned round, then the end."""
    rows = [[token for token in row[::-1] if token > 2] + [2] for row in ids]
    return np.array([row + [0] * (ids.shape[1] + 1 - len(row)) for row in rows], "int32")


def four_orders(x: np.ndarray) -> np.ndarray:
    """Class 0 to 3 of a sequence: which of two channels is greater at its beginning, and at its end."""
    return ((x[:, 0, 0] > x[:, 0, 1]) * 2 + (x[:, -1, 0] > x[:, -1, 1])).astype("int32")


def one_later(x: np.ndarray) -> np.ndarray:
    """The codes of the next step, the first again at the end."""
    return np.roll(x, -1, axis=1)


def by_own_rule() -> dict[str, Any]:
    """For models that bring their own training step."""
    return {}


def with_half_squared_loss() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.SGD(0.05, momentum=0.5), "loss": HalfSquaredLoss(), "metrics": ["mae"]}


def with_softmax_loss() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.SGD(0.1), "loss": SoftmaxLoss(), "metrics": ["accuracy"]}


def with_binary_cross_entropy() -> dict[str, Any]:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return {"optimizer": keras.optimizers.SGD(0.1), "loss": loss, "metrics": [keras.metrics.BinaryAccuracy()]}


def with_adam() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.Adam(0.01)}


def with_two_optimizers() -> dict[str, Any]:
    """Moments of both must survive kill and file."""
    judge = keras.optimizers.SGD(0.02, momentum=0.5)
    return {"optimizer": keras.optimizers.SGD(0.05, momentum=0.9), "discriminator_optimizer": judge}


def with_momentum() -> dict[str, Any]:
    """Where Adam would magnify the last bits of slopes that nearly cancel."""
    return {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}


def dense_network(*units: int, shape: tuple[int, ...] | None = None) -> dict[str, Any]:
    """The config of a network of dense layers, which take the empty shares of a batch that convolutions refuse."""
    layers: list[Any] = [keras.layers.Flatten()]
    for number, width in enumerate(units):
        start = keras.initializers.GlorotUniform(number)
        layers.append(keras.layers.Dense(width, "tanh" if width != units[-1] else None, kernel_initializer=start))
    network = keras.Sequential(layers if shape is None else [*layers, keras.layers.Reshape(shape)])
    return keras.saving.serialize_keras_object(network)  # type: ignore[no-any-return]


def counts_of_three(x: np.ndarray) -> np.ndarray:
    """Bootstrap counts of three members."""
    return draw_bootstrap(len(x), 3, seed=0)


def with_its_likelihood() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.SGD(0.02)}


def with_adam_and_softmax() -> dict[str, Any]:
    """Moments of every learner must survive kill and file."""
    return {"optimizer": keras.optimizers.Adam(0.1), "loss": SoftmaxLoss(), "metrics": ["accuracy"]}


_SOFTMAX = {"class_name": "keras_course>SoftmaxRegression", "config": {"features": 3, "classes": 4}}

LETTERS = ("a b. A", "c", "", "b d c")

TRAINING: dict[str, dict[str, Any]] = {
    "perceptron": {"targets": signs, "compile": by_own_rule, "objective": "mistakes", "any_split": True},
    "linear-regression": {"targets": sums, "compile": with_half_squared_loss},
    "logistic-regression": {"targets": zero_or_one, "compile": with_binary_cross_entropy},
    "softmax-regression": {"targets": four_classes, "compile": with_softmax_loss},
    "mlp": {"targets": pairs, "compile": with_half_squared_loss},
    "backprop": {"targets": pairs, "compile": by_own_rule, "any_split": True},
    "bptt": {"targets": echo, "compile": with_its_likelihood, "any_split": True},
    "captioning": {"targets": brightness_in_words, "compile": with_momentum, "texts": ("a small 7", "large", "A  12")},
    "seq2seq": {"targets": letters_back, "compile": with_adam, "any_split": True, "texts": LETTERS},
    "bahdanau-attention": {"targets": letters_back, "compile": with_adam, "any_split": True, "texts": LETTERS},
    "deep-rnn": {"targets": first_against_last, "compile": with_softmax_loss},
    "handwriting": {"compile": with_adam, "any_split": True, "texts": ("a", "ab", "bba")},
    "echo-state-network": {
        "targets": echo,
        "compile": by_own_rule,
        "objective": "mean_squared_error",
        "any_split": True,
    },
    "liquid-state-machine": {
        "targets": four_orders,
        "compile": by_own_rule,
        "objective": "mean_squared_error",
        "any_split": True,
    },
    "CharacterLM": {
        "init": {"alphabet": "ba .", "units": (4, 3), "embedding": 3},
        "inputs": {"x": {"shape": [4, 5], "dtype": "int32", "max": 4}},
        "targets": one_later,
        "compile": with_softmax_loss,
        "texts": ("a b.", "bab", "..a a"),
    },
    **MEMORY_TRAINING,
    "lenet": {"targets": brightest_corner, "compile": with_softmax_loss},
    "alexnet": {"targets": brightest_corner, "compile": with_softmax_loss, "steps": 8},
    "vgg": {"targets": brightest_corner, "compile": with_softmax_loss, "steps": 8},
    "googlenet": {"targets": brightest_corner, "compile": with_softmax_loss, "steps": 8},
    "fully-convolutional": {"targets": bright_pixels, "compile": with_softmax_loss},
    "resnet": {"targets": brightest_corner, "compile": with_softmax_loss, "steps": 8},
    "densenet": {"targets": brightest_corner, "compile": with_softmax_loss, "steps": 8},
    "vae": {"compile": with_adam, "any_split": True},
    **ENERGY_TRAINING,
    **GENERATIVE_TRAINING,
    "autoencoder": {"compile": with_adam, "any_split": True},
    "denoising-autoencoder": {"compile": with_adam, "any_split": True},
    "sparse-autoencoder": {"compile": with_adam, "any_split": True},
    "contractive-autoencoder": {"compile": with_adam, "any_split": True},
    "sparse-coding": {"compile": by_own_rule, "objective": "cost", "any_split": True},
    "pca": {"compile": by_own_rule, "objective": "reconstruction_error", "any_split": True},
    "k-means": {"compile": by_own_rule, "objective": "inertia", "any_split": True},
    "gmm": {"compile": by_own_rule, "objective": "log_likelihood", "direction": "max", "any_split": True},
    "parameter-tying": {"targets": four_classes, "compile": with_softmax_loss},
    "semi-supervised": {"targets": some_quadrants, "compile": with_adam},
    "multi-task": {"targets": quadrant_and_order, "compile": with_adam},
    "transfer": {"targets": four_classes, "compile": with_softmax_loss},
    "DropoutMLP": {
        "init": {"features": 3, "units": (16, 4), "hidden_rate": 0.25},
        "inputs": (4, 3),
        "targets": four_classes,
        "compile": with_softmax_loss,
    },
    "BinomialMixture": {
        "init": {"components": 2, "features": 3, "trials": 4},
        "inputs": {"x": {"shape": [12, 3], "dtype": "probability"}},
        "compile": by_own_rule,
        "objective": "log_likelihood",
        "direction": "max",
        "any_split": True,
    },
    "bagging": {"targets": four_classes, "compile": with_adam_and_softmax, "sample_weight": counts_of_three},
    "boosting": {"targets": four_classes, "compile": by_own_rule},
    "DecisionStump": {
        "init": {"features": 3, "classes": 4},
        "inputs": (12, 3),
        "targets": four_classes,
        "compile": by_own_rule,
    },
    "rotation": {"compile": with_adam},
    "inpainting": {"compile": with_two_optimizers, "objective": "reconstruction_error"},
    "contrastive": {"compile": with_momentum},
    "jigsaw": {"compile": with_adam},
    "adversarial-training": {"targets": four_classes, "compile": with_softmax_loss},
}

# Models that are members of rows of another shape.
OTHERS: dict[str, ModelCase] = {
    "echo-state-feedback": ModelCase(
        catalog.resolve("echo-state-network"),
        {**catalog.get("echo-state-network").init, "feedback_scaling": 0.3, "inputs_to_read_out": True},
        (4, 5, 3),
        echo,
        by_own_rule,
        objective="mean_squared_error",
        any_split=True,
    ),
    "liquid-logistic": ModelCase(
        catalog.resolve("liquid-state-machine"),
        {**catalog.get("liquid-state-machine").init, "read_out": "logistic"},
        (4, 6, 3),
        four_orders,
        with_softmax_loss,
    ),
    "distribution-regression": ModelCase(
        DistributionRegression, {"features": 3, "units": (4,), "dropout": 0.3}, (4, 3), sums, with_its_likelihood
    ),
    "vae-two-layers": ModelCase(
        catalog.resolve("vae"),
        {
            "shape": (3, 2, 1),
            "latent": (3, 2),
            "units": (4,),
            "family": "normal",
            "prior": Mixture(2, Normal(2)),
            "samples": 2,
            "evaluation_samples": 5,
            "beta": 0.5,
            "free_bits": 0.2,
        },
        (4, 3, 2, 1),
        None,
        with_adam,
    ),  # fmt: skip
    **ENERGY_CASES,
    **GENERATIVE_CASES,
    "relative-positions": ModelCase(
        catalog.resolve("jigsaw"),
        {
            "shape": (5, 5, 1),
            "trunk": ((4,),),
            "gap": 1,
            "augmentation": catalog.get("contrastive").init["augmentation"],
        },
        (4, 5, 5, 1),
        None,
        with_adam,
    ),  # fmt: skip
    "backprop-online": ModelCase(
        catalog.resolve("backprop"),
        {"features": 3, "units": (4, 2), "update": "online"},
        (4, 3),
        pairs,
        by_own_rule,
        any_split=True,
    ),  # fmt: skip
    "sparse-by-divergence": ModelCase(
        catalog.resolve("sparse-autoencoder"),
        {"shape": 4, "code": 3, "penalty": "kl", "target": 0.2, "likelihood": "bernoulli"},
        {"x": {"shape": [12, 4], "dtype": "probability"}},
        None,
        with_adam,
        any_split=True,
    ),
    "bagged-perceptrons": ModelCase(
        catalog.resolve("bagging"),
        {"member": {"class_name": "keras_course>Perceptron", "config": {"features": 3}}, "members": 3},
        (4, 3),
        signs,
        by_own_rule,
        sample_weight=counts_of_three,
    ),
    "contrastive-dense": ModelCase(
        catalog.resolve("contrastive"),
        {
            **catalog.get("contrastive").init,
            "trunk": dense_network(6, 5),
            "temperature": 0.2,
        },
        (4, 4, 4, 2),
        None,
        with_momentum,
        any_split=True,
    ),
    "inpainting-dense": ModelCase(
        catalog.resolve("inpainting"),
        {
            "shape": (4, 4, 2),
            "trunk": dense_network(6),
            "decoder": dense_network(7, 32, shape=(4, 4, 2)),
            "discriminator": dense_network(5, 1),
            "hole": "regions",
            "adversarial": 0.25,
            "fill": 0.5,
            "evaluation_masks": 2,
        },
        (4, 4, 4, 2),
        None,
        with_two_optimizers,
        objective="reconstruction_error",
        any_split=True,
    ),
    "boosted-softmax-regression": ModelCase(
        catalog.resolve("boosting"), {"member": _SOFTMAX, "members": 2}, (4, 3), four_classes, with_adam_and_softmax
    ),
}

_BY_EPOCH = "an epoch is one iteration: parameters move when fit ends one, train_on_batch only gathers sums"

_BY_ROWS = "the bootstrap is drawn over the rows that come: other samples of a batch than of the whole set"
_BY_MEMBER = "a member joins the ensemble when fit ends its epochs, train_on_batch only trains it"

_BY_NETWORKS = "all its networks are given, with seeds of their own"
_BY_MEANS = "the penalty compares means over a batch with a target: of another batch, another mean"
_BY_OTHERS = "the other rows of a batch are the wrong answers: another batch asks another question"

SKIPS: dict[str, dict[str, str]] = {
    "inpainting-dense": {"same_seed_same_weights": _BY_NETWORKS},
    **{slug: {"measures_do_not_depend_on_the_batch_size": _BY_OTHERS} for slug in ("contrastive", "contrastive-dense")},
    "sparse-by-divergence": {"measures_do_not_depend_on_the_batch_size": _BY_MEANS},
    **{slug: {"fit_is_train_on_batch": _BY_EPOCH} for slug in ("k-means", "gmm", "BinomialMixture", "pca")},
    **{slug: {"fit_is_train_on_batch": _BY_ROWS} for slug in ("bagging", "bagged-perceptrons")},
    **{slug: {"fit_is_train_on_batch": _BY_MEMBER} for slug in ("boosting", "boosted-softmax-regression")},
}


def model_cases() -> dict[str, ModelCase | None]:
    """{slug, or name of a member: case} of every model in the catalogue, and of the models above.

    None for a model that has no line in TRAINING: its test fails and says so.
    """
    cases: dict[str, ModelCase | None] = {}
    for entry in catalog.entries():
        for reference in entry.parts:
            part = catalog.resolve_member(reference)
            if not (inspect.isclass(part) and issubclass(part, keras.Model)):
                continue
            key = entry.slug if reference == entry.object else part.__name__
            example = dict(TRAINING.get(key, {}))
            init, inputs = example.pop("init", entry.init), example.pop("inputs", entry.inputs)
            cases[key] = ModelCase(part, init, inputs, **example) if key in TRAINING else None
    return {**cases, **OTHERS}
