"""Operations, layers, losses and metrics hold their goldens under JAX where TensorFlow is not installed."""

import json
import os
import subprocess
import sys

import keras
import pytest

from keras_course.core.errors import BackendError
from keras_course.pipeline import verify

WITHOUT = "import sys; sys.modules['tensorflow'] = None; from keras_course.cli.main import main; sys.exit(main({!r}))"


def test_goldens_hold_under_jax_where_tensorflow_is_missing(tmp_path, checkout):
    pytest.importorskip("jax", reason="jax is not installed")
    rows = tmp_path / "rows.json"
    words = ["verify", "--case", "latent", "--mode", "xla", "--json", str(rows)]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(words)], cwd=checkout, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "left out: what calls models" in result.stdout + result.stderr  # a fitted model's, and it says so
    records = json.loads(rows.read_text("utf-8"))
    assert len(records) > 10
    assert {(record["backend"], record["dtype"], record["verdict"]) for record in records} == {
        ("jax", "float32", "pass")
    }


def test_an_example_that_calls_a_model_is_left_out_under_another_backend(monkeypatch):
    def example(**given):
        raise BackendError("a model needs the TensorFlow backend")

    (golden,) = verify.load_cases("recurrent/character-bits")
    monkeypatch.setattr(verify, "example_of", lambda golden: example)
    (record,) = verify.verify([golden], modes=["eager"], dtypes=["float32"])
    assert record.verdict == "fail"  # TensorFlow is there: nobody's excuse
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert verify._run(golden, "eager", "float32", "CPU:0", {}) is None
