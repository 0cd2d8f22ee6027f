"""`fit` runs experiments too: what it prints, and what it refuses in one line."""

import csv
import json

import pytest

from keras_course.cli.main import main


def one_error(capsys, *argv):
    """Runs a command that must fail with exit code 2 and one line; returns the line."""
    assert main(list(argv)) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("keras-course: error: ") and captured.out == "", captured
    return lines[0]


def test_saddle_escape_runs_and_its_numbers_are_those_of_its_table(capsys, tmp_path):
    run = tmp_path / "run"
    assert main(["fit", "saddle-escape", "--tiny", "--seed", "3", "--out", str(run)]) == 0
    printed = capsys.readouterr().out
    with (run / "table.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["start"] == "0.1" and row["noise"] == "0.0"]
    steps = next(float(row["steps"]) for row in rows if row["saddle"] == "quartic")
    line = next(line for line in printed.splitlines() if line.startswith("steps from x0 = 0.1, quartic"))
    assert float(line.split()[-1]) == steps
    assert f"run folder    {run}" in printed and f"figure        {run}/figures/saddle-escape.png" in printed
    assert json.loads((run / "config.json").read_text())["experiment"]["seed"] == 3


def test_report_shows_a_run_whose_model_nobody_can_evaluate(capsys, tmp_path, dice):
    run = str(tmp_path / "run")
    assert main(["fit", "dice", "--out", run]) == 0
    assert "mean of all" in capsys.readouterr().out
    assert main(["report", run]) == 0
    assert f"report        {run}/report.html" in capsys.readouterr().out
    assert "no model" in one_error(capsys, "evaluate", run)
    assert "no model" in one_error(capsys, "export", run, str(tmp_path / "served"))
    assert main(["fit", "dice", "--out", run]) == 0
    assert f"moved aside   {run}.1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--epochs", "3"], "--epochs."),
        (["--resume", "run"], "--resume."),
        (["--checkpoint-steps", "5"], "--checkpoint-steps."),
        (["--checkpoint-seconds", "30", "--epochs", "1"], "--epochs, --checkpoint-seconds."),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(capsys, options, named):
    line = one_error(capsys, "fit", "saddle-escape", *options)
    assert line.endswith(f"'saddle-escape' is an experiment, which trains no model; leave out {named}")


def test_a_seed_of_what_is_not_random_is_refused_even_if_it_is_zero(capsys, tmp_path):
    line = one_error(capsys, "fit", "graph-cut", "--seed", "0", "--out", str(tmp_path / "r"))
    assert line.endswith("'graph-cut' draws nothing at random; leave out the seed. Received: seed=0")
    assert not (tmp_path / "r").exists()


def test_a_failed_experiment_is_one_line_and_noted(capsys, tmp_path, dice):
    def broken(config):
        raise ValueError("first line\n  second line")

    dice.run = broken
    line = one_error(capsys, "fit", "dice", "--out", str(tmp_path / "run"))
    assert line == "keras-course: error: ValueError: first line second line"
    assert json.loads((tmp_path / "run" / "config.json").read_text())["status"] == "failed"


def test_resume_of_a_model_still_takes_no_seed_even_if_it_is_zero(capsys, tmp_path):
    line = one_error(capsys, "fit", "lenet", "--resume", str(tmp_path), "--seed", "0", "--tiny")
    assert line.endswith("leave out --seed, --tiny.")
