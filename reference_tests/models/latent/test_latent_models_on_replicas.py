"""Two replicas add up their sums and learn what one would have learned."""

import subprocess
import sys

import numpy as np


def test_two_replicas_learn_what_one_would_have_learned(checkout, tmp_path):
    found = {}
    for kind in ("alone", "replicas"):
        script = "reference_tests.models.latent.train_on_replicas"
        command = [sys.executable, "-m", script, str(tmp_path / f"{kind}.npz"), kind]
        result = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr[-2000:]
        found[kind] = dict(np.load(tmp_path / f"{kind}.npz"))
    assert len(found["alone"]) > 8
    for name, value in found["alone"].items():
        assert np.allclose(found["replicas"][name], value, rtol=1e-5, atol=1e-6), name
