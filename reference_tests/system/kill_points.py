"""Kills runs with SIGKILL at random moments, resumes them, and compares every bit with a run that was never killed.

    python -m reference_tests.system.kill_points lenet gmm --points 5 --epochs 6

Each run is a process of the command line. Compared are the variables of model.keras (optimiser's and metrics' too),
history.csv, and metrics.json without its timing.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

WAIT = 300


def command(slug: str, *arguments: object) -> list[str]:
    """The command line as a process of this Python."""
    return [sys.executable, "-m", "keras_course.cli", "fit", slug, *map(str, arguments)]


def run(slug: str, *arguments: object) -> str:
    """Runs to its end; what it printed."""
    done = subprocess.run(command(slug, *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout + done.stderr


def run_and_kill(slug: str, folder: Path, after: float, *arguments: object, checkpoints: int = 1) -> bool:
    """Kills a run so many seconds after it has so many checkpoints; whether it was still running."""
    process = subprocess.Popen(
        command(slug, *arguments, "--out", folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < end:
        if len(list(folder.glob("checkpoints/epoch-*.checkpoint"))) >= checkpoints:
            break
        time.sleep(0.002)
    time.sleep(after)
    process.kill()
    return process.wait() == -signal.SIGKILL


def contents(folder: Path) -> dict[str, object]:
    """What two runs must share to the last bit."""
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    metrics.pop("training_seconds")
    found: dict[str, object] = {"metrics": metrics, "history": (folder / "history.csv").read_bytes()}
    with zipfile.ZipFile(folder / "model.keras") as archive, tempfile.TemporaryDirectory() as scratch:
        import h5py

        with h5py.File(archive.extract("model.weights.h5", scratch)) as file:
            datasets: list[str] = []
            file.visititems(lambda name, item: datasets.append(name) if isinstance(item, h5py.Dataset) else None)
            found |= {name: np.asarray(file[name]).tobytes() for name in datasets}
    return found


def differences(one: Path, other: Path) -> list[str]:
    """Names of what differs between two run folders."""
    left, right = contents(one), contents(other)
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))


def main() -> int:
    """Prints a line a kill; 1 if any resumed run ends elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="+")
    parser.add_argument("--points", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--steps", type=int, default=1, help="a checkpoint every so many steps")
    parser.add_argument("--seconds", type=float, default=2.0, help="latest kill after the first checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    generator, failed = np.random.default_rng(args.seed), 0
    for slug in args.slugs:
        with tempfile.TemporaryDirectory() as scratch:
            whole = Path(scratch, "whole")
            run(slug, "--out", whole, "--epochs", args.epochs)
            for point in range(args.points):
                folder, after = Path(scratch, str(point)), float(generator.uniform(0, args.seconds))
                options = ("--epochs", args.epochs, "--checkpoint-steps", args.steps)
                killed = run_and_kill(slug, folder, after, *options)
                held = [path.name for path in sorted(folder.glob("checkpoints/*.checkpoint"))]
                told = run(slug, "--resume", folder) if killed else "not killed: it had ended"
                proof = next((line for line in told.splitlines() if line.startswith("resumed")), told)
                found = differences(whole, folder)
                failed += bool(found)
                print(f"{slug} killed {after:.2f} s after its first checkpoint, {held[-1:]}: {proof}; differs: {found}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
