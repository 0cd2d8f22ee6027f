"""A run writes what it promises, and never over something else."""

import csv
import hashlib
import json
from dataclasses import FrozenInstanceError, replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.errors import CorruptArtifact, CorruptDataError, InvalidDataError, RunFolderError
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.export import export
from keras_course.pipeline.fit import fit
from keras_course.pipeline.report import report
from keras_course.pipeline.run_folder import claim_run_folder, open_run_folder

EAGER = {"run_eagerly": True}  # no tracing: cheaper where the mode does not matter


@pytest.fixture(scope="module")
def finished(quadrants, tmp_path_factory):
    """One finished run that several tests look at; none may change it."""
    return fit(quadrants(select="val_loss"), out=tmp_path_factory.mktemp("runs") / "finished", seed=3, progress=False)


def read(path):
    return json.loads(path.read_text("utf-8"))


def digests(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_finished_run_holds_every_file(finished):
    run = finished.run
    for name in (
        "config.json",
        "metrics.json",
        "history.csv",
        "model.keras",
        "manifest.json",
        "export/1/saved_model.pb",
    ):
        assert (run / name).is_file(), name
    assert {path.name for path in (run / "figures").iterdir()} == {"learning_curves.png", "confusion_matrix.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in finished.figures)
    assert list((run / "logs").rglob("events.out.tfevents.*"))
    assert not [path for path in run.iterdir() if path.name.startswith(".")]


def test_config_records_all_that_decides_the_bits(finished):
    config = read(finished.run / "config.json")
    assert config["slug"] == "quadrants" and config["seed"] == 3 and config["status"] == "finished"
    assert config["epochs"] == 3 and config["batch_size"] == 16 and config["mode"] == "graph"
    assert set(config["threads"]) == {"intra_op", "inter_op", "cores"} and config["threads"]["cores"] >= 1
    assert set(config["versions"]) == {
        "python",
        "tensorflow",
        "keras",
        "tensorflow_probability",
        "numpy",
        "keras_course",
    }
    assert config["cpu"] and config["oneDNN"] and config["command"]
    assert config["data"]["name"] == "quadrants" and config["data"]["split_seed"] == 3
    assert config["data"]["sha256"] and all(len(digest) == 64 for digest in config["data"]["sha256"].values())
    assert sum(config["data"]["examples"].values()) == 96


def test_metrics_hold_test_and_baseline(finished):
    metrics = read(finished.run / "metrics.json")
    assert metrics["test"] == finished.metrics["test"] and 0.5 < metrics["test"]["accuracy"] <= 1
    assert metrics["baseline"] == {"accuracy": 0.25} and metrics["baseline_name"] == "always the first class"
    assert set(metrics["validation"]) == {"accuracy", "loss"} and metrics["missed"] == []


def test_history_has_a_row_an_epoch(finished):
    rows = list(csv.DictReader((finished.run / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["val_loss"]) for row in rows] == finished.history["val_loss"]


def test_the_weights_of_the_best_epoch_are_kept(finished):
    selected = read(finished.run / "metrics.json")["selected_epoch"]
    assert selected == 1 + int(np.argmin(finished.history["val_loss"]))
    assert finished.metrics["validation"]["loss"] == pytest.approx(min(finished.history["val_loss"]), rel=1e-5)


def test_what_a_step_returns_is_frozen(finished):
    with pytest.raises(FrozenInstanceError):
        finished.seconds = 0.0


def test_the_saved_model_answers_as_the_live_one(finished):
    x = finished.dataset.test.x
    served = tf.saved_model.load(str(finished.export))
    np.testing.assert_allclose(served.serve(x), finished.model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


def test_evaluate_repeats_the_recorded_metrics(finished):
    again = evaluate(finished.run, recipe=finished.recipe)
    assert again.metrics["test"] == pytest.approx(finished.metrics["test"], rel=1e-6)
    assert again.recorded["test"] == finished.metrics["test"]


def test_export_numbers_its_versions_and_keeps_the_earlier(finished, tmp_path):
    first, second = (export(finished.run, tmp_path / "served") for _ in range(2))
    assert (first.version, second.version) == (1, 2)
    assert sorted(path.name for path in (tmp_path / "served").iterdir()) == ["1", "2"]
    assert (first.path / "saved_model.pb").is_file() and (second.path / "saved_model.pb").is_file()


def test_export_into_a_file_is_refused(finished, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunFolderError, match="cannot be written"):
        export(finished.run, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_report_is_one_page_that_holds_its_figures(quadrants, tmp_path):
    recipe = quadrants(EAGER, epochs=1)
    run = fit(recipe, out=tmp_path / "run", progress=False).run
    reported = report(run, recipe=recipe)
    page = reported.path.read_text("utf-8")
    assert reported.path == run / "report.html"
    assert page.count("data:image/png;base64,") == 2 and "always the first class" in page
    assert 'src="http' not in page and "<script" not in page


def test_a_mistake_in_a_figure_costs_no_training(quadrants, tmp_path):
    def broken(context):
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink"):
        fit(quadrants(EAGER, epochs=1, figures=(broken,)), out=tmp_path / "run", progress=False)
    assert (tmp_path / "run" / "model.keras").is_file()
    config = read(tmp_path / "run" / "config.json")
    assert config["status"] == "failed" and "no ink" in config["error"]


def test_an_ended_run_is_moved_aside_not_overwritten(quadrants, tmp_path):
    recipe = quadrants(EAGER, epochs=1, figures=())
    first = fit(recipe, out=tmp_path / "run", seed=1, progress=False)
    before = digests(first.run)
    second = fit(recipe, out=tmp_path / "run", seed=2, progress=False)
    assert second.moved == tmp_path / "run.1" and digests(second.moved) == before
    assert read(second.run / "config.json")["seed"] == 2


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("four years")
    with pytest.raises(RunFolderError, match="holds no run"):
        claim_run_folder(tmp_path, "quadrants")
    assert digests(tmp_path).keys() == {(tmp_path / "thesis.txt").relative_to(tmp_path)}


def test_a_run_that_has_not_ended_is_neither_overwritten_nor_taken_for_finished(tmp_path):
    (tmp_path / "config.json").write_text('{"slug": "quadrants", "status": "running"}')
    with pytest.raises(RunFolderError, match="not finished"):
        claim_run_folder(tmp_path, "quadrants")
    with pytest.raises(RunFolderError, match="not finished"):
        open_run_folder(tmp_path)


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/run"])
def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunFolderError, match="choose another|Choose another"):
        claim_run_folder(tmp_path / place, "quadrants")
    assert (tmp_path / "file").read_text() == "mine"


def test_default_folders_of_one_second_do_not_collide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = claim_run_folder(None, "quadrants"), claim_run_folder(None, "quadrants")
    assert first.path != second.path and first.path.name.startswith("quadrants-")


def test_no_run_folder_is_one_clear_error(tmp_path):
    with pytest.raises(RunFolderError, match="no run folder"):
        open_run_folder(tmp_path / "missing")
    with pytest.raises(RunFolderError, match="no config.json"):
        open_run_folder(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"slug": "a"}', '{"slug": "a", "status": "fin'])
def test_a_damaged_config_is_a_corrupt_artifact(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CorruptArtifact):
        open_run_folder(tmp_path)


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_a_damaged_model_is_a_corrupt_artifact(quadrants, tmp_path, damage):
    recipe = quadrants(EAGER, epochs=1, figures=())
    run = fit(recipe, out=tmp_path / "run", progress=False).run
    content = bytearray((run / "model.keras").read_bytes())
    if damage == "delete":
        (run / "model.keras").unlink()
    else:
        content[len(content) // 2] ^= 1
        (run / "model.keras").write_bytes(content if damage == "flip" else content[:100])
    with pytest.raises(CorruptArtifact, match="model.keras"):
        evaluate(run, recipe=recipe)


def test_evaluating_on_other_data_is_refused(quadrants, tmp_path):
    recipe = quadrants(EAGER, epochs=1, figures=())
    run = fit(recipe, out=tmp_path / "run", progress=False).run

    def changed(seed):
        dataset = recipe.dataset(seed)
        return replace(dataset, spec=replace(dataset.spec, sha256={"x": "0" * 64}))

    with pytest.raises(CorruptDataError, match="not those of the run"):
        evaluate(run, recipe=replace(recipe, dataset=changed))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("label", r"\[0, 4\).*Received: y\[5\]=4"),
        ("negative", r"Received: y\[5\]=-1"),
        ("nan", "finite"),
        ("empty", "at least one sample"),
        ("shape", "shape"),
    ],
)
def test_data_that_cannot_be_trained_on_stop_before_anything_is_written(quadrants, tmp_path, fault, message, jit):
    good = quadrants().dataset

    def bad(seed):
        dataset = good(seed)
        x, y = dataset.train.x.copy(), dataset.train.y.copy()
        if fault == "label":
            y[5] = 4
        elif fault == "negative":
            y[5] = -1
        elif fault == "nan":
            x[3, 1] = np.nan
        elif fault == "empty":
            x, y = x[:0], y[:0]
        else:
            x = np.concatenate([x, x], -1)
        split = dataset.train
        for name, value in (("x", x), ("y", y)):  # past the checks of `Split` and `Dataset`: in place, as users do
            object.__setattr__(split, name, value)
        return dataset

    with pytest.raises(InvalidDataError, match=message):
        fit(quadrants({"jit_compile": jit}, dataset=bad), out=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments", [{"seed": -1}, {"seed": 2**31}, {"seed": 1.0}, {"epochs": 0}, {"epochs": -2}, {"threads": 0}], ids=str
)
def test_arguments_out_of_range_are_refused_with_the_value_that_came(quadrants, tmp_path, arguments):
    with pytest.raises(ValueError, match="Received: "):
        fit(quadrants(), out=tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


def test_a_tiny_run_takes_few_examples_and_few_epochs(quadrants, tmp_path):
    fitted = fit(quadrants(EAGER, figures=()), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.dataset.train) == 32 and len(fitted.history["loss"]) == 1
    again = evaluate(fitted.run, recipe=fitted.recipe)
    assert again.metrics["test"] == pytest.approx(fitted.metrics["test"])


def test_a_run_without_batch_size_takes_the_whole_set_in_a_step(quadrants, tmp_path):
    fitted = fit(quadrants(EAGER, batch_size=None, epochs=2, figures=()), out=tmp_path / "run", progress=False)
    assert int(fitted.model.optimizer.iterations) == 2


def test_prepare_changes_what_model_and_baseline_see(quadrants, tmp_path):
    def signs(dataset):
        spec = replace(dataset.spec, task="regression", classes=None, targets=1)
        splits = {
            name: replace(part, y=np.where(part.y[:, None] % 2 == 0, -1.0, 1.0).astype("float32"))
            for name in ("train", "validation", "test")
            for part in [getattr(dataset, name)]
        }
        return replace(dataset, spec=spec, **splits)

    seen = []
    recipe = quadrants(
        {"loss": "mse", "metrics": ["mae"], **EAGER},
        prepare=signs,
        model=lambda spec, seed: keras.Sequential([keras.Input(spec.shape), keras.layers.Dense(1)]),
        baseline=lambda dataset, seed: (seen.append(sorted(set(dataset.test.y.ravel()))) or "mean", {"mae": 1.0}),
        floor={}, ceiling={"mae": 0.01}, epochs=1,
    )  # fmt: skip
    fitted = fit(recipe, out=tmp_path / "run", progress=False)
    assert seen == [[-1.0, 1.0]] and fitted.baseline.name == "mean"
    assert read(fitted.run / "metrics.json")["missed"][0].startswith("mae")
