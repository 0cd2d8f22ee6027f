"""Recipes of digits on MNIST and its sibling: all of them fit images of 28 x 28 pixels, and two of them are run."""

import numpy as np
import pytest

from keras_course import catalog, datasets
from keras_course.core.errors import MissingDataError
from keras_course.experiments.likelihood_table import SCORES, Config, run
from keras_course.pipeline.batches import recipe_data
from keras_course.pipeline.fit import fit, missed_bounds
from keras_course.pipeline.recipe import BASELINE, recipe_of, recipe_of_run
from keras_course.pipeline.run_folder import CONFIG, read_json
from keras_course.recipes import large_images
from keras_course.recipes.energy import coarse
from keras_course.recipes.flows import factorised_pixels, gaussian_of_logits

BINARY = {"vae", "draw", "made", "rbm", "dbn", "dbm", "pixel-cnn", "generator-networks", "boltzmann-machine"}
SLUGS = [
    entry.slug for topic in ("autoencoders", "generative", "energy") for entry in catalog.entries(topic)
    if "mnist" in entry.datasets
]  # fmt: skip


def test_every_model_of_digits_has_the_choice_and_so_has_the_table():
    wanted = {*BINARY, *SCORES, "gan", "wgan", "nice", "real-nvp", "maf", "energy-model", "pca", "autoencoder"}
    assert {*SLUGS} == wanted | {f"{kind}-autoencoder" for kind in ("sparse", "denoising", "contractive")}
    assert tuple(catalog.get("likelihood-table").datasets) == ("digits-flat", "mnist", "fashion-mnist")


@pytest.mark.parametrize("slug", SLUGS)
def test_data_model_baseline_and_bounds_of_a_recipe_fit_each_other(slug, small_mnist):
    recipe = recipe_of(slug, "mnist")
    data = recipe_data(recipe, 0)
    x = data.train.x[:2]
    assert data.spec.name == "mnist" and x[0].size == (16 if slug == "boltzmann-machine" else 784)
    assert (set(np.unique(x)) <= {0.0, 1.0}) == (slug in BINARY)
    model = recipe.model(data.spec, 0)
    assert np.shape(model(x))[0] == 2
    assert slug not in ("nice", "real-nvp", "maf") or model.levels == 256
    if slug in ("contractive-autoencoder", "gan", "wgan"):
        return  # their baselines train something
    _, measured = recipe.baseline(data, 0)
    for metric, bound in {**recipe.floor, **recipe.ceiling}.items():
        assert bound != BASELINE or np.isfinite(measured[metric])


def test_pixels_are_drawn_once_with_the_probability_of_their_grey(small_mnist):
    grey = datasets.load("mnist")
    drawn = large_images.drawn_pixels(grey)
    np.testing.assert_array_equal(large_images.drawn_pixels(grey).train.x, drawn.train.x)
    assert np.any(large_images.drawn_pixels(datasets.load("mnist", seed=1)).train.x[0] != drawn.train.x[0])
    parts = [(getattr(grey, name).x, getattr(drawn, name).x) for name in ("train", "validation", "test")]
    x, v = (np.concatenate([part[index].ravel() for part in parts]) for index in (0, 1))
    np.testing.assert_array_equal(v[x == 0], 0)
    np.testing.assert_array_equal(v[x == 1], 1)
    deviations = (v - x).sum() / np.sqrt((x * (1 - x)).sum())
    assert abs(deviations) < 4 and 0.2 < v[(x > 0.4) & (x < 0.6)].mean() < 0.8
    rows = large_images.drawn_rows(grey)
    np.testing.assert_array_equal(rows.test.x, drawn.test.x.reshape(-1, 784))
    small = coarse(large_images.rows_of_pixels(grey))
    assert small.test.x[3, 6] == float(grey.test.x[3, 7:14, 14:21].mean() >= 0.4)
    framed = coarse(large_images.rows_of_pixels(grey), 4)
    assert framed.test.x[3, 6] == float(grey.test.x[3, 9:14, 14:19].mean() >= 0.4) and framed.spec.shape == (16,)


def test_bits_of_pixels_count_256_levels(small_mnist):
    recipe = recipe_of("nice", "mnist")
    data = recipe_data(recipe, 0)
    noise = np.random.Generator(np.random.Philox(0))
    random = large_images.changed_pixels(data, lambda x: np.float32(noise.integers(0, 256, (len(x), 9)) / 255), (9,))
    for measured in (factorised_pixels(random, 0, levels=256), gaussian_of_logits(random, 0, draws=1, levels=256)):
        assert 7.8 < measured.metrics["bits_per_dimension"] < 10  # what is drawn at random costs 8
    assert recipe.baseline.keywords == {"levels": 256}


def test_a_run_is_found_again_and_judged_by_the_baseline_of_its_own(tmp_path, small_mnist):
    recipe = recipe_of("pca", "fashion-mnist")
    fitted = fit(recipe, out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(recipe.figures) == 4
    again = recipe_of_run(read_json(fitted.run / CONFIG))
    assert again.dataset == "fashion-mnist" and recipe_of("pca").dataset == "digits-flat"
    error = fitted.metrics["test"]["reconstruction_error"]
    recorded = read_json(fitted.run / "metrics.json")
    assert recorded["ceiling"] == fitted.baseline.metrics and recorded["missed"] == []
    assert error < fitted.baseline.metrics["reconstruction_error"]
    (missed,) = missed_bounds(recipe, {"reconstruction_error": 1.0}, fitted.baseline)
    assert missed.startswith("reconstruction_error 1.0000 > 0.")
    assert missed_bounds(recipe, {"reconstruction_error": 0.0})  # without a baseline nothing can be reached


def test_the_table_of_likelihoods_takes_large_images(small_mnist):
    small = {"components": 20, "temperatures": 5, "runs": 3, "epochs": 1, "images": 10}
    table = run(Config(models=("generator-networks",), data="mnist", **small))
    assert table["bits_per_pixel"][-1] == pytest.approx(-table["nats"][-1] / (784 * np.log(2)))
    assert table["model"][1] == "Gaussian, 20 components" and all("an image" in name for name in table.headline)
    assert (Config(data="mnist").size("components"), Config().size("components")) == (100, 32)
    with pytest.raises(ValueError, match="'digits-flat', 'mnist', 'fashion-mnist' as data. Received: data='iris'"):
        Config(data="iris")


def test_without_the_files_one_line_says_where_they_would_be(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    module = __import__("importlib").import_module("keras.src.datasets.mnist")

    def unreachable(*args, **options):
        raise Exception("URL fetch failure: no route to host")

    monkeypatch.setattr(module, "get_file", unreachable)
    with pytest.raises(MissingDataError, match=r"'mnist' is not in .*datasets and could not be fetched: .*KERAS_HOME"):
        recipe_data(recipe_of("vae", "mnist"), 0)
