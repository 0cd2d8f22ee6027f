"""Phenomena: what the experiments show is what theory says, and every run repeats."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.experiments import (
    few_label_probes,
    foreground_segmentation,
    ill_conditioning,
    label_efficiency,
    langevin_posterior,
    lr_u_curve,
    saddle_escape,
)
from keras_course.experiments.ill_conditioning import best_rates
from keras_course.experiments.lr_u_curve import loss_and_error, train_at_every_rate
from keras_course.experiments.saddle_escape import descend, saddle_curvature, saddle_gradient, saddle_value
from keras_course.experiments.table import Table

MODULES = (saddle_escape, lr_u_curve, foreground_segmentation, ill_conditioning, label_efficiency, few_label_probes)


@pytest.fixture(scope="module")
def tables():
    return {module: module.run(module.Config.tiny()) for module in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_a_tiny_run_repeats_exactly_and_draws_its_figure(module, tables):
    assert module.run(module.Config.tiny()).to_csv() == tables[module].to_csv()
    assert isinstance(tables[module].figure(), Figure)
    assert tables[module].headline and np.all(np.isfinite(list(tables[module].headline.values())))


@pytest.mark.parametrize("module", [*MODULES, langevin_posterior], ids=lambda module: module.__name__.split(".")[-1])
def test_a_config_is_frozen_and_its_fields_are_checked(module):
    config = module.Config()
    name = dataclasses.fields(config)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, name, 1)


def test_the_flat_saddle_is_left_after_the_predicted_number_of_steps(tables):
    table = tables[saddle_escape].where(noise=0.0)
    for saddle, start in (("quartic", 0.1), ("quadratic", 0.1), ("quadratic", 0.5)):
        row = table.where(saddle=saddle, start=start)
        assert abs(row["steps"][0] - row["predicted"][0]) < 2.0 + 0.05 * row["predicted"][0]
    flat, strict = (table.where(saddle=saddle, start=0.1)["steps"][0] for saddle in ("quartic", "quadratic"))
    assert flat > 8 * strict


def test_only_noise_leaves_a_saddle_from_its_very_middle(tables):
    table = tables[saddle_escape].where(start=0.0)
    assert np.all(table.where(noise=0.0)["escaped"] == 0.0)
    assert np.all(table.where(noise=0.1)["escaped"] == 1.0)


def test_the_printed_function_has_no_minimum_and_no_curvature_at_its_saddle():
    points = np.array([[0.0, 0.0], [10.0, 0.0], [-100.0, 3.0]])
    np.testing.assert_array_equal(saddle_curvature(points, "quartic")[0], [0.0, 0.0])
    np.testing.assert_array_equal(saddle_value(points, "quartic"), [0.0, -1e4, 81.0 - 1e8])


@pytest.mark.parametrize("saddle", ["quartic", "quadratic"])
def test_the_gradient_is_the_slope_of_the_value(saddle):
    points, h = np.random.default_rng(0).normal(size=(20, 2)), 1e-6
    for axis in range(2):
        shift = np.zeros(2)
        shift[axis] = h
        slope = (saddle_value(points + shift, saddle) - saddle_value(points - shift, saddle)) / (2 * h)
        np.testing.assert_allclose(saddle_gradient(points, saddle)[:, axis], slope, rtol=1e-6, atol=1e-8)
    with pytest.raises(ValueError, match="saddle='cubic'"):
        saddle_gradient(points, "cubic")


def test_descent_lowers_the_function_at_every_step():
    path = descend(np.array([[0.3, 0.8], [-0.4, 0.1]]), "quartic", 0.02, 25)
    values = np.asarray(saddle_value(path, "quartic"))
    assert path.shape == (26, 2, 2) and np.all(np.diff(values, axis=0) < 0)


def test_training_loss_and_test_error_are_high_at_both_ends(tables):
    table = tables[lr_u_curve]
    for column in ("training_loss", "test_error"):
        values = table[column]
        best = values.argmin()
        assert 0 < best < len(values) - 1
        assert values[0] > 2 * values[best] and values[-1] > 2 * values[best]


def test_a_rate_trains_alone_as_it_trains_beside_others():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 2, 12)
    hidden, output, batches = rng.normal(size=(4, 3)), rng.normal(size=(2, 4)), rng.integers(0, 12, (9, 5))
    together = train_at_every_rate(x, y, hidden, output, batches, np.array([0.1, 1.0]))
    for index, rate in enumerate((0.1, 1.0)):
        alone = train_at_every_rate(x, y, hidden, output, batches, np.array([rate]))
        np.testing.assert_allclose(alone[0][0], together[0][index], atol=1e-13)
    loss, error = loss_and_error(x, y, *together)
    assert loss.shape == error.shape == (2,)


def steps_of(table, method, angle=0.0):
    return dict(zip(*(table.where(method=method, angle=angle)[name] for name in ("condition", "steps")), strict=True))


def test_descent_pays_for_the_condition_number_and_momentum_for_its_root(tables):
    table = tables[ill_conditioning]
    descent, momentum = (steps_of(table, method) for method in ("gradient descent", "momentum"))
    predicted = table.where(method="gradient descent", angle=0.0)["predicted"]
    assert np.all(np.abs(np.array(list(descent.values())) - predicted) <= 1)
    assert 3.5 < descent[100.0] / descent[25.0] < 4.5
    assert 1.8 < momentum[100.0] / momentum[25.0] < 2.5
    assert momentum == steps_of(table, "momentum", 45.0)  # a turned valley is the same valley


def test_adagrad_divides_curvature_out_along_the_axes_and_only_there(tables):
    aligned, turned = (steps_of(tables[ill_conditioning], "adagrad", angle) for angle in (0.0, 45.0))
    assert len(set(aligned.values())) == 1
    assert turned[100.0] > 3 * turned[25.0] > 9 * aligned[25.0]


def test_the_second_order_does_not_see_the_condition_number(tables):
    for angle in (0.0, 45.0):
        assert set(steps_of(tables[ill_conditioning], "conjugate gradients", angle).values()) == {2}
        assert set(steps_of(tables[ill_conditioning], "newton", angle).values()) == {1}


def test_no_other_rate_shrinks_the_worst_direction_faster():
    best = {name: float(value) for name, value in best_rates(np.array([1.0, 30.0])).items()}
    rates = best["rate"] * np.linspace(0.8, 1.2, 41)
    worst = np.maximum(np.abs(1 - rates), np.abs(1 - 30 * rates))
    assert worst.min() == pytest.approx(best["factor"]) and worst.argmin() == 20

    def radius(rate, momentum):
        """Spectral radius of a step of momentum over both directions."""
        return max(
            np.abs(np.linalg.eigvals([[1 + momentum - rate * c, -momentum], [1.0, 0.0]])).max() for c in (1.0, 30.0)
        )

    found = radius(best["momentum_rate"], best["momentum"])
    assert found == pytest.approx(best["momentum_factor"], abs=1e-6)
    for rate in (0.95, 1.0, 1.05):
        for momentum in (0.95, 1.0, 1.05):
            assert radius(rate * best["momentum_rate"], momentum * best["momentum"]) >= found - 1e-6


def test_the_flower_is_cut_exactly_and_more_smoothly_with_more_weight(tables):
    table = tables[foreground_segmentation]
    assert np.all(table["bound"] - table["value"] <= 1e-9)
    assert np.all(np.diff(table["outline"]) < 0) and np.all((table["foreground"] > 0.2) & (table["foreground"] < 0.27))


def test_the_bayesian_network_predicts_with_every_kernel():
    table = langevin_posterior.run(langevin_posterior.Config.tiny())
    assert table["method"].tolist()[0] == "best weights" and len(table) == 4
    assert np.all(table["accuracy"] > 0.9) and np.all(table["log_likelihood"] > -0.4)
    kept = table.where(method="MetropolisLangevin")["accepted"][0]
    assert 0.1 < kept < 1.0
    assert isinstance(table.figure(), Figure)


def test_a_table_goes_to_csv_and_keeps_every_digit(tmp_path):
    table = Table("t", {"name": ["a", "b"], "x": [0.1, 1 / 3]})
    text = table.to_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == text
    assert float(text.splitlines()[2].split(",")[1]) == 1 / 3
    with pytest.raises(ValueError, match="one length"):
        Table("t", {"x": [1, 2], "y": [1]})
    with pytest.raises(ValueError, match="no figure"):
        table.figure()


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (saddle_escape, {"learning_rate": -1.0}, "learning_rate=-1.0"),
        (saddle_escape, {"starts": (2.0,)}, r"starts=\(2.0,\)"),
        (saddle_escape, {"noises": (float("nan"),)}, "noises"),
        (ill_conditioning, {"conditions": (0.5,)}, r"conditions=\(0.5,\)"),
        (ill_conditioning, {"angles": ()}, r"angles=\(\)"),
        (ill_conditioning, {"tolerance": 1.0}, "tolerance=1.0"),
        (ill_conditioning, {"limit": 0}, "limit=0"),
        (lr_u_curve, {"learning_rates": ()}, r"learning_rates=\(\)"),
        (lr_u_curve, {"steps": 0}, "steps=0"),
        (lr_u_curve, {"seeds": ()}, r"seeds=\(\)"),
        (foreground_segmentation, {"weights": (1.0,)}, r"weights=\(1.0,\)"),
        (foreground_segmentation, {"stride": 0}, "stride=0"),
        (langevin_posterior, {"precision": 0.0}, "precision=0.0"),
        (langevin_posterior, {"seeds": ()}, r"seeds=\(\)"),
    ],
)
def test_a_bad_setting_is_refused_with_what_came(module, arguments, message):
    with pytest.raises(ValueError, match=message):
        module.Config(**arguments)


def test_every_number_of_labels_is_tried_with_every_seed_and_settings_are_checked(tables):
    table = tables[label_efficiency]
    assert table["labels"].tolist() == [10, 100] and table["seed"].tolist() == [0, 0]
    assert all(0 < value < 1 for name in ("supervised", "semi_supervised") for value in table[name])
    for how in ({"labels": (15,)}, {"seeds": ()}, {"weight": 0.0}, {"steps": 0}):
        with pytest.raises(ValueError, match=next(iter(how))):
            label_efficiency.Config(**how)
