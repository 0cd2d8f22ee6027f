"""SIGKILL for real, from the outside, through the command line; `kill_points` does the same at many moments."""

import subprocess
import sys

from reference_tests.system.kill_points import differences, run_and_kill

OPTIONS = ("--tiny", "--epochs", 12)

# Three commands in one process, for the two starts of Python and TensorFlow that this saves.
GOES_ON = """
import sys
from keras_course.cli.main import main
run, whole, *options = sys.argv[1:]
refused = main(["fit", "lenet", "--out", run])
print("refused with", refused, file=sys.stderr)
resumed = main(["fit", "lenet", "--resume", run])
print("the whole run", flush=True)
sys.exit(resumed or main(["fit", "lenet", "--out", whole, *options]))
"""


def test_a_killed_run_ends_with_the_bits_of_one_that_never_was(tmp_path, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    assert run_and_kill("lenet", tmp_path / "run", 0.2, *OPTIONS, "--checkpoint-steps", 1, checkpoints=2)
    command = [sys.executable, "-c", GOES_ON, tmp_path / "run", tmp_path / "whole", *map(str, OPTIONS)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    refused, _, resumed = told.stderr.partition("refused with 2\n")
    assert "Resume it, or choose another folder" in refused
    resumed += told.stdout.partition("the whole run")[0]
    assert "the next checkpoint was met bit for bit" in resumed and "warning" not in resumed
    assert differences(tmp_path / "whole", tmp_path / "run") == []
