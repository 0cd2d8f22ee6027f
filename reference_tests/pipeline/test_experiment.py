"""An experiment's run writes what it promises, says how it ended, and holds no model to ask for."""

import dataclasses
import json

import pytest

from keras_course.core.errors import CorruptArtifact, KerasCourseError, RunFolderError
from keras_course.pipeline.evaluate import evaluate
from keras_course.pipeline.experiment import configured, run_experiment
from keras_course.pipeline.export import export
from keras_course.pipeline.fit import fit
from keras_course.pipeline.recipe import is_experiment, recipe_of
from keras_course.pipeline.report import report
from keras_course.pipeline.resume import resume
from keras_course.pipeline.run_folder import claim_run_folder, open_run_folder


def read(path):
    return json.loads(path.read_text("utf-8"))


def test_a_run_writes_settings_table_headline_and_figure(dice, tmp_path):
    done = run_experiment("dice", out=tmp_path / "run", seed=7)
    config = read(done.run / "config.json")
    assert config["slug"] == "dice" and config["seed"] == 7 and config["tiny"] is False
    assert config["status"] == "finished" and config["experiment"] == {"throws": 60, "sides": [6, 20], "seed": 7}
    assert config["versions"]["tensorflow"] and "threads" in config and config["started"] <= config["finished"]
    assert (done.run / "table.csv").read_text() == done.table.to_csv()
    assert read(done.run / "metrics.json")["headline"] == done.table.headline
    assert done.figures == (done.run / "figures" / "dice.png",)
    assert done.figures[0].read_bytes().startswith(b"\x89PNG")
    assert set(read(done.run / "manifest.json")) == {"config.json", "table.csv", "metrics.json"}
    assert not [path for path in done.run.iterdir() if path.name.startswith(".")]


def test_the_seed_replaces_the_settings_own_and_the_same_seed_repeats(dice, tmp_path):
    tables = [run_experiment("dice", out=tmp_path / str(n), seed=seed).table for n, seed in enumerate((0, 0, 1, None))]
    texts = [table.to_csv() for table in tables]
    assert texts[0] == texts[1] == texts[3] != texts[2]


def test_several_seeds_are_counted_from_the_one_that_is_given():
    assert configured("langevin", tiny=True, seed=5).seeds == (5,)
    assert configured("lr-u-curve", seed=7).seeds == (7, 8, 9, 10, 11)
    assert configured("saddle-escape", seed=3) == dataclasses.replace(configured("saddle-escape"), seed=3)


def test_a_seed_that_could_change_nothing_is_refused():
    with pytest.raises(KerasCourseError, match="'graph-cut' draws nothing at random.*seed=1"):
        configured("graph-cut", seed=1)
    for seed in (-1, 2**31, True, 0.5):
        with pytest.raises(ValueError, match=f"seed={seed}"):
            configured("saddle-escape", seed=seed)


def test_a_model_is_no_experiment_and_an_experiment_no_model():
    assert is_experiment("markov-chain") and not is_experiment("lenet")
    with pytest.raises(KerasCourseError, match="'lenet' is no experiment"):
        run_experiment("lenet")
    with pytest.raises(KerasCourseError, match="'langevin' is an experiment"):
        fit("langevin")
    with pytest.raises(KerasCourseError, match="'langevin' is an experiment"):
        recipe_of("langevin")


def test_a_tiny_run_takes_the_settings_for_seconds(dice, tmp_path):
    done = run_experiment("dice", out=tmp_path / "run", tiny=True)
    assert done.config == dice.Config.tiny() and read(done.run / "config.json")["tiny"] is True


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("the die is lost"), "failed"), (KeyboardInterrupt(), "interrupted")]
)
def test_a_run_that_ends_early_says_how(dice, tmp_path, error, status):
    def broken(config):
        raise error

    dice.run = broken
    with pytest.raises(type(error)):
        run_experiment("dice", out=tmp_path / "run")
    config = read(tmp_path / "run" / "config.json")
    assert config["status"] == status
    assert config.get("error") == ("RuntimeError: the die is lost" if status == "failed" else None)
    assert not (tmp_path / "run" / ".lock").exists()
    with pytest.raises(RunFolderError, match=f"no table to report: it {'failed .*lost' if error.args else status}"):
        report(tmp_path / "run")
    with pytest.raises(RunFolderError, match="run it anew"):
        resume(tmp_path / "run")
    assert claim_run_folder(tmp_path / "run", "dice").moved == tmp_path / "run.1"


def test_a_table_is_on_disk_before_anything_is_drawn(dice, tmp_path):
    whole = dice.run

    def no_picture(config):
        table = whole(config)
        return dataclasses.replace(table, draw=None)

    dice.run = no_picture
    with pytest.raises(ValueError, match="draws no figure"):
        run_experiment("dice", out=tmp_path / "run")
    assert (tmp_path / "run" / "table.csv").is_file() and read(tmp_path / "run" / "config.json")["status"] == "failed"


def test_an_ended_run_is_moved_aside_and_anything_else_is_left_alone(dice, tmp_path):
    first = run_experiment("dice", out=tmp_path / "run")
    assert run_experiment("dice", out=tmp_path / "run").moved == tmp_path / "run.1"
    assert first.moved is None and (tmp_path / "run.1" / "table.csv").is_file()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(RunFolderError, match="holds no run"):
        run_experiment("dice", out=tmp_path / "mine")


def test_a_finished_experiment_has_no_model_to_evaluate_export_or_resume(dice, tmp_path):
    run = run_experiment("dice", out=tmp_path / "run").run
    for ask in (evaluate, lambda run: export(run, tmp_path / "served")):
        with pytest.raises(RunFolderError, match="an experiment's: it holds a table .* and no model"):
            ask(run)
    assert not (tmp_path / "served").exists()
    with pytest.raises(RunFolderError, match="nothing to resume"):
        resume(run)


def test_a_killed_run_is_told_how_to_go_on(dice, tmp_path):
    folder = claim_run_folder(tmp_path / "run", "dice")
    folder.write_config("running", slug="dice", experiment={})
    folder.unlock()
    with pytest.raises(RunFolderError, match="was killed .*fit dice --out OTHER"):
        open_run_folder(tmp_path / "run")
    with pytest.raises(RunFolderError, match="nothing was touched. Choose another folder"):
        run_experiment("dice", out=tmp_path / "run")


def test_the_report_holds_headline_figure_table_and_settings(dice, tmp_path):
    done = run_experiment("dice", out=tmp_path / "run", seed=2)
    reported = report(done.run)
    page = reported.path.read_text("utf-8")
    assert reported.figures == done.figures and reported.metrics["headline"] == done.table.headline
    assert "data:image/png;base64," in page and "mean of all" in page and "<td>&lt;6&gt;</td>" in page
    assert f'<td class="number">{done.table["mean"][0]:.6g}</td>' in page and "<th>sides</th><td>6, 20</td>" in page


@pytest.mark.parametrize("name", ["table.csv", "metrics.json", "figures/dice.png"])
def test_a_report_shows_nothing_that_is_not_as_it_was_written(dice, tmp_path, name):
    done = run_experiment("dice", out=tmp_path / "run")
    damaged = bytearray((done.run / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (done.run / name).write_bytes(damaged)
    with pytest.raises(CorruptArtifact, match=f"{name} cannot be trusted"):
        report(done.run)
