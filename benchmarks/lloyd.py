"""Lloyd's algorithm: n = 100,000 points, 32 features, 64 clusters, float32, against scikit-learn.

Both start from the same centres and do ten iterations of `fit`, data checks and everything else of a call included.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close

SAMPLES, FEATURES, CLUSTERS, ITERATIONS = 100_000, 32, 64, 10


def labels_and_cost(x: Any, centres: Any) -> tuple[Any, float]:
    """Nearest centres and the mean of the squared distances to them, in float64, without either contestant."""
    import numpy as np

    x, centres = x.astype("float64"), centres.astype("float64")
    squares = np.sum(x**2, 1)[:, None] - 2 * x @ centres.T + np.sum(centres**2, 1)
    return squares.argmin(1), float(squares.min(1).mean())


def contest() -> Contest:
    """The data overlap, so that neither side converges early."""
    import numpy as np

    from keras_course.models.latent import KMeans

    draws = np.random.Generator(np.random.Philox(0))
    centres = draws.normal(size=(CLUSTERS, FEATURES)) / 2
    x = (centres[draws.integers(CLUSTERS, size=SAMPLES)] + draws.normal(size=(SAMPLES, FEATURES))).astype("float32")
    start = x[:CLUSTERS].copy()

    def ours_in(dtype: str) -> Any:
        model = KMeans(CLUSTERS, FEATURES, centres=start, dtype=dtype)
        model.compile(jit_compile=True)

        def run() -> Any:
            model.start(start)
            history = model.fit(x.astype(dtype, copy=False), epochs=ITERATIONS, verbose=0)
            if len(history.epoch) != ITERATIONS:
                raise RuntimeError(f"ours ended after {len(history.epoch)} iterations")
            return model.centres.numpy()

        return run

    try:
        import sklearn
        from sklearn.cluster import KMeans as Peer
    except ImportError:
        peer, name = None, "scikit-learn"
    else:
        name = f"scikit-learn {sklearn.__version__} KMeans, algorithm lloyd"

        def peer_in(dtype: str) -> Any:
            data, first = x.astype(dtype, copy=False), start.astype(dtype, copy=False)

            def run() -> Any:
                other = Peer(CLUSTERS, init=first, n_init=1, max_iter=ITERATIONS, tol=0, algorithm="lloyd").fit(data)
                if other.n_iter_ != ITERATIONS:
                    raise RuntimeError(f"the peer ended after {other.n_iter_} iterations")
                return other.cluster_centers_

            return run

        peer = peer_in("float32")

    def agree(ours: Any, peers: Any) -> str:
        """In float32 a sample between two centres goes by rounding, and the centres follow: only the cost is compared.

        In float64, off the clock, everything is.
        """
        (_, cost), (_, peers_cost) = labels_and_cost(x, ours), labels_and_cost(x, peers)
        require_close("costs", cost, peers_cost, 1e-5)
        exact, peers_exact = ours_in("float64")(), peer_in("float64")()
        require_close("centres in float64", exact, peers_exact, 1e-9)
        if not np.array_equal(labels_and_cost(x, exact)[0], labels_and_cost(x, peers_exact)[0]):
            raise ValueError("assignments in float64 should be equal. Received: others")
        return "cost within 1e-5; in float64 all assignments equal, centres within 1e-9"

    title = f"Lloyd, n = {SAMPLES}, d = {FEATURES}, k = {CLUSTERS}, float32: ms an iteration, {ITERATIONS} a fit"
    return Contest(
        title, ours_in("float32"), peer, name, xla=True, work=ITERATIONS, limits={1: 1.25, 2: 1.6}, agree=agree
    )


if __name__ == "__main__":
    sys.exit(main("benchmarks.lloyd", contest))
