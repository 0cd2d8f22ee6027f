"""Two replicas take the steps that one would have taken, with each kind of optimizer."""

import subprocess
import sys

import numpy as np

from reference_tests.optimizers import train_on_replicas


def test_two_replicas_take_the_steps_of_one(checkout, tmp_path):
    script = "reference_tests.optimizers.train_on_replicas"  # in a process of its own: it cuts the CPU in two
    command = [sys.executable, "-m", script, str(tmp_path / "replicas.npz"), "replicas"]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    train_on_replicas.main(tmp_path / "alone.npz", "alone")
    alone, replicas = np.load(tmp_path / "alone.npz"), np.load(tmp_path / "replicas.npz")
    assert len(alone.files) == 20
    for name, value in alone.items():
        assert np.allclose(replicas[name], value, rtol=1e-5, atol=2e-6), name
        assert not name.endswith(" 0") or np.abs(value).max() <= np.float32(0.6)
