"""All benchmarks, one after the other, and a table of every ratio: `python -m benchmarks [--repeats 11]`."""

from __future__ import annotations

import sys

from benchmarks.harness import main_of_all

NAMES = ("lloyd", "gmm", "mala", "lenet", "optimizers")

if __name__ == "__main__":
    sys.exit(main_of_all(f"benchmarks.{name}" for name in NAMES))
