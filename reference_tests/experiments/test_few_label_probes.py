"""The experiment on probes: what each method may see, and that all start from one trunk."""

from dataclasses import replace

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.experiments.few_label_probes import Config, features_of, run
from keras_course.models.selfsupervised.settings import STAGES, random_starts
from keras_course.models.selfsupervised.trunk import image_trunk
from keras_course.pipeline.linear_probe import probe_of


def test_yardsticks_are_the_pixels_and_the_trunk_as_it_was_drawn():
    digits = load("digits", seed=1)
    x = digits.test.x[:5]
    assert np.array_equal(features_of("pixels", digits, 1)(x), x)
    assert np.allclose(features_of("random", digits, 1)(x), image_trunk(1, STAGES, seed=1)(x))


def test_the_table_holds_the_probes_of_every_method_and_seed_on_both_data_sets():
    for dataset in ("digits", "photograph-crops"):
        config = Config(dataset, methods=("pixels",), seeds=(0, 1), per_class=(1, 5), draws=2)
        table = run(config)
        assert len(table) == 4
        probe = probe_of(lambda x: x, load(dataset, seed=1), 1, per_class=(1, 5), draws=2)
        rows = table.where(method="pixels", seed=1)
        assert np.allclose(rows["accuracy"], probe.mean) and np.allclose(rows["standard_error"], probe.standard_error)
        assert np.all(rows["clusterability"] == probe.clusterability)


def test_random_is_the_mean_of_five_trunks_for_one_may_be_lucky():
    config = Config(methods=("random",), seeds=(1,), per_class=(1, 5), draws=2, examples=150)
    table = run(config)
    full = load("digits", seed=1)
    cut = replace(
        full, **{name: replace(p := getattr(full, name), x=p.x[:150], y=p.y[:150]) for name in ("train", "test")}
    )
    means = []
    for start in random_starts(1):
        trunk = image_trunk(1, STAGES, start)
        means.append(probe_of(lambda x, trunk=trunk: trunk(x), cut, 1, per_class=(1, 5), draws=2).mean)
    assert len(means) == 5 and np.ptp(means, axis=0).min() > 0.02
    assert np.allclose(table["accuracy"], np.mean(means, axis=0))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"dataset": "iris"}, "dataset='iris'"),
        ({"methods": ("luck",)}, "methods='luck'"),
        ({"seeds": ()}, r"seeds=\(\)"),
        ({"epochs": 0}, "epochs=0"),
    ],
)
def test_a_config_is_checked_and_says_what_came(how, message):
    with pytest.raises(ValueError, match=message):
        Config(**how)
    with pytest.raises(ValueError, match="method='luck'"):
        features_of("luck", load("digits"), 0)
