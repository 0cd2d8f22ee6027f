"""All benchmarks, or those named, one after the other, and a table of every ratio.

python -m benchmarks [lloyd lenet ...] [--threads 1 2] [--repeats 11] [--json FILE]
"""

from __future__ import annotations

import sys

from benchmarks.harness import main_of_all
from benchmarks.recurrent import CHOICE

RUNS: dict[str, list[dict[str, str]]] = {  # name: one run for each environment
    "lloyd": [{}],
    "gmm": [{}],
    "mala": [{}],
    "reservoir": [{}],
    "rbm": [{"CHAINS": kind} for kind in ("data", "persistent")],
    "flows": [{"MODEL": "real-nvp"}],
    "pixel_cnn": [{"FORM": form} for form in ("gated", "residual")],
    "lenet": [{}],
    "optimizers": [{}],
    "lenet_layers": [{}],
    "residual_block": [{}],
    "convolution": [{}],
    "locally_connected": [{"IMPLEMENTATION": number} for number in "123"],
    "recurrent": [
        {CHOICE: f"{cell}-{size} {peer}"}
        for cell in ("lstm", "gru") for size in ("large", "small") for peer in ("keras", "torch")
    ],
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main_of_all(RUNS))
