"""Search: KerasTuner asks, the folder remembers; killed searches end as uninterrupted ones."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_course.cli.main import main
from keras_course.core.errors import CorruptArtifact, KerasCourseError, NonFiniteLossError, RunFolderError
from keras_course.pipeline.recipe import recipe_of
from keras_course.pipeline.search import SearchResult, SearchTrial, search
from keras_course.pipeline.search_recipe import (
    SearchedRecipe,
    default_space,
    experiment_objective,
    recipe_objective,
    recipe_with,
    search_figure,
    search_recipe,
)
from keras_course.pipeline.search_space import Choice, Range, grid_points, parse_space

pytest.importorskip("keras_tuner", reason="KerasTuner is not installed (extra 'search')")

SPACE = {"x": Range(0.0, 4.0, points=3), "y": Choice(("a", "b"))}


def bowl(values, seed):
    return {"score": (values["x"] - 3.0) ** 2 + (values["y"] == "a"), "twice": 2.0 * values["x"]}


def table(result):
    return [(trial.number, dict(trial.values), trial.score, trial.error) for trial in result.trials]


def test_a_grid_search_tries_exactly_the_grid(tmp_path):
    result = search(bowl, SPACE, tuner="grid", out=tmp_path)
    assert isinstance(result, SearchResult) and isinstance(result.best, SearchTrial)
    assert [dict(trial.values) for trial in result.trials] == grid_points(SPACE)
    assert result.best.values == {"x": 2.0, "y": "b"} and result.best.metrics == {"twice": 4.0}  # of two
    assert (tmp_path / "trials.csv").read_text() == result.to_csv()
    assert len(result.to_csv().splitlines()) == 7


@pytest.mark.parametrize(("tuner", "trials"), [("random", 6), ("bayesian", 5)])
def test_a_search_continued_ends_as_an_uninterrupted_one(tuner, trials, tmp_path):
    whole = search(bowl, SPACE, tuner=tuner, trials=trials, out=tmp_path / "whole", seed=3)
    asked = []

    def stops(values, seed):
        asked.append(values)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return bowl(values, seed)

    with pytest.raises(KeyboardInterrupt):
        search(stops, SPACE, tuner=tuner, trials=trials, out=tmp_path / "parts", seed=3)
    again = search(stops, SPACE, tuner=tuner, trials=trials, out=tmp_path / "parts", seed=3)
    assert table(again) == table(whole) and len(asked) == trials + 1  # the interrupted one was asked twice
    assert table(search(stops, SPACE, tuner=tuner, trials=trials, out=tmp_path / "parts", seed=3)) == table(whole)
    assert len(asked) == trials + 1  # a finished search computes nothing


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """A folder with a search that was killed, "killed", and one that two workers shared, "shared"; all exit codes."""
    folder, script = tmp_path_factory.mktemp("searches"), Path(__file__).with_name("search_on_workers.py")
    said = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen([sys.executable, str(script), str(folder)], **said) as running:
        try:
            first = [running.stdout.readline().strip() for _ in range(4)]
            process = next(int(word) for word in first if word not in "012")
            assert [word for word in first if word in "012"] == ["0", "1", "2"]
            os.kill(process, signal.SIGKILL)
            codes = json.loads(running.communicate(timeout=240)[0])
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)  # whatever is left of it
    return folder, codes


def test_a_search_that_was_killed_continues(processes):
    folder, codes = processes
    assert codes[0] == -signal.SIGKILL
    computed = []

    def quick(values, seed):
        computed.append(values["x"])
        return float(values["x"])

    result = search(quick, {"x": Choice((0, 1, 2, 3))}, tuner="grid", out=folder / "killed")
    assert computed == [2, 3] and [trial.score for trial in result.trials] == [0.0, 1.0, 2.0, 3.0]


def test_two_workers_share_the_trials_and_the_chief_reports_them(processes):
    folder, codes = processes
    assert codes[1:] == [0, 0, 0]
    records = [json.loads(path.read_text()) for path in (folder / "shared" / "trials").glob("*/trial.json")]
    assert sorted(record["values"]["x"] for record in records) == [0, 1, 2, 3]
    assert {record["metrics"]["worker"] for record in records} == {0.0, 1.0}
    assert len((folder / "shared" / "trials.csv").read_text().splitlines()) == 5


def test_trials_that_diverge_are_noted_and_mistakes_are_heard(tmp_path):
    def diverges(values, seed):
        if values["x"] > 1:
            raise NonFiniteLossError(3, "the loss itself")
        return values["x"] if values["x"] else float("nan")

    result = search(diverges, {"x": Choice((0.0, 1.0, 2.0))}, tuner="grid", out=tmp_path / "a")
    assert [trial.score for trial in result.trials] == [None, 1.0, None] and result.best.number == 1
    assert "step 3" in result.trials[2].error and "not finite" in result.trials[0].error
    with pytest.raises(KeyError, match="'q'"):
        search(lambda values, seed: values["q"], {"x": Choice((1, 2))}, tuner="grid", out=tmp_path / "b")
    with pytest.raises(KerasCourseError, match="Every trial"):
        _ = search(lambda values, seed: float("inf"), {"x": Choice((1, 2))}, tuner="grid", out=tmp_path / "c").best


def test_random_search_tries_more_values_of_each_setting_than_a_grid_of_its_size(tmp_path):
    space = {"a": Range(1e-3, 1.0, log=True, points=3), "b": Range(0.0, 1.0, points=3)}
    drawn = search(lambda values, seed: values["a"], space, trials=9, out=tmp_path, seed=1)
    values = np.array([[trial.values["a"], trial.values["b"]] for trial in drawn.trials])
    assert len(np.unique(values[:, 0])) == len(np.unique(values[:, 1])) == 9
    grid = grid_points(space)
    assert len(grid) == 9 and len({point["a"] for point in grid}) == 3
    assert np.all((values[:, 0] >= 1e-3) & (values[:, 0] <= 1.0)) and np.median(values[:, 0]) < 0.3


def test_bayesian_search_comes_nearer_than_random_draws(tmp_path):
    space = {"x": Range(0.0, 10.0)}
    scores = {
        tuner: search(lambda v, seed: (v["x"] - 7.3) ** 2, space, tuner=tuner, trials=6, out=tmp_path / tuner, seed=2)
        for tuner in ("random", "bayesian")
    }
    assert scores["bayesian"].best.score < scores["random"].best.score


def test_another_search_or_other_files_in_the_folder_are_left_alone(tmp_path):
    search(bowl, SPACE, tuner="grid", out=tmp_path / "s")
    with pytest.raises(RunFolderError, match="another search"):
        search(bowl, SPACE, tuner="random", out=tmp_path / "s")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(RunFolderError, match="holds no search"):
        search(bowl, SPACE, tuner="grid", out=tmp_path / "letters")


def test_a_damaged_trial_is_not_believed(tmp_path):
    search(bowl, SPACE, tuner="grid", out=tmp_path)
    path = next((tmp_path / "trials").glob("*/trial.json"))
    path.write_text(path.read_text().replace('"score": ', '"score": -'))
    with pytest.raises(CorruptArtifact, match="trial.json"):
        search(bowl, SPACE, tuner="grid", out=tmp_path)


def test_without_keras_tuner_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_tuner", None)
    with pytest.raises(KerasCourseError, match=r"keras-course\[search\]"):
        search(bowl, SPACE, out=tmp_path)


def test_ranges_cut_equal_ratios_and_integers_stay_whole():
    ratios = np.diff(np.log(Range(1e-4, 1.0, log=True, points=5).grid))
    np.testing.assert_allclose(ratios, ratios[0])
    assert Range(1, 3, integer=True, points=5).grid == (1, 2, 3)
    assert Range(8, 64, log=True, integer=True, points=4).grid == (8, 16, 32, 64)
    space = parse_space(["a=1e-3:1:log:4", "b=8,16", "c=relu,tanh", "d=[128,64],[32]", "e=1:9:int:3"])
    assert len(space["a"].grid) == 4 and space["b"].values == (8, 16) and space["c"].values == ("relu", "tanh")
    assert space["d"].values == ([128, 64], [32]) and space["e"].grid == (1, 5, 9)


def test_a_recipe_changes_by_name():
    recipe = recipe_of("mlp")
    values = {"optimizer.learning_rate": 0.5, "model.activation": "tanh", "batch_size": 7, "epochs": 2}
    changed = recipe_with(recipe, values)
    assert (changed.batch_size, changed.epochs) == (7, 2)
    data_spec = dataclasses.replace(_spec(), name="digits-flat")
    assert float(changed.compile(data_spec)["optimizer"].learning_rate) == 0.5
    assert changed.model(data_spec, 0).get_config()["activation"] == "tanh"
    assert recipe.model(data_spec, 0).get_config()["activation"] == "relu"
    for wrong, message in (({"rate": 1}, "'rate'"), ({"model.widht": 1}, r"\['widht'\]")):
        with pytest.raises(ValueError, match=message):
            recipe_with(recipe, wrong).model(data_spec, 0)
    schedule = recipe_with(recipe_of("lenet"), {"optimizer.learning_rate": 0.125}).compile(data_spec)["optimizer"]
    assert schedule.get_config()["learning_rate"]["config"]["initial_learning_rate"] == 0.125


def _spec():
    from keras_course.datasets import load

    return load("digits-flat").spec


def test_the_learning_rate_has_a_u_and_the_best_is_trained_again(tmp_path):
    space = {"optimizer.learning_rate": Range(1e-4, 1e2, log=True, points=4)}
    found = search_recipe(
        "softmax-regression", space, tuner="grid", tiny=True, epochs=8, out=tmp_path / "s", refit=False, progress=False
    )
    scores = np.array([trial.score for trial in found.result.trials])
    assert 0 < scores.argmin() < len(scores) - 1 and min(scores[0], scores[-1]) > 1.5 * scores.min()
    assert isinstance(found, SearchedRecipe) and found.fitted is None and found.figure.stat().st_size > 10_000
    assert len(search_figure(found.result, space, "t").axes) == 1
    usual = default_space(recipe_of("mlp"))["optimizer.learning_rate"]
    assert (usual.low, usual.high) == pytest.approx((3e-5, 0.3)) and len(usual.grid) == 9


def test_the_command_searches_refits_and_exports(tmp_path, capsys):
    words = [
        "search",
        "softmax-regression",
        "--tuner",
        "random",
        "--trials",
        "2",
        "--tiny",
        "--out",
        str(tmp_path / "s"),
    ]
    assert main([*words, "--space", "optimizer.learning_rate=1e-3:1e-1:log"]) == 0
    printed = capsys.readouterr().out
    assert "best optimizer.learning_rate" in printed and (tmp_path / "s/best/export/1/saved_model.pb").exists()
    best = min(json.loads(path.read_text())["score"] for path in (tmp_path / "s/trials").glob("*/trial.json"))
    refitted = json.loads((tmp_path / "s/best/metrics.json").read_text())["validation"]["loss"]
    assert refitted == pytest.approx(best, rel=1e-6)  # the same seed, data and order: the same model


def test_an_experiment_is_searched_through_its_config(tmp_path):
    from keras_course.experiments import lr_u_curve

    def best_of(config):
        return lr_u_curve.run(dataclasses.replace(config, learning_rates=(0.25,)))

    objective = experiment_objective(best_of, lr_u_curve.Config.tiny(), "training_loss")
    result = search(objective, {"units": Choice((2, 16))}, tuner="grid", out=tmp_path)
    assert result.best.values == {"units": 16}
    with pytest.raises(ValueError, match="'depth'"):
        objective({"depth": 2}, 0)
    with pytest.raises(ValueError, match="config=3"):
        experiment_objective(best_of, 3, "training_loss")


def test_the_score_of_a_recipe_is_on_its_validation_split():
    objective, mode = recipe_objective(recipe_of("softmax-regression"), epochs=1, examples=64)
    found = objective({}, 0)
    assert mode == "min" and found["score"] == found["val_loss"] and found == objective({}, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda out: search(bowl, SPACE, tuner="genetic", out=out), "tuner='genetic'"),
        (lambda out: search(bowl, SPACE, mode="best", out=out), "mode='best'"),
        (lambda out: search(bowl, {}, out=out), "space={}"),
        (lambda out: search(bowl, SPACE, trials=0, out=out), "trials=0"),
        (lambda out: Choice(()), "values=()"),
        (lambda out: Choice((1, 1)), "values=(1, 1)"),
        (lambda out: Range(2.0, 1.0), "low=2.0, high=1.0"),
        (lambda out: Range(0.0, 1.0, log=True), "low=0.0"),
        (lambda out: Range(0.0, 1.5, integer=True), "high=1.5"),
        (lambda out: parse_space(["a"]), "'a'"),
        (lambda out: parse_space(["a=1", "a=2"]), "'a' twice"),
        (lambda out: parse_space(["a=1:x"]), "'a=1:x'"),
        (lambda out: parse_space(["a=1:2:lag"]), "'a=1:2:lag'"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(call, message, tmp_path):
    with pytest.raises(ValueError) as caught:
        call(tmp_path)
    assert message in str(caught.value)


def test_an_experiment_is_no_recipe_to_search_from_the_command_line(tmp_path, capsys):
    assert main(["search", "saddle-escape", "--out", str(tmp_path / "s")]) == 2
    assert "'saddle-escape' is an experiment" in capsys.readouterr().err
