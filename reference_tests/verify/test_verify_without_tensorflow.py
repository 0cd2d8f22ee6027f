"""Operations, layers, losses and metrics hold their goldens under JAX where TensorFlow is not installed."""

import json
import os
import subprocess
import sys

import pytest

WITHOUT = "import sys; sys.modules['tensorflow'] = None; from keras_course.cli.main import main; sys.exit(main({!r}))"


def test_goldens_hold_under_jax_where_tensorflow_is_missing(tmp_path, checkout):
    pytest.importorskip("jax", reason="jax is not installed")
    rows = tmp_path / "rows.json"
    words = ["verify", "--case", "convolution", "--mode", "xla", "--json", str(rows)]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(words)], cwd=checkout, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "need the TensorFlow backend" in result.stdout + result.stderr  # LeNet's cases are left out, and it says so
    records = json.loads(rows.read_text("utf-8"))
    assert len(records) > 20
    assert {(record["backend"], record["dtype"], record["verdict"]) for record in records} == {
        ("jax", "float32", "pass")
    }
