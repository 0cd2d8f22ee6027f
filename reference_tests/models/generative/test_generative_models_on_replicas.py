"""Two replicas draw the noise that one would have drawn, and learn what it would have learned."""

import subprocess
import sys

import numpy as np


def test_two_replicas_learn_what_one_would_have_learned(checkout, tmp_path):
    command = [sys.executable, "-m", "reference_tests.models.generative.train_on_replicas", str(tmp_path / "found.npz")]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    found = dict(np.load(tmp_path / "found.npz"))
    names = [name.removeprefix("alone/") for name in found if name.startswith("alone/")]
    assert len(names) > 20
    for name in names:
        scale = np.abs(found[f"alone/{name}"]).max()
        np.testing.assert_allclose(
            found[f"replicas/{name}"], found[f"alone/{name}"], rtol=0, atol=1e-5 * scale, err_msg=name
        )
