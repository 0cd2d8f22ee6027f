"""States of an echo state network, 5,000 steps through 500 units of density 0.1, against reservoirpy.

The same matrices, the same leak; ours a dense product a step in float32 under XLA, reservoirpy's a sparse one in
float64.
With --errors no clock runs: NRMSE of both on NARMA-10 and Mackey-Glass, on the same matrices and as means over seeds.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close

UNITS, STEPS, DENSITY, LEAK = 500, 5000, 0.1, 0.3
SEEDS = 10


def contest() -> Contest:
    """One series of inputs, and the states of all steps."""
    import numpy as np

    from keras_course.models import EchoStateNetwork

    x = np.random.default_rng(0).uniform(0, 0.5, (STEPS, 1)).astype("float32")
    model = EchoStateNetwork(1, 1, units=UNITS, density=DENSITY, leak=LEAK, bias_scaling=0.2)
    cell = model.reservoir.cell

    def ours() -> Any:
        return np.asarray(model.states(x[None]))[0]  # .numpy() would copy them once more

    try:
        from importlib import metadata

        from reservoirpy.nodes import Reservoir
        from scipy.sparse import csr_array
    except ImportError:
        peer, name = None, "reservoirpy"
    else:
        name = f"reservoirpy {metadata.version('reservoirpy')}"
        theirs = Reservoir(
            W=csr_array(np.asarray(cell.recurrent_kernel, "float64").T), Win=np.asarray(cell.kernel, "float64").T,
            bias=np.asarray(cell.bias, "float64"), lr=LEAK,
        )  # fmt: skip
        theirs.run(x[:1].astype("float64"))
        series = x.astype("float64")

        def peer() -> Any:
            theirs.reset()
            return theirs.run(series)

    def agree(ours: Any, peers: Any) -> str:
        require_close("states", ours, peers, 1e-5)
        return "all states within 1e-5 of their scale"

    title = f"Echo states: {UNITS} units, density {DENSITY}, {STEPS} steps, one series: ms"
    return Contest(title, ours, peer, name, xla=True, limits={1: 0.55, 2: 0.55}, agree=agree)


def errors() -> None:
    """Prints the NRMSE of both packages, a row a task."""
    import numpy as np
    from reservoirpy.mat_gen import uniform
    from reservoirpy.nodes import Reservoir, Ridge

    from keras_course.datasets import mackey_glass_series, narma10_series
    from keras_course.models import EchoStateNetwork

    u, y = narma10_series(5, 1200, seed=0)
    chaos = mackey_glass_series(5, 1284, seed=0) - 1.0
    now, later = chaos[:, :1200, None], chaos[:, 84:, None]
    tasks = {
        "NARMA-10": (u[:, :, None], y[:, :, None], {"input_scaling": 0.5, "leak": 1.0}),
        "Mackey-Glass, 84 steps ahead": (now, later, {"input_scaling": 1.0, "leak": 0.4}),
    }

    def nrmse(true: Any, said: Any) -> float:
        return float(np.sqrt(np.mean((true - said) ** 2) / np.var(true)))

    def theirs_says(reservoir: Any, x: Any, y: Any, ridge: float) -> Any:
        states = []
        for k, series in enumerate(x):
            if k:
                reservoir.reset()
            states.append(reservoir.run(series)[200:])
        rows = sum(map(len, states[:-1]))
        return Ridge(ridge=ridge * rows).fit(states[:-1], [each[200:] for each in y[:-1]]).run(states[-1])

    for task, (x, y, settings) in tasks.items():
        ours, same, own = [], [], []
        for seed in range(SEEDS):
            model = EchoStateNetwork(
                1, 1, units=300, spectral_radius=0.95, density=0.1, bias_scaling=0.2, ridge=1e-9, washout=200,
                seed=seed, **settings,
            )  # fmt: skip
            model.compile()
            model.fit(x[:-1], y[:-1], verbose=0)
            true = y[-1, 200:]
            ours.append(nrmse(true, np.asarray(model(x[-1:]), "float64")[0, 200:]))
            cell = model.reservoir.cell
            matrices = {
                "W": np.asarray(cell.recurrent_kernel, "float64").T, "Win": np.asarray(cell.kernel, "float64").T,
                "bias": np.asarray(cell.bias, "float64"),
            }  # fmt: skip
            same.append(nrmse(true, theirs_says(Reservoir(lr=settings["leak"], **matrices), x, y, 1e-9)))
            drawn = np.random.default_rng(seed)
            stranger = Reservoir(
                300, sr=0.95, rc_connectivity=0.1, W=uniform, lr=settings["leak"], seed=seed,
                bias=drawn.uniform(-0.2, 0.2, 300),
                Win=settings["input_scaling"] * drawn.uniform(-1, 1, (300, 1)),
            )  # fmt: skip
            own.append(nrmse(true, theirs_says(stranger, x, y, 1e-9)))
        worst = max(a / b for a, b in zip(ours, same, strict=True))
        print(
            f"{task}: mean NRMSE over {SEEDS} seeds {np.mean(ours):.4f}; reservoirpy on the same matrices "
            f"{np.mean(same):.4f} (greatest ratio of a seed {worst:.4f}), on its own {np.mean(own):.4f} "
            f"(ratio {np.mean(ours) / np.mean(own):.3f})"
        )


if __name__ == "__main__":
    if "--errors" in sys.argv:
        errors()
    else:
        sys.exit(main("benchmarks.reservoir", contest))
