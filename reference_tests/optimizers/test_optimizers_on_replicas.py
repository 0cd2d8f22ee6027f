"""Two replicas take the steps that one would have taken, with each kind of optimizer."""

import subprocess
import sys

import numpy as np


def test_two_replicas_take_the_steps_of_one(checkout, tmp_path):
    found = {}
    for kind in ("alone", "replicas"):
        script = "reference_tests.optimizers.train_on_replicas"
        command = [sys.executable, "-m", script, str(tmp_path / f"{kind}.npz"), kind]
        result = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr[-2000:]
        found[kind] = dict(np.load(tmp_path / f"{kind}.npz"))
    assert len(found["alone"]) == 20
    for name, value in found["alone"].items():
        assert np.allclose(found["replicas"][name], value, rtol=1e-5, atol=2e-6), name
        assert not name.endswith(" 0") or np.abs(value).max() <= 0.6
