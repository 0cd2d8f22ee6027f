"""SIGKILL for real, from the outside, through the command line; `kill_points` does the same at many moments."""

import subprocess

from reference_tests.system.kill_points import command, differences, run, run_and_kill

OPTIONS = ("--tiny", "--epochs", 12)


def test_a_killed_run_ends_with_the_bits_of_one_that_never_was(tmp_path, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    assert run_and_kill("lenet", tmp_path / "run", 0.2, *OPTIONS, "--checkpoint-steps", 1, checkpoints=2)
    refused = subprocess.run(command("lenet", "--out", tmp_path / "run"), capture_output=True, text=True)
    assert refused.returncode == 2 and "Resume it, or choose another folder" in refused.stderr
    told = run("lenet", "--resume", tmp_path / "run")
    assert "the next checkpoint was met bit for bit" in told and "warning" not in told
    run("lenet", "--out", tmp_path / "whole", *OPTIONS)
    assert differences(tmp_path / "whole", tmp_path / "run") == []
