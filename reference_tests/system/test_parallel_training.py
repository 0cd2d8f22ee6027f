"""Two workers over loopback end where one process ends; the last batch is short (two replicas: see check_model)."""

import os
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest

from reference_tests.system import train_in_parallel

MODULE = "reference_tests.system.train_in_parallel"
EXAMPLES = "51"  # batches of 16, 16, 16 and 3: the last gives one worker two examples and the other one
MODELS = ("lenet", "vae", "k-means", "gmm")


def environment(checkout, **more):
    return {**os.environ, "PYTHONPATH": str(checkout), "TF_CPP_MIN_LOG_LEVEL": "3", **more}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    out = tmp_path_factory.mktemp("alone") / "alone.npz"
    train_in_parallel.main(out, "alone", EXAMPLES)
    return np.load(out)


def assert_same_training(alone, other, model):
    """Metrics, and weights of every model, within 1e-5 of their scale."""
    names = [name for name in alone.files if name.startswith(model)]
    assert len(names) > 4 and names == [name for name in other.files if name.startswith(model)]
    for name in names:
        scale = np.abs(alone[name]).max()
        np.testing.assert_allclose(other[name], alone[name], atol=1e-5 * scale, rtol=0, err_msg=name)


def namespace_of_its_own():
    """Words that start a command with no network but its own loopback, or None where that is not allowed."""
    if shutil.which("unshare") and shutil.which("ip"):
        words = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        if subprocess.run([*words, "true"], capture_output=True).returncode == 0:
            return words
    return None


START_TWO = """
import os, subprocess, sys
out, ports = sys.argv[1], sys.argv[2:4]
import json
cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
workers = [
    subprocess.Popen(
        [sys.executable, "-m", sys.argv[4], f"{out}/{index}.npz", "worker", sys.argv[5]],
        env={**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})},
    )
    for index in (0, 1)
]
sys.exit(max(worker.wait(timeout=300) for worker in workers))
"""


@pytest.fixture(scope="module")
def two_workers(checkout, tmp_path_factory):
    words = namespace_of_its_own()
    if words is None:
        pytest.skip("needs a network namespace (root and iproute2): TensorFlow's worker server listens everywhere")
    out, ports = tmp_path_factory.mktemp("workers"), []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(str(probe.getsockname()[1]))
    command = [*words, sys.executable, "-c", START_TWO, str(out), *ports, MODULE, EXAMPLES]
    subprocess.run(command, env=environment(checkout), check=True, timeout=400)
    return [np.load(out / f"{index}.npz") for index in (0, 1)]


@pytest.mark.parametrize("model", MODELS)
def test_two_workers_end_with_the_weights_and_metrics_of_one(alone, two_workers, model):
    for worker in two_workers:
        assert_same_training(alone, worker, model)
